"""What a chart consists of once its kind has been drawn, and the parts that all kinds share: whiskers, references, legend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from roi.charts import theme
from roi.charts.drawingml.elements import (
    AXIS_PT,
    INK,
    C,
    Element,
    line,
    no_fill,
    no_line,
    text_style,
    value,
    written,
)
from roi.charts.drawingml.sheet import Sheet, Span, numbers
from roi.charts.text_width import LINE, width_pt, wrapped

CLAIM_PT = theme.CLAIM_WIDTH * 1.25
WHISKER_PT = 1.75
GAP_PT = 10
"""Room between the drawing and what stands beside it."""
_TITLE_SHARE = 0.6
"""Share of a chart's height that an axis has at least, for its turned title."""
_KEY_PT = 46
"""Width of a line's sample in the legend, with the room beside it."""


@dataclass(frozen=True)
class Room:
    """The room around the drawing that its labels take, in points."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Plot:
    """A chart whose kind has been drawn."""

    sheet: Sheet
    charts: tuple[Element, ...]
    """One or two kinds on the same axes."""
    axes: tuple[Element, ...]
    unnamed: tuple[int, ...]
    """Series that the legend leaves out, by their place."""
    room: Room
    """Without what the legend takes."""


def whiskers(
    direction: str,
    plus: Span | None,
    minus: Span | None,
    colour: str,
    width_pt: float,
    capped: bool = True,
    opacity: float = 1.0,
) -> Element:
    """Draw distances from every point of a series, as lines.

    Parameters
    ----------
    direction
        `x` or `y`; empty for bars, which have one direction alone.
    plus, minus
        The distances; None for none.
    colour, width_pt, opacity
        Of the lines.
    capped
        With a short line across their ends.
    """
    which = "both" if plus and minus else "plus" if plus else "minus"
    said = [C.plus(numbers(plus))] if plus else []
    said += [C.minus(numbers(minus))] if minus else []
    return C.errBars(
        *([value("errDir", direction)] if direction else []), value("errBarType", which), value("errValType", "cust"),
        value("noEndCap", not capped), *said, C.spPr(line(colour, width_pt, opacity=opacity)),
    )  # fmt: skip


def label(place: int, text: str, where: str, colour: str, italic: bool = False) -> Element:
    """Write a text at one point of a series: `t` above it, `l` on its left, `r` on its right."""
    return C.dLbl(
        value("idx", place), written(text, colour, italic=italic), C.spPr(no_fill(), no_line()), value("dLblPos", where),
        *_shown(True),
    )  # fmt: skip


def labels(*single: Element) -> Element:
    """Give the labels of a series: single ones, and none else."""
    return C.dLbls(*single, *_shown(False))


def values_shown(code: str, colour: str, where: str) -> Element:
    """Write its value at every point of a series."""
    return C.dLbls(
        C.numFmt(formatCode=code, sourceLinked="0"), C.spPr(no_fill(), no_line()), text_style(colour),
        value("dLblPos", where), *_shown(True),
    )  # fmt: skip


def _shown(shown: bool) -> list[Element]:
    others = ("showCatName", "showSerName", "showPercent", "showBubbleSize")
    return [value("showLegendKey", False), value("showVal", shown), *(value(name, False) for name in others)]


def legend_rows(names: Iterable[str], within_pt: float) -> int:
    """Give how many lines a legend takes."""
    rows, used = 1, 0.0
    for name in names:
        wide = width_pt(name, AXIS_PT) + _KEY_PT
        if used and used + wide > within_pt:
            rows, used = rows + 1, 0.0
        used += wide
    return rows


def legend(unnamed: Iterable[int], height: float) -> Element:
    """Give the legend on top, over the whole width; `height` is its share of the chart's."""
    left_out = [C.legendEntry(value("idx", place), value("delete", True)) for place in unnamed]
    return C.legend(
        value("legendPos", "t"), *left_out, _layout(0.0, 0.0, 1.0, height), value("overlay", False),
        text_style(INK),
    )  # fmt: skip


def inner_layout(room: Room, width: float, height: float) -> Element:
    """Place the drawing itself, without labels, in a chart of some points' width and height."""
    across, up = room.left / width, room.top / height
    return _layout(across, up, 1 - across - room.right / width, 1 - up - room.bottom / height, inner=True)


def _layout(x: float, y: float, width: float, height: float, inner: bool = False) -> Element:
    target = [value("layoutTarget", "inner")] if inner else []
    sides = {"x": x, "y": y, "w": width, "h": height}
    return C.layout(
        C.manualLayout(
            *target, value("xMode", "edge"), value("yMode", "edge"), *(value(n, f"{v:.5f}") for n, v in sides.items())
        )
    )


def upright_title(title: str, height: float) -> float:
    """Give the width that the turned title of an axis takes beside a chart of some height, in points."""
    lines = len(wrapped(title, AXIS_PT, height * _TITLE_SHARE)) if title else 0
    return (lines + 0.5 * bool(lines)) * line_height()


def line_height() -> float:
    """Give the height of a line of a chart's text, in points."""
    return AXIS_PT * LINE
