"""The description of a chart: an immutable value that every form of the chart is made from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args

import pandas as pd

from roi.errors import ChartInvalid

MIMETYPE = "application/vnd.roi.chart+json"
FORMAT_VERSION = 1

Kind = Literal["ecdf", "lines", "points", "bars", "dots", "stacked_bars"]
XY_KINDS = ("ecdf", "lines", "points")
"""Kinds whose x is a number; in the others it is a category."""


@dataclass(frozen=True)
class ReferenceLine:
    """A line across the chart at a stated value, such as a claim or a limit."""

    value: float
    label: str
    axis: Literal["x", "y"] = "y"
    """The axis that the value belongs to."""


@dataclass(frozen=True, eq=False)
class ChartSpec:
    """One chart: the rows it plots, how they are drawn, and the words around it.

    Methods return changed copies. `data` is a copy of the encoded columns alone, so that the table of the chart is the
    chart; do not write to it.

    Raises
    ------
    ChartInvalid
        A column is missing, a value cannot be drawn, or a text that a reader needs is empty.

    Examples
    --------
    >>> rows = pd.DataFrame({"variant": ["go", "rust"], "density": [9100.0, 11800.0]})
    >>> spec = ChartSpec("density", "dots", rows, "variant", "density", title="Rust serves a third more", alt="Two dots.")
    >>> spec.with_reference(12_400, "the article claims 12,400").references[0].value
    12400.0
    """

    id: str
    """Name of its files: small letters, digits, `_` and `-`."""
    kind: Kind
    data: pd.DataFrame
    x: str
    y: str
    title: str
    """The finding, as a sentence."""
    alt: str
    """What somebody who cannot see the chart should know."""
    series: str | None = None
    lo: str | None = None
    """Column with the lower end of the interval of y; null where there is none."""
    hi: str | None = None
    order: tuple[str, ...] = ()
    """Series from first to last, or categories where there are no series; in order of appearance by default."""
    beside: tuple[str, ...] = ()
    """Columns that are listed in the chart's table and not drawn, such as n."""
    x_title: str = ""
    """With the unit."""
    y_title: str = ""
    x_log: bool = False
    y_log: bool = False
    horizontal: bool = False
    """Categories run down the side; `y` is then drawn along the horizontal axis."""
    references: tuple[ReferenceLine, ...] = ()
    subtitle: str = ""
    """Unit, n and period."""
    footnote: str = ""
    """Source and run."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", tuple(str(name) for name in self.order))
        object.__setattr__(self, "beside", tuple(self.beside))
        lines = (line if isinstance(line, ReferenceLine) else ReferenceLine(**line) for line in self.references)
        object.__setattr__(self, "references", tuple(replace(line, value=float(line.value)) for line in lines))
        self._check_words()
        missing = [column for column in self.columns if column not in self.data.columns]
        if missing:
            raise self._invalid(
                f"has no column {', '.join(missing)}; its data has: {', '.join(map(str, self.data.columns))}"
            )
        rows = self.data.loc[:, list(self.columns)].reset_index(drop=True).copy()
        object.__setattr__(self, "data", rows.assign(**{name: rows[name].astype(str) for name in self._labels()}))
        self._check_rows()
        self._check_interval()
        self._check_axes()

    def _invalid(self, what: str) -> ChartInvalid:
        return ChartInvalid(f"The chart {self.id!r} {what}.")

    def _check_words(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", self.id):
            raise self._invalid("needs an id of small letters, digits, '_' and '-': its files are named by it")
        if self.kind not in get_args(Kind):
            raise self._invalid(f"is of kind {self.kind!r}; there is: {', '.join(get_args(Kind))}")
        for name in ("title", "alt"):
            if not getattr(self, name).strip():
                raise self._invalid(
                    f"has no {name}: say {'the finding' if name == 'title' else 'what it shows, in words'}"
                )

    def _labels(self) -> list[str]:
        """Name the columns that hold text after the constructor; a null in them is refused first."""
        labels = ([self.series] if self.series else []) + ([] if self.kind in XY_KINDS else [self.x])
        for name in labels:
            if self.data[name].isna().any():
                raise self._invalid(f"has an empty {name}: every row needs one")
        return labels

    def _check_rows(self) -> None:
        if self.data.empty:
            raise self._invalid("has no rows: show the reason as text instead")
        numbers = [self.y, *([self.lo] if self.lo else []), *([self.hi] if self.hi else [])]
        for name in numbers + ([self.x] if self.kind in XY_KINDS else []):
            column = self.data[name]
            if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
                raise self._invalid(f"needs numbers in {name}, which holds {column.dtype}")
            if column.map(lambda value: pd.notna(value) and math.isinf(value)).any():
                raise self._invalid(f"has an infinite value in {name}: leave it out and say so in the footnote")
        # A missing y breaks a line, which is what a gap in a series should do; anywhere else it would vanish unseen.
        for name in [*([self.x] if self.kind in XY_KINDS else []), *([] if self.kind == "lines" else [self.y])]:
            if self.data[name].isna().any():
                raise self._invalid(f"has a row without {name}: drop it and say so in the footnote")
        if unknown := set(self.order) - set(self.keys()):
            raise self._invalid(f"orders {', '.join(sorted(unknown))}, which is not in its data")
        if self.kind not in XY_KINDS and self.data.duplicated([self.x, *([self.series] if self.series else [])]).any():
            raise self._invalid(f"has more than one row for the same {self.x}: one mark stands for one row")

    def _check_interval(self) -> None:
        if (self.lo is None) != (self.hi is None):
            raise self._invalid("has one end of an interval: give both lo and hi, or neither")
        if self.lo is None:
            return
        if self.kind in ("stacked_bars", "ecdf"):
            raise self._invalid(f"is of kind {self.kind}, which draws no intervals")
        if ((self.data[self.lo] > self.data[self.y]) | (self.data[self.hi] < self.data[self.y])).any():
            raise self._invalid(f"has an interval that does not hold its {self.y}")

    def _check_axes(self) -> None:
        if self.x_log and self.kind not in XY_KINDS:
            raise self._invalid("asks for a logarithmic x, which holds categories")
        if self.y_log and self.kind in ("bars", "stacked_bars"):
            raise self._invalid("draws bars on a logarithmic axis, where their length means nothing: use dots")
        logs = [self.x] * self.x_log + [name for name in (self.y, self.lo, self.hi) if name] * self.y_log
        for name in logs:
            if (self.data[name] <= 0).any():
                raise self._invalid(f"has a {name} of 0 or less, which a logarithmic axis cannot show")
        if self.kind == "ecdf" and not self.data[self.y].between(0, 1).all():
            raise self._invalid(f"needs shares from 0 to 1 in {self.y}")
        for line in self.references:
            if not math.isfinite(line.value) or not line.label.strip():
                raise self._invalid("has a reference line without a value or a label")
            if (self.x_log if line.axis == "x" else self.y_log) and line.value <= 0:
                raise self._invalid(f"has a reference line at {line.value}, which a logarithmic axis cannot show")
            if line.axis == "x" and self.kind not in XY_KINDS:
                raise self._invalid("has a reference line on x, which holds categories")

    @property
    def columns(self) -> tuple[str, ...]:
        """The encoded columns, in the order of the chart's table."""
        encoded = (self.series, self.x, self.y, self.lo, self.hi, *self.beside)
        return tuple(dict.fromkeys(name for name in encoded if name))

    def keys(self) -> tuple[str, ...]:
        """Give what colour stands for, in order: the series, or the categories where there are none."""
        column = self.series or (None if self.kind in XY_KINDS else self.x)
        if column is None:
            return ()
        present = dict.fromkeys(self.data[column])
        return (
            *(name for name in self.order if name in present),
            *(name for name in present if name not in self.order),
        )

    @property
    def named_by_axis(self) -> bool:
        """Whether an axis names what colour stands for, so that no colour need tell it apart."""
        return self.series is None and self.kind not in XY_KINDS

    def categories(self) -> tuple[str, ...]:
        """Give the categories of x in the order in which they are drawn; none for a numeric x."""
        if self.kind in XY_KINDS:
            return ()
        return self.keys() if self.series is None else tuple(dict.fromkeys(self.data[self.x]))

    def spans(self) -> pd.DataFrame:
        """Give the values that the axis of y must hold: of stacked bars where each stack ends, up and down from zero."""
        if self.kind != "stacked_bars":
            return self.data[[name for name in (self.y, self.lo, self.hi) if name]]
        parts = self.data[self.y].to_frame("up").assign(down=self.data[self.y])
        return (
            parts.assign(up=parts["up"].clip(lower=0), down=parts["down"].clip(upper=0))
            .groupby(self.data[self.x])
            .sum()
        )

    def replace(self, **changes: Any) -> Self:
        """Give a copy with other fields."""
        return replace(self, **changes)

    def with_reference(self, value: float, label: str, axis: Literal["x", "y"] = "y") -> Self:
        """Give a copy with one more reference line."""
        return replace(self, references=(*self.references, ReferenceLine(value, label, axis)))

    def with_footnote(self, footnote: str) -> Self:
        """Give a copy with another footnote."""
        return replace(self, footnote=footnote)

    def ordered(self, order: Sequence[str]) -> Self:
        """Give a copy with another order of its series or categories."""
        return replace(self, order=tuple(order))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values that JSON can hold; nulls are None."""
        said = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "data"}
        said |= {"order": list(self.order), "beside": list(self.beside)}
        said["references"] = [asdict(line) for line in self.references]
        said["data"] = {str(name): _plain(self.data[name]) for name in self.columns}
        return {"format_version": FORMAT_VERSION} | said

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """Give the chart that `to_dict` described."""
        if said.get("format_version") != FORMAT_VERSION:
            raise ChartInvalid(
                f"A chart of format {said.get('format_version')} cannot be read; this is {FORMAT_VERSION}."
            )
        rest = {name: value for name, value in said.items() if name not in ("format_version", "data")}
        rows = pd.DataFrame({name: _column(values) for name, values in said["data"].items()})
        return cls(**rest, data=rows)

    def show(self) -> None:
        """Show it in a notebook: the interactive chart, and the description that the report collects."""
        from IPython.display import display

        display(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from roi.charts.page import interactive

        return {
            MIMETYPE: self.to_dict(),
            "application/vnd.plotly.v1+json": interactive(self),
            "text/plain": f"{self.title}\n{self.alt}",
        }


def _plain(column: pd.Series) -> list[Any]:
    """Give a column as Python values."""
    return [None if pd.isna(value) else getattr(value, "item", lambda v=value: v)() for value in column]


def _column(values: list[Any]) -> pd.Series:
    """Give a column back; whole numbers with a gap stay whole, and a column without any value is numeric."""
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present):
        return pd.Series(values, dtype="str")
    if len(present) == len(values):
        return pd.Series(values)
    whole = bool(present) and all(isinstance(value, int) and not isinstance(value, bool) for value in present)
    return pd.Series(values, dtype="Int64" if whole else "float64")
