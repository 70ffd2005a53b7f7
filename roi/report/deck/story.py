"""What a deck says: a report's answer, its findings, what speaks against them, how they were come by, and every claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase

from roi.charts.spec import ChartSpec
from roi.errors import UnknownName
from roi.language.languages import ENGLISH, Language
from roi.report.catalog import Page
from roi.report.contents import SYNTHETIC, About, headline, row
from roi.report.deck.slides import Charted, Opening, Slide, Tabled, Told
from roi.report.deck.spoken import Spoken
from roi.report.execute import Status
from roi.report.findings import Finding
from roi.report.runner import Outcome

TITLE = "Runtime migration, measured"
INDICATIVE = "Indicative: short windows and few repetitions. Nothing here is meant to decide on."
_QUALITY, _CLAIMS = "00_data_quality", "90_claims"
_MONEY = ("31_business_case", "32_sensitivity")
"""Pages whose case against is that of the whole deck."""
_ANSWERS = 7
"""Claims on the slide with the answer, at most."""
_ANSWER_PT, _CLAIMS_PT = 16, 12
_CLAIMED = ("Claim", "Claimed", "Found", "Interval", "n", "The claim is")
_CLAIMED_WIDTHS, _CLAIMED_FIGURES = (0.34, 0.14, 0.14, 0.15, 0.06, 0.17), frozenset({1, 2, 3, 4})
_FOUND = ("Finding", "Found", "Interval", "n")
_FOUND_WIDTHS, _FOUND_FIGURES = (0.46, 0.24, 0.2, 0.1), frozenset({1, 2, 3})
_NEARLY = 0.85
"""How alike two names are when one is taken for a slip of the other, 0 to 1 (`difflib`)."""
_METHOD = (
    "Requests are sent on a schedule that waits for no answer, and a response counts from the instant at which its request was"
    " due. Saturation alone is measured with every connection busy.",
    "Every measurement is a fresh process; variants take turns in random order. Intervals are 95 % intervals over processes, not"
    " over requests. What the load generator itself may have limited is left out of comparisons, and each chart says how much.",
)
"""True of every run that the suite measures; what a run did otherwise stands at its charts."""


@dataclass(frozen=True)
class Report:
    """A published report, as far as a deck needs it."""

    about: About
    made: datetime
    pages: tuple[tuple[Page, Outcome], ...]
    charts: Mapping[str, Mapping[str, ChartSpec]]
    """By page those of the pages that are complete, by id."""
    words: Mapping[str, Spoken]
    """By page, of those that are complete."""
    findings: tuple[tuple[str, Finding], ...]
    """Each with the page that recorded it."""
    language: Language = ENGLISH
    """What the deck is given in."""


def story(report: Report) -> list[Slide]:
    """Give the slides of a deck.

    Raises
    ------
    UnknownName
        The catalogue names a chart for the deck that its page has not, and one that it has is nearly named so.
    """
    picked = [(page, *chosen(page, report.charts[page.name])) for page, _ in report.pages if page.name in report.charts]
    charts = [Charted(spec, f"{page.name}-{spec.id}") for page, specs, _ in picked for spec in specs]
    lacking = [f"{page.name}: {', '.join(missing)}" for page, _, missing in picked if missing]
    return [
        _opening(report),
        *_answer(report),
        *charts,
        *_against(report),
        _method(report, lacking),
        *_appendix(report),
    ]


def chosen(page: Page, charts: Mapping[str, ChartSpec]) -> tuple[list[ChartSpec], list[str]]:
    """Give the charts of a page that the catalogue names for the deck, and the names that it has no chart for.

    A run without the data for a chart has a page without it. A name is a mistake where a chart that is there is nearly named so.
    """
    specs, missing = [], []
    for name in page.deck:
        found = [id_ for id_ in charts if fnmatchcase(id_, name)]
        specs += [charts[id_] for id_ in found if charts[id_] not in specs]
        if found:
            continue
        others = [id_ for id_ in charts if not any(fnmatchcase(id_, one) for one in page.deck)]
        if get_close_matches(name, others, cutoff=_NEARLY):
            raise UnknownName(f"chart of the page {page.name}", name, charts)
        missing.append(name)
    return specs, missing


def _opening(report: Report) -> Opening:
    about = report.about
    warnings = [INDICATIVE] if about.purpose == "indicative" else []
    warnings += [SYNTHETIC] if about.synthetic else []
    lines = (
        f"Run {about.run}, measured {about.measured}",
        f"Machine: {about.machine}",
        f"Fit for: {about.purpose}",
        f"Report made {report.made:%Y-%m-%d %H:%M} UTC",
    )
    return Opening(TITLE, lines, tuple(warnings))


def _answer(report: Report) -> Iterator[Slide]:
    """Give what answers the claims: those that are contradicted first, one figure a claim; or else a figure of every page."""
    title, note = headline(report.about, [found for _, found in report.findings]), _incomplete(report)
    of_claims: dict[str, dict[str, str]] = {}
    for found, said in _answering(report):
        if said["kind"] != "open":
            of_claims.setdefault(found.claim or found.id, said)
    if of_claims:
        order = ("apart", "within").index
        kept = sorted(of_claims.values(), key=lambda said: order(said["kind"]))[:_ANSWERS]
        all_of = f"{len(kept)} of the {len(of_claims)} claims" if len(kept) < len(of_claims) else "All claims"
        note = f"{all_of} that could be tested, one figure each; every figure is at the end. {note}".rstrip()
        yield Tabled(title, _CLAIMED, tuple(map(_cells, kept)), _CLAIMED_WIDTHS, _CLAIMED_FIGURES, _ANSWER_PT, note)
        return
    of_pages: dict[str, dict[str, str]] = {}
    for page, found in report.findings:
        if found.value is not None:
            of_pages.setdefault(page, row(page, found))
    cells = tuple(
        (said["says"], f"{said['value']} {said['unit']}", said["interval"], said["n"]) for said in of_pages.values()
    )
    if cells:
        yield Tabled(title, _FOUND, cells, _FOUND_WIDTHS, _FOUND_FIGURES, _ANSWER_PT, note)


def _answering(report: Report) -> Iterator[tuple[Finding, dict[str, str]]]:
    """Give the findings that answer a claim, in words; where several answer one, each says which it is."""
    answers = [(page, found) for page, found in report.findings if found.claim_value is not None]
    several = Counter(found.claim for _, found in answers)
    for page, found in answers:
        said = row(page, found)
        which = f" ({found.note})" if several[found.claim] > 1 and found.note else ""
        yield found, said | {"says": said["says"] + which}


def _cells(said: Mapping[str, str]) -> tuple[str, ...]:
    claimed, found = (
        f"{said[value]} {said[unit]}".strip() for value, unit in (("claimed", "claim_unit"), ("value", "unit"))
    )
    return said["says"], claimed, found, said["interval"], said["n"], said["verdict"]


def _incomplete(report: Report) -> str:
    failed = [(page, outcome) for page, outcome in report.pages if outcome.status is not Status.OK]
    lost = [f"{page.title} ({outcome.sentence or outcome.status.value})" for page, outcome in failed]
    return f"Not in this deck, as their pages are not complete: {'; '.join(lost)}" if lost else ""


def _against(report: Report) -> Iterator[Told]:
    """Give the case against: that of the money where the report has it, and else of every page that has one."""
    there = {
        page.name: page for page, _ in report.pages if page.name in report.words and report.words[page.name].against
    }
    for name in [name for name in _MONEY if name in there] or there:
        yield Told(f"The case against: {there[name].title}", report.words[name].against)


def _method(report: Report, lacking: list[str]) -> Told:
    about = report.about
    said = [f"Run {about.run} on {about.machine}, measured {about.measured}; fit for: {about.purpose}.", *_METHOD]
    if _QUALITY in report.words:
        said.append(report.words[_QUALITY].verdict)
    said.append(
        "Every figure is computed from the run's tables by notebooks; roi verify computes those of the report again, this deck's"
        " among them, and names each that differs. The rows of a chart are in its workbook (Edit Data) and in the report's CSV."
    )
    said.append(_incomplete(report))
    said.append(f"The run has no data for these charts: {'; '.join(lacking)}." if lacking else "")
    return Told("How it was measured, and on what", tuple(one for one in said if one))


def _appendix(report: Report) -> Iterator[Tabled]:
    answers = tuple(_cells(said) for _, said in _answering(report))
    if answers:
        yield Tabled(
            "Appendix: what is claimed, and what was found",
            _CLAIMED,
            answers,
            _CLAIMED_WIDTHS,
            _CLAIMED_FIGURES,
            _CLAIMS_PT,
        )
    judged = [
        (found, row(page, found))
        for page, found in report.findings
        if page == _CLAIMS and found.id.startswith("claim_")
    ]
    if judged:
        cells = tuple(
            (said["says"], f"{said['value']} {said['unit']}", said["interval"], said["n"], found.note or "")
            for found, said in judged
        )  # fmt: skip
        head = ("Claim", "Found", "Interval", "n", "Stated, verdict and why")
        widths = (0.2, 0.16, 0.15, 0.07, 0.42)
        yield Tabled(
            "Appendix: every claim that has a figure here", head, cells, widths, frozenset({1, 2, 3}), _CLAIMS_PT
        )
