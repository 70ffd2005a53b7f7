"""The axes of a chart: where they begin and end, at which values they are labelled, and how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from roi.charts.drawingml.elements import GRID, INK, MUTED, C, Element, line, no_line, text_style, value, written

_TICKS = 5
"""Steps that an axis is divided into, about."""
_ROOM = 0.04
"""Share of the largest value that stays free beyond it."""
_ROOM_DECADES = 0.05
"""The same at both ends of a logarithmic axis."""
_BASE_2_BELOW_DECADES = 2.0
"""A logarithmic axis shorter than this is labelled at every doubling: decades alone would be two or three."""
_WASTE = 0.25
"""Largest share of a logarithmic axis that may stay empty so that it begins at a decade."""
_LINE_PT, _GRID_PT = 1.0, 0.75


@dataclass(frozen=True)
class Scale:
    """The range of an axis and its labels."""

    least: float
    most: float
    step: float
    """From label to label; of a logarithmic axis the factor between them, which is its base too."""
    log: bool = False
    code: str = "General"
    """How Office writes the labels."""

    def share(self, of: float) -> float:
        """Give the place of a value, 0 at the axis's beginning and 1 at its end."""
        least, most, at = (math.log(one) if self.log else one for one in (self.least, self.most, of))
        return (at - least) / (most - least)

    def at(self, share: float) -> float:
        """Give the value at a place."""
        if self.log:
            return self.least * (self.most / self.least) ** share
        return self.least + (self.most - self.least) * share

    def labels(self) -> list[str]:
        """Give the labels, as near as matters for the room they take."""
        ticks, at = [], self.least
        while at <= self.most * (1 + 1e-9) if self.log else at <= self.most + self.step / 2:
            ticks.append(at)
            at = at * self.step if self.log else at + self.step
        if "%" in self.code:
            return [f"{tick:.0%}" for tick in ticks]
        decimals = len(self.code.partition(".")[2])
        return [f"{tick:,.6g}" if self.log else f"{tick:,.{decimals}f}" for tick in ticks]


SHARES = Scale(0.0, 1.0, 0.25, code="0%")
"""From nothing to all."""


def linear(values: Iterable[float], from_zero: bool) -> Scale:
    """Give a scale with round ends and steps that holds some values; from 0 on where none is below, if asked."""
    values = list(values)
    least, most = min(values), max(values)
    if from_zero and least >= 0:
        least, most = 0.0, most * (1 + _ROOM)
    if least == most:
        least, most = least - (abs(least) or 1.0) / 2, most + (abs(most) or 1.0) / 2
    step = _round_step((most - least) / _TICKS)
    decimals = max(0, -Decimal(f"{step:.10g}").normalize().as_tuple().exponent)
    ends = math.floor(least / step + 1e-9) * step, math.ceil(most / step - 1e-9) * step
    return Scale(*(round(end, 12) for end in ends), step, code="#,##0" + f".{'0' * decimals}" * bool(decimals))


def _round_step(about: float) -> float:
    power = 10.0 ** math.floor(math.log10(about))
    return next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= about * 0.999) * power


def logarithmic(values: Iterable[float]) -> Scale:
    """Give a logarithmic scale that holds some values above 0, labelled at decades or, where it is short, at doublings."""
    values = list(values)
    room = 10**_ROOM_DECADES
    least, most = min(values) / room, max(values) * room
    span = math.log10(most / least)
    begin = _round_below(least)
    if span < _BASE_2_BELOW_DECADES:
        return Scale(begin, begin * 2 ** math.ceil(math.log2(most / begin) - 1e-9), 2.0, True, "[<100]General;#,##0")
    decade = 10.0 ** math.floor(math.log10(least) + 1e-9)
    begin = decade if math.log10(least / decade) <= _WASTE * span else begin
    end = next(
        end for digit in (1, 2, 5, 10) if (end := digit * 10.0 ** math.floor(math.log10(most))) >= most * (1 - 1e-9)
    )
    return Scale(begin, end, 10.0, True, "[<100]General;#,##0")


def _round_below(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least) + 1e-9)
    return max(digit * power for digit in (1, 2, 5) if digit * power <= least * (1 + 1e-9))


def value_axis(
    own: int, other: int, side: str, scale: Scale, title: str = "", grid: bool = True, labelled: bool = True,
    at_the_end: bool = False, between: bool = False,
) -> Element:  # fmt: skip
    """Draw an axis of numbers.

    Parameters
    ----------
    own, other
        Number of this axis, and of the one that it crosses.
    side
        `b` below, `l` on the left.
    scale
        Its range.
    title
        What its numbers are, with the unit.
    grid
        With lines across the chart.
    labelled
        With its line and labels.
    at_the_end
        It crosses the other axis at that one's end, which is below where categories run downwards.
    between
        Its zero lies between categories, as bars need it, and not on them.
    """
    grids = [C.majorGridlines(C.spPr(line(GRID, _GRID_PT)))] if grid else []
    base = [value("logBase", f"{scale.step:g}")] if scale.log else []
    # Where categories run downwards their low end is on top.
    where = "none" if not labelled else "nextTo" if at_the_end else "low"
    unit = [] if scale.log else [value("majorUnit", repr(float(scale.step)))]
    return C.valAx(
        value("axId", own),
        C.scaling(*base, value("orientation", "minMax"), value("max", repr(scale.most)), value("min", repr(scale.least))),
        value("delete", False), value("axPos", side), *grids, *_title(title, side),
        C.numFmt(formatCode=scale.code, sourceLinked="0"),
        value("majorTickMark", "none"), value("minorTickMark", "none"), value("tickLblPos", where),
        C.spPr(line(MUTED, _LINE_PT) if labelled else no_line()), text_style(MUTED),
        value("crossAx", other), value("crosses", "max" if at_the_end else "min"),
        value("crossBetween", "between" if between else "midCat"), *unit,
    )  # fmt: skip


def category_axis(own: int, other: int, side: str, downwards: bool, title: str = "") -> Element:
    """Draw an axis of categories; `downwards` the first one is on top."""
    return C.catAx(
        value("axId", own), C.scaling(value("orientation", "maxMin" if downwards else "minMax")), value("delete", False),
        value("axPos", side), *_title(title, side), C.numFmt(formatCode="General", sourceLinked="0"),
        value("majorTickMark", "none"), value("minorTickMark", "none"), value("tickLblPos", "low"),
        C.spPr(line(MUTED, _LINE_PT)), text_style(INK), value("crossAx", other), value("crosses", "autoZero"),
        value("auto", False), value("lblAlgn", "ctr"), value("lblOffset", 100), value("noMultiLvlLbl", True),
    )  # fmt: skip


def _title(title: str, side: str) -> list[Element]:
    return [C.title(written(title, MUTED, turned=side == "l"), value("overlay", False))] if title else []
