"""A notebook exported from JupyterLab as HTML: one file with its charts, which asks nobody for anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import plotly.io
from nbconvert.preprocessors import Preprocessor
from nbconvert.preprocessors.sanitize import ALLOWED_ATTRIBUTES, ALLOWED_TAGS, SanitizeHTML

from roi.charts.page import interactive
from roi.charts.spec import MIMETYPE as CHART
from roi.charts.spec import ChartSpec
from roi.errors import ChartInvalid

TEMPLATES = Path(__file__).parent / "templates"
TEMPLATE = "offline_notebook"
_OURS = "roi_chart"
"""Marks an output for the template: its HTML was made here, and need not be sanitised as a cell's own is."""
_HARMLESS = {
    "br", "caption", "col", "colgroup", "dd", "del", "details", "div", "dl", "dt", "figcaption", "figure",
    "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre", "s", "section", "small", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr",
}  # fmt: skip
"""Elements that run nothing and fetch nothing."""
_sanitise = SanitizeHTML(
    tags=[*ALLOWED_TAGS, *_HARMLESS],
    attributes=ALLOWED_ATTRIBUTES | {"*": ["class", "colspan", "id", "scope"]},
    strip=True,
).sanitize_html_tags


def sanitised(text: str) -> str:
    """Give HTML without scripts and addresses to fetch; nbconvert's own filter shows paragraphs and headings as markup."""
    return _sanitise(text)


class ChartsAsHtml(Preprocessor):
    """Turns charts into HTML, which nbconvert shows; plotly's own type it leaves out."""

    enabled = True

    def preprocess(self, notebook: Any, resources: Any) -> tuple[Any, Any]:
        """Replace the charts of a notebook; the first one brings plotly.js along."""
        brought = False
        for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
            # A notebook from elsewhere must not pass its own HTML off as ours.
            output.get("metadata", {}).pop(_OURS, None)
            drawn = _drawn(output.get("data", {}).get(CHART), with_plotly=not brought)
            if drawn:
                output.data, output.metadata[_OURS], brought = nbformat.from_dict({"text/html": drawn}), True, True
        return notebook, resources


def _drawn(described: Any, with_plotly: bool) -> str | None:
    """Give a chart as HTML; None for what is no chart, or one of another release's format, whose text is then shown."""
    if described is None:
        return None
    try:
        figure = interactive(ChartSpec.from_dict(described))
    except (ChartInvalid, KeyError, TypeError):
        return None
    config = figure.pop("config")
    return plotly.io.to_html(
        figure, config=config, full_html=False, include_plotlyjs=with_plotly, include_mathjax=False,
        default_height=f"{figure['layout']['height']}px",
    )  # fmt: skip
