"""What pauses cost: how much of a short window they leave, who meets them, and the CPU time that a collector takes instead.

A collector that never stops the application and burns half of its processor looks perfect by its pauses. So their lengths
stand here beside the share of CPU time that collecting took, and beside what a request costs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from roi import pauses
from roi.data import Run
from roi.statistics.counts import poisson_interval
from roi.statistics.utilisation import Bounds, bounds_of_utilisation, mean_wait

WINDOWS_MS = (1, 5, 10, 50)
"""Windows of the minimum mutator utilisation."""
_LONG_NS = 1_000_000
_NS_PER_MS, _NS_PER_US = 1_000_000, 1e3

COSTS = """
    select c.variant, c.runtime, any_value(c.collector) as collector, count(*) as processes,
           sum(c.measure_end_ns - c.measure_start_ns) as window_ns, sum(c.rows_good) as answered,
           sum(c.gateway_cpu_ns) as cpu_ns, sum(c.gc_cpu_lo_ns) as gc_lo_ns, sum(c.gc_cpu_hi_ns) as gc_hi_ns,
           count(*) filter (c.gateway_cpu_ns is null) as cpu_unknown,
           count(*) filter (c.gc_cpu_lo_ns is null or c.gc_cpu_hi_ns is null) as gc_unknown
    from cells c
    where c.scenario = $scenario and c.failure is null and (c.gate_passed or $all_cells)
    group by c.variant, c.runtime order by c.variant
"""
"""What the processes of a variant did and used in their measured windows, in sum."""

CELLS = """
    select variant, runtime, cell_id, measure_start_ns, measure_end_ns from cells
    where scenario = $scenario and failure is null and (gate_passed or $all_cells) and collector <> 'none'
    order by variant, cell_id
"""


def utilisation(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give the minimum mutator utilisation of every variant that has a collector, the worst of its processes.

    Columns: variant, runtime, window_ms, lo, hi (bounds of the share that the worst window of this length left to the
    application), processes, stops. Windows longer than a process was measured are left out.

    Where a runtime tells the sum of a collection's stops and not each of them (Go), the lower bound takes it for one stop, and
    the upper one takes the longest for half of it.
    """
    asked = {"scenario": scenario, "all_cells": all_cells}
    stops = dict(iter(run.query(pauses.STOPS, asked).groupby("cell_id", observed=True)))
    rows = []
    for (variant, runtime), cells in run.query(CELLS, asked).groupby(["variant", "runtime"], observed=True):
        seen = sum(len(stops.get(cell, ())) for cell in cells["cell_id"])
        for window_ms in WINDOWS_MS:
            found = [
                _of_cell(cell, stops.get(cell.cell_id), window_ms * _NS_PER_MS)
                for cell in cells.itertuples()
                if cell.measure_end_ns - cell.measure_start_ns >= window_ms * _NS_PER_MS
            ]
            if found:
                lo, hi = (min(getattr(bounds, end) for bounds in found) for end in ("lo", "hi"))
                rows.append((variant, runtime, window_ms, lo, hi, len(found), seen))
    return pd.DataFrame(rows, columns=["variant", "runtime", "window_ms", "lo", "hi", "processes", "stops"])


def _of_cell(cell: object, stops: pd.DataFrame | None, window_ns: int) -> Bounds:
    if stops is None:
        return Bounds(1.0, 1.0)
    least = np.where(stops["source"] == "go_gcstats", stops["dur_lo_ns"] // 2, stops["dur_lo_ns"])
    return bounds_of_utilisation(
        stops["end_ns"].to_numpy(), least, stops["dur_hi_ns"].to_numpy(), cell.measure_start_ns, cell.measure_end_ns, window_ns
    )  # fmt: skip


def costs(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give what collecting cost each variant and its requests.

    Columns: variant, runtime, collector, applicable, processes, answered, stopped_lo and stopped_hi (share of time in
    pauses), wait_lo_us and wait_hi_us (how long an arrival at a random instant waits for a pause, on average),
    long_at_least and long_at_most (pauses over 1 ms, counted), long_per_million, long_lo and long_hi (the same for a million
    requests, with the exact interval of the count), gc_cpu_lo and gc_cpu_hi (share of the gateway's CPU time), cpu_us (of a
    request). Missing is what a runtime does not tell, or what does not apply.
    """
    asked = {"scenario": scenario, "all_cells": all_cells}
    by_variant = dict(iter(run.query(pauses.OF_RECORD, asked).groupby("variant", observed=True)))
    rows = [_cost(row, by_variant.get(row.variant)) for row in run.query(COSTS, asked).itertuples()]
    return pd.DataFrame(rows, columns=None if rows else ["variant", "runtime", "applicable", "cpu_us"])


def _cost(row: object, seen: pd.DataFrame | None) -> dict[str, object]:
    applicable = row.collector != "none"
    said = {
        "variant": row.variant, "runtime": row.runtime, "collector": row.collector, "applicable": applicable,
        "processes": row.processes, "answered": int(row.answered),
        "cpu_us": row.cpu_ns / _NS_PER_US / row.answered if row.answered and not row.cpu_unknown else np.nan,
    }  # fmt: skip
    told = applicable and not row.gc_unknown and not row.cpu_unknown and row.cpu_ns
    said |= {f"gc_cpu_{end}": getattr(row, f"gc_{end}_ns") / row.cpu_ns if told else np.nan for end in ("lo", "hi")}
    if not applicable:
        return said
    empty = np.empty(0)
    lo, hi, count = (
        empty if seen is None else seen[name].to_numpy(float) for name in ("dur_lo_ns", "dur_hi_ns", "count")
    )
    wait = mean_wait(lo, hi, count, row.window_ns)
    at_least, at_most = (int(count[ends > _LONG_NS].sum()) for ends in (lo, hi))
    said |= {
        "stopped_lo": (lo * count).sum() / row.window_ns,
        "stopped_hi": (hi * count).sum() / row.window_ns,
        "wait_lo_us": wait.lo / _NS_PER_US,
        "wait_hi_us": wait.hi / _NS_PER_US,
        "long_at_least": at_least,
        "long_at_most": at_most,
    }
    if row.answered:
        millions = row.answered / 1e6
        low, high = poisson_interval(at_least, at_most)
        said |= {
            "long_per_million": (at_least + at_most) / 2 / millions, "long_lo": low / millions, "long_hi": high / millions,
        }  # fmt: skip
    return said
