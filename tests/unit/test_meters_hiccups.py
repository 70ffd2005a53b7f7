"""The record of a hiccup meter, written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from bench.errors import MeterFailed
from bench.meters import hiccups

S, MS, US = 1_000_000_000, 1_000_000, 1_000


def written(folder: Path, *records: tuple[int, int, int], tail: bytes = b"") -> Path:
    path = folder / hiccups.FILE
    path.write_bytes(b"".join(struct.pack("<3q", *record) for record in records) + tail)
    return path


def test_the_99th_percentile_counts_the_wakes_that_were_on_time(tmp_path: Path) -> None:
    # 1000 wakes a second; of the 400 in the window five were recorded: rank 396 of 400 is the fifth latest.
    late = [(S + n * 10 * MS, (n + 1) * MS, 0) for n in range(5)]
    record = hiccups.read(written(tmp_path, (0, -1, 0), *late, (2 * S, -1, 2000)))
    assert record.within(S, S + 400 * MS) == hiccups.Lateness(400, 1 * MS, 5 * MS)
    # Rank 495 of 500 is the sixth latest, which was not recorded: at most 50 µs.
    assert record.within(S, S + 500 * MS) == hiccups.Lateness(500, 50 * US, 5 * MS)


def test_a_window_that_the_record_does_not_span_is_unknown(tmp_path: Path) -> None:
    record = hiccups.read(written(tmp_path, (1 * S, -1, 0), (2 * S, -1, 1000)))
    assert record.within(S, 2 * S) == hiccups.Lateness(1000, 50 * US, 50 * US)
    assert record.within(S - 1, 2 * S) is None
    assert record.within(S, 2 * S + 1) is None


def test_rows_are_the_wakes_half_a_millisecond_late_and_an_untold_delay_is_null(tmp_path: Path) -> None:
    record = hiccups.read(written(tmp_path, (0, -1, 0), (5, 499_999, 7), (S, 500_000, 7), (2 * S, MS, -1)))
    assert record.table("control", 9).to_pylist() == [
        {"role": "control", "pid": 9, "due_ns": S, "late_ns": 500_000, "run_delay_ns": 7},
        {"role": "control", "pid": 9, "due_ns": 2 * S, "late_ns": MS, "run_delay_ns": None},
    ]
    assert record.table("control", 9).schema == hiccups.rows(None, "control", 9).schema


def test_a_record_cut_off_by_the_end_of_its_process_is_left_out(tmp_path: Path) -> None:
    record = hiccups.read(written(tmp_path, (0, -1, 0), (S, -1, 1000), tail=b"\0" * 23))
    assert record.counted_ns.tolist() == [0, S]


def test_no_file_and_no_whole_record_are_no_record(tmp_path: Path) -> None:
    assert hiccups.read(tmp_path / "hiccups.bin") is None
    assert hiccups.read(written(tmp_path, tail=b"\0" * 23)) is None


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([(S, MS, 0)], "does not begin with a count"),
        ([(0, -1, 0), (S, MS, 0), (S, -1, 3)], "Record 3 of .* is earlier"),
        ([(0, -1, 0), (S, 49_999, 0)], "Record 2 of .* is neither"),
        ([(0, -1, 0), (S, MS, -2)], "Record 2 of .* is neither"),
    ],
)
def test_what_no_hiccup_meter_writes_is_refused_with_the_record(tmp_path: Path, records, said: str) -> None:
    with pytest.raises(MeterFailed, match=said):
        hiccups.read(written(tmp_path, *records))
