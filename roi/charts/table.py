"""The rows of a chart as a table: CSV for a spreadsheet, HTML for a reader who cannot see the chart."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import pandas as pd

from roi.charts.spec import ChartSpec

_ROWS = "plotted rows"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: Any) -> Any:
    """Give a cell that no spreadsheet takes for a formula: text that begins like one is prefixed with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def write_csv(spec: ChartSpec, path: Path) -> None:
    """Write exactly the plotted rows, in their order; numbers in full, nulls empty."""
    rows = spec.data.rename(columns=harmless)
    rows = rows.assign(
        **{name: rows[name].map(harmless) for name in rows if not pd.api.types.is_numeric_dtype(rows[name])}
    )
    rows.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")


def html_table(spec: ChartSpec, most: int = 200) -> str:
    """Give the rows as an HTML table; of more than `most` rows the first ones, with a sentence that says so."""
    rows = spec.data.head(most)
    numeric = {name: pd.api.types.is_numeric_dtype(rows[name]) for name in rows}
    head = "".join(
        f'<th scope="col" translate="no"{_class(numeric[name])}>{html.escape(str(name))}</th>' for name in rows
    )
    body = "".join(
        "<tr>" + "".join(_cell(value, numeric[name]) for name, value in zip(rows, row, strict=True)) + "</tr>"
        for row in rows.itertuples(index=False)
    )
    left = len(spec.data) - len(rows)
    more = f"<p>{left:,} more rows are in the chart's CSV.</p>" if left else ""
    label = html.escape(f"{spec.title}: {_ROWS}")
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll" role="group" tabindex="0" aria-label="{label}">{table}</div>{more}'


def _cell(value: Any, numeric: bool) -> str:
    if pd.isna(value):
        return "<td></td>"
    written = f"{value:,.6g}" if isinstance(value, float) else f"{value:,}" if numeric else html.escape(str(value))
    return f"<td{_class(numeric)}>{written}</td>"


def _class(numeric: bool) -> str:
    return ' class="number"' if numeric else ""
