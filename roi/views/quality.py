"""The view of a run's quality."""

from __future__ import annotations

from typing import Any

import pandas as pd

from roi import quality
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import frequent
from roi.views.words import footnote, known, milliseconds, percent

_ASKED_OF = {"open": "open loops", "closed": "closed loops", "all": "all loads"}
_LAG = "schedule_lag"
_DRAWN = 15
"""Cells that the chart of the lag has room for."""
"""The gate's criterion on the schedule lag; its limit is in ms."""


def verdict(run: Run) -> str:
    """Say in a sentence or two whether the run can be used."""
    cells, counts = quality.gates(run), quality.counts(run)
    passed, total, failed = int(cells["gate_passed"].sum()), len(cells), int(cells["failure"].notna().sum())
    first = (
        f"**All {total} cells passed the gate.**"
        if passed == total
        else f"**{passed} of {total} cells passed the gate; the other {total - passed} are left out of comparisons.**"
    )
    unmeasured = f" In {failed} of them nothing could be measured at all." if failed else ""
    agreeing = (
        f" The requests that the parquet, Locust and the gateway counted agree in {int(counts['agree'].sum())} of"
        f" {len(counts)} rows."
        if len(counts)
        else ""
    )
    return f"{first}{unmeasured}{agreeing} The run's purpose is *{run.manifest.purpose}*."


def share_agreeing(run: Run) -> dict[str, Any]:
    """Give the share of rows whose counts agree as a finding has it; no value in a run without any load."""
    agree = quality.counts(run)["agree"].astype(float)
    share = float(agree.mean()) if len(agree) else None
    return {"value": share, "unit": "share", "n": len(agree), "note": None if len(agree) else "the run holds no load"}


def gate_table(run: Run) -> pd.DataFrame:
    """List what the gate asked when the run was measured, of whom and why."""
    return pd.DataFrame([
        {"criterion": name.replace("_", " "), "must hold": asked["asks"], "asked of": _ASKED_OF[asked["of"]],
         "why": asked["why"]}
        for name, asked in run.manifest.gate.items()
    ])  # fmt: skip


def lag_chart(run: Run) -> ChartSpec | None:
    """Draw how late the generator was in every open-loop cell, beside the gate's limit; None when there is none."""
    rows = quality.generator(run).dropna(subset=["lag_p99_ms"])
    rows = rows[rows["lag_p99_ms"] > 0]
    if rows.empty:
        return None
    limit, worst = run.manifest.gate.get(_LAG, {}).get("limit"), rows["lag_p99_ms"].max()
    half = milliseconds(rows["lag_p99_ms"].median())
    some = f"The {_DRAWN} that were latest; half of all cells stay below {half}. " * (len(rows) > _DRAWN)
    chart = ChartSpec(
        "schedule_lag", "dots", rows.sort_values("lag_p99_ms").tail(_DRAWN), "cell_id", "lag_p99_ms",
        title=_lag_title(rows["lag_p99_ms"], limit),
        alt=f"99th percentile of the schedule lag by cell; the largest is {worst:.2f} ms.",
        beside=("variant",), y_title="Schedule lag, 99th percentile (ms)", y_log=True, horizontal=True,
        subtitle=f"{some}Requests that found a connection free; response times include this lag", footnote=footnote(run),
    )  # fmt: skip
    return chart if limit is None else chart.with_reference(limit, "limit of the gate")


def _lag_title(lag_p99_ms: pd.Series, limit_ms: float | None) -> str:
    if limit_ms is None:
        return f"The generator was late by at most {milliseconds(lag_p99_ms.max())} in 99 of 100 requests"
    late = int((lag_p99_ms > limit_ms).sum())
    if not late:
        return f"The generator kept its schedule in all {len(lag_p99_ms)} open-loop cells"
    return f"The generator was late in {late} of {len(lag_p99_ms)} open-loop cells"


def counts_table(run: Run) -> pd.DataFrame:
    """List the three counts of requests."""
    return quality.counts(run).rename(
        columns={"rows": "parquet rows", "locust": "Locust", "gateway": "gateway", "censored": "never answered"}
    )


def durations_table(run: Run) -> pd.DataFrame:
    """List the time that gateways say they had requests, beside the time that clients waited for them."""
    found = quality.durations(run)
    return pd.DataFrame({
        "scenario": found["scenario"], "variant": found["variant"], "cells": found["cells"],
        "in the gateway, at least": [percent(share) for share in found["least"]],
        "in the gateway, at most": [percent(share) for share in found["most"]],
        "connections busy": [percent(share) for share in found["busy"]],
    })  # fmt: skip


def most_in_gateway(run: Run) -> dict[str, Any]:
    """Give the largest share of the clients' waiting that a gateway says it had requests for, as a finding has it."""
    found = quality.durations(run)
    cells = int(found["cells"].sum())
    note = None if cells else "in no load was every request answered" if len(found) else "the run holds no load"
    return {"value": known(found["most"].max()), "unit": "share", "n": cells, "note": note}


def left_out_table(run: Run) -> pd.DataFrame:
    """List what is left out of comparisons, and why."""
    return quality.left_out(run)


def reasons_table(run: Run) -> pd.DataFrame:
    """List why the gate failed cells, the most frequent reason first."""
    cells = quality.gates(run)
    failed = cells[~cells["gate_passed"].astype(bool) & cells["failure"].isna()]
    return pd.DataFrame(list(frequent(failed["gate_reasons"]).items()), columns=["reason", "cells"])


def failures_table(run: Run) -> pd.DataFrame:
    """List the cells in which nothing could be measured."""
    return quality.failures(run).rename(columns={"cell_id": "cell", "failure": "what went wrong"})


def workers_table(run: Run) -> pd.DataFrame:
    """List the processes of the load generator."""
    found = quality.workers(run)
    return pd.DataFrame({
        "cell": found["cell_id"], "worker": found["worker"], "finished": found["finished"], "rows": found["rows"],
        "processor used": [percent(share) for share in found["cpu_share"]],
        "waited for it": [percent(share) for share in found["waited_share"]],
        "began late by": [milliseconds(late) for late in found["late_ms"]],
        "clock corrected by": [
            f"{milliseconds(row.clock_offset_ms)} ± {milliseconds(row.clock_error_ms)}" if row.clock_error_ms else None
            for row in found.itertuples()
        ],
    })  # fmt: skip


def machine_table(run: Run) -> pd.DataFrame:
    """List the machine and the versions that the run was measured with."""
    machine = {str(key): value for key, value in run.manifest.machine.items() if not isinstance(value, dict | list)}
    facts = {"suite": run.manifest.suite, "started": run.manifest.started_at, "seed": run.manifest.seed,
             "interruptions": run.manifest.interruptions} | machine | dict(run.manifest.toolchains)  # fmt: skip
    return pd.DataFrame({"fact": list(facts), "value": [str(value) for value in facts.values()]})
