"""Small pieces of text that every view needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd
from IPython.display import Markdown, display

from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared, exclusions

_REASONS_SHOWN = 2
_NOTHING = "There is nothing to draw: the run holds no such cell, or none that passed the gate."


def say(*sentences: str) -> Markdown:
    """Give a paragraph for a notebook."""
    return Markdown(" ".join(sentence for sentence in sentences if sentence))


def show(chart: ChartSpec | None, otherwise: str = _NOTHING) -> None:
    """Show a chart in a notebook, or a sentence where there is nothing to draw; nothing where that has been said already."""
    if chart is not None or otherwise:
        display(Markdown(otherwise) if chart is None else chart)


def footnote(run: Run, compared: Compared | None = None) -> str:
    """Say where the figures of a chart come from, and which cells it leaves out; an indicative run says that it is.

    Parameters
    ----------
    compared
        The cells that the chart compares; None for a chart that compares none.
    """
    indicative = " Indicative: short windows, few repetitions." if run.manifest.purpose == "indicative" else ""
    synthetic = " Synthetic data." if run.manifest.synthetic else ""
    return f"Source: {run.description()}.{indicative}{synthetic}" + (
        f" {about}" if (about := excluded(run, compared)) else ""
    )


def excluded(run: Run, compared: Compared | None) -> str:
    """Say how many cells a comparison leaves out, or takes in in spite of the gate, and why; empty when it is none."""
    if compared is None:
        return ""
    found = exclusions(run, compared)
    sentences = []
    if found.ungated:
        what = "in it failed the gate" if compared.all_cells else "left out"
        sentences.append(f"{_of(found.ungated, found.cells)} {what}: {_reasons(found.reasons)}.")
    if found.failures:
        first = next(iter(found.failures))
        more = f" and {len(found.failures) - 1} more" if len(found.failures) > 1 else ""
        sentences.append(
            f"{_of(len(found.failures), found.cells)} could not be measured: {first} ({_short(found.failures[first])}){more}."
        )
    return " ".join(sentences)


def _of(some: int, cells: int) -> str:
    return f"{some} of {cells} cell{'s' if cells > 1 else ''}"


def _reasons(reasons: Mapping[str, int]) -> str:
    shown = [f"{why} ({cells})" for why, cells in list(reasons.items())[:_REASONS_SHOWN]]
    rest = len(reasons) - len(shown)
    return ", ".join(shown) + (f", and {rest} other reason{'s' if rest > 1 else ''}" if rest else "")


def _short(failure: str) -> str:
    """Give the first sentence of what went wrong."""
    return failure.split(". ")[0].rstrip(".")


def number(value: float, digits: int = 3) -> str:
    """Write a number with some significant digits and thousands set apart."""
    if value == 0 or pd.isna(value):
        return "0" if value == 0 else "unknown"
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:g}"


def span(counts: Iterable[float]) -> str:
    """Write the range of some whole numbers: one number when they are alike."""
    numbers = [int(count) for count in counts]
    return f"{min(numbers)}" if min(numbers) == max(numbers) else f"{min(numbers)} to {max(numbers)}"


def percent(share: float | None) -> str | None:
    """Write a share as a percentage, with decimals where it is near nothing or near all; None stays None."""
    if share is None or pd.isna(share):
        return None
    from_the_edge = min(share, 1 - share)
    digits = 0 if from_the_edge <= 0 or 0.1 <= share <= 0.99 else 1 if from_the_edge >= 0.001 else 2
    return f"{share:.{digits}%}"


def interval(value: float, lo: float | None, hi: float | None) -> str:
    """Write a figure with its interval, or say that it has none."""
    if lo is None or hi is None or pd.isna(lo) or pd.isna(hi):
        return f"{number(value)} (no interval: one process)"
    return f"{number(value)} [{number(lo)} to {number(hi)}]"


def milliseconds(value: float, lower_bound: bool = False) -> str:
    """Write a time in ms with its unit, from 1 s on in seconds; a lower bound says that it is one."""
    written = f"{number(value / 1e3)} s" if value >= 1e3 else f"{number(value)} ms"
    return f"{'≥ ' * bool(lower_bound)}{written}"


def listed(names: Iterable[str]) -> str:
    """Write names as `a, b and c`."""
    *head, last = list(names) or ["none"]
    return f"{', '.join(head)} and {last}" if head else last


def known(value: float | None) -> float | None:
    """Give a figure from a table, None when the table does not hold it."""
    return None if value is None or pd.isna(value) else float(value)
