"""The slides of a deck as values, whatever template they are drawn on."""

from __future__ import annotations

from dataclasses import dataclass

from roi.charts.spec import ChartSpec

CONTINUED = "(continued)"


@dataclass(frozen=True)
class Opening:
    """The first slide."""

    title: str
    lines: tuple[str, ...]
    """What the deck is about."""
    warnings: tuple[str, ...]
    """What a reader must know before everything else, such as that the data are synthetic."""


@dataclass(frozen=True)
class Charted:
    """One finding: a chart under a title that says it."""

    spec: ChartSpec
    name: str
    """Of the chart's files in the report, without ending."""


@dataclass(frozen=True)
class Tabled:
    """A table; rows that have no room go to slides of their own."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    """Shares of the columns in the width; their sum is 1."""
    figures: frozenset[int]
    """Places of the columns that hold figures, which are set flush right."""
    size_pt: float
    note: str = ""
    continued: str = CONTINUED
    """What the titles of further slides end with."""


@dataclass(frozen=True)
class Told:
    """Paragraphs; what has no room goes to slides of their own."""

    title: str
    paragraphs: tuple[str, ...]
    note: str = ""
    continued: str = CONTINUED
    """What the titles of further slides end with."""


Slide = Opening | Charted | Tabled | Told
