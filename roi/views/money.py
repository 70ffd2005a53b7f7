"""How money, years, chances and inputs are written on the pages about money."""

from __future__ import annotations

import math
from collections import Counter

from roi.inputs import Inputs, Provenance
from roi.quantities import CATALOGUE, CURRENCY, Scope
from roi.views.words import listed, number, percent

_FEWEST = 1e-3
THOUSAND = 1e3


def money(value: float, currency: str) -> str:
    """Write an amount in thousands."""
    return f"{thousands(value)} thousand {currency}"


def thousands(value: float) -> str:
    """Write an amount in thousands, without unit or currency."""
    return number(round(value / THOUSAND, 1)).replace("-", "−")


def years(value: float) -> str:
    """Write a time to payback; infinite is never."""
    if math.isinf(value):
        return "never"
    return f"{value:.1f} years" if value > 0 else "at once"


def chance(share: float) -> str:
    """Write a probability found by drawing, which is never quite nothing or all."""
    if share < _FEWEST:
        return f"under {_FEWEST:.1%}"
    return f"over {1 - _FEWEST:.1%}" if share > 1 - _FEWEST else str(percent(share))


def label(key: str) -> str:
    """Give an input's name in few words, for a chart."""
    option, _, name = key.rpartition(".")
    return name.replace("_", " ") + _whose(option, name)


def words(key: str) -> str:
    """Give what an input is, for a table."""
    option, _, name = key.rpartition(".")
    return CATALOGUE[name].words + _whose(option, name)


def _whose(option: str, name: str) -> str:
    whose = option.replace("_", " ") or ("today" if CATALOGUE[name].scope is Scope.BOTH else "")
    return f" ({whose})" * bool(whose)


def amount(value: float, key: str, currency: str) -> str:
    """Write a value of an input with its unit; shares as percentages."""
    unit = CATALOGUE[key.rpartition(".")[2]].unit
    written = number(value).replace("-", "−")
    if unit.startswith("share"):
        return f"{percent(value)}{unit.removeprefix('share').replace('/', ' a ')}"
    if unit == "ratio":
        return written
    if unit == "cpu-seconds":
        return f"{number(value * 1e6)} µs"
    said = unit.replace(CURRENCY, currency).replace("1/", "/").replace("/hour", " an hour").replace("/", " a ")
    return f"{written} {said.strip()}"


def footnote(inputs: Inputs, draws: int, seed: int) -> str:
    """Say where the figures of a chart come from."""
    synthetic = " Synthetic inputs: a made-up firm." if inputs.synthetic else ""
    measured = f"; measured ones from run {inputs.run}" if inputs.run else ""
    return f"Source: {inputs.title}; {provenances(inputs)}{measured}; {draws:,} draws, seed {seed}.{synthetic}"


def taken_from(inputs: Inputs, run: str) -> str:
    """Say that measured inputs come from another run than the one that was asked for, which lacks them; else nothing."""
    if inputs.run in (None, run):
        return ""
    return f"Measured inputs come from the run {inputs.run}: {run} does not hold all that they are drawn from."


def provenances(inputs: Inputs) -> str:
    """Say how many inputs are of which provenance."""
    many = Counter(quantity.provenance for quantity in inputs.quantities.values())
    return f"of {len(inputs.quantities)} inputs " + listed(
        f"{many[kind]} {kind.value}" for kind in Provenance if many[kind]
    )
