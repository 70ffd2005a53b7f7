"""Two runs against each other: what changed between them, variant by variant.

Runs of unlike machines, or of cells under unlike conditions, are no comparison: they are refused unless the reader insists, and
then it is said. Runs of one machine are taken at different hours, so the noise floor of either counts; what is below it is no
change. `python -m roi.two_runs BASE RUN` prints it as JSON; `bench compare` shows it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

import pandas as pd

from bench.errors import RunUnreadable
from roi import noise
from roi.data import Run, open_run
from roi.errors import RoiError, UnlikeRuns
from roi.figures import FIGURES, Figure
from roi.statistics.bootstrap import ratio
from roi.statistics.estimate import geometric_mean_of_processes

_MACHINE = ("cpu_model", "processors", "processors_allowed", "memory_bytes", "kernel", "architecture", "governor",
            "hypervisor", "transparent_huge_pages", "cgroup_cpu_limit", "cgroup_memory_limit_bytes")  # fmt: skip
"""Facts of the machine that a figure may depend on."""
CONDITIONS = """
    select distinct variant, scenario, rate_per_s, options, connections, gateway_cpus, memory_budget_bytes, live_set_bytes,
           runtime_version
    from cells where scenario in ('saturate', 'steady', 'capacity') and failure is null
"""


@dataclass(frozen=True)
class Change:
    """One figure of one variant in both runs."""

    figure: str
    variant: str
    base: float
    """Geometric mean over the base run's processes, in the figure's unit."""
    value: float
    """The same of the other run."""
    ratio: float
    """Of value over base."""
    lo: float | None
    hi: float | None
    n: int
    """Processes of the run that has fewer."""
    floor: float | None
    """The wider of the two runs' noise floors, as a share; None where a run has no blind pair."""
    verdict: str
    """higher, lower, no change shown, below the noise floor, or not known."""


@dataclass(frozen=True)
class Changes:
    """What changed between two runs."""

    base: str
    run: str
    unlike: tuple[str, ...]
    """What the two differ in beside time, a sentence each; none when they are alike."""
    changes: tuple[Change, ...]


def unlike(base: Run, run: Run) -> tuple[str, ...]:
    """Give what makes two runs no comparison, a sentence each."""
    before, after = base.manifest.machine, run.manifest.machine
    machine = [
        f"{fact.replace('_', ' ')} is {before.get(fact)} and {after.get(fact)}"
        for fact in _MACHINE
        if before.get(fact) != after.get(fact)
    ]
    return (*machine, *_conditions(base.query(CONDITIONS), run.query(CONDITIONS)))


def _conditions(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Give the conditions that both runs have no cell in common under, by scenario; a newer runtime is what one compares."""
    keys = ["scenario", "rate_per_s", "options", "connections", "gateway_cpus", "memory_budget_bytes", "live_set_bytes"]
    said = []
    for scenario in sorted({*before["scenario"]} & {*after["scenario"]}):
        one, other = (
            table.loc[table["scenario"] == scenario, keys].astype(str).drop_duplicates() for table in (before, after)
        )
        if one.merge(other).empty:
            differing = [key.replace("_", " ") for key in keys if set(one[key]).isdisjoint(other[key])]
            said.append(f"{scenario} ran with other {', '.join(differing) or 'combinations of conditions'}")
    return said


def compare(base: Run, run: Run, *, insist: bool = False) -> Changes:
    """Compare two runs.

    Parameters
    ----------
    insist
        Compare also what is not alike.

    Raises
    ------
    UnlikeRuns
        They are not alike, and nobody insists.
    """
    differences = unlike(base, run)
    if differences and not insist:
        raise UnlikeRuns(base.name, run.name, differences)
    return Changes(
        base.name, run.name, differences, tuple(change for figure in FIGURES for change in _changes(base, run, figure))
    )


def _changes(base: Run, run: Run, figure: Figure) -> list[Change]:
    before, after = figure.processes(base), figure.processes(run)
    floors = [noise.floor_of(one, figure.name) for one in (base, run)]
    floor = None if None in floors else max(floors)
    found = []
    for key in before:
        if key not in after:
            continue
        draws = ratio(after[key], before[key])
        estimate = draws.estimate()
        variant, rate = key
        words = figure.words + (f" of {rate:g}/s" if rate else "")
        means = [geometric_mean_of_processes(values).value for values in (before[key], after[key])]
        found.append(
            Change(words, variant, *means, estimate.value, estimate.lo, estimate.hi, estimate.n, floor,
                   _verdict(estimate.value, estimate.lo, estimate.hi, floor))
        )  # fmt: skip
    return found


def _verdict(value: float, lo: float | None, hi: float | None, floor: float | None) -> str:
    if lo is None or hi is None:
        return "not known: one process"
    if lo <= 1 <= hi:
        return "no change shown"
    if floor is not None and noise.apart(value, 1.0) < floor:
        return "below the noise floor"
    return "higher" if value > 1 else "lower"


def main() -> None:
    """Print the changes between the two runs that the command line names; `--unlike` insists. An error is JSON as well."""
    names = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    try:
        base, run = map(open_run, names)
        print(json.dumps(asdict(compare(base, run, insist="--unlike" in sys.argv))))
    except (RoiError, RunUnreadable) as error:
        print(json.dumps({"error": str(error)}))


if __name__ == "__main__":
    main()
