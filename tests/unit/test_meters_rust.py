"""Drops from a Rust gateway's record of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import MeterFailed
from bench.meters import pauses
from bench.meters.pause_log import PauseLog
from bench.store.schema import PAUSES

HEADER = {"kind": "header", "pid": 7, "monotonic_ns": 1_000}
SECOND_NS = 10**9


def drop(start_ns: int, duration_ns: int, what: str = "answer") -> dict:
    return {"kind": "drop", "what": what, "start_ns": start_ns, "end_ns": start_ns + duration_ns, "bytes": None}


def sample(second: int, drops: int) -> dict:
    return {"kind": "sample", "monotonic_ns": 1_000 + second * SECOND_NS, "drops": drops, "drop_ns": 100 * drops}


def read_records(folder: Path, records: list[dict], tail: str = "") -> PauseLog:
    text = "".join(json.dumps(record) + "\n" for record in records) + tail
    (folder / "rust_drops.jsonl").write_text(text)
    return pauses.read("rust", "none", 7, folder)


def dealloc(log: PauseLog) -> list[dict[str, object]]:
    return [row for row in log.pauses.to_pylist() if row["kind"] == "dealloc"]


def test_a_process_without_a_drop_still_says_that_it_has_no_collector(tmp_path: Path) -> None:
    log = read_records(tmp_path, [HEADER, sample(1, drops=0)])
    [row] = log.pauses.to_pylist()
    assert (row["source"], row["kind"], row["count"]) == ("not_applicable", "not_applicable", 0)
    assert row["dur_lo_ns"] is row["dur_hi_ns"] is row["end_ns"] is None
    assert log.pauses.schema.names == PAUSES.schema.names[1:]


def test_a_long_drop_is_one_row_with_its_exact_duration(tmp_path: Path) -> None:
    log = read_records(tmp_path, [HEADER, drop(5_000, 23_456, "entry"), sample(1, drops=1)])
    [row] = dealloc(log)
    assert (row["source"], row["scope"], row["phase"], row["count"]) == ("rust_drop", "thread", "entry", 1)
    assert (row["dur_lo_ns"], row["dur_hi_ns"], row["resolution_ns"]) == (23_456, 23_456, 1)
    assert (row["end_ns"], row["window_ns"], row["alignment_error_ns"]) == (28_456, 0, 0)


def test_the_drops_without_a_line_are_one_row_a_sample(tmp_path: Path) -> None:
    records = [HEADER, drop(5_000, 30_000), drop(6_000, 9, "free"), sample(1, drops=12), sample(4, drops=15)]
    short = [row for row in dealloc(read_records(tmp_path, records)) if row["phase"] == "short drops"]
    columns = ("count", "dur_lo_ns", "dur_hi_ns", "resolution_ns", "end_ns", "window_ns", "alignment_error_ns")
    assert [tuple(row[column] for column in columns) for row in short] == [
        (10, 0, 20_000, 20_000, 1_000 + SECOND_NS, SECOND_NS, 0),
        (3, 0, 20_000, 20_000, 1_000 + 4 * SECOND_NS, 3 * SECOND_NS, 0),
    ]


def test_drops_after_the_last_sample_are_kept(tmp_path: Path) -> None:
    rows = dealloc(read_records(tmp_path, [HEADER, sample(1, drops=0), drop(2 * SECOND_NS, 20_000)]))
    assert [row["phase"] for row in rows] == ["answer"]


def test_a_record_cut_off_in_its_last_line_has_no_residue(tmp_path: Path) -> None:
    log = read_records(tmp_path, [HEADER, sample(1, drops=2)], tail='{"kind":"dr')
    assert (log.residue.num_rows, [row["count"] for row in dealloc(log)]) == (0, [2])


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "strange"},
        {"kind": "drop", "what": "answer", "start_ns": 5},
        {"kind": "drop", "what": "answer", "start_ns": "5", "end_ns": 6},
        {"kind": "drop", "what": "soup", "start_ns": 5, "end_ns": 6},
        {"kind": "drop", "what": "answer", "start_ns": 6, "end_ns": 5},
        {"kind": "sample", "monotonic_ns": 5, "drops": True, "drop_ns": 1},
        HEADER,
    ],
)
def test_a_malformed_line_in_the_middle_is_residue(tmp_path: Path, line: dict) -> None:
    log = read_records(tmp_path, [HEADER, line, sample(1, drops=2)])
    assert log.residue.select(["source", "line"]).to_pylist() == [{"source": "rust_drop", "line": 2}]
    assert [row["count"] for row in dealloc(log)] == [2]


def test_a_sample_that_counts_fewer_drops_than_there_are_lines_is_residue(tmp_path: Path) -> None:
    records = [HEADER, drop(5_000, 30_000), sample(1, drops=0), sample(2, drops=4)]
    log = read_records(tmp_path, records)
    assert log.residue["line"].to_pylist() == [3]
    assert [row["count"] for row in dealloc(log)] == [1, 4]


def test_a_missing_or_foreign_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeterFailed, match="GATEWAY_METERS_DIR"):
        pauses.read("rust", "none", 7, tmp_path)
    with pytest.raises(MeterFailed, match="record of process 8, not of 7"):
        read_records(tmp_path, [HEADER | {"pid": 8}])
    with pytest.raises(MeterFailed, match="header"):
        read_records(tmp_path, [sample(1, drops=0)])
    with pytest.raises(MeterFailed, match="header"):
        read_records(tmp_path, [])


windows = st.lists(st.tuples(st.lists(st.integers(20_000, 10**7), max_size=5), st.integers(0, 1000)), max_size=8)


@settings(max_examples=50, deadline=None)
@given(windows)
def test_every_drop_that_was_counted_is_in_one_row(tmp_path_factory: pytest.TempPathFactory, windows: list) -> None:
    records, drops = [HEADER], 0
    for second, (long, short) in enumerate(windows, start=1):
        records += [drop(second * SECOND_NS, duration) for duration in long]
        drops += len(long) + short
        records.append(sample(second, drops))
    log = read_records(tmp_path_factory.mktemp("drops"), records)
    rows = dealloc(log)
    assert sum(row["count"] for row in rows) == drops
    assert [row["dur_lo_ns"] for row in rows if row["window_ns"] == 0] == [ns for long, _ in windows for ns in long]
    assert log.residue.num_rows == 0
