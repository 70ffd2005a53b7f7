"""The case against the option that leads, computed from the same model that speaks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from roi.break_even import BreakEven, break_evens
from roi.business_case import Side
from roi.decision import NOTHING, Decision, Outcome, against, worth
from roi.views.money import THOUSAND, amount, chance, label, money, thousands, words
from roi.views.words import listed

_NAMED = 3
_ONCE = "changes of configuration, if they are counted among the fixes"


@dataclass(frozen=True)
class CaseAgainst:
    """What speaks against the option with the largest expected net present value."""

    decision: Decision
    lead: Outcome
    rivals: pd.DataFrame
    """See `roi.decision.against`."""
    turns: list[BreakEven]
    """Against doing nothing, likeliest first."""
    turns_to_improvement: list[BreakEven]
    """Against improving what is there; none where it leads, or there is no such option."""
    without: pd.DataFrame
    """What is left where one benefit does not come, least first: benefit, mean (currency), positive (probability)."""


def case_against(decision: Decision) -> CaseAgainst:
    """Work out the case against the leading option."""
    lead, improvement = decision.leader, decision.improvement
    name = lead.option.name
    other = None if improvement is None or improvement is lead else improvement.option.name
    return CaseAgainst(
        decision, lead, against(decision, name), break_evens(decision, name),
        break_evens(decision, name, other) if other else [], _without(decision, lead),
    )  # fmt: skip


def _without(decision: Decision, lead: Outcome) -> pd.DataFrame:
    worths = lead.cash.present_values()
    left = {
        line.name: lead.npv - worths[line.name]
        for line in lead.cash.lines
        if line.side is Side.BENEFIT and np.any(worths[line.name])
    }
    left[_ONCE] = worth(decision.values, lead.option.name, replace(decision.horizon, overlap=1.0))
    rows = [(name, value.mean(), np.mean(value > 0)) for name, value in left.items()]
    return pd.DataFrame(rows, columns=["benefit", "mean", "positive"]).sort_values("mean", ignore_index=True)


def said(case: CaseAgainst) -> str:
    """Say how likely the leading option loses, against what, and what would have to be true."""
    decision, currency = case.decision, case.decision.inputs.currency
    nothing, others = case.rivals.iloc[0], case.rivals.iloc[1:]
    parts = [
        f"With a probability of **{chance(nothing['loses'])}** *{case.lead.option.title}* is worth less than doing nothing, and in"
        f" one draw of ten its net present value is {money(nothing['p10'], currency)} or less."
    ]
    improvement = decision.improvement
    if improvement is None:
        parts.append("No option improves the service as it is: a rewrite is compared with doing nothing alone.")
    elif improvement is case.lead:
        parts.append("It is itself the option that improves what is there.")
    else:
        row = others[others["other"] == improvement.option.name].iloc[0]
        parts.append(
            f"*{improvement.option.title}* beats it with a probability of **{chance(row['loses'])}**; in expectation"
            f" *{case.lead.option.title}* is worth {money(abs(row['mean']), currency)} {'more' if row['mean'] > 0 else 'less'} than"
            f" that (a difference of {thousands(row['p10'])} to {thousands(row['p90'])} thousand in 8 of 10 draws)."
        )
    least = case.without.iloc[0]
    parts.append(
        f"It leans most on one benefit: without savings on {least['benefit']} it is worth {money(least['mean'], currency)} in"
        f" expectation, and more than nothing with a probability of {chance(least['positive'])}."
    )
    return " ".join(parts)


def turns_said(case: CaseAgainst) -> str:
    """Say what has to be true for the leading option to lose, or to win where it is not expected to pay."""
    currency = case.decision.inputs.currency
    likely = [turn for turn in case.turns if turn.value is not None][:_NAMED]
    expected = "lose" if case.decision.best != NOTHING else "pay"
    if not likely:
        return (
            f"No single input, within what is plausible and with all others at their means, makes it {expected}: it takes several"
            " at once."
        )
    named = listed(
        f"{words(turn.key)} at {amount(turn.value, turn.key, currency)} in place of {amount(turn.now, turn.key, currency)}"
        + (f" ({chance(turn.chance)})" if turn.chance is not None else "")
        for turn in likely
    )
    return (
        f"For it to {expected}, one of these has to be true, all else at its mean: {named}. In brackets stands, where the"
        " input is uncertain, how likely it lies beyond."
    )


def turns_table(case: CaseAgainst) -> pd.DataFrame:
    """List at which value of each input the leading option turns, against doing nothing and against improving what is there."""
    currency = case.decision.inputs.currency
    nothing, improving = ({turn.key: turn for turn in turns} for turns in (case.turns, case.turns_to_improvement))
    rows = []
    for key, turn in (nothing | improving).items():
        found = [turns.get(key) for turns in (nothing, improving)]
        if any(one is not None and one.value is not None for one in found):
            head = {"input": words(key), "mean": amount(turn.now, key, currency)}
            even = _turn("as good as nothing at", "beyond", found[0], currency)
            rows.append(head | even | _turn("as good as improving at", "beyond it", found[1], currency))
    frame = pd.DataFrame(rows)
    return frame if case.turns_to_improvement or frame.empty else frame.iloc[:, :4]


def _turn(at: str, beyond: str, turn: BreakEven | None, currency: str) -> dict[str, str | None]:
    there = turn is not None and turn.value is not None
    return {
        at: amount(turn.value, turn.key, currency) if there else None,
        beyond: chance(turn.chance) if there and turn.chance is not None else None,
    }


def turns_note(case: CaseAgainst) -> str:
    """Say how the break-evens were found, and name the inputs that have none within their plausible range."""
    none = sorted((label(turn.key) for turn in case.turns if turn.value is None), key=str.lower)
    return (
        "All other inputs are at their means; *beyond* is the probability that an uncertain input lies beyond its break-even. Where"
        " the net present value is a straight line in the input the break-even is exact, elsewhere it is found by bisection."
    ) + (
        f" Against doing nothing {len(none)} inputs have no break-even within the plausible range: {listed(none)}."
        * bool(none)
    )


def rivals_table(case: CaseAgainst) -> pd.DataFrame:
    """List how the leading option stands to each other one, in thousands."""
    unit = f"thousand {case.decision.inputs.currency}"
    return pd.DataFrame([
        {
            f"{case.lead.option.title} against": case.decision.title(r.other),
            f"worth more by, {unit}": thousands(r.mean),
            "P10": thousands(r.p10),
            "P50": thousands(r.p50),
            "P90": thousands(r.p90),
            "worth less": chance(r.loses),
        }
        for r in case.rivals.itertuples()
    ])  # fmt: skip


def without_table(case: CaseAgainst) -> pd.DataFrame:
    """List what is left of the leading option where one benefit does not come, in thousands."""
    return pd.DataFrame([
        {
            "without savings on": r.benefit,
            f"expected NPV, thousand {case.decision.inputs.currency}": thousands(r.mean),
            "NPV > 0": chance(r.positive),
        }
        for r in case.without.itertuples()
    ])  # fmt: skip


def findings(case: CaseAgainst) -> Iterator[dict[str, Any]]:
    """Give how likely the leading option loses, and its likeliest break-evens, as `record` takes them."""
    name = case.lead.option.name
    for r in case.rivals.itertuples():
        yield {
            "id": f"{name}_loses_to_{r.other}", "value": r.loses, "unit": "share", "query": "roi.decision.against",
            "note": "draws in which it is worth less",
        }  # fmt: skip
    least = case.without.iloc[0]
    yield {
        "id": f"npv_expected_{name}_least_benefit", "value": least["mean"] / THOUSAND,
        "unit": f"thousand {case.decision.inputs.currency}", "query": "roi.business_case.npv",
        "note": f"mean, without savings on {least['benefit']}",
    }  # fmt: skip
    for turn in [turn for turn in case.turns if turn.value is not None][:_NAMED]:
        yield {
            "id": f"break_even_{name}_{turn.key.replace('.', '_')}", "value": turn.value,
            "unit": case.decision.inputs.quantities[turn.key].unit, "query": "roi.break_even.break_evens",
            "note": f"mean {turn.now:.4g}; {'closed form' if turn.closed else 'bisection'}, all others at their means",
        }  # fmt: skip
