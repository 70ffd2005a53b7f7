"""Density four ways that know nothing of each other, and whether they agree where they overlap.

CPU time a request at equal load (the service demand law), saturation, the best of the rungs of busy connections, and the largest
rate at an objective: each in fresh processes of its own, each as requests/s a core.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from roi import density, objective, scaling
from roi.data import Run
from roi.statistics.bootstrap import ratio
from roi.statistics.estimate import Estimate, geometric_mean_of_processes

_SAME = 0.1
"""How far two ways to saturate may be apart: their processes differ in age, and their connections in number."""


@dataclass(frozen=True)
class Check:
    """One overlap of two ways."""

    variant: str
    what: str
    """What is over what."""
    must: str
    """What it must be, in words."""
    ratio: Estimate
    holds: bool
    """Nothing in the interval (or in the figure, where there is none) would be as it must."""


def densities(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give requests/s a core each way: columns variant, runtime, way, value, lo, hi, n.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    parts = [_inverse(at_rate, f"1 / CPU time at {rate:g}/s") for rate, at_rate in
             density.service_demand(run, all_cells).groupby("rate_per_s")]  # fmt: skip
    saturated = run.query(density.CAPACITY, {"all_cells": all_cells})
    parts += [
        _per_core(density.capacity(run, all_cells), "saturation"),
        _inverse(density.by_variant(saturated.dropna(subset=["cpu_us"]), "cpu_us"), "1 / CPU time at saturation"),
        _per_core(_with_cores(run, scaling.best(run, all_cells), scaling.CURVE, all_cells), "best rung"),
        _per_core(objective.capacity(run, all_cells), "at the objective"),
    ]
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def checks(run: Run, all_cells: bool = False) -> list[Check]:
    """Hold the ways against each other, variant by variant, wherever two of them are there."""
    saturated = run.query(density.CAPACITY, {"all_cells": all_cells}).dropna(subset=["cpu_us"])
    top = scaling.best_rungs(run, all_cells)
    searched = run.query(objective.AT_OBJECTIVE, {"all_cells": all_cells}).dropna(subset=["rate_per_s"])
    found = []
    for variant, part in saturated.groupby("variant", observed=True):
        rates = part["rate_per_s"].to_numpy()
        used = rates * part["cpu_us"].to_numpy() / 1e6 / part["workers"].to_numpy()
        mean = geometric_mean_of_processes(used)
        found.append(Check(str(variant), "saturation over 1 / CPU time at saturation", "0.9 to 1: all that there is, and no"
                           " more", mean, bool(0.9 <= mean.value <= 1.02)))  # fmt: skip
        best = top.loc[top["variant"] == variant, "rate_per_s"]
        if len(best):
            same = ratio(best, rates).estimate()
            found.append(Check(str(variant), "best rung over saturation", f"1 within {_SAME:.0%}: the same thing twice", same,
                               _holds_some(same, 1 / (1 + _SAME), 1 + _SAME)))  # fmt: skip
        kept = searched.loc[searched["variant"] == variant, "rate_per_s"]
        if len(kept):
            below = ratio(kept, rates).estimate()
            found.append(Check(str(variant), "at the objective over saturation", "at most 1: an objective takes, and gives"
                               " nothing", below, _holds_some(below, 0.0, 1 + _SAME)))  # fmt: skip
    return found


def _holds_some(found: Estimate, least: float, most: float) -> bool:
    """Tell whether the interval has something in common with what must be."""
    lo, hi = (found.value if end is None else end for end in (found.lo, found.hi))
    return lo <= most and hi >= least


def _per_core(table: pd.DataFrame, way: str) -> pd.DataFrame:
    cores = table["value"] / table["per_core"]
    return _named(table.assign(value=table["value"] / cores, lo=table["lo"] / cores, hi=table["hi"] / cores), way)


def _inverse(table: pd.DataFrame, way: str) -> pd.DataFrame:
    """Give requests a CPU-second from CPU microseconds a request; the ends change places."""
    return _named(table.assign(value=1e6 / table["value"], lo=1e6 / table["hi"], hi=1e6 / table["lo"]), way)


def _with_cores(run: Run, table: pd.DataFrame, query: str, all_cells: bool) -> pd.DataFrame:
    cores = run.query(query, {"all_cells": all_cells}).groupby("variant", observed=True)["workers"].first()
    return table.assign(per_core=table["value"] / table["variant"].map(cores).astype(float))


def _named(table: pd.DataFrame, way: str) -> pd.DataFrame:
    return table.assign(way=way)[["variant", "runtime", "way", "value", "lo", "hi", "n"]]
