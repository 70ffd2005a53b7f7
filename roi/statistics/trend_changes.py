"""Between which runs a figure changed: stretches of a series of runs that are unlike the rest.

The model: the logarithm of a run's figure is the level of its stretch, plus what this run differs by from another of the same
thing (another hour, another layout of memory), plus what its few processes leave open. The second is not known from within a run,
so an interval over a run's processes is too narrow to tell a change. The spread is taken from the runs themselves: what is left
around the levels, and never less than the processes' own standard errors. Runs are taken to have no memory of the run before; where
they have, alarms are more frequent (`roi.prove.trend` says how much).

The statistic is that of circular binary segmentation: the largest of all Student's t of a stretch against the rest, at either end
of the series or within it, so that a change and its repair are found as one (Olshen, Venkatraman, Lucito and Wigler, Biostatistics
5, 2004). What is found is split again, the parts sharing their level. Boundaries whose two sides are not apart then go.

How large a statistic chance gives is simulated, from noise of several kinds (`NOISES`), and the p value is the largest of theirs.
A permutation of the runs needs no kind, but cannot tell: of eight runs whose last three are slower it gives 2 / C(8, 3) = 0.036
at least, however much slower they are, and ten series of that need 0.005 each.

A stretch has three runs or more: fewer have no variance worth the name, and one bad day is no change. So six runs are the fewest of
which one can be told. A run that is unlike its stretch widens the spread, and hides a change beside it until more runs follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from roi.statistics.estimate import Estimate

SHORTEST = 3
"""Runs of a stretch."""
LEAST_RUNS = 2 * SHORTEST
"""Runs of a series in which a change can be told."""
ALARMS = 0.05
"""Probability that any series of a page without a change is said to have one."""
Noise = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
"""Draws an array of a shape."""
NOISES: dict[str, Noise] = {
    "normal": lambda random, shape: random.normal(size=shape),
    "heavy_tailed": lambda random, shape: random.standard_t(3, size=shape),
    "skewed": lambda random, shape: random.gamma(2.0, size=shape),
    "loud": lambda random, shape: random.normal(size=shape) * np.where(random.random(shape) < 0.1, 5.0, 1.0),
}
"""What runs may differ by, in any unit: Student's t with 3 degrees, a gamma with shape 2 as processes have, and a normal of which
one run in ten has five times as much."""
_DRAWS = 20_000
"""Series of each noise: a probability of 0.001 is known to a fifth of itself."""
_SEED = 20261126
_AT_ONCE = 2_000_000
"""Statistics that are held in memory at a time."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Shift:
    """A change between two neighbouring runs of a series."""

    at: int
    """Place of the first run after it."""
    ratio: Estimate
    """Level after it over the level before; Student's interval with the spread between runs, n is the runs of the shorter side. The
    place was chosen because the two are far apart, which the interval does not know."""
    p_value: float
    """Of the stretch that it bounds, in the series or part in which it was found."""


@dataclass(frozen=True)
class Stretch:
    """The stretch of a series that is least like the rest."""

    begin: int
    end: int
    """Place behind its last run."""
    p_value: float
    """Of a series without a change having one as unlike."""

    @property
    def boundaries(self) -> tuple[int, ...]:
        """The one or two places at which the series changes."""
        return (self.end,) if self.begin == 0 else (self.begin, self.end)


def strongest(logs: np.ndarray, error: float = 0.0) -> Stretch | None:
    """Give the stretch that is least like the rest; None of fewer than `LEAST_RUNS` runs.

    Parameters
    ----------
    logs
        Logarithms of a figure, one a run in order of time, shape (runs,).
    error
        Standard error of a run's logarithm that its own processes leave; 0 where it is not known.
    """
    if len(logs) < LEAST_RUNS:
        return None
    statistics = _statistics(logs[np.newaxis, :], error)[0]
    place = int(statistics.argmax())
    begin, end = _stretches(len(logs))[place]
    beyond = [
        len(drawn) - int(np.searchsorted(drawn, statistics[place], side="left")) for drawn in _by_chance(len(logs))
    ]
    return Stretch(int(begin), int(end), (1 + max(beyond)) / (1 + _DRAWS))


def shifts(logs: np.ndarray, level: float, error: float = 0.0) -> tuple[Shift, ...]:
    """Give the changes of a series, in order of time; that the last run or two are unlike the rest is none yet.

    Parameters
    ----------
    logs, error
        As `strongest` takes them.
    level
        Probability that a series without a change may be said to have one.
    """
    found = _pruned(logs, dict(_split(logs, level, error)), level, error)
    places = [0, *sorted(found), len(logs)]
    return tuple(
        Shift(at, _ratio(logs, found, at, error), found[at])
        for before, at, after in zip(places, places[1:], places[2:], strict=False)
        if min(at - before, after - at) >= SHORTEST
    )


def spread(logs: np.ndarray, changes: Sequence[int]) -> float:
    """Give the standard deviation of runs around the levels of their stretches.

    Parameters
    ----------
    changes
        Places at which a stretch begins, the first not among them, in order.
    """
    parts = np.split(logs, changes)
    degrees = len(logs) - len(parts)
    return (
        float(np.sqrt(sum(((part - part.mean()) ** 2).sum() for part in parts) / degrees)) if degrees else float("nan")
    )


def _split(logs: np.ndarray, level: float, error: float, first: int = 0) -> Iterator[tuple[int, float]]:
    """Give boundaries with their p values, of the series and then of its parts."""
    found = strongest(logs, error)
    if found is None or found.p_value > level:
        return
    yield from ((first + at, found.p_value) for at in found.boundaries)
    starts = (0, *found.boundaries)
    parts = [(start, part) for start, part in zip(starts, np.split(logs, found.boundaries), strict=True)
             if len(part) >= LEAST_RUNS]  # fmt: skip
    for start, part in parts:
        yield from _split(part, level / len(parts), error, first + start)


def _pruned(logs: np.ndarray, found: dict[int, float], level: float, error: float) -> dict[int, float]:
    """Leave out boundaries whose two sides are not apart, the weakest first: a stretch may have one that is real and one not."""
    kept = dict(found)
    while kept:
        distances = {at: _distance(logs, kept, at, error) for at in kept}
        weakest = max(distances, key=lambda at: distances[at])
        if distances[weakest] <= level:
            break
        del kept[weakest]
    return kept


def _distance(logs: np.ndarray, changes: dict[int, float], at: int, error: float) -> float:
    """Give Student's p value of the levels before and after a boundary being one."""
    difference, standard_error, degrees, _ = _step(logs, changes, at, error)
    return 2 * float(stats.t.sf(abs(difference) / max(standard_error, _ROUNDING), degrees))


def _ratio(logs: np.ndarray, changes: dict[int, float], at: int, error: float) -> Estimate:
    difference, standard_error, degrees, runs = _step(logs, changes, at, error)
    half = float(stats.t.ppf(0.975, degrees)) * standard_error
    value, lo, hi = (float(np.exp(end)) for end in (difference, difference - half, difference + half))
    return Estimate(value, lo, hi, runs)


def _step(logs: np.ndarray, changes: dict[int, float], at: int, error: float) -> tuple[float, float, int, int]:
    """Give the difference of the levels at a boundary, its standard error, their degrees of freedom and the shorter side's runs."""
    places = sorted(changes)
    rank = places.index(at)
    before, after = np.split(logs, places)[rank : rank + 2]
    standard_error = max(spread(logs, places), error) * np.sqrt(1 / len(before) + 1 / len(after))
    degrees, runs = len(logs) - len(places) - 1, min(len(before), len(after))
    return float(after.mean() - before.mean()), float(standard_error), degrees, runs


@lru_cache(maxsize=64)
def _stretches(runs: int) -> np.ndarray:
    """Give every stretch with runs enough in it and before it, or behind it where it is the first; shape (stretches, 2).

    Behind a later one there may be a run or two, which are no stretch of their own yet: the first nights after a repair are unlike
    it, and a change that was called before them would else be so no more. None is there as its complement too.
    """
    found = [(0, end) for end in range(SHORTEST, runs - SHORTEST + 1)]
    found += [(begin, end) for begin in range(SHORTEST, runs) for end in range(begin + SHORTEST, runs)]
    return np.array(found)


def _statistics(logs: np.ndarray, error: float = 0.0) -> np.ndarray:
    """Give Student's t of every stretch against the rest, without its sign.

    Parameters
    ----------
    logs
        Shape (series, runs).

    Returns
    -------
    np.ndarray
        Shape (series, stretches).
    """
    runs = logs.shape[1]
    begin, end = _stretches(runs).T
    centred = logs - logs.mean(axis=1, keepdims=True)
    sums = np.pad(centred.cumsum(axis=1), ((0, 0), (1, 0)))
    inside = end - begin
    between = (sums[:, end] - sums[:, begin]) ** 2 * runs / (inside * (runs - inside))
    whole = (centred**2).sum(axis=1, keepdims=True)
    # Runs that are all alike leave rounding alone, of which no statistic is made.
    least = np.maximum(whole, _ROUNDING) * _ROUNDING
    within = np.maximum(np.maximum(whole - between, least) / (runs - 2), error**2)
    return np.sqrt(between / within)


@lru_cache(maxsize=64)
def _by_chance(runs: int) -> tuple[np.ndarray, ...]:
    """Give the largest statistic of series without a change, ascending, for every noise; shapes (draws,)."""
    return tuple(
        np.sort(_largest(draw, runs, np.random.default_rng((_SEED, place))))
        for place, draw in enumerate(NOISES.values())
    )


def _largest(draw: Noise, runs: int, random: np.random.Generator) -> np.ndarray:
    at_once = max(_AT_ONCE // len(_stretches(runs)), 1)
    sizes = [min(at_once, _DRAWS - done) for done in range(0, _DRAWS, at_once)]
    return np.concatenate([_statistics(draw(random, (size, runs))).max(axis=1) for size in sizes])
