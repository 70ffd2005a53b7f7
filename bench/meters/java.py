"""Pauses of a JVM, from its unified log: safepoints, collectors' own pause lines, allocation stalls.

Written for `-Xlog:gc*=info,gc+phases=info,gc+stats=off,safepoint=info` of JDK 17 to 25 and every collector of theirs.
A safepoint's *Total* is what the application felt: it spans the way to the stop, the work and the way out of it. The
collector's own "Pause ..." line spans part of the work, with ZGC and Shenandoah a small part. Both are kept, by source.

Every line of the log becomes a pause, or is known not to be one, or is residue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.meters.gc_cause import Causes, asked_for, of_collector, split_title
from bench.meters.pause_log import PauseLog, PauseRows
from bench.meters.unified_logging import Line, monotonic_ns, read_lines

_SAFEPOINT = re.compile(r'Safepoint "(?P<operation>[^"]+)"(?P<parts>(?:, [A-Z][a-z ]+: \d+ ns)+)(?:, Threads: .*)?')
_PART = re.compile(r", ([A-Z][a-z ]+): (\d+) ns")
_GC = r"(?:GC\((?P<gc_id>\d+)\) )?(?P<generation>[yYO]: )?"
_PAUSE = re.compile(_GC + r"(?P<title>Pause .*?)(?: \d+[BKMGT]->\d+[BKMGT]\(\d+[BKMGT]\))? (?P<ms>\d+(?:\.\d+)?)ms")
_STALL = re.compile(_GC + r"(?P<what>Allocation|Relocation) Stall \((?P<thread>.*)\) (?P<ms>\d+(?:\.\d+)?)ms")
_DROPPED = re.compile(r" *\d+ messages dropped due to async logging")

_NAMES_A_PAUSE = re.compile(r"\bPause\b|\bStall \(|\bSafepoint\b")
_STATES_A_DURATION = re.compile(r"\d ?(?:ms|s|ns)$")
_KNOWN_DURATION = re.compile(
    r"(?:GC\(\d+\) )?(?:[yYO]: )?"
    r"(?:Concurrent |Coalescing and filling|(?:Garbage|Minor|Major) Collection |(?:Young|Old) Generation |Trigger)"
)
_MAIN_TAGS = {("gc",), ("safepoint",)}

_COLLECTOR_THREAD = re.compile(r"[ZX]Worker|[ZX]Driver|VM Thread$")


@dataclass(frozen=True)
class _Pause:
    """A collector's own pause line."""

    end_ns: int | None
    phase: str
    cause: str | None
    gc_id: int | None
    duration: dict[str, int]
    """What the line says of it, by the columns of the `pauses` table."""


@dataclass(frozen=True)
class _Safepoint:
    end_ns: int | None
    operation: str
    since_last_ns: int
    reaching_ns: int
    total_ns: int
    pauses: tuple[_Pause, ...]
    """The collector's pauses within it."""


@dataclass(frozen=True)
class _Stall:
    line: int
    end_ns: int | None
    phase: str
    thread: str
    duration: dict[str, int]


def read(path: Path, collector: str, pid: int) -> PauseLog:
    """Give the pauses in a JVM's log: sources `jul_safepoint`, `jul_phase` and `jul_stall`.

    `end_ns` is the instant at which the line was written, after the pause. How long after is known of safepoints, whose
    durations and distances add up exactly: `alignment_error_ns` is how much later it was than after the promptest line.
    Other lines are taken to be as late as the latest of those. Without `timenanos` there is no instant on
    CLOCK_MONOTONIC, and `end_ns` is null.

    A stall of a thread that waits for memory to be relocated is kept with the allocation stalls: both mean that the
    heap was full. One within the other counts once. Those of the collector's own threads are not the application's.

    Raises
    ------
    MeterFailed
        There is no such log, or it is empty.
    """
    rows = PauseRows("java", collector, pid)
    events = _events(read_lines(path), rows)
    late_ns = _lateness_ns([event for event in events if isinstance(event, _Safepoint)])
    most_ns = max(late_ns, default=None)
    of_next_safepoint = iter(late_ns)
    for event in events:
        match event:
            case _Safepoint():
                _add_safepoint(rows, event, next(of_next_safepoint, None))
            case _Pause():
                _add_pause(rows, event, most_ns)
            case _Stall():
                _add_stall(rows, event, most_ns)
    return rows.log()


def _events(lines: list[Line], rows: PauseRows) -> list[_Safepoint | _Pause | _Stall]:
    events: list[_Safepoint | _Pause | _Stall] = []
    causes = Causes()
    within: list[_Pause] = []
    for line, end_ns in zip(lines, monotonic_ns(lines), strict=True):
        causes.hear(line.message)
        if pause := _pause(line, end_ns, causes):
            within.append(pause)
            events.append(pause)
        elif safepoint := _safepoint(line, end_ns, within):
            within.clear()
            events.append(safepoint)
        elif stall := _stall(line, end_ns):
            events.append(stall)
        elif not _known(line):
            rows.unread("jul", line.number, line.text)
    nested = _nested_stalls([event for event in events if isinstance(event, _Stall)])
    return [event for event in events if not (isinstance(event, _Stall) and event.line in nested)]


def _nested_stalls(stalls: list[_Stall]) -> set[int]:
    """Give the lines of stalls that lie within a longer stall of the same thread, which is logged after them."""
    nested: set[int] = set()
    of_thread: dict[str, list[_Stall]] = {}
    for stall in stalls:
        if stall.end_ns is None:
            continue
        earlier = of_thread.setdefault(stall.thread, [])
        begin_ns = stall.end_ns - stall.duration["dur_hi_ns"]
        while earlier and earlier[-1].end_ns - earlier[-1].duration["dur_lo_ns"] >= begin_ns:
            nested.add(earlier.pop().line)
        earlier.append(stall)
    return nested


def _pause(line: Line, end_ns: int | None, causes: Causes) -> _Pause | None:
    match = _PAUSE.fullmatch(line.message) if line.on_pauses else None
    if match is None:
        return None
    gc_id = int(match["gc_id"]) if match["gc_id"] else None
    phase, cause = split_title(match["title"])
    return _Pause(end_ns, (match["generation"] or "") + phase, cause or causes.of(gc_id), gc_id, _duration(match["ms"]))


def _safepoint(line: Line, end_ns: int | None, within: list[_Pause]) -> _Safepoint | None:
    match = _SAFEPOINT.fullmatch(line.message) if line.on_pauses else None
    if match is None:
        return None
    parts = {name: int(value) for name, value in _PART.findall(match["parts"])}
    if not {"Time since last", "Reaching safepoint", "Total"} <= parts.keys():
        return None
    return _Safepoint(
        end_ns, match["operation"], parts["Time since last"], parts["Reaching safepoint"], parts["Total"], tuple(within)
    )


def _stall(line: Line, end_ns: int | None) -> _Stall | None:
    match = _STALL.fullmatch(line.message) if line.on_pauses else None
    if match is None or match["gc_id"] or _COLLECTOR_THREAD.match(match["thread"]):
        return None
    return _Stall(line.number, end_ns, f"{match['what']} Stall", match["thread"], _duration(match["ms"]))


def _known(line: Line) -> bool:
    """Tell whether a line that is no pause is known not to be one."""
    if _DROPPED.fullmatch(line.message):
        return False
    if not line.whole:
        return True  # cut off by the end of the JVM
    if line.tags is None:
        return False
    if not line.on_pauses:
        return True
    states_a_duration = bool(_STATES_A_DURATION.search(line.message))
    if _NAMES_A_PAUSE.search(line.message):
        collectors_own = bool(_STALL.fullmatch(line.message))
        return collectors_own or ("start" in line.tags and not states_a_duration)
    # A line that names no pause could hide one only behind a duration; under further tags those are of a pause's parts.
    return line.tags not in _MAIN_TAGS or not states_a_duration or bool(_KNOWN_DURATION.match(line.message))


def _duration(ms: str) -> dict[str, int]:
    """Give what a printed duration may have been: half a unit of its last digit either way."""
    digits = len(ms.partition(".")[2])
    resolution = 10 ** (6 - digits)
    value = round(float(ms) * 1e6)
    lo, hi = max(0, value - resolution // 2), value + resolution // 2
    return {"dur_lo_ns": lo, "dur_hi_ns": hi, "resolution_ns": resolution}


def _lateness_ns(safepoints: list[_Safepoint]) -> list[int]:
    """Give how much later after its safepoint each line was written than the promptest one; empty without instants.

    "Time since last" and "Total" add up to the exact distance of two safepoints' ends; the lines' instants do not.
    """
    ends = [safepoint.end_ns for safepoint in safepoints]
    if not ends or None in ends:
        return []
    distance = np.cumsum([0] + [safepoint.since_last_ns + safepoint.total_ns for safepoint in safepoints[1:]])
    late = np.array(ends, np.int64) - distance
    return (late - late.min()).tolist()


def _add_safepoint(rows: PauseRows, safepoint: _Safepoint, late_ns: int | None) -> None:
    by_collector = bool(safepoint.pauses) or of_collector(safepoint.operation)
    kind = "stw_gc" if by_collector else "stw_other"
    first = safepoint.pauses[0] if safepoint.pauses else None
    forced = [asked_for(pause.cause) for pause in safepoint.pauses]
    rows.add(
        "jul_safepoint",
        "degenerated" if "Degenerated" in safepoint.operation else kind,
        "process",
        safepoint.operation,
        cause=first.cause if first else None,
        gc_id=first.gc_id if first else None,
        forced=next((known for known in (True, False) if known in forced), None),
        ttsp_ns=safepoint.reaching_ns,
        dur_lo_ns=safepoint.total_ns,
        dur_hi_ns=safepoint.total_ns,
        resolution_ns=1,
        **_end(safepoint.end_ns, late_ns),
    )


def _add_pause(rows: PauseRows, pause: _Pause, late_ns: int | None) -> None:
    rows.add(
        "jul_phase",
        "degenerated" if "Degenerated" in pause.phase else "stw_gc",
        "process",
        pause.phase,
        cause=pause.cause,
        gc_id=pause.gc_id,
        forced=asked_for(pause.cause),
        **pause.duration,
        **_end(pause.end_ns, late_ns),
    )


def _add_stall(rows: PauseRows, stall: _Stall, late_ns: int | None) -> None:
    rows.add("jul_stall", "alloc_stall", "thread", stall.phase, **stall.duration, **_end(stall.end_ns, late_ns))


def _end(end_ns: int | None, late_ns: int | None) -> dict[str, int | None]:
    if end_ns is None:
        return {"end_ns": None, "alignment_error_ns": None, "window_ns": None}
    return {"end_ns": end_ns, "alignment_error_ns": late_ns, "window_ns": 0}
