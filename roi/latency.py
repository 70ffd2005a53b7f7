"""Latency of an open loop: how long requests take from the instant at which the schedule wanted them sent.

Response time is service time and what passed before sending. Quantiles are those of a process, one fresh process a cell,
and are then summarised over processes; they are never averaged over parts of one. A request that was never answered, or
never sent, took at least as long as it waited: it stays in the sample, and a quantile that it could move is a lower bound.

Closed loops have no place here: their users wait for an answer before they ask again, and so ask least while it is slow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi.data import Run, highest_of_most
from roi.statistics.estimate import Estimate, median_of_processes

TIMES = ("response", "service", "lag")
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
REQUESTS_BEYOND = 100
"""Requests of a process that must lie beyond a quantile above p99: p99.9 takes 100 000."""
_ALWAYS_SHOWN = 0.99
_POINTS_A_DECADE = 25
_NS_PER_MS = 1e6
RUNG = ["variant", "runtime", "rate_per_s"]

_TIMES = """
    with asked as (
        select variant, runtime, rate_per_s, cell_id, schedule_lag_ns, service_time_ns, response_time_ns, outcome,
               censored or outcome in ('reset', 'refused', 'invalid') as unanswered
        from measured
        where traffic_model = 'open' and scenario = $scenario and (gate_passed or $all_cells)
    ), times as (
        select *, 'response' as time, response_time_ns as ns, unanswered as open_ended from asked
        union all
        select *, 'service', service_time_ns, unanswered from asked where service_time_ns is not null
        union all
        select *, 'lag', schedule_lag_ns, outcome = 'unsent' from asked
    )
    select variant, runtime, rate_per_s, cell_id, time, count(*) as requests,
           count(*) filter (open_ended) as open_ended,
           quantile_disc(ns::double, {quantiles}) as at_least_ns,
           quantile_disc(case when open_ended then 'inf'::double else ns end, {quantiles}) as at_most_ns
    from times group by variant, runtime, rate_per_s, cell_id, time
    order by variant, rate_per_s, cell_id, time
"""

PROCESSES = _TIMES.format(quantiles=list(QUANTILES.values()))
"""One row a process and time: quantiles in ns, with what is open-ended as short and as long as it can be."""

COSTS = """
    select m.variant, m.runtime, m.rate_per_s, m.cell_id, count(*) as requests,
           count(*) filter (m.censored or m.outcome in ('reset', 'refused', 'invalid')) as unanswered,
           count(*) filter (m.outcome = 'error') as errors,
           count(*) filter (m.outcome <> 'unsent') * 1e9 / any_value(c.measure_end_ns - c.measure_start_ns) as sent_per_s,
           sum(m.schedule_lag_ns) / sum(m.response_time_ns) as lag_share,
           coalesce(sum(m.schedule_lag_ns) filter (not m.queued), 0) / sum(m.response_time_ns) as generator_share,
           any_value(c.schedule_lag_p99_ns) / 1e6 as generator_lag_p99_ms,
           any_value(c.ceiling_per_s) as ceiling_per_s, any_value(c.ceiling_share) as ceiling_share
    from measured m join cells c using (cell_id)
    where m.traffic_model = 'open' and m.scenario = $scenario and (m.gate_passed or $all_cells)
    group by m.variant, m.runtime, m.rate_per_s, m.cell_id order by m.variant, m.rate_per_s, m.cell_id
"""
"""One row a process: what was never answered, and which share of all response time passed before sending."""


@dataclass(frozen=True)
class Latency:
    """The open-loop cells of one scenario, measured up."""

    run: Run
    scenario: str
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    figures: pd.DataFrame
    """A row a variant, rung, time and quantile; see `summarise`."""
    costs: pd.DataFrame
    """A row a process; see `COSTS`."""

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that have a cell, in order."""
        return tuple(dict.fromkeys(self.figures["variant"]))

    def at(self, rate_per_s: float | None) -> pd.DataFrame:
        """Give the figures of one rung; None is the rung of a scenario that has no single rate."""
        return self.figures[_is_rate(self.figures["rate_per_s"], rate_per_s)]

    def rung(self, variant: str = "") -> float | None:
        """Give the rung to compare at: of those that most variants have the highest; of one variant its highest."""
        asked = self.figures[self.figures["variant"] == variant] if variant else self.figures
        rates = asked.groupby("rate_per_s")["variant"].nunique()
        if rates.empty:
            return None
        return highest_of_most(rates)


def study(run: Run, scenario: str, all_cells: bool = False) -> Latency:
    """Measure up the open-loop cells of a scenario; one without any gives empty tables.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    asked = {"scenario": scenario, "all_cells": all_cells}
    return Latency(run, scenario, all_cells, summarise(run.query(PROCESSES, asked)), run.query(COSTS, asked))


def summarise(processes: pd.DataFrame) -> pd.DataFrame:
    """Summarise the quantiles of processes: a row a variant, rung, time and quantile.

    Columns: variant, runtime, rate_per_s, time, quantile, value_ms (median over processes; for max the longest of all),
    lo_ms and hi_ms (missing without an interval), confidence, lower_bound (value_ms is one), processes, requests (of the
    process that has fewest), open_ended (requests whose time is only known from below), hidden (too few requests).
    """
    rows = [
        dict(zip(RUNG, key[:-1], strict=True)) | {"time": key[-1]} | figure
        for key, part in processes.groupby([*RUNG, "time"], observed=True, dropna=False, sort=False)
        for figure in _figures(part)
    ]
    columns = [*RUNG, "time", "quantile", "value_ms", "lo_ms", "hi_ms", "confidence", "lower_bound", "processes",
               "requests", "open_ended", "hidden"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).astype({"value_ms": float, "lo_ms": float, "hi_ms": float})


def _figures(part: pd.DataFrame) -> list[dict[str, object]]:
    at_least = np.stack(part["at_least_ns"].to_list()) / _NS_PER_MS
    at_most = np.stack(part["at_most_ns"].to_list()) / _NS_PER_MS
    fewest = int(part["requests"].min())
    head = {"processes": len(part), "requests": fewest, "open_ended": int(part["open_ended"].sum())}
    figures = []
    for place, (name, q) in enumerate(QUANTILES.items()):
        over = _longest if name == "max" else over_processes
        figures.append(
            head | {"quantile": name, "hidden": not enough(q, fewest)} | over(at_least[:, place], at_most[:, place])
        )
    return figures


def enough(q: float, requests: int) -> bool:
    """Tell whether so many requests of a process show their q-quantile; the maximum is what it is."""
    return q <= _ALWAYS_SHOWN or q == 1.0 or round((1 - q) * requests, 6) >= REQUESTS_BEYOND


def over_processes(at_least_ms: np.ndarray, at_most_ms: np.ndarray) -> dict[str, object]:
    """Give the median over processes of a quantile that is known between bounds, and its interval.

    Parameters
    ----------
    at_least_ms, at_most_ms
        Bounds of each process' quantile in ms, shape (processes,); the upper is infinite where nothing bounds it.
    """
    lower, upper = median_of_processes(at_least_ms), median_of_processes(at_most_ms)
    return {"value_ms": lower.value, "lo_ms": lower.lo, "hi_ms": None if upper.hi is None or math.isinf(upper.hi) else upper.hi,
            "confidence": lower.confidence, "lower_bound": upper.value > lower.value}  # fmt: skip


def _longest(at_least_ms: np.ndarray, at_most_ms: np.ndarray) -> dict[str, object]:
    """Give the longest of all: a maximum grows with the time that one looks, so it has no interval."""
    longest = float(at_least_ms.max())
    return {"value_ms": longest, "lo_ms": None, "hi_ms": None, "confidence": None,
            "lower_bound": float(at_most_ms.max()) > longest}  # fmt: skip


def tail(found: Latency, rate_per_s: float | None, variant: str = "") -> pd.DataFrame:
    """Give exact quantiles at log-spaced shares, as far as the requests of a process carry them.

    Columns: variant, runtime, rate_per_s, time, one_in (the slowest of so many requests: 100 is p99), value_ms (median over
    processes), lo_ms, hi_ms, lower_bound, processes. The points run from the median to p99, and beyond as long as 100
    requests of every process lie further out.

    Parameters
    ----------
    rate_per_s
        The rung; None is that of a scenario without a single rate.
    variant
        One variant; all by default.
    """
    fewest = found.at(rate_per_s)["requests"].max()
    columns = [*RUNG, "time", "one_in", "value_ms", "lo_ms", "hi_ms", "lower_bound", "processes"]
    if pd.isna(fewest):
        return pd.DataFrame(columns=columns)
    one_in = _spaced(int(fewest))
    query = _TIMES.format(quantiles=(1 - 1 / one_in).tolist())
    processes = found.run.query(query, {"scenario": found.scenario, "all_cells": found.all_cells})
    asked = processes[
        _is_rate(processes["rate_per_s"], rate_per_s) & (processes["variant"].isin([variant]) | (not variant))
    ]
    rows = [
        dict(zip(RUNG, key[:-1], strict=True)) | {"time": key[-1], "processes": len(part)} | point
        for key, part in asked.groupby([*RUNG, "time"], observed=True, dropna=False, sort=False)
        for point in _points(part, one_in)
    ]
    table = pd.DataFrame(rows, columns=columns).astype({"one_in": float, "lo_ms": float, "hi_ms": float})
    # Nothing takes no time at all; a share below the clock's resolution cannot be drawn on a logarithmic axis.
    return table[table["value_ms"] > 0].reset_index(drop=True)


def _spaced(requests: int) -> np.ndarray:
    """Give log-spaced `one in N` from 2 on; 10, 100 and 1000 are among them."""
    furthest = max(requests / REQUESTS_BEYOND, min(1 / (1 - _ALWAYS_SHOWN), requests))
    grid = 10 ** (np.arange(0, 10 * _POINTS_A_DECADE) / _POINTS_A_DECADE)
    inside = np.round(grid[(grid > 2) & (grid <= furthest * (1 + 1e-9))], 6)
    return np.concatenate([[2.0], inside])


def _points(part: pd.DataFrame, one_in: np.ndarray) -> list[dict[str, object]]:
    at_least = np.stack(part["at_least_ns"].to_list()) / _NS_PER_MS
    at_most = np.stack(part["at_most_ns"].to_list()) / _NS_PER_MS
    furthest = _spaced(int(part["requests"].min()))[-1]
    return [
        {"one_in": n} | over_processes(at_least[:, place], at_most[:, place])
        for place, n in enumerate(one_in)
        if n <= furthest
    ]


def share(found: Latency, column: str) -> pd.DataFrame:
    """Give a column of `costs` summarised over processes: columns variant, runtime, rate_per_s, value, lo, hi, n."""
    rows = []
    for key, part in found.costs.groupby(RUNG, observed=True, dropna=False, sort=False):
        said: Estimate = median_of_processes(part[column])
        rows.append((*key, said.value, said.lo, said.hi, said.n))
    return pd.DataFrame(rows, columns=[*RUNG, "value", "lo", "hi", "n"])


def _is_rate(rates: pd.Series, rate_per_s: float | None) -> pd.Series:
    return rates.isna() if rate_per_s is None else rates == rate_per_s
