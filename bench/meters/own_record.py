"""What a gateway writes of its own runtime: JSON, one object a line, the first of them a header."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.errors import MeterFailed
from bench.meters.pause_log import PauseRows

Record = dict[str, Any]


def read(
    path: Path, gateway: str, pid: int, source: str, rows: PauseRows, understood: Callable[[Record], bool]
) -> tuple[Record, list[tuple[int, Record]]]:
    """Give the header and the records after it, each with its line number from 1.

    A line that is not understood becomes residue, but for the last one, which the end of the process may cut off.

    Parameters
    ----------
    gateway
        Its language, for the message.
    pid
        The process whose record it must be.
    source
        What residue is said to come from.
    understood
        Tells whether an object is one of the record's.

    Raises
    ------
    MeterFailed
        There is no record, it has no header, or it is that of another process.
    """
    records = _records(path, source, rows, understood)
    if not records or records[0][1]["kind"] != "header":
        raise MeterFailed(f"{path.name} does not begin with a header: it is not the record of a {gateway} gateway.")
    header = records[0][1]
    if header["pid"] != pid:
        raise MeterFailed(f"{path.name} is the record of process {header['pid']}, not of {pid}.")
    return header, records[1:]


def _records(
    path: Path, source: str, rows: PauseRows, understood: Callable[[Record], bool]
) -> list[tuple[int, Record]]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        raise MeterFailed(f"There is no {path.name}: the gateway was started without GATEWAY_METERS_DIR.") from None
    records = []
    for number, line in enumerate(lines, start=1):
        record = _object(line)
        if record is not None and understood(record):
            records.append((number, record))
        elif line and number < len(lines):
            rows.unread(source, number, line)
    return records


def _object(line: str) -> Record | None:
    try:
        said = json.loads(line)
    except json.JSONDecodeError:
        return None
    return said if isinstance(said, dict) else None
