"""Several reports side by side: what became of each, and what each says to the same claims."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from roi.errors import ReportNotPublished
from roi.language.languages import ENGLISH, Language
from roi.report import findings
from roi.report.batch import Ending, Made
from roi.report.contents import headline, row
from roi.report.findings import Finding
from roi.report.pages import TEMPLATES
from roi.report.privacy import without_names

FILE = "overview.html"
_SHEET = Path(__file__).parent / "assets" / "report.css"
_WORDS = {Ending.COMPLETE: "complete", Ending.INCOMPLETE: "not complete", Ending.NOT_PUBLISHED: "not published"}


def write(made: Sequence[Made], home: Path, language: Language = ENGLISH) -> None:
    """Write the overview of reports beside their folders, in a language; raises `ReportNotPublished` when that cannot be."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    told = {place: findings.read(one.order.folder) for place, one in enumerate(made) if one.report}
    page = environment.get_template("overview.html.j2").render(
        style=_SHEET.read_text(), reports=[_row(one, told.get(place, [])) for place, one in enumerate(made)],
        claims=_claims(told, len(made)), names=[one.order.folder.name for one in made],
    )  # fmt: skip
    work = home / f".{FILE}.part"
    try:
        home.mkdir(parents=True, exist_ok=True)
        work.write_text(without_names(language.html(page), [home]))
        work.replace(home / FILE)
    except OSError as error:
        work.unlink(missing_ok=True)
        raise ReportNotPublished(f"{FILE} could not be written to {home}: {error.strerror}.") from error


def as_json(made: Sequence[Made], home: Path) -> str:
    """Give what became of reports as JSON, one entry a report in the order in which they were asked for."""
    reports = [
        {
            "run": one.order.run,
            "set": one.order.set or None,
            "ending": one.ending.value,
            "sentence": one.sentence,
            "folder": str(one.order.folder.relative_to(home)),
            "seconds": round(one.report.seconds["whole"], 2) if one.report else None,
            "notices": list(one.report.notices) if one.report else [],
            "pages": {outcome.name: outcome.status.value for outcome in one.report.outcomes} if one.report else {},
        }
        for one in made
    ]
    return json.dumps({"reports": reports}, indent=1, ensure_ascii=False) + "\n"


def _row(one: Made, found: Sequence[tuple[str, Finding]]) -> dict[str, Any]:
    about = one.order.subject.about if one.order.subject else None
    statuses = Counter(outcome.status.value for outcome in one.report.outcomes) if one.report else Counter()
    return {
        "name": one.order.folder.name, "href": f"{one.order.folder.name}/index.html" if one.report else "",
        "run": one.order.run, "set": one.order.set or "–",
        "measured": about.measured if about else "–", "machine": about.machine if about else "–",
        "kind": "ok" if one.ending is Ending.COMPLETE else one.ending.value, "word": _WORDS[one.ending],
        "sentence": one.sentence or ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in statuses.items()),
        "says": headline(about, [finding for _, finding in found]) if about and one.report else "–",
    }  # fmt: skip


def _claims(told: Mapping[int, Sequence[tuple[str, Finding]]], reports: int) -> list[dict[str, Any]]:
    """Give every claim that a report has a figure for, with what each report found."""
    claims: dict[str, dict[str, Any]] = {}
    for place, found in told.items():
        for page, finding in found:
            if finding.claim_value is None:
                continue
            said = row(page, finding)
            claim = claims.setdefault(
                finding.id, {"says": said["says"], "claimed": said["claimed"], "claim_unit": said["claim_unit"],
                             "found": [None] * reports},
            )  # fmt: skip
            claim["found"][place] = said
    return list(claims.values())
