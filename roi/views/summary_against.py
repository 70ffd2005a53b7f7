"""The case against a report's answer, from its own findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pandas as pd

from roi.go_beside_java import GO, JAVA, Weighed, ahead, better, weighed
from roi.report.findings import Finding
from roi.summary import Comparison, Summary
from roi.views.finding_words import (
    amount,
    capital,
    figure,
    input_words,
    interval,
    items,
    literal,
    many,
    plain,
    share,
    sources,
    unit_words,
)
from roi.views.words import listed

_NAMED = 3
_PROOFS = r"(.+_)?proofs_held"


def case_against(summary: Summary) -> str:
    """Say what among the findings speaks for the opposite of the answer."""
    said = items(_claims_against(summary), _java_against(summary), *_money_against(summary), _proofs_against(summary))
    return said or "No finding of this report speaks against its answer; that says how little it holds."


def _claims_against(summary: Summary) -> str:
    tested, contradicted = summary.tested, summary.contradicted
    if not tested:
        return ""
    mostly = 2 * len(contradicted) >= len(tested)
    other = [one for one in tested if one.kind != "apart"] if mostly else contradicted
    if not other:
        return f"All {many(len(tested), 'comparison')} with a claim point one way." * (len(tested) > 1)
    word = "**Not contradicted**" if mostly else "**Contradicted**"
    shown = [_beside(one) for one in other[:_NAMED]]
    shown += [f"{len(other) - _NAMED} more"] if len(other) > _NAMED else []
    return f"{word}: {listed(shown)}. {sources(one.finding for one in other)}"


def _beside(one: Comparison) -> str:
    found = one.finding
    verdict = one.verdict.removeprefix("claim is ")
    return (
        f"{literal(found.claim_says)}, claimed {amount(found.claim_value, found.claim_unit)} and here"
        f" {amount(found.value, found.unit)} ({verdict})"
    )


def _java_against(summary: Summary) -> str:
    """Say by how many measures the one who serves fewer requests/s is better."""
    who, found = ahead(summary), weighed(summary)
    if not who or not found:
        return ""
    other = JAVA if who == GO else GO
    for_other, for_who = (better(found, one) for one in (other, who))
    measures, untold = many(len(found), "measure"), sum(not one.told_apart for one in found)
    if not for_other:
        return f"By none of {measures} {capital(other)} is shown to be better."
    return (
        f"**By {len(for_other)} of {measures} {capital(other)} is better** than some variant, told apart; {capital(who)} by"
        f" {len(for_who)}; by {untold} nothing is told apart. {sources(one.go for one in for_other)}"
    )


def weighed_table(summary: Summary) -> pd.DataFrame:
    """List Go beside Java by every measure that tells them apart."""
    rows = [one for one in weighed(summary) if one.told_apart]
    return pd.DataFrame({
        "measure": [one.words for one in rows],
        "Go": [f"{interval(one.go)} {unit_words(one.go.unit)}".strip() for one in rows],
        "Java": [_of_all(one.java) for one in rows],
        "Go is better than": [_names(one.for_go, one) for one in rows],
        "Go is worse than": [_names(one.for_java, one) for one in rows],
        "finding": [one.go.id for one in rows],
    })  # fmt: skip


def _names(variants: tuple[str, ...], of: Weighed) -> str | None:
    return f"all {len(variants)}" if len(variants) == len(of.java) > 1 else ", ".join(variants) or None


def _of_all(java: Iterable[Finding]) -> str:
    values = [one.value for one in java]
    return figure(min(values)) if min(values) == max(values) else f"{figure(min(values))} to {figure(max(values))}"


def _money_against(summary: Summary) -> Iterator[str]:
    option = summary.option
    if option is None:
        return
    expected, positive = summary.of(f"npv_expected_{option}"), summary.of(f"npv_above_zero_{option}")
    loses = summary.of(f"{option}_loses_to_nothing")
    pays = expected is not None and expected.value > 0
    name = f"*{plain(option)}*"
    if pays:
        least = summary.of(f"npv_expected_{option}_least_benefit")
        without = ""
        if least is not None:
            said = literal((least.note or "").removeprefix("mean, ")) or "without its largest benefit"
            without = f", and {said} it is worth {figure(least.value)} {least.unit} in expectation"
        yield (
            f"**{name} is worth less than doing nothing** in {share(loses.value)} of draws{without}."
            f" {sources((loses, least))}"
        )
    elif positive is not None:
        yield f"**{name} pays after all** in {share(positive.value)} of draws. {sources((positive,))}"
    turns = summary.matching(rf"break_even_{re.escape(option)}_(.+)")
    if turns:
        told = listed(f"{input_words(match[1])} at {figure(one.value)} {one.unit}{_mean(one)}" for match, one in turns)
        yield (
            f"It would {'lose' if pays else 'pay'} with one of these, all else at its mean: {told}."
            f" {sources(one for _, one in turns)}"
        )
    flips = summary.of("decision_flips")
    if flips is not None:
        yield (
            f"In {share(flips.value)} of draws another option pays most than the one that has the largest expected value."
            f" {sources((flips,))}"
        )


def _mean(found: Finding) -> str:
    """Give the mean that a break-even stands beside: its note begins `mean 4917; …`."""
    match = re.match(r"mean ([^;]+);", found.note or "")
    return f" (mean {figure(float(match[1]))})" if match else ""


def _proofs_against(summary: Summary) -> str:
    short = [one for _, one in summary.matching(_PROOFS) if one.value < 1]
    if not short:
        return ""
    told = listed(literal(one.note or f"{share(one.value)} of {plain(one.id)}") for one in short)
    return f"**Not all proofs hold.** What does: {told}. {sources(short)}"
