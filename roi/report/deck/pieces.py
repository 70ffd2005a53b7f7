"""The pieces of a deck that `roi verify` compares: every text of every slide, every number behind a chart and in its workbook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml.etree import QName
from pptx import Presentation
from pptx.shapes.base import BaseShape

from roi.charts.drawingml.workbook import cells
from roi.report.piece import Piece

_CHART = "Chart "
_PARTS = ("tx", "cat", "val", "xVal", "yVal", "plus", "minus", "title", "dLbl", "valAx", "catAx", "scaling")
"""Parts of a chart that tell what a number in it is."""


def of_deck(path: Path) -> Iterator[Piece]:
    """Give texts, tables, charts and their workbooks, slide by slide."""
    for number, slide in enumerate(Presentation(str(path)).slides, 1):
        title = slide.shapes.title
        named = f"slide {number}" + (f" (“{title.text_frame.text[:60]}”)" if title is not None else "")
        for shape in slide.shapes:
            yield from _of_shape(shape, named)


def _of_shape(shape: BaseShape, slide: str) -> Iterator[Piece]:
    where = f"{slide}, {shape.name}"
    yield Piece(f"{where}, description", shape.element.xpath("string(.//p:cNvPr/@descr)"))
    if shape.has_text_frame:
        for number, paragraph in enumerate(shape.text_frame.paragraphs, 1):
            yield Piece(f"{where}, paragraph {number}", "".join(run.text for run in paragraph.runs))
    elif getattr(shape, "has_table", False) and shape.has_table:
        heads = [cell.text_frame.text for cell in shape.table.rows[0].cells]
        for number, row in enumerate(shape.table.rows):
            for head, cell in zip(heads, row.cells, strict=True):
                yield Piece(
                    f"{where}, row {number} ({row.cells[0].text_frame.text[:40]}), {head}", cell.text_frame.text
                )
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        page = shape.name.removeprefix(_CHART).split("-")[0]
        yield from _of_chart(shape, where, page)


def _of_chart(shape: BaseShape, where: str, page: str) -> Iterator[Piece]:
    """Give what a chart draws from, and the cells of its workbook."""
    for element in shape.chart.element.iter("{*}v", "{*}f", "{*}t", "{*}min", "{*}max", "{*}logBase"):
        said = element.text if element.text is not None else element.get("val", "")
        yield Piece(f"{where}, {_place(element)}", said, page)
    part = shape.chart.part.chart_workbook.xlsx_part
    for place, said in cells(part.blob) if part is not None else ():
        yield Piece(f"{where}, workbook, cell {place}", said, page)


def _place(element) -> str:
    """Say where in a chart an element stands: the series, what it is of it, and which point."""
    words = []
    for one in element.iterancestors():
        name = QName(one).localname
        if name == "pt":
            words.append(f"point {int(one.get('idx')) + 1}")
        elif name == "ser":
            words.append(f"series “{one.findtext('{*}tx//{*}v')}”")
        elif name in _PARTS:
            words.append(name)
    return ", ".join([*reversed(words), QName(element).localname])
