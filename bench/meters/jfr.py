"""What a JVM's flight recorder says of its pauses: the second source, which calibrates the log.

Recorder and log are written apart. A safepoint is two events: `SafepointBegin` lasts from the decision to stop until
all threads have (time to safepoint), `SafepointEnd` lets them go; from the begin of the one to the end of the other is
what the log calls Total. `GCPhasePause` is the collector's own pause, `ZAllocationStall` a thread that waits for memory.

Its instants are of the wall clock: the chunk's begin plus ticks of the processor's counter since.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench import toolchains
from bench.errors import MeterFailed
from bench.meters.clocks import Clocks
from bench.meters.gc_cause import asked_for, of_collector, split_title
from bench.meters.pause_log import PauseLog, PauseRows

_BEGIN, _END = "jdk.SafepointBegin", "jdk.SafepointEnd"
_OPERATION, _COLLECTION = "jdk.ExecuteVMOperation", "jdk.GarbageCollection"
_PAUSE, _STALL = "jdk.GCPhasePause", "jdk.ZAllocationStall"
_TIMED = (_BEGIN, _END, _OPERATION, _COLLECTION, _PAUSE, _STALL)
_NS = 1_000_000_000
_PRINT_WITHIN_S = 120.0

_INSTANT = re.compile(
    r"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9}))?(?P<zone>Z|[+-]\d\d:\d\d)"
)
_DURATION = re.compile(
    r"PT(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:\.(?P<fraction>\d{1,9}))?S)?"
)


@dataclass(frozen=True)
class _Event:
    number: int
    """Its ordinal among what was printed, from 1."""
    kind: str
    begin_ns: int
    """Of the wall clock."""
    duration_ns: int
    said: dict[str, Any]

    @property
    def end_ns(self) -> int:
        return self.begin_ns + self.duration_ns


@dataclass(frozen=True)
class _Safepoint:
    begin: _Event
    end: _Event
    operation: str | None
    pauses: tuple[_Event, ...]
    """The collector's pauses within it."""


def flags(recording: Path) -> tuple[str, ...]:
    """Give the flags with which a JVM, 17 or 25, records every pause until it ends.

    The settings that come with a JDK leave safepoints out: `default` those of less than 10 ms, `profile` their ends.

    Parameters
    ----------
    recording
        Where to write; the path must hold no comma, which JFR takes for the end of it.
    """
    every = [f"{event}#{setting}" for event in _TIMED for setting in ("enabled=true", "threshold=0 ns")]
    options = [f"filename={recording}", "settings=profile", "dumponexit=true", *every]
    return ("-XX:StartFlightRecording=" + ",".join(options), "-Xlog:jfr*=off")


def program() -> Path:
    """Give the `jfr` of the newest JDK at hand, which reads what older ones recorded.

    Raises
    ------
    ToolchainMissing
        There is neither a JDK 25 nor a JDK 17 here.
    """
    name = "jdk17" if toolchains.missing(["jdk25"]) and not toolchains.missing(["jdk17"]) else "jdk25"
    return toolchains.find(name).path.with_name("jfr")


def read(recording: Path, jfr: Path, pid: int, collector: str, clocks: Clocks) -> PauseLog:
    """Give the pauses in a recording: source `jfr`, kinds as those of the log.

    Safepoints are the rows whose `ttsp_ns` is known, with the VM operation as `phase`; the collector's pauses within
    them have rows of their own, as in the log. Durations are of the processor's counter, converted: 1 ns as printed.
    A safepoint that lacks one of its two events is residue, but for one in which the recording began or ended.

    Parameters
    ----------
    jfr
        The `jfr` program of a JDK no older than the one that recorded.
    clocks
        Both clocks, read together by the caller near the time of the recording, on the same machine. Its uncertainty
        is the `alignment_error_ns`; a wall clock that was set or slewed between the reading and the event adds to it
        unseen.

    Raises
    ------
    MeterFailed
        There is no recording, or it could not be printed.
    """
    rows = PauseRows("java", collector, pid)
    events = _events(_printed(recording, jfr), rows)
    causes = {event.said["gcId"]: event.said["cause"] for event in events if event.kind == _COLLECTION}
    found = [(point.end.end_ns, point) for point in _safepoints(events, rows)]
    found += [(event.end_ns, event) for event in events if event.kind in (_PAUSE, _STALL)]
    for _, pause in sorted(found, key=lambda pair: pair[0]):
        if isinstance(pause, _Safepoint):
            _add_safepoint(rows, pause, causes, clocks)
        elif pause.kind == _PAUSE:
            _add_pause(rows, pause, causes, clocks)
        else:
            rows.add("jfr", "alloc_stall", "thread", "Allocation Stall", **_times(pause.begin_ns, pause.end_ns, clocks))
    return rows.log()


def _printed(recording: Path, jfr: Path) -> list[dict[str, Any]]:
    if not recording.is_file():
        raise MeterFailed(
            f"There is no recording {recording.name}: the JVM was not told to record, or was killed before it wrote it."
        )
    command = [jfr, "print", "--json", "--stack-depth", "1", "--events", ",".join(_TIMED), recording]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PRINT_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MeterFailed(f"{jfr} could not print {recording.name}: {error}.") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise MeterFailed(
            f"{jfr} could not print {recording.name}: {said or f'exit code {done.returncode}'}. A recording is whole"
            " once its JVM has ended, and is read by a JDK no older than that which wrote it."
        )
    try:
        return json.loads(done.stdout)["recording"]["events"]
    except (ValueError, LookupError, TypeError):
        raise MeterFailed(f"{jfr} printed no JSON of a recording for {recording.name}: is it the JDK's jfr?") from None


def _events(printed: list[dict[str, Any]], rows: PauseRows) -> list[_Event]:
    """Give the events by their begin; one without instant or duration is residue."""
    events = []
    for number, event in enumerate(printed, start=1):
        said = event["values"]
        begin_ns, lasted_ns = instant_ns(said["startTime"]), duration_ns(said["duration"])
        if begin_ns is None or lasted_ns is None:
            rows.unread("jfr", number, json.dumps(event))
        else:
            events.append(_Event(number, event["type"], begin_ns, lasted_ns, said))
    return sorted(events, key=lambda event: event.begin_ns)


def instant_ns(text: str) -> int | None:
    """Give the instant that JFR prints, in ns since 1970; None when it is in another form."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    second = datetime.fromisoformat(match["second"] + match["zone"].replace("Z", "+00:00"))
    return int(second.timestamp()) * _NS + _fraction_ns(match["fraction"])


def duration_ns(text: str) -> int | None:
    """Give the duration that JFR prints, in ns; None when it is in another form or unknown."""
    match = _DURATION.fullmatch(text)
    if match is None or text == "PT":
        return None  # JFR prints what it does not know as the smallest number there is
    hours, minutes, seconds = (int(match[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    return (hours * 3600 + minutes * 60 + seconds) * _NS + _fraction_ns(match["fraction"])


def _fraction_ns(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))


def _safepoints(events: list[_Event], rows: PauseRows) -> Iterator[_Safepoint]:
    begins = [event for event in events if event.kind == _BEGIN]
    ends = {event.said["safepointId"]: event for event in events if event.kind == _END}
    operations = {event.said["safepointId"]: event for event in events if _stops_the_world(event)}
    pauses = [event for event in events if event.kind == _PAUSE]
    at_the_edges = {event.number for event in (*begins[:1], *begins[-1:])}
    for begin in begins:
        number = begin.said["safepointId"]
        end, operation = ends.pop(number, None), operations.get(number)
        if end is None:
            if begin.number not in at_the_edges:
                rows.unread("jfr", begin.number, f"{_BEGIN} of safepoint {number} without an end")
            continue
        within = tuple(pause for pause in pauses if begin.begin_ns <= pause.begin_ns < end.end_ns)
        yield _Safepoint(begin, end, operation and operation.said["operation"], within)
    first = min(ends.values(), key=lambda event: event.begin_ns, default=None)
    for end in ends.values():
        if end is not first or (begins and begins[0].begin_ns < end.begin_ns):
            rows.unread("jfr", end.number, f"{_END} of safepoint {end.said['safepointId']} without a begin")


def _stops_the_world(event: _Event) -> bool:
    return event.kind == _OPERATION and event.said["safepoint"]


def _add_safepoint(rows: PauseRows, point: _Safepoint, causes: dict[int, str], clocks: Clocks) -> None:
    first = point.pauses[0].said["gcId"] if point.pauses else None
    cause = causes.get(first)
    operation = point.operation or "unknown"
    by_collector = bool(point.pauses) or of_collector(operation)
    kind = "stw_gc" if by_collector else "stw_other"
    rows.add(
        "jfr",
        "degenerated" if "Degenerated" in operation else kind,
        "process",
        operation,
        cause=cause,
        gc_id=first,
        forced=asked_for(cause),
        ttsp_ns=point.begin.duration_ns,
        **_times(point.begin.begin_ns, point.end.end_ns, clocks),
    )


def _add_pause(rows: PauseRows, pause: _Event, causes: dict[int, str], clocks: Clocks) -> None:
    gc_id = pause.said["gcId"]
    phase, named = split_title(pause.said["name"])
    cause = named or causes.get(gc_id)
    rows.add(
        "jfr",
        "degenerated" if "Degenerated" in phase else "stw_gc",
        "process",
        phase,
        cause=cause,
        gc_id=gc_id,
        forced=asked_for(cause),
        **_times(pause.begin_ns, pause.end_ns, clocks),
    )


def _times(begin_ns: int, end_ns: int, clocks: Clocks) -> dict[str, int]:
    return {
        "end_ns": end_ns - clocks.offset_ns,
        "alignment_error_ns": clocks.uncertainty_ns,
        "dur_lo_ns": end_ns - begin_ns,
        "dur_hi_ns": end_ns - begin_ns,
        "resolution_ns": 1,
    }
