"""The view of SLO attainment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from roi import claims, slo
from roi.charts.spec import ChartSpec
from roi.exclusions import Compared
from roi.slo import Attainment, Basis, Judgement, ServiceLevelObjective
from roi.views.words import excluded, footnote, known, listed, milliseconds, number

_ALERTS = (
    "What pages people, a burn of 14.4 over an hour and still over the last five minutes (the Workbook's chapter 5), cannot be"
    " asked of windows of seconds: it is not imitated here."
)
_GO = "go"
_AN_OBJECTIVE = "The article sets an objective, and states no measurement of it."


def verdict(found: Attainment) -> str:
    """Say at every rung who is shown to meet the objective, who misses it, and of whom nothing can be told."""
    if found.rows.empty:
        why = excluded(found.run, Compared(slo.USUAL, found.all_cells, model="open"))
        return f"The run holds no open-loop cell to hold against an objective. {why}".strip()
    rungs = found.rows.groupby(["scenario", "rate_per_s"], dropna=False, sort=False)
    return " ".join(_of_rung(found, part) for _, part in rungs) + f" {_needed(found)}".rstrip()


def _of_rung(found: Attainment, rows: pd.DataFrame) -> str:
    met, missed, untold, kept_once, missed_once = (rows[rows["judgement"] == judgement] for judgement in Judgement)
    clean, spotted = untold[untold["bad"] == 0], untold[untold["bad"] > 0]
    within = f"within {found.objective.latency_ms:g} ms"
    parts = [
        f"**shown to be met by {listed(met['variant'])}**" if len(met) else "",
        f"**missed by {listed(_with_share(missed))}**" if len(missed) else "",
        f"seen to be kept by {listed(clean['variant'])}, all of whose {_range(clean['valid'])} requests each were answered"
        f" {within}, which is too few to show it" if len(clean) else "",
        f"not to be told of {listed(_with_share(spotted))}" if len(spotted) else "",
        f"kept by the one process of {listed(_with_share(kept_once))}" if len(kept_once) else "",
        f"**missed by the one process of {listed(_with_share(missed_once))}**" if len(missed_once) else "",
    ]  # fmt: skip
    return f"Under {_load(rows.iloc[0])} the objective is {'; '.join(filter(None, parts))}."


def _with_share(rows: pd.DataFrame) -> list[str]:
    return [
        f"{r.variant} ({_attained(1 - r.bad_share)}" + f" {_ends(r)}" * pd.notna(r.lo) + ")" for r in rows.itertuples()
    ]


def _needed(found: Attainment) -> str:
    """Say how long a load would show what this one is too short for."""
    clean = found.rows[(found.rows["bad"] == 0) & (found.rows["judgement"] == Judgement.UNTOLD)]
    if clean.empty:
        return ""
    worst = clean.loc[clean["hi"].idxmax()]
    return (
        f"None bad in {worst['blocks']} quarters of a second says only that at most {_attained(worst['hi'])} of them hold one"
        f" ({_one_sided()}); it takes {number(slo.seconds_needed(found.objective))} s without a bad request to show"
        f" {_percent(found.objective)}."
    )


def readings(found: Attainment) -> str:
    """Say what the article's sentence can mean, and how the compared rung stands to each meaning."""
    objective, at = found.objective, found.compared()
    latency, target = claims.claim("slo_latency"), claims.claim("slo_target")
    said = (
        f"The article asks for *P95 within {latency.value:g} ms* of *{target.value:g}% of requests* in one breath, which are three"
        f" objectives: P95 lets one request in 20 take longer, {target.value:g}% one in {number(100 / (100 - target.value))}, and"
        f" *P95 within it in {target.value:g}% of windows* forgives the others whatever they do. Here {_percent(objective)} of"
        f" requests must be answered within {objective.latency_ms:g} ms; P95 stands beside it."
    )
    if at is None:
        return said
    rows = found.at(*at)
    kept = rows[rows["p95_ms"] <= objective.latency_ms]
    seconds = f"{int(rows['p95_seconds'].sum()):,} of {int(rows['seconds_seen'].sum()):,} seconds"
    return (
        f"{said} Under {_load(rows.iloc[0])} P95 is within it with {len(kept)} of {len(rows)} variants, as far as the medians over"
        f" processes tell, and in {seconds} by themselves."
    )


def limits(found: Attainment) -> str:
    """Say what the intervals rest on, and what cannot be asked of such a run."""
    rows = found.rows
    if rows.empty:
        return ""
    alone = rows[rows["basis"] == Basis.NOTHING]
    cut = int(rows["cut_off"].sum())
    return " ".join(filter(None, [
        "Intervals are over fresh processes: requests that meet one stall are one event and not many."
        if (rows["basis"] == Basis.PROCESSES).any() else "",
        f"There is one process of {listed(sorted(set(alone['variant'])))} where requests were bad, so there is no interval."
        if len(alone) else "",
        f"Where no request was bad, ≥ and ≤ are bounds: {_one_sided()}, over blocks of a quarter of a second, not over requests,"
        " which would make it far too narrow; it holds for the processes seen and the seconds seen."
        if (rows["basis"] == Basis.NONE_BAD).any() else "",
        f"{cut:,} bad requests were cut off by the end of the load before {found.objective.latency_ms:g} ms had passed; they count"
        " as bad, as all that got no answer do." if cut else "",
        _ALERTS,
        _left_out(found),
    ]))  # fmt: skip


def _left_out(found: Attainment) -> str:
    sentences = (
        (scenario, excluded(found.run, Compared(scenario, found.all_cells, model="open")))
        for scenario in dict.fromkeys(found.rows["scenario"])
    )
    return " ".join(f"Of {scenario}: {why}" for scenario, why in sentences if why)


def table(found: Attainment) -> pd.DataFrame:
    """List attainment and burning, a row a variant, scenario and rung."""
    objective = found.objective
    return pd.DataFrame([
        {
            "variant": r.variant,
            "load": _rung(r),
            "valid": r.valid,
            "bad": r.bad,
            "good [95 %]": _good(r),
            "burn rate [95 %]": _burn(r, objective),
            f"a {objective.window_days:g}-day budget lasts": _lasts(r, objective),
            "spent": _spent(r, objective),
            "objective": str(r.judgement),
            "n": r.processes,
        }
        for r in found.rows.itertuples()
    ])  # fmt: skip


def promises_table(found: Attainment) -> pd.DataFrame:
    """List the latency that each variant keeps for the target's share of requests, and P95."""
    share = _percent(found.objective)
    return pd.DataFrame([
        {
            "variant": r.variant,
            "load": _rung(r),
            f"{share} are answered within": _time(r, "target"),
            "P95": _time(r, "p95"),
            "seconds with P95 within the objective": f"{r.p95_seconds} of {r.seconds_seen}",
            "processes": r.processes,
        }
        for r in found.rows.itertuples()
    ])  # fmt: skip


def burn_chart(found: Attainment) -> ChartSpec | None:
    """Draw how fast every variant burns its budget at the compared rung; None without a cell."""
    at = found.compared()
    if at is None:
        return None
    objective = found.objective
    rows = found.at(*at)
    rows = rows.assign(**{
        name: rows[column] / objective.budget
        for name, column in (("burn", "bad_share"), ("burn_lo", "lo"), ("burn_hi", "hi"))
    }).sort_values("burn")  # fmt: skip
    worst = rows.iloc[-1]
    title = (
        f"{worst['variant']} burns {number(worst['burn'])} times what its error budget allows"
        if worst["burn"] > 1
        else f"No variant burns more than its budget: {worst['variant']} burns {number(worst['burn'])} times of it"
        if worst["bad"]
        else f"No request was bad, and {number(rows['seconds'].min())} s do not show that the budget lasts"
        if rows["burn_hi"].max() > 1
        else "No request was bad, for long enough to show that the budget lasts"
    )
    return ChartSpec(
        "burn_rate", "dots", rows, "variant", "burn", lo="burn_lo", hi="burn_hi",
        beside=("valid", "bad", "processes", "blocks"), title=title,
        alt="Burn rate by variant: " + listed(f"{r.variant} {number(r.burn)}" for r in rows.itertuples()) + ".",
        y_title="Burn rate (1 spends the budget exactly)", horizontal=True,
        subtitle=f"Under {_load(worst)}; good is 2xx within {objective.latency_ms:g} ms, budget {_attained(objective.budget)};"
        " bars are 95 % intervals over processes, or bounds where none was bad",
        footnote=footnote(found.run, Compared(at[0], found.all_cells, model="open", rate_per_s=at[1])),
    ).with_reference(1.0, "the budget lasts exactly its window")  # fmt: skip


def over_time_chart(found: Attainment, scenario: str = "") -> ChartSpec | None:
    """Draw in which seconds the budget went, at the rung that burnt most; None where no request was bad."""
    at = found.burnt_most(scenario)
    if at is None:
        return None
    rows = slo.burn_by_second(found, *at)
    burnt = rows[rows["variant"].isin(rows.loc[rows["bad"] > 0, "variant"])]
    totals = burnt.groupby("variant")["bad"].sum()
    worst = totals.idxmax()
    own = burnt[burnt["variant"] == worst].sort_values("bad", ascending=False)
    # The fewest seconds that hold nine tenths of what was bad.
    few = int((own["bad"].cumsum() < 0.9 * totals[worst]).sum()) + 1
    return ChartSpec(
        "burn_over_time", "lines", burnt.astype({"second": float}), "second", "burn", series="variant",
        beside=("valid", "bad", "processes"),
        title=f"{worst} has nine tenths of its {totals[worst]:,} bad requests in {few} of {len(own)} seconds",
        alt="Burn rate by second. Bad requests: " + listed(f"{name} {count:,}" for name, count in totals.items()) + ".",
        x_title="Seconds of the measured window", y_title="Burn rate in this second",
        subtitle=f"Under {_load(found.at(*at).iloc[0])}; processes of a variant together; variants without a bad request are"
        " not drawn",
        footnote=footnote(found.run, Compared(at[0], found.all_cells, model="open", rate_per_s=at[1])),
    ).with_reference(1.0, "the budget lasts exactly its window")  # fmt: skip


def promise_chart(found: Attainment) -> ChartSpec | None:
    """Draw the latency that the target's share of requests keep at the compared rung; None where nobody keeps any."""
    at = found.compared()
    rows = found.at(*at) if at else found.rows
    rows = rows[rows["target_ms"].notna()].sort_values("target_ms")
    if at is None or rows.empty:
        return None
    objective, share = found.objective, _percent(found.objective)
    best, worst = rows.iloc[0], rows.iloc[-1]
    others = f", {worst['variant']} {milliseconds(worst['target_ms'])}" * (len(rows) > 1)
    never = found.at(*at)
    never = listed(never.loc[never["target_never"].astype(bool), "variant"]) if never["target_never"].any() else ""
    return ChartSpec(
        "promise", "dots", rows, "variant", "target_ms", lo="target_lo", hi="target_hi", beside=("p95_ms", "valid", "processes"),
        title=f"{best['variant']} could promise {milliseconds(best['target_ms'])} to {share} of requests{others}",
        alt=f"Response time that {share} of requests keep: "
        + listed(f"{r.variant} {milliseconds(r.target_ms)}" for r in rows.itertuples()) + ".",
        y_title=f"Response time that {share} of requests keep (ms)", y_log=True, horizontal=True,
        subtitle=f"Under {_load(best)}; medians over processes; bars are their order-statistic intervals, where several",
        footnote=f"Not drawn, because too many requests got no 2xx: {never}. " * bool(never)
        + footnote(found.run, Compared(at[0], found.all_cells, model="open", rate_per_s=at[1])),
    ).with_reference(objective.latency_ms, f"objective: {objective.latency_ms:g} ms")  # fmt: skip


def findings(found: Attainment) -> Iterator[dict[str, Any]]:
    """Give attainment, burn rate and P95 of every variant and rung, as `record` takes them; Go's answer the article."""
    objective, compared = found.objective, found.compared()
    for r in found.rows.itertuples():
        rate = None if pd.isna(r.rate_per_s) else float(r.rate_per_s)
        where = f"{r.scenario}_{r.variant}" + ("" if rate is None else f"_at_{rate:g}")
        answers = r.variant == _GO and (r.scenario, rate) == compared
        note = f"{r.bad:,} of {r.valid:,} valid requests were not good: {r.judgement}; {_rests_on(r)}"
        lo, hi = known(r.lo), known(r.hi)
        yield {
            "id": f"attained_{where}", "value": 100 * (1 - r.bad_share), "unit": "percent",
            "lo": None if hi is None else 100 * (1 - hi), "hi": None if lo is None else 100 * (1 - lo), "n": r.processes,
            "query": slo.BLOCKS, "claim": "slo_target" if answers else None, "note": note,
            "unlike": _AN_OBJECTIVE if answers else None,
        }  # fmt: skip
        yield {
            "id": f"burn_rate_{where}", "value": objective.burn_rate(r.bad_share), "unit": "ratio",
            "lo": None if lo is None else objective.burn_rate(lo), "hi": None if hi is None else objective.burn_rate(hi),
            "n": r.processes, "query": slo.BLOCKS, "note": f"{objective.window_days:g}-day budget lasts {_lasts(r, objective)}",
        }  # fmt: skip
        yield {
            "id": f"p95_{where}", "value": known(r.p95_ms), "unit": "ms", "lo": known(r.p95_lo), "hi": known(r.p95_hi),
            "n": r.processes, "query": slo.ANSWERS, "claim": "slo_latency" if answers else None,
            "unlike": _AN_OBJECTIVE if answers else None,
            "note": "more than 1 in 20 got no 2xx: no time is kept" if r.p95_never else
            f"median over processes; an objective is met by what is not above it, and {milliseconds(r.p95_ms)} is"
            f" {'not ' * (r.p95_ms <= objective.latency_ms)}above {objective.latency_ms:g} ms",
        }  # fmt: skip


def _rung(row: Any) -> str:
    return row.scenario + ("" if pd.isna(row.rate_per_s) else f", {row.rate_per_s:,.0f}/s")


def _good(row: Any) -> str:
    if row.basis == Basis.NONE_BAD:
        return f"≥ {_attained(1 - row.hi)}"
    return f"{_attained(1 - row.bad_share)}" + f" {_ends(row)}" * pd.notna(row.lo)


def _ends(row: Any) -> str:
    return f"[{_attained(1 - row.hi)} to {_attained(1 - row.lo)}]"


def _burn(row: Any, objective: ServiceLevelObjective) -> str:
    burn = number(objective.burn_rate(row.bad_share))
    if row.basis == Basis.NONE_BAD:
        return f"≤ {number(objective.burn_rate(row.hi))}"
    if pd.isna(row.lo):
        return burn
    return f"{burn} [{number(objective.burn_rate(row.lo))} to {number(objective.burn_rate(row.hi))}]"


def _lasts(row: Any, objective: ServiceLevelObjective) -> str:
    if row.bad:
        return _days(objective.lasts_days(row.bad_share))
    return f"≥ {_days(objective.lasts_days(row.hi))}"


def _days(days: float) -> str:
    if days >= 1:
        return f"{number(days)} days"
    return f"{number(24 * days)} hours" if days >= 1 / 24 else f"{number(24 * 60 * days)} minutes"


def _spent(row: Any, objective: ServiceLevelObjective) -> str:
    share = objective.spent(row.bad_share, row.seconds)
    return f"{number(100 * share)}%" if row.bad else "none"


def _rests_on(row: Any) -> str:
    return {
        Basis.PROCESSES: "interval over processes",
        Basis.NONE_BAD: f"none bad in {row.blocks} quarters of a second bounds it from below alone",
        Basis.NOTHING: "one process: no interval",
    }[row.basis]


def _time(row: Any, name: str) -> str:
    if getattr(row, f"{name}_never"):
        return "never: too many got no 2xx"
    value, lo, hi = (getattr(row, f"{name}_{of}") for of in ("ms", "lo", "hi"))
    if row.processes < 2:
        return milliseconds(value)
    return f"{milliseconds(value)} [{milliseconds(lo)} to {'–' if pd.isna(hi) else milliseconds(hi)}]"


def _attained(share: float) -> str:
    """Write a share near all of them without rounding it up to all: 99.5 %, 99.997 %."""
    digits = 1 if share <= 0.99 else 2
    while share < 1 and digits < 8 and round(100 * share, digits) >= 100:
        digits += 1
    return f"{share:.{digits}%}"


def _percent(objective: ServiceLevelObjective) -> str:
    return f"{100 * objective.target:.6g}%"


def _one_sided() -> str:
    return "the rule of three, 95 %"


def _range(counts: pd.Series) -> str:
    """Write the range of some counts with thousands set apart."""
    least, most = int(counts.min()), int(counts.max())
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _load(row: Any) -> str:
    rate = row["rate_per_s"]
    return f"{row['scenario']} traffic" + ("" if pd.isna(rate) else f" at {rate:,.0f} requests/s")
