"""The view of a run's quality."""

from __future__ import annotations

import pandas as pd

from roi import quality
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.views.words import footnote

LAG_LIMIT_MS = 1.0
"""The gate's limit on the schedule lag (bench.load.gate), drawn for comparison."""


def verdict(run: Run) -> str:
    """Say in a sentence or two whether the run can be used."""
    cells, counts = quality.gates(run), quality.counts(run)
    passed, total = int(cells["gate_passed"].sum()), len(cells)
    agree = int(counts["agree"].sum())
    first = (
        f"**All {total} cells passed the gate.**"
        if passed == total
        else f"**{passed} of {total} cells passed the gate; the other {total - passed} are left out of comparisons.**"
    )
    return (
        f"{first} The requests that the parquet, Locust and the gateway counted agree in {agree} of {len(counts)} rows."
        f" The run's purpose is *{run.manifest.purpose}*."
    )


def lag_chart(run: Run) -> ChartSpec | None:
    """Draw how late the generator was in every open-loop cell; None when there is none."""
    rows = quality.generator(run).dropna(subset=["lag_p99_ms"])
    if rows.empty:
        return None
    late = int((rows["lag_p99_ms"] > LAG_LIMIT_MS).sum())
    title = (
        f"The generator kept its schedule in all {len(rows)} open-loop cells"
        if not late
        else f"The generator was late in {late} of {len(rows)} open-loop cells"
    )
    worst = rows["lag_p99_ms"].max()
    return ChartSpec(
        "schedule_lag", "dots", rows.sort_values("lag_p99_ms"), "cell_id", "lag_p99_ms",
        title=title, alt=f"99th percentile of the schedule lag by cell; the largest is {worst:.2f} ms.",
        beside=("variant",), y_title="Schedule lag, 99th percentile (ms)", y_log=True, horizontal=True,
        subtitle="Requests that found a connection free; response times include this lag", footnote=footnote(run),
    ).with_reference(LAG_LIMIT_MS, "limit of the gate")  # fmt: skip


def counts_table(run: Run) -> pd.DataFrame:
    """List the three counts of requests."""
    return quality.counts(run).rename(
        columns={"rows": "parquet rows", "locust": "Locust", "gateway": "gateway", "censored": "never answered"}
    )


def left_out_table(run: Run) -> pd.DataFrame:
    """List what is left out of comparisons, and why."""
    return quality.left_out(run)


def machine_table(run: Run) -> pd.DataFrame:
    """List the machine and the versions that the run was measured with."""
    machine = {str(key): value for key, value in run.manifest.machine.items() if not isinstance(value, dict | list)}
    facts = {"suite": run.manifest.suite, "started": run.manifest.started_at, "seed": run.manifest.seed,
             "interruptions": run.manifest.interruptions} | machine | dict(run.manifest.toolchains)  # fmt: skip
    return pd.DataFrame({"fact": list(facts), "value": [str(value) for value in facts.values()]})
