"""The files of a report that people read: pages, first page, deck and PDF, all in one language and about one thing."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from plotly.offline import get_plotlyjs

from roi.charts.spec import ChartSpec
from roi.errors import ChromiumMissing, ImagesFailed, RoiError
from roi.language.languages import ENGLISH, Language
from roi.report import pdf
from roi.report.catalog import Page
from roi.report.contents import About, answers_of, contents
from roi.report.deck import make as deck
from roi.report.findings import Finding
from roi.report.pages import page as html_page
from roi.report.pages import readable
from roi.report.privacy import without_names
from roi.report.runner import Outcome

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Edition:
    """What all files of a report share."""

    folder: Path
    """Where it is made; it holds `findings.parquet` and the executed notebooks."""
    about: About
    made: datetime
    """When the report was made."""
    listed: tuple[tuple[Page, Outcome], ...]
    """Every page with what became of it."""
    language: Language = ENGLISH


def write_pages(edition: Edition, charts: Mapping[str, Mapping[str, ChartSpec]]) -> None:
    """Write a page for every notebook, and what pages need beside them.

    Parameters
    ----------
    edition
        The report.
    charts
        By page its charts by id, none of a page that is not complete.
    """
    around = readable(edition.listed)
    for page, outcome in edition.listed:
        files = {id_: f"charts/{page.name}-{id_}" for id_ in charts.get(page.name, ())}
        told = html_page(page.title, outcome, files, edition.about.line(), around, edition.language)
        (edition.folder / f"{page.name}.html").write_text(_named(told, edition))
    (edition.folder / "plotly.min.js").write_text(get_plotlyjs())
    for asset in ASSETS.iterdir():
        shutil.copyfile(asset, edition.folder / asset.name)


def write_deck(edition: Edition, charts: Mapping[str, Mapping[str, ChartSpec]] | None = None) -> list[str]:
    """Write the deck, and give sentences about why there is none.

    Parameters
    ----------
    edition
        The report.
    charts
        By page its charts by id, where they have been collected already.
    """
    try:
        report = deck.of_folder(
            edition.folder, edition.about, edition.made, edition.listed, charts, edition.language
        )  # fmt: skip
        content = deck.deck(report)
    except RoiError as error:
        return [f"There is no deck: {error}"]
    (edition.folder / deck.FILE).write_bytes(content)
    return []


def write_index(
    edition: Edition, recorded: Sequence[tuple[str, Finding]], notices: Sequence[str], with_pdf: bool
) -> None:
    """Write the first page.

    Parameters
    ----------
    edition
        The report.
    recorded
        Every finding with the page that recorded it.
    notices
        Sentences about what is missing.
    with_pdf
        Whether there is a PDF to link to.
    """
    made = edition.made.strftime("%Y-%m-%d %H:%M UTC")
    answers = answers_of(edition.folder, edition.listed)
    told = contents(edition.about, edition.listed, recorded, made, notices, answers, with_pdf)
    (edition.folder / "index.html").write_text(_named(told, edition))


def write_pdf(edition: Edition) -> tuple[list[str], str]:
    """Print the report, whose pages and images are there; gives sentences about why it is not, and a word."""
    names = [name for name, _ in readable(edition.listed)]
    title = f"{deck.TITLE}: run {edition.about.run}"
    try:
        pdf.write_pdf(edition.folder, names, title, edition.made, edition.language)
    except ChromiumMissing:
        return [], "skipped"  # Said of the images already.
    except ImagesFailed as error:
        return [f"There is no report.pdf: {without_names(str(error), [edition.folder])}"], "failed"
    return [], "ok"


def _named(page: str, edition: Edition) -> str:
    """Give a page in the report's language, without names of the machine."""
    return without_names(edition.language.html(page), [edition.folder])
