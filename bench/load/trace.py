"""Traces: arrivals that were recorded, to be replayed.

A trace is a file, parquet or CSV, with a column of instants: `intended_ns` (any clock), `time_s`, or else the first column,
in seconds. They count from the first of them. The requests table of one of our own runs is a trace as well; with the run's
cells table beside it, only what its measured window held is replayed, since a warm-up is not traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from bench.errors import LoadFailed, no_such_name
from bench.load.schedule import WHOLE, Part

_NS = 1_000_000_000
_CHUNK = 4_096
_PARQUET = b"PAR1"
_UNITS = {"intended_ns": 1, "time_s": _NS}
"""Columns that hold instants, the preferred one first, and a unit of each in ns."""


@dataclass(frozen=True, eq=False)
class Recorded:
    """Arrivals as they were recorded."""

    due_ns: np.ndarray
    """int64, ascending, of the whole trace, whatever the part; the first is 0."""
    duration_s: float | None
    """What comes later is left out; None: all of it."""
    part: Part = WHOLE

    def __post_init__(self) -> None:
        if not len(self.due_ns):
            raise LoadFailed("The trace holds no arrival. Give another --trace.")
        if self.duration_s is not None and not self.duration_s > 0:
            raise LoadFailed(f"A load of {self.duration_s} s has no arrivals. Give a positive duration.")

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the arrivals; see `Schedule`."""
        due = self.due_ns if self.duration_s is None else self.due_ns[self.due_ns < self.duration_s * _NS]
        own = due[self.part.index :: self.part.count]
        for first in range(0, len(own), _CHUNK):
            yield own[first : first + _CHUNK]

    def share(self, index: int, count: int) -> Recorded:
        """Give every count-th arrival from the index-th on."""
        return replace(self, part=self.part.share(index, count))


def read(path: Path, *, cell: str = "", speed: float = 1.0, duration_s: float | None = None) -> Recorded:
    """Read a trace.

    Parameters
    ----------
    cell
        Which cell of a requests table; may be left out when there is but one.
    speed
        2 replays twice as fast, at twice the rate.
    duration_s
        How much of the replay to keep.

    Raises
    ------
    LoadFailed
        No such file, not parquet or CSV, no column of instants, an instant that is none or negative, none at all, no such
        cell, or a speed that is none.
    """
    if not speed > 0 or not np.isfinite(speed):
        raise LoadFailed(f"A speed of {speed} is none. Give a positive --speed, 1 for the trace's own.")
    table = _of_cell(_table(path), cell, path)
    column, unit_ns = _instants(table, path)
    if column.null_count or not np.isfinite(instants := column.to_numpy()).all():
        raise LoadFailed(f"The trace {path} has rows without an instant. Take them out.")
    if not len(instants):
        raise LoadFailed(f"The trace {path} holds no arrival. Give another --trace.")
    if (least := instants.min()) < 0:
        raise LoadFailed(f"The trace {path} has an instant of {least:g}, before its beginning. Instants count from 0.")
    # Recorders write when answers come: rows out of order are common and mean nothing.
    since = np.sort(instants) - least
    return Recorded(np.rint(since * (unit_ns / speed)).astype(np.int64), duration_s)


def _table(path: Path) -> pa.Table:
    try:
        with path.open("rb") as file:
            is_parquet = file.read(len(_PARQUET)) == _PARQUET
        return pyarrow.parquet.read_table(path) if is_parquet else _csv(path)
    except OSError as error:
        raise LoadFailed(
            f"The trace {path} cannot be read: {error.strerror or error}. Give a file as --trace."
        ) from error
    except pa.ArrowException as error:
        raise LoadFailed(f"The trace {path} is neither parquet nor CSV: {error}") from error


def _csv(path: Path) -> pa.Table:
    if not path.stat().st_size:
        raise LoadFailed(f"The trace {path} is empty. Give another --trace.")
    table = pyarrow.csv.read_csv(path)
    if not _is_number(table.column_names[0]):
        return table
    return pyarrow.csv.read_csv(path, pyarrow.csv.ReadOptions(autogenerate_column_names=True))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _of_cell(table: pa.Table, cell: str, path: Path) -> pa.Table:
    """Give the rows of one cell of a requests table; every row of a trace that is none."""
    if "cell_id" not in table.column_names:
        if cell:
            raise LoadFailed(f"The trace {path} has no cells, so --trace-cell {cell} means nothing. Leave it out.")
        return table
    cells = pc.unique(table["cell_id"].cast(pa.string())).to_pylist()
    if not cell and len(cells) > 1:
        raise LoadFailed(f"The trace {path} holds {len(cells)} cells. Choose one: --trace-cell {cells[0]}")
    chosen = cell or cells[0]
    if chosen not in cells:
        raise LoadFailed(f"In {path}: {no_such_name('cell', chosen, cells)}")
    rows = table.filter(pc.equal(table["cell_id"].cast(pa.string()), chosen))
    window = _window(path.parent / "cells.parquet", chosen)
    if window is None or "intended_ns" not in rows.column_names:
        return rows
    start, end = window
    intended = rows["intended_ns"]
    return rows.filter(pc.and_(pc.greater_equal(intended, start), pc.less(intended, end)))


def _window(cells: Path, cell: str) -> tuple[int, int] | None:
    """Give the measured window of a cell; None without a cells table that tells."""
    if not cells.is_file():
        return None
    told = pyarrow.parquet.read_table(cells, columns=["cell_id", "measure_start_ns", "measure_end_ns"])
    windows = told.filter(pc.equal(told["cell_id"].cast(pa.string()), cell)).to_pylist()
    return (windows[0]["measure_start_ns"], windows[0]["measure_end_ns"]) if windows else None


def _instants(table: pa.Table, path: Path) -> tuple[pa.ChunkedArray, int]:
    """Give the column of instants and its unit in ns."""
    names = table.column_names
    name = next((known for known in _UNITS if known in names), names[0] if names else "")
    if name not in names or not _holds_numbers(table[name].type):
        raise LoadFailed(
            f"The trace {path} has no column of instants: it has {', '.join(names) or 'no column'}."
            f" Name one of them {' or '.join(_UNITS)}, or let the first hold seconds."
        )
    return table[name], _UNITS.get(name, _NS)


def _holds_numbers(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)
