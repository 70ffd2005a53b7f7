"""Reads charts out of a deck the way a spreadsheet would: by the references, and without the code that wrote them."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from pptx import Presentation

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def charts(deck: bytes) -> dict[str, object]:
    """Give the shapes of a deck's charts, by the names of the charts' files."""
    slides = Presentation(io.BytesIO(deck)).slides
    return {shape.name.removeprefix("Chart "): shape for slide in slides for shape in slide.shapes if shape.has_chart}


def space(shape) -> ElementTree.Element:
    """Give the XML of a chart."""
    return ElementTree.fromstring(shape.chart.part.blob)


def cells(shape) -> dict[str, str | float]:
    """Give the cells of a chart's workbook by their places; text is text whatever it begins with, and nothing is a formula."""
    with zipfile.ZipFile(io.BytesIO(shape.chart.part.chart_workbook.xlsx_part.blob)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert sheet.find(f".//{S}f") is None
    found = {}
    for cell in sheet.iter(f"{S}c"):
        is_text = cell.get("t") == "inlineStr"
        found[cell.get("r")] = cell.findtext(f"{S}is/{S}t") if is_text else float(cell.findtext(f"{S}v"))
    return found


def at(found: dict[str, str | float], formula: str) -> list[str | float | None]:
    """Give the cells that a reference names."""
    letters, first, last = re.fullmatch(r"Chart!\$([A-Z]+)\$(\d+)(?::\$\1\$(\d+))?", formula).groups()
    return [found.get(f"{letters}{row}") for row in range(int(first), int(last or first) + 1)]


def references(shape) -> list[tuple[str, list[str | float | None]]]:
    """Give every reference of a chart with the values that are drawn for it."""
    found = []
    for kind, read in (("num", float), ("str", str)):
        for reference in space(shape).iter(f"{C}{kind}Ref"):
            cache = reference.find(f"{C}{kind}Cache")
            values = [None] * int(cache.find(f"{C}ptCount").get("val"))
            for point in cache.iter(f"{C}pt"):
                values[int(point.get("idx"))] = read(point.findtext(f"{C}v"))
            found.append((reference.findtext(f"{C}f"), values))
    return found


def plotted(shape, columns: list[str], stacked_in: tuple[str, str, str] | None) -> list[tuple]:
    """Give the plotted rows that a chart's workbook holds, in any order.

    `columns` are heads of columns that stand side by side; `stacked_in` names category, series and value where the sheet has a
    column for each series.
    """
    found = cells(shape)
    heads = {}
    for place, head in found.items():
        if re.fullmatch(r"[A-Z]+1", place):
            heads.setdefault(head, place[:-1])
    numbers = range(2, 2 + max(int(re.sub(r"\D", "", place)) for place in found))
    if stacked_in is None:
        rows = [tuple(found.get(f"{heads[name]}{row}") for name in columns) for row in numbers]
        return [row for row in rows if row[0] is not None]
    category, _, _ = stacked_in
    series = [head for head in heads if head != category]
    rows = [(found.get(f"A{row}"), name, found.get(f"{heads[name]}{row}")) for row in numbers for name in series]
    return [row for row in rows if row[0] is not None and row[2] is not None]


def of_csv(path: Path, columns: list[str]) -> list[tuple]:
    """Give columns of a CSV; numbers as numbers, and what was marked as no formula without the mark."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [tuple(_read(row[name]) for name in columns) for row in rows]


def _read(text: str) -> str | float | None:
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text[1:] if re.match(r"'[=+\-@\t\r]", text) else text


def sort(rows: list[tuple]) -> list[tuple]:
    return sorted(rows, key=repr)


def texts(slide) -> list[str]:
    """Give the texts of a slide, those in tables among them."""
    frames = [shape.text_frame for shape in slide.shapes if shape.has_text_frame]
    tables = [shape.table for shape in slide.shapes if shape.has_table]
    return [frame.text for frame in frames] + [cell.text_frame.text for table in tables for cell in table.iter_cells()]
