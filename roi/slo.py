"""SLO attainment: which share of requests meets an objective, how fast what is not met spends the error budget, and when.

Good over valid events (Beyer and others, The Site Reliability Workbook, 2018, chapter 2). Valid is every request that was due in
the measured window, also one that was never sent or never answered; good is one that was answered with 2xx within the
objective, counted from the instant at which it was due.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from roi.data import LOAD_CELLS, Run, highest_of_most
from roi.statistics.estimate import Estimate, median_of_processes
from roi.statistics.overlap import share_of_blocks
from roi.statistics.quantiles import observations_needed, quantiles_of_buckets

RUNG = ["variant", "runtime", "scenario", "rate_per_s"]
USUAL = "steady"
"""The scenario that variants are compared under where the run has it."""
P95 = 0.95
BLOCK_S = 0.25
"""Longer than most stalls and the queue behind them take to pass: requests of one block mostly share their fate."""
_BLOCKS_A_SECOND = 4
_DAY_S = 86_400
_NS_PER_MS = 1e6
_OF_SERVICE = "c.traffic_model = 'open' and c.scenario <> 'capacity' and (c.gate_passed or $all_cells)"
"""Condition of cells with an open loop that are about a service level; a search for the rate that misses one is not."""

BLOCKS = f"""
    with blocks as (
        select r.cell_id, (r.intended_ns - c.measure_start_ns) // {round(BLOCK_S * 1e9)} as block, count(*) as valid,
               count(*) filter (r.outcome <> 'ok' or r.schedule_lag_ns + r.service_time_ns > $objective_ns) as bad,
               count(*) filter (r.censored and r.schedule_lag_ns + coalesce(r.service_time_ns, 0) <= $objective_ns) as cut_off
        from requests r join cells c using (cell_id)
        where {_OF_SERVICE} and c.{LOAD_CELLS} and r.intended_ns >= c.measure_start_ns and r.intended_ns < c.measure_end_ns
        group by all
    )
    select variant, runtime, scenario, rate_per_s, b.* from blocks b join cells using (cell_id)
    order by scenario, rate_per_s, variant, cell_id, block
"""
"""Valid and bad requests in each quarter of a second of an open-loop process; bad is valid and not good."""

ANSWERS = f"""
    select variant, runtime, scenario, rate_per_s, cell_id, at_least_ns, sum(h.count)::bigint as count,
           sum(h.sum_ns)::double as sum_ns, coalesce(sum(h.count) filter (outcome <> 'ok'), 0)::bigint as never
    from histograms h join cells c using (cell_id)
    where time = 'response' and {_OF_SERVICE}
    group by all order by scenario, rate_per_s, variant, cell_id, at_least_ns
"""
"""By process and bucket of response time its requests, and those of them that got no 2xx: their answer never came."""


@dataclass(frozen=True)
class ServiceLevelObjective:
    """A service level objective.

    Raises
    ------
    ValueError
        A value is outside of what it can mean; the message says which, and what it may be.
    """

    latency_ms: float
    """Longest response time of a good request."""
    target: float
    """Share of requests that must be good, between 0 and 1."""
    window_days: float = 28.0
    """Length of the window that the error budget is for."""

    def __post_init__(self) -> None:
        if not self.latency_ms > 0:
            raise ValueError(f"latency_ms is {self.latency_ms}: an objective must be a positive time.")
        if not 0 < self.target < 1:
            raise ValueError(f"target is {self.target}: it must lie between 0 and 1 (0.995 for 99.5 %).")
        if not self.window_days > 0:
            raise ValueError(f"window_days is {self.window_days}: the window must have a length.")

    @property
    def budget(self) -> float:
        """Share of requests that may be bad."""
        return 1 - self.target

    def burn_rate(self, bad_share: float) -> float:
        """Give how many times as fast as the budget allows a share of bad requests spends it (Workbook, chapter 5)."""
        return bad_share / self.budget

    def lasts_days(self, bad_share: float) -> float:
        """Give after how many days of this share the budget of the window is spent; infinite when nothing is bad."""
        return self.window_days / self.burn_rate(bad_share) if bad_share > 0 else math.inf

    def spent(self, bad_share: float, seconds: float) -> float:
        """Give which share of the window's budget so many seconds of this share spend, at an even rate of requests."""
        return self.burn_rate(bad_share) * seconds / (self.window_days * _DAY_S)


class Basis(StrEnum):
    """What an interval of a share of bad requests rests on."""

    PROCESSES = "processes"
    """The spread between fresh processes."""
    NONE_BAD = "none bad"
    """No bad request was seen: so many blocks of time without one bound the share from above alone."""
    NOTHING = "one process"
    """There is no interval."""


class Judgement(StrEnum):
    """What a run says of an objective."""

    MET = "met"
    MISSED = "missed"
    UNTOLD = "cannot be told"
    KEPT_ONCE = "kept by the one process"
    """Bad requests were within the budget, and another process may do otherwise."""
    MISSED_ONCE = "missed by the one process"


@dataclass(frozen=True)
class Attainment:
    """The open-loop cells of a run, held against an objective."""

    run: Run
    objective: ServiceLevelObjective
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    blocks: pd.DataFrame
    """A row a process and quarter of a second; see `BLOCKS`."""
    rows: pd.DataFrame
    """A row a variant, scenario and rung; see `summarise`."""

    def at(self, scenario: str, rate_per_s: float | None) -> pd.DataFrame:
        """Give the rows of one rung; None is that of a scenario without a single rate."""
        return of_rung(self.rows, scenario, rate_per_s)

    def compared(self) -> tuple[str, float | None] | None:
        """Give the rung to compare at: of steady traffic, or else the first scenario, the highest that most variants have."""
        if self.rows.empty:
            return None
        scenarios = list(self.rows["scenario"])
        return self._highest(USUAL if USUAL in scenarios else scenarios[0])

    def _highest(self, scenario: str) -> tuple[str, float | None]:
        rates = self.rows[self.rows["scenario"] == scenario].groupby("rate_per_s")["variant"].nunique()
        return scenario, None if rates.empty else highest_of_most(rates)

    def burnt_most(self, scenario: str = "") -> tuple[str, float | None] | None:
        """Give the rung, of one scenario if it is named, at which a variant burnt its budget fastest; None if none did."""
        rows = self.rows[(self.rows["scenario"] == scenario) | (not scenario)]
        rows = rows[rows["bad"] > 0]
        if rows.empty:
            return None
        worst = rows.loc[rows["bad_share"].idxmax()]
        return worst["scenario"], None if pd.isna(worst["rate_per_s"]) else float(worst["rate_per_s"])


def study(run: Run, objective: ServiceLevelObjective, all_cells: bool = False) -> Attainment:
    """Hold the open-loop cells of a run against an objective; one without any gives empty tables.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    blocks = run.query(BLOCKS, {"objective_ns": objective.latency_ms * _NS_PER_MS, "all_cells": all_cells})
    kept = promises(run.query(ANSWERS, {"all_cells": all_cells}), objective.target)
    return Attainment(run, objective, all_cells, blocks, summarise(blocks, kept, objective))


def promises(answers: pd.DataFrame, target: float) -> pd.DataFrame:
    """Give by process the response time that the target's share of requests keep, and P95: columns target_ns and p95_ns.

    Both are infinite where so many requests got no 2xx.

    Parameters
    ----------
    answers
        As `ANSWERS` gives them, buckets ascending.
    """
    key = [*RUNG, "cell_id"]
    rows = []
    for of, part in answers.groupby(key, observed=True, dropna=False, sort=False):
        _, kept_ns = quantiles_of_buckets(part["sum_ns"] / part["count"], part["count"], part["never"], (target, P95))
        rows.append((*of, *kept_ns))
    return pd.DataFrame(rows, columns=[*key, "target_ns", "p95_ns"])


def summarise(blocks: pd.DataFrame, kept: pd.DataFrame, objective: ServiceLevelObjective) -> pd.DataFrame:
    """Hold variants against an objective: a row a variant, scenario and rung.

    Columns: variant, runtime, scenario, rate_per_s; valid and bad (requests), cut_off (of the bad ones those that the load's end
    cut off before the objective had passed); bad_share, lo, hi, basis (see `Basis`; hi alone bounds what has no bad request),
    processes, blocks (of a quarter of a second, over all processes); seconds (measured, a process), seconds_seen and
    p95_seconds (those of all processes, and those of them whose own P95 met the objective); judgement (see `Judgement`);
    target_ms and p95_ms with _lo, _hi and _never (median over processes of the response time that the target's share, or 95 %,
    of requests keep; missing, and _never true, where so many were not answered with 2xx that no objective is kept).
    """
    times = {_key(key): _times(part) for key, part in kept.groupby(RUNG, observed=True, dropna=False)}
    rows = [
        dict(zip(RUNG, key, strict=True)) | _row(part, objective) | times[_key(key)]
        for key, part in blocks.groupby(RUNG, observed=True, dropna=False, sort=False)
    ]
    columns = [*RUNG, "valid", "bad", "cut_off", "bad_share", "lo", "hi", "basis", "processes", "blocks", "seconds",
               "seconds_seen", "p95_seconds", "judgement",
               *(f"{name}_{of}" for name in ("target", "p95") for of in ("ms", "lo", "hi", "never"))]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    floats = ("bad_share", "lo", "hi", *(f"{name}_{of}" for name in ("target", "p95") for of in ("ms", "lo", "hi")))
    return table.astype(dict.fromkeys(floats, float))


def _key(values: tuple[object, ...]) -> tuple[object, ...]:
    """Give a key in which a missing rate is like another one, which NaN is not."""
    return tuple(None if pd.isna(value) else value for value in values)


def _row(blocks: pd.DataFrame, objective: ServiceLevelObjective) -> dict[str, object]:
    share, basis = bad_share(blocks)
    seconds = blocks.assign(second=blocks["block"] // _BLOCKS_A_SECOND)
    seconds = seconds.groupby(["cell_id", "second"], observed=True)[["valid", "bad"]].sum()
    return {
        "valid": int(blocks["valid"].sum()), "bad": int(blocks["bad"].sum()), "cut_off": int(blocks["cut_off"].sum()),
        "bad_share": share.value, "lo": share.lo, "hi": share.hi, "basis": basis, "processes": blocks["cell_id"].nunique(),
        "blocks": len(blocks), "seconds": BLOCK_S * (int(blocks["block"].max()) + 1), "seconds_seen": len(seconds),
        "p95_seconds": int((seconds["bad"] <= (1 - P95) * seconds["valid"]).sum()), "judgement": judged(share, objective),
    }  # fmt: skip


def bad_share(blocks: pd.DataFrame) -> tuple[Estimate, Basis]:
    """Give the share of bad requests, with an interval over processes, and what that rests on.

    Over several processes it is the studentised bootstrap of whole processes. Where none is bad nothing spreads; then n blocks
    of time without one say that at most `1 - 0.05**(1/n)` of blocks hold one, and so at most that share of requests is bad
    (the rule of three: Hanley and Lippman-Hand, JAMA 249, 1983). One process with bad requests has no interval.

    Parameters
    ----------
    blocks
        Columns cell_id, valid and bad.
    """
    of_process = blocks.groupby("cell_id", observed=True)[["valid", "bad"]].sum()
    valid, bad = of_process["valid"].to_numpy(), of_process["bad"].to_numpy()
    n = len(valid)
    if not bad.any():
        return Estimate(0.0, 0.0, 1 - 0.05 ** (1 / len(blocks)), n), Basis.NONE_BAD
    if n < 2:
        return Estimate(float(bad.sum() / valid.sum()), None, None, n), Basis.NOTHING
    hits = np.repeat(np.tile([True, False], n), np.column_stack([bad, valid - bad]).ravel())
    return share_of_blocks(hits, np.repeat(np.arange(n), valid)), Basis.PROCESSES


def judged(bad: Estimate, objective: ServiceLevelObjective) -> Judgement:
    """Tell whether the interval of the bad share lies within the budget, beyond it, or on both sides; without one, the share."""
    if bad.lo is None or bad.hi is None:
        return Judgement.KEPT_ONCE if bad.value <= objective.budget else Judgement.MISSED_ONCE
    if bad.lo <= objective.budget < bad.hi:
        return Judgement.UNTOLD
    return Judgement.MET if bad.hi <= objective.budget else Judgement.MISSED


def seconds_needed(objective: ServiceLevelObjective) -> float:
    """Give how long a load without a single bad request must last to show that the objective is met, s."""
    return observations_needed(objective.target) * BLOCK_S


def _times(kept: pd.DataFrame) -> dict[str, object]:
    told: dict[str, object] = {}
    for name in ("target", "p95"):
        said = median_of_processes(kept[f"{name}_ns"] / _NS_PER_MS)
        told[f"{name}_never"] = math.isinf(said.value)
        for of, value in (("ms", said.value), ("lo", said.lo), ("hi", said.hi)):
            told[f"{name}_{of}"] = None if value is None or math.isinf(value) else value
    return told


def burn_by_second(found: Attainment, scenario: str, rate_per_s: float | None) -> pd.DataFrame:
    """Give the burn rate in each second of the measured window: columns variant, second, valid, bad, burn, processes.

    Processes of a variant are taken together: the seconds are those since the beginning of each one's own window.
    """
    blocks = of_rung(found.blocks, scenario, rate_per_s)
    seconds = blocks.assign(second=blocks["block"] // _BLOCKS_A_SECOND + 1)
    table = seconds.groupby(["variant", "second"], observed=True, as_index=False).agg(
        valid=("valid", "sum"), bad=("bad", "sum"), processes=("cell_id", "nunique")
    )
    return table.assign(burn=table["bad"] / table["valid"] / found.objective.budget)


def of_rung(rows: pd.DataFrame, scenario: str, rate_per_s: float | None) -> pd.DataFrame:
    """Give the rows of one rung of a table; None is the rung of a scenario without a single rate."""
    same = rows["rate_per_s"].isna() if rate_per_s is None else rows["rate_per_s"] == rate_per_s
    return rows[same & (rows["scenario"] == scenario)]
