"""The view of QPS density."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from roi import claims, density, noise, objective
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.statistics.estimate import Estimate
from roi.views.words import excluded, footnote, interval, known, listed, number, percent, span
from roi.warm_up import unsteady

GO = "go"
SATURATED = "saturate"
_ANY_MACHINE = (
    "an average load is no capacity, and without cores and payload a machine can be chosen to meet it or miss it"
)
CONDITIONS = """
    select distinct memory_budget_bytes / 1048576 as budget_mib, live_set_bytes / 1048576 as live_set_mib, connections
    from cells where scenario = $scenario
"""


def capacity_chart(run: Run, courses: pd.DataFrame, all_cells: bool = False) -> ChartSpec | None:
    """Draw requests/s at saturation for every variant, beside what the article states for Go; None without a cell.

    Parameters
    ----------
    courses
        Of the saturated processes, as `roi.warm_up.of_processes` gives them.
    """
    table = density.capacity(run, all_cells).sort_values("value", ascending=False)
    if table.empty:
        return None
    best = table.iloc[0]
    claim = claims.claim("qps_per_go_service")
    cores = round(best["value"] / best["per_core"])
    return ChartSpec(
        "capacity", "dots", table, "variant", "value", lo="lo", hi="hi", beside=("n", "per_core", "per_gib", "headroom"),
        title=f"{best['variant']} serves most: {number(best['value'])} requests/s on {_cores(cores)}",
        alt="Requests a second at saturation by variant: "
        + listed(f"{r.variant} {number(r.value)}" for r in table.itertuples()) + ".",
        y_title=f"Requests/s answered with 2xx, {_cores(cores)}", y_log=True, horizontal=True,
        subtitle="Closed loop, every connection busy; dots are geometric means over fresh processes, bars 95 % intervals",
        footnote=throughput_footnote(run, Compared(SATURATED, all_cells)) + _early(courses),
    ).with_reference(claim.value, f"the article: {claim.value:,.0f} a Go service")  # fmt: skip


def demand_chart(run: Run, all_cells: bool = False) -> ChartSpec | None:
    """Draw CPU time a request at equal offered load; None without a cell."""
    table = density.service_demand(run, all_cells)
    if table.empty:
        return None
    rate = table["rate_per_s"].max()
    table = table[table["rate_per_s"] == rate].sort_values("value")
    least, most = table.iloc[0], table.iloc[-1]
    return ChartSpec(
        "service_demand", "dots", table, "variant", "value", lo="lo", hi="hi", beside=("n", "per_cpu_second", "headroom"),
        title=f"A request costs {least['variant']} {number(least['value'])} µs of CPU"
        + f" and {most['variant']} {number(most['value'])} µs" * (len(table) > 1),
        alt="CPU microseconds a request by variant: "
        + listed(f"{r.variant} {number(r.value)}" for r in table.itertuples()) + ".",
        y_title="CPU time a request (µs)", horizontal=True,
        subtitle=f"All at the same offered load, {rate:g} requests/s, open loop; bars are 95 % intervals over processes",
        footnote=throughput_footnote(run, Compared("steady", all_cells, model="open", rate_per_s=float(rate))),
    )  # fmt: skip


def ratio_chart(run: Run, courses: pd.DataFrame, all_cells: bool = False) -> ChartSpec | None:
    """Draw Go's capacity over each Java variant's, beside the article's ratio; None without Go or without Java.

    `courses` is as in `capacity_chart`.
    """
    table = ratios(run, all_cells)
    if table.empty:
        return None
    claim = claims.claim("qps_go_over_java")
    return ChartSpec(
        "go_over_java", "dots", table, "base", "value", lo="lo", hi="hi", beside=("n", "lead"),
        title=f"Go serves {number(table['value'].min())} to {number(table['value'].max())} times what Java serves here",
        alt="Ratio of requests a second, Go over each Java variant: "
        + listed(f"{r.base} {interval(r.value, r.lo, r.hi)}" for r in table.itertuples()) + ".",
        y_title="Requests/s of Go over Java (ratio)", y_log=True, horizontal=True,
        subtitle="At saturation on the same processor; bars are 95 % intervals by bootstrap over fresh processes",
        footnote=throughput_footnote(run, Compared(SATURATED, all_cells)) + _early(courses),
    ).with_reference(claim.value, f"the article: {claim.value:g} times").with_reference(1.0, "no difference")  # fmt: skip


def ratios(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give Go's capacity over each Java variant's."""
    table = density.capacity(run, all_cells)
    return density.ratios_to(run, GO, table.loc[table["runtime"] == "java", "variant"], all_cells)


def go_capacity(run: Run, all_cells: bool = False) -> Estimate | None:
    """Give Go's requests/s at saturation; None when the run holds none."""
    table = density.capacity(run, all_cells)
    rows = table[table["variant"] == GO]
    if rows.empty:
        return None
    row = rows.iloc[0]
    lo, hi = (None if pd.isna(row[end]) else float(row[end]) for end in ("lo", "hi"))
    return Estimate(float(row["value"]), lo, hi, int(row["n"]))


def verdict(run: Run, all_cells: bool = False) -> str:
    """Say how the article's two figures stand to this run, and under which conditions that holds."""
    go, table = go_capacity(run, all_cells), ratios(run, all_cells)
    service, ratio = claims.claim("qps_per_go_service"), claims.claim("qps_go_over_java")
    if go is None:
        why = excluded(run, Compared(SATURATED, all_cells))
        return (
            f"The run holds no saturated Go cell to show: nothing can be said of the article's figures. {why}".strip()
        )
    said = (
        f"On {_cores(_workers(run))} of this machine, {_conditions(run)}, Go answers **{interval(go.value, go.lo, go.hi)}"
        f" requests/s** at saturation{_kept(run, all_cells)}; the article states {service.value:,.0f} for a Go service and names"
        " neither cores nor payload, so the figure can be met or missed by choosing the machine. "
    )
    if table.empty:
        return said + "The run holds no Java cell to compare with."
    floor = noise.floor_of(run, "saturation", all_cells)
    places: dict[str, list[str]] = {}
    for row in table.itertuples():
        places.setdefault(_place(row, ratio.value, floor), []).append(f"{row.base} ({number(row.value)})")
    parts = [f"{words} {listed(bases)}" for words, bases in places.items() if words]
    unknown = "has no interval"
    return (
        said
        + f"Of its *{ratio.value:g} times Java*, our ratio {'; '.join(parts) or unknown}."
        + (f" Nothing nearer than the noise floor of {percent(floor)} is told apart." if floor is not None else "")
    )


def _place(row: Any, claimed: float, floor: float | None) -> str:
    """Say where the ratio over a base lies against the claimed one; empty where it has no interval."""
    if pd.isna(row.lo) or pd.isna(row.hi):
        return ""
    near = floor is not None and noise.apart(claimed, row.value) < floor
    if near or row.lo <= claimed <= row.hi:
        return "cannot be told from it against"
    return "is below it against" if row.hi < claimed else "is above it against"


def _conditions(run: Run) -> str:
    """Say what the saturated gateways had: memory, live set, connections."""
    cells = run.query(CONDITIONS, {"scenario": SATURATED})
    budgets, live_sets, connections = (span(cells[name].dropna().unique()) for name in cells)
    return f"with {budgets} MiB of memory, a live set of {live_sets} MiB and {connections} connections"


def _kept(run: Run, all_cells: bool) -> str:
    """Say what Go serves at the objective, where the run has searched for that."""
    table, asked = objective.capacity(run, all_cells), objective.asked(run)
    rows = table[table["variant"] == GO]
    if rows.empty or asked is None:
        return ""
    row = rows.iloc[0]
    some = f"{number(row['value'])}** (in {row['n']} of {row['searched']} processes; the others confirmed no rate)"
    said = f"{interval(row['value'], row['lo'], row['hi'])}**" if row["n"] == row["searched"] else some
    return f", and **{said} while {asked}"


def capacity_table(run: Run, courses: pd.DataFrame, all_cells: bool = False) -> pd.DataFrame:
    """List capacity and density with their intervals; `courses` is as in `capacity_chart`."""
    table = density.capacity(run, all_cells).sort_values("value", ascending=False)
    early = {name: count for name, count, _ in unsteady(courses)}
    return pd.DataFrame({
        "variant": table["variant"],
        "requests/s [95 %]": [interval(r.value, r.lo, r.hi) for r in table.itertuples()],
        "per core": [number(value) for value in table["per_core"]],
        "per GiB of memory": [number(value) for value in table["per_gib"]],
        "generator's headroom": [percent(value) for value in table["headroom"]],
        "processes": table["n"],
        "unsteady": [early.get(name, 0) for name in table["variant"]],
    })  # fmt: skip


def _early(courses: pd.DataFrame) -> str:
    """Say which variants were measured before their throughput was steady."""
    found = [f"{name} ({count} of {every})" for name, count, every in unsteady(courses)]
    return f" Not steady when measured: {listed(found)}." if found else ""


def demand_table(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """List CPU time a request at every rung, and what it comes to."""
    table = density.service_demand(run, all_cells).sort_values(["rate_per_s", "value"])
    return pd.DataFrame({
        "variant": table["variant"],
        "offered (1/s)": [number(rate) for rate in table["rate_per_s"]],
        "CPU time a request (µs) [95 %]": [interval(r.value, r.lo, r.hi) for r in table.itertuples()],
        "requests a CPU-second": [number(value) for value in table["per_cpu_second"]],
        "vCPU for 1,000/s": [number(value / 1e3) for value in table["value"]],
        "processes": table["n"],
    })  # fmt: skip


def findings(run: Run, all_cells: bool = False) -> Iterator[dict[str, object]]:
    """Give capacities, ratios and CPU times as findings have them."""
    for row in density.capacity(run, all_cells).itertuples():
        answers = {"claim": "qps_per_go_service", "unlike": _ANY_MACHINE} if row.variant == GO else {}
        yield _finding(f"capacity_{row.variant}", row, "requests/s", density.CAPACITY) | answers
    for row in ratios(run, all_cells).itertuples():
        yield _finding(f"go_over_{row.base}", row, "ratio", density.CAPACITY) | {
            "claim": "qps_go_over_java",
            "note": f"over {row.base}",
        }
    for row in density.service_demand(run, all_cells).itertuples():
        yield _finding(f"cpu_a_request_{row.variant}_at_{row.rate_per_s:g}", row, "us", density.DEMAND)


def _finding(name: str, row: Any, unit: str, query: str) -> dict[str, object]:
    return {
        "id": name, "value": row.value, "unit": unit, "lo": known(row.lo), "hi": known(row.hi), "n": row.n, "query": query,
    }  # fmt: skip


def throughput_footnote(run: Run, compared: Compared) -> str:
    """Say what a chart of throughput leaves out: what every chart does, and cells that answered nothing."""
    silent = density.without_answer(run, compared.scenario, compared.all_cells)
    return footnote(run, compared) + f" Left out, because no request was answered with 2xx: {listed(silent)}." * bool(
        silent
    )


def _workers(run: Run) -> int:
    return int(run.query("select max(workers) as workers from cells")["workers"].iloc[0])


def _cores(count: int) -> str:
    return "one core" if count == 1 else f"{count} cores"
