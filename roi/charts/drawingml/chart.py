"""A chart as the content of a chart part: what is drawn, and the sheet that it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from roi.charts.drawingml.bars import bars
from roi.charts.drawingml.elements import INK, C, Element, no_fill, no_line, text_style, value
from roi.charts.drawingml.plot import Room, inner_layout, legend, legend_rows, line_height
from roi.charts.drawingml.scatter import scatter
from roi.charts.drawingml.sheet import Sheet
from roi.charts.spec import ChartSpec

_DRAW = {"bars": bars, "stacked_bars": bars}


@dataclass(frozen=True)
class Chart:
    """A chart and its data."""

    content: tuple[Element, ...]
    """Of the element `chartSpace`, up to the reference to its workbook."""
    sheet: Sheet


def chart(spec: ChartSpec, width: float, height: float) -> Chart:
    """Draw a chart without its title, subtitle and footnote, which are the slide's.

    Parameters
    ----------
    spec
        The chart.
    width, height
        Its size on the slide, in points.
    """
    plot = _DRAW.get(spec.kind, scatter)(spec, width, height)
    several = len(spec.keys()) > 1 and bool(spec.series)
    above = legend_rows(spec.keys(), width) * line_height() * 1.25 if several else 0.0
    room = Room(plot.room.left, plot.room.top + above, plot.room.right, plot.room.bottom)
    drawn = C.chart(
        value("autoTitleDeleted", True),
        C.plotArea(inner_layout(room, width, height), *plot.charts, *plot.axes, C.spPr(no_fill(), no_line())),
        *([legend(plot.unnamed, above / height)] if several else []),
        value("plotVisOnly", True), value("dispBlanksAs", "gap"),
    )  # fmt: skip
    content = (
        value("date1904", False), value("roundedCorners", False), drawn, C.spPr(no_fill(), no_line()),
        text_style(INK),
    )  # fmt: skip
    return Chart(content, plot.sheet)
