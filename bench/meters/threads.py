"""CPU time of each thread of a process, as the scheduler accounts for it.

The first two fields of /proc/<pid>/task/<tid>/schedstat: ns on a processor, and ns ready and waiting for one. They
are lost when a thread ends, so a collector's threads, which do not, can be told apart, and the process as a whole cannot.
"""

from __future__ import annotations

import os
import time

from bench.meters.sampler import Gone, Sampler

PERIOD_S = 1.0


class ThreadSampler(Sampler):
    """Samples every thread of a process, from the beginning of a `with` block to its end or that of the process."""

    table_name = "threads"

    def __init__(self, pid: int, role: str, period_s: float = PERIOD_S) -> None:
        super().__init__(period_s)
        self._pid = pid
        self._role = role
        self._tasks = f"/proc/{pid}/task"

    def read_all(self) -> list[dict[str, object]]:
        """Give one row of the `threads` table for each thread that lives."""
        try:
            threads = os.listdir(self._tasks)
        except (FileNotFoundError, ProcessLookupError):
            raise Gone from None
        return [row for thread in threads if (row := self._row(thread)) is not None]

    def _row(self, thread: str) -> dict[str, object] | None:
        try:
            name = _read(f"{self._tasks}/{thread}/comm").decode(errors="replace").rstrip("\n")
            cpu_ns, run_delay_ns = _read(f"{self._tasks}/{thread}/schedstat").split()[:2]
        except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            return None
        return {
            "role": self._role,
            "pid": self._pid,
            "tid": int(thread),
            "name": name,
            "time_ns": time.monotonic_ns(),
            "cpu_ns": int(cpu_ns),
            "run_delay_ns": int(run_delay_ns),
        }


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
