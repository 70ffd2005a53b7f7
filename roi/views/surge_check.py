"""The view of the fluid model against measured surges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from roi import surge_check
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.surge_check import ALIKE, Cell
from roi.views.words import excluded, footnote, known, listed, milliseconds, number

_SURGE = "surge"
_SATURATED = 0.9
"""Share of the cores from which on a gateway is no longer at rest now and then."""
_SERVED = 0.95
"""Answered over offered from which on a peak was served."""


@dataclass(frozen=True)
class Check:
    """The surges of a run beside the model."""

    run: Run
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    cells: list[Cell]
    phases: pd.DataFrame
    """See `surge_check.phases`."""
    rows: pd.DataFrame
    """See `surge_check.compared`."""


def check(run: Run, all_cells: bool = False) -> Check:
    """Hold the model against the surges of a run; one without any gives empty tables."""
    cells = surge_check.read(run, all_cells)
    return Check(
        run, all_cells, cells, surge_check.phases(run, cells, all_cells), surge_check.compared(run, cells, all_cells)
    )


def said(found: Check) -> str:
    """Say how often the model held, and where it failed; without a surge, what to run."""
    if not found.cells:
        why = excluded(found.run, Compared(_SURGE, found.all_cells))
        return (
            "The run holds no surge to hold the model against, so what is above is arithmetic that nothing here has tested."
            f" `bench run standard` measures some, beside the saturated and steady cells that the model needs. {why}"
        ).strip()
    if found.rows.empty:
        return "The run holds surges and no saturated cell of the same variants, whose capacity the model needs: it says nothing."
    failed = found.rows[~found.rows["holds"].astype(bool)]
    held = len(found.rows) - len(failed)
    why = f" It fails for {listed(map(_failure, failed.itertuples()))}." * bool(len(failed))
    mix = "" if found.rows["same_mix"].all() else (
        " Saturated and surge cells asked for other mixes of requests, so their capacity need not be the same."
    )  # fmt: skip
    return (
        f"The model says what piles up from the capacity at saturation alone. It **held in {held} of {len(found.rows)}** surges:"
        f" the most that waited, and when it was gone, within {ALIKE:.0%}, or no queue where none was foreseen.{why}{mix}"
        f" {_cost_at_the_peak(found)}"
    ).strip()


def _cost_at_the_peak(found: Check) -> str:
    """Say how much less a request costs at a peak that does not saturate than the demand that is planned with."""
    held = found.phases[(found.phases["phase"] == "hold") & (found.phases["busy"] < _SATURATED)]
    # What was not answered cost nothing yet: a phase with a queue says nothing of the cost of a request.
    held = held[held["answered_per_s"] >= _SERVED * held["offered_per_s"]]
    held = held[held["busy_predicted"].notna()].sort_values("rate_per_s").groupby("variant", observed=True).last()
    if held.empty:
        return ""
    over = held["busy_predicted"] / held["busy"]
    return (
        "Where the peak left the cores some rest, CPU time of a request was less than planned with, and the cores planned were too"
        f" many by as much: {listed(f'{name} {number(times, 2)} times' for name, times in over.items())}."
        if (over > 1 + ALIKE).all()
        else "Where the peak left the cores some rest, foreseen over measured use of them was"
        f" {listed(f'{number(times, 2)} with {name}' for name, times in over.items())}."
    )


def _failure(row: Any) -> str:
    name = f"{row.variant} at {row.rate_per_s:,.0f}/s"
    if pd.isna(row.error):
        return f"{name}, where it foresees no queue and {number(row.measured)} requests waited"
    if abs(row.error) > ALIKE:
        return f"{name}, where {number(row.measured)} waited and it foresees {number(row.predicted)}"
    return (
        f"{name}, where the queue was gone {_gone(row.measured_gone_s)} and it foresees {_gone(row.predicted_gone_s)}"
    )


def table(found: Check) -> pd.DataFrame:
    """List the model beside the measurement."""
    return pd.DataFrame([
        {
            "variant": r.variant,
            "everyday to peak (requests/s)": f"{r.rate_per_s:,.0f} to {r.peak_per_s:,.0f}",
            "capacity (requests/s)": number(r.capacity_per_s),
            "foreseen backlog": number(r.predicted),
            "measured": number(r.measured) + _ends(r),
            "error": None if pd.isna(r.error) else f"{r.error:+.0%}",
            "foreseen gone": _gone(r.predicted_gone_s) if pd.notna(r.error) else "no queue",
            "measured gone": _gone(r.measured_gone_s),
            "its error": None if pd.isna(r.gone_error) else f"{r.gone_error:+.0%}",
            "model": "held" if r.holds else "failed",
            "processes": r.processes,
        }
        for r in found.rows.itertuples()
    ])  # fmt: skip


def phases_table(found: Check) -> pd.DataFrame:
    """List what happened in each phase of the surges."""
    return pd.DataFrame([
        {
            "variant": r.variant,
            "everyday (requests/s)": f"{r.rate_per_s:,.0f}",
            "phase": f"{r.phase}, {number(r.seconds)} s",
            "offered (requests/s)": number(r.offered_per_s),
            "answered with 2xx": number(r.answered_per_s),
            "P99 response": milliseconds(r.p99_ms, bool(r.lower_bound)),
            "cores busy": None if pd.isna(r.busy) else f"{r.busy:.0%}",
            "foreseen busy": None if pd.isna(r.busy_predicted) else f"{r.busy_predicted:.0%}",
            "processes": r.processes,
        }
        for r in found.phases.itertuples()
    ])  # fmt: skip


def chart(found: Check) -> ChartSpec | None:
    """Draw what waited in the surge with the longest queue, beside the model; None without a surge that has one."""
    if found.rows.empty:
        return None
    row = found.rows.loc[found.rows["measured"].idxmax()]
    cell = next(cell for cell in found.cells if all(cell.about[name] == row[name] for name in surge_check.KEY))
    rows = surge_check.courses(cell, float(row["capacity_per_s"]))
    foreseen = f"the model foresees {number(row['predicted'])}"
    edges = cell.shape.edges_s
    first = f"; the first of {row['processes']} processes" * bool(row["processes"] > 1)
    return ChartSpec(
        "surge_backlog", "lines", rows, "time_s", "waiting", series="which", order=("measured", "fluid model"),
        title=f"Up to {number(row['measured'])} requests wait for {row['variant']} at the peak; {foreseen}",
        alt=f"Requests waiting in a surge of {row['variant']}: measured up to {number(row['measured'])}, {foreseen}.",
        x_title="Seconds of the measured window", y_title="Requests due and not yet answered",
        subtitle=f"From {row['rate_per_s']:,.0f} to {row['peak_per_s']:,.0f} requests/s, open loop; the model knows the rate and"
        f" the capacity at saturation, {number(row['capacity_per_s'])} requests/s{first}",
        footnote=footnote(found.run, Compared(_SURGE, found.all_cells, rate_per_s=float(row["rate_per_s"]))),
    ).with_reference(edges[2], "peak begins", axis="x").with_reference(edges[3], "peak ends", axis="x")  # fmt: skip


def findings(found: Check) -> Iterator[dict[str, Any]]:
    """Give the measured backlog of every surge beside the model's, as `record` takes them."""
    for place, r in enumerate(found.rows.itertuples()):
        alike = found.rows.iloc[:place]
        again = int(((alike["variant"] == r.variant) & (alike["rate_per_s"] == r.rate_per_s)).sum())
        yield {
            "id": f"surge_backlog_{r.variant}_at_{r.rate_per_s:g}" + f"_{again + 1}" * bool(again), "value": r.measured,
            "unit": "requests", "lo": known(r.measured_lo), "hi": known(r.measured_hi), "n": r.processes,
            "query": surge_check.REQUESTS,
            "note": f"the model foresees {number(r.predicted)} from {number(r.capacity_per_s)} requests/s at saturation"
            f" ({'held' if r.holds else 'failed'})",
        }  # fmt: skip


def _gone(seconds: float) -> str:
    return "not in the window" if pd.isna(seconds) else f"{milliseconds(1e3 * seconds)} after the rise began"


def _ends(row: Any) -> str:
    return "" if pd.isna(row.measured_lo) else f" [{number(row.measured_lo)} to {number(row.measured_hi)}]"
