"""Recovery: how long service was away after a fault, split into what the restart policy and what the runtime took."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from roi.data import Run

_NS_PER_S = 1e9

RECOVERIES = """
    select c.variant, c.runtime, c.cell_id, f.fault, f.policy, f.horizon_ns, f.censored, f.censor_reason, f.probes_lost,
           c.gate_passed, f.impact_ns is null as masked,
           coalesce(f.sustained_ns - f.inject_ns, f.horizon_ns) / 1e9 as recovery_s,
           (f.detect_ns - f.inject_ns) / 1e9 as detection_s,
           (f.exec_ns - f.detect_ns) / 1e9 as policy_s,
           (f.first_ok_ns - f.exec_ns) / 1e9 as runtime_s,
           (f.sustained_ns - f.first_ok_ns) / 1e9 as warm_up_s
    from faults f join cells c using (cell_id)
    where c.gate_passed or $all_cells
    order by f.fault, f.policy, c.variant, c.cell_id
"""
"""One row a fault: its parts in seconds; a recovery that did not come has the horizon, and is censored."""


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier estimate of how many faults still had no service, by time."""

    time_s: np.ndarray
    """Instants at which the curve steps, shape (k,)."""
    waiting: np.ndarray
    """Share without service from that instant on, shape (k,)."""
    n: int
    censored: int
    restricted_mean_s: float
    """Area under the curve up to the horizon: the mean recovery time, none longer than the horizon."""
    horizon_s: float


def recoveries(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give every fault with its recovery time and the parts of it, in seconds; see `RECOVERIES`.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    return run.query(RECOVERIES, {"all_cells": all_cells})


def parts(run: Run, fault: str, all_cells: bool = False) -> pd.DataFrame:
    """Give the median of each part in seconds by policy and variant, with n, censored and masked faults and lost probes."""
    table = recoveries(run, all_cells)
    table = table[table["fault"] == fault]
    grouped = table.groupby(["policy", "variant", "runtime"], observed=True)
    return grouped.agg(
        n=("recovery_s", "size"),
        censored=("censored", "sum"),
        masked=("masked", "sum"),
        detection_s=("detection_s", "median"),
        policy_s=("policy_s", "median"),
        runtime_s=("runtime_s", "median"),
        warm_up_s=("warm_up_s", "median"),
        recovery_s=("recovery_s", "median"),
        shortest_s=("recovery_s", "min"),
        longest_s=("recovery_s", "max"),
        probes_lost=("probes_lost", "sum"),
    ).reset_index()


def survival(recovery_s: np.ndarray, censored: np.ndarray, horizon_s: float) -> Survival:
    """Give the Kaplan-Meier curve of recovery times; runs that never recovered count as censored, not as absent.

    Parameters
    ----------
    recovery_s
        Seconds from the fault to sustained service, or to the end of the watch, shape (n,).
    censored
        Whether service was not sustained by then, shape (n,).
    horizon_s
        How long every fault was watched.
    """
    data = stats.CensoredData.right_censored(np.asarray(recovery_s, float), np.asarray(censored, bool))
    curve = stats.ecdf(data).sf
    edges = np.concatenate([[0.0], np.minimum(curve.quantiles, horizon_s), [horizon_s]])
    heights = np.concatenate([[1.0], curve.probabilities])
    return Survival(
        curve.quantiles, curve.probabilities, len(recovery_s), int(np.sum(censored)),
        float(np.sum(np.diff(edges) * heights)), horizon_s,
    )  # fmt: skip
