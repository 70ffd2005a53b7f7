"""Tables as a reader wants them: no index, no shortened text, a dash for what is not there."""

from __future__ import annotations

import html
from numbers import Integral, Real
from typing import Any

import pandas as pd
from IPython.display import HTML

_ABSENT = "–"
_LONG = 40
"""Letters from which on a text is broken into lines, in a column that is wide enough for it."""


def shown(frame: pd.DataFrame) -> HTML:
    """Give a table for a notebook; numbers stand to the right, text is shown as text and whole; of no row, a sentence."""
    if frame.empty:
        return HTML("<p>There is nothing to list.</p>")
    head = "".join(_head(str(name), frame[name]) for name in frame)
    rows = "".join(
        f"<tr>{''.join(f'<td{_class(frame[n])}>{_written(value)}</td>' for n, value in zip(frame, row, strict=True))}</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    return HTML(f"<table class='shown'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _head(name: str, column: pd.Series) -> str:
    """Give the head of a column; one without a name heads nothing."""
    return f"<th scope='col'{_class(column)}>{html.escape(name)}</th>" if name.strip() else "<td></td>"


def _class(column: pd.Series) -> str:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return " class='number'"
    longest = max((len(value) for value in column if isinstance(value, str)), default=0)
    return " class='long'" if longest > _LONG else ""


def _written(value: Any) -> str:
    if pd.isna(value):
        return _ABSENT
    if isinstance(value, bool) or pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}"
    return f"{float(value):,.4g}" if isinstance(value, Real) else html.escape(str(value))
