"""The ledger of stalls: of the time in which clients waited and nothing came, how much is put down to what."""

from __future__ import annotations

import pandas as pd

from bench.store.schema import STALLS
from roi.data import Run

CAUSES = tuple(
    name.removesuffix("_ns")
    for name in STALLS.schema.names
    if name.endswith("_ns") and name not in ("begin_ns", "end_ns")
)
"""What a stall may be put down to, as the columns of its table have it."""

OF_STALLS = f"""
    select c.variant, c.runtime, count(*) as stalls, sum(s.end_ns - s.begin_ns) / 1e6 as stalled_ms,
           max(s.end_ns - s.begin_ns) / 1e6 as longest_ms,
           {", ".join(f"sum(s.{cause}_ns) / 1e6 as {cause}_ms" for cause in CAUSES)}
    from stalls s join cells c using (cell_id)
    where c.scenario = $scenario and (c.gate_passed or $all_cells)
          and s.begin_ns between c.measure_start_ns and c.measure_end_ns
    group by all order by c.variant
"""
"""Stalls that began within the measured windows, by variant, in ms."""

OF_FLOOR = """
    select c.variant, max(c.control_p99_ns) / 1e6 as floor_ms, max(c.hiccup_p99_ns) / 1e6 as p99_ms,
           max(c.hiccup_max_ns) / 1e6 as hiccup_ms, max(c.control_max_ns) / 1e6 as control_ms,
           sum(c.hiccup_wakes)::bigint as wakes, bool_or(c.meters_perturb) as perturbed,
           sum(c.records_bytes) / sum((c.measure_end_ns - c.started_ns) / 60e9) / 1048576 as written_mib_per_min
    from cells c
    where c.scenario = $scenario and (c.gate_passed or $all_cells) and c.hiccup_wakes is not null
    group by all order by c.variant
"""
"""What the hiccup meters saw at worst, and the floor below which they claim nothing."""


def of_stalls(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give each variant's stalls of 2 ms or longer: number, sum, longest, and the parts by cause in ms."""
    return run.query(OF_STALLS, {"scenario": scenario, "all_cells": all_cells})


def floors(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """Give what hiccup meters saw, by variant, the worst of its processes; empty without hiccup meters.

    Columns: variant, floor_ms (P99 of its control's lateness), p99_ms, hiccup_ms and control_ms (longest of either), wakes,
    perturbed (the overhead proof said that its meters change what they measure; missing where nobody made it),
    written_mib_per_min (what logs and meters of its cells wrote).
    """
    return run.query(OF_FLOOR, {"scenario": scenario, "all_cells": all_cells})
