"""The article's eight figures about pauses, each held against a run: supported, contradicted or not measurable here.

A figure is judged as what the article says that it is, a time in which the application stands still. What else it may be (a
line of the collector's log) belongs to the reason. Nothing is judged finer than the sample allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi import claims, pauses
from roi.claims import Claim
from roi.data import Run
from roi.statistics import studentised
from roi.statistics.estimate import Estimate
from roi.statistics.quantiles import observations_needed

SUPPORTED, CONTRADICTED, NOT_MEASURABLE = "supported", "contradicted", "not measurable here"
ZGC17, NODES = "java17-zgc", ("node20", "node")
"""Variants that answer the article: its Java, and of Node its own release where a run has it, else the one that there is."""
_NS_PER_US = 1e3

DROPS = """
    select count(*) as recorded, count(*) filter (p.window_ns = 0) as n,
           max(p.dur_hi_ns) filter (p.window_ns = 0) as longest_ns
    from pauses p join cells c using (cell_id)
    where p.source = 'rust_drop' and c.scenario = $scenario and (c.gate_passed or $all_cells)
          and p.end_ns between c.measure_start_ns and c.measure_end_ns
"""
"""Drops of a Rust gateway: those long enough to be written down one by one, and whether any were recorded at all."""


@dataclass(frozen=True)
class Verdict:
    """What a run says of one stated figure."""

    claim: Claim
    outcome: str
    reason: str


def of_run(run: Run, scenario: str, all_cells: bool = False) -> list[Verdict]:
    """Give the verdict on each of the eight figures, in the article's order."""
    table = pauses.distribution(run, scenario, all_cells).set_index("variant")
    rows = run.query(pauses.OF_RECORD, {"scenario": scenario, "all_cells": all_cells})
    zgc = _seen(table, ZGC17)
    # The article's own release where the run has it, else the one that it has.
    node = next((seen for name in NODES if (seen := _seen(table, name)) is not None), None)
    stated_us = claims.claim("zgc17_pause_p99").value
    said = {
        "pause_target": _target(zgc),
        "zgc17_pause_mean": _mean(run, rows, zgc, scenario, all_cells),
        "zgc17_pause_p99": _p99(zgc, stated_us, stated_us, missing=ZGC17),
        "zgc17_pause_spike": _spike(zgc, scenario),
        "zgc17_gc_rate": _rate(rows, zgc),
        "node20_pause_low": _of_node(node),
        "node20_pause_high": _of_node(node),
        "rust_pause": _rust(run, table, scenario, all_cells),
    }
    return [Verdict(claims.claim(name), *outcome) for name, outcome in said.items()]


def lengths_us(rows: pd.DataFrame) -> np.ndarray:
    """Give how long Java 17 stood still with ZGC at most, µs, by pause; `rows` as `pauses.OF_RECORD` gives them."""
    return rows.loc[rows["variant"] == ZGC17, "dur_hi_ns"].to_numpy(float) / _NS_PER_US


def mean_pause(lengths: np.ndarray) -> Estimate | None:
    """Give the mean of pauses, in their unit, with its interval; None of fewer than two. `n` is that of the pauses."""
    if len(lengths) < 2:
        return None
    return Estimate(float(lengths.mean()), *studentised.interval(lengths), len(lengths))


def _seen(table: pd.DataFrame, variant: str) -> pd.Series | None:
    """Give a variant's summary; None when the run holds no pause of it."""
    if variant not in table.index or not table.loc[variant, "n"]:
        return None
    return table.loc[variant].rename(variant)


def _missing(variant: str) -> tuple[str, str]:
    return NOT_MEASURABLE, f"the run holds no pause of {variant} under this load"


def _too_few(summary: pd.Series) -> tuple[str, str]:
    need = observations_needed(0.99, two_sided=True)
    minutes = need / summary["per_minute"]
    return NOT_MEASURABLE, (
        f"{summary['n']:,.0f} pauses seen: an interval of P99 needs {need} or more, {minutes:.1f} minutes at this rate of pauses"
    )


def _p99(
    summary: pd.Series | None, low_us: float, high_us: float, *, missing: str, named: str = "P99"
) -> tuple[str, str]:
    """Judge a P99 that is stated to lie between two ends, by its interval."""
    if summary is None:
        return _missing(missing)
    lo, hi = summary["p99_lo_us"], summary["p99_hi_us"]
    seen = f"(n = {summary['n']:,.0f})"
    if pd.notna(lo) and lo > high_us:
        return CONTRADICTED, f"{named} is {lo:,.0f} µs or more {seen}"
    if pd.isna(lo) or pd.isna(hi):
        return _too_few(summary)
    return (CONTRADICTED if hi < low_us else SUPPORTED), f"{named} lies between {lo:,.0f} and {hi:,.0f} µs {seen}"


def _target(summary: pd.Series | None) -> tuple[str, str]:
    target_us = claims.claim("pause_target").value
    if summary is None:
        return _missing(ZGC17)
    lo, hi = summary["p99_lo_us"], summary["p99_hi_us"]
    if pd.notna(lo) and lo > target_us:
        return CONTRADICTED, f"{ZGC17} misses it: its P99 is {lo:,.0f} µs or more"
    if pd.notna(hi) and hi <= target_us:
        return SUPPORTED, f"{ZGC17} keeps it: its P99 is {hi:,.0f} µs or less"
    return _too_few(summary) if pd.isna(hi) else (NOT_MEASURABLE, f"its P99 lies between {lo:,.0f} and {hi:,.0f} µs")


def _mean(run: Run, rows: pd.DataFrame, summary: pd.Series | None, scenario: str, all_cells: bool) -> tuple[str, str]:
    stated_us = claims.claim("zgc17_pause_mean").value
    if summary is None:
        return _missing(ZGC17)
    mean = mean_pause(lengths_us(rows))
    if mean is None:
        return NOT_MEASURABLE, "one pause has no interval"
    told = pauses.phase_against_safepoint(run, scenario, all_cells).set_index("variant")
    log = (
        f"; the collector's own line says {told.loc[ZGC17, 'phase_us']:,.0f} µs in the median"
        if ZGC17 in told.index
        else ""
    )
    reason = f"the application stood still for {mean.lo:,.0f} to {mean.hi:,.0f} µs in the mean (n = {mean.n:,}){log}"
    return (CONTRADICTED if mean.excludes(stated_us) else SUPPORTED), reason


def _spike(summary: pd.Series | None, scenario: str) -> tuple[str, str]:
    stated_us = claims.claim("zgc17_pause_spike").value
    if summary is None:
        return _missing(ZGC17)
    longest = summary["longest_us"]
    if longest > stated_us:
        without = "" if scenario == "surge" else ", without any burst"
        return CONTRADICTED, f"the longest seen is {longest:,.0f} µs{without} (scenario {scenario})"
    if scenario != "surge":
        return (
            NOT_MEASURABLE,
            f"the longest seen is {longest:,.0f} µs, but nothing here came in bursts (scenario {scenario})",
        )
    return SUPPORTED, f"the longest seen in bursts is {longest:,.0f} µs"


def _rate(rows: pd.DataFrame, summary: pd.Series | None) -> tuple[str, str]:
    if summary is None:
        return _missing(ZGC17)
    minutes = summary["n"] / summary["per_minute"]
    own = rows[rows["variant"] == ZGC17]
    stops = own.groupby("phase").size()
    return NOT_MEASURABLE, (
        f"{stops.max() / minutes:,.0f} collections a minute here: how many there are follows from what is allocated and from the"
        " size of the heap, and the article gives neither"
    )


def _of_node(summary: pd.Series | None) -> tuple[str, str]:
    low, high = (claims.claim(f"node20_pause_{end}").value for end in ("low", "high"))
    missing = " or ".join(NODES)
    named = "" if summary is None else f"P99 of all stops of {summary.name}, steps included,"
    return _p99(summary, low, high, missing=missing, named=named)


def _rust(run: Run, table: pd.DataFrame, scenario: str, all_cells: bool) -> tuple[str, str]:
    if "rust" not in set(table.get("runtime", ())):
        return NOT_MEASURABLE, "the run holds no Rust gateway under this load"
    drops = run.query(DROPS, {"scenario": scenario, "all_cells": all_cells}).iloc[0]
    freed = (
        f"freeing memory on the request path took up to {drops['longest_ns'] / _NS_PER_US:,.0f} µs ({drops['n']:,.0f} times"
        " 20 µs or longer), which no collector's figure shows"
        if drops["n"]
        else "no freeing of memory on the request path took 20 µs or longer"
        if drops["recorded"]
        else "what freeing memory took instead was not recorded in this run"
    )
    return SUPPORTED, f"true and trivial, there is no collector; {freed}"
