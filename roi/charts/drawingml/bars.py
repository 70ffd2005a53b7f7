"""Bars, single, side by side or stacked, from zero on.

They lie, so that names of categories need not be turned; where a reference line crosses them they stand, as Office draws no line
across lying ones.
"""

from __future__ import annotations

from roi.charts import theme
from roi.charts.drawingml.axes import Scale, category_axis, linear, value_axis
from roi.charts.drawingml.elements import (
    AXIS_PT,
    CLAIM,
    INK,
    C,
    Element,
    hatched,
    line,
    value,
)
from roi.charts.drawingml.plot import (
    CLAIM_PT,
    GAP_PT,
    WHISKER_PT,
    Plot,
    Room,
    label,
    labels,
    line_height,
    upright_title,
    values_shown,
    whiskers,
)
from roi.charts.drawingml.sheet import Column, Sheet, by_category, numbers, texts
from roi.charts.spec import ChartSpec, ReferenceLine
from roi.charts.text_width import width_pt, wrapped

_CATEGORIES, _VALUES = 1, 2
_GAP_SINGLE, _GAP_SEVERAL = 60, 45
"""Room between categories, in percent of a bar's thickness."""
_DARKER = 0.45
"""Share of black in whiskers: both of their ends stay visible on the bar."""
_NAMES_WIDTH = 0.34
_LINE_ENDS_PT = 40
"""A reference line runs from the middle of the first category to that of the last; dashes of this length go on beyond."""


def bars(spec: ChartSpec, width: float, height: float) -> Plot:
    """Draw a chart of kind `bars` or `stacked_bars` in so many points of width and height."""
    sheet, lying = by_category(spec), not spec.references
    for place, one in enumerate(spec.references):
        sheet = sheet.beside({f"reference{place}": Column(one.label, (one.value,) * len(spec.categories()))})
    scale = _scale(spec)
    keys = spec.keys() if spec.series else ("",)
    series = [_series(spec, sheet, place, key, scale) for place, key in enumerate(keys)]
    stacked = spec.kind == "stacked_bars"
    ids = value("axId", _CATEGORIES), value("axId", _VALUES)
    charts = [
        C.barChart(
            value("barDir", "bar" if lying else "col"), value("grouping", "stacked" if stacked else "clustered"),
            value("varyColors", False), *series, value("gapWidth", _GAP_SEVERAL if len(keys) > 1 else _GAP_SINGLE),
            value("overlap", 100 if stacked else -5), *ids,
        )
    ]  # fmt: skip
    if spec.references:
        charts.append(_lines(spec, sheet, len(series)))
    axes = (
        category_axis(_CATEGORIES, _VALUES, "l" if lying else "b", downwards=lying),
        value_axis(_VALUES, _CATEGORIES, "b" if lying else "l", scale, spec.y_title, at_the_end=lying, between=True),
    )
    unnamed = tuple(range(len(series), len(series) + len(spec.references)))
    return Plot(sheet, tuple(charts), axes, unnamed, _room(spec, scale, width, height, lying))


def _scale(spec: ChartSpec) -> Scale:
    whole = spec.spans()
    values = [float(one) for name in whole for one in whole[name].dropna()] + [one.value for one in spec.references]
    # A bar's length is its value, so the axis holds zero.
    return linear([0.0, *values] if min(values) < 0 else values, from_zero=True)


def _series(spec: ChartSpec, sheet: Sheet, place: int, key: str, scale: Scale) -> Element:
    styles = theme.styles(spec.keys(), alike=spec.named_by_axis)
    style = styles[key] if spec.series else next(iter(styles.values()))
    shown = [] if spec.series or spec.lo else [values_shown(_code(spec, scale), INK, "outEnd")]
    own = [] if spec.series else [_bar(at, styles[name].colour) for at, name in enumerate(spec.categories())]
    return C.ser(
        value("idx", place), value("order", place), C.tx(texts(sheet.head(f"y{place}"))),
        C.spPr(hatched(style.colour, style.pattern if spec.series else ""), line(style.colour, 0.75)),
        value("invertIfNegative", False), *own, *shown, *_whiskers(spec, sheet, place, style.colour),
        C.cat(texts(sheet.span("x"))), C.val(numbers(sheet.span(f"y{place}"))),
    )  # fmt: skip


def _code(spec: ChartSpec, scale: Scale) -> str:
    """Give how a bar's value is written: whole where all are, and else a digit finer than the axis."""
    if all(float(one).is_integer() for one in spec.data[spec.y]):
        return "#,##0"
    return scale.code + ("0" if "." in scale.code else ".0")


def _bar(at: int, colour: str) -> Element:
    look = C.spPr(hatched(colour, ""), line(colour, 0.75))
    return C.dPt(value("idx", at), value("invertIfNegative", False), value("bubble3D", False), look)


def _whiskers(spec: ChartSpec, sheet: Sheet, place: int, colour: str) -> list[Element]:
    if spec.lo is None:
        return []
    darker = theme.mixed(colour, "#000000", _DARKER) if spec.series else INK
    return [whiskers("", sheet.span(f"above{place}"), sheet.span(f"below{place}"), darker, WHISKER_PT)]


def _lines(spec: ChartSpec, sheet: Sheet, first: int) -> Element:
    """Draw the reference lines across standing bars."""
    found = [_line(sheet, first + place, f"reference{place}", one) for place, one in enumerate(spec.references)]
    return C.lineChart(
        value("grouping", "standard"), value("varyColors", False), *found, value("marker", True),
        value("axId", _CATEGORIES), value("axId", _VALUES),
    )  # fmt: skip


def _line(sheet: Sheet, place: int, role: str, one: ReferenceLine) -> Element:
    ink, last = CLAIM, len(sheet.columns["x"].cells) - 1
    ends = C.marker(value("symbol", "dash"), value("size", _LINE_ENDS_PT), C.spPr(hatched(ink, ""), line(ink, 0.25)))
    return C.ser(
        value("idx", place), value("order", place), C.tx(texts(sheet.head(role))),
        C.spPr(line(ink, CLAIM_PT, theme.CLAIM_DASH)), ends, labels(label(last, one.label, "t", ink, italic=True)),
        C.cat(texts(sheet.span("x"))), C.val(numbers(sheet.span(role))), value("smooth", False),
    )  # fmt: skip


def _room(spec: ChartSpec, scale: Scale, width: float, height: float, lying: bool) -> Room:
    lines = [part for name in spec.categories() for part in wrapped(name, AXIS_PT, width * _NAMES_WIDTH)]
    names = max(width_pt(part, AXIS_PT) for part in lines)
    numbers_wide = max(width_pt(text, AXIS_PT) for text in scale.labels())
    below = (1.6 + 1.5 * bool(spec.y_title and lying)) * line_height()
    left = names + GAP_PT if lying else numbers_wide + GAP_PT + upright_title(spec.y_title, height)
    return Room(left + GAP_PT, GAP_PT, numbers_wide / 2 + GAP_PT, below)
