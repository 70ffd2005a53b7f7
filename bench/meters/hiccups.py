"""What a hiccup meter recorded of itself: how late a thread woke that asked to wake at steady instants.

The record, `hiccups.bin`, is described in the gateways' contract, section 11. A wake that was late is a lower bound of
a stall of everything that shares its fate with the thread; one less than 50 µs late is counted and not recorded, so a
quantile below that is known as *at most 50 µs*.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.errors import MeterFailed
from bench.store.schema import TABLES

FILE = "hiccups.bin"
RECORDED_NS = 50_000
"""From this lateness on a wake is recorded."""
PERIOD_US = 10_000
"""Between two wakes. Waking a sleeping processor costs a virtual machine 10 to 30 µs of it: at 1 ms the meter would take
three percent of a processor, at 10 ms it takes less than a hundredth."""
KEPT_NS = 500_000
"""From this lateness on a wake is a row of the `hiccups` table."""
_COUNT = -1
_UNKNOWN = -1
_RECORD = np.dtype([("due_ns", "<i8"), ("late_ns", "<i8"), ("third", "<i8")])


@dataclass(frozen=True)
class Lateness:
    """How late the wakes of a window were."""

    wakes: int
    p99_ns: int
    """`RECORDED_NS` stands for at most that."""
    max_ns: int
    """`RECORDED_NS` stands for at most that."""


@dataclass(frozen=True)
class Hiccups:
    """The record of one process."""

    due_ns: np.ndarray
    late_ns: np.ndarray
    run_delay_ns: np.ndarray
    """-1 where the kernel does not tell, as the record has it; a null in the table."""
    counted_ns: np.ndarray
    """Instants at which the wakes since the last one were counted; the first is when the meter began."""
    wakes: np.ndarray
    """Wakes from the beginning to each of these instants."""

    def within(self, begin_ns: int, end_ns: int) -> Lateness | None:
        """Give the lateness of the wakes that were due within a window; None where the record does not span it.

        The number of wakes is interpolated between counts. The 99th percentile is the value of rank ceil(0.99 n).
        """
        if self.counted_ns[0] > begin_ns or self.counted_ns[-1] < end_ns:
            return None
        late = np.sort(self.late_ns[(self.due_ns >= begin_ns) & (self.due_ns < end_ns)])[::-1]
        at_begin, at_end = np.interp([begin_ns, end_ns], self.counted_ns, self.wakes)
        wakes = max(round(at_end - at_begin), late.size)
        if not wakes:
            return None
        above = wakes // 100
        return Lateness(
            wakes,
            int(late[above]) if above < late.size else RECORDED_NS,
            int(late[0]) if late.size else RECORDED_NS,
        )

    def table(self, role: str, pid: int) -> pa.Table:
        """Give the rows of the `hiccups` table, all columns but `cell_id`: wakes at least `KEPT_NS` late."""
        kept = self.late_ns >= KEPT_NS
        delays = self.run_delay_ns[kept]
        rows = int(kept.sum())
        return _table(
            [role] * rows, [pid] * rows, self.due_ns[kept], self.late_ns[kept],
            pa.array(delays, pa.int64(), mask=delays == _UNKNOWN),
        )  # fmt: skip


def read(path: Path) -> Hiccups | None:
    """Give what a process recorded; None when there is no record, or its process ended before the first was written.

    The end of a process may cut off its last record, which is left out.

    Raises
    ------
    MeterFailed
        The file is not the record of a hiccup meter.
    """
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return None
    records = np.frombuffer(whole, _RECORD, count=len(whole) // _RECORD.itemsize)
    if not records.size:
        return None
    _check(records, path)
    counts = records["late_ns"] == _COUNT
    hiccups = records[~counts]
    return Hiccups(
        hiccups["due_ns"], hiccups["late_ns"], hiccups["third"],
        records["due_ns"][counts], np.cumsum(records["third"][counts]),
    )  # fmt: skip


def rows(record: Hiccups | None, role: str, pid: int) -> pa.Table:
    """Give the rows of the `hiccups` table as `Hiccups.table` does; none where there is no record."""
    return _table([], [], [], [], []) if record is None else record.table(role, pid)


def _check(records: np.ndarray, path: Path) -> None:
    counts = records["late_ns"] == _COUNT
    if not counts[0] or records["third"][0] != 0:
        raise MeterFailed(f"{path} does not begin with a count of 0 wakes: it is not the record of a hiccup meter.")
    # A hiccup is written when its thread has woken, a count at its own instant.
    written_ns = records["due_ns"] + np.where(counts, 0, records["late_ns"])
    if (back := np.flatnonzero(np.diff(written_ns) < 0)).size:
        raise MeterFailed(
            f"Record {back[0] + 2} of {path} is earlier than the one before it: two processes wrote to the file, or its"
            " meter does not read CLOCK_MONOTONIC."
        )
    early = ~counts & (records["late_ns"] < RECORDED_NS)
    wrong = np.flatnonzero(early | (records["third"] < np.where(counts, 0, _UNKNOWN)))
    if wrong.size:
        raise MeterFailed(
            f"Record {wrong[0] + 1} of {path} is neither a count nor a wake that was {RECORDED_NS // 1_000} µs late or"
            " later: hold the gateway's hiccup meter against section 11 of its contract."
        )


def _table(roles: object, pids: object, due_ns: object, late_ns: object, run_delay_ns: object) -> pa.Table:
    schema = TABLES["hiccups"].schema.remove(0)
    columns = zip((roles, pids, due_ns, late_ns, run_delay_ns), schema, strict=True)
    return pa.Table.from_arrays([_array(values, field) for values, field in columns], schema=schema)


def _array(values: object, field: pa.Field) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    return pa.array(values, pa.string() if pa.types.is_dictionary(field.type) else field.type).cast(field.type)
