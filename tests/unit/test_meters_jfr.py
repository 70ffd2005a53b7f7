"""Pauses from a JVM's flight recorder. The program that prints a recording is scripted, but for one real recording."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import toolchains
from bench.errors import MeterFailed
from bench.meters import jfr
from bench.meters.clocks import Clocks
from bench.meters.pause_log import PauseLog
from bench.store.schema import PAUSES

FIXTURES = Path(__file__).parent / "fixtures" / "meters"
WALL_NS = 1_764_000_000_000_000_000
"""2025-11-24T16:00:00Z."""
CLOCKS = Clocks(monotonic_ns=5_000, wall_ns=WALL_NS, uncertainty_ns=70)


def printer(folder: Path, printed: str, code: int = 0) -> Path:
    (folder / "printed.json").write_text(printed)
    program = folder / "jfr"
    program.write_text(f'#!/bin/sh\ncat "$(dirname "$0")/printed.json"\nexit {code}\n')
    program.chmod(0o755)
    return program


def read_printed(folder: Path, printed: str) -> PauseLog:
    recording = folder / "a.jfr"
    recording.touch()
    return jfr.read(recording, printer(folder, printed), 4711, "zgc", CLOCKS)


def read_events(folder: Path, events: list[tuple[str, str, str, dict[str, object]]]) -> PauseLog:
    """Give the pauses in events of a kind, an instant after 16:00:00 and a duration in seconds, as JFR prints them."""
    printed = [
        {
            "type": f"jdk.{kind}",
            "values": {"startTime": f"2025-11-24T16:00:{at}Z", "duration": f"PT{lasted}S"} | said,
        }
        for kind, at, lasted, said in events
    ]
    return read_printed(folder, json.dumps({"recording": {"events": printed}}))


def safepoint(number: int, second: int = 1) -> list[tuple[str, str, str, dict[str, object]]]:
    said = {"safepointId": number}
    return [
        ("SafepointBegin", f"{second:02}.000000100", "0.0000003", said),
        ("SafepointEnd", f"{second:02}.000000900", "0.00000005", said),
    ]


def test_a_safepoint_lasts_from_the_begin_of_its_first_event_to_the_end_of_its_last(tmp_path: Path) -> None:
    operation = {"safepointId": 7, "operation": "ZMarkStartYoung", "safepoint": True}
    log = read_events(
        tmp_path,
        [
            *safepoint(7),
            ("ExecuteVMOperation", "01.000000450", "0.0000004", operation),
            ("GCPhasePause", "01.0000005", "0.0000002", {"gcId": 3, "name": "Pause Mark Start"}),
            ("GarbageCollection", "00.9", "0.5", {"gcId": 3, "cause": "System.gc()"}),
        ],
    )
    pause, stop = log.pauses.to_pylist()
    assert (stop["source"], stop["kind"], stop["scope"], stop["phase"]) == (
        "jfr",
        "stw_gc",
        "process",
        "ZMarkStartYoung",
    )
    assert (stop["gc_id"], stop["cause"], stop["forced"]) == (3, "System.gc()", True)
    assert (stop["dur_lo_ns"], stop["dur_hi_ns"], stop["ttsp_ns"], stop["resolution_ns"]) == (850, 850, 300, 1)
    assert (stop["end_ns"], stop["alignment_error_ns"], stop["window_ns"]) == (5_000 + 10**9 + 950, 70, 0)
    assert (pause["phase"], pause["dur_lo_ns"], pause["end_ns"]) == ("Pause Mark Start", 200, 5_000 + 10**9 + 700)
    assert (pause["ttsp_ns"], pause["forced"], pause["gc_id"], pause["pid"]) == (None, True, 3, 4711)
    assert log.pauses.schema.names == PAUSES.schema.names[1:]
    assert log.residue.num_rows == 0


def test_a_safepoint_of_no_collector_and_a_stall_are_told_apart(tmp_path: Path) -> None:
    said = {"safepointId": 1, "operation": "ICBufferFull", "safepoint": True}
    log = read_events(
        tmp_path,
        [
            *safepoint(1),
            ("ExecuteVMOperation", "01.0000005", "0.0000001", said),
            ("ZAllocationStall", "02.000", "0.017790138", {"type": "Small", "size": 2097152}),
        ],
    )
    other, stall = log.pauses.to_pylist()
    assert (other["kind"], other["phase"], other["forced"]) == ("stw_other", "ICBufferFull", None)
    assert (stall["kind"], stall["scope"], stall["dur_lo_ns"]) == ("alloc_stall", "thread", 17_790_138)


def test_half_a_safepoint_is_residue_unless_the_recording_began_or_ended_in_it(tmp_path: Path) -> None:
    points = {number: safepoint(number, second=number) for number in range(1, 6)}
    log = read_events(tmp_path, [*points[1][:1], *points[2], *points[3][:1], *points[4], *points[5][:1]])
    assert [row["ttsp_ns"] for row in log.pauses.to_pylist()] == [300, 300]
    assert [line["text"] for line in log.residue.to_pylist()] == ["jdk.SafepointBegin of safepoint 3 without an end"]
    log = read_events(tmp_path, [*points[1][1:], *points[2], *points[3][1:], *points[4]])
    assert [line["text"] for line in log.residue.to_pylist()] == ["jdk.SafepointEnd of safepoint 3 without a begin"]


def test_an_event_whose_duration_jfr_does_not_know_is_residue(tmp_path: Path) -> None:
    stall = ("ZAllocationStall", "01.5", "0.1", {"duration": "PT-2562047788015H-30M-8.4775808S"})
    assert read_events(tmp_path, [stall]).residue["line"].to_pylist() == [1]


@given(
    ns=st.integers(0, 10**14),
    offset_h=st.integers(-11, 11),
    digits=st.integers(0, 9),
)
def test_durations_and_instants_are_read_to_the_nanosecond(ns: int, offset_h: int, digits: int) -> None:
    whole, fraction = divmod(ns, 10**9)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    assert jfr.duration_ns(f"{text}{seconds}.{fraction:09}S") == ns
    part = f"{fraction:09}"[:digits]
    instant = f"2025-11-24T16:00:00{'.' if part else ''}{part}{offset_h:+03}:00"
    assert jfr.instant_ns(instant) == WALL_NS - offset_h * 3600 * 10**9 + int(part.ljust(9, "0"))


@pytest.mark.parametrize(("name", "stops", "pauses", "stalls"), [("jdk25_z", 7, 7, 3), ("jdk17_g1", 7, 7, 0)])
def test_a_real_recording_has_the_safepoints_pauses_and_stalls_that_are_in_it(
    tmp_path: Path, name: str, stops: int, pauses: int, stalls: int
) -> None:
    log = read_printed(tmp_path, (FIXTURES / f"{name}_jfr.json").read_text())
    rows = log.pauses.to_pylist()
    assert log.residue.num_rows == 0
    assert sum(row["ttsp_ns"] is not None for row in rows) == stops
    assert sum(row["kind"] == "alloc_stall" for row in rows) == stalls
    assert len(rows) == stops + pauses + stalls
    assert {row["kind"] for row in rows} <= {"stw_gc", "alloc_stall"}


@pytest.mark.parametrize("jdk", ["jdk17", "jdk25"])
def test_a_jvm_takes_the_flags_and_its_recording_can_be_read(tmp_path: Path, jdk: str) -> None:
    if toolchains.missing([jdk]):
        pytest.skip(f"{jdk} is not on this machine")
    recording = tmp_path / "a.jfr"
    java = toolchains.find(jdk).path
    subprocess.run([java, *jfr.flags(recording), "-XX:+UseSerialGC", "-version"], check=True, capture_output=True)
    log = jfr.read(recording, jfr.program(), 1, "serial", Clocks.now())
    assert log.residue.num_rows == 0
    # The recorder's own safepoint: far below 10 ms, where the settings that come with a JDK begin to tell of them.
    own = next(row for row in log.pauses.to_pylist() if row["phase"] == "ClassLoaderStatsOperation")
    assert own["kind"] == "stw_other"
    assert 0 < own["ttsp_ns"] < own["dur_lo_ns"]


def test_what_cannot_be_printed_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MeterFailed, match=r"no recording a\.jfr"):
        jfr.read(tmp_path / "a.jfr", tmp_path / "jfr", 1, "g1", CLOCKS)
    (tmp_path / "a.jfr").write_bytes(b"no recording")
    with pytest.raises(MeterFailed, match=r"could not print a\.jfr: .*No such file"):
        jfr.read(tmp_path / "a.jfr", tmp_path / "jfr", 1, "g1", CLOCKS)
    with pytest.raises(MeterFailed, match=r"could not print a\.jfr: strange"):
        jfr.read(tmp_path / "a.jfr", printer(tmp_path, "strange", code=1), 1, "g1", CLOCKS)
    with pytest.raises(MeterFailed, match="printed no JSON"):
        jfr.read(tmp_path / "a.jfr", printer(tmp_path, "strange"), 1, "g1", CLOCKS)
