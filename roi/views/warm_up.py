"""The view of warm-up."""

from __future__ import annotations

import pandas as pd

from roi import warm_up
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.statistics.steady import Steadiness
from roi.views.density import SATURATED, throughput_footnote
from roi.views.words import listed, number


def chart(run: Run, all_cells: bool = False) -> ChartSpec | None:
    """Draw how each variant comes to its speed under full load; None without a saturated cell."""
    table = warm_up.by_second(run, all_cells)
    if table.empty:
        return None
    first = table[table["second"] == 1].set_index("variant")["rate_per_s"]
    gain = (table.groupby("variant")["rate_per_s"].max() / first).dropna()
    slowest, steadiest = gain.idxmax(), gain.idxmin()
    return ChartSpec(
        "warm_up", "lines", table.astype({"second": float}), "second", "rate_per_s", series="variant", beside=("n",),
        title=f"{slowest} becomes {number(gain[slowest], 2)} times as fast while it warms up"
        + f", {steadiest} {number(gain[steadiest], 2)} times: when one measures decides who wins" * (len(gain) > 1),
        alt="Requests a second by second since the first request. Gain from the first second to the best: "
        + listed(f"{name} {number(value, 2)}" for name, value in gain.items()) + ".",
        x_title="Seconds of full load since the first request", y_title="Requests/s", y_log=True,
        subtitle="Saturated, one fresh process a line or the geometric mean of several; the last seconds are what counts",
        footnote=throughput_footnote(run, Compared(SATURATED, all_cells)),
    )  # fmt: skip


def said(courses: pd.DataFrame) -> str:
    """Say which variants were measured before they were steady."""
    if courses.empty:
        return "The run holds no saturated process to show."
    if courses["steadiness"].isna().all():
        return "The windows are too short to tell whether a process was steady."
    early = [f"{name} ({count} of {every})" for name, count, every in warm_up.unsteady(courses)]
    if not early:
        return "Every process was steady when it was measured, as far as its throughput tells."
    return (
        f"**Not steady when measured: {listed(early)}.** Their figures hold for a process of that age and of no other; give"
        " `warm_up_s` more in the suite."
    )


def table(courses: pd.DataFrame) -> pd.DataFrame:
    """List by variant what its processes did, and how long it took them."""
    found = warm_up.classes(courses)
    return pd.DataFrame({
        "variant": found["variant"],
        "processes": found["processes"],
        **{str(kind): found[str(kind)] for kind in Steadiness},
        "steady after (s)": [number(value) for value in found.get("steady_s", ())],
        "CPU a request steady after (s)": [number(value) for value in found.get("cpu_steady_s", ())],
    })  # fmt: skip
