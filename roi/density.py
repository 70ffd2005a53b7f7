"""QPS density: how many requests a second a processor core or a GiB of memory serves, with the interval it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi.data import Run
from roi.statistics.bootstrap import ratio
from roi.statistics.estimate import Estimate, geometric_mean_of_processes

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

LOADS = """
    select variant, runtime, cell_id, scenario || coalesce(' at ' || rate_per_s, '') as load, 0 as tenth,
           gateway_cpu_ns / 1e3 / rows_good as demand_us,
           gateway_cpu_ns::double / (measure_end_ns - measure_start_ns) / workers as utilisation
    from cells
    where scenario in ('steady', 'saturate') and gateway_cpu_ns > 0 and rows_good > 0 and (gate_passed or $all_cells)
    order by variant, cell_id
"""
"""One row a process under one load: CPU microseconds a request, and the share of its cores that was busy."""

STEPS = """
    with used as (
        select c.variant, c.runtime, c.cell_id, c.workers, s.step, s.good, (s.ended_ns - s.began_ns)::double as length_ns, p.pid,
               max_by(p.cpu_ns, p.time_ns) filter (p.time_ns <= s.ended_ns)
               - max_by(p.cpu_ns, p.time_ns) filter (p.time_ns <= s.began_ns) as cpu_ns,
               max(p.time_ns) filter (p.time_ns <= s.ended_ns)
               - max(p.time_ns) filter (p.time_ns <= s.began_ns) as sampled_ns
        from cells c join steps s using (cell_id) join process p using (cell_id)
        where c.scenario = 'capacity' and s.kind <> 'closed' and p.role = 'gateway' and c.failure is null
              and s.good >= $served * s.rate_per_s * (s.ended_ns - s.began_ns) / 1e9 and (c.gate_passed or $all_cells)
        group by all having sampled_ns > 0
    ),
    whole as (
        select variant, runtime, cell_id, workers, step, good, length_ns,
               sum(cpu_ns * length_ns / sampled_ns order by pid) as cpu_ns
        from used group by all
    )
    select variant, runtime, cell_id, 'capacity' as load, floor(10 * cpu_ns / length_ns / workers)::integer as tenth,
           sum(cpu_ns order by step) / 1e3 / sum(good) as demand_us,
           sum(cpu_ns order by step) / sum(length_ns * workers order by step) as utilisation
    from whole where cpu_ns > 0 group by all order by variant, cell_id, tenth
"""
"""One row a process and tenth of utilisation: the steps of a search that were served, as `LOADS` has its rows."""

_SERVED = 0.95
"""Answered over offered from which on a step was served."""

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


@dataclass(frozen=True)
class DemandCurve:
    """What a request costs by how busy a core is, as measured; between two points a straight line.

    A request that finds the process idle pays for waking it, one that finds it busy does not. Of random arrivals the first are
    1 - utilisation, so the mean cost is linear in utilisation (the exceptional first service of a busy period: Welch, Operations
    Research 12, 1964).
    """

    utilisation: np.ndarray
    """Share of a core's time that was busy, ascending, shape (n,)."""
    demand_us: np.ndarray
    """CPU time of a request there, shape (n,)."""

    def at(self, utilisation: float) -> float | None:
        """Give the CPU time of a request at a utilisation, µs; None outside of what was measured."""
        if not self.utilisation[0] <= utilisation <= self.utilisation[-1]:
            return None
        return float(np.interp(utilisation, self.utilisation, self.demand_us))

    def busy(self, rate_per_s: float | np.ndarray) -> np.ndarray:
        """Give the share of a core's time that rates take, shape of `rate_per_s`.

        Beyond the rate of the busiest point it is that point's, and before that of the least busy one a request costs what it does
        there.
        """
        # With D = a + b U and X = U / D, 1/U is linear in 1/X. Where more was busy and less was served, the rate counts as
        # reached at the lesser utilisation.
        rates = np.maximum.accumulate(self.utilisation / self.demand_us) * 1e6
        inside = np.maximum(rate_per_s, rates[0])
        found = 1 / np.interp(1 / inside, 1 / rates[::-1], 1 / self.utilisation[::-1])
        return found * np.minimum(np.asarray(rate_per_s) / rates[0], 1.0)


def demand_curves(run: Run, all_cells: bool = False) -> dict[str, list[DemandCurve]]:
    """Give by variant what a request costs by utilisation, a curve for one process of each load.

    The loads are the rungs of steady traffic, saturation, and the steps of the search for a capacity that were served. The first
    curve is of the first process of each, and so on, so no two share one: there are as many as the load with the fewest
    processes has. A closed loop of few connections is none of them: its arrivals are not random.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    asked = {"all_cells": all_cells}
    points = pd.concat([run.query(LOADS, asked), run.query(STEPS, asked | {"served": _SERVED})], ignore_index=True)
    return {str(variant): _curves(part) for variant, part in points.groupby("variant", observed=True)}


def _curves(points: pd.DataFrame) -> list[DemandCurve]:
    by_load = [
        [process for _, process in part.groupby("cell_id", observed=True)]
        for _, part in points.groupby("load", observed=True)
    ]
    found = []
    for processes in zip(*by_load, strict=False):
        one = pd.concat(processes).sort_values("utilisation")
        found.append(DemandCurve(one["utilisation"].to_numpy(float), one["demand_us"].to_numpy(float)))
    return found


@dataclass(frozen=True)
class PlannedDemand:
    """What a request costs on a core that is planned to be busy for a share of its time."""

    demand_us: Estimate | None
    """CPU time of a request, over curves; None where some curve begins with a busier core than planned."""
    beyond: bool
    """Some curve ends with a less busy core than planned, and its demand is that of its busiest point."""
    most: float
    """Utilisation that every curve reaches."""
    full_us: float
    """CPU time of a request at the busiest points, over curves."""


def planned_demand(curves: list[DemandCurve], utilisation: float, confidence: float = 0.95) -> PlannedDemand:
    """Give what a request costs at a utilisation, interpolated between what was measured; see `PlannedDemand`.

    Parameters
    ----------
    curves
        Of one variant, one or more.
    utilisation
        Share of a core's time, above 0 and below 1.
    """
    values = [curve.at(min(utilisation, curve.utilisation[-1])) for curve in curves]
    demand_us = None if None in values else geometric_mean_of_processes(values, confidence)
    most = float(min(curve.utilisation[-1] for curve in curves))
    full_us = geometric_mean_of_processes([curve.demand_us[-1] for curve in curves]).value
    return PlannedDemand(demand_us, utilisation > most, most, full_us)
