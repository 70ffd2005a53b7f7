"""What the slowest requests have in common: how many of them met a stop of their gateway, or waited in a stall.

A request meets a stop when the time from its intended instant to its answer shares an instant with it. That is not yet a
cause: a request that is slow for another reason lasts longer and meets more stops. So the share among the slow stands beside
that among all requests, and the ledger's stalls, which have one cause an instant, beside both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi import latency, pauses
from roi.data import Run
from roi.statistics.overlap import overlaps, share_of_blocks
from roi.statistics.quantiles import quantiles_of_buckets

QUANTILES = {"p99": 0.99, "p99.9": 0.999}
_NONE = pd.DataFrame({"cell_id": [], **dict.fromkeys(QUANTILES, np.zeros(0, bool))})
_BLOCK_NS = 250_000_000
"""Longer than a pause and the queue behind it take to pass."""

CELLS = """
    select c.variant, c.runtime, c.rate_per_s, cell_id, at_least_ns, sum(h.count)::bigint as count,
           coalesce(sum(h.count) filter (stopped), 0)::bigint as stopped
    from histograms h join cells c using (cell_id)
    where time = 'response' and c.traffic_model = 'open' and c.scenario = $scenario and (c.gate_passed or $all_cells)
    group by all order by c.variant, c.rate_per_s, cell_id, at_least_ns
"""
"""The processes that have a request in their window: how many took how long, and met a stop."""

SLOW = """
    with limits as (select unnest($cells::varchar[]) as cell_id, unnest($limits_ns::bigint[]) as limit_ns)
    select cell_id, intended_ns as begin_ns, intended_ns + response_time_ns as end_ns
    from measured join limits using (cell_id)
    where response_time_ns >= (select min(limit_ns) from limits) and response_time_ns >= limit_ns
    order by cell_id, intended_ns
"""
"""The requests of some processes that took so long or longer."""

STALLS = """
    select c.cell_id, s.begin_ns, s.end_ns, s.cause from stalls s join cells c using (cell_id)
    where c.scenario = $scenario and (c.gate_passed or $all_cells)
"""


@dataclass(frozen=True)
class Tails:
    """What the slow requests of one scenario met."""

    run: Run
    scenario: str
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    rows: pd.DataFrame
    """See `slow_requests`."""


def study(run: Run, scenario: str, all_cells: bool = False) -> Tails:
    """Look at the slow requests of the open-loop cells of a scenario; one without any gives an empty table."""
    return Tails(run, scenario, all_cells, slow_requests(run, scenario, all_cells))


def slow_requests(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give for every variant and rung the share of requests beyond p99 and p99.9 that met a stop or a stall.

    Columns: variant, runtime, rate_per_s, quantile, beyond (requests), of_all (share of all requests that met a stop), met, lo,
    hi, blocks (share of those beyond the quantile of their own process, with an interval over blocks of a quarter of a
    second), stalled (share of them that waited in a stall of 2 ms or longer), cause (what most of these stalls are put down
    to; missing without any), hidden (fewer than 100 requests of a process lie beyond). Shares of stops are missing where
    there is no collector.
    """
    asked = {"scenario": scenario, "all_cells": all_cells}
    stops = dict(iter(run.query(pauses.STOPS, asked).groupby("cell_id", observed=True)))
    stalls = dict(iter(run.query(STALLS, asked).groupby("cell_id", observed=True)))
    without = set(run.query("select variant from cells where collector = 'none'")["variant"])
    histograms = run.query(CELLS, asked)
    limits_ns = {cell: _limits_ns(part) for cell, part in histograms.groupby("cell_id", observed=True)}
    slowest = {"cells": list(limits_ns), "limits_ns": [limits["p99"] for limits in limits_ns.values()]}
    met = [
        _met(cell, slow, limits_ns[cell], stops.get(cell), stalls.get(cell))
        for cell, slow in run.query(SLOW, slowest).groupby("cell_id", observed=True)
    ]
    every = pd.concat(met) if met else _NONE
    rows = []
    for key, part in histograms.groupby(latency.RUNG, observed=True, dropna=False, sort=False):
        head = dict(zip(latency.RUNG, key, strict=True))
        slow = every[every["cell_id"].isin(part["cell_id"])]
        rows += [head | figures for figures in _figures(part, slow, applicable=key[0] not in without)]
    columns = [*latency.RUNG, "quantile", "beyond", "of_all", "met", "lo", "hi", "blocks", "stalled", "cause", "hidden"]
    return pd.DataFrame(rows, columns=columns)


def _limits_ns(histogram: pd.DataFrame) -> dict[str, int]:
    """Give by quantile of a process the time from which on requests lie beyond it."""
    beyond_ns = np.append(histogram["at_least_ns"].to_numpy()[1:], np.iinfo(np.int64).max)
    buckets = np.arange(len(beyond_ns))
    holds, _ = quantiles_of_buckets(buckets, histogram["count"], np.zeros(len(buckets)), list(QUANTILES.values()))
    return dict(zip(QUANTILES, beyond_ns[holds.astype(int)].tolist(), strict=True))


def _met(
    cell: str, slow: pd.DataFrame, limits_ns: dict[str, int], stops: pd.DataFrame | None, stalls: pd.DataFrame | None
) -> pd.DataFrame:
    """Give what the slow requests of a process met: cell_id, block, stopped, cause, and by quantile whether they lie beyond it."""
    begin, end = slow["begin_ns"].to_numpy(), slow["end_ns"].to_numpy()
    stopped = np.zeros(len(begin), bool)
    if stops is not None:
        until = stops["end_ns"].to_numpy()
        stopped = overlaps(begin, end, until - stops["dur_hi_ns"].to_numpy(), until)
    beyond = {name: end - begin >= limit_ns for name, limit_ns in limits_ns.items()}
    said = {"cell_id": cell, "block": begin // _BLOCK_NS, "stopped": stopped, "cause": _causes(begin, end, stalls)}
    return pd.DataFrame(said | beyond)


def _causes(begin: np.ndarray, end: np.ndarray, stalls: pd.DataFrame | None) -> np.ndarray:
    """Give the cause of the first stall that each request waited in; None for those that waited in none."""
    causes = np.full(len(begin), None, object)
    if stalls is None:
        return causes
    ordered = stalls.sort_values("begin_ns")
    # Stalls of a process do not overlap: the first that ends after the request began is the only one that needs a look.
    nearest = np.searchsorted(ordered["end_ns"].to_numpy(), begin, side="right")
    place = np.minimum(nearest, len(ordered) - 1)
    inside = (nearest < len(ordered)) & (ordered["begin_ns"].to_numpy()[place] < end)
    causes[inside] = ordered["cause"].astype(str).to_numpy()[place[inside]]
    return causes


def _figures(histograms: pd.DataFrame, met: pd.DataFrame, *, applicable: bool) -> Iterator[dict[str, object]]:
    of_all = histograms["stopped"].sum() / histograms["count"].sum()
    fewest = histograms.groupby("cell_id", observed=True)["count"].sum().min()
    for name, q in QUANTILES.items():
        slow = met[met[name]]
        said = {"quantile": name, "beyond": len(slow), "hidden": not latency.enough(q, fewest), "cause": None}
        if len(slow):
            waited = slow["cause"].dropna()
            said |= {"stalled": len(waited) / len(slow), "cause": waited.mode().iloc[0] if len(waited) else None}
            if applicable:
                blocks = slow.groupby(["cell_id", "block"], observed=True).ngroup()
                share = share_of_blocks(slow["stopped"].to_numpy(), blocks.to_numpy())
                said |= {"of_all": of_all, "met": share.value, "lo": share.lo, "hi": share.hi, "blocks": share.n}
        yield said
