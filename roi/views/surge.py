"""The view of surge capacity: what a peak needs, how late it comes, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from roi import claims, surge
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.slo import ServiceLevelObjective
from roi.surge import HOURS_A_MONTH, Peak, Prices
from roi.views.density import SATURATED, throughput_footnote
from roi.views.words import excluded, known, listed, milliseconds, number

_STEADY = "steady"


@dataclass(frozen=True)
class Plan:
    """What a peak needs on the gateways of a run."""

    run: Run
    peak: Peak
    objective: ServiceLevelObjective
    prices: Prices
    all_cells: bool
    """Cells that the gate did not pass are in it."""
    sizes: pd.DataFrame
    """See `surge.sizing`."""
    unplanned: list[str]
    """See `surge.unplanned`."""
    lags: pd.DataFrame
    """See `surge.scale_up`."""
    scaled: pd.DataFrame
    """See `surge.scaling`."""
    costs: pd.DataFrame
    """See `surge.costs`."""

    @property
    def note(self) -> str:
        """Say where the figures come from and what they leave out."""
        rate = self.sizes["rate_per_s"].max()
        return throughput_footnote(self.run, Compared(_STEADY, self.all_cells, model="open", rate_per_s=known(rate)))


def plan(run: Run, peak: Peak, objective: ServiceLevelObjective, prices: Prices, all_cells: bool = False) -> Plan:
    """Plan for a peak with the figures of a run; one without steady cells gives empty tables."""
    sizes = surge.sizing(run, peak, objective, all_cells)
    lags = surge.scale_up(run, all_cells)
    scaled = surge.scaling(sizes, lags, peak)
    unplanned = surge.unplanned(run, sizes, all_cells)
    return Plan(
        run, peak, objective, prices, all_cells, sizes, unplanned, lags, scaled, surge.costs(sizes, scaled, prices)
    )


def verdict(found: Plan) -> str:
    """Say what the peak costs each runtime here, and how that stands to the article."""
    peak, claim = found.peak, claims.claim("surge_factor")
    if found.sizes.empty:
        why = excluded(found.run, Compared(_STEADY, found.all_cells, model="open"))
        return (
            "The run holds no steady open-loop cell to take the CPU time of a request from, or none that left a core as idle as"
            f" planned: no capacity can be planned with it. {why}"
        ).strip()
    needs = listed(f"**{r.variant} {_cores(r, 'peak')}**" for r in found.sizes.itertuples())
    times = _range(found.sizes["peak"] / found.sizes["everyday"])
    return (
        f"The article's peak is {claim.value:g} times everyday traffic, and it states no capacity. {peak.factor:g} times"
        f" {peak.everyday_per_s:,.0f} requests/s, with cores planned to be {peak.utilisation:.0%} busy, takes {needs} cores."
        f" In whole cores that is {times} times everyday: a small service rounds up before the peak comes, a large one does not."
    )


def conditions(found: Plan) -> str:
    """Say what the numbers of cores assume, and where that is likely to be wrong."""
    if found.sizes.empty:
        return ""
    objective = found.objective
    intervals = "" if found.sizes["peak_lo"].notna().all() else (
        " Without a second process of each load of a variant its cores have no interval."
    )  # fmt: skip
    busiest = found.sizes["queue_busy"].min()
    decides = (
        "so the planned reserve is for stalls, balancing and forecasts, and not for waiting"
        if busiest > found.peak.utilisation
        else "so for a fleet this small whole cores decide, and not waiting"
    )
    return (
        f"{_demand_said(found)}{_beyond_said(found)}{intervals} The column *by queueing* asks for the fewest cores with which"
        f" {100 * objective.target:.6g}% of requests wait no longer than the {objective.latency_ms:g} ms of the objective leave, if"
        f" arrivals are Poisson and wait in one queue (Erlang's C; Allen and Cunneen for the variation of service times) and cost"
        f" what they do on cores as busy as planned. It lets cores be busy for {busiest:.0%} of their time or more, {decides}."
    )


def _demand_said(found: Plan) -> str:
    """Say whose demand is planned with, and what planning with that of idle cores would come to."""
    sizes, under = found.sizes, f", on gateways of {found.run.condition}" if found.run.condition else ""
    over = _range(sizes["rung_us"] / sizes["demand_us"])
    return (
        f"CPU time of a request is that of a core {found.peak.utilisation:.0%} busy, interpolated between loads that were measured"
        f" (steady traffic, the steps of the search for a capacity, saturation){under}: a busy core answers several requests a"
        f" wake, an idle one wakes for each. At {sizes['rate_per_s'].iloc[0]:,.0f} requests/s, equal for all, a request cost"
        f" {over} times that, and cores planned by it would be as many times more. Collector and compiler are in it."
    )


def _beyond_said(found: Plan) -> str:
    beyond = found.sizes[found.sizes["beyond"].astype(bool)]
    most = listed(f"{r.variant} more than {r.most:.0%} busy" for r in beyond.itertuples())
    return "".join([
        f" No load kept {most}: their CPU time of a request is that of the busiest load, and is taken to be no more beyond it."
        if len(beyond) else "",
        f" No load left {listed(found.unplanned)} as idle as planned: not planned for." if found.unplanned else "",
    ])  # fmt: skip


def sizing_table(found: Plan) -> pd.DataFrame:
    """List cores for everyday and peak, by the demand on busy cores, on idle ones, and by queueing."""
    busy = f"{found.peak.utilisation:.0%}"
    rung = "" if found.sizes.empty else f"{found.sizes['rate_per_s'].iloc[0]:,.0f}/s"
    return pd.DataFrame([
        {
            "variant": r.variant,
            f"µs at {rung}": number(r.rung_us),
            f"µs at {busy} busy [95 %]": f"{'≤ ' * bool(r.beyond)}{number(r.demand_us)}{_ends(r, 'demand', number)}",
            "everyday": _cores(r, "everyday"),
            "peak": _cores(r, "peak"),
            f"peak by µs at {rung}": f"{r.peak_by_rung:,.0f}",
            "by queueing": _cores(r, "queue_cores"),
            "n": r.curves,
        }
        for r in found.sizes.itertuples()
    ])  # fmt: skip


def sizing_chart(found: Plan) -> ChartSpec | None:
    """Draw the cores that everyday and peak need; None without a cell."""
    sizes, peak = found.sizes, found.peak
    if sizes.empty:
        return None
    rows = pd.concat(
        sizes.assign(when=when, cores=sizes[name], lo=sizes[f"{name}_lo"], hi=sizes[f"{name}_hi"])
        for when, name in (("everyday", "everyday"), ("peak", "peak"))
    )  # fmt: skip
    least, most = sizes.iloc[0], sizes.iloc[-1]
    others = f", {most['variant']} {most['peak']:,.0f}" * (len(sizes) > 1)
    return ChartSpec(
        "surge_cores", "dots", rows, "variant", "cores", series="when", lo="lo", hi="hi",
        beside=("demand_us", "rung_us", "peak_by_rung", "curves"),
        order=("everyday", "peak"), horizontal=True, y_log=True,
        title=f"A peak of {peak.per_s:,.0f} requests/s takes {least['variant']} {least['peak']:,.0f} cores{others}",
        alt="Cores for the peak by variant: " + listed(f"{r.variant} {r.peak:,.0f}" for r in sizes.itertuples()) + ".",
        y_title="Cores",
        subtitle=f"{peak.everyday_per_s:,.0f} requests/s everyday, {peak.factor:g} times that at the peak, whole cores"
        f" {peak.utilisation:.0%} busy at the CPU time of a request on cores as busy; bars are at the ends of its 95 % interval",
        footnote=found.note,
    )  # fmt: skip


def lag_said(found: Plan) -> str:
    """Say what waits while new processes start and warm up, and what must stand ready so that nothing does."""
    peak, told = found.peak, found.scaled[found.scaled["lag_s"].notna()]
    if told.empty:
        why = excluded(found.run, Compared(SATURATED, found.all_cells))
        return (
            "How long a new process takes to its steady speed is not known here: the run holds no saturated cell that shows it."
            f" {why}"
        ).strip()
    waits = told[told["backlog"] > 0]
    queued = (
        "No queue builds up with any variant while its new cores come."
        if waits.empty
        else "While its new cores come there pile up "
        + listed(f"{number(r.backlog)} requests with {r.variant} (gone {_gone(r.gone_s)})" for r in waits.itertuples())
        + "."
    )
    ready = listed(f"{r.variant} {r.ready_cores:,.0f} of {r.peak:,.0f}" for r in told.itertuples())
    untold = found.scaled[found.scaled["lag_s"].isna()]
    unknown = (
        f" Of {listed(untold['variant'])} the lag is not known, as most processes never came to a steady speed."
        * bool(len(untold))
    )
    return (
        f"The peak rises within {number(peak.rise_s)} s, and new cores are asked for when it begins; until they come, those that"
        f" stand serve what they do when never idle. {queued} For no queue to"
        f" build up, so many of the peak's cores must stand ready before: **{ready}**.{unknown}"
    )


def lag_table(found: Plan) -> pd.DataFrame:
    """List how late new capacity comes and what that means."""
    both = found.lags.merge(found.scaled.drop(columns=["lag_s"]), on="variant", how="left")
    return pd.DataFrame([
        {
            "variant": r.variant,
            "ready": milliseconds(1e3 * r.start_s),
            "then steady": None if pd.isna(r.steady_s) else milliseconds(1e3 * r.steady_s),
            "lag": "not known" if pd.isna(r.lag_s) else _lag(r),
            "piles up": None if pd.isna(r.backlog) else number(r.backlog),
            "gone": None if pd.isna(r.backlog) else _gone(r.gone_s) if r.backlog else "none",
            "cores to stand ready": None if pd.isna(r.ready_cores) else _cores(r, "ready_cores"),
            "processes": r.n,
        }
        for r in both.itertuples()
    ])  # fmt: skip


def lag_chart(found: Plan) -> ChartSpec | None:
    """Draw how long a new process takes to be ready and to be at its steady speed; None where no process shows it."""
    lags = found.lags[found.lags["steady_s"].notna()]
    lags = lags.assign(both=lags["start_s"] + lags["steady_s"]).sort_values("both")
    if lags.empty:
        return None
    rows = pd.concat(
        lags.assign(part=part, seconds=lags[name])
        for part, name in (("until it is ready", "start_s"), ("from there to its steady speed", "steady_s"))
    )
    first, last = lags.iloc[0], lags.iloc[-1]
    others = f", that of {last['variant']} {milliseconds(1e3 * last['both'])}" * (len(lags) > 1)
    return ChartSpec(
        "scale_up_lag", "stacked_bars", rows, "variant", "seconds", series="part", beside=("n",), horizontal=True,
        title=f"New capacity of {first['variant']} comes {milliseconds(1e3 * first['both'])} after it is asked for{others}",
        alt="Seconds until a new process is at its steady speed: "
        + listed(f"{r.variant} {number(r.both)}" for r in lags.itertuples()) + ".",
        y_title="Seconds since the process was created",
        subtitle="Medians over fresh processes on one machine, under full load from the first request on; neither the image's way"
        " to the machine nor the autoscaler's own delay is in it",
        footnote=throughput_footnote(found.run, Compared(SATURATED, found.all_cells)),
    )  # fmt: skip


def cost_said(found: Plan) -> str:
    """Say what keeping the peak's capacity costs over scaling up to it."""
    costs = found.costs[found.costs["times"].notna()]
    if costs.empty:
        return "Nothing can be priced: neither cores nor memory are known here."
    least, most = costs.loc[costs["times"].idxmin()], costs.loc[costs["times"].idxmax()]
    prices = found.prices
    span = f"{number(least['times'])} times ({least['variant']}) to {number(most['times'])} times ({most['variant']})"
    return (
        f"With {prices.peak_hours_a_month:g} peak hours a month, keeping the peak's capacity all the time costs **{span}** what"
        f" scaling up to it does. A core hour at {prices.vcpu_hour:g} and a GiB hour at {prices.gib_hour:g} are **assumed**, of no"
        " provider and in no currency: give your own. Between peaks stand the cores that must be ready so that no queue builds up,"
        " or the everyday ones where the lag is not known; memory is what the gateway occupied, for each of its cores."
    )


def cost_table(found: Plan) -> pd.DataFrame:
    """List what capacity costs an hour, and a month with and without scaling."""
    return pd.DataFrame([
        {
            "variant": r.variant,
            "cores between": _cores(r, "standing"),
            "everyday, an hour": number(r.everyday_hour),
            "peak, an hour": number(r.peak_hour),
            "always, a month": number(r.always) + _ends(r, "always", number),
            "scaled, a month": number(r.scaled) + _ends(r, "scaled", number),
            "always over scaled": number(r.times),
        }
        for r in found.costs.itertuples()
    ])  # fmt: skip


def cost_chart(found: Plan) -> ChartSpec | None:
    """Draw a month's cost with and without scaling; None where nothing can be priced."""
    costs = found.costs[found.costs["always"].notna()].sort_values("scaled")
    if costs.empty:
        return None
    rows = pd.concat(
        costs.assign(how=how, month=costs[name], lo=costs[f"{name}_lo"], hi=costs[f"{name}_hi"])
        for how, name in (("peak capacity always", "always"), ("scaled to the peak", "scaled"))
    )
    cheapest, dearest = costs.iloc[0], costs.iloc[-1]
    others = f", {number(dearest['scaled'])} with {dearest['variant']}" * (len(costs) > 1)
    return ChartSpec(
        "surge_cost", "dots", rows, "variant", "month", series="how", lo="lo", hi="hi", beside=("standing",), horizontal=True,
        y_log=True,
        title=f"Scaled to its peak the service costs {number(cheapest['scaled'])} a month with {cheapest['variant']}{others}",
        alt="Cost of a month, scaled: " + listed(f"{r.variant} {number(r.scaled)}" for r in costs.itertuples()) + ".",
        y_title="Cost of a month, in the currency of the prices",
        subtitle=f"Assumed prices: {found.prices.vcpu_hour:g} a core hour, {found.prices.gib_hour:g} a GiB hour;"
        f" {found.prices.peak_hours_a_month:g} of {HOURS_A_MONTH:g} hours are peak; bars at the ends of the CPU time's interval",
        footnote=found.note,
    )  # fmt: skip


def findings(found: Plan) -> Iterator[dict[str, Any]]:
    """Give cores, lag and cost of every variant, as `record` takes them."""
    peak = found.peak
    for r in found.sizes.itertuples():
        yield {
            "id": f"peak_cores_{r.variant}", "value": r.peak, "unit": "cores", "lo": known(r.peak_lo), "hi": known(r.peak_hi),
            "n": r.curves, "query": "roi.surge.sizing",
            "note": f"{peak.per_s:,.0f} requests/s at {r.demand_us:.4g} µs of CPU, {peak.utilisation:.0%} busy; everyday"
            f" {r.everyday:g}; {r.peak_by_rung:g} at the {r.rung_us:.4g} µs of {r.rate_per_s:,.0f} requests/s",
        }  # fmt: skip
        yield {
            "id": f"peak_over_everyday_cores_{r.variant}", "value": r.peak / r.everyday, "unit": "ratio", "n": r.curves,
            "query": "roi.surge.sizing", "claim": "surge_factor" if r.variant == "go" else None,
            "unlike": "the claim is of traffic, this of whole cores" if r.variant == "go" else None,
            "note": f"for {peak.factor:g} times {peak.everyday_per_s:,.0f} requests/s",
        }  # fmt: skip
    for r in found.lags.itertuples():
        lag_s = known(r.lag_s)
        yield {
            "id": f"scale_up_lag_{r.variant}", "value": lag_s, "unit": "s", "lo": known(r.lag_lo), "hi": known(r.lag_hi),
            "n": r.n, "query": surge.STARTS,
            "note": "most processes never came to a steady speed, or too little was seen to tell" if lag_s is None else
            "median over processes, from creation to steady speed at full load",
        }  # fmt: skip
    for r in found.costs.itertuples():
        times = known(r.times)
        yield {
            "id": f"always_over_scaled_{r.variant}", "value": times, "unit": "ratio", "query": "roi.surge.costs",
            "note": "memory is not known" if times is None else
            f"prices are assumed; {r.standing:g} cores stand between peaks",
        }  # fmt: skip


def _range(values: pd.Series) -> str:
    return " to ".join(dict.fromkeys(map(number, (values.min(), values.max()))))


def _cores(row: Any, name: str) -> str:
    return f"{getattr(row, name):,.0f}" + _ends(row, name, lambda cores: f"{cores:,.0f}")


def _ends(row: Any, stem: str, written: Any) -> str:
    lo, hi = getattr(row, f"{stem}_lo"), getattr(row, f"{stem}_hi")
    return "" if pd.isna(lo) or pd.isna(hi) else f" [{written(lo)} to {written(hi)}]"


def _lag(row: Any) -> str:
    lag = milliseconds(1e3 * row.lag_s)
    if row.n < 2 or pd.isna(row.lag_lo):
        return lag
    return (
        f"{lag} [{milliseconds(1e3 * row.lag_lo)} to {'–' if pd.isna(row.lag_hi) else milliseconds(1e3 * row.lag_hi)}]"
    )


def _gone(seconds: float) -> str:
    if pd.isna(seconds):
        return "not within a day"
    return f"after {milliseconds(1e3 * seconds)}" if seconds < 120 else f"after {number(seconds / 60)} minutes"
