"""The view of two runs against each other."""

from __future__ import annotations

import pandas as pd

from roi import two_runs
from roi.charts.spec import ChartSpec
from roi.data import Run, open_run
from roi.two_runs import Changes
from roi.views.words import footnote, interval, listed, number, percent


def changes(run: Run, base: str, unlike: bool) -> Changes | None:
    """Compare a run with another by name; None where none is named. Raises as `two_runs.compare` and `open_run` do."""
    return two_runs.compare(open_run(base), run, insist=unlike) if base else None


def said(found: Changes | None) -> str:
    """Say what changed, and what the two runs differ in beside time."""
    if found is None:
        return "Name the run to compare with in `base`: `bench runs` lists what there is."
    moved = [
        f"{one.figure} of {one.variant} ({_times(one)})" for one in found.changes if one.verdict in ("higher", "lower")
    ]
    first = f"**{listed(moved)} changed** from {found.base} to {found.run}." if moved else (
        f"**No change is shown** from {found.base} to {found.run} in {len(found.changes)} figures.")  # fmt: skip
    return first + _warning(found)


def chart(run: Run, found: Changes | None) -> ChartSpec | None:
    """Draw every ratio; None where there is nothing to compare."""
    if found is None or not found.changes:
        return None
    table = pd.DataFrame(
        [
            {"variant": c.variant, "figure": c.figure, "ratio": c.ratio, "lo": c.lo, "hi": c.hi, "n": c.n}
            for c in found.changes
        ]
    ).astype({"lo": float, "hi": float})
    shown = sum(change.verdict in ("higher", "lower") for change in found.changes)
    return ChartSpec(
        "two_runs", "dots", table, "variant", "ratio", series="figure", lo="lo", hi="hi", beside=("n",),
        title=f"{shown or 'None'} of {len(table)} figures changed from {found.base} to {found.run}",
        alt="Ratio of each figure, by variant: "
        + listed(f"{c.variant} {c.figure} {number(c.ratio)}" for c in found.changes) + ".",
        y_title=f"{found.run} over {found.base} (ratio)", y_log=True, horizontal=True,
        subtitle="Geometric means over fresh processes; bars are 95 % intervals by bootstrap",
        footnote=footnote(run) + _warning(found).replace("**", ""),
    ).with_reference(1.0, "no change")  # fmt: skip


def table(found: Changes | None) -> pd.DataFrame:
    """List every figure in both runs."""
    rows = found.changes if found else ()
    return pd.DataFrame({
        "by": [row.figure for row in rows],
        "variant": [row.variant for row in rows],
        (found.base if found else "base"): [number(row.base) for row in rows],
        (found.run if found else "run"): [number(row.value) for row in rows],
        "ratio [95 %]": [interval(row.ratio, row.lo, row.hi) for row in rows],
        "processes": [row.n for row in rows],
        "noise floor": [percent(row.floor) for row in rows],
        "verdict": [row.verdict for row in rows],
    })  # fmt: skip


def _times(change: two_runs.Change) -> str:
    return f"{number(change.ratio)} times"


def _warning(found: Changes) -> str:
    return f" **The runs are not alike: {'; '.join(found.unlike)}.**" if found.unlike else ""
