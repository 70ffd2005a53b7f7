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

PROBES_PER_S = 100
"""Two streams of one every 20 ms: a lost probe stands for a hundredth of a second of outage."""
SLO_MS = 250
"""Within which a request of the load beside must be answered to count: what a probe waits as well."""
GROUP = ["policy", "variant", "runtime"]
PARTS = ("detection_s", "policy_s", "runtime_s", "warm_up_s")

RECOVERIES = f"""
    with slow as (
        select cell_id, count(*) as probes from probes join faults using (cell_id)
        where intended_ns >= inject_ns and outcome = 'ok' and done_ns - intended_ns > slow_limit_ns group by cell_id
    ),
    load as (
        select cell_id, count(*) as offered,
               count(*) filter (outcome not in ('ok', 'unanswered', 'unsent')
                                or schedule_lag_ns + coalesce(service_time_ns, 0) > {SLO_MS} * 1000000) as lost
        from requests join faults using (cell_id) join cells using (cell_id)
        where intended_ns >= inject_ns and intended_ns <= measure_end_ns group by cell_id
    )
    select c.variant, c.runtime, c.cell_id, f.fault, f.policy, f.horizon_ns / 1e9 as horizon_s, f.censored, f.censor_reason,
           f.probes_lost, c.gate_passed, f.impact_ns is null as masked, f.spells, f.truth,
           coalesce(f.sustained_ns - f.inject_ns, f.horizon_ns) / 1e9 as recovery_s,
           (f.ended_ns - f.inject_ns) / 1e9 as fault_s,
           (f.probes_lost + coalesce(slow.probes, 0)) / {PROBES_PER_S}.0 as outage_s,
           load.offered as load_offered, load.lost as load_lost, load.lost / c.rate_per_s as load_outage_s,
           (f.detect_ns - f.inject_ns) / 1e9 as detection_s,
           (f.exec_ns - f.detect_ns) / 1e9 as policy_s,
           (f.first_ok_ns - f.exec_ns) / 1e9 as runtime_s,
           (f.sustained_ns - f.first_ok_ns) / 1e9 as warm_up_s
    from faults f join cells c using (cell_id) left join slow using (cell_id) left join load using (cell_id)
    where c.gate_passed or $all_cells
    order by f.fault, f.policy, c.variant, c.cell_id
"""
"""One row a fault: its parts in seconds; a recovery that did not come has the horizon, and is censored.

`outage_s` and `load_outage_s` are integrals, without a threshold for when service is back: what was asked for and not answered
well, over the rate at which it was asked for.
"""


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
    service again within the objective); outage_s and load_outage_s (what was lost, as seconds of outage, medians), load_lost
    (median), flapped (runs in which service went away more than once); and the medians of the parts detection_s, policy_s,
    runtime_s, warm_up_s. What rests on no fault is missing.

    Parameters
    ----------
    objective_s
        Seconds within which service should be back.
    """
    return _summarised(_of(run, fault, all_cells), GROUP, objective_s)


def by_fault(run: Run, objective_s: float, all_cells: bool = False) -> pd.DataFrame:
    """Give the same for every fault of the run: one row a fault, policy and variant, the fault first among the columns.

    Beside the columns of `summary`: fault_s (how long the fault lasted, median; missing for one that does not end by itself).
    """
    return _summarised(recoveries(run, all_cells), ["fault", *GROUP], objective_s)


def _summarised(table: pd.DataFrame, group: list[str], objective_s: float) -> pd.DataFrame:
    rows = [
        dict(zip(group, key, strict=True)) | _summary(part, objective_s)
        for key, part in table.groupby(group, observed=True)
    ]
    return pd.DataFrame(rows, columns=None if rows else [*group, "faults", "n", "censored", "masked", *PARTS])


def _summary(part: pd.DataFrame, objective_s: float) -> dict[str, object]:
    seen = _noticed(part)
    said: dict[str, object] = {
        "faults": len(part), "masked": len(part) - len(seen), "n": len(seen), "censored": int(seen["censored"].sum()),
        "horizon_s": float(part["horizon_s"].min()), "outage_s": float(part["outage_s"].median()),
        "load_lost": part["load_lost"].median(), "load_outage_s": part["load_outage_s"].median(),
        "fault_s": part["fault_s"].median(), "flapped": int((part["spells"] > 1).sum()),
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
