"""The account of a load: who was to drive it, who finished, who was lost, and the counts that must agree.

Locust's own count of a load with several workers is the master's: each worker sends its last statistics itself, before
it says that it has finished, and the master ends the test only when all have said so or are gone. So the count does not
hang on the half second for which Locust's master waits for last statistics. The sum of the workers' own counts stands
beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench.load import spool
from bench.load.spool import Beginning, Summary

MASTER_FILE = "master.json"
"""What the master says at its end, in the folder of the samples: the marker that it has ended in order."""
CHANGES_FILE = "changes.txt"
"""What changed among the workers during the load, a sentence a line, written as it happens."""


_MASTER_GONE = "the master ended before the load did: Locust's count of all workers is not known"


@dataclass(frozen=True)
class Account:
    """Who drove a load, and what they counted."""

    expected: int
    """Workers that were to drive it."""
    finished: int
    """Workers that wrote their summary."""
    lost: tuple[int, ...]
    """Numbers of the workers that did not; what each had in flight is not known."""
    absent: tuple[int, ...]
    """Those of them whose rows are not here at all; the whole rows of the others are."""
    changes: tuple[str, ...]
    """What changed among the workers during the load, a sentence each."""
    rows: int
    """Rows on disk."""
    locust_count: int | None
    """Requests that Locust's statistics counted: the master's where there is one; None when it did not end in order."""
    summed_count: int
    """Requests that Locust's statistics counted in the workers that finished."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the load is not what it was meant to be, a sentence each; none when every worker drove it to its end."""
        lost = tuple(_loss(worker, worker in self.absent) for worker in self.lost)
        headless = self.expected > 1 and self.locust_count is None
        return (*lost, *self.changes, *([_MASTER_GONE] if headless else []))


def _loss(worker: int, absent: bool) -> str:
    if absent:
        return (
            f"worker {worker} never brought its rows: its share of the load is missing, but for what is in the folder"
            " of its own machine"
        )
    return (
        f"worker {worker} ended without its summary: up to half a second of its rows, what it had in flight, and the"
        " rest of its share of the load are missing"
    )


def read_account(folder: Path, expected: int) -> Account:
    """Give the account of the load whose samples are in a folder."""
    summaries = spool.read_summaries(folder)
    done = {summary.worker for summary in summaries}
    lost = tuple(worker for worker in range(expected) if worker not in done)
    begun = {beginning.worker for beginning in spool.read_beginnings(folder)}
    summed = sum(summary.locust_count for summary in summaries)
    said = folder / MASTER_FILE
    by_master = json.loads(said.read_text())["locust_count"] if said.is_file() else None
    return Account(
        expected=expected,
        finished=len(done),
        lost=lost,
        absent=tuple(worker for worker in lost if worker not in begun),
        changes=_changes(folder),
        rows=sum(spool.whole_rows(folder, worker) for worker in range(expected)),
        locust_count=by_master if expected > 1 or said.is_file() else summed if done else None,
        summed_count=summed,
    )


def workers_rows(folder: Path, cell_id: str) -> list[dict[str, object]]:
    """Give the rows of the `workers` table: one for every worker that began, as dictionaries."""
    return [_worker_row(folder, said, cell_id) for said in spool.read_workers(folder)]


def clock_offsets_ns(folder: Path) -> dict[int, int]:
    """Give for every worker what its own instants need added to be on the master's clock."""
    return {said.worker: said.clock_offset_ns for said in spool.read_workers(folder)}


def window(folder: Path) -> tuple[int, int]:
    """Give the measured window in ns: in it every worker that finished was measuring."""
    summaries = spool.read_summaries(folder)
    start = max(summary.measure_start_ns for summary in summaries)
    return start, max(start, min(summary.measure_end_ns for summary in summaries))


def _worker_row(folder: Path, said: Summary | Beginning, cell_id: str) -> dict[str, object]:
    ended = isinstance(said, Summary)
    return {
        "cell_id": cell_id,
        "worker": said.worker,
        "host": said.host,
        "pid": said.pid,
        "finished": ended,
        "rows": spool.whole_rows(folder, said.worker),
        "locust_count": said.locust_count if ended else None,
        "cpu_ns": said.cpu_ns if ended else None,
        "run_delay_ns": said.run_delay_ns if ended else None,
        "began_ns": said.began_ns,
        "late_ns": said.late_ns,
        "clock_offset_ns": said.clock_offset_ns,
        "clock_error_ns": said.clock_error_ns,
    }


def _changes(folder: Path) -> tuple[str, ...]:
    path = folder / CHANGES_FILE
    return tuple(path.read_text().splitlines()) if path.is_file() else ()
