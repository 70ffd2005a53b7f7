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

QUANTILES = {"p99": 0.99, "p99.9": 0.999}
_BLOCK_NS = 250_000_000
"""Longer than a pause and the queue behind it take to pass."""

CELLS = """
    select variant, runtime, rate_per_s, cell_id from measured
    where traffic_model = 'open' and scenario = $scenario and (gate_passed or $all_cells)
    group by all order by variant, rate_per_s, cell_id
"""
"""The processes that have a request in their window."""

REQUESTS = """
    select intended_ns as begin_ns, intended_ns + response_time_ns as end_ns from measured
    where cell_id = $cell order by intended_ns
"""
"""The requests of one process: those of all at once would not fit into memory."""

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
    rows = []
    for key, part in run.query(CELLS, asked).groupby(latency.RUNG, observed=True, dropna=False, sort=False):
        cells = [_met(run, cell, stops.get(cell), stalls.get(cell)) for cell in part["cell_id"]]
        head = dict(zip(latency.RUNG, key, strict=True))
        rows += [head | figures for figures in _figures(cells, applicable=key[0] not in without)]
    columns = [*latency.RUNG, "quantile", "beyond", "of_all", "met", "lo", "hi", "blocks", "stalled", "cause", "hidden"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class _Process:
    """The requests of one process, of which only the slow ones are kept."""

    requests: int
    stopped: int
    """Of all of them, those that met a stop."""
    slow: dict[str, pd.DataFrame]
    """By quantile what lies beyond it: columns cell_id, block, stopped, cause."""


def _met(run: Run, cell: str, stops: pd.DataFrame | None, stalls: pd.DataFrame | None) -> _Process:
    """Give what the requests of a process met."""
    requests = run.query(REQUESTS, {"cell": cell})
    begin, end = requests["begin_ns"].to_numpy(), requests["end_ns"].to_numpy()
    stopped = np.zeros(len(begin), bool)
    if stops is not None:
        until = stops["end_ns"].to_numpy()
        stopped = overlaps(begin, end, until - stops["dur_hi_ns"].to_numpy(), until)
    slow = {}
    for name, q in QUANTILES.items():
        # What took longer than the process' own quantile.
        beyond = end - begin > np.quantile(end - begin, q, method="inverted_cdf")
        slow[name] = pd.DataFrame({
            "cell_id": cell, "block": begin[beyond] // _BLOCK_NS, "stopped": stopped[beyond],
            "cause": _causes(begin[beyond], end[beyond], stalls),
        })  # fmt: skip
    return _Process(len(begin), int(stopped.sum()), slow)


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


def _figures(cells: list[_Process], *, applicable: bool) -> Iterator[dict[str, object]]:
    of_all = sum(cell.stopped for cell in cells) / sum(cell.requests for cell in cells)
    fewest = min(cell.requests for cell in cells)
    for name, q in QUANTILES.items():
        slow = pd.concat([cell.slow[name] for cell in cells])
        said = {"quantile": name, "beyond": len(slow), "hidden": not latency.enough(q, fewest), "cause": None}
        if len(slow):
            waited = slow["cause"].dropna()
            said |= {"stalled": len(waited) / len(slow), "cause": waited.mode().iloc[0] if len(waited) else None}
            if applicable:
                blocks = slow.groupby(["cell_id", "block"], observed=True).ngroup()
                met = share_of_blocks(slow["stopped"].to_numpy(), blocks.to_numpy())
                said |= {"of_all": of_all, "met": met.value, "lo": met.lo, "hi": met.hi, "blocks": met.n}
        yield said
