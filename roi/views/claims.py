"""The view of claims: every stated figure with its verdict, and the source checked against itself."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd
from IPython.display import HTML

from roi import claims
from roi.charts.spec import ChartSpec
from roi.claim_verdicts import WIDE, Judgement, Outcome, of_claims, unit_of
from roi.claims import ARTICLE, Claim, Relation
from roi.data import Run
from roi.report import catalog
from roi.report.findings import figure
from roi.views.claim_answers import asked
from roi.views.words import footnote, listed, number

_KIND = {
    Outcome.SUPPORTED: "within",
    Outcome.CONTRADICTED: "apart",
    Outcome.ARITHMETIC: "apart",
    Outcome.NOT_MEASURABLE: "open",
    Outcome.NO_QUANTITY: "open",
}
"""The sheet's class of each verdict, which gives it a colour; the word says the same."""
_WIDTHS = ("24%", "11%", "12%", "17%", "36%")


@dataclass(frozen=True)
class Ledger:
    """The claims of a file, each with its verdict."""

    run: Run
    own: bool
    """The file is not the article's."""
    judgements: tuple[Judgement, ...]

    @property
    def source(self) -> str:
        """Whose figures they are."""
        return "the claims file" if self.own else "the article"

    def of(self, *outcomes: Outcome) -> list[Judgement]:
        """Give the claims with one of these verdicts."""
        return [one for one in self.judgements if one.outcome in outcomes]


def judged(run: Run, name: str, scenario: str, all_cells: bool = False) -> Ledger:
    """Hold the claims of a file against a run.

    Parameters
    ----------
    name
        `article`, or the path of a claims file.
    scenario
        Traffic under which pauses were seen.

    Raises
    ------
    ClaimsInvalid
        There is no such file, or it does not say what a claims file must say.
    """
    path = claims.find(name)
    own = path != ARTICLE
    found = of_claims(claims.read(path), asked(run, scenario, all_cells), list(catalog.read()), own=own)
    return Ledger(run, own, tuple(found))


def verdict(ledger: Ledger) -> str:
    """Say how many claims have which verdict, and what the words mean."""
    counts = Counter(one.outcome for one in ledger.judgements)
    told = listed(f"**{counts[outcome]} {outcome}**" for outcome in Outcome if counts[outcome])
    return (
        f"Of {len(ledger.judgements)} figures that {ledger.source} states, {told}. *Supported* says that the figure lies within our"
        " interval, or no further from it than the noise floor, and proves nothing; *contradicted*, that it lies outside, under"
        " the conditions that stand beside it. Neither is said of what has no interval, or one whose ends are more than"
        f" {WIDE:g} times apart."
    )


def counts_chart(ledger: Ledger) -> ChartSpec:
    """Draw how many claims have which verdict."""
    counts = Counter(one.outcome for one in ledger.judgements)
    rows = pd.DataFrame(
        {"verdict": [str(outcome) for outcome in Outcome], "claims": [counts[outcome] for outcome in Outcome]}
    )
    told = listed(f"{counts[outcome]} {outcome}" for outcome in (Outcome.CONTRADICTED, Outcome.SUPPORTED))
    return ChartSpec(
        "claims_by_verdict", "bars", rows, "verdict", "claims",
        title=f"Of {len(ledger.judgements)} figures, {told}; {counts[Outcome.NOT_MEASURABLE]} cannot be measured here",
        alt="Claims by verdict: " + listed(f"{r.verdict} {r.claims}" for r in rows.itertuples()) + ".",
        y_title="Claims", horizontal=True, subtitle=f"Every figure of {ledger.source}, one verdict each",
        footnote=footnote(ledger.run),
    )  # fmt: skip


def table(ledger: Ledger) -> HTML:
    """List every claim, section by section, with its verdict, our figure and the reason."""
    columns = "".join(f"<col style='width: {width}'>" for width in _WIDTHS)
    head = "<th>claim</th><th>stated</th><th>verdict</th><th>here [95 %]</th><th>why</th>"
    body = "".join(
        f"<tbody><tr><th colspan='5'>{'Section ' * (where[:1].isdigit())}{html.escape(where)}</th></tr>"
        + "".join(map(_row, part))
        + "</tbody>"
        for where, part in groupby(ledger.judgements, key=lambda one: one.claim.where)
    )
    return HTML(
        f"<table class='shown claims'><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead>{body}</table>"
    )


def _row(one: Judgement) -> str:
    under = f"{one.conditions}; run {one.run}" if one.run else one.conditions
    return (
        f"<tr><td style='white-space: normal'>{html.escape(_capital(one.claim.says))}{_small(one.claim.note)}</td>"
        f"<td>{html.escape(_stated(one.claim))}</td>"
        f"<td class='verdict {_KIND[one.outcome]}'>{html.escape(str(one.outcome))}</td>"
        f"<td>{html.escape(_here(one))}</td><td>{html.escape(_capital(one.reason))}.{_small(under)}</td></tr>"
    )


def _small(text: str) -> str:
    return f"<small>{html.escape(text)}</small>" if text else ""


def _stated(claim: Claim) -> str:
    relation = "" if claim.relation is Relation.IS else f"{claim.relation} "
    return f"{relation}{claim.value:,.{claim.decimals}f} {unit_of(claim.unit)}"


def _here(one: Judgement) -> str:
    if one.found is None or one.found.value is None:
        return "–"
    found = one.found
    ends = "" if found.lo is None and found.hi is None else f" [{figure(found.lo)} to {figure(found.hi)}]"
    n = "" if found.n is None else f", n = {found.n:,}"
    return f"{figure(found.value)} {unit_of(found.unit)}{ends}{n}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def arithmetic_said(ledger: Ledger) -> str:
    """Say what the source's figures make of each other, and by which rule."""
    checked = [computed for one in ledger.judgements for computed in one.computed]
    if not checked:
        return "No figure of the file is said to follow from others of it: there is nothing to check it against itself with."
    wrong = ledger.of(Outcome.ARITHMETIC)
    wrongs = listed(f"{one.claim.says} ({one.claim.value:.{one.claim.decimals}f})" for one in wrong)
    beside = [
        f"{one.claim.says}, printed {one.claim.value:.{one.claim.decimals}f}: {computed.reading.says},"
        f" {computed.rounded:.{one.claim.decimals}f}"
        for one in ledger.judgements
        for computed in one.computed
        if not computed.agrees and one.outcome is not Outcome.ARITHMETIC
    ]
    others = "; ".join(beside)
    return (
        f"Some of the figures follow from others that {ledger.source} prints. They are computed exactly from what is printed, and"
        " rounded half up to as many digits as are printed."
        + (f" **The print is refuted for {wrongs}.**" if wrong else " No print is refuted.")
        + (f" Not refuted, as another reading gives the print or the figure is of something else: {others}." if beside else "")
        + " What the figures were before they were rounded nobody knows; what they allow stands in the table."
    )  # fmt: skip


def arithmetic_table(ledger: Ledger) -> pd.DataFrame:
    """List what the source's own figures give for each figure that follows from them."""
    rows = [(one, computed) for one in ledger.judgements for computed in one.computed]
    return pd.DataFrame({
        "figure": [_capital(one.claim.says) for one, _ in rows],
        "printed": [f"{one.claim.value:.{one.claim.decimals}f}" for one, _ in rows],
        "computed from": [computed.reading.says for _, computed in rows],
        "gives": [f"{number(computed.value, 4)}" for _, computed in rows],
        "rounded": [f"{computed.rounded:.{one.claim.decimals}f}" for one, computed in rows],
        "unrounded figures allow": [f"{number(computed.least, 4)} to {number(computed.most, 4)}" for _, computed in rows],
        "": ["of something else" if c.reading.another else "agrees" if c.agrees else "does not agree" for _, c in rows],
    })  # fmt: skip


def findings(ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Give the count of every verdict, our figure for each claim that has one, and what the source gives for itself."""
    for outcome in Outcome:
        yield {"id": f"claims_{outcome.name.lower()}", "value": len(ledger.of(outcome)), "unit": "claims",
               "query": "roi.claim_verdicts.of_claims", "note": f"of {len(ledger.judgements)}: {outcome}"}  # fmt: skip
    for one in ledger.judgements:
        if one.found is not None:
            found = one.found
            yield {
                "id": f"claim_{one.claim.id}", "value": found.value, "unit": found.unit, "lo": found.lo, "hi": found.hi,
                "n": found.n, "run": one.run, "query": found.query,
                "note": f"stated {_stated(one.claim)}: {one.outcome}; {one.reason}",
            }  # fmt: skip
        for place, computed in enumerate(one.computed, 1):
            yield {
                "id": f"claim_{one.claim.id}_computed_{place}", "value": computed.value, "unit": one.claim.unit,
                "query": computed.reading.formula,
                "note": f"{computed.reading.says}, from the figures as they are printed; printed {_stated(one.claim)}",
            }  # fmt: skip
