"""Runs that may stand on one line, of one machine, condition and rate, measured for as long; and why others may not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.errors import RunUnreadable
from roi import data
from roi.data import Run, open_run
from roi.errors import UnknownName
from roi.two_runs import unlike

SCENARIO = "steady"
"""Whose rungs are never pooled."""
RUNGS = f"select distinct rate_per_s from cells where scenario = '{SCENARIO}' and rate_per_s is not null"
WINDOWS = """
    select scenario, median(measure_end_ns - measure_start_ns) / 1e9 as window_s from cells
    where scenario in ('saturate', 'steady') and failure is null group by scenario order by scenario
"""
"""One row a scenario whose length the suite sets: seconds that a process was measured."""
_AS_LONG = 1.05
"""Ratio of two windows up to which they count as one length."""


@dataclass(frozen=True)
class LeftOut:
    """A run that is not compared."""

    name: str
    reason: str


@dataclass(frozen=True)
class Comparable:
    """Runs that may be compared with one another."""

    base: Run
    """The one that the others are held against."""
    runs: tuple[Run, ...]
    """In order of time, the base among them; all restricted to its condition and to one rung of steady traffic."""
    left_out: tuple[LeftOut, ...]
    """In the order in which they were named."""


def comparable(base: Run, names: Sequence[str] = (), rate_per_s: float = 0.0, newest: int = 60) -> Comparable:
    """Give the runs that may be compared with a run; one that is there under two names is compared once.

    Parameters
    ----------
    base
        Of its conditions, where it is not restricted to one, that which `Run.under` chooses.
    names
        Of other runs; none takes every run that there is.
    rate_per_s
        Rung of steady traffic; 0 takes, of the rungs that most of the base's variants have, the highest.
    newest
        How many are compared at most beside the base, the last ones.

    Raises
    ------
    UnknownName
        A run is named that does not exist, or the base has no such rung.
    """
    for name in names:
        data.find_run(name)
    held = (base if base.condition else base.under()).at_rate(SCENARIO, rate_per_s)
    alike, left_out = {_identity(held): held}, []
    for name in names or data.names():
        try:
            run = open_run(name)
        except RunUnreadable as error:
            left_out.append(LeftOut(name, str(error)))
            continue
        if _identity(run) in alike:
            continue
        restricted, reasons = _held_against(held, run)
        if reasons:
            left_out.append(LeftOut(name, "; ".join(reasons)))
        else:
            alike[_identity(run)] = restricted
    in_order = sorted(alike.values(), key=lambda run: (run.manifest.started_at, run.name))
    others = [run for run in in_order if run is not held]
    older = others[: max(len(others) - newest, 0)]
    left_out += [LeftOut(run.name, f"older than the newest {newest}") for run in older]
    return Comparable(held, tuple(run for run in in_order if run not in older), tuple(left_out))


def _identity(run: Run) -> tuple[str, str, int]:
    """Give what an excerpt of a run, or a copy of it in another folder, has in common with it, and no other run has."""
    return run.manifest.run, run.manifest.started_at, run.manifest.seed


def _held_against(base: Run, run: Run) -> tuple[Run, list[str]]:
    """Give a run with the base's condition and rung alone, and why it may not be compared with it."""
    restricted = run
    try:
        if base.condition:
            restricted = run.under(base.condition.memory_budget_mib, base.condition.live_set_mib)
    except UnknownName:
        return run, [f"no cell of it had {base.condition}"]
    rates = base.query(RUNGS)["rate_per_s"]
    try:
        restricted = restricted.at_rate(SCENARIO, float(rates[0]) if len(rates) else 0.0)
    except UnknownName:
        return run, [f"no cell of it had {SCENARIO} traffic of {rates[0]:g} requests/s"]
    return restricted, [*unlike(base, restricted), *_made_otherwise(base, restricted)]


def _made_otherwise(base: Run, run: Run) -> Iterator[str]:
    if base.manifest.synthetic != run.manifest.synthetic:
        yield "one of the two is made up, the other measured"
    windows = (one.query(WINDOWS).set_index("scenario")["window_s"] for one in (base, run))
    before, after = windows
    for scenario in before.index.intersection(after.index):
        if max(before[scenario] / after[scenario], after[scenario] / before[scenario]) > _AS_LONG:
            yield f"{scenario} was measured for {before[scenario]:.3g} s and {after[scenario]:.3g} s"
