"""Recovery: how long service was away after a fault, split into what the restart policy and what the runtime took.

A lab measures automated recovery from an injected fault, and no MTTR of an operations team. A run that never recovered is
censored at the horizon and stays in every figure; a fault that no client noticed is *masked*, which is a result of its own and
no recovery of zero seconds.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from roi.data import Run
from roi.statistics.survival import log_rank, median, restricted_mean, share, survival

_PROBES_PER_S = 100
"""Two streams of one every 20 ms: a lost probe stands for a hundredth of a second of outage."""
GROUP = ["policy", "variant", "runtime"]
PARTS = ("detection_s", "policy_s", "runtime_s", "warm_up_s")

RECOVERIES = """
    select c.variant, c.runtime, c.cell_id, f.fault, f.policy, f.horizon_ns / 1e9 as horizon_s, f.censored, f.censor_reason,
           f.probes_lost, c.gate_passed, f.impact_ns is null as masked,
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


def recoveries(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give every fault with its recovery time and the parts of it, in seconds; see `RECOVERIES`.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    return run.query(RECOVERIES, {"all_cells": all_cells})


def summary(run: Run, fault: str, objective_s: float, all_cells: bool = False) -> pd.DataFrame:
    """Give recovery by policy and variant.

    Columns: policy, variant, runtime; faults, masked, n (faults that clients noticed), censored, reasons (of the censored, with
    their number); median_s, median_lo_s, median_hi_s (missing where half of them did not come back); restricted_mean_s,
    restricted_lo_s, restricted_hi_s (nobody counted longer than horizon_s); within, within_lo, within_hi (share that had
    service again within the objective); outage_s (lost probes as seconds of outage, median); and the medians of the parts
    detection_s, policy_s, runtime_s, warm_up_s. What rests on no fault is missing.

    Parameters
    ----------
    objective_s
        Seconds within which service should be back.
    """
    table = _of(run, fault, all_cells)
    rows = [
        dict(zip(GROUP, key, strict=True)) | _summary(part, objective_s)
        for key, part in table.groupby(GROUP, observed=True)
    ]
    return pd.DataFrame(rows, columns=None if rows else [*GROUP, "faults", "n", "censored", "masked", *PARTS])


def _summary(part: pd.DataFrame, objective_s: float) -> dict[str, object]:
    seen = _noticed(part)
    said: dict[str, object] = {
        "faults": len(part), "masked": len(part) - len(seen), "n": len(seen), "censored": int(seen["censored"].sum()),
        "horizon_s": float(part["horizon_s"].min()),
    }  # fmt: skip
    if seen.empty:
        return said
    times, censored, horizon_s = seen["recovery_s"].to_numpy(), seen["censored"].to_numpy(bool), said["horizon_s"]
    mean = restricted_mean(times, censored, horizon_s)
    within = share(int((~censored & (times <= objective_s)).sum()), len(seen))
    reasons = seen.loc[censored, "censor_reason"].value_counts()
    middle, middle_lo, middle_hi = median(survival(times, censored, horizon_s))
    return said | {
        "median_s": middle, "median_lo_s": middle_lo, "median_hi_s": middle_hi,
        "restricted_mean_s": mean.value, "restricted_lo_s": mean.lo, "restricted_hi_s": mean.hi,
        "within": within.value, "within_lo": within.lo, "within_hi": within.hi,
        "outage_s": float(seen["probes_lost"].median()) / _PROBES_PER_S,
        "reasons": ", ".join(f"{why} ({count})" for why, count in reasons.items()) or None,
    } | {name: seen[name].median() for name in PARTS}  # fmt: skip


def curves(run: Run, fault: str, all_cells: bool = False) -> pd.DataFrame:
    """Give the Kaplan-Meier curves, from the first recovery to the horizon.

    Columns: policy, variant, runtime, time_s, recovered (share with service again by then). A curve begins at nothing, at the
    instant of its first step.
    """
    parts = []
    for key, part in _noticed(_of(run, fault, all_cells)).groupby(GROUP, observed=True):
        curve = survival(part["recovery_s"].to_numpy(), part["censored"].to_numpy(bool), float(part["horizon_s"].min()))
        head = dict(zip(GROUP, key, strict=True))
        time_s = np.concatenate([curve.time_s[:1], curve.time_s, [curve.horizon_s]])
        recovered = np.concatenate([[0.0], 1 - curve.waiting, [1 - curve.waiting[-1]]])
        parts.append(pd.DataFrame(head | {"time_s": time_s, "recovered": recovered}))
    columns = [*GROUP, "time_s", "recovered"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def log_ranks(run: Run, fault: str, all_cells: bool = False) -> pd.DataFrame:
    """Compare variants under the same policy by the log-rank test.

    Columns: policy, first, second, p_value (missing without any recovery), n_first, n_second.
    """
    rows = []
    for policy, part in _noticed(_of(run, fault, all_cells)).groupby("policy", observed=True):
        groups = {name: (own["recovery_s"], own["censored"]) for name, own in part.groupby("variant", observed=True)}
        for first, second in combinations(groups, 2):
            p_value = log_rank(*groups[first], *groups[second])
            rows.append((policy, first, second, p_value, len(groups[first][0]), len(groups[second][0])))
    return pd.DataFrame(rows, columns=["policy", "first", "second", "p_value", "n_first", "n_second"]).astype(
        {"p_value": float}
    )


def runtime_parts(run: Run, fault: str, all_cells: bool = False) -> dict[str, np.ndarray]:
    """Give by variant what its runtime took, from the new process to sustained service, in seconds; one figure a recovery."""
    table = _of(run, fault, all_cells).dropna(subset=["runtime_s", "warm_up_s"])
    took = table["runtime_s"] + table["warm_up_s"]
    return {str(name): took[own.index].to_numpy(float) for name, own in table.groupby("variant", observed=True)}


def _of(run: Run, fault: str, all_cells: bool) -> pd.DataFrame:
    table = recoveries(run, all_cells)
    return table[table["fault"] == fault]


def _noticed(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out the faults that no client noticed: they have no recovery time."""
    return table[~table["masked"].astype(bool)]
