"""The first page of a report: what was found beside what was claimed, then the list of pages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from markupsafe import Markup

from roi.report.catalog import Page
from roi.report.deck.spoken import spoken
from roi.report.execute import Status
from roi.report.findings import Finding, anchor, figure, unit, verdict
from roi.report.outline import Heading
from roi.report.pages import STATUS_WORDS, environment
from roi.report.runner import Outcome

_HOLDS = ("within our interval", "the same")
_OPEN = ("not answered here", "in another unit", "not comparable", "cannot be told", "")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!。？！])\s+")
_SAYS_SOMETHING = 80
"""Letters that an answer has at least: a shorter sentence leads up to the next."""
SYNTHETIC = "The data of this run are synthetic: they show what a report looks like and nothing else."


@dataclass(frozen=True)
class About:
    """What a report says of the run that it is about."""

    run: str
    machine: str = "not told"
    measured: str = "not told"
    """Date of the measurement, ISO 8601."""
    purpose: str = "not told"
    """indicative, decision or publication."""
    synthetic: bool = False
    set: str = ""
    """Name of the parameter set that the report was made with; empty for none."""

    @classmethod
    def told(cls, status: Mapping[str, Any]) -> Self:
        """Read it from what a report's status file says; raises `KeyError` when it names no run."""
        known = {field.name for field in fields(cls)}
        about = status.get("about", {"run": status["run"]})
        return cls(**{name: value for name, value in about.items() if name in known})

    def line(self) -> str:
        """Give it in a line."""
        of_set = f", parameter set {self.set}" if self.set else ""
        return f"run {self.run}, {self.machine}, measured {self.measured}{of_set}"


def contents(
    about: About,
    pages: Sequence[tuple[Page, Outcome]],
    findings: Sequence[tuple[str, Finding]],
    made: str,
    notices: Sequence[str] = (),
    answers: Mapping[str, str] | None = None,
    pdf: bool = False,
) -> str:
    """Give the first page.

    Parameters
    ----------
    about
        The run.
    pages
        Every page with what became of it.
    findings
        Each with the page that recorded it.
    made
        When the report was made.
    notices
        Sentences about the report itself, such as images that are missing.
    answers
        By page what it answers, in a sentence: see `answers_of`.
    pdf
        Whether the report has a `report.pdf` to link to.
    """
    answered = [row(page, found) for page, found in findings if found.claim_value is not None]
    others = [
        (page.title, rows)
        for page, _ in pages
        if (rows := [row(name, found) for name, found in findings if found.claim_value is None and name == page.name])
    ]
    listed = [_page(page, outcome, (answers or {}).get(page.name, "")) for page, outcome in pages]
    facts = {
        "Run": about.run,
        "Machine": about.machine,
        "Measured": about.measured,
        "Fit for": about.purpose,
        "Report made": made,
    }
    if about.synthetic:
        notices = (SYNTHETIC, *notices)
    return environment().get_template("contents.html.j2").render(
        run=about.run, about=about.line(), headings=_headings(answered, others), pdf=pdf,
        headline=headline(about, [found for _, found in findings]), facts=list(facts.items()),
        answered=answered, others=others, pages=listed, notices=notices, strips=any(row["strip"] for row in answered),
        faults=[row for row in listed if row["status"] != Status.OK],
    )  # fmt: skip


def headline(about: About, findings: Sequence[Finding]) -> str:
    """Say in a sentence how many of the claims that the run can test it contradicts.

    A claim within an interval is not proven by it: the headline counts what is contradicted, and calls nothing proven.
    """
    verdicts = [verdict(found) for found in findings]
    tested = [said for said in verdicts if said not in _OPEN]
    if not tested:
        return f"What the run {about.run} shows"
    apart = sum(said not in _HOLDS for said in tested)
    if len(tested) == 1:
        return f"The one claimed figure that this run can test is {'' if apart else 'not '}contradicted"
    of = f"the {len(tested)} claimed figures that this run can test"
    return f"{apart or 'None'} of {of} {'is' if apart in (0, 1) else 'are'} contradicted"


def answers_of(folder: Path, pages: Sequence[tuple[Page, Outcome]]) -> dict[str, str]:
    """Give by page the beginning of what it says it has found, of those that are ok.

    Parameters
    ----------
    folder
        Of the report; it holds the executed notebooks.
    pages
        Every page with what became of it.
    """
    executed = {page.name: folder / "notebooks" / f"{page.name}.ipynb" for page, it in pages if it.status is Status.OK}
    return {name: _beginning(spoken(path).verdict) for name, path in executed.items() if path.is_file()}


def _beginning(text: str) -> str:
    """Give the first sentences of a text, as many as say something."""
    first, *others = _SENTENCE_ENDS.split(text)
    while others and len(first) < _SAYS_SOMETHING:
        first = f"{first} {others.pop(0)}"
    return first


def _headings(answered: Sequence[Any], others: Sequence[Any]) -> list[Heading]:
    """Give the sections of the first page, as its template has them."""
    there = {
        Heading("claims", "Claimed and found"): answered, Heading("pages", "What each page answers"): True,
        Heading("found", "Also found" if answered else "What was found"): others, Heading("files", "Files"): True,
    }  # fmt: skip
    return [heading for heading, shown in there.items() if shown]


def row(page: str, found: Finding) -> dict[str, Any]:
    """Give a finding in words, beside the claim that it answers."""
    said = verdict(found)
    says = found.claim_says or found.id.replace("_", " ")
    interval = "–" if found.lo is None and found.hi is None else f"{figure(found.lo)} to {figure(found.hi)}"
    return {
        "href": f"{page}.html#{anchor(found.id)}", "says": says[:1].upper() + says[1:], "note": found.unlike or found.note,
        "claimed": figure(found.claim_value), "claim_unit": unit(found.claim_unit),
        "value": figure(found.value), "unit": unit(found.unit),
        "interval": interval, "n": "–" if found.n is None else f"{found.n:,}", "strip": _strip(found),
        "verdict": said.removeprefix("claim is ") or "–",
        "kind": "within" if said in _HOLDS else "open" if said in _OPEN else "apart",
    }  # fmt: skip


def _page(page: Page, outcome: Outcome, answer: str) -> dict[str, str]:
    return {
        "href": f"{page.name}.html", "title": page.title, "audience": page.audience, "status": outcome.status.value,
        "word": STATUS_WORDS[outcome.status], "sentence": outcome.sentence, "seconds": f"{outcome.seconds:.0f} s",
        "answer": answer,
    }  # fmt: skip


def _strip(found: Finding) -> Markup:
    """Draw finding and claim on one scale from 0, or nothing where they have none in common."""
    given = {"value": found.value, "lo": found.lo, "hi": found.hi, "claim": found.claim_value}
    figures = [value for value in given.values() if value is not None]
    if found.value is None or found.unit != found.claim_unit or min(figures) < 0 or max(figures) == 0:
        return Markup("")
    at = {name: 4 + 168 * value / max(figures) for name, value in given.items() if value is not None}
    span = (
        f'<line class="span" x1="{at["lo"]:.1f}" x2="{at["hi"]:.1f}" y1="12" y2="12"/>'
        if {"lo", "hi"} <= set(at)
        else ""
    )
    label = f"found {figure(found.value)}, claimed {figure(found.claim_value)} {unit(found.unit)}"
    return Markup('<svg viewBox="0 0 176 24" role="img" aria-label="{}">{}</svg>').format(
        label,
        Markup(  # numbers alone from here on
            f'<line class="track" x1="4" x2="172" y1="12" y2="12"/>{span}<circle cx="{at["value"]:.1f}" cy="12" r="4.5"/>'
            f'<line class="claim" x1="{at["claim"]:.1f}" x2="{at["claim"]:.1f}" y1="3" y2="21"/>'
        ),
    )
