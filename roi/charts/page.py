"""A chart as a piece of an offline HTML page, and as what a notebook shows."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from roi.charts.figure import figure
from roi.charts.spec import ChartSpec
from roi.charts.table import html_table

CONFIG: Mapping[str, Any] = MappingProxyType(
    {
        # plotly.js offers to upload the chart to its maker's server unless told otherwise.
        "showSendToCloud": False,
        "plotlyServerURL": "",
        "displaylogo": False,
        "responsive": True,
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
    }
)
"""Plotly takes keys out of what it is given: each chart gets a copy."""

HEIGHT = 420


def interactive(spec: ChartSpec) -> dict[str, Any]:
    """Give the chart in plotly's own mime type, with the buttons that send data elsewhere taken off."""
    drawn = json.loads(figure(spec).to_json())
    drawn["layout"]["height"] = HEIGHT + 120
    return {"data": drawn["data"], "layout": drawn["layout"], "config": dict(CONFIG)}


def fragment(spec: ChartSpec, files: str | None = None, notebook: str | None = None) -> str:
    """Give the chart as HTML: caption, drawing, and the plotted rows behind a click.

    Parameters
    ----------
    spec
        The chart.
    files
        Address of its PNG, SVG and CSV without the ending, relative to the page; no links without it.
    notebook
        Address of the executed notebook that drew it.

    Notes
    -----
    The page must load plotly.js and `charts.js`, which draws every `figure.chart` and follows light and dark.
    """
    light = json.loads(figure(spec, captions=False).to_json())
    dark = json.loads(figure(spec, captions=False, dark=True).to_json())
    drawing = {
        "data": light["data"], "layout": light["layout"], "config": dict(CONFIG),
        "dark": {"data": _changes(light["data"], dark["data"]), "layout": _changes(light["layout"], dark["layout"])},
    }  # fmt: skip
    subtitle = f'<p class="subtitle">{html.escape(spec.subtitle)}</p>' if spec.subtitle else ""
    footnote = f'<p class="footnote">{html.escape(spec.footnote)}</p>' if spec.footnote else ""
    return (
        f'<div class="chart-block" id="chart-{spec.id}">'
        f'<p class="chart-title" id="title-{spec.id}">{html.escape(spec.title)}</p>{subtitle}'
        f'<figure class="chart" aria-labelledby="title-{spec.id}" data-series="{len(spec.keys())}">'
        f'<script type="application/json">{_in_script(drawing)}</script>'
        f'<div class="drawing" style="height:{HEIGHT}px"></div>'
        f'<figcaption class="unseen">{html.escape(spec.alt)}</figcaption></figure>{footnote}'
        f'<details class="data"><summary>Data and files</summary>{_links(files, notebook)}{html_table(spec)}</details></div>'
    )


def _links(files: str | None, notebook: str | None) -> str:
    if files is None:
        return ""
    links = [
        f'<a href="{html.escape(files)}.{ending}" download>{ending.upper()}</a>' for ending in ("csv", "svg", "png")
    ]
    links += [f'<a href="{html.escape(notebook)}">executed notebook</a>'] if notebook else []
    return f'<p class="files">{", ".join(links)}</p>'


def _in_script(value: Any) -> str:
    """Give JSON that cannot end the script element that holds it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _changes(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> list[list[Any]]:
    """Give what turns one drawing into another, as pairs of path and value; both have the same shape."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [change for key in new for change in _changes(old.get(key), new[key], (*path, key))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            change
            for place, pair in enumerate(zip(old, new, strict=True))
            for change in _changes(*pair, (*path, place))
        ]
    return [] if old == new else [[list(path), new]]
