"""An executed notebook as an offline HTML page."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from traitlets import Dict, Instance, Int, Unicode, default
from traitlets.config import Config

from roi.charts.page import fragment
from roi.charts.spec import MIMETYPE as CHART
from roi.charts.spec import ChartSpec
from roi.language.languages import ENGLISH, Language
from roi.report.catalog import Page
from roi.report.execute import Status
from roi.report.findings import MIMETYPE as FINDING
from roi.report.findings import Finding, table
from roi.report.outline import Heading, outlined
from roi.report.runner import Outcome

TEMPLATES = Path(__file__).parent / "templates"

STATUS_WORDS = {
    Status.OK: "complete",
    Status.CELL_ERROR: "failed",
    Status.TIMEOUT: "out of time",
    Status.DEAD_KERNEL: "kernel died",
    Status.BAD_PARAMETERS: "bad parameters",
    Status.SKIPPED: "skipped",
}
SOURCES = Heading("sources", "Where the figures come from")
"""The last section of a page that records findings."""
_SAID, _ANSWER = '<div class="prose said">', '<div class="prose said answer">'
"""What code says in words; the first of it is the page's answer."""
_LISTED = 60
"""Letters from which on a query is listed at the end of the page; a shorter one stands in its row."""


@dataclass(frozen=True)
class Sources:
    """The queries behind the findings of one page, in the order in which they were first named."""

    places: dict[str, str] = field(default_factory=dict)
    """Id of its place on the page by the query's text."""

    def place(self, query: str | None) -> str | None:
        """Give the id under which a query is listed; None for one that is short enough to stand in its row."""
        if query is None or ("\n" not in query.strip() and len(query) <= _LISTED):
            return None
        return self.places.setdefault(query, f"query-{hashlib.sha256(query.encode()).hexdigest()[:8]}")

    def listed(self) -> list[dict[str, str]]:
        """Give id, name and text of each, for the end of the page."""
        return [
            {"id": place, "name": place.replace("-", " "), "text": _undented(query)}
            for query, place in self.places.items()
        ]


class OfflineOutputs(Preprocessor):
    """Turns charts and findings into HTML that needs nothing from elsewhere."""

    files = Dict(help="address of a chart's files without the ending, by the chart's id")
    notebook = Unicode(help="address of the executed notebook", allow_none=True, default_value=None)
    sources = Instance(Sources, help="gathers the queries behind findings")
    anchored = Instance(set, help="ids of findings that have their place on the page")
    language = Instance(Language, help="what charts are given in")
    tables = Int(0, help="number of tables so far")

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Replace the outputs of one cell; findings that follow each other share one table."""
        if cell.cell_type != "code":
            return cell, resources
        outputs, together = [], []
        for output in cell.outputs:
            if FINDING in output.get("data", {}):
                together.append(Finding(**output.data[FINDING]))
                continue
            outputs += self._findings(together)
            together = []
            if CHART in output.get("data", {}):
                spec = ChartSpec.from_dict(output.data[CHART])
                output = _html(fragment(self.language.chart(spec), self.files.get(spec.id), self.notebook))
            elif output.output_type == "execute_result":
                # The template knows one kind of shown data; a cell's last value is shown like the rest.
                output = nbformat.v4.new_output("display_data", output.data, metadata=output.metadata)
            if "<table" in output.get("data", {}).get("text/html", "") and CHART not in output.data:
                output.data["text/html"] = self._scrolling(output.data["text/html"])
            outputs.append(output)
        cell.outputs = outputs + self._findings(together)
        return cell, resources

    def _findings(self, together: list[Finding]) -> list[Any]:
        if not together:
            return []
        new = {finding.id for finding in together} - self.anchored
        self.anchored.update(new)
        return [_html(self._scrolling(table(together, self.sources.place, new)))]

    def _scrolling(self, text: str) -> str:
        """Let a table that is wider than the page be scrolled, by the keyboard as well."""
        self.tables += 1
        text = text.replace("<th></th>", "<td></td>")  # pandas has a head over its index, which heads nothing
        return f'<div class="scroll" role="group" tabindex="0" aria-label="Table {self.tables}">{text}</div>'


def _html(text: str) -> Any:
    return nbformat.v4.new_output("display_data", {"text/html": text})


class PageExporter(HTMLExporter):
    """nbconvert's exporter with this report's template, and without its scripts from elsewhere."""

    @default("template_name")
    def _template_name_default(self) -> str:
        return "page"

    @property
    def default_config(self) -> Config:
        """Leave out nbconvert's own preprocessors: one of them writes a warning into pictures without alt text."""
        return Config({"HTMLExporter": {"extra_template_basedirs": [str(TEMPLATES)]}})


def page(
    title: str, outcome: Outcome, files: Mapping[str, str], about: str, listed: Sequence[tuple[str, str]] = (),
    language: Language = ENGLISH,
) -> str:  # fmt: skip
    """Give the page of one notebook; of one that failed, what was executed of it under a banner.

    Parameters
    ----------
    title
        Its title in the catalogue.
    outcome
        What became of it.
    files
        Address of a chart's files without the ending, by the chart's id.
    about
        A line about run, machine and date.
    listed
        Name and title of the pages to read, in their order (`readable`); the page links to those beside it.
    """
    notebook = f"notebooks/{outcome.executed.name}" if outcome.executed else None
    sources, recorded = Sources(), set()
    outputs = OfflineOutputs(files=files, notebook=notebook, sources=sources, anchored=recorded, language=language)
    found = outlined(_cells(outcome, outputs))
    before, after = _beside(outcome.name, listed)
    return environment().get_template("page.html.j2").render(
        title=title, about=about, faulty=outcome.status is not Status.OK, word=STATUS_WORDS[outcome.status],
        sentence=outcome.sentence, body=Markup(found.body.replace(_SAID, _ANSWER, 1)), titled=found.titled,
        headings=[*found.headings, *([SOURCES] if recorded else [])], sourced=bool(recorded), sources_id=SOURCES.id,
        sources_title=SOURCES.text, queries=sources.listed(), notebook=notebook, before=before, after=after,
    )  # fmt: skip


def readable(listed: Sequence[tuple[Page, Outcome]]) -> list[tuple[str, str]]:
    """Give name and title of the pages that are complete, in their order: those that lead to each other."""
    return [(page.name, page.title) for page, outcome in listed if outcome.status is Status.OK]


def environment() -> jinja2.Environment:
    """Give what fills the templates of pages: text is escaped, and a name that is missing is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )


def _cells(outcome: Outcome, outputs: OfflineOutputs) -> str:
    """Give the cells of an executed notebook as HTML; nothing of a notebook that never ran."""
    if not outcome.executed:
        return ""
    exporter = PageExporter(exclude_anchor_links=True)
    exporter.register_preprocessor(outputs, enabled=True)
    body, _ = exporter.from_notebook_node(nbformat.read(outcome.executed, as_version=4))
    return body


def _beside(name: str, listed: Sequence[tuple[str, str]]) -> list[dict[str, str] | None]:
    """Give the page before and the page after; None where there is none."""
    links = [{"href": f"{other}.html", "title": title} for other, title in listed]
    at = next((place for place, (other, _) in enumerate(listed) if other == name), None)
    if at is None:
        return [None, None]
    return [links[at - 1] if at > 0 else None, links[at + 1] if at + 1 < len(links) else None]


def _undented(query: str) -> str:
    return textwrap.dedent(query.strip("\n")).rstrip()
