"""QPS density: how many requests a second a processor core or a GiB of memory serves, with the interval it has."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from roi.data import Run
from roi.statistics.bootstrap import ratio
from roi.statistics.estimate import geometric_mean_of_processes

GIB = 1 << 30

CAPACITY = """
    select variant, runtime, cell_id, block, blind_label, workers, gateway_pss_bytes, ceiling_share,
           rows_good * 1e9 / (measure_end_ns - measure_start_ns) as rate_per_s, gateway_cpu_ns / 1e3 / rows_good as cpu_us
    from cells where scenario = 'saturate' and rows_good > 0 and (gate_passed or $all_cells)
    order by variant, cell_id
"""
"""One row a saturated process that answered anything: requests/s answered with 2xx, and CPU time a request there."""

DEMAND = """
    select variant, runtime, cell_id, block, blind_label, rate_per_s, workers, gateway_pss_bytes, ceiling_share,
           gateway_cpu_ns / 1e3 / rows_good as cpu_us
    from cells
    where scenario = 'steady' and gateway_cpu_ns is not null and rows_good > 0 and (gate_passed or $all_cells)
    order by variant, cell_id
"""
"""One row a process at equal offered load: microseconds of CPU a request (the service demand law, D = U/X)."""

WITHOUT_ANSWER = """
    select cell_id from cells
    where scenario = $scenario and failure is null and rows_good = 0 and (gate_passed or $all_cells) order by position
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
    table = by_variant(cells, "rate_per_s")
    cores = cells.groupby("variant")["workers"].first()
    memory = cells.groupby("variant")["gateway_pss_bytes"].mean()
    return table.assign(
        per_core=table["value"] / table["variant"].map(cores),
        per_gib=table["value"] / (table["variant"].map(memory) / GIB),
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


def ratios_to(run: Run, variant: str, bases: Iterable[str], all_cells: bool = False) -> pd.DataFrame:
    """Give requests/s at saturation of a variant over each of several, those without a cell left out.

    Columns: base, value, lo, hi, n, lead (probability that the variant serves more; missing without repetition).
    """
    cells = run.query(CAPACITY, {"all_cells": all_cells})
    figures = {str(name): part for name, part in cells.groupby("variant", observed=True)["rate_per_s"]}
    rows = []
    for base in bases:
        if variant in figures and base in figures:
            found = ratio(figures[variant], figures[base])
            estimate = found.estimate()
            rows.append((base, estimate.value, estimate.lo, estimate.hi, estimate.n, found.lead()))
    table = pd.DataFrame(rows, columns=["base", "value", "lo", "hi", "n", "lead"])
    return table.astype({"value": float, "lo": float, "hi": float, "lead": float})


def _at_rate(rate_per_s: float | None, cells: pd.DataFrame) -> pd.DataFrame:
    table = by_variant(cells, "cpu_us")
    return table.assign(rate_per_s=rate_per_s, headroom=_headroom(table, cells))


def _headroom(table: pd.DataFrame, cells: pd.DataFrame) -> pd.Series:
    return (1 - table["variant"].map(cells.groupby("variant")["ceiling_share"].max())).astype(float)


def by_variant(cells: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give the geometric mean of a column over processes: columns variant, runtime, value, lo, hi, n."""
    rows = []
    for (variant, runtime), part in cells.groupby(["variant", "runtime"], observed=True):
        estimate = geometric_mean_of_processes(part[column])
        rows.append((variant, runtime, estimate.value, estimate.lo, estimate.hi, estimate.n))
    table = pd.DataFrame(rows, columns=["variant", "runtime", "value", "lo", "hi", "n"])
    return table.astype({"value": float, "lo": float, "hi": float})
