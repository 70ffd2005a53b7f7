"""Rows on disk while the load runs, and the requests table made of them after it has stopped.

Writing parquet costs a processor the load generator needs, so a worker only appends raw integers. `<worker>.begin.json`
says, before the first row, what the rows mean; `<worker>.json`, renamed into place last, says that the worker finished
and how many rows there must be. A worker without it is lost: its whole rows count, and that they are not all is said.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.errors import LoadFailed
from bench.load.rows import CENSORED, FIELDS, Outcome, unpack
from bench.load.search import Kind
from bench.store.loads import REQUESTS

_ROW_BYTES = 8 * FIELDS
_OUTCOMES = tuple(outcome.name.lower() for outcome in Outcome)
_IS_CENSORED = np.array([outcome in CENSORED for outcome in Outcome])


@dataclass(frozen=True)
class Beginning:
    """What one worker says before its load. Instants are on the master's clock."""

    worker: int
    pid: int
    host: str | None
    """Address of its machine; None where it has no master to tell it to."""
    names: tuple[str, ...]
    """Request names; `name_of` refers to them."""
    name_of: tuple[int, ...]
    """For every prepared request, by its index, which name it has."""
    began_ns: int
    """Instant that the schedule counts from."""
    measure_start_ns: int
    measure_end_ns: int | None
    """None for a load without a planned end."""
    late_ns: int
    """How long after `began_ns` it really began; 0 when it was there in time."""
    clock_offset_ns: int
    """What its own instants, those of the rows, need added to be on the master's clock."""
    clock_error_ns: int
    """How far the offset may be off."""


@dataclass(frozen=True)
class Step:
    """One step of a load in steps. Instants are the worker's own, ns of CLOCK_MONOTONIC; in a summary, the master's."""

    kind: Kind
    """What it is for."""
    connections: int
    """Most of them at once; of a closed step all of them busy."""
    began_ns: int
    """Its requests are intended from here on."""
    ended_ns: int
    """And until here, exclusive."""
    rate_per_s: float | None = None
    """Offered rate; None for a closed step."""
    quantile_ms: float | None = None
    """Response time at the quantile that was asked about; None for a closed step, and where too few requests got 2xx."""
    met: bool | None = None
    """It was at most the objective, a request without 2xx counting as one that took for ever; None for a closed step."""
    found: bool = False
    """The rate is the one that was looked for: this was the last of its repeats, and all met the objective."""


@dataclass(frozen=True)
class Summary:
    """What one worker says of its load when it has finished. Instants are on the master's clock."""

    worker: int
    pid: int
    rows: int
    names: tuple[str, ...]
    """Request names; `name_of` refers to them."""
    name_of: tuple[int, ...]
    """For every prepared request, by its index, which name it has."""
    began_ns: int
    """Instant that the schedule counts from."""
    measure_start_ns: int
    measure_end_ns: int
    ended_ns: int
    connects: int
    locust_count: int
    """Requests that Locust's statistics in this worker counted, those that it has already reported included."""
    cpu_ns: int
    """CPU time of the worker within the measured window."""
    run_delay_ns: int | None
    """Time it waited for a processor within the window; None where the kernel does not tell."""
    target_cpu_ns: int | None
    """CPU time of the process under load within the window; None when its id was not given or it ended."""
    host: str | None = None
    """Address of its machine; None where it has no master to tell it to."""
    late_ns: int = 0
    """How long after `began_ns` it really began; 0 when it was there in time."""
    clock_offset_ns: int = 0
    """What its own instants, those of the rows, need added to be on the master's clock."""
    clock_error_ns: int = 0
    """How far the offset may be off; 0 on the master's own machine."""
    steps: tuple[Step, ...] = ()
    """Of a load in steps, those that are over."""


class Spool:
    """The raw rows of one worker. Without a folder it only counts them."""

    def __init__(self, folder: Path | None, worker: int) -> None:
        self.rows = 0
        self._folder = folder
        self._worker = worker
        self._fd = -1
        if folder is not None:
            self._fd = os.open(folder / f"{worker}.rows", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

    def begin(self, beginning: Beginning) -> None:
        """Say what the rows will mean; may be said again, as long as there are none."""
        if self._folder is not None:
            _put(self._folder / f"{self._worker}.begin.json", beginning)

    def write(self, rows: array[int]) -> None:
        """Append whole rows; raises `LoadFailed` when the disk is full."""
        self.rows += len(rows) // FIELDS
        if self._fd < 0:
            return
        # A copy: a view of the engine's rows, kept alive by an error's traceback, would keep them from growing.
        left = memoryview(rows.tobytes())
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            raise _unwritten(error) from error

    def close(self, summary: Summary) -> None:
        """Say that all rows are there; raises `LoadFailed` when the disk is full."""
        if self._folder is None:
            return
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise _unwritten(error) from error
        os.close(self._fd)
        _put(self._folder / f"{self._worker}.json", summary)


def _put(path: Path, said: Beginning | Summary) -> None:
    unfinished = path.with_name(f"{path.name}.tmp")
    try:
        unfinished.write_text(json.dumps(asdict(said)))
        unfinished.rename(path)
    except OSError as error:
        raise _unwritten(error) from error


def _unwritten(error: OSError) -> LoadFailed:
    return LoadFailed(f"The samples cannot be written: {error}. Make room on the disk.")


def finished(folder: Path) -> frozenset[int]:
    """Give the numbers of the workers that have written their summary."""
    return frozenset(int(path.stem) for path in folder.glob("*.json") if path.stem.isdigit())


def read_summaries(folder: Path) -> list[Summary]:
    """Give what every finished worker said, in the order of their numbers."""
    return [_summary(folder / f"{worker}.json") for worker in sorted(finished(folder))]


def _summary(path: Path) -> Summary:
    said = _said(path)
    return Summary(**said | {"steps": tuple(Step(**step) for step in said["steps"])})


def read_beginnings(folder: Path) -> list[Beginning]:
    """Give what every worker said that began, in the order of their numbers."""
    found = [Beginning(**_said(path)) for path in folder.glob("*.begin.json")]
    return sorted(found, key=lambda beginning: beginning.worker)


def _said(path: Path) -> dict[str, Any]:
    said = json.loads(path.read_text())
    return said | {"names": tuple(said["names"]), "name_of": tuple(said["name_of"])}


def read_workers(folder: Path) -> list[Summary | Beginning]:
    """Give what every worker said last: its summary, or its beginning when it never finished."""
    last: dict[int, Summary | Beginning] = {said.worker: said for said in read_beginnings(folder)}
    last |= {said.worker: said for said in read_summaries(folder)}
    return [last[worker] for worker in sorted(last)]


def whole_rows(folder: Path, worker: int) -> int:
    """Give how many whole rows a worker has written; a torn one at the end does not count."""
    path = folder / f"{worker}.rows"
    return path.stat().st_size // _ROW_BYTES if path.is_file() else 0


def read_requests(folder: Path, cell_id: str) -> pa.Table:
    """Make the requests table of a cell from its workers' rows, on the master's clock, ordered by intended time.

    A worker that began and never finished gives its whole rows. What was in flight in it is not known.

    Raises
    ------
    LoadFailed
        No worker finished, or the rows of one that finished are not all there.
    """
    if not finished(folder):
        raise LoadFailed("The load generator did not finish: it left no summary. Its log tells why.")
    tables = [_worker_table(said, rows, cell_id) for said, rows in _rows(folder)]
    # Each is in order already; of several the whole is not.
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables).sort_by("intended_ns")


def _rows(folder: Path) -> Iterator[tuple[Summary | Beginning, np.ndarray]]:
    for said in read_workers(folder):
        path = folder / f"{said.worker}.rows"
        if isinstance(said, Summary) and path.stat().st_size != said.rows * _ROW_BYTES:
            raise LoadFailed(
                f"Worker {said.worker} counted {said.rows} rows, but {path.name} holds"
                f" {path.stat().st_size / _ROW_BYTES:g}: the disk may be full."
            )
        count = whole_rows(folder, said.worker)
        rows = np.fromfile(path, np.int64, count * FIELDS) if count else np.empty(0, np.int64)
        yield said, rows.reshape(-1, FIELDS)


def _worker_table(said: Summary | Beginning, rows: np.ndarray, cell_id: str) -> pa.Table:
    """Make the table of one worker's rows, ordered by intended time."""
    # Written in the order of answers, which is nearly that of intended instants: a merge sort finds the runs.
    intended, sent, done, packed, received = rows[np.argsort(rows[:, 0], kind="stable")].T.copy()
    status, outcome, queued, connection, request = unpack(packed)
    unsent = outcome == Outcome.UNSENT
    columns = {
        "cell_id": _constant(cell_id, len(rows)),
        "worker": pa.array(np.full(len(rows), said.worker, np.int16)),
        "connection": _known(connection.astype(np.int32), ~unsent),
        "name": _labels(np.asarray(said.name_of, np.int32)[request], said.names),
        "intended_ns": pa.array(intended + said.clock_offset_ns),
        "schedule_lag_ns": pa.array(sent - intended),
        "queued": pa.array(queued),
        "service_time_ns": _known(done - sent, ~unsent),
        "status": _known(status.astype(np.int16), status != 0),
        "outcome": _labels(outcome.astype(np.int32), _OUTCOMES),
        "censored": pa.array(_IS_CENSORED[outcome]),
        "received_bytes": _known(received.astype(np.int32), ~unsent),
    }
    return pa.table(columns, schema=REQUESTS.schema)


def _known(values: np.ndarray, known: np.ndarray) -> pa.Array:
    """Give values, null where they are not known."""
    return pa.array(values) if known.all() else pa.array(values, mask=~known)


def _labels(indices: np.ndarray, names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(names, pa.string()))


def _constant(value: str, length: int) -> pa.DictionaryArray:
    return _labels(np.zeros(length, np.int32), (value,))
