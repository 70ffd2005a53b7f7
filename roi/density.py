"""QPS density: how many requests a second a processor core or a GiB of memory serves, with the interval it has."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from roi.data import Run
from roi.statistics.estimate import Estimate, geometric_mean_of_processes, ratio_of_processes

_GIB = 1 << 30

CAPACITY = """
    select c.variant, c.runtime, c.cell_id, c.workers, c.gateway_pss_bytes, c.ceiling_share,
           count(*) filter (m.outcome = 'ok') * 1e9 / any_value(c.measure_end_ns - c.measure_start_ns) as rate_per_s,
           avg(m.service_time_ns) filter (m.outcome = 'ok') / 1e6 as mean_ms
    from cells c join measured m using (cell_id)
    where c.scenario = 'saturate' and (c.gate_passed or $all_cells)
    group by all having count(*) filter (m.outcome = 'ok') > 0 order by c.variant, c.cell_id
"""
"""One row a saturated process that answered anything: requests/s answered with 2xx."""

DEMAND = """
    select c.variant, c.runtime, c.cell_id, c.rate_per_s, c.gateway_pss_bytes, c.ceiling_share,
           c.gateway_cpu_ns / 1e3 / count(*) filter (m.outcome = 'ok') as cpu_us
    from cells c join measured m using (cell_id)
    where c.traffic_model = 'open' and c.scenario = 'steady' and c.gateway_cpu_ns is not null
          and (c.gate_passed or $all_cells)
    group by c.variant, c.runtime, c.cell_id, c.rate_per_s, c.gateway_pss_bytes, c.ceiling_share, c.gateway_cpu_ns
    having count(*) filter (m.outcome = 'ok') > 0
    order by c.variant, c.cell_id
"""
"""One row a process at equal offered load: microseconds of CPU a request (the service demand law, D = U/X)."""

WITHOUT_ANSWER = """
    select c.cell_id from cells c join measured m using (cell_id)
    where c.scenario = $scenario and (c.gate_passed or $all_cells)
    group by c.cell_id, c.position having count(*) filter (m.outcome = 'ok') = 0 order by c.position
"""


def without_answer(run: Run, scenario: str, all_cells: bool = False) -> list[str]:
    """Give the cells that answered no request with 2xx: they have neither a capacity nor a cost, and are left out."""
    return run.query(WITHOUT_ANSWER, {"scenario": scenario, "all_cells": all_cells})["cell_id"].tolist()


def capacity(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give requests/s at saturation for each variant: columns variant, runtime, value, lo, hi, n, per_core, per_gib, headroom.

    The headroom is what was left of the generator's ceiling in the process that used most of it; missing where nobody has
    measured the ceiling.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    cells = run.query(CAPACITY, {"all_cells": all_cells})
    table = _by_variant(cells, "rate_per_s")
    cores = cells.groupby("variant")["workers"].first()
    memory = cells.groupby("variant")["gateway_pss_bytes"].mean()
    return table.assign(
        per_core=table["value"] / table["variant"].map(cores),
        per_gib=table["value"] / (table["variant"].map(memory) / _GIB),
        headroom=_headroom(table, cells),
    )


def service_demand(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give CPU microseconds a request at equal offered load.

    Columns: variant, runtime, rate_per_s, value, lo, hi, n, headroom (see `capacity`), and per_cpu_second, its inverse: the
    requests that a second of CPU serves.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    cells = run.query(DEMAND, {"all_cells": all_cells})
    tables = [_at_rate(rate, part) for rate, part in cells.groupby("rate_per_s")]
    table = pd.concat(tables) if tables else _at_rate(None, cells)
    return table.assign(per_cpu_second=1e6 / table["value"]).reset_index(drop=True)


def capacity_ratio(run: Run, variant: str, base: str, all_cells: bool = False) -> Estimate | None:
    """Give requests/s at saturation of one variant over another; None when one of them has no cell."""
    cells = run.query(CAPACITY, {"all_cells": all_cells})
    return _ratio(cells, "rate_per_s", variant, base)


def ratios_to(run: Run, variant: str, bases: Iterable[str], all_cells: bool = False) -> pd.DataFrame:
    """Give `capacity_ratio` of a variant over each of several: columns base, value, lo, hi, n."""
    rows = []
    for base in bases:
        estimate = capacity_ratio(run, variant, base, all_cells)
        if estimate is not None:
            rows.append({"base": base, "value": estimate.value, "lo": estimate.lo, "hi": estimate.hi, "n": estimate.n})
    table = pd.DataFrame(rows, columns=["base", "value", "lo", "hi", "n"])
    return table.astype({"value": float, "lo": float, "hi": float})


def _at_rate(rate_per_s: float | None, cells: pd.DataFrame) -> pd.DataFrame:
    table = _by_variant(cells, "cpu_us")
    return table.assign(rate_per_s=rate_per_s, headroom=_headroom(table, cells))


def _headroom(table: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    return (1 - table["variant"].map(cells.groupby("variant")["ceiling_share"].max())).astype(float)


def _ratio(cells: pd.DataFrame, column: str, variant: str, base: str) -> Estimate | None:
    above = cells.loc[cells["variant"] == variant, column]
    below = cells.loc[cells["variant"] == base, column]
    return ratio_of_processes(above, below) if len(above) and len(below) else None


def _by_variant(cells: pd.DataFrame, column: str) -> pd.DataFrame:
    rows = []
    for (variant, runtime), part in cells.groupby(["variant", "runtime"], observed=True):
        estimate = geometric_mean_of_processes(part[column])
        rows.append((variant, runtime, estimate.value, estimate.lo, estimate.hi, estimate.n))
    table = pd.DataFrame(rows, columns=["variant", "runtime", "value", "lo", "hi", "n"])
    return table.astype({"value": float, "lo": float, "hi": float})
