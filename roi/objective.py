"""Capacity at an objective: the largest rate of Poisson arrivals whose slow requests are still fast enough."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from roi.data import Run
from roi.density import GIB, by_variant

AT_OBJECTIVE = """
    select c.variant, c.runtime, c.cell_id, c.block, c.blind_label, c.workers, c.gateway_pss_bytes, c.ceiling_per_s,
           c.options ->> 'objective_ms' as objective_ms, c.options ->> 'quantile' as quantile, s.rate_per_s
    from cells c left join (select cell_id, rate_per_s from steps where found) s using (cell_id)
    where c.scenario = 'capacity' and c.failure is null and (c.gate_passed or $all_cells)
    order by c.variant, c.cell_id
"""
"""One row a process that was searched: the largest rate of Poisson arrivals that met the objective every time; null when
none was found."""


@dataclass(frozen=True)
class Objective:
    """What a request must keep."""

    quantile: float
    """Share of the requests."""
    limit_ms: float
    """Response time, from the instant at which it was due."""

    def __str__(self) -> str:
        return f"{self.quantile * 100:g} of 100 requests within {self.limit_ms:g} ms"


def asked(run: Run) -> Objective | None:
    """Give the objective that the run searched with; None where it searched with none, or with several."""
    said = run.query(AT_OBJECTIVE, {"all_cells": True})[["quantile", "objective_ms"]].astype(float).drop_duplicates()
    return Objective(*said.iloc[0]) if len(said) == 1 else None


def capacity(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give by variant the largest rate that met the objective.

    Columns: variant, runtime, value, lo, hi, n (processes in which one was found), searched (processes), per_core, per_gib, pss_gib
    (memory at the end of the search, of which the repeats are the last steps), ceiling_share (of the generator's). Where some
    process found no rate, value is over the others and there is no interval; a variant that never found one has no row.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    cells = run.query(AT_OBJECTIVE, {"all_cells": all_cells})
    found = cells.dropna(subset=["rate_per_s"])
    table = by_variant(found, "rate_per_s")
    searched = table["variant"].map(cells.groupby("variant", observed=True).size())
    all_found = table["n"] == searched
    cores = found.groupby("variant", observed=True)["workers"].first()
    pss_gib = table["variant"].map(found.groupby("variant", observed=True)["gateway_pss_bytes"].mean()) / GIB
    ceiling = table["variant"].map(found.groupby("variant", observed=True)["ceiling_per_s"].first())
    return table.assign(
        lo=table["lo"].where(all_found), hi=table["hi"].where(all_found), searched=searched,
        per_core=table["value"] / table["variant"].map(cores).astype(float), per_gib=table["value"] / pss_gib,
        pss_gib=pss_gib.astype(float), ceiling_share=(table["value"] / ceiling).astype(float),
    )  # fmt: skip


def cost_a_million(capacities: pd.DataFrame, price_per_vcpu_hour: float, price_per_gib_hour: float) -> pd.Series:
    """Give what a million requests cost at the objective's rate, in the unit of the prices.

    Parameters
    ----------
    capacities
        As `capacity` gives them.
    price_per_vcpu_hour, price_per_gib_hour
        What an hour of a core, and of a GiB of memory, is billed at.
    """
    hours = 1e6 / (capacities["value"] * 3_600)
    cores = capacities["value"] / capacities["per_core"]
    return hours * (cores * price_per_vcpu_hour + capacities["pss_gib"] * price_per_gib_hour)
