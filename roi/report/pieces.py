"""The files of a report, taken apart into pieces that have a place: what `roi verify` compares one by one.

A piece is a figure or a text with words for where it stands. A new form of a report needs one function here that
gives its pieces; that its rows are the chart's is then checked like those of a CSV.
"""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pyarrow.parquet as pq

from roi.report.deck.pieces import of_deck
from roi.report.piece import Piece

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_HEADINGS = {"h1", "h2", "h3"}


def pieces(path: Path) -> list[Piece] | None:
    """Give the pieces of a file in their order; None for one that is not taken apart, such as an image.

    Raises
    ------
    ValueError
        It is damaged: it cannot be read as what its name says.
    """
    read = READERS.get(path.suffix)
    if read is None:
        return None
    try:
        return list(read(path))
    except Exception as error:  # A damaged file raises whatever its reader does.
        raise ValueError(str(error).split("\n")[0]) from error


def of_findings(path: Path) -> Iterator[Piece]:
    """Give every field of every row of `findings.parquet`."""
    for row in pq.read_table(path).to_pylist():
        for name, value in row.items():
            yield Piece(f"finding {row['id']} of {row['notebook']}, {name}", _written(value), row["notebook"])


def of_rows(path: Path) -> Iterator[Piece]:
    """Give every cell of a CSV."""
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = list(csv.reader(file)) or [[]]
    for place, name in enumerate(head, 1):
        yield Piece(f"head of column {place}", name)
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row):
            column = head[place] if place < len(head) else f"column {place + 1}"
            yield Piece(f"row {number} ({row[0]}), {column}", value)


def of_notebook(path: Path) -> Iterator[Piece]:
    """Give source and outputs of every cell of an executed notebook; ids and times of execution are none of it."""
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
        yield Piece(f"cell {number}, source", cell.source)
        for place, output in enumerate(cell.get("outputs", ()), 1):
            said = {name: value for name, value in output.items() if name != "execution_count"}
            for at, value in _leaves(said):
                yield Piece(f"cell {number}, output {place}, {at}", _written(value))


def of_page(path: Path) -> Iterator[Piece]:
    """Give texts, cells of tables, attributes and chart data of an HTML page."""
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    return iter(page.found)


READERS: dict[str, Callable[[Path], Iterator[Piece]]] = {
    ".parquet": of_findings,
    ".csv": of_rows,
    ".ipynb": of_notebook,
    ".html": of_page,
    ".pptx": of_deck,
}
"""By the ending of a file's name what takes it apart."""


def _written(value: Any) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def _leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Give the leaves of JSON with their paths; numbers that plotly packs into base64 are unpacked."""
    if isinstance(value, dict) and {"dtype", "bdata"} <= set(value):
        value = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"]).tolist()
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{at}.{name}" if at else str(name))
    elif isinstance(value, list):
        yield f"{at}, number of items", len(value)
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{at}[{place}]")
    else:
        yield at, value


class _Page(HTMLParser):
    """Gathers the pieces of a page; a cell of a table is one piece, named by its row's first cell and its column."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Piece] = []
        self._open: list[str] = []
        self._under = ""
        self._heads: list[str] = []
        self._row: list[str] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if attrs:
            self.found.append(Piece(f"attributes of {tag}{self._place()}", str(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "table":
            self._heads = []
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass
        if tag in ("td", "th") and self._cell is not None:
            self._end_cell(tag)

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)
        elif self._open and self._open[-1] == "script":
            self._chart(data)
        elif data.strip():
            if self._open and self._open[-1] in _HEADINGS:
                self._under = f" under “{data.strip()}”"
            self.found.append(Piece(f"text{self._under}", data))

    def handle_comment(self, data: str) -> None:
        self.found.append(Piece(f"comment{self._under}", data))

    def _chart(self, data: str) -> None:
        """Take the drawing of a chart apart, which is JSON."""
        try:
            drawing = json.loads(data)
        except ValueError:
            self.found.append(Piece(f"script{self._under}", data))
            return
        self.found += [Piece(f"chart{self._under}, {at}", _written(value)) for at, value in _leaves(drawing)]

    def _place(self) -> str:
        return f"{self._under}, row {self._row[0]}" if self._row else self._under

    def _end_cell(self, tag: str) -> None:
        text = "".join(self._cell or ())
        self._cell = None
        column = len(self._row)
        self._row.append(" ".join(text.split())[:80])
        if tag == "th" and "thead" in self._open:
            self._heads.append(self._row[-1])
        name = self._heads[column] if column < len(self._heads) else f"column {column + 1}"
        self.found.append(Piece(f"table{self._under}, row {self._row[0]}, {name}", text))
