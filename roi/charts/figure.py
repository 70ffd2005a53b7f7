"""A chart's description to a plotly figure."""

from __future__ import annotations

import html
import math

import pandas as pd
import plotly.graph_objects as go

from roi.charts import theme
from roi.charts.spec import ChartSpec, ReferenceLine
from roi.charts.text_width import width_pt, wrapped

WIDTH, HEIGHT = 960, 540
_EDGE = 28
_MANY = 4
"""Series from which on marks and bands are fainter, so that none hides the others."""
_TITLE_PX, _SUBTITLE_PX, _FOOTNOTE_PX, _TICK_PX = 21, 14, 12, 13
"""Sizes of text."""
_TICK_ROOM = 1.15
"""Room for a label of the upright axis over its width."""
_DECADES_WITH_TICKS_BETWEEN = 2.2
_DECADES_WITH_MANY_TICKS = 0.9
_LEGEND_SYMBOL, _LEGEND_SIZE, _LEGEND_ROW = 52, 14, 20
"""Width of a legend's symbol with its gaps, size of its text, height of a row: pixels."""


def figure(spec: ChartSpec, *, dark: bool = False, captions: bool = True) -> go.Figure:
    """Draw a chart.

    Parameters
    ----------
    spec
        The chart.
    dark
        On a dark surface.
    captions
        With title, subtitle and footnote inside the figure, for images; a page sets them in its own text.
    """
    keys = spec.keys() or ("",)
    styles = theme.styles(keys, dark, spec.named_by_axis)
    draw = {"bars": _bars, "stacked_bars": _bars, "dots": _dots}.get(spec.kind, _lines)
    traces = [trace for key in keys for trace in draw(spec, key, _rows(spec, key), styles[key])]
    return go.Figure(traces, _layout(spec, theme.surface(dark), captions))


def _rows(spec: ChartSpec, key: str) -> pd.DataFrame:
    column = spec.series or (None if not spec.categories() else spec.x)
    return spec.data[spec.data[column] == key] if column else spec.data


def _text(text: str) -> str:
    """Give text as plotly shows it letter by letter: plotly takes tags in any text as its own markup."""
    return html.escape(text, quote=False)


def _numbers(column: pd.Series) -> list[float | int | None]:
    return [None if pd.isna(value) else getattr(value, "item", lambda v=value: v)() for value in column]


def _lines(spec: ChartSpec, key: str, rows: pd.DataFrame, style: theme.Style) -> list[go.Scatter]:
    rows = rows if spec.kind == "points" else rows.sort_values(spec.x, kind="stable")
    x, y = _numbers(rows[spec.x]), _numbers(rows[spec.y])
    points = spec.kind == "points"
    few = points or (spec.kind == "lines" and len(rows) <= 40)
    main = go.Scatter(
        x=x, y=y, name=_text(key), showlegend=bool(spec.series), legendgroup=key,
        mode="markers" if points else "lines+markers" if few else "lines",
        line={"color": style.colour, "dash": style.dash, "width": 2.4, "shape": "hv" if spec.kind == "ecdf" else "linear"},
        marker={"color": style.colour, "symbol": style.marker, "size": 9 if points else 7,
                "line": {"color": style.colour, "width": 1.2}},
        error_y=_whiskers(spec, rows, style) if points else None,
    )  # fmt: skip
    if spec.lo is None or points:
        return [main]
    # One polygon: up along hi, back along lo. A row without an interval is left out of it.
    band = rows.dropna(subset=[spec.lo, spec.hi])
    outline = _numbers(band[spec.hi]) + _numbers(band[spec.lo])[::-1]
    along = _numbers(band[spec.x])
    share = 0.16 if len(spec.keys()) < _MANY else 0.06
    return [
        go.Scatter(
            x=along + along[::-1], y=outline, fill="toself", fillcolor=theme.faint(style.colour, share), mode="lines",
            line={"width": 0, "color": style.colour}, hoverinfo="skip", showlegend=False, legendgroup=key, name=_text(key),
        ),
        main,
    ]  # fmt: skip


def _bars(spec: ChartSpec, key: str, rows: pd.DataFrame, style: theme.Style) -> list[go.Bar]:
    surface_line = {"color": style.colour, "width": 1}
    marker = {"color": style.colour, "line": surface_line}
    if spec.series:
        marker["pattern"] = {
            "shape": style.pattern,
            "fgcolor": "#ffffff",
            "fgopacity": 0.55,
            "size": 7,
            "solidity": 0.25,
        }
    return [go.Bar(**_along(spec, rows), **_common(spec, key), marker=marker, **_error(spec, rows, style))]


def _dots(spec: ChartSpec, key: str, rows: pd.DataFrame, style: theme.Style) -> list[go.Scatter]:
    marker = {
        "color": style.colour,
        "symbol": style.marker,
        "size": _dot_size(spec),
        "line": {"color": style.colour, "width": 1.5},
    }
    place = {"offsetgroup": key} if spec.series else {}
    return [
        go.Scatter(
            **_along(spec, rows),
            **_common(spec, key),
            **place,
            mode="markers",
            marker=marker,
            **_error(spec, rows, style),
        )
    ]


def _dot_size(spec: ChartSpec) -> int:
    """Give the size of dots: of many series a category has as many beside each other."""
    return 13 if not spec.series or len(spec.keys()) < _MANY else 9


def _common(spec: ChartSpec, key: str) -> dict[str, object]:
    return {"name": _text(key), "showlegend": bool(spec.series), "orientation": "h" if spec.horizontal else "v"}


def _along(spec: ChartSpec, rows: pd.DataFrame) -> dict[str, list]:
    categories, values = [_text(name) for name in rows[spec.x]], _numbers(rows[spec.y])
    return {"x": values, "y": categories} if spec.horizontal else {"x": categories, "y": values}


def _error(spec: ChartSpec, rows: pd.DataFrame, style: theme.Style) -> dict[str, dict]:
    return {"error_x" if spec.horizontal else "error_y": _whiskers(spec, rows, style)} if spec.lo else {}


def _whiskers(spec: ChartSpec, rows: pd.DataFrame, style: theme.Style) -> dict[str, object] | None:
    if spec.lo is None:
        return None
    # Bars carry their whiskers on the bar's own colour: a darker one keeps both ends visible.
    colour = theme.mixed(style.colour, "#000000", 0.45) if spec.kind == "bars" else style.colour
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": 2, "width": 7,
        "array": _numbers(rows[spec.hi] - rows[spec.y]), "arrayminus": _numbers(rows[spec.y] - rows[spec.lo]),
    }  # fmt: skip


def _layout(spec: ChartSpec, surface: theme.Surface, captions: bool) -> go.Layout:
    axis = {
        "gridcolor": surface.grid, "linecolor": surface.muted, "tickcolor": surface.muted, "zeroline": False, "automargin": True,
        "tickfont": {"color": surface.muted, "size": _TICK_PX},
        "title": {"font": {"color": surface.muted, "size": 14}, "standoff": 10},
    }  # fmt: skip
    across, up = axis | _scale(spec, "x"), axis | _scale(spec, "y")
    across["title"] = axis["title"] | {"text": _text(spec.x_title)}
    up["title"] = axis["title"] | {"text": _text(spec.y_title)}
    turned = spec.horizontal and bool(spec.categories())
    if turned:
        across, up = up, across | {"range": across["range"][::-1]}
    several = len(spec.keys()) > 1 and bool(spec.series)
    upright = any((line.axis == "x") != turned for line in spec.references)
    layout = go.Layout(
        template=None, paper_bgcolor=surface.background, plot_bgcolor=surface.background, barmode=_barmode(spec),
        scattermode="group" if spec.kind == "dots" and spec.series else "overlay", scattergap=0.55, bargap=0.42, bargroupgap=0.08,
        font={"family": theme.FONT, "size": 14, "color": surface.ink}, xaxis=across, yaxis=up,
        hoverlabel={"font": {"family": theme.FONT}}, hovermode="closest", showlegend=several,
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": surface.muted, "activecolor": surface.ink},
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.07 if upright else 1.02, "yanchor": "bottom",
                "font": {"color": surface.ink}, "traceorder": "normal", "itemwidth": 42},
        shapes=[_reference(spec, line, surface) for line in spec.references],
        margin={"l": 72, "r": 28, "t": 24 + 32 * several + 18 * upright, "b": 56},
    )  # fmt: skip
    return _with_captions(layout, spec, surface, several, upright) if captions else layout


def _scale(spec: ChartSpec, axis: str) -> dict[str, object]:
    if axis == "x" and spec.categories():
        order = [_text(name) for name in spec.categories()]
        return {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": order,
            "showgrid": False,
            "range": [-0.5, len(order) - 0.5],
        }
    log = spec.x_log if axis == "x" else spec.y_log
    if log:
        return (
            {"type": "log", "minor": {"ticks": "outside", "ticklen": 3, "dtick": "D1"}}
            | _ticks(spec, axis)
            | _room(spec, axis)
        )
    if axis == "y" and spec.kind == "ecdf":
        return {"type": "linear", "range": [0, 1.02], "tickformat": ".0%"}
    return {"type": "linear", "tickformat": ",.6~g"} | _room(spec, axis)


def _ticks(spec: ChartSpec, axis: str) -> dict[str, object]:
    """Give the labelled ticks of a logarithmic axis: decades, and 2 and 5 between them where decades alone would be few."""
    values, lines = _drawn(spec, axis), [line.value for line in spec.references if line.axis == axis]
    least, most = math.log10(min([*values, *lines])), math.log10(max([*values, *lines]))
    if most - least > _DECADES_WITH_TICKS_BETWEEN:
        return {"dtick": 1, "exponentformat": "SI"}
    decades = range(math.floor(least) - 1, math.ceil(most) + 1)
    digits = (1, 2, 3, 4, 5, 7) if most - least < _DECADES_WITH_MANY_TICKS else (1, 2, 5)
    ticks = [float(f"{digit}e{decade}") for decade in decades for digit in digits]
    return {"tickvals": ticks, "ticktext": [f"{tick:,.10g}" for tick in ticks]}


def _drawn(spec: ChartSpec, axis: str) -> list[float]:
    """Give the values that are drawn along an axis, ends of intervals included."""
    columns = [spec.x] if axis == "x" else [name for name in (spec.y, spec.lo, spec.hi) if name]
    return [float(value) for name in columns for value in spec.data[name].dropna()]


def _room(spec: ChartSpec, axis: str) -> dict[str, list[float]]:
    """Give the range of the value axis, with room for a reference line's label above the line; from 0 unless logarithmic."""
    if axis == "x":
        return {}
    values = spec.spans()
    lines = [line.value for line in spec.references if line.axis == "y"]
    least = min([float(values.min().min()), *lines])
    most = max([float(values.max().max()), *lines])
    if spec.y_log:
        room = max(0.08, 0.08 * math.log10(most / least))
        return {"range": [math.log10(least) - room, math.log10(most) + room]}
    return {"range": [0, most * 1.08]} if least >= 0 and most > 0 else {}


def _barmode(spec: ChartSpec) -> str:
    if spec.kind == "stacked_bars":
        return "relative"
    return "group" if spec.series else "overlay"


def _reference(spec: ChartSpec, line: ReferenceLine, surface: theme.Surface) -> dict[str, object]:
    upright = (line.axis == "x") != (spec.horizontal and bool(spec.categories()))
    where = (
        {"xref": "x", "x0": line.value, "x1": line.value, "yref": "paper", "y0": 0, "y1": 1}
        if upright
        else {"yref": "y", "y0": line.value, "y1": line.value, "xref": "paper", "x0": 0, "x1": 1}
    )
    label = {"text": _text(line.label), "textposition": "end", "textangle": 0, "yanchor": "bottom",
             "xanchor": "right" if not upright or _in_the_right_half(spec, line) else "left",
             "font": {"color": surface.claim, "size": 13, "style": "italic"}}  # fmt: skip
    return where | {
        "type": "line", "layer": "above", "label": label,
        "line": {"color": surface.claim, "width": theme.CLAIM_WIDTH, "dash": theme.CLAIM_DASH},
    }  # fmt: skip


def _in_the_right_half(spec: ChartSpec, line: ReferenceLine) -> bool:
    """Tell whether an upright line has more room for its label on its left."""
    drawn = [spec.x] if line.axis == "x" else [name for name in (spec.y, spec.lo, spec.hi) if name]
    log = spec.x_log if line.axis == "x" else spec.y_log
    least, most = float(spec.data[drawn].min().min()), float(spec.data[drawn].max().max())
    return line.value > (math.sqrt(least * most) if log else (min(least, 0) + most) / 2)


def _with_captions(
    layout: go.Layout, spec: ChartSpec, surface: theme.Surface, several: bool, upright: bool
) -> go.Layout:
    """Add title, subtitle and footnote, and the room they need: plotly neither wraps text nor makes way for it."""
    within = WIDTH - 2 * _EDGE
    title = wrapped(spec.title, _TITLE_PX, within, bold=True)
    subtitle = wrapped(spec.subtitle, _SUBTITLE_PX, within) if spec.subtitle else []
    footnote = wrapped(spec.footnote, _FOOTNOTE_PX, within) if spec.footnote else []
    layout.title = {
        "text": f"<b>{'<br>'.join(map(_text, title))}</b>", "x": 0, "xref": "container",
        "pad": {"l": _EDGE, "t": 22 + 15 * (len(title) - 1)},
        "xanchor": "left", "y": 1, "yanchor": "top", "yref": "container", "font": {"size": _TITLE_PX, "color": surface.ink},
        "subtitle": {"text": "<br>".join(map(_text, subtitle)), "font": {"size": _SUBTITLE_PX, "color": surface.muted}},
    }  # fmt: skip
    layout.margin.l = _left_margin(spec)
    legend = 14 + _LEGEND_ROW * _legend_rows(spec, WIDTH - layout.margin.l - layout.margin.r) if several else 16
    layout.margin.t = 36 + 27 * len(title) + 20 * len(subtitle) + legend + 18 * upright
    layout.margin.b = 66 + 17 * len(footnote)
    if footnote:
        layout.annotations = [{
            "text": "<br>".join(map(_text, footnote)), "showarrow": False, "align": "left", "xref": "paper", "yref": "paper",
            "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom", "xshift": _EDGE - layout.margin.l,
            "yshift": 12 - layout.margin.b, "font": {"size": _FOOTNOTE_PX, "color": surface.muted},
        }]  # fmt: skip
    return layout


def _legend_rows(spec: ChartSpec, room: float) -> int:
    """Give the rows of the legend: plotly sets its entries side by side, or else all as wide as the widest in as many columns."""
    keys = spec.keys()
    widths = [_LEGEND_SYMBOL + width_pt(key, _LEGEND_SIZE) for key in keys]
    if sum(widths) <= room:
        return 1
    return math.ceil(len(widths) / max(1, math.floor(room / max(widths))))


def _left_margin(spec: ChartSpec) -> int:
    """Give the room for the labels of the upright axis, so that plotly need not move the edge that captions align to."""
    labels = spec.categories() if spec.horizontal else ()
    return max(84, _EDGE + 34 + math.ceil(max((_TICK_ROOM * width_pt(label, _TICK_PX) for label in labels), default=0)))
