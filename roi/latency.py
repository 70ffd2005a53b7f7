"""Latency of an open loop: how long requests take from the instant at which the schedule wanted them sent.

Response time is service time and what passed before sending. Quantiles are those of a process, one fresh process a cell,
and are then summarised over processes; they are never averaged over parts of one. They come from the run's histograms, whose
buckets are less than 0.8 % wide. A request that was never answered, or
never sent, took at least as long as it waited: it stays in the sample, and a quantile that it could move is a lower bound.

Closed loops have no place here: their users wait for an answer before they ask again, and so ask least while it is slow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi.data import Run, highest_of_most
from roi.statistics.estimate import Estimate, median_of_processes
from roi.statistics.quantiles import quantiles_of_buckets

TIMES = ("response", "service", "lag")
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
REQUESTS_BEYOND = 100
"""Requests of a process that must lie beyond a quantile above p99: p99.9 takes 100 000."""
_ALWAYS_SHOWN = 0.99
_POINTS_A_DECADE = 25
_NS_PER_MS = 1e6
RUNG = ["variant", "runtime", "rate_per_s"]

OPEN_ENDED = "outcome not in ('ok', 'error')"
"""Condition of requests whose time is only known from below: they were never answered, or never sent."""

HISTOGRAMS = f"""
    select variant, runtime, rate_per_s, cell_id, time, at_least_ns, sum(h.count)::bigint as count, sum(h.sum_ns)::double as sum_ns,
           coalesce(sum(h.count) filter (case when time = 'lag' then outcome = 'unsent' else {OPEN_ENDED} end), 0)::bigint
               as open_ended
    from histograms h join cells c using (cell_id)
    where traffic_model = 'open' and scenario = $scenario and (gate_passed or $all_cells)
    group by all order by variant, rate_per_s, cell_id, time, at_least_ns
"""
"""One row a process, time and bucket: its requests, and those of them whose time is only known from below."""

COSTS = f"""
    select c.variant, c.runtime, c.rate_per_s, c.cell_id,
           sum(h.count) filter (time = 'response')::bigint as requests,
           coalesce(sum(h.count) filter (time = 'response' and {OPEN_ENDED}), 0)::bigint as unanswered,
           coalesce(sum(h.count) filter (time = 'response' and outcome = 'error'), 0)::bigint as errors,
           coalesce(sum(h.count) filter (time = 'service'), 0) * 1e9 / any_value(c.measure_end_ns - c.measure_start_ns)
               as sent_per_s,
           sum(sum_ns) filter (time = 'lag') / sum(sum_ns) filter (time = 'response') as lag_share,
           coalesce(sum(sum_ns) filter (time = 'lag' and not queued), 0) / sum(sum_ns) filter (time = 'response')
               as generator_share,
           any_value(c.schedule_lag_p99_ns) / 1e6 as generator_lag_p99_ms,
           any_value(c.ceiling_per_s) as ceiling_per_s, any_value(c.ceiling_share) as ceiling_share
    from histograms h join cells c using (cell_id)
    where c.traffic_model = 'open' and c.scenario = $scenario and (c.gate_passed or $all_cells)
    group by c.variant, c.runtime, c.rate_per_s, c.cell_id order by c.variant, c.rate_per_s, c.cell_id
"""
"""One row a process: what was never answered, and which share of all response time passed before sending."""


@dataclass(frozen=True)
class Latency:
    """The open-loop cells of one scenario, measured up."""

    run: Run
    scenario: str
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    histograms: pd.DataFrame
    """A row a process, time and bucket; see `HISTOGRAMS`."""
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
    histograms = run.query(HISTOGRAMS, asked)
    figures = summarise(of_processes(histograms, list(QUANTILES.values())))
    return Latency(run, scenario, all_cells, histograms, figures, run.query(COSTS, asked))


def of_processes(histograms: pd.DataFrame, quantiles: Sequence[float]) -> pd.DataFrame:
    """Give quantiles of processes from their histograms: a row a process and time.

    Columns: variant, runtime, rate_per_s, cell_id, time, requests, open_ended (of them those whose time is only known from below),
    at_least_ns and at_most_ns (lists in the order of `quantiles`, with what is open-ended as short and as long as it can be).

    Parameters
    ----------
    histograms
        As `HISTOGRAMS` gives them, buckets ascending.
    """
    key = [*RUNG, "cell_id", "time"]
    rows = [
        (*of, int(part["count"].sum()), int(part["open_ended"].sum()),
         *quantiles_of_buckets(part["sum_ns"] / part["count"], part["count"], part["open_ended"], quantiles))
        for of, part in histograms.groupby(key, observed=True, dropna=False, sort=False)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=[*key, "requests", "open_ended", "at_least_ns", "at_most_ns"])


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
    """Give quantiles at log-spaced shares, as far as the requests of a process carry them.

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
    every = found.histograms
    asked = every[_is_rate(every["rate_per_s"], rate_per_s) & (every["variant"].isin([variant]) | (not variant))]
    processes = of_processes(asked, (1 - 1 / one_in).tolist())
    rows = [
        dict(zip(RUNG, key[:-1], strict=True)) | {"time": key[-1], "processes": len(part)} | point
        for key, part in processes.groupby([*RUNG, "time"], observed=True, dropna=False, sort=False)
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
