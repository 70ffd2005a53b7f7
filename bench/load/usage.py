"""Processor time of the load generator, and of the process that it loads, between two instants."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bench.meters.process import cpu_time_ns


@dataclass(frozen=True)
class Usage:
    """Processor time so far, or between two readings."""

    cpu_ns: int
    """CPU time of this process."""
    run_delay_ns: int | None
    """Time this process was ready to run and waited for a processor; None where the kernel does not tell."""
    target_cpu_ns: int | None
    """CPU time of the process under load; None when its id is not known or it has ended."""

    @classmethod
    def now(cls, target_pid: int | None) -> Usage:
        """Read it."""
        try:
            delay = int(Path("/proc/self/schedstat").read_text().split()[1])
        except (OSError, IndexError):
            delay = None
        try:
            target = None if target_pid is None else cpu_time_ns(target_pid)
        except ProcessLookupError:
            target = None
        return cls(time.process_time_ns(), delay, target)

    def since(self, before: Usage) -> Usage:
        """Give what was used after an earlier reading."""
        return Usage(
            self.cpu_ns - before.cpu_ns,
            _difference(self.run_delay_ns, before.run_delay_ns),
            _difference(self.target_cpu_ns, before.target_cpu_ns),
        )


def _difference(after: int | None, before: int | None) -> int | None:
    return None if after is None or before is None else after - before
