"""Gaps: the times at which the generator was late although a connection was free, and what its thread did meanwhile.

A percentile of the lag says that there were such times and averages them away. Each one over a millisecond is written
down by the engine with what the kernel knows of its thread, and named after the load, when the machine's own samples are
there too.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.store.loads import GAPS

GAP_NS = 1_000_000
"""A request sent later than this, with a connection free, is a gap."""
_FIELDS = 6
"""due_ns, sent_ns, flush_ns, turn_ns, run_delay_ns (-1 in this raw form: not told), cpu_ns."""
_UNTOLD = -1


class GapWatch:
    """Watches one engine's thread. Its methods are called about a hundred times a second, and once a gap."""

    def __init__(self) -> None:
        try:
            self._schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        except OSError:
            self._schedstat = -1
        self._rows: array[int] = array("q")
        self._turn = (0, 0, 0)
        self._cpu_ns, self._run_delay_ns = self._now()
        self._last_sent_ns = 0

    def turn_taken(self, began_ns: int, flushed_ns: int, ended_ns: int) -> None:
        """Note a turn of others: rows were written from `began_ns` to `flushed_ns`, greenlets ran from then to `ended_ns`."""
        self._turn = (began_ns, flushed_ns, ended_ns)
        self._cpu_ns, self._run_delay_ns = self._now()

    def late(self, due_ns: int, sent_ns: int) -> None:
        """Note that a request due at `due_ns` is sent only now; those behind it belong to the same gap."""
        if due_ns <= self._last_sent_ns:
            return
        self._last_sent_ns = sent_ns
        cpu_ns, run_delay_ns = self._now()
        began, flushed, ended = self._turn
        waited = _UNTOLD if run_delay_ns is None else run_delay_ns - self._run_delay_ns
        self._rows.extend((
            due_ns, sent_ns, _overlap(due_ns, sent_ns, began, flushed), _overlap(due_ns, sent_ns, flushed, ended),
            min(waited, sent_ns - due_ns), min(cpu_ns - self._cpu_ns, sent_ns - due_ns),
        ))  # fmt: skip

    def write(self, path: Path) -> None:
        """Write the gaps as raw integers."""
        path.write_bytes(self._rows.tobytes())

    def close(self) -> None:
        """Give the descriptor back."""
        if self._schedstat >= 0:
            os.close(self._schedstat)
            self._schedstat = -1

    def _now(self) -> tuple[int, int | None]:
        """Give CPU time and run-queue delay of this thread so far, in ns."""
        delay = int(os.pread(self._schedstat, 64, 0).split()[1]) if self._schedstat >= 0 else None
        return time.thread_time_ns(), delay


def _overlap(from_ns: int, to_ns: int, began_ns: int, ended_ns: int) -> int:
    return max(0, min(to_ns, ended_ns) - max(from_ns, began_ns))


def table(folder: Path, machine: pa.Table, cell_id: str, clock_offsets_ns: Mapping[int, int]) -> pa.Table:
    """Give the `gaps` table of a cell from its workers' raw files, each gap with its cause.

    A cause is named when it fills at least half of the gap.

    Parameters
    ----------
    machine
        Samples of the machine over the load (the `machine` table).
    clock_offsets_ns
        For every worker what its instants need added to be on this machine's clock.
    """
    rows = []
    for path in sorted(folder.glob("*.gaps"), key=lambda path: int(path.stem)):
        worker = int(path.stem)
        offset = clock_offsets_ns.get(worker, 0)
        for due, sent, flush, turn, delay, cpu in np.fromfile(path, np.int64).reshape(-1, _FIELDS).tolist():
            steal = _stolen(machine, due + offset, sent + offset)
            told = None if delay == _UNTOLD else delay
            rows.append({
                "cell_id": cell_id, "worker": worker, "due_ns": due + offset, "sent_ns": sent + offset,
                "cause": _cause(sent - due, flush, turn, told, cpu, steal), "flush_ns": flush, "turn_ns": turn,
                "run_delay_ns": told, "cpu_ns": cpu, "steal_ns": steal,
            })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=GAPS.schema)


def _cause(gap: int, flush: int, turn: int, delay: int | None, cpu: int, steal: int | None) -> str:
    half = gap / 2
    for cause, part in (
        ("processor", delay), ("flush", flush), ("turn", turn), ("hypervisor", steal), ("batch", cpu),
    ):  # fmt: skip
        if part is not None and part >= half:
            return cause
    return "unexplained"


def _stolen(machine: pa.Table, from_ns: int, to_ns: int) -> int | None:
    """Give what the hypervisor took between the samples around a gap: it is told in ticks of 10 ms and at each sample."""
    known = machine.filter(machine["steal_ns"].is_valid())
    times = known["time_ns"].to_numpy()
    before, after = np.searchsorted(times, from_ns, "right") - 1, np.searchsorted(times, to_ns)
    if before < 0 or after >= len(times):
        return None
    stolen = known["steal_ns"]
    return stolen[int(after)].as_py() - stolen[int(before)].as_py()
