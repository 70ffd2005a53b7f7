"""The rows of a chart as columns of a worksheet, and the references by which the drawing names them.

What is drawn is what stands in the sheet: PowerPoint draws a chart anew from it as soon as somebody edits it. The plotted columns
come first and hold the rows of the chart's CSV, series by series; to their right stand the distances and places that are drawn
by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from roi.charts.drawingml.elements import C, Element, legible, value
from roi.charts.spec import ChartSpec

NAME = "Chart"
"""Of the worksheet."""

Cell = str | float | int | None


@dataclass(frozen=True)
class Column:
    """One column of the sheet."""

    head: str
    cells: tuple[Cell, ...]
    """From the second row of the sheet on; None is an empty cell."""


@dataclass(frozen=True)
class Span:
    """Some cells of a column, one under the other."""

    formula: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """Columns side by side, each under its head in the first row."""

    columns: Mapping[str, Column]
    """By what the drawing uses them for, from left to right."""

    def span(self, role: str, rows: tuple[int, int] | None = None) -> Span:
        """Give cells of a column by their rows below the head, the last one excluded; all of them by default."""
        begin, end = rows or (0, len(self.columns[role].cells))
        letters = column_letters(list(self.columns).index(role))
        formula = f"{NAME}!${letters}${begin + 2}:${letters}${end + 1}"
        return Span(formula, self.columns[role].cells[begin:end])

    def head(self, role: str) -> Span:
        """Give the head of a column."""
        return Span(f"{NAME}!${column_letters(list(self.columns).index(role))}$1", (self.columns[role].head,))

    def beside(self, columns: Mapping[str, Column]) -> Sheet:
        """Give the sheet with more columns on its right."""
        return replace(self, columns={**self.columns, **columns})


def column_letters(place: int) -> str:
    """Give the name of a column by its place from 0 on: A to Z, AA and so on."""
    letters = ""
    while place >= 0:
        letters = chr(ord("A") + place % 26) + letters
        place = place // 26 - 1
    return letters


def numbers(span: Span) -> Element:
    """Give a reference to numbers, with the numbers."""
    points = [C.pt(C.v(_number(cell)), idx=str(place)) for place, cell in enumerate(span.cells) if cell is not None]
    cache = C.numCache(C.formatCode("General"), value("ptCount", len(span.cells)), *points)
    return C.numRef(C.f(span.formula), cache)


def texts(span: Span) -> Element:
    """Give a reference to texts, with the texts."""
    points = [C.pt(C.v(legible(str(cell))), idx=str(place)) for place, cell in enumerate(span.cells)]
    return C.strRef(C.f(span.formula), C.strCache(value("ptCount", len(span.cells)), *points))


def _number(cell: Cell) -> str:
    return repr(cell)


def by_series(spec: ChartSpec) -> tuple[Sheet, dict[str, tuple[int, int]]]:
    """Lay out the rows one under the other, series by series.

    Returns
    -------
    tuple
        The sheet, with the roles `series`, `x`, `y`, `lo`, `hi`, `below` and `above` (the distances from y to the ends of its
        interval) as far as the chart has them; and the rows of every series, by its name.
    """
    parts = [
        _ordered(spec, spec.data[spec.data[spec.series] == key] if spec.series else spec.data) for key in _series(spec)
    ]
    rows, lengths = pd.concat(parts), [len(part) for part in parts]
    ends = [sum(lengths[: place + 1]) for place in range(len(lengths))]
    roles = {"series": spec.series, "x": spec.x, "y": spec.y, "lo": spec.lo, "hi": spec.hi}
    # Two roles may read one column, as a line along the lower ends of its intervals does: the sheet has it once for each.
    columns = {role: column(name, rows[name]) for role, name in roles.items() if name}
    spans = {key: (end - length, end) for key, end, length in zip(_series(spec), ends, lengths, strict=True)}
    # Dots have the ends themselves drawn, and no distances.
    return Sheet({**columns, **({} if spec.kind == "dots" else _distances(spec, rows))}), spans


def by_category(spec: ChartSpec) -> Sheet:
    """Lay out a row for every category and a column for every series.

    Returns
    -------
    Sheet
        With the role `x`; and for the series of each place from 0 on `y0`, `lo0`, `hi0`, `below0` and `above0`, as far as the chart
        has them. A series without a row for a category has an empty cell there.
    """
    columns = {"x": Column(spec.x, spec.categories())}
    for place, key in enumerate(_series(spec)):
        rows = (spec.data[spec.data[spec.series] == key] if spec.series else spec.data).set_index(spec.x)
        rows = rows.reindex(list(spec.categories())).reset_index()
        columns[f"y{place}"] = column(key or spec.y, rows[spec.y])
        ends = {"lo": spec.lo, "hi": spec.hi} if spec.lo else {}
        beside = {role: column(f"{key}, {name}" if key else name, rows[name]) for role, name in ends.items()}
        columns |= {f"{role}{place}": one for role, one in {**beside, **_distances(spec, rows, key)}.items()}
    return Sheet(columns)


def _series(spec: ChartSpec) -> tuple[str, ...]:
    return spec.keys() if spec.series else ("",)


def _ordered(spec: ChartSpec, rows: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of a series in the order in which they are drawn."""
    if spec.categories():
        order = {name: place for place, name in enumerate(spec.categories())}
        return rows.sort_values(spec.x, key=lambda names: names.map(order), kind="stable")
    return rows if spec.kind == "points" else rows.sort_values(spec.x, kind="stable")


def _distances(spec: ChartSpec, rows: pd.DataFrame, key: str = "") -> dict[str, Column]:
    if not spec.lo:
        return {}
    of = f"{key}, " if key else ""
    return {
        "below": column(f"{of}{spec.y} − {spec.lo}", rows[spec.y] - rows[spec.lo]),
        "above": column(f"{of}{spec.hi} − {spec.y}", rows[spec.hi] - rows[spec.y]),
    }


def column(head: str, cells: Iterable[object]) -> Column:
    """Give a column with plain Python values."""
    return Column(
        str(head), tuple(None if pd.isna(cell) else getattr(cell, "item", lambda c=cell: c)() for cell in cells)
    )
