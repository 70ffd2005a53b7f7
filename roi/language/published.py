"""The texts of a report that was published: what a language has no translation for yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from roi.language.languages import Language
from roi.report import catalog
from roi.report.deck.published import published
from roi.report.deck.story import story

INDEX, DECK = "index", "deck"


def translate(folder: Path, language: Language) -> Iterator[str]:
    """Say all of a report in a language, for what the language then notes; gives the name of each page when it has been said.

    Raises
    ------
    ReportUnreadable
        The folder holds no whole report.
    """
    report = published(folder, catalog.read())
    for name in (INDEX, *(page.name for page, _ in report.pages)):
        language.html((folder / f"{name}.html").read_text(encoding="utf-8"))
        for spec in report.charts.get(name, {}).values():
            language.chart(spec)
        yield name
    for slide in story(report):
        language.slide(slide)
    yield DECK
