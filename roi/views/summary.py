"""The view of a whole report: its answer, what to decide on it and what not, and what it lacks, from its findings alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from roi.claim_verdicts import Outcome
from roi.go_beside_java import GO, JAVA, better, ratios, weighed
from roi.inputs import Provenance
from roi.noise import apart
from roi.report.contents import SYNTHETIC, headline
from roi.report.findings import Finding
from roi.summary import Summary
from roi.views.finding_words import (
    capital,
    figure,
    input_words,
    interval,
    items,
    literal,
    many,
    plain,
    reach,
    share,
    sources,
)
from roi.views.words import listed, percent, span

_NAMED = 3
_MOSTLY = 0.5
"""Share of the variance from which on a result rests mostly on something."""
_FIT = {
    "indicative": "**Decide nothing on it but what to measure.** The run is indicative: short windows, few repetitions. For a"
    " decision, measure with the suite `standard`.",
    "decision": "**The run is made for decisions**, about gateways like these on a machine like this one.",
    "publication": "**The run is made for publication**, about gateways like these on a machine like this one.",
}
_FIT_NOT_TOLD = "**Decide nothing on it but what to measure.** What the run is fit for is not told."
_PAIRS = r"blind_pair_(.+)"


def answer(summary: Summary) -> str:
    """Say in a few sentences what became of the claims, how Go stands to Java, and what the money says."""
    first = f"**{SYNTHETIC}**\n\n" * summary.about.synthetic
    return first + items(_claims_said(summary), _java_said(summary), _money_said(summary))


def _claims_said(summary: Summary) -> str:
    tested = summary.tested
    if not tested:
        return "**The claims.** No finding of this report tests a claimed figure." + _ledger_said(summary)
    stated = {one.finding.claim for one in tested}
    several = f" ({len(tested)} comparisons of {many(len(stated), 'stated figure')})" * (len(stated) < len(tested))
    said = headline(summary.about, [one.finding for one in summary.comparisons])
    return f"**The claims.** {said}{several}. {sources(one.finding for one in tested)}{_ledger_said(summary)}"


def _ledger_said(summary: Summary) -> str:
    """Say how many figures of the claims file have which verdict, each counted once; empty where no page judged them."""
    counts = [
        (outcome, found) for outcome in Outcome if (found := summary.of(f"claims_{outcome.name.lower()}")) is not None
    ]
    if not counts:
        return ""
    whole = sum(int(found.value) for _, found in counts)
    told = listed(f"{int(found.value)} {outcome}" for outcome, found in counts if found.value)
    return (
        f" The page of claims judges each of {whole} stated figures once: {told}."
        f" {sources(found for _, found in counts if found.value)}"
    )


def _java_said(summary: Summary) -> str:
    found = ratios(summary)
    if not found:
        return "**Go against Java.** This report has no finding of Go's requests/s over Java's."
    least, most = min(one.value for one in found), max(one.value for one in found)
    times = figure(least) if least == most else f"{figure(least)} to {figure(most)}"
    fewer = [one for one in found if one.hi is not None and one.hi < 1]
    more = [one for one in found if one.lo is not None and one.lo > 1]
    rest = [one for one in found if one not in fewer and one not in more]
    places = {"fewer than": fewer, "more than": more, "not told apart from": rest}
    told = listed(f"{word} {_of_variants(some, found)}" for word, some in places.items() if some)
    each = listed(f"{one.id.removeprefix(f'{GO}_over_')} {interval(one)}" for one in found)
    processes = [one.n for one in found if one.n is not None]
    behind = f"; {many(span(processes), 'process', 'processes')} of each" if processes else ""
    return (
        f"**Go against Java.** At saturation Go serves **{times} times** what Java serves, {told}: {each}{behind}."
        f" {sources(found)}"
    )


def _of_variants(some: list[Finding], every: list[Finding]) -> str:
    if len(some) == len(every):
        return "the one Java variant" if len(every) == 1 else f"each of {len(every)} Java variants"
    return f"{len(some)} of {len(every)} Java variants"


def _money_said(summary: Summary) -> str:
    option = summary.option
    npv = summary.of(f"npv_{option}") if option else None
    if npv is None:
        return "**The money.** This report has no finding of what a migration is worth."
    positive, nothing = summary.of(f"npv_above_zero_{option}"), summary.of("best_of_all_nothing")
    expected = [one.value for _, one in summary.matching(r"npv_expected_.+")]
    lead = (
        f"**No option is expected to pay.** Of those that change something *{plain(option)}* leads"
        if expected and max(expected) <= 0
        else f"The option that leads is *{plain(option)}*"
    )
    about = literal((npv.note or "").partition("; ")[2])
    more = [f"it is above zero with a probability of **{share(positive.value)}**"] if positive else []
    more += [f"doing nothing pays most in {share(nothing.value)} of draws"] if nothing else []
    likely = f" {capital(listed(more))}." if more else ""
    return (
        f"**The money.** {lead}: its net present value is **{reach(npv)}** {npv.unit} in 8 of 10 draws, {figure(npv.value)} in"
        f" the median{f' ({about})' * bool(about)}.{likely} {sources((npv, positive, nothing))}{_drivers_said(summary)}"
    )


def _drivers_said(summary: Summary) -> str:
    """Say what the business case hangs on; empty where the report does not tell."""
    drivers = summary.matching(r"variance_total_(.+)")[:_NAMED]
    if not drivers:
        return ""
    told = listed(f"{input_words(match[1])} ({share(one.value)})" for match, one in drivers)
    return f" Of its variance most hangs on {told}. {sources(one for _, one in drivers)}"


def decisions(summary: Summary) -> str:
    """Say what can be decided on the report, and what cannot."""
    synthetic = "**Decide nothing on it: the data are synthetic.**"
    fit = synthetic if summary.about.synthetic else _FIT.get(summary.about.purpose, _FIT_NOT_TOLD)
    about = f"{fit} It is about {literal(summary.about.line())}."
    return items(about, _gate_said(summary), _floor_said(summary), _assumed_said(summary), _next_said(summary))


def _gate_said(summary: Summary) -> str:
    passed, measured = summary.of("cells_passed_the_gate"), summary.of("cells_measured")
    if passed is None or passed.n is None or measured is None:
        return (
            "**How many cells passed the gate is not told**: see first whether the figures of the run can be trusted."
        )
    failed = passed.n - int(measured.value)
    lost = f" {many(failed, 'cell')} could not be measured." * (failed > 0)
    return (
        f"**{int(passed.value):,} of {passed.n:,} cells** passed the gate, which asks whether the generator was the"
        f" bottleneck.{lost} {sources((passed, measured))}"
    )


def _floor_said(summary: Summary) -> str:
    pairs = summary.matching(_PAIRS)
    if not pairs:
        return "**No noise floor is known**: the report has no blind pair, so a small difference may be none."
    told = listed(f"{percent(apart(one.value, 1.0))} in {_pair(one)}" for _, one in pairs)
    wrong = [one for _, one in pairs if one.lo is not None and one.hi is not None and not one.lo <= 1 <= one.hi]
    apart_in = listed(map(_pair, wrong))
    distrust = f" **The pair is told apart in {apart_in}, and should not be:** distrust those." if wrong else ""
    return (
        f"**Decide on no difference below the noise floor**, by which one variant differs from itself: {told}.{distrust}"
        f" {sources(one for _, one in pairs)}"
    )


def _pair(found: Finding) -> str:
    """Give what a blind pair was compared by: `go over itself, requests/s at saturation`."""
    return literal((found.note or "").partition(", ")[2]) or plain(found.id.removeprefix("blind_pair_"))


def _assumed_said(summary: Summary) -> str:
    shares = [(kind, found) for kind in Provenance if (found := summary.of(f"variance_{kind.value}")) is not None]
    if not shares:
        return ""
    shares.sort(key=lambda pair: pair[1].value, reverse=True)
    (most, first), *others = shares
    told = listed([
        f"{share(first.value)} of the variance of its net present value rests on what is {most.value}",
        *(f"{share(found.value)} on what is {kind.value}" for kind, found in others),
    ])  # fmt: skip
    mostly = most is Provenance.ASSUMED and first.value > _MOSTLY
    lead = "Take the money for a calculation, and not for a measurement" if mostly else "The money"
    return f"**{lead}**: {told}. {sources(found for _, found in shares)}"


def _next_said(summary: Summary) -> str:
    everything = summary.of("worth_of_knowing_everything")
    if everything is None:
        return ""
    inputs = [(match[1], one) for match, one in summary.matching(r"worth_of_knowing_(.+)") if one is not everything]
    if not inputs:
        return f"**Measure next**: no single input is shown to be worth measuring. {sources((everything,))}"
    key, best = max(inputs, key=lambda pair: pair[1].value)
    return (
        f"**Measure next: {input_words(key)}.** Knowing it exactly is worth at most {figure(best.value)} {best.unit}"
        f" [{reach(best)}], of {figure(everything.value)} that knowing everything is. {sources((best, everything))}"
    )


def missing(summary: Summary) -> str:
    """Say which pages a whole report has and this one lacks."""
    lacking = [page for page in summary.pages if not page.complete]
    complete = len(summary.pages) - len(lacking)
    if not lacking:
        return f"Nothing: all {many(complete, 'page')} are complete."
    named = listed(f"*{literal(page.title)}* (`{page.name}`)" for page in lacking)
    return (
        f"**{complete} of {many(len(summary.pages), 'page')} {'is' if complete == 1 else 'are'} complete.** Failed, skipped or not"
        f" asked for, and in nothing above: {named}."
    )


def findings(summary: Summary) -> Iterator[dict[str, Any]]:
    """Give what was counted, as `record` takes it."""
    stated = {one.finding.claim for one in summary.tested}
    against = {one.finding.claim for one in summary.contradicted}
    beside = weighed(summary)
    leads = {who: len(better(beside, who)) for who in (GO, JAVA)}
    complete = sum(page.complete for page in summary.pages)
    for name, value, unit, note in (
        ("comparisons_tested", len(summary.tested), "comparisons", f"of {len(summary.comparisons)} with a stated figure"),
        ("comparisons_contradicted", len(summary.contradicted), "comparisons", f"of {len(summary.tested)} that are tested"),
        ("stated_figures_tested", len(stated), "claims", "by a finding; each counted once"),
        ("stated_figures_contradicted", len(against), "claims", "by one finding or more; each counted once"),
        ("measures_for_go", leads[GO], "measures", f"of {len(beside)}: better than some variant of Java, told apart"),
        ("measures_for_java", leads[JAVA], "measures", f"of {len(beside)}: some variant better than Go, told apart"),
        ("pages_complete", complete, "pages", f"of {len(summary.pages)} that a whole report has"),
    ):  # fmt: skip
        yield {
            "id": f"summary_{name}", "value": value, "unit": unit, "run": summary.about.run, "query": "roi.summary.read",
            "note": note,
        }  # fmt: skip
