"""Pauses from V8's trace events, checked against what `--trace-gc` printed in the same run."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import MeterFailed
from bench.meters import node, pauses
from bench.meters.pause_log import PauseLog
from bench.meters.trace_gc import Collection, collections, unread
from bench.store.schema import PAUSES

FIXTURES = Path(__file__).parent / "fixtures" / "meters"
PIDS = {"node20": 25435, "node24": 25574}


def read(version: str) -> PauseLog:
    return node.read([FIXTURES / f"{version}_trace.json"], "v8", PIDS[version])


def printed(version: str) -> list[Collection]:
    return collections((FIXTURES / f"{version}_trace_gc.txt").read_text())


def event(name: str, ts: int, dur: int = 0, *, ph: str = "X", tid: int = 1, pid: int = 1, **args: str) -> dict:
    return {"pid": pid, "tid": tid, "ts": ts, "ph": ph, "cat": "v8", "name": name, "dur": dur, "args": args}


def read_events(folder: Path, events: list[dict], closing: str = "]}") -> PauseLog:
    path = folder / "v8-1-1.json"
    path.write_text(
        '{"traceEvents":[' + ",".join(json.dumps(e, separators=(",", ":")) for e in events) + closing
    )  # fmt: skip
    return node.read([path], "v8", 1)


@pytest.mark.parametrize("version", PIDS)
def test_the_trace_has_the_collections_and_steps_that_trace_gc_printed(version: str) -> None:
    rows = read(version).pauses.to_pylist()
    said = printed(version)
    phases = Counter(row["phase"] for row in rows)
    assert phases["V8.GCScavenger"] == sum(c.kind == "Scavenge" for c in said) > 5
    assert phases["V8.GCFinalizeMC"] == sum("finalize" in c.cause for c in said) == 1
    assert phases["V8.GCCompactor"] == sum("testing" in c.cause for c in said) == 5
    assert phases["V8.GCIncrementalMarking"] == sum(c.steps for c in said) > 10
    assert read(version).residue.num_rows == 0


@pytest.mark.parametrize("version", PIDS)
def test_a_collection_in_the_trace_lasts_as_long_as_the_one_printed(version: str) -> None:
    rows = [row for row in read(version).pauses.to_pylist() if row["kind"] == "stw_gc"]
    for row, said in zip(rows, printed(version), strict=True):
        # The bracket holds the callbacks too, so it may be longer; it is never shorter, but for the printed digits.
        assert row["dur_hi_ns"] >= said.pause_ms * 1e6 - 5_000
    traced, said = sum(row["dur_lo_ns"] for row in rows) / 1e6, sum(c.pause_ms for c in printed(version))
    assert said == pytest.approx(traced, rel=0.02)


@pytest.mark.parametrize("version", PIDS)
def test_five_calls_of_gc_are_five_forced_collections(version: str) -> None:
    rows = read(version).pauses.to_pylist()
    assert sum(row["forced"] is True for row in rows) == 5
    assert {row["cause"] for row in rows if row["forced"]} == {"testing"}


@pytest.mark.parametrize("version", PIDS)
def test_no_two_pauses_of_an_isolate_overlap(version: str) -> None:
    log = read(version)
    ends = 0
    for row in log.pauses.to_pylist():
        begin = row["end_ns"] - (row["dur_lo_ns"] + row["dur_hi_ns"]) // 2
        assert begin >= ends
        ends = row["end_ns"]
    assert log.pauses.schema.names == PAUSES.schema.names[1:]


def test_the_bracket_is_the_pause_and_the_event_within_it_its_name(tmp_path: Path) -> None:
    log = read_events(
        tmp_path,
        [
            event("MinorGC", 1000, ph="B", type="allocation failure"),
            event("V8.GCScavenger", 1010, 500),
            event("MinorGC", 1600, ph="E"),
        ],
    )
    [row] = log.pauses.to_pylist()
    assert (row["kind"], row["scope"], row["phase"]) == ("stw_gc", "isolate", "V8.GCScavenger")
    assert (row["cause"], row["forced"]) == ("allocation failure", False)
    assert (row["end_ns"], row["alignment_error_ns"]) == (1_600_000, 1_000)
    assert (row["dur_lo_ns"], row["dur_hi_ns"], row["resolution_ns"]) == (599_000, 601_000, 1_000)


def test_isolates_pause_each_for_themselves_and_other_processes_not_at_all(tmp_path: Path) -> None:
    log = read_events(
        tmp_path,
        [
            event("V8.GCScavenger", 1000, 500),
            event("V8.GCScavenger", 1100, 100, tid=2),
            event("V8.GCScavenger", 1200, 100, pid=2),
            event("V8.GCScavenger", 1200, 100, tid=1),
        ],
    )
    assert [row["end_ns"] for row in log.pauses.to_pylist()] == [1_200_000, 1_500_000]


def test_a_collection_within_an_incremental_step_makes_it_a_collection(tmp_path: Path) -> None:
    log = read_events(tmp_path, [event("V8.GCIncrementalMarking", 1000, 500), event("V8.GCFinalizeMC", 1100, 300)])
    assert log.pauses["kind"].to_pylist() == ["stw_gc"]
    assert log.pauses["dur_lo_ns"].to_pylist() == [499_000]


@pytest.mark.parametrize("version", PIDS)
def test_a_trace_cut_off_anywhere_gives_the_pauses_up_to_there(tmp_path: Path, version: str) -> None:
    text = (FIXTURES / f"{version}_trace.json").read_text()
    whole = read(version).pauses.to_pylist()
    path = tmp_path / "trace.json"
    for cut in range(len(text) // 2, len(text) - 500, 997):
        path.write_text(text[:cut])
        log = node.read([path], "v8", PIDS[version])
        found = log.pauses.to_pylist()
        assert log.residue.num_rows == 0
        # A collection whose closing bracket is lost still shows by the event within it.
        assert found[:-1] == whole[: len(found) - 1]
        assert len(whole) / 4 < len(found) <= len(whole)


def test_what_cannot_be_read_in_the_middle_is_residue(tmp_path: Path) -> None:
    path = tmp_path / "v8-1-1.json"
    good = json.dumps(event("V8.GCScavenger", 1000, 500), separators=(",", ":"))
    path.write_text('{"traceEvents":[' + good + ',{"pid":1,"name":"V8.GCSca' + "," + good + "]}")
    log = node.read([path], "v8", 1)
    assert [(line["line"], line["text"]) for line in log.residue.to_pylist()] == [(2, '{"pid":1,"name":"V8.GCSca')]


def test_an_event_of_the_collector_that_nobody_knows_is_residue(tmp_path: Path) -> None:
    log = read_events(tmp_path, [event("V8.GCStrange", 1000, 500), event("V8.DeoptimizeCode", 1600, 5)])
    assert [line["line"] for line in log.residue.to_pylist()] == [1]


def test_a_bracket_left_open_is_residue_unless_the_process_ended_in_it(tmp_path: Path) -> None:
    open_bracket = [event("MajorGC", 1000, ph="B", type="testing")]
    assert read_events(tmp_path, open_bracket).residue.num_rows == 1
    assert read_events(tmp_path, open_bracket, closing="").residue.num_rows == 0
    assert read_events(tmp_path, [event("MajorGC", 1000, ph="E")]).residue.num_rows == 1


def test_rotated_files_are_read_in_their_order_as_one_trace(tmp_path: Path) -> None:
    first, second = [event("MajorGC", 1000, ph="B", type="task")], [event("MajorGC", 3000, ph="E")]
    for rotation, events in (("9", first), ("10", second)):
        text = json.dumps({"traceEvents": events}, separators=(",", ":"))
        (tmp_path / f"v8-1-{rotation}.json").write_text(text)
    log = pauses.read("node", "v8", 1, tmp_path)
    assert log.pauses["dur_lo_ns"].to_pylist() == [1_999_000]
    assert log.residue.num_rows == 0


def test_no_trace_is_an_error_and_not_a_process_without_pauses(tmp_path: Path) -> None:
    with pytest.raises(MeterFailed, match="killed"):
        pauses.read("node", "v8", 1, tmp_path)


_NAMES = ["V8.GCScavenger", "V8.GCIncrementalMarking", "V8.GCFinalizeMC", "V8.GCIncrementalMarkingStart"]


@settings(deadline=None)
@given(
    gaps=st.lists(
        st.tuples(st.integers(0, 1000), st.integers(2, 10**6), st.sampled_from(_NAMES), st.booleans()),
        min_size=1,
        max_size=20,
    )
)
def test_nested_events_never_add_to_the_time_that_stood_still(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[tuple[int, int, str, bool]]
) -> None:
    events, now, stood_still = [], 10**9, 0
    for gap, duration, name, nested in gaps:
        now += gap
        events.append(event(name, now, duration))
        if nested:
            events.append(event("V8.GCScavenger", now + 1, duration - 2))
        now += duration
        stood_still += duration
    log = read_events(tmp_path_factory.mktemp("trace"), events)
    rows = log.pauses.to_pylist()
    assert len(rows) == len(gaps)
    assert sum(row["dur_lo_ns"] + 1000 for row in rows) == stood_still * 1000


@pytest.mark.parametrize("version", PIDS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_trace_cut_off_at_any_byte_neither_fails_nor_invents_a_pause(
    tmp_path_factory: pytest.TempPathFactory, version: str, data: st.DataObject
) -> None:
    text = (FIXTURES / f"{version}_trace.json").read_bytes()
    path = tmp_path_factory.getbasetemp() / f"{version}-cut.json"
    path.write_bytes(text[: data.draw(st.integers(0, len(text)))])
    log = node.read([path], "v8", PIDS[version])
    assert log.residue.num_rows == 0
    found, whole = (Counter(map(str, pauses.to_pylist())) for pauses in (log.pauses, read(version).pauses))
    # At most one event is not of the whole trace: the inner part of a bracket whose end was cut off.
    assert sum((found - whole).values()) <= 1


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["V8.GCScavenger", "V8.GCFinalizeMC", "V8.GCIncrementalMarking", "V8.GCMinorMS"]),
            st.integers(1, 10**6),
            st.integers(1, 10**6),
            st.sampled_from([None, "testing", "allocation failure"]),
        ),
        max_size=20,
    ),
    split=st.integers(0, 20),
)
def test_events_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, str | None]], split: int
) -> None:
    now, files, expected = 10**9, ([], []), []
    for number, (name, gap, duration, cause) in enumerate(steps):
        now += gap
        events = [event(name, now, duration)]
        if cause is not None and name != "V8.GCIncrementalMarking":
            bracket = "MinorGC" if name in ("V8.GCScavenger", "V8.GCMinorMS") else "MajorGC"
            events = [event(bracket, now, ph="B", type=cause), *events, event(bracket, now + duration, ph="E")]
        else:
            cause = None
        files[number >= split].extend(events)
        now += duration
        expected.append((name, cause, now * 1000, (duration - 1) * 1000, (duration + 1) * 1000))
    folder, paths = tmp_path_factory.mktemp("trace"), []
    for number, events in enumerate(files, start=1):
        paths.append(folder / f"v8-1-{number}.json")
        paths[-1].write_text('{"traceEvents":[' + ",".join(json.dumps(e, separators=(",", ":")) for e in events) + "]}")
    log = node.read(paths, "v8", 1)
    columns = ("phase", "cause", "end_ns", "dur_lo_ns", "dur_hi_ns")
    assert [tuple(row[column] for column in columns) for row in log.pauses.to_pylist()] == expected
    assert log.residue.num_rows == 0


def test_an_event_that_lacks_what_is_asked_of_it_is_residue_and_a_file_that_is_gone_an_error(tmp_path: Path) -> None:
    without = event("V8.GCScavenger", 1000, 500)
    del without["dur"]
    assert [line["line"] for line in read_events(tmp_path, [without, {"pid": 1, "x": "GC"}]).residue.to_pylist()] == [
        1,
        2,
    ]
    with pytest.raises(MeterFailed, match=r"no v8-9-1\.json"):
        node.read([tmp_path / "v8-9-1.json"], "v8", 9)


@pytest.mark.parametrize("version", PIDS)
def test_no_line_of_trace_gc_is_left_unread(version: str) -> None:
    text = (FIXTURES / f"{version}_trace_gc.txt").read_text()
    assert unread(text) == []
    strange = "[1:0x1]       68 ms: Mark-Strange 3.9 (5.5) -> 3.7 (6.2) MB, 11.00 / 0.00 ms"
    assert unread(f"{text}{strange}\nanother line\n") == [strange]
    assert len(collections(text)) == text.count(" ms: ")
