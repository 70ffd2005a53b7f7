"""Elements of DrawingML that every chart is put together from: fills, lines, markers and text."""

from __future__ import annotations

import re
from typing import Any

from lxml.builder import ElementMaker

from roi.charts import theme

_NAMES = {
    "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
}
C = ElementMaker(namespace=_NAMES["c"], nsmap=_NAMES)
"""Makes elements of charts."""
A = ElementMaker(namespace=_NAMES["a"], nsmap=_NAMES)
"""Makes elements of drawings."""
Element = Any
"""An element of lxml, which ships no types."""

AXIS_PT = 14
"""Size of all text in a chart, in points: what the back of a room can read."""
INK, CLAIM, MUTED, RULE, GRID = "ink 100", "ink 75", "ink 65", "ink 30", "ink 15"
"""Shares of the text colour of the slide's theme, which is light where a template is dark."""
EMU_A_POINT = 12_700

_MARKERS = {
    "circle": "circle", "square": "square", "diamond": "diamond", "triangle-up": "triangle", "cross": "plus", "x": "x",
    "star": "star", "hexagon": "circle", "pentagon": "square", "triangle-down": "triangle", "hourglass": "x", "bowtie": "x",
    "star-diamond": "star", "octagon": "square", "hexagram": "star",
}  # fmt: skip
"""The nearest that Office has; what then looks alike still differs by colour."""
_UNSPEAKABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")
_UNFILLED = {"plus", "x", "star"}
_HATCHES = {"/": "wdUpDiag", "\\": "wdDnDiag", ".": "pct20", "x": "diagCross", "-": "horz", "|": "vert", "+": "cross"}
_HATCH_WHITE = 0.55


def value(tag: str, said: object) -> Element:
    """Give an element of charts that says one thing in its attribute `val`."""
    return C(tag, val=str(int(said) if isinstance(said, bool) else said))


def legible(text: str) -> str:
    """Give a text without the characters that XML cannot hold."""
    return "".join(one for one in text if one in "\t\n" or (one >= " " and not _UNSPEAKABLE.match(one)))


def solid(colour: str, opacity: float = 1.0) -> Element:
    """Give a fill of one colour: `#rrggbb`, or one of the inks above."""
    return A.solidFill(_colour(colour, opacity))


def _colour(colour: str, opacity: float = 1.0) -> Element:
    faded = [A.alpha(val=str(round(opacity * 100_000)))] if opacity < 1 else []
    if colour.startswith("#"):
        return A.srgbClr(*faded, val=colour.lstrip("#").upper())
    share = str(int(colour.removeprefix("ink ")) * 1000)
    if colour == GRID:
        # A light tint of a light ink would be as strong as the ink.
        return A.schemeClr(A.alpha(val=share), val="tx1")
    lighter = [A.lumMod(val=share), A.lumOff(val=str(100_000 - int(share)))] if colour != INK else []
    return A.schemeClr(*lighter, *faded, val="tx1")


def hatched(colour: str, pattern: str) -> Element:
    """Give a fill in a colour with one of plotly's patterns in lighter lines; a plain one for no pattern."""
    if not pattern:
        return solid(colour)
    lines = A.fgClr(_colour(theme.mixed(colour, "#ffffff", _HATCH_WHITE)))
    return A.pattFill(lines, A.bgClr(_colour(colour)), prst=_HATCHES[pattern])


def line(colour: str, width_pt: float, dash: str = "solid", opacity: float = 1.0) -> Element:
    """Give a line; `dash` is `solid` or the lengths that `roi.charts.theme` names."""
    drawn = A.ln(
        solid(colour, opacity), A.prstDash(val=preset_dash(dash)), A.round(), w=str(round(width_pt * EMU_A_POINT))
    )
    drawn.set("cap", "flat")
    return drawn


def no_fill() -> Element:
    """Give the fill that is not drawn."""
    return A.noFill()


def no_line() -> Element:
    """Give the line that is not drawn."""
    return A.ln(A.noFill())


def preset_dash(dash: str) -> str:
    """Give the one of Office's dashes that is nearest to lengths such as `11px,4px`."""
    lengths = [float(length.removesuffix("px")) for length in dash.split(",")] if dash != "solid" else []
    if not lengths:
        return "solid"
    long, marks = lengths[0], len(lengths) // 2
    if marks == 1:
        return "sysDot" if long <= 3 else "sysDash" if long <= 6 else "dash" if long <= 12 else "lgDash"
    if marks == 2:
        return "sysDashDot" if long <= 6 else "dashDot" if long <= 12 else "lgDashDot"
    return "sysDashDotDot" if long <= 12 else "lgDashDotDot"


def marker(style: theme.Style, size_pt: int) -> Element:
    """Give a marker; a size of 0 gives none."""
    if not size_pt:
        return C.marker(value("symbol", "none"))
    name = style.marker.removesuffix("-open")
    is_open = name != style.marker or _MARKERS[name] in _UNFILLED
    fill = A.noFill() if is_open else solid(style.colour)
    return C.marker(
        value("symbol", _MARKERS[name]),
        value("size", size_pt),
        C.spPr(fill, line(style.colour, 2.0 if is_open else 1.0)),
    )


def text_style(colour: str, size_pt: float = AXIS_PT, italic: bool = False) -> Element:
    """Give the style of all text in a part of a chart."""
    return C.txPr(
        A.bodyPr(), A.lstStyle(), A.p(A.pPr(_run("defRPr", colour, size_pt, italic)), A.endParaRPr(lang="en-US"))
    )


def written(text: str, colour: str, size_pt: float = AXIS_PT, italic: bool = False, turned: bool = False) -> Element:
    """Give a text in paragraphs, one a line; turned it reads from below."""
    body = A.bodyPr(rot="-5400000", vert="horz") if turned else A.bodyPr(wrap="none")
    paragraphs = [
        A.p(
            A.pPr(_run("defRPr", colour, size_pt, italic)),
            A.r(_run("rPr", colour, size_pt, italic), A.t(legible(one))) if one else A.endParaRPr(lang="en-US"),
        )
        for one in text.split("\n")
    ]
    return C.tx(C.rich(body, A.lstStyle(), *paragraphs))


def _run(tag: str, colour: str, size_pt: float, italic: bool) -> Element:
    said = A(tag, solid(colour), sz=str(round(size_pt * 100)), b="0", i=str(int(italic)))
    if tag == "rPr":
        said.set("lang", "en-US")
    return said
