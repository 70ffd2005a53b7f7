"""The view of density four ways."""

from __future__ import annotations

import pandas as pd

from roi import four_ways
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.four_ways import Check
from roi.views.words import footnote, interval, listed, number


def chart(run: Run, all_cells: bool = False) -> ChartSpec | None:
    """Draw requests/s a core each way, by variant; None without any."""
    table = four_ways.densities(run, all_cells)
    if table.empty:
        return None
    spread = table.groupby("variant")["value"].agg(lambda values: values.max() / values.min()).sort_values()
    return ChartSpec(
        "four_ways", "dots", table, "variant", "value", series="way", lo="lo", hi="hi", beside=("n",),
        title=f"The ways differ by a factor of {number(spread.iloc[-1], 2)} for {spread.index[-1]}"
        + f" and {number(spread.iloc[0], 2)} for {spread.index[0]}" * (len(spread) > 1),
        alt="Requests a second a core by variant and way. Largest over smallest: "
        + listed(f"{name} {number(value, 2)}" for name, value in spread.items()) + ".",
        y_title="Requests/s a core", y_log=True, horizontal=True,
        subtitle="Each way in fresh processes of its own; bars are 95 % intervals over processes", footnote=footnote(run),
    )  # fmt: skip


def said(checks: list[Check]) -> str:
    """Say whether the ways agree where they overlap."""
    if not checks:
        return "The run measured no two ways that overlap."
    failed = [f"{check.variant} ({check.what})" for check in checks if not check.holds]
    if not failed:
        return f"**Where two ways overlap they agree,** in all {len(checks)} comparisons."
    return f"**{len(failed)} of {len(checks)} overlaps do not agree:** {listed(failed)}."


def table(checks: list[Check]) -> pd.DataFrame:
    """List the overlaps."""
    return pd.DataFrame({
        "variant": [check.variant for check in checks],
        "what": [check.what for check in checks],
        "must be": [check.must for check in checks],
        "is [95 %]": [interval(check.ratio.value, check.ratio.lo, check.ratio.hi) for check in checks],
        "agrees": [check.holds for check in checks],
    })  # fmt: skip
