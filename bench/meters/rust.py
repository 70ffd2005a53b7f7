"""What freeing memory costs a Rust process, from the record that its gateway writes of its drops.

Rust has no collector, and one row says so: nobody shall take the absence of collections for a measurement. What stalls a
request instead is the freeing of what it used. The record is described in the gateways' contract, section 12.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.meters import own_record
from bench.meters.pause_log import PauseLog, PauseRows

_INTEGERS = {
    "header": ("pid", "monotonic_ns"),
    "drop": ("start_ns", "end_ns"),
    "sample": ("monotonic_ns", "drops", "drop_ns"),
}
_WHATS = ("request", "answer", "entry", "free")
_SHORT_NS = 20_000
"""Drops shorter than this have no line of their own."""


def read(path: Path, collector: str, pid: int) -> PauseLog:
    """Give the drops in a gateway's `rust_drops.jsonl`: source `rust_drop`, kind `dealloc`, scope `thread`.

    A drop with a line of its own is a row with its exact duration, its phase what was dropped. All others between two
    samples are one row of phase `short drops`: so many, of 0 to 20 us each, somewhere in the window. Where there were
    none there is no row. Beside them stands one `not_applicable` row: there is no collector.

    Raises
    ------
    MeterFailed
        There is no record, it has no header, or it is that of another process.
    """
    rows = PauseRows("rust", collector, pid)
    rows.not_applicable()
    header, records = own_record.read(path, "Rust", pid, "rust_drop", rows, _understood)
    _add_records(rows, header, records)
    return rows.log()


def _understood(record: dict[str, Any]) -> bool:
    kind = record.get("kind")
    if kind not in _INTEGERS or any(type(record.get(name)) is not int for name in _INTEGERS[kind]):
        return False
    return kind != "drop" or (record.get("what") in _WHATS and record["start_ns"] <= record["end_ns"])


def _add_records(rows: PauseRows, header: dict[str, Any], records: list[tuple[int, dict[str, Any]]]) -> None:
    before = header | {"drops": 0}
    lines = 0
    for number, record in records:
        match record["kind"]:
            case "drop":
                lines += 1
                _add_drop(rows, record)
            case "sample":
                short = record["drops"] - before["drops"] - lines
                if short < 0 or record["monotonic_ns"] < before["monotonic_ns"]:
                    rows.unread("rust_drop", number, f"it contradicts what stands before it: {json.dumps(record)}")
                elif short > 0:
                    _add_short_drops(rows, short, before, record)
                before, lines = record, 0
            case _:
                rows.unread("rust_drop", number, "a second header")


def _add_drop(rows: PauseRows, drop: dict[str, Any]) -> None:
    duration_ns = drop["end_ns"] - drop["start_ns"]
    rows.add(
        "rust_drop", "dealloc", "thread", drop["what"],
        dur_lo_ns=duration_ns, dur_hi_ns=duration_ns, resolution_ns=1, end_ns=drop["end_ns"], alignment_error_ns=0,
    )  # fmt: skip


def _add_short_drops(rows: PauseRows, count: int, before: dict[str, Any], sample: dict[str, Any]) -> None:
    rows.add(
        "rust_drop",
        "dealloc",
        "thread",
        "short drops",
        dur_lo_ns=0,
        dur_hi_ns=_SHORT_NS,
        resolution_ns=_SHORT_NS,
        end_ns=sample["monotonic_ns"],
        alignment_error_ns=0,
        window_ns=sample["monotonic_ns"] - before["monotonic_ns"],
        count=count,
    )
