"""Inputs that a run of this suite measures: CPU time a request, memory beside a core, and time to recover.

What such an input may be is told by the intervals that the studies themselves give over fresh processes: in 95 % of draws it
lies where the page says with 95 % that it is. A recovery is automated recovery from a fault in a lab, and no MTTR of a team that
must notice, find and mend something; what is drawn is its restricted mean, with the runs that never recovered in it.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from roi import density, recovery, surge
from roi.data import Run
from roi.distributions import Tabled
from roi.statistics.estimate import Estimate, mean_of_processes
from roi.statistics.survival import restricted_mean

CRASH = "sigkill"
"""The fault that stands for a crash."""
LEAST = 2
"""Processes from which on a spread is known at all."""
_US_PER_S = 1e6


@dataclass(frozen=True)
class Measured:
    """A quantity as a run measured it."""

    distribution: Tabled
    n: int
    """Processes behind it."""
    source: str
    """The run, the variant, and what of it."""
    date: datetime.date
    """When the run began."""


def of(name: str, run: Run, variant: str, utilisation: float, policy: str | None = None) -> Measured:
    """Give a quantity of the catalogue that a run measured, a load's under the largest condition that the run has.

    Parameters
    ----------
    utilisation
        Share of a core's time that is planned with, above 0 and below 1: what a request costs depends on it.
    policy
        Restart policy that a recovery is under; None where the run has one alone.

    Raises
    ------
    ValueError
        The run has not measured it of this variant in two processes that passed the gate, or under several policies.
    """
    if name == "recovery_s":
        return _recovery(run, variant, policy)
    if policy is not None:
        raise ValueError("a policy chooses among recoveries; leave it out")
    return _demand(run.under(), variant, utilisation) if name == "cpu_s_a_request" else _memory(run.under(), variant)


def _demand(run: Run, variant: str, utilisation: float) -> Measured:
    """Give the CPU time of a request on a core that is as busy as planned."""
    curves = density.demand_curves(run).get(variant, [])
    told = _told(run, variant, len(curves), "under load")
    found = density.planned_demand(curves, utilisation)
    if found.demand_us is None:
        raise ValueError(
            f"run {run.name} kept {variant} busier than the {100 * utilisation:.0f} % of a core's time that are planned with at"
            " any rate. Plan with more, measure at a lower rate, or state it otherwise"
        )
    share, most = min(utilisation, found.most), ", the most that was measured" if found.beyond else ""

    def estimate(confidence: float) -> Estimate:
        of = density.planned_demand(curves, utilisation, confidence).demand_us
        return Estimate(of.value / _US_PER_S, of.lo / _US_PER_S, of.hi / _US_PER_S, of.n, confidence)

    return _measured(run, estimate, f"{told}, a core {100 * share:.0f} % busy{most}")


def _memory(run: Run, variant: str) -> Measured:
    """Give the memory beside a core, of the processes at the rate at which that of a surge is reckoned."""
    rate_per_s = surge.rung(run)
    cells = run.query(density.DEMAND, {"all_cells": False})
    cells = cells[(cells["rate_per_s"] == rate_per_s) & (cells["variant"] == variant)]
    values = cells["gateway_pss_bytes"] / density.GIB / _workers(run, variant)
    known = values.dropna().to_numpy(float)
    unknown = f", {len(values) - len(known)} more in which it is unknown" if len(known) < len(values) else ""
    told = _told(run, variant, len(known), "at equal load")
    return _measured(run, lambda c: mean_of_processes(known, c), f"{told} at {rate_per_s:g} requests/s{unknown}")


def _workers(run: Run, variant: str) -> float:
    """Give the workers, a core each, of a variant; not a number where nobody read them."""
    found = run.query("select max(workers) as workers from cells where variant = $variant", {"variant": variant})
    workers = found["workers"].iloc[0]
    return math.nan if pd.isna(workers) else float(workers)


def _recovery(run: Run, variant: str, policy: str | None) -> Measured:
    found = recovery.recoveries(run)
    found = found[(found["fault"] == CRASH) & (found["variant"] == variant) & ~found["masked"].astype(bool)]
    policies = sorted(found["policy"].unique())
    if policy is None and len(policies) > 1:
        raise ValueError(f'the run has recoveries under {", ".join(policies)}, which are not pooled: say policy = "…"')
    found = found[found["policy"] == (policy or "".join(policies))]
    told = _told(run, variant, len(found), f"after {CRASH}" + (f" under {policy}" if policy else ""))
    times, censored = found["recovery_s"].to_numpy(float), found["censored"].to_numpy(bool)
    horizon_s = float(found["horizon_s"].min())
    what = f"{told} after {CRASH} under {policy or policies[0]}, nobody counted longer than {horizon_s:g} s"
    never = f", {censored.sum()} of {len(found)} never recovered" if censored.any() else ""
    return _measured(run, lambda c: restricted_mean(times, censored, horizon_s, c), what + never)


def _told(run: Run, variant: str, n: int, what: str) -> str:
    """Name run and variant; raises ValueError where too few processes are there."""
    if n < LEAST:
        known = run.query("select distinct variant from cells order by variant")["variant"].tolist()
        there = "" if variant in known else f" The run has {', '.join(known)}."
        raise ValueError(
            f"run {run.name} has {n or 'no'} process{'es' if n != 1 else ''} of {variant} {what} that passed the"
            f" gate, and it takes {LEAST}.{there} Measure more, name another variant as variant, or state it otherwise"
        )
    return f"run {run.name}, {variant}"


def _measured(run: Run, estimate: Callable[[float], Estimate], source: str) -> Measured:
    def interval(confidence: float) -> tuple[float, float]:
        found = estimate(confidence)
        return max(found.lo, 0.0), found.hi

    day = datetime.date.fromisoformat(run.manifest.started_at[:10])
    return Measured(Tabled.of_intervals(interval), estimate(0.95).n, source, day)
