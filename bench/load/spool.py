"""Rows on disk while the load runs, and the requests table made of them after it has stopped.

Writing parquet costs a processor the load generator needs, so a worker only appends raw integers. Its `<worker>.json`,
renamed into place last, says that it finished and how many rows there must be.
"""

from __future__ import annotations

import json
import os
from array import array
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.errors import LoadFailed
from bench.load.rows import CENSORED, FIELDS, Outcome, unpack
from bench.store.schema import REQUESTS

_ROW_BYTES = 8 * FIELDS


@dataclass(frozen=True)
class Summary:
    """What one worker says of its load when it has finished."""

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
    cpu_ns: int
    """CPU time of the worker within the measured window."""
    run_delay_ns: int | None
    """Time it waited for a processor within the window; None where the kernel does not tell."""
    target_cpu_ns: int | None
    """CPU time of the process under load within the window; None when its id was not given or it ended."""


class Spool:
    """The raw rows of one worker. Without a folder it only counts them."""

    def __init__(self, folder: Path | None, worker: int) -> None:
        self.rows = 0
        self._folder = folder
        self._worker = worker
        self._fd = -1
        if folder is not None:
            self._fd = os.open(folder / f"{worker}.rows", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

    def write(self, rows: array[int]) -> None:
        """Append whole rows; raises `LoadFailed` when the disk is full."""
        self.rows += len(rows) // FIELDS
        if self._fd < 0:
            return
        left = memoryview(rows).cast("B")
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            raise LoadFailed(f"The samples cannot be written: {error}. Make room on the disk.") from error

    def close(self, summary: Summary) -> None:
        """Say that all rows are there."""
        if self._folder is None:
            return
        os.fsync(self._fd)
        os.close(self._fd)
        unfinished = self._folder / f"{self._worker}.json.tmp"
        unfinished.write_text(json.dumps(asdict(summary)))
        unfinished.rename(self._folder / f"{self._worker}.json")


def read_summaries(folder: Path) -> list[Summary]:
    """Give what every finished worker said, in the order of their numbers."""
    said = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return sorted(
        (Summary(**s | {"names": tuple(s["names"]), "name_of": tuple(s["name_of"])}) for s in said),
        key=lambda summary: summary.worker,
    )


def read_requests(folder: Path, cell_id: str) -> pa.Table:
    """Make the requests table of a cell from its workers' rows, ordered by intended time.

    Raises
    ------
    LoadFailed
        No worker finished, or a worker's rows are not all there.
    """
    summaries = read_summaries(folder)
    if not summaries:
        raise LoadFailed("The load generator did not finish: it left no summary. Its log tells why.")
    tables = [_worker_table(folder, summary, cell_id) for summary in summaries]
    return pa.concat_tables(tables).sort_by("intended_ns")


def _worker_table(folder: Path, summary: Summary, cell_id: str) -> pa.Table:
    path = folder / f"{summary.worker}.rows"
    if path.stat().st_size != summary.rows * _ROW_BYTES:
        raise LoadFailed(
            f"Worker {summary.worker} counted {summary.rows} rows, but {path.name} holds"
            f" {path.stat().st_size / _ROW_BYTES:g}: the disk may be full."
        )
    rows = np.fromfile(path, np.int64).reshape(-1, FIELDS)
    intended, sent, done, packed, received = rows.T
    status, outcome, queued, connection, request = unpack(packed)
    unsent = outcome == Outcome.UNSENT
    columns = {
        "cell_id": _constant(cell_id, len(rows)),
        "worker": pa.array(np.full(len(rows), summary.worker, np.int16)),
        "connection": pa.array(connection.astype(np.int32), mask=unsent),
        "name": _labels(np.asarray(summary.name_of, np.int32)[request], summary.names),
        "intended_ns": pa.array(intended),
        "schedule_lag_ns": pa.array(sent - intended),
        "queued": pa.array(queued),
        "service_time_ns": pa.array(done - sent, mask=unsent),
        "status": pa.array(status.astype(np.int16), mask=status == 0),
        "outcome": _labels(outcome.astype(np.int32), tuple(o.name.lower() for o in Outcome)),
        "censored": pa.array(np.isin(outcome, [*CENSORED])),
        "received_bytes": pa.array(received.astype(np.int32), mask=unsent),
    }
    return pa.table(columns, schema=REQUESTS.schema)


def _labels(indices: np.ndarray, names: tuple[str, ...]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int32()), pa.array(names, pa.string()))


def _constant(value: str, length: int) -> pa.DictionaryArray:
    return _labels(np.zeros(length, np.int32), (value,))
