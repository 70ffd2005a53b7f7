"""Tables to parquet and back, and the joining of many cells' files into one file a table."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import BenchError, RunUnreadable
from bench.store.schema import TABLES

_ROWS_A_GROUP = 1_000_000
_LEAST_ROWS_A_GROUP = 100_000
"""Of a run's tables: every group describes all columns anew, and a reader that wants one cell skips groups without it."""


def write(name: str, table: pa.Table, folder: Path) -> None:
    """Write one table of a cell, whole and on disk when this returns.

    Raises
    ------
    BenchError
        The table does not fit its schema, or the disk is full.
    """
    schema = TABLES[name].schema
    try:
        fitting = table.cast(schema)
    except (pa.ArrowInvalid, ValueError) as error:
        raise BenchError(f"The table {name} does not fit its schema: {error}") from error
    with _writing(name, folder / f"{name}.parquet") as out:
        out.write_table(fitting, row_group_size=_ROWS_A_GROUP)


def join(name: str, parts: Iterable[Path], folder: Path) -> int:
    """Join one table of many cells into one file; gives its number of rows.

    Raises
    ------
    RunUnreadable
        A part is truncated or of another schema.
    """
    return gather(name, (read(name, part) for part in parts), folder)


def gather(name: str, tables: Iterable[pa.Table], folder: Path) -> int:
    """Write tables of one schema into one file; gives its number of rows."""
    rows = 0
    with _writing(name, folder / f"{name}.parquet") as out:
        for group in _groups(tables):
            rows += group.num_rows
            out.write_table(group, row_group_size=_ROWS_A_GROUP)
    return rows


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables that are too small for a group of their own."""
    small: list[pa.Table] = []
    for table in tables:
        small.append(table)
        if sum(one.num_rows for one in small) >= _LEAST_ROWS_A_GROUP:
            yield pa.concat_tables(small)
            small = []
    if small:
        yield pa.concat_tables(small)


def read(name: str, path: Path) -> pa.Table:
    """Give a table from its file; raises `RunUnreadable` when the file is truncated or of another schema."""
    try:
        return pq.read_table(path).cast(TABLES[name].schema)
    except (pa.ArrowInvalid, OSError, ValueError) as error:
        raise RunUnreadable(f"{path.name} of {path.parent.name} cannot be read: {error}") from error


def from_rows(name: str, rows: list[dict[str, object]]) -> pa.Table:
    """Make a table of a schema from its rows as dictionaries."""
    return pa.Table.from_pylist(rows, schema=TABLES[name].schema)


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _writing(name: str, path: Path) -> Iterator[pq.ParquetWriter]:
    """Give a writer whose file is on disk at the end; a disk that is full is a sentence."""
    schema = TABLES[name].schema
    # Instants and durations hardly repeat: their differences take few bits, a dictionary of them would take many.
    integers = [f.name for f in schema if pa.types.is_int64(f.type)]
    labels = [f.name for f in schema if f.name not in integers and not pa.types.is_nested(f.type)]
    encoding = dict.fromkeys(integers, "DELTA_BINARY_PACKED")
    try:
        with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=labels, column_encoding=encoding) as out:
            yield out
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
    except OSError as error:
        raise BenchError(f"Writing {path.name} failed: {error}. Make room on the disk, then resume.") from error
