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
from roi.surge_check import ALIKE, Cell, Judgement
from roi.views.words import excluded, footnote, known, listed, milliseconds, number

_SURGE = "surge"
_SERVED = 0.95
"""Answered over offered from which on a peak was served: of one that was not, the cores' use is not that of its requests."""
_COLD = 1.5
"""Times the cores' use after the peak that it is before it, at the same rate, from which on a process was still warming up."""


@dataclass(frozen=True)
class Check:
    """The surges of a run beside the model."""

    run: Run
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    cells: list[Cell]
    phases: pd.DataFrame
    """See `surge_check.phases`; name beside it, of variant and rate."""
    rows: pd.DataFrame
    """See `surge_check.compared`; name beside it."""


def check(run: Run, all_cells: bool = False) -> Check:
    """Hold the model against the surges of a run; one without any gives empty tables."""
    cells = surge_check.read(run, all_cells)
    parts = surge_check.phases(run, cells, all_cells), surge_check.compared(run, cells, all_cells)
    return Check(run, all_cells, cells, *map(_with_names, parts))


def _with_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Name each row by its variant, and by its rate where there are several."""
    many = rows["rate_per_s"].nunique() > 1
    return rows.assign(name=[f"{r.variant} at {r.rate_per_s:,.0f}/s" if many else r.variant for r in rows.itertuples()])


def said(found: Check) -> str:
    """Say what the surges say of the plan: how busy the cores were, and what piled up; without a surge, what to run."""
    if not found.cells:
        why = excluded(found.run, Compared(_SURGE, found.all_cells))
        return (
            "The run holds no surge to hold the model against, so what is above is arithmetic that nothing here has tested."
            f" `bench run standard` measures some, beside the saturated and steady cells that the model needs. {why}"
        ).strip()
    return "\n\n".join(filter(None, [_cores_said(found), _queue_said(found)]))


def _cores_said(found: Check) -> str:
    """Say how busy the cores were at the peak beside what was foreseen."""
    held = _at_the_peak(found)
    if held.empty:
        return ""
    served = held["answered_per_s"] >= _SERVED * held["offered_per_s"]
    rest, queued = held[served], held[~served]
    over = listed(f"{r.name} {_signed(r.foreseen / r.busy - 1)}" for r in rest.itertuples(index=False))
    outside = rest[(rest["busy"] < rest["foreseen_lo"]) | (rest["busy"] > rest["foreseen_hi"])]
    by_rung = [
        f"{number(r.by_rung / r.busy, 2)} ({r.name})" for r in rest.itertuples(index=False) if pd.notna(r.by_rung)
    ]
    return "**Cores.** " + " ".join(filter(None, [
        f"At the peak the demand planned with foresaw, over what was used: **{over}**." if len(rest) else "",
        f"Outside of the 95 % interval foreseen: {listed(map(_beside, outside.itertuples(index=False)))}." if len(outside) else "",
        f"Not all was answered while it came, so the cores' use is not that of the peak: "
        f"{listed(map(_beside, queued.itertuples(index=False)))}." if len(queued) else "",
        _warmed_said(found),
        f"The CPU time of a request on mostly idle cores would have foreseen so many times what was used: {listed(by_rung)}."
        if by_rung else "",
    ]))  # fmt: skip


def _warmed_said(found: Check) -> str:
    """Say whose cores were busier before the peak than after it, at the same rate: they still warmed up."""
    busy = found.phases.pivot_table(index="name", columns="phase", values="busy", observed=True)
    if not {"lead", "after"} <= set(busy):
        return ""
    cold = busy[busy["lead"] > _COLD * busy["after"]]
    return (
        "Still warming up when the peak came: "
        + listed(f"{name} ({r.lead:.0%} busy before it, {r.after:.0%} after it)" for name, r in cold.iterrows()) + "."
    ) * bool(len(cold))  # fmt: skip


def _at_the_peak(found: Check) -> pd.DataFrame:
    phases = found.phases
    return phases[(phases["phase"] == "hold") & phases["busy"].notna() & phases["foreseen"].notna()]


def _signed(share: float) -> str:
    return f"{share:+.0%}" if round(share, 2) else "0%"


def _beside(row: Any) -> str:
    return f"{row.name}, {row.busy:.0%} busy and foreseen {_share(row)}"


def _queue_said(found: Check) -> str:
    rows = found.rows
    if rows.empty:
        return (
            "The run holds surges and no saturated cell of the same variants, whose capacity the model needs: of queues it says"
            " nothing."
        )
    failed, untold = (rows[rows["judgement"] == of] for of in (Judgement.FAILED, Judgement.UNTOLD))
    held = len(rows) - len(failed) - len(untold)
    why = "; ".join(map(_failure, failed.itertuples(index=False)))
    why = f" It **failed in {len(failed)}**: {why}." * bool(why)
    doubt = "; ".join(map(_untold, untold.itertuples(index=False)))
    doubt = f" In {len(untold)} it cannot be told: {doubt}." * bool(doubt)
    mix = "" if rows["same_mix"].all() else (
        " Saturated and surge cells asked for other mixes of requests, so their capacity need not be the same."
    )  # fmt: skip
    mean = (
        " A capacity is a mean over seconds: it knows nothing of a stop, or of moments in which the process is busy with other"
        " things than requests."
        if failed["error"].isna().any()
        else ""
    )
    return (
        f"**Queue.** What piles up is foreseen from the capacity at saturation alone. That **held in {held} of {len(rows)}**"
        f" surges: the most that waited, and when it was gone, within {ALIKE:.0%}, or no queue where none was foreseen."
        f"{why}{mean}{doubt}{mix}"
    )


def _failure(row: Any) -> str:
    if pd.isna(row.error):
        return (
            f"{row.name}, where no queue is foreseen, {number(row.measured)} requests waited"
            f" ({milliseconds(1e3 * row.measured / row.peak_per_s)} of arrivals){_grew(row)}"
        )
    if abs(row.error) > ALIKE:
        return f"{row.name}, where {number(row.measured)} waited and {number(row.predicted)} are foreseen{_grew(row)}"
    return f"{row.name}, where the queue was gone {_gone(row.measured_gone_s)} and that is foreseen {_gone(row.predicted_gone_s)}"


def _grew(row: Any) -> str:
    """Say how the longest queue grew."""
    if pd.isna(row.grew_s):
        return ""
    busy = "" if pd.isna(row.grew_busy) else f" with {row.grew_busy:.0%} of the cores busy"
    return (
        f"; the longest queue, {number(row.worst)}, grew within {milliseconds(1e3 * row.grew_s)}, in which"
        f" {row.grew_answered_per_s / row.capacity_per_s:.0%} of the capacity was served{busy}"
    )


def _untold(row: Any) -> str:
    error = "" if pd.isna(row.error) else f" ({_signed(row.error)})"
    return (
        f"{row.name}{error}: the peak is {row.peak_per_s / row.capacity_per_s:.2f} times the capacity, whose interval,"
        f" {number(row.capacity_lo)} to {number(row.capacity_hi)} requests/s, foresees anything from {number(row.predicted_lo)}"
        f" to {number(row.predicted_hi)} waiting"
    )


def table(found: Check) -> pd.DataFrame:
    """List the backlog foreseen beside the measured one."""
    return pd.DataFrame([
        {
            "variant": r.name,
            "peak/s": f"{r.peak_per_s:,.0f}",
            "capacity/s": number(r.capacity_per_s),
            "foreseen waiting": number(r.predicted) + _ends(r, "predicted"),
            "measured": number(r.measured) + _ends(r, "measured"),
            "error": None if pd.isna(r.error) else _signed(r.error),
            "foreseen gone": _after(r.predicted_gone_s) if pd.notna(r.error) else "no queue",
            "gone": _after(r.measured_gone_s),
            "model": str(r.judgement),
            "n": r.processes,
        }
        for r in found.rows.itertuples(index=False)
    ])  # fmt: skip


def phases_table(found: Check) -> pd.DataFrame:
    """List what happened in each phase of the surges."""
    return pd.DataFrame([
        {
            "variant": r.name,
            "phase": r.phase,
            "offered/s": number(r.offered_per_s),
            "2xx/s": number(r.answered_per_s),
            "P99": milliseconds(r.p99_ms, bool(r.lower_bound)),
            "busy": None if pd.isna(r.busy) else f"{r.busy:.0%}",
            "foreseen busy [95 %]": _share(r),
            "by idle cores": None if pd.isna(r.by_rung) else f"{r.by_rung:.0%}",
            "n": r.processes,
        }
        for r in found.phases.itertuples(index=False)
    ])  # fmt: skip


def _share(row: Any) -> str | None:
    if pd.isna(row.foreseen):
        return None
    return f"{row.foreseen:.0%}" + (f" [{row.foreseen_lo:.0%} to {row.foreseen_hi:.0%}]" * pd.notna(row.foreseen_lo))


def chart(found: Check) -> ChartSpec | None:
    """Draw what waited in the surge with the longest queue, beside the model; None without a surge that has one."""
    if found.rows.empty:
        return None
    row = found.rows.loc[found.rows["measured"].idxmax()]
    alike = [cell for cell in found.cells if all(cell.about[name] == row[name] for name in surge_check.KEY)]
    cell = sorted(alike, key=lambda one: one.backlog()[0])[len(alike) // 2]
    rows = surge_check.courses(cell, float(row["capacity_per_s"]))
    foreseen = f"the model foresees {number(row['predicted'])}"
    edges = cell.shape.edges_s
    middle = f"; drawn is the middle one of {row['processes']} processes" * bool(row["processes"] > 1)
    return ChartSpec(
        "surge_backlog", "lines", rows, "time_s", "waiting", series="which", order=("measured", "fluid model"),
        title=f"Up to {number(row['measured'])} requests wait for {row['variant']} at the peak; {foreseen}",
        alt=f"Requests waiting in a surge of {row['variant']}: measured up to {number(row['measured'])}, {foreseen}.",
        x_title="Seconds of the measured window", y_title="Requests due and not yet answered",
        subtitle=f"From {row['rate_per_s']:,.0f} to {row['peak_per_s']:,.0f} requests/s, open loop; the model knows the rate and"
        f" the capacity at saturation, {number(row['capacity_per_s'])} requests/s{middle}",
        footnote=footnote(found.run, Compared(_SURGE, found.all_cells, rate_per_s=float(row["rate_per_s"]))),
    ).with_reference(edges[2], "peak begins", axis="x").with_reference(edges[3], "peak ends", axis="x")  # fmt: skip


def findings(found: Check) -> Iterator[dict[str, Any]]:
    """Give cores' use and measured backlog of every surge beside what was foreseen, as `record` takes them."""
    for r in _numbered(_at_the_peak(found)):
        served = r.answered_per_s >= _SERVED * r.offered_per_s
        yield {
            "id": f"surge_foreseen_over_used_{r.key}", "value": r.foreseen / r.busy if served else None, "unit": "ratio",
            "n": r.processes, "query": "roi.surge_check.phases",
            "note": f"cores were {r.busy:.0%} busy at the peak" + ("" if served else ", and not all was answered")
            + ("" if pd.isna(r.by_rung) else f"; {r.by_rung:.0%} by the CPU time on mostly idle cores"),
        }  # fmt: skip
    for r in _numbered(found.rows):
        yield {
            "id": f"surge_backlog_{r.key}", "value": r.measured, "unit": "requests", "lo": known(r.measured_lo),
            "hi": known(r.measured_hi), "n": r.processes, "query": surge_check.REQUESTS,
            "note": f"the model foresees {number(r.predicted)} from {number(r.capacity_per_s)} requests/s at saturation"
            f" ({r.judgement})",
        }  # fmt: skip


def _numbered(rows: pd.DataFrame) -> Iterator[Any]:
    """Give rows with a key of their own: variant and rate, and a number from the second of the same on."""
    again = rows.groupby(["variant", "rate_per_s"], observed=True).cumcount() + 1
    keys = [
        f"{row.variant}_at_{row.rate_per_s:g}" + f"_{count}" * (count > 1)
        for row, count in zip(rows.itertuples(), again, strict=True)
    ]
    return rows.assign(key=keys).itertuples(index=False)


def _gone(seconds: float) -> str:
    return "not in the window" if pd.isna(seconds) else f"{_after(seconds)} after the rise began"


def _after(seconds: float) -> str:
    return "not in the window" if pd.isna(seconds) else milliseconds(1e3 * seconds)


def _ends(row: Any, stem: str) -> str:
    lo, hi = getattr(row, f"{stem}_lo"), getattr(row, f"{stem}_hi")
    return "" if pd.isna(lo) or pd.isna(hi) else f" [{number(lo)} to {number(hi)}]"
