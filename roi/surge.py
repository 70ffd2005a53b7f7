"""Surge capacity: what a peak of many times the everyday rate needs, how late it comes, and what it costs.

Cores follow from the CPU time of a request and from the share of a core's time that one plans with (the service demand law: a
core is busy for rate times demand). A busy core answers several requests a wake, so the demand is that of a core as busy as
planned, interpolated between loads that were measured (`roi.density.DemandCurve`); that at equal offered load, where cores mostly
idle, stands beside it. So does what a queue would ask for: the fewest cores with which the objective is met, if arrivals are
Poisson and wait in one queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from roi import density, warm_up
from roi.data import Run, highest_of_most
from roi.density import PlannedDemand
from roi.slo import ServiceLevelObjective
from roi.statistics import queueing
from roi.statistics.estimate import median_of_processes
from roi.statistics.queueing import Backlog, Service

HOURS_A_MONTH = 730.0
"""8,760 hours a year over twelve."""
_US_PER_S = 1e6
_MOST_CORES = 1e6
_LONG_S = 86_400.0
"""A peak that lasts for a day, so that a queue of it has an end."""

VARIATION = """
    select variant, cell_id, rate_per_s,
           sum(h.sum_ns::double ** 2 / h.count order by h.at_least_ns, h.queued) * sum(h.count)
               / sum(h.sum_ns)::double ** 2 - 1 as variation
    from histograms h join cells c using (cell_id)
    where h.time = 'service' and h.outcome = 'ok' and c.traffic_model = 'open' and c.scenario = 'steady'
          and (c.gate_passed or $all_cells)
    group by all having sum(h.count) > 1 order by variant, cell_id
"""
"""By process the squared coefficient of variation of service times as the client sees them."""

STARTS = """
    select c.variant, c.runtime, c.cell_id, (c.ready_ns - c.started_ns) / 1e9 as start_s
    from cells c
    where c.scenario = 'saturate' and c.ready_ns is not null and c.failure is null and (c.gate_passed or $all_cells)
    order by c.variant, c.cell_id
"""
"""By process the time from its creation to its first answer to /readyz."""


@dataclass(frozen=True)
class Peak:
    """An everyday rate, its peak, and how capacity is planned.

    Raises
    ------
    ValueError
        A value is outside of what it can mean.
    """

    everyday_per_s: float
    """Requests/s of the service outside of the peak."""
    factor: float
    """Peak over everyday."""
    utilisation: float
    """Share of a core's time that is planned with, above 0 and below 1: the rest is for what no mean knows."""
    rise_s: float
    """Time that the rate takes from everyday to the peak."""

    def __post_init__(self) -> None:
        if not (self.everyday_per_s > 0 and self.factor >= 1):
            raise ValueError(f"{self.everyday_per_s} requests/s and a peak of {self.factor} times that are no surge.")
        if not 0 < self.utilisation < 1:
            raise ValueError(f"utilisation is {self.utilisation}: it must lie between 0 and 1.")
        if self.rise_s < 0:
            raise ValueError(f"rise_s is {self.rise_s}: a time cannot be negative.")

    @property
    def per_s(self) -> float:
        """Requests/s at the peak."""
        return self.everyday_per_s * self.factor

    def after(self, seconds: float) -> float:
        """Give the rate so long after the rise began, requests/s."""
        risen = min(1.0, seconds / self.rise_s) if self.rise_s else 1.0
        return self.everyday_per_s + (self.per_s - self.everyday_per_s) * risen

    def cores(self, rate_per_s: float, demand_us: float) -> int:
        """Give the whole cores that serve a rate at the utilisation that is planned with."""
        return max(1, math.ceil(rate_per_s * demand_us / _US_PER_S / self.utilisation - 1e-9))


@dataclass(frozen=True)
class Prices:
    """What capacity costs, in any one currency, and how long the peak lasts.

    Raises
    ------
    ValueError
        The peak lasts for more hours than a month has.
    """

    vcpu_hour: float
    gib_hour: float
    peak_hours_a_month: float
    """Hours of a month in which the peak's capacity is needed, 0 to 730."""

    def __post_init__(self) -> None:
        if not 0 <= self.peak_hours_a_month <= HOURS_A_MONTH:
            raise ValueError(f"A month has {HOURS_A_MONTH:g} hours, and {self.peak_hours_a_month} are none of it.")


def rung(run: Run, all_cells: bool = False) -> float | None:
    """Give the rate of equal offered load: of those that most variants have the highest."""
    table = density.service_demand(run, all_cells)
    return None if table.empty else highest_of_most(table.groupby("rate_per_s")["variant"].nunique())


def sizing(run: Run, peak: Peak, objective: ServiceLevelObjective, all_cells: bool = False) -> pd.DataFrame:
    """Give the cores that everyday and peak need, by variant, fewest at the peak first.

    A variant whose cores no load left as idle as planned is left out: what a request costs there nobody has measured.

    Columns: variant, runtime, rate_per_s (the rung) with n (its processes) and rung_us (CPU time of a request there); demand_us
    with demand_lo and demand_hi (CPU time of a request on cores as busy as planned, 95 % over curves), curves (behind it, see
    `density.demand_curves`), beyond (no load kept cores as busy as planned, and the demand is that of the busiest), most
    (utilisation of the busiest), full_us (CPU time of a request there); everyday and peak (cores), each with _lo and _hi (at the
    ends of the demand's interval; missing without one); peak_by_rung (cores by the demand at the rung); queue_cores with _lo
    and _hi (the fewest that meet the objective at the peak in a queue of M/G/c), queue_busy (share of them that is then busy),
    variation (squared, of service times at the rung as the client sees them), gib_a_core (memory that the gateway occupied).
    """
    table = density.service_demand(run, all_cells)
    table = table[table["rate_per_s"] == rung(run, all_cells)]
    curves = density.demand_curves(run, all_cells)
    planned = {name: density.planned_demand(of, peak.utilisation) for name, of in curves.items() if of}
    gib, variation = _gib_a_core(run, table, all_cells), _variation(run, table, all_cells)
    rows = [
        {"variant": r.variant, "runtime": r.runtime, "rate_per_s": r.rate_per_s, "n": r.n, "rung_us": r.value,
         **_demand(planned[r.variant]), "peak_by_rung": peak.cores(peak.per_s, r.value), "gib_a_core": gib.get(r.variant),
         "variation": variation.get(r.variant, 1.0)}
        for r in table.itertuples() if r.variant in planned and planned[r.variant].demand_us
    ]  # fmt: skip
    sized = [row | _cores(row, peak, objective) for row in rows]
    names = [f"{name}{end}" for name in ("everyday", "peak", "queue_cores") for end in ("", "_lo", "_hi")]
    floats = ["rung_us", "demand_us", "demand_lo", "demand_hi", "most", "full_us", *names, "peak_by_rung", "queue_busy",
              "variation", "gib_a_core"]  # fmt: skip
    found = pd.DataFrame(sized, columns=["variant", "runtime", "rate_per_s", "n", "curves", "beyond", *floats])
    return found.astype(dict.fromkeys(floats, float)).sort_values(["peak", "demand_us"], ignore_index=True)


def unplanned(run: Run, sizes: pd.DataFrame, all_cells: bool = False) -> list[str]:
    """Give the variants that `sizing` left out, though they were measured at the rung."""
    table = density.service_demand(run, all_cells)
    there = table.loc[table["rate_per_s"] == rung(run, all_cells), "variant"]
    return sorted(set(there) - set(sizes["variant"]))


def _demand(planned: PlannedDemand) -> dict[str, float | int | bool | None]:
    demand = planned.demand_us
    return {"demand_us": demand.value, "demand_lo": demand.lo, "demand_hi": demand.hi, "curves": demand.n,
            "beyond": planned.beyond, "most": planned.most, "full_us": planned.full_us}  # fmt: skip


def _gib_a_core(run: Run, table: pd.DataFrame, all_cells: bool) -> dict[str, float]:
    cells = run.query(density.DEMAND, {"all_cells": all_cells})
    memory = cells[cells["rate_per_s"].isin(table["rate_per_s"])].groupby("variant", observed=True)["gateway_pss_bytes"]
    workers = run.query("select variant, max(workers) as workers from cells group by variant").set_index("variant")[
        "workers"
    ]
    return (memory.mean() / density.GIB / workers).to_dict()


def _variation(run: Run, table: pd.DataFrame, all_cells: bool) -> dict[str, float]:
    found = run.query(VARIATION, {"all_cells": all_cells})
    found = found[found["rate_per_s"].isin(table["rate_per_s"])]
    return found.groupby("variant", observed=True)["variation"].mean().to_dict()


def _cores(row: dict[str, object], peak: Peak, objective: ServiceLevelObjective) -> dict[str, float | None]:
    return {
        **_three("everyday", row, partial(peak.cores, peak.everyday_per_s)),
        **_three("peak", row, partial(peak.cores, peak.per_s)),
        **_queue(row, peak, objective),
    }


def _three(name: str, row: dict[str, object], cores: Callable[[float], int]) -> dict[str, float | None]:
    """Give a number of cores at the demand and at both ends of its interval."""
    ends = {end: None if pd.isna(us := row[f"demand{end}"]) else cores(us) for end in ("_lo", "_hi")}
    return {name: cores(row["demand_us"])} | {f"{name}{end}": value for end, value in ends.items()}


def _queue(row: dict[str, object], peak: Peak, objective: ServiceLevelObjective) -> dict[str, float | None]:
    def cores(demand_us: float) -> int:
        service = Service(demand_us / _US_PER_S, row["variation"])
        # What the objective leaves for the wait once a request has been served for as long as one is on average.
        wait_s = max(objective.latency_ms / 1e3 - service.mean_s, 0.0)
        return queueing.least_servers(peak.per_s, service, wait_s, objective.budget)

    # An interval that reaches that far says nothing, and to count up to its end takes for ever.
    ends = {end: us if pd.notna(us := row[end]) and peak.per_s * us / _US_PER_S < _MOST_CORES else None
            for end in ("demand_lo", "demand_hi")}  # fmt: skip
    found = _three("queue_cores", row | ends, cores)
    return found | {"queue_busy": peak.per_s * row["demand_us"] / _US_PER_S / found["queue_cores"]}


def scale_up(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give how long it takes from "start" until a process serves at its steady speed, by variant.

    Columns: variant, runtime, n (saturated processes), start_s (until it was ready), steady_s (from the first request at full load
    until it was steady), lag_s with lag_lo and lag_hi: both, median over processes; lag_s and steady_s are missing where most
    never came to a steady speed, or the window was too short to tell; untold (processes of which it was).
    """
    starts = run.query(STARTS, {"all_cells": all_cells})
    courses = warm_up.of_processes(run, all_cells)[["cell_id", "steadiness", "steady_s"]]
    both = starts.merge(courses.astype({"cell_id": starts["cell_id"].dtype}), on="cell_id", how="left")
    rows = [
        {"variant": variant, "runtime": runtime} | lag_of(part)
        for (variant, runtime), part in both.groupby(["variant", "runtime"], observed=True)
    ]
    columns = ["variant", "runtime", "n", "untold", "start_s", "steady_s", "lag_s", "lag_lo", "lag_hi"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[4:], float))


def lag_of(processes: pd.DataFrame) -> dict[str, float | int | None]:
    """Give start, warm-up and lag of the processes of one variant, as `scale_up` lists them; what is not known is left out.

    Parameters
    ----------
    processes
        Columns start_s, steadiness (missing where the window was too short to tell) and steady_s (missing where it never was).
    """
    told = processes[processes["steadiness"].notna()]
    found = {"n": len(processes), "untold": len(processes) - len(told), "start_s": float(processes["start_s"].median())}
    if told.empty:
        return found
    # One that never came to a steady speed took longer than any that did.
    steady_s = told["steady_s"].astype(float).fillna(np.inf)
    lag = median_of_processes(told["start_s"] + steady_s)
    return found | {"steady_s": _finite(median_of_processes(steady_s).value), "lag_s": _finite(lag.value),
                    "lag_lo": _finite(lag.lo), "lag_hi": _finite(lag.hi)}  # fmt: skip


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def lag_backlog(peak: Peak, demand_us: float, cores_before: int, cores_after: int, lag_s: float) -> Backlog:
    """Give what piles up while a rising peak waits for cores that were asked for when the rise began.

    A fluid queue: a core serves 1/demand requests/s when it is never idle, and all new cores come after the lag.

    Parameters
    ----------
    demand_us
        CPU time of a request on a core that is never idle.
    cores_before, cores_after
        Cores until the lag has passed, and from then on.
    """
    end_s = max(lag_s, peak.rise_s) + _LONG_S
    knots = np.unique([0.0, peak.rise_s, lag_s, end_s])
    times = np.sort(np.append(knots, lag_s))
    # At the instant of the step the first of the two is the end of what was, the second the beginning of what is.
    first_after = int(np.searchsorted(times, lag_s, side="left")) + 1
    cores = np.where(np.arange(len(times)) < first_after, cores_before, cores_after)
    rates = np.array([peak.after(at) for at in times])
    return queueing.backlog(times, rates - cores * _US_PER_S / demand_us)


def scaling(sizes: pd.DataFrame, lags: pd.DataFrame, peak: Peak) -> pd.DataFrame:
    """Give what the lag of scaling up means for a peak, by variant.

    Columns: variant, everyday and peak (cores), lag_s; backlog and gone_s (requests that pile up when only the everyday cores stand
    ready, and how long after the rise began they have been worked off); ready_cores with _lo and _hi (that must stand ready
    for no queue to build up: what the rate after the lag needs). All but cores are missing where the lag is.
    """
    rows = []
    known = lags.set_index("variant")["lag_s"]
    for r in sizes.to_dict("records"):
        row = {"variant": r["variant"], "everyday": r["everyday"], "peak": r["peak"]}
        lag_s = float(known.get(r["variant"], np.nan))
        if not math.isnan(lag_s):
            piled = lag_backlog(peak, r["full_us"], int(r["everyday"]), int(r["peak"]), lag_s)
            # A fleet cannot tell that rates will rise: what comes before its new cores do, those that are there must serve.
            ready = _three("ready_cores", r, partial(peak.cores, peak.after(lag_s)))
            row |= {"lag_s": lag_s, "backlog": piled.most, "gone_s": piled.gone_at_s, **ready}
        rows.append(row)
    columns = [
        "variant",
        "everyday",
        "peak",
        "lag_s",
        "backlog",
        "gone_s",
        "ready_cores",
        "ready_cores_lo",
        "ready_cores_hi",
    ]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], float))


def costs(sizes: pd.DataFrame, scaled: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """Give what a month costs, by variant: keeping the peak's capacity always, and scaling up to it.

    Columns: variant, standing (cores between peaks: those that must stand ready, or the everyday ones where the lag is not known),
    everyday_hour and peak_hour (cost of an hour with these cores), always and scaled (a month), with _lo and _hi at the ends of
    the demand's interval, and times (always over scaled). Costs are missing where the memory is not known.
    """
    both = sizes.merge(scaled.drop(columns=["everyday", "peak"]), on="variant")
    rows = []
    for r in both.to_dict("records"):
        core_hour = prices.vcpu_hour + prices.gib_hour * r["gib_a_core"]
        row = {"variant": r["variant"], "everyday_hour": r["everyday"] * core_hour, "peak_hour": r["peak"] * core_hour}
        for end in ("", "_lo", "_hi"):
            # An unknown lag leaves the everyday cores: the greater of a number and of none is the number.
            standing = np.fmax(r[f"everyday{end}"], r[f"ready_cores{end}"])
            hours = r[f"peak{end}"] * prices.peak_hours_a_month + standing * (HOURS_A_MONTH - prices.peak_hours_a_month)
            row |= {f"standing{end}": standing, f"scaled{end}": hours * core_hour,
                    f"always{end}": r[f"peak{end}"] * HOURS_A_MONTH * core_hour}  # fmt: skip
        rows.append(row | {"times": row["always"] / row["scaled"]})
    ends = [f"{name}{end}" for name in ("standing", "always", "scaled") for end in ("", "_lo", "_hi")]
    columns = ["variant", "everyday_hour", "peak_hour", *ends, "times"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], float))
