"""CPU time, memory and scheduling of one process, as the kernel accounts for it.

CPU time comes from the process' own CPU clock (clock_getcpuclockid(3)): nanoseconds, and it keeps the time of threads
that have ended. The alternatives fall short over a window of a few seconds: `utime + stime` of /proc/<pid>/stat moves
in ticks of 10 ms, the schedstat of living threads loses what an ended thread had used, and /proc/<pid>/schedstat is the
main thread's alone. A thread that runs on another processor just now is counted up to its last scheduler tick, 10 ms
ago at most.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from bench.meters.sampler import PERIOD_S, Gone, Sampler

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PER_PROCESS_SCHED_CLOCK = 2
# Fields of /proc/<pid>/stat (proc_pid_stat(5)), counted from the state, which follows the name in parentheses.
_STATE, _MINOR_FAULTS, _MAJOR_FAULTS, _THREADS = 0, 7, 9, 17


def cpu_time_ns(pid: int) -> int:
    """Give the CPU time in ns that a process has used since it began, ended threads included.

    Raises
    ------
    ProcessLookupError
        There is no such process.
    """
    clock = (~pid << 3) | _PER_PROCESS_SCHED_CLOCK
    try:
        return time.clock_gettime_ns(clock)
    except OSError as error:
        raise ProcessLookupError(f"There is no process {pid}.") from error


def proportional_set_size(pid: int) -> int | None:
    """Give the bytes of memory that a process holds, shared pages divided among those who share them.

    None when the process has ended or the kernel does not tell.
    """
    with suppress(OSError), Path(f"/proc/{pid}/smaps_rollup").open() as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return None


class ProcessSampler(Sampler):
    """Samples one process, from the beginning of a `with` block to its end or that of the process.

    Parameters
    ----------
    role
        `gateway` or `generator`.
    """

    table_name = "process"

    def __init__(self, pid: int, role: str, period_s: float = PERIOD_S) -> None:
        super().__init__(period_s)
        self._pid = pid
        self._role = role
        self._proc = f"/proc/{pid}"

    def read(self) -> dict[str, object]:
        """Give one row of the `process` table."""
        try:
            now_ns = time.monotonic_ns()
            cpu_ns = cpu_time_ns(self._pid)
            stat = _read(f"{self._proc}/stat").rpartition(b")")[2].split()
            # The counters in stat may be off by some hundred KiB, those in statm are summed up.
            resident_pages = int(_read(f"{self._proc}/statm").split()[1])
            run_delay_ns = self._run_delay_ns()
        except (FileNotFoundError, ProcessLookupError):
            raise Gone from None
        if stat[_STATE] in (b"Z", b"X"):
            raise Gone
        return {
            "role": self._role,
            "pid": self._pid,
            "time_ns": now_ns,
            "cpu_ns": cpu_ns,
            "run_delay_ns": run_delay_ns,
            "rss_bytes": resident_pages * _PAGE_BYTES,
            "threads": int(stat[_THREADS]),
            "minor_faults": int(stat[_MINOR_FAULTS]),
            "major_faults": int(stat[_MAJOR_FAULTS]),
        }

    def _run_delay_ns(self) -> int | None:
        total = 0
        for thread in os.listdir(f"{self._proc}/task"):
            try:
                total += int(_read(f"{self._proc}/task/{thread}/schedstat").split()[1])
            except (FileNotFoundError, ProcessLookupError):
                if not os.path.exists(f"{self._proc}/schedstat"):
                    return None
        return total


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
