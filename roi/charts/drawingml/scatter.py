"""Charts of points with two numbers: cumulated shares, lines, points, and dots beside the names of categories.

Dots stand beside names that run down the side whatever the chart asks for: so a room can read them. Office has no such chart; it
is drawn as points whose second number is the place of the category, and the names are labels of points of their own.
"""

from __future__ import annotations

from dataclasses import replace

from roi.charts import theme
from roi.charts.drawingml.axes import SHARES, Scale, linear, logarithmic, value_axis
from roi.charts.drawingml.carried import (
    APART,
    FEW,
    LINE_PT,
    Scatter,
    broken_names,
    carrier,
    draw_names,
    draw_references,
    draw_under,
    label_levels,
    stepped,
    style_of,
    with_places,
)
from roi.charts.drawingml.elements import AXIS_PT, C, Element, line, marker, no_line, value
from roi.charts.drawingml.plot import GAP_PT, WHISKER_PT, Plot, Room, line_height, upright_title, whiskers
from roi.charts.drawingml.sheet import by_series, numbers, texts
from roi.charts.spec import ChartSpec
from roi.charts.text_width import width_pt

_X, _Y = 1, 2
_MARKED = 40
"""A line of more points than this has no markers."""
_FAINT = 0.45
"""Opacity of the whiskers of lines, which overlap each other."""


def scatter(spec: ChartSpec, width: float, height: float) -> Plot:
    """Draw a chart of kind `ecdf`, `lines`, `points` or `dots` in so many points of width and height."""
    sheet, rows = by_series(spec)
    dots = spec.kind == "dots"
    drawn = Scatter(spec, sheet, rows, *_scales(spec, dots), dots)
    names = broken_names(spec, width) if dots else []
    room = _room(drawn, names, width, height)
    if dots:
        drawn = replace(drawn, sheet=with_places(drawn, names))
    drawn, under = draw_under(drawn)
    drawn, references = draw_references(drawn, width - room.left - room.right)
    carried = [*under, *([draw_names(drawn, names)] if dots else []), *references]
    series, unnamed = _numbered(
        [_series(drawn, key) for key in rows], carried, carrier(drawn.sheet, "y", "x", "y", [], no_line())
    )
    axes = (
        value_axis(_X, _Y, "b", drawn.across, spec.y_title if dots else spec.x_title),
        value_axis(_Y, _X, "l", drawn.up, "" if dots else spec.y_title, labelled=not dots),
    )
    style = value("scatterStyle", "lineMarker"), value("varyColors", False)
    chart = C.scatterChart(*style, *series, value("axId", _X), value("axId", _Y))
    return Plot(drawn.sheet, (chart,), axes, unnamed, room)


def _numbered(
    named: list[Element], carried: list[Element], everything: Element
) -> tuple[list[Element], tuple[int, ...]]:
    """Put the longest series first and number all; gives them, and the places of those that a legend leaves out.

    LibreOffice forgets the points of every series before one that is longer than all of them. Where nothing that may stand in
    front is longest, a series of all rows does, which draws nothing.
    """

    def length(one: Element) -> int:
        return int(one.find("{*}xVal//{*}ptCount").get("val"))

    carried = sorted(carried, key=length, reverse=True)
    most = max(map(length, [*named, *carried]))
    if length(named[0]) == most:
        ordered = [*named, *carried]
    elif carried and length(carried[0]) == most:
        ordered = [*carried, *named]
    else:
        ordered = [everything, *named, *carried]
    for place, one in enumerate(ordered):
        one.insert(0, value("order", place))
        one.insert(0, value("idx", place))
    return ordered, tuple(place for place, one in enumerate(ordered) if one not in named)


def _scales(spec: ChartSpec, dots: bool) -> tuple[Scale, Scale]:
    of_y = _values(spec, "y")
    values_of_y = logarithmic(of_y) if spec.y_log else linear(of_y, from_zero=True)
    if dots:
        return values_of_y, Scale(0.5, len(spec.categories()) + 0.5, 1.0)
    up = SHARES if spec.kind == "ecdf" else values_of_y
    values = _values(spec, "x")
    # Along x nothing needs room beyond the last value.
    near_zero = [0.0] if 0 <= min(values) <= max(values) / 4 else []
    return logarithmic(values) if spec.x_log else linear([*near_zero, *values], from_zero=False), up


def _values(spec: ChartSpec, axis: str) -> list[float]:
    columns = [spec.x] if axis == "x" else [name for name in (spec.y, spec.lo, spec.hi) if name]
    lines = [one.value for one in spec.references if one.axis == axis]
    return [float(one) for name in columns for one in spec.data[name].dropna()] + lines


def _series(drawn: Scatter, key: str) -> Element:
    spec, rows, sheet = drawn.spec, drawn.rows[key], drawn.sheet
    style = style_of(spec, key)
    across, up = (sheet.span(role, rows) for role in drawn.roles)
    joined = spec.kind == "lines" or (spec.kind == "ecdf" and not stepped(spec, rows))
    name = texts(sheet.span("series", (rows[0], rows[0] + 1)) if spec.series else sheet.head("y"))
    return C.ser(
        C.tx(name), C.spPr(line(style.colour, LINE_PT, style.dash) if joined else no_line()),
        marker(style, _marker_size(spec, rows)), *_own_colours(drawn, key), *_whiskers(drawn, rows, style),
        C.xVal(numbers(across)), C.yVal(numbers(up)), value("smooth", False),
    )  # fmt: skip


def _marker_size(spec: ChartSpec, rows: tuple[int, int]) -> int:
    if spec.kind in ("dots", "points"):
        return 13 if spec.kind == "dots" else 9
    few = rows[1] - rows[0] <= (_MARKED if spec.kind == "lines" else FEW)
    return 7 if few else 0


def _own_colours(drawn: Scatter, key: str) -> list[Element]:
    """Give every dot of the only series the colour of its category."""
    if not drawn.dots or drawn.spec.series:
        return []
    styles = theme.styles(drawn.spec.keys(), alike=drawn.spec.named_by_axis)
    names = drawn.sheet.columns["x"].cells
    return [C.dPt(value("idx", at), marker(styles[name], 13), C.spPr(no_line())) for at, name in enumerate(names)]


def _whiskers(drawn: Scatter, rows: tuple[int, int], style: theme.Style) -> list[Element]:
    if drawn.dots or drawn.spec.lo is None:
        return []
    faint = _FAINT if drawn.spec.kind == "lines" else 1.0
    above, below = (drawn.sheet.span(role, rows) for role in ("above", "below"))
    return [whiskers("y", above, below, style.colour, WHISKER_PT, faint == 1.0, faint)]


def _room(drawn: Scatter, names: list[str], width: float, height: float) -> Room:
    if drawn.dots:
        left = (
            max(width_pt(part, AXIS_PT) for name in names for part in name.split("\n"))
            + width_pt(APART, AXIS_PT)
            + GAP_PT
        )
    else:
        left = max(width_pt(text, AXIS_PT) for text in drawn.up.labels()) + GAP_PT
        left += upright_title(drawn.spec.y_title, height)
    right = width_pt(drawn.across.labels()[-1], AXIS_PT) / 2 + GAP_PT
    titled = drawn.spec.y_title if drawn.dots else drawn.spec.x_title
    levels = label_levels(drawn, width - left - right)
    top = GAP_PT / 2 + (1 + max(levels.values(), default=-1)) * 1.2 * line_height()
    return Room(left, top, right, (1.6 + 1.5 * bool(titled)) * line_height())
