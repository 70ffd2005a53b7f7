"""A deck made from a published report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from roi.charts.spec import ChartSpec
from roi.errors import DeckNotWritten
from roi.language.languages import ENGLISH, Language
from roi.report import findings
from roi.report.catalog import Page
from roi.report.collect import collect
from roi.report.contents import About
from roi.report.deck.draw import draw
from roi.report.deck.file import contents
from roi.report.deck.spoken import spoken
from roi.report.deck.story import TITLE, Report, story
from roi.report.deck.template import open_template
from roi.report.execute import Status
from roi.report.runner import Outcome

FILE = "deck.pptx"


def deck(report: Report, template: Path | None = None, layout: str = "") -> bytes:
    """Give the deck of a report as the bytes of a .pptx file.

    Parameters
    ----------
    report
        The report.
    template
        A .pptx file whose size, master and layouts are taken; None takes our own.
    layout
        Name or number of its layout for content; empty chooses one.

    Raises
    ------
    TemplateUnusable
        The template cannot be opened, or has no layout that a finding has room on.
    UnknownName
        The catalogue names a chart that its page has not.
    """
    on = open_template(template, layout)
    draw([report.language.slide(slide) for slide in story(report)], on)
    return contents(on.deck, report.language.text(f"{TITLE}: {report.about.run}"), report.made)


def of_folder(
    folder: Path, about: About, made: datetime, pages: Sequence[tuple[Page, Outcome]],
    charts: Mapping[str, Mapping[str, ChartSpec]] | None = None, language: Language = ENGLISH,
) -> Report:  # fmt: skip
    """Read a report's folder for its deck.

    Parameters
    ----------
    folder
        With `findings.parquet` and the executed notebooks.
    about, made, pages
        What it is about, when it was made, and every page with what became of it.
    charts
        By page its charts by id, where they have been collected already.
    language
        What the deck is given in.
    """
    complete = [page.name for page, outcome in pages if outcome.status is Status.OK]
    notebooks = {name: folder / "notebooks" / f"{name}.ipynb" for name in complete}
    return Report(
        about, made, tuple(pages), charts or {name: collect(path).charts for name, path in notebooks.items()},
        {name: spoken(path) for name, path in notebooks.items()}, tuple(findings.read(folder)), language,
    )  # fmt: skip


def save(content: bytes, target: Path) -> None:
    """Put the file of a deck in its place, whole or not at all; raises `DeckNotWritten` when that cannot be."""
    work = target.with_name(f".{target.name}.part")
    try:
        work.write_bytes(content)
        work.replace(target)
    except OSError as error:
        work.unlink(missing_ok=True)
        raise DeckNotWritten(
            f"{target.name} could not be written: {error.strerror}. Name another place with --out."
        ) from error
