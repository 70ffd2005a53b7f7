"""The view of the business case: what each option is worth, when it pays back, and where the money is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from roi.business_case import Side
from roi.charts.spec import ChartSpec
from roi.decision import NOTHING, Decision, Outcome, summary
from roi.views.money import THOUSAND, chance, footnote, money, provenances, thousands, years
from roi.views.words import known, listed, number

_SHARES = np.linspace(0.005, 0.995, 199)
_QUERY = "roi.decision.summary"


def verdict(decision: Decision) -> str:
    """Say which option is worth most and how surely, and on what that rests."""
    rows, currency = summary(decision).set_index("option"), decision.inputs.currency
    lead, best = rows.loc[decision.leader.option.name], decision.best
    span = f"{_span(lead)} {currency} in 8 of 10 draws"
    ahead = f"within {_years_ahead(decision)}"
    rests = f" It rests on what was put in: {provenances(decision.inputs)}."
    synthetic = " **The inputs are synthetic: a made-up firm's.**" if decision.inputs.synthetic else ""
    if best == NOTHING:
        return (
            f"**No option is expected to pay {ahead}: doing nothing is the best choice in"
            f" {chance(rows.loc[NOTHING, 'best'])} of draws.** What most often beats it is *{lead['title']}*, best of all in"
            f" {chance(lead['best'])}; its net present value is {money(lead['mean'], currency)} in expectation ({span}), above zero"
            f" with a probability of {chance(lead['positive'])}.{rests}{synthetic}"
        )
    return (
        f"***{lead['title']}* has the largest expected net present value: {money(lead['mean'], currency)}"
        f" more than doing nothing {ahead}** ({span}). It is above zero with a probability of **{chance(lead['positive'])}**, and"
        f" the best of {len(rows)} options, doing nothing among them, with one of **{chance(lead['best'])}**. It pays back"
        f" {_payback(lead)}, within 24 months with a probability of {chance(lead['soon'])}.{rests}{synthetic}"
    )


def _payback(row: pd.Series) -> str:
    middle = years(row["payback_years"])
    return "in fewer than half of the draws" if middle == "never" else f"after {middle} (median)"


def _span(row: pd.Series) -> str:
    return f"{thousands(row['p10'])} to {thousands(row['p90'])} thousand"


def _years_ahead(decision: Decision) -> str:
    return f"{decision.horizon.years} year{'s' * (decision.horizon.years > 1)}"


def options_table(decision: Decision) -> pd.DataFrame:
    """List what each option comes to, best first; money in thousands."""
    rows = []
    for r in summary(decision).to_dict("records"):
        nothing = r["option"] == NOTHING
        rows.append({
            f"NPV, thousand {decision.inputs.currency}": r["title"],
            "expected": thousands(r["mean"]),
            "P10": thousands(r["p10"]),
            "P50": thousands(r["p50"]),
            "P90": thousands(r["p90"]),
            "NPV > 0": None if nothing else chance(r["positive"]),
            "best of all": chance(r["best"]),
            "costs": thousands(r["costs"]),
            "ROI": None if nothing or pd.isna(r["roi"]) else number(r["roi"], 2).replace("-", "−"),
            "payback": None if nothing else years(r["payback_years"]),
            "in 24 months": None if nothing else chance(r["soon"]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def npv_chart(decision: Decision) -> ChartSpec:
    """Draw how surely each option is worth how much."""
    ranked = summary(decision).sort_values("positive", ascending=False, kind="stable")
    order = [name for name in ranked["option"] if name != NOTHING]
    rows = pd.concat(
        pd.DataFrame({
            "option": name.replace("_", " "), "npv": np.quantile(decision.of(name).npv, _SHARES) / THOUSAND, "share": _SHARES,
        })
        for name in order
    )  # fmt: skip
    positive = listed(f"{name.replace('_', ' ')} {chance(float(np.mean(decision.of(name).npv > 0)))}" for name in order)
    return ChartSpec(
        "npv", "ecdf", rows, "npv", "share", series="option",
        title=f"Probability of being worth more than doing nothing: {positive}",
        alt=f"Distribution of the net present value by option. Probability of a value above zero: {positive}.",
        x_title=f"Net present value (thousand {decision.inputs.currency})", y_title="Share of draws below",
        subtitle=f"{_years_ahead(decision).capitalize()}; between the 0.5th and the 99.5th percentile",
        footnote=footnote(decision.inputs, decision.draws, decision.seed),
    ).with_reference(0.0, "doing nothing", axis="x")  # fmt: skip


def cash_chart(decision: Decision) -> ChartSpec:
    """Draw the cumulated, discounted cash of the leading option over the years."""
    lead = decision.leader
    held = np.cumsum(
        np.broadcast_to(lead.cash.net * lead.cash.factors, (decision.draws, decision.horizon.years + 1)), 1
    )
    p10, p50, p90 = np.quantile(held, (0.1, 0.5, 0.9), axis=0) / THOUSAND
    rows = pd.DataFrame({
        "option": _name(lead), "year": np.arange(len(p50)), "cash": p50, "p10": p10, "p90": p90,
    })  # fmt: skip
    back = years(float(np.quantile(lead.payback_years, 0.5, method="inverted_cdf")))
    when = f"has paid back after {back}" if back != "never" else f"does not pay back within {_years_ahead(decision)}"
    return ChartSpec(
        "cash", "lines", rows, "year", "cash", series="option", lo="p10", hi="p90",
        title=f"{_name(lead).capitalize()} {when} (median)",
        alt=f"Cumulated cash of {_name(lead)}: median {thousands(p50[0] * THOUSAND)} thousand at the start,"
        f" {thousands(p50[-1] * THOUSAND)} thousand after {_years_ahead(decision)}.",
        x_title="Years after the start", y_title=f"Cumulated cash, discounted (thousand {decision.inputs.currency})",
        subtitle="Median of the draws at each year's end, with P10 to P90",
        footnote=footnote(decision.inputs, decision.draws, decision.seed),
    ).with_reference(0.0, "paid back")  # fmt: skip


def lines_chart(decision: Decision) -> ChartSpec:
    """Draw where the leading option's money comes from and goes to."""
    lead = decision.leader
    side = {line.name: 1 if line.side is Side.BENEFIT else -1 for line in lead.cash.lines}
    rows = []
    for name, worth in lead.cash.present_values().items():
        signed = side[name] * worth / THOUSAND
        p10, p90 = np.quantile(signed, (0.1, 0.9))
        mean = float(signed.mean())
        # A mean may lie outside of P10 to P90 where a few draws are far out.
        rows.append((name, mean, min(p10, mean), max(p90, mean)))
    frame = pd.DataFrame(rows, columns=["line", "worth", "p10", "p90"])
    frame = frame[(frame[["worth", "p10", "p90"]] != 0).any(axis=1)].sort_values("worth", ascending=False)
    top = frame.iloc[0]
    title = (
        f"{_name(lead).capitalize()} saves most on {top['line']}: {thousands(top['worth'] * THOUSAND)} of"
        f" {thousands(frame['worth'].clip(lower=0).sum() * THOUSAND)} thousand {decision.inputs.currency}"
        if top["worth"] > 0
        else f"{_name(lead).capitalize()} saves on no line"
    )
    return ChartSpec(
        "lines", "dots", frame, "line", "worth", lo="p10", hi="p90", horizontal=True, title=title,
        alt="Expected present value by line: " + listed(f"{r.line} {number(r.worth)}" for r in frame.itertuples()) + ".",
        y_title=f"Present value (thousand {decision.inputs.currency}); below zero is spent or lost",
        subtitle=f"{lead.option.title}, {_years_ahead(decision)}: mean of the draws, with P10 to P90",
        footnote=footnote(decision.inputs, decision.draws, decision.seed),
    ).with_reference(0.0, "nothing")  # fmt: skip


def lines_table(decision: Decision) -> pd.DataFrame:
    """List what each line is worth with each option, in thousands; what is spent is below zero."""
    columns = {}
    for found in decision.outcomes:
        worth = {name: float(values.mean()) for name, values in found.cash.present_values().items()}
        columns[_name(found)] = {
            line.name: worth[line.name] if line.side is Side.BENEFIT else -worth[line.name] for line in found.cash.lines
        } | {"net present value": float(found.npv.mean())}
    frame = pd.DataFrame(columns)
    frame = frame[(frame != 0).any(axis=1)].map(thousands)
    return frame.rename_axis(f"present value, thousand {decision.inputs.currency}").reset_index()


def conditions(decision: Decision) -> str:
    """Say how the money is counted."""
    over = decision.horizon
    rate = "the inputs' own rate" if over.discount_rate is None else f"{over.discount_rate:.1%} a year"
    shared = (
        f"{over.overlap:.0%} of the work on changes of configuration is taken to be work on fixes, and counted once"
        if over.overlap
        else "fixes, changes of configuration and failed releases are taken to be different hours: set *overlap* where they are not"
    )
    return (
        f"Costs of the start stand at time 0 undiscounted, all else at the end of its year at {rate}, times the probability that"
        " the service is still needed by then. Payback is of discounted cash, so it is finite just where the net present value is"
        f" above zero. No hour is counted twice: {shared}; an outage after a failed rollback is not one after a crash; capacity is"
        " saved only once the old system is gone, and both are paid for until then. Inputs are drawn independently of each other."
    )


def findings(decision: Decision) -> Iterator[dict[str, Any]]:
    """Give what every option comes to, as `record` takes them."""
    unit, over = f"thousand {decision.inputs.currency}", f"P10 to P90 of {decision.draws} draws, seed {decision.seed}"
    about = f"{decision.inputs.title}, {_years_ahead(decision)}, against doing nothing"
    for r in summary(decision).to_dict("records"):
        name = r["option"]
        yield {
            "id": f"best_of_all_{name}", "value": r["best"], "unit": "share", "query": _QUERY,
            "note": f"draws in which it has the largest net present value; {about}",
        }  # fmt: skip
        if name == NOTHING:
            continue
        yield {
            "id": f"npv_{name}", "value": r["p50"] / THOUSAND, "unit": unit, "lo": r["p10"] / THOUSAND, "hi": r["p90"] / THOUSAND,
            "query": _QUERY, "note": f"median, {over}; {about}",
        }  # fmt: skip
        yield {
            "id": f"npv_expected_{name}", "value": r["mean"] / THOUSAND, "unit": unit, "query": _QUERY, "note": f"mean; {about}",
        }  # fmt: skip
        yield {
            "id": f"npv_above_zero_{name}", "value": r["positive"], "unit": "share", "query": _QUERY, "note": about,
        }  # fmt: skip
        yield {
            "id": f"costs_{name}", "value": r["costs"] / THOUSAND, "unit": unit, "query": _QUERY,
            "note": f"mean present value; {about}",
        }  # fmt: skip
        yield {
            "id": f"roi_{name}", "value": known(r["roi"]), "unit": "ratio", "query": _QUERY,
            "note": "it costs nothing" if pd.isna(r["roi"]) else f"median of net present value over present costs; {about}",
        }  # fmt: skip
        back = r["payback_years"]
        yield {
            "id": f"payback_{name}", "value": None if np.isinf(back) else back, "unit": "years", "query": _QUERY,
            "note": f"{'never within the horizon in half of the draws' if np.isinf(back) else 'median, discounted'}; {about}",
        }  # fmt: skip
        yield {
            "id": f"payback_within_24_months_{name}", "value": r["soon"], "unit": "share", "query": _QUERY, "note": about,
        }  # fmt: skip


def _name(outcome: Outcome) -> str:
    return outcome.option.name.replace("_", " ")
