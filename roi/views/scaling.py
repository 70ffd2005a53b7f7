"""The view of scalability."""

from __future__ import annotations

import pandas as pd

from roi import scaling
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.scaling import Growth
from roi.statistics.estimate import Estimate
from roi.views.words import footnote, interval, listed, number, percent

_SCENARIO = "scalability"


def chart(run: Run, all_cells: bool = False) -> ChartSpec | None:
    """Draw requests/s by busy connections; None without a curve."""
    table = scaling.curve(run, all_cells)
    if table.empty:
        return None
    one, best = (table.loc[table.groupby("variant")[by].agg(pick)] for by, pick in
                 (("connections", "idxmin"), ("value", "idxmax")))  # fmt: skip
    gain = (best.set_index("variant")["value"] / one.set_index("variant")["value"]).sort_values()
    least = int(table["connections"].min())
    return ChartSpec(
        "scalability", "lines", table.astype({"connections": float}), "connections", "value", series="variant", lo="lo",
        hi="hi", beside=("n",),
        title=f"More connections raise {gain.index[-1]} {number(gain.iloc[-1], 2)}-fold"
        + f" and {gain.index[0]} {number(gain.iloc[0], 2)}-fold" * (len(gain) > 1),
        alt=f"Requests a second by busy connections. Best over that with {least}: "
        + listed(f"{name} {number(value, 2)}" for name, value in gain.items()) + ".",
        x_title="Busy connections", x_log=True, y_title="Requests/s", y_log=True,
        subtitle="Closed loop, rungs in random order on one warm process; bars are 95 % intervals over processes",
        footnote=footnote(run, Compared(_SCENARIO, all_cells)),
    )  # fmt: skip


def table(found: list[Growth]) -> pd.DataFrame:
    """List the law of every variant, read only where it was measured."""
    laws = [one.law for one in found]
    return pd.DataFrame({
        "variant": [one.variant for one in found],
        "requests/s of one (λ)": [_of(law.rate_of_one) for law in laws],
        "contention (σ)": [_of(law.contention) for law in laws],
        "coherency (κ)": [_of(law.coherency) for law in laws],
        "most at": [law.no_peak if law.peak is None else f"{number(law.peak)} connections" for law in laws],
        "off by": [percent(law.misfit) for law in laws],
        "processes": [one.processes for one in found],
    })  # fmt: skip


def _of(estimate: Estimate) -> str:
    return interval(estimate.value, estimate.lo, estimate.hi)
