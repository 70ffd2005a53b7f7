"""The view of what pauses cost: short windows, those who meet a pause, and the collector's share of CPU time."""

from __future__ import annotations

import pandas as pd

from roi import exposure
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import footnote, interval, listed, number, percent

SHOWN_MS = 10
"""The window that titles and findings name."""


def utilisation_chart(run: Run, scenario: str, all_cells: bool = False) -> ChartSpec | None:
    """Draw what the worst window of 1 to 50 ms left to the application; None without a variant that has a collector."""
    table = exposure.utilisation(run, scenario, all_cells)
    if table.empty:
        return None
    shown_ms = min(table["window_ms"].unique(), key=lambda window: abs(window - SHOWN_MS))
    at = table[table["window_ms"] == shown_ms].sort_values("lo", ascending=False)
    best, worst = at.iloc[0], at.iloc[-1]
    left = f"{percent(best['lo'])} of it to {best['variant']}"
    if len(at) > 1:
        left += f" and {percent(worst['lo'])} to {worst['variant']}"
    return ChartSpec(
        "mutator_utilisation", "lines", table, "window_ms", "lo", series="variant", lo="lo", hi="hi",
        beside=("processes", "stops"), order=tuple(at["variant"]),
        title=f"The worst {shown_ms:g} ms of all leave at least {left}",
        alt=f"Minimum mutator utilisation by window. At {shown_ms:g} ms: "
        + listed(f"{r.variant} {percent(r.lo)}" for r in at.itertuples()) + ".",
        x_title="Window (ms)", y_title="Share of the worst window that is left", x_log=True,
        subtitle=f"Minimum mutator utilisation, worst process, scenario {scenario}; lines are lower bounds, bands reach to the"
        " upper ones",
        footnote=footnote(run, Compared(scenario, all_cells)),
    )  # fmt: skip


def table(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """List who meets a pause, how long, and what collecting takes of the CPU time."""
    return pd.DataFrame([_row(row) for row in exposure.costs(run, scenario, all_cells).to_dict("records")])


def _row(row: dict[str, object]) -> dict[str, object]:
    head = {"variant": row["variant"]}
    cost = {
        "CPU for collecting": _bounds(row["gc_cpu_lo"], row["gc_cpu_hi"], percent),
        "CPU a request (µs)": None if pd.isna(row["cpu_us"]) else number(row["cpu_us"]),
        "requests": row["answered"],
    }
    if not row["applicable"]:
        return head | {"time in a pause": "not applicable"} | cost
    return (
        head
        | {
            "time in a pause": _bounds(row["stopped_lo"], row["stopped_hi"], percent),
            "mean wait (µs)": _bounds(row["wait_lo_us"], row["wait_hi_us"], number),
            "over 1 ms": _counted(row),
            "a million requests [95 %]": _per_million(row),
        }
        | cost
    )


def _bounds(lo: float, hi: float, written: object) -> str | None:
    """Write a figure that lies between two others, once where they read alike."""
    if pd.isna(lo) or pd.isna(hi):
        return None
    ends = written(lo), written(hi)
    return ends[0] if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def _counted(row: dict[str, object]) -> str:
    return _bounds(row["long_at_least"], row["long_at_most"], lambda count: f"{count:,.0f}")


def _per_million(row: dict[str, object]) -> str | None:
    if pd.isna(row.get("long_lo")):
        return None
    return interval(row["long_per_million"], row["long_lo"], row["long_hi"])


def said(run: Run, scenario: str, all_cells: bool = False) -> str:
    """Say which collector takes most CPU time beside which stops for longest: the two need not be the same."""
    rows = exposure.costs(run, scenario, all_cells)
    rows = rows[rows["applicable"].astype(bool)]
    if rows.empty:
        return "The run holds no variant with a collector under this load."
    stops = rows.loc[rows["stopped_hi"].idxmax()]
    parts = [
        f"**{stops['variant']}** stands still for longest:"
        f" {_bounds(stops['stopped_lo'], stops['stopped_hi'], percent)} of the time."
    ]
    told = rows.dropna(subset=["gc_cpu_lo"])
    if told.empty:
        parts.append("What collecting took of the CPU time was not recorded in this run.")
    else:
        burns = told.loc[told["gc_cpu_lo"].idxmax()]
        parts.append(
            f"**{burns['variant']}** spends most of its CPU time on collecting,"
            f" {_bounds(burns['gc_cpu_lo'], burns['gc_cpu_hi'], percent)}: pauses alone reward a collector that burns CPU."
        )
    return " ".join(parts)
