"""Pauses as the application saw them, with the bounds that each source leaves.

The number of record is for Java the safepoint's total and not the collector's phase, for Go the runtime's histogram of
stop-the-world pauses (bounds, because its buckets are 14 to 25 % wide), for Node every step that V8 takes on the main thread.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from roi.data import Run
from roi.statistics.errors import TooFine
from roi.statistics.quantiles import Quantile, quantile_of_bounds, ratio_of_quantiles

_NS_PER_US = 1e3
_COLUMNS = ["variant", "runtime", "collector", "applicable", "n"]
"""Columns of a distribution that holds no variant."""

OF_RECORD = """
    select c.variant, c.runtime, c.collector, c.cell_id, p.kind, p.phase, p.source,
           p.dur_lo_ns, coalesce(p.dur_hi_ns, p.dur_lo_ns) as dur_hi_ns, p.count, p.resolution_ns
    from pauses p join cells c using (cell_id)
    where c.scenario = $scenario and (c.gate_passed or $all_cells) and p.count > 0
          and p.end_ns between c.measure_start_ns and c.measure_end_ns
          and ((p.source = 'jul_safepoint' and p.kind in ('stw_gc', 'degenerated'))
               or (p.source = 'go_metrics' and p.phase like '/sched/pauses/total/gc%')
               or (p.source = 'node_trace' and p.kind in ('stw_gc', 'incremental_step')))
"""
"""Pauses of collectors within the measured windows, one source a runtime."""

WINDOWS = """
    select variant, runtime, collector, count(*) as cells, sum(measure_end_ns - measure_start_ns) as window_ns
    from cells where scenario = $scenario and failure is null and (gate_passed or $all_cells)
    group by all order by variant
"""

STOPS = """
    select c.variant, c.runtime, c.rate_per_s, c.cell_id, p.source, p.end_ns, p.dur_lo_ns,
           coalesce(p.dur_hi_ns, p.dur_lo_ns) as dur_hi_ns
    from pauses p join cells c using (cell_id)
    where c.scenario = $scenario and (c.gate_passed or $all_cells) and p.window_ns = 0
          and p.end_ns between c.measure_start_ns and c.measure_end_ns
          and p.source in ('jul_safepoint', 'go_gcstats', 'node_trace')
          and p.kind in ('stw_gc', 'stw_other', 'degenerated', 'incremental_step')
    order by c.variant, c.cell_id, p.end_ns
"""
"""Every stop of a whole application within the measured windows whose instant is known, collections and others.

A row of `go_gcstats` is the sum of the stops of one collection, put at the end of the last: the longest of them lasted at
least half of it.
"""

PHASE_AGAINST_SAFEPOINT = """
    with phase as (
        select cell_id, end_ns, (dur_lo_ns + dur_hi_ns) / 2 as phase_ns from pauses where source = 'jul_phase'
    ), safepoint as (
        select cell_id, end_ns, dur_lo_ns as total_ns, ttsp_ns from pauses
        where source = 'jul_safepoint' and kind = 'stw_gc'
    )
    select c.variant, c.collector, p.phase_ns, s.total_ns, s.ttsp_ns
    from safepoint s asof join phase p on s.cell_id = p.cell_id and s.end_ns >= p.end_ns
    join cells c on c.cell_id = s.cell_id
    where p.end_ns > s.end_ns - s.total_ns and c.scenario = $scenario and (c.gate_passed or $all_cells)
"""
"""Each collector's safepoint with the last pause line that lies inside of it."""


def distribution(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give the pauses of every variant: n, rate, mean, P50, P99 and longest in µs with bounds, and share of wall time.

    A variant without any pause has n = 0; one without a collector has `applicable` False. Quantiles hold both what the source
    cannot resolve and what was not sampled; they are missing where the sample is too small. `resolution_us` is that of the
    source at its P99.
    """
    asked = {"scenario": scenario, "all_cells": all_cells}
    rows, windows = run.query(OF_RECORD, asked), run.query(WINDOWS, asked)
    by_variant = dict(iter(rows.groupby("variant", observed=True)))
    summaries = [_summary(window, by_variant.get(window.variant)) for window in windows.itertuples()]
    return pd.DataFrame(summaries, columns=None if summaries else _COLUMNS)


def p99_against(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Hold the P99 of every variant against the shortest of those that are bounded: a ratio with its bounds, or a refusal.

    Columns: variant, runtime, base, n, ratio, lo, hi, refused (why there is no ratio; missing where there is one).
    """
    rows = distribution(run, scenario, all_cells)
    columns = ["variant", "runtime", "base", "n", "ratio", "lo", "hi", "refused"]
    seen = rows[rows["n"] > 0]
    if seen.empty:
        return pd.DataFrame(columns=columns)
    bounded = seen.dropna(subset=["p99_lo_us", "p99_hi_us"])
    shortest = seen if bounded.empty else bounded
    base = shortest.loc[shortest["p99_us"].idxmin()]
    others = seen[seen["variant"] != base["variant"]]
    compared = [
        (row["variant"], row["runtime"], base["variant"], row["n"], *_ratio(row, base)) for _, row in others.iterrows()
    ]
    return pd.DataFrame(compared, columns=columns).astype({"ratio": float, "lo": float, "hi": float})


def _ratio(row: pd.Series, base: pd.Series) -> tuple[float | None, float | None, float | None, str | None]:
    above, below = (
        Quantile(
            0.99, of["p99_us"], *(None if pd.isna(of[end]) else of[end] for end in ("p99_lo_us", "p99_hi_us")), of["n"]
        )
        for of in (row, base)
    )
    try:
        return *ratio_of_quantiles(above, below, max(row["resolution_us"], base["resolution_us"])), None
    except TooFine as refused:
        return None, None, None, str(refused)


def _summary(window: object, rows: pd.DataFrame | None) -> dict[str, object]:
    head = {"variant": window.variant, "runtime": window.runtime, "collector": window.collector,
            "applicable": window.collector != "none"}  # fmt: skip
    minutes = window.window_ns / 60e9
    if rows is None or not len(rows):
        return head | {"n": 0, "per_minute": 0.0 if head["applicable"] else np.nan}
    lo, hi, count = (rows[column].to_numpy(float) for column in ("dur_lo_ns", "dur_hi_ns", "count"))
    p50, p99 = (quantile_of_bounds(lo, hi, count.astype(int), q) for q in (0.5, 0.99))
    total_lo, total_hi = float((lo * count).sum()), float((hi * count).sum())
    n = int(count.sum())
    return head | {
        "n": n,
        "per_minute": n / minutes,
        "mean_us": (total_lo + total_hi) / 2 / n / _NS_PER_US,
        "p50_us": p50.value / _NS_PER_US,
        "p99_us": p99.value / _NS_PER_US,
        "p99_lo_us": None if p99.lo is None else p99.lo / _NS_PER_US,
        "p99_hi_us": None if p99.hi is None else p99.hi / _NS_PER_US,
        "longest_us": float(hi.max()) / _NS_PER_US,
        "share_of_time": (total_lo + total_hi) / 2 / window.window_ns,
        "resolution_us": _resolution_at(rows, p99.value) / _NS_PER_US,
    }


def _resolution_at(rows: pd.DataFrame, length_ns: float) -> float:
    """Give what the source can tell apart at this length: the buckets of a histogram grow with it."""
    reaching = rows[rows["dur_hi_ns"] >= length_ns]
    return float(reaching.loc[reaching["dur_hi_ns"].idxmin(), "resolution_ns"])


def ecdf(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give the cumulated share of pauses by length: columns variant, runtime, pause_us, share; upper bounds of lengths."""
    rows = run.query(OF_RECORD, {"scenario": scenario, "all_cells": all_cells})
    parts = []
    for (variant, runtime), part in rows.groupby(["variant", "runtime"], observed=True):
        ordered = part.groupby("dur_hi_ns")["count"].sum().sort_index()
        share = ordered.cumsum() / ordered.sum()
        parts.append(pd.DataFrame({"variant": variant, "runtime": runtime,
                                   "pause_us": ordered.index / _NS_PER_US, "share": share.to_numpy()}))  # fmt: skip
    columns = ["variant", "runtime", "pause_us", "share"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def phase_against_safepoint(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give for each Java variant how much longer the application stood still than the collector's own line says.

    Columns: variant, collector, n, phase_us and safepoint_us (medians), ratio (median of the pairs' ratios).
    """
    pairs = run.query(PHASE_AGAINST_SAFEPOINT, {"scenario": scenario, "all_cells": all_cells})
    pairs = pairs[pairs["phase_ns"] > 0].assign(ratio=lambda p: p["total_ns"] / p["phase_ns"])
    grouped = pairs.groupby(["variant", "collector"], observed=True)
    return grouped.agg(
        n=("ratio", "size"),
        phase_us=("phase_ns", lambda values: values.median() / _NS_PER_US),
        safepoint_us=("total_ns", lambda values: values.median() / _NS_PER_US),
        ratio=("ratio", "median"),
    ).reset_index()
