"""An executed notebook as an offline HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from traitlets import Dict, default
from traitlets.config import Config

from roi.charts.page import fragment
from roi.charts.spec import MIMETYPE as CHART
from roi.charts.spec import ChartSpec
from roi.report.execute import Status
from roi.report.findings import MIMETYPE as FINDING
from roi.report.findings import Finding, table
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


class OfflineOutputs(Preprocessor):
    """Turns charts and findings into HTML that needs nothing from elsewhere."""

    files = Dict(help="address of a chart's files without the ending, by the chart's id")

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Replace the outputs of one cell; findings that follow each other share one table."""
        if cell.cell_type != "code":
            return cell, resources
        outputs, together = [], []
        for output in cell.outputs:
            if FINDING in output.get("data", {}):
                together.append(Finding(**output.data[FINDING]))
                continue
            outputs += _findings(together)
            together = []
            if CHART in output.get("data", {}):
                spec = ChartSpec.from_dict(output.data[CHART])
                output = _html(fragment(spec, self.files.get(spec.id)))
            elif output.output_type == "execute_result":
                # The template knows one kind of shown data; a cell's last value is shown like the rest.
                output = nbformat.v4.new_output("display_data", output.data, metadata=output.metadata)
            outputs.append(output)
        cell.outputs = outputs + _findings(together)
        return cell, resources


def _findings(together: list[Finding]) -> list[Any]:
    return [_html(f'<div class="scroll">{table(together)}</div>')] if together else []


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


def page(title: str, outcome: Outcome, files: dict[str, str], about: str) -> str:
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
    """
    notebook = nbformat.read(outcome.executed, as_version=4) if outcome.executed else nbformat.v4.new_notebook()
    exporter = PageExporter(exclude_anchor_links=True)
    exporter.register_preprocessor(OfflineOutputs(files=files), enabled=True)
    facts = {"title": title, "outcome": outcome, "word": STATUS_WORDS[outcome.status], "about": about}
    body, _ = exporter.from_notebook_node(notebook, resources={"page": facts})
    return body
