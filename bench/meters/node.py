"""Pauses of a Node process, from V8's trace events (`--trace-event-categories v8`).

V8 brackets a whole collection, callbacks included, with `MajorGC` or `MinorGC`; within it stands one `V8.GC…` event
that names the algorithm. Incremental marking runs in steps on the isolate's thread between collections, and each step
is an event of its own. Events of a thread nest, so only the outermost counts: it is the time JavaScript stood still.

Node hands its events to the disk 65 536 at a time and at exit: a process that was killed leaves a truncated file, or
none at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from bench.errors import MeterFailed
from bench.meters.pause_log import PauseLog, PauseRows

_BRACKETS = {"MajorGC", "MinorGC"}
_COLLECTIONS = {
    "V8.GCScavenger", "V8.GCMinorMC", "V8.GCMinorMS", "V8.GCCompactor",
    "V8.GCFinalizeMC", "V8.GCFinalizeMCReduceMemory", "V8.GCFinalizeMCMeasureMemory",
}  # fmt: skip
_STEPS = {
    "V8.GCIncrementalMarking", "V8.GCIncrementalMarkingStart", "V8.GCMinorIncrementalMarkingStart",
    "V8.GCPhantomHandleProcessingCallback",
}  # fmt: skip
_NO_PAUSE = {
    # Requests: the collection that they lead to has its own event.
    "V8.GCHandleGCRequest", "V8.GCIdleNotification", "V8.GCLowMemoryNotification",
    # Its cost is in the code that is thrown away, not in the collection.
    "V8.GCDeoptMarkedAllocationSites",
}  # fmt: skip
_DETAIL = "disabled-by-default-"
"""Category of the parts of a collection; some of them run on other threads."""
_ASKED_FOR = {"testing", "runtime", "debugger", "heap profiler"}

_OPENING = '{"traceEvents":['
_CLOSING = "]}"
_EVENT_BEGINS = '{"pid":'
_ASKED = {"pid", "tid", "ts", "ph", "cat", "name", "args"}
_ON_COLLECTIONS = "GC"
"""In the name of every event that matters; the others, of which there may be millions, are not even decoded."""
_US = 1000


@dataclass(frozen=True)
class _Span:
    """One event with a beginning and an end, in µs of CLOCK_MONOTONIC."""

    thread: int
    begin_us: int
    end_us: int
    name: str
    cause: str | None


@dataclass(frozen=True)
class _Event:
    """One event as it was written."""

    number: int
    """Its ordinal in the file, from 1."""
    text: str
    said: dict[str, Any]

    @property
    def name(self) -> str:
        """What happened."""
        return self.said["name"]


def read(paths: Iterable[Path], collector: str, pid: int) -> PauseLog:
    """Give the pauses in a Node process' trace: source `node_trace`.

    Both instants of an event are cut to whole µs, so a duration is known to 1 µs either way. The cause of a step is
    not told.

    Parameters
    ----------
    paths
        Its files in the order of their rotation; events of other processes in them are left out.

    Raises
    ------
    MeterFailed
        There is no file: Node was not told to trace, or was killed before it wrote any.
    """
    files = list(paths)
    if not files:
        raise MeterFailed(
            "There is no trace of the Node process: it was not told to write one, or was killed before its first 65 536"
            " events were written."
        )
    rows = PauseRows("node", collector, pid)
    for group in _outermost(_spans(files, pid, rows)):
        _add(rows, group)
    return rows.log()


def _spans(files: list[Path], pid: int, rows: PauseRows) -> list[_Span]:
    spans: list[_Span] = []
    open_brackets: dict[int, list[_Event]] = {}
    whole = True
    for path in files:
        text = _text(path)
        whole = text.endswith(_CLOSING)
        for event in _events(text, rows):
            if event.said["pid"] == pid and (span := _span(event, open_brackets, rows)):
                spans.append(span)
    for brackets in open_brackets.values():
        # In a truncated trace the last bracket may be open because the process ended within it.
        for event in brackets if whole else brackets[:-1]:
            rows.unread("node_trace", event.number, event.text)
    return spans


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").rstrip()
    except FileNotFoundError:
        raise MeterFailed(
            f"There is no {path.name}: the Node process was not told to trace, or was killed before it wrote any."
        ) from None


def _events(text: str, rows: PauseRows) -> Iterator[_Event]:
    """Give the events of a file that may matter, but for the one that the end of the process cut off."""
    whole = text.endswith(_CLOSING)
    pieces = text.removeprefix(_OPENING).removesuffix(_CLOSING).split("," + _EVENT_BEGINS)
    for number, piece in enumerate(pieces, start=1):
        if _ON_COLLECTIONS not in piece:
            continue
        event = piece if number == 1 else _EVENT_BEGINS + piece
        if said := _said(event):
            yield _Event(number, event, said)
        elif whole or number < len(pieces):
            rows.unread("node_trace", number, event)


def _said(event: str) -> dict[str, Any] | None:
    """Give an event that has all that is asked of it, or none."""
    try:
        said = json.loads(event)
    except json.JSONDecodeError:
        return None
    asked = _ASKED | {"dur"} if isinstance(said, dict) and said.get("ph") == "X" else _ASKED
    return said if isinstance(said, dict) and asked <= said.keys() else None


def _span(event: _Event, open_brackets: dict[int, list[_Event]], rows: PauseRows) -> _Span | None:
    """Give the span that an event is or closes; None when it is of no concern or only opens one."""
    if event.name in _BRACKETS:
        return _bracket(event, open_brackets.setdefault(event.said["tid"], []), rows)
    if event.name in _COLLECTIONS or event.name in _STEPS:
        begin_us = event.said["ts"]
        return _Span(event.said["tid"], begin_us, begin_us + event.said["dur"], event.name, None)
    if event.name.startswith("V8.GC") and event.name not in _NO_PAUSE and _DETAIL not in event.said["cat"]:
        rows.unread("node_trace", event.number, event.text)
    return None


def _bracket(event: _Event, brackets: list[_Event], rows: PauseRows) -> _Span | None:
    if event.said["ph"] == "B":
        brackets.append(event)
        return None
    if event.said["ph"] != "E" or not brackets or brackets[-1].name != event.name:
        rows.unread("node_trace", event.number, event.text)
        return None
    begun = brackets.pop().said
    return _Span(event.said["tid"], begun["ts"], event.said["ts"], event.name, begun["args"].get("type"))


def _outermost(spans: list[_Span]) -> Iterator[list[_Span]]:
    """Give each outermost span followed by the spans within it, in the order in which they ended."""
    groups: list[list[_Span]] = []
    for span in sorted(spans, key=lambda s: (s.thread, s.begin_us, -s.end_us)):
        outer = groups[-1][0] if groups else None
        if outer and span.thread == outer.thread and span.end_us <= outer.end_us:
            groups[-1].append(span)
        else:
            groups.append([span])
    yield from sorted(groups, key=lambda group: group[0].end_us)


def _add(rows: PauseRows, group: list[_Span]) -> None:
    outer = group[0]
    named = min((s for s in group if s.name not in _BRACKETS), key=attrgetter("begin_us"), default=outer)
    collection = any(span.name not in _STEPS for span in group)
    cause = next((span.cause for span in group if span.cause), None)
    duration_ns = (outer.end_us - outer.begin_us) * _US
    rows.add(
        "node_trace",
        "stw_gc" if collection else "incremental_step",
        "isolate",
        named.name,
        cause=cause,
        forced=None if cause is None else cause in _ASKED_FOR,
        end_ns=outer.end_us * _US,
        alignment_error_ns=_US,
        dur_lo_ns=max(0, duration_ns - _US),
        dur_hi_ns=duration_ns + _US,
        resolution_ns=_US,
    )
