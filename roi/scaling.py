"""How throughput grows with busy connections, and the Universal Scalability Law through it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from roi.data import Run
from roi.density import by_variant
from roi.statistics.scalability import LEAST_RUNGS, Scalability, scalability

CURVE = """
    select c.variant, c.runtime, c.cell_id, c.workers, s.connections,
           s.good * 1e9 / (s.ended_ns - s.began_ns) as rate_per_s
    from cells c join steps s using (cell_id)
    where c.scenario = 'scalability' and s.kind = 'closed' and s.good > 0 and (c.gate_passed or $all_cells)
    order by c.variant, c.cell_id, s.connections
"""
"""One row a rung of a process: requests/s answered with 2xx by busy connections."""


@dataclass(frozen=True)
class Growth:
    """What a variant's throughput did."""

    variant: str
    runtime: str
    law: Scalability
    processes: int
    """Whole curves behind it."""


def curve(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give requests/s by busy connections: columns variant, runtime, value, lo, hi, n, connections."""
    cells = run.query(CURVE, {"all_cells": all_cells})
    parts = [by_variant(part, "rate_per_s").assign(connections=number) for number, part in cells.groupby("connections")]
    if not parts:
        return by_variant(cells, "rate_per_s").assign(connections=pd.Series(dtype=float))
    return pd.concat(parts, ignore_index=True).sort_values(["variant", "connections"], ignore_index=True)


def growth(run: Run, all_cells: bool = False) -> list[Growth]:
    """Give the law of every variant that has six rungs or more, from the processes that have all of them."""
    cells = run.query(CURVE, {"all_cells": all_cells})
    found = []
    for (variant, runtime), part in cells.groupby(["variant", "runtime"], observed=True):
        curves = part.pivot_table(index="cell_id", columns="connections", values="rate_per_s", observed=True).dropna()
        if curves.shape[1] >= LEAST_RUNGS and len(curves):
            law = scalability(curves.columns.to_numpy(float), curves.to_numpy())
            found.append(Growth(str(variant), str(runtime), law, len(curves)))
    return found


def best_rungs(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give of every process the rung at which it served most: a row of `CURVE` each."""
    cells = run.query(CURVE, {"all_cells": all_cells})
    return cells.loc[cells.groupby("cell_id", observed=True)["rate_per_s"].idxmax()] if len(cells) else cells


def best(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give by variant the most requests/s of any rung of a process: columns variant, runtime, value, lo, hi, n, connections.

    `connections` is the rung that was the best of the most processes.
    """
    top = best_rungs(run, all_cells)
    rung = top.groupby("variant", observed=True)["connections"].agg(lambda numbers: numbers.mode().iloc[0])
    table = by_variant(top, "rate_per_s")
    return table.assign(connections=table["variant"].map(rung).astype(float))
