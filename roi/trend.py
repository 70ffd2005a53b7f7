"""From run to run of one machine: where each figure of each variant changed, and where it is only told to have been measured again.

A change counts when it is beyond what chance makes of runs that differ in nothing but the hour, all series of a page taken together
(Holm), and larger than both the noise floor of the two runs that it lies between and what the reader says matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from scipy import stats

from roi import noise
from roi.data import Run
from roi.statistics import trend_changes
from roi.statistics.estimate import Estimate
from roi.statistics.holm import holm_levels
from roi.statistics.trend_changes import ALARMS, Shift
from roi.trend_figures import Followed, Processes, followed
from roi.trend_runs import Comparable

VERSIONS = """
    select distinct variant, runtime_version from cells where runtime_version is not null order by variant, runtime_version
"""


class Verdict(StrEnum):
    """What is made of a change that chance does not explain."""

    BETTER = "better"
    WORSE = "worse"
    BELOW_THE_FLOOR = "below the noise floor"
    """It is smaller than what two cells of one variant in one block differ by."""
    BELOW_THE_MARGIN = "below the margin"
    """It is smaller than what matters."""


@dataclass(frozen=True)
class Point:
    """A figure of a variant in one run."""

    place: int
    """Of the run among those that are compared, in order of time, from 0."""
    estimate: Estimate
    """Over the processes of the run; its interval says nothing of what runs differ by."""
    error: float | None
    """Standard error of the mean of the processes' logarithms; None of one process."""
    runtime_version: str | None
    """As the process said it itself."""


@dataclass(frozen=True)
class Change:
    """A change of a series between two of its runs."""

    before: Point
    """Of the last run before it that has the figure."""
    after: Point
    ratio: Estimate
    """Level after it over level before; the interval is over runs."""
    p_value: float
    """Of what it bounds, before Holm."""
    floor: float | None
    """The wider noise floor of the two runs, as a share; None where neither has a blind pair of the figure."""
    verdict: Verdict

    @property
    def called(self) -> bool:
        """Whether it is called a change."""
        return self.verdict in (Verdict.BETTER, Verdict.WORSE)


@dataclass(frozen=True)
class Series:
    """A figure of a variant over the runs that have it."""

    figure: Followed
    variant: str
    points: tuple[Point, ...]
    """In order of time."""
    p_value: float | None
    """Of a series without a change looking as unlike itself, before Holm; None of too few runs to tell."""
    changes: tuple[Change, ...]
    """In order of time; those below floor or margin among them."""
    spread: float | None
    """Standard deviation of runs around their levels, as a share; None of too few runs to tell."""


@dataclass(frozen=True)
class Trend:
    """What changed over runs."""

    comparable: Comparable
    """The runs, and those that are left out."""
    series: tuple[Series, ...]
    """By figure and then by variant; those that the base has."""
    margin: float
    """Which change matters, as a share."""

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs that are compared, in order of time."""
        return self.comparable.runs

    @property
    def figures(self) -> tuple[Followed, ...]:
        """The figures that some variant has in two runs or more, in the order of a page."""
        drawn = {one.figure.name: one.figure for one in self.series if len(one.points) > 1}
        return tuple(drawn.values())

    @property
    def told(self) -> tuple[Series, ...]:
        """The series that have runs enough for a change to be told in."""
        return tuple(one for one in self.series if one.p_value is not None)

    def called(self, figure: Followed | None = None) -> tuple[tuple[Series, Change], ...]:
        """Give what is called a change, of one figure or of all, with its series."""
        of = [one for one in self.series if figure is None or one.figure.name == figure.name]
        return tuple((one, change) for one in of for change in one.changes if change.called)


def study(comparable: Comparable, fault: str = "sigkill", margin: float = 0.0, all_cells: bool = False) -> Trend:
    """Follow every figure of every variant of the base over the runs, and tell where it changed.

    Parameters
    ----------
    fault
        The one whose recovery is followed.
    margin
        Which change matters, as a share.
    all_cells
        Include cells that the gate did not pass.
    """
    series = [one for figure in followed(fault) for one in _series(comparable, figure, all_cells)]
    levels = iter(holm_levels([one.p_value for one in series if one.p_value is not None], ALARMS))
    floors = [{floor.figure.name: floor.share for floor in noise.floors(run, all_cells)} for run in comparable.runs]
    judged = [one if one.p_value is None else _judged(one, next(levels), floors, margin) for one in series]
    return Trend(comparable, tuple(judged), margin)


def _series(comparable: Comparable, figure: Followed, all_cells: bool) -> list[Series]:
    by_run = [figure.processes(run, all_cells) for run in comparable.runs]
    versions = [_versions(run) for run in comparable.runs]
    variants = by_run[comparable.runs.index(comparable.base)]
    return [_of_variant(figure, variant, by_run, versions) for variant in variants]


def _of_variant(figure: Followed, variant: str, by_run: list[Processes], versions: list[dict[str, str]]) -> Series:
    runtime = variant.partition(",")[0]
    points = tuple(
        Point(place, figure.over(processes[variant]), _error(processes[variant]), versions[place].get(runtime))
        for place, processes in enumerate(by_run)
        if variant in processes
    )
    logs = _logs(points)
    found = trend_changes.strongest(logs, _common_error(points))
    if found is None:
        return Series(figure, variant, points, None, (), None)
    return Series(figure, variant, points, found.p_value, (), float(np.expm1(trend_changes.spread(logs, ()))))


def _judged(series: Series, level: float | None, floors: Sequence[Mapping[str, float]], margin: float) -> Series:
    """Give a series with its changes, if Holm's procedure leaves it a level to have them at."""
    if level is None:
        return series
    logs = _logs(series.points)
    shifts = trend_changes.shifts(logs, level, _common_error(series.points))
    changes = tuple(_change(series, shift, floors, margin) for shift in shifts)
    spread = trend_changes.spread(logs, [shift.at for shift in shifts])
    return replace(series, changes=changes, spread=float(np.expm1(spread)))


def _change(series: Series, shift: Shift, floors: Sequence[Mapping[str, float]], margin: float) -> Change:
    before, after = series.points[shift.at - 1 : shift.at + 1]
    known = [floors[point.place].get(series.figure.name) for point in (before, after)]
    floor = max((share for share in known if share is not None), default=None)
    verdict = _verdict(shift.ratio.value, series.figure.more_is_better, floor, margin)
    return Change(before, after, shift.ratio, shift.p_value, floor, verdict)


def _verdict(ratio: float, more_is_better: bool, floor: float | None, margin: float) -> Verdict:
    apart = noise.apart(ratio, 1.0)
    if floor is not None and apart < floor:
        return Verdict.BELOW_THE_FLOOR
    if apart < margin:
        return Verdict.BELOW_THE_MARGIN
    return Verdict.BETTER if (ratio > 1) == more_is_better else Verdict.WORSE


def _logs(points: Sequence[Point]) -> np.ndarray:
    return np.log([point.estimate.value for point in points])


def _error(processes: Sequence[float]) -> float | None:
    return float(stats.sem(np.log(processes))) if len(processes) > 1 else None


def _common_error(points: Sequence[Point]) -> float:
    """Give the standard error that runs have from their processes alone, as a root mean square; 0 where none is known."""
    known = [point.error for point in points if point.error is not None]
    return float(np.sqrt(np.mean(np.square(known)))) if known else 0.0


def _versions(run: Run) -> dict[str, str]:
    """Give by variant the version that its processes said; all of them where they said several."""
    told = run.query(VERSIONS)
    return {
        str(variant): " and ".join(part["runtime_version"]) for variant, part in told.groupby("variant", observed=True)
    }
