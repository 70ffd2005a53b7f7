"""Small pieces of text that every view needs."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
from IPython.display import Markdown

from roi.data import Run


def say(*sentences: str) -> Markdown:
    """Give a paragraph for a notebook."""
    return Markdown(" ".join(sentence for sentence in sentences if sentence))


def footnote(run: Run) -> str:
    """Say where the figures of a chart come from; an indicative run says that it is."""
    indicative = " Indicative: short windows, few repetitions." if run.manifest.purpose == "indicative" else ""
    synthetic = " Synthetic data." if run.manifest.synthetic else ""
    return f"Source: {run.description()}.{indicative}{synthetic}"


def number(value: float, digits: int = 3) -> str:
    """Write a number with some significant digits and thousands set apart."""
    if value == 0 or pd.isna(value):
        return "0" if value == 0 else "unknown"
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:g}"


def interval(value: float, lo: float | None, hi: float | None) -> str:
    """Write a figure with its interval, or say that it has none."""
    if lo is None or hi is None or pd.isna(lo) or pd.isna(hi):
        return f"{number(value)} (no interval: one process)"
    return f"{number(value)} [{number(lo)} to {number(hi)}]"


def listed(names: Iterable[str]) -> str:
    """Write names as `a, b and c`."""
    *head, last = list(names) or ["none"]
    return f"{', '.join(head)} and {last}" if head else last


def known(value: float | None) -> float | None:
    """Give a figure from a table, None when the table does not hold it."""
    return None if value is None or pd.isna(value) else float(value)
