"""A table on a slide, with rows as high as their texts."""

from __future__ import annotations

from collections.abc import Sequence

from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.slide import Slide as Drawn
from pptx.table import _Cell
from pptx.util import Emu

from roi.charts.drawingml.elements import EMU_A_POINT, MUTED, RULE, legible, line, no_fill, no_line
from roi.charts.text_width import LINE, fitted, wrapped
from roi.report.deck.slides import Tabled
from roi.report.deck.template import Box
from roi.report.deck.text import points, write_paragraph

_PAD, _PAD_UP = 60_000, 36_000
"""Margins within a cell, in EMU."""
_MOST_LINES = 4
"""Lines of a cell; a longer text is cut, as the page has it whole."""


def add_table(slide: Drawn, said: Tabled, rows: Sequence[Sequence[str]], room: Box) -> int:
    """Put as many rows of a table on a slide as it has room for; gives their number."""
    widths = [round(share * room.width) for share in said.widths]
    texts = [[_fitted(cell, said, width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    head = _height(said.head, said, widths)
    heights, left = [], room.height - head
    for row in texts:
        height = _height(row, said, widths)
        if heights and height > left:
            break
        heights.append(height)
        left -= height
    shape = slide.shapes.add_table(
        len(heights) + 1, len(widths), Emu(room.left), Emu(room.top), Emu(sum(widths)), Emu(head + sum(heights))
    )
    shape.name = "Table"
    shape.element.nvGraphicFramePr.cNvPr.set("descr", legible(said.title))
    table = shape.table
    _plain(table)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Emu(width)
    for place, (row, height) in enumerate(zip([said.head, *texts], [head, *heights], strict=False)):
        table.rows[place].height = Emu(height)
        for at, text in enumerate(row):
            _fill(table.cell(place, at), text, said.size_pt, at in said.figures, head=place == 0)
    return len(heights)


def _fitted(text: str, said: Tabled, width: int) -> str:
    return fitted(text, (said.size_pt,), points(width - 2 * _PAD), _MOST_LINES).text


def _height(row: Sequence[str], said: Tabled, widths: Sequence[int]) -> int:
    bold = row is said.head
    lines = (len(wrapped(text, said.size_pt, points(w - 2 * _PAD), bold)) for text, w in zip(row, widths, strict=True))
    return round(max(lines) * said.size_pt * LINE * EMU_A_POINT) + 2 * _PAD_UP


def _plain(table) -> None:
    """Take the coloured style off: lines between rows are enough."""
    properties = table._tbl.tblPr
    properties.attrib.pop("bandRow", None)
    for style in properties.findall("{*}tableStyleId"):
        # Office's own style without fills and lines.
        style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


def _fill(cell: _Cell, text: str, size_pt: float, figure: bool, head: bool) -> None:
    cell.margin_left = cell.margin_right = Emu(_PAD)
    cell.margin_top = cell.margin_bottom = Emu(_PAD_UP)
    cell.vertical_anchor = MSO_ANCHOR.TOP
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if figure else PP_ALIGN.LEFT
    write_paragraph(paragraph, text, size_pt, muted=head, bold=head or None)
    properties = cell._tc.get_or_add_tcPr()
    for name in ("lnL", "lnR", "lnT"):
        side = no_line()
        side.tag = side.tag.replace("}ln", "}" + name)
        properties.append(side)
    below = line(MUTED if head else RULE, 1.0 if head else 0.75)
    below.tag = below.tag.replace("}ln", "}lnB")
    properties.append(below)
    properties.append(no_fill())
