"""What a firm has recorded: tables in CSV, read whole or refused by the line, and the mean of a column with cases still open.

A case that is still open has taken at least so long. It is right-censored and stays in: to leave the open ones out flatters,
since the long ones are open the longest.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from roi.errors import InputsInvalid

LEAST = 5
"""Cases from which on their mean is drawn: fewer do not know their own spread."""
_YES_OR_NO = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}
_SHOWN = 20
_DRAWS = 4_000
_SEED = 7
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Row:
    """One case of a table."""

    line: int
    """Line of the file, from 1."""
    cells: dict[str, str]
    """By column, without blanks around."""


@dataclass
class Reading:
    """A table while it is read: what is wrong is collected, and told at once."""

    file: str
    """Name of the file, without its folder."""
    rows: list[Row] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def bad(self, line: int, what: str) -> None:
        """Note that a line is wrong."""
        self.wrong.append(f"{self.file}, line {line}: {what}")

    def parsed(self, row: Row, column: str, parse: Callable[[str], Any]) -> Any:
        """Give a cell's value, or None where it is none; the line is then noted."""
        try:
            return parse(row.cells[column])
        except ValueError as error:
            self.bad(row.line, f"{column} is {row.cells[column]!r}; {error}")
            return None

    def refuse(self) -> None:
        """Raise `InputsInvalid` where anything is wrong."""
        if self.wrong:
            raise InputsInvalid("\n".join(shortened(self.wrong)))


def shortened(wrong: Sequence[str]) -> list[str]:
    """Give the first of what is wrong, and how much more there is."""
    rest = len(wrong) - _SHOWN
    return [*wrong[:_SHOWN], *([f"… and {rest} more."] if rest > 0 else [])]


def read(path: Path, columns: Sequence[str]) -> Reading:
    """Give a table with the rows that have all cells; lines that begin with # before the head say where it is from.

    Parameters
    ----------
    columns
        Those that it must have; others may stand beside.

    Raises
    ------
    InputsInvalid
        There is no such file, it is not text in UTF-8, or it lacks a column.
    """
    reading = Reading(path.name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            _fill(reading, file, columns)
    except FileNotFoundError:
        raise InputsInvalid(f"There is no {path.name} in {path.parent.name or path.parent}. Put it there.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputsInvalid(f"{path.name} cannot be read: {error}. Export it as CSV in UTF-8.") from error
    return reading


def _fill(reading: Reading, file: Iterator[str], columns: Sequence[str]) -> None:
    before, first = 0, next(file, "")
    while first.startswith("#"):
        before, first = before + 1, next(file, "")
    table = csv.reader(chain([first], file), strict=True)
    head = [name.strip() for name in next(table, [])]
    if missing := [name for name in columns if name not in head]:
        raise InputsInvalid(
            f"{reading.file} has no column {', '.join(missing)}; its head is: {', '.join(head) or 'empty'}."
        )
    for cells in table:
        line = before + table.line_num
        if not cells:
            continue
        if len(cells) != len(head):
            reading.bad(line, f"{len(cells)} cells, and the head has {len(head)}")
            continue
        reading.rows.append(Row(line, dict(zip(head, map(str.strip, cells), strict=True))))
    if not reading.rows and not reading.wrong:
        reading.bad(before + 1, "no row follows the head")


def amount(text: str) -> float:
    """Give a number of 0 or more."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError("write a number, such as 4.5") from None
    if not 0 <= value < float("inf"):
        raise ValueError("it must be 0 or more")
    return value


def yes_or_no(text: str) -> bool:
    """Give whether it says yes."""
    if text.lower() not in _YES_OR_NO:
        raise ValueError("write yes or no")
    return _YES_OR_NO[text.lower()]


@dataclass(frozen=True)
class Cases:
    """The cases of a column."""

    values: np.ndarray
    """Of each what it took, or so far, shape (n,)."""
    still_open: np.ndarray
    """Whether it goes on, shape (n,)."""


def cases(path: Path, column: str, open_column: str | None) -> Cases:
    """Give a column of a table, and which of its cases are still open.

    Raises
    ------
    InputsInvalid
        The table cannot be read, or a row is wrong; the message names every one by its line.
    """
    reading = read(path, [column, *([open_column] if open_column else [])])
    values = [reading.parsed(row, column, amount) for row in reading.rows]
    still_open = [bool(open_column and reading.parsed(row, open_column, yes_or_no)) for row in reading.rows]
    reading.refuse()
    return Cases(np.array(values), np.array(still_open))


def mean_draws(found: Cases, draws: int = _DRAWS, seed: int = _SEED) -> np.ndarray:
    """Give draws of the mean of cases, none counted longer than the longest that is known, shape (draws,).

    Each draw takes cases anew and gives the area under their Kaplan-Meier curve (Efron, Censored Data and the Bootstrap, JASA
    76, 1981); without open cases that is their mean. They are centred on the mean that was found. Draws of n cases spread too
    little by the factor √((n - 1) / n), which is taken off (Hesterberg, What Teachers Should Know About the Bootstrap, The
    American Statistician 69, 2015).

    Raises
    ------
    ValueError
        There are fewer than five cases, or all are open.
    """
    n = len(found.values)
    if n < LEAST:
        raise ValueError(
            f"of {n} cases no mean can be drawn; it takes {LEAST}. Say pert = [low, mode, high] and n = {n}"
        )
    if found.still_open.all():
        raise ValueError("all of its cases are open, and nobody knows how long one takes")
    # Of equal times what ended comes before what goes on: it was still at risk then.
    order = np.lexsort((found.still_open, found.values))
    values, ended = found.values[order], ~found.still_open[order]
    chance = np.random.default_rng(seed)
    at_once = max(1, _CHUNK // n)
    sizes = [min(at_once, draws - begun) for begun in range(0, draws, at_once)]
    areas = [_areas(values, ended, chance.multinomial(n, np.full(n, 1 / n), size)) for size in sizes]
    off = np.concatenate(areas)
    return np.maximum(mean_of(found) + (off - off.mean()) * np.sqrt(n / (n - 1)), 0.0)


def mean_of(found: Cases) -> float:
    """Give the mean of cases, none counted longer than the longest that is known: the area under the Kaplan-Meier curve."""
    order = np.lexsort((found.still_open, found.values))
    return float(_areas(found.values[order], ~found.still_open[order], np.ones((1, len(order))))[0])


def _areas(values: np.ndarray, ended: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Give the area under the curve up to the greatest value, by how often each case counts, shape (draws, n)."""
    at_risk = np.cumsum(times[:, ::-1], axis=1)[:, ::-1]
    stay = 1 - np.divide(times * ended, at_risk, out=np.zeros(times.shape), where=at_risk > 0)
    heights = np.cumprod(np.concatenate([np.ones((len(times), 1)), stay[:, :-1]], axis=1), axis=1)
    return heights @ np.diff(values, prepend=0.0)
