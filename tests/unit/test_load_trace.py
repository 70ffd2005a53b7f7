"""Traces: what is read of them, what is replayed, and what is no trace."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.errors import LoadFailed
from bench.load import trace


def due(recorded):
    chunks = list(recorded.chunks())
    return np.concatenate(chunks).tolist() if chunks else []


def csv(folder, text):
    path = folder / "trace.csv"
    path.write_text(text)
    return path


def parquet(folder, **columns):
    path = folder / "requests.parquet"
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(
    "text",
    ["0.5\n0.75\n2\n", "time_s\n0.5\n0.75\n2\n", "user,time_s\n9,0.5\n9,0.75\n9,2\n", "seconds,status\n0.5,200\n0.75,200\n2,500\n"],
)  # fmt: skip
def test_seconds_are_read_from_their_column_or_from_the_first_and_count_from_the_first_arrival(tmp_path, text):
    assert due(trace.read(csv(tmp_path, text))) == [0, 250_000_000, 1_500_000_000]


def test_nanoseconds_of_any_clock_are_kept_to_the_nanosecond(tmp_path):
    instants = [1 << 60, (1 << 60) + 1, (1 << 60) + 7]
    assert due(trace.read(parquet(tmp_path, intended_ns=instants, time_s=[5.0, 6.0, 7.0]))) == [0, 1, 7]


def test_rows_out_of_order_are_put_in_order(tmp_path):
    assert due(trace.read(csv(tmp_path, "2\n0\n1\n"))) == [0, 1_000_000_000, 2_000_000_000]


def test_twice_the_speed_halves_every_instant_and_a_duration_cuts_the_replay(tmp_path):
    path = csv(tmp_path, "0\n1\n2\n3\n")
    assert due(trace.read(path, speed=2)) == [0, 500_000_000, 1_000_000_000, 1_500_000_000]
    assert due(trace.read(path, speed=2, duration_s=1.0)) == [0, 500_000_000]


def test_workers_take_turns_and_together_replay_the_trace(tmp_path):
    recorded = trace.read(csv(tmp_path, "".join(f"{n * n}\n" for n in range(10_000))))
    shares = [due(recorded.share(index, 3)) for index in range(3)]
    assert [len(share) for share in shares] == [3_334, 3_333, 3_333]
    assert sorted(instant for share in shares for instant in share) == due(recorded)
    assert due(recorded.share(0, 1)) == due(recorded)
    # Three workers for two arrivals: one has nothing to do, and that is no error.
    assert due(trace.read(csv(tmp_path, "0\n1\n")).share(2, 3)) == []


def test_one_cell_of_a_run_is_replayed_within_its_measured_window(tmp_path):
    path = parquet(tmp_path, cell_id=["a", "a", "a", "b"], intended_ns=[100, 200, 300, 400])
    with pytest.raises(LoadFailed, match=r"holds 2 cells\. Choose one: --trace-cell a"):
        trace.read(path)
    with pytest.raises(LoadFailed, match="no cell named 'c'"):
        trace.read(path, cell="c")
    assert due(trace.read(path, cell="a")) == [0, 100, 200]
    cells = {"cell_id": ["a", "b"], "measure_start_ns": [200, 0], "measure_end_ns": [300, 9]}
    pq.write_table(pa.table(cells), tmp_path / "cells.parquet")
    assert due(trace.read(path, cell="a")) == [0]
    with pytest.raises(LoadFailed, match="holds no arrival"):
        trace.read(path, cell="b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("time_s\n", "no column of instants"),
        ("name\nx\n", "no column of instants: it has name"),
        ("time_s\n1\n\n2,3\n", "neither parquet nor CSV"),
        ("time_s,b\n1,x\n,x\n2,x\n", "rows without an instant"),
        ("time_s\n1\nnan\n", "rows without an instant"),
        ("time_s\n-1\n2\n", "an instant of -1"),
        ("PAR1 and nothing", "neither parquet nor CSV"),
    ],
)
def test_what_is_no_trace_is_a_sentence(tmp_path, text, said):
    with pytest.raises(LoadFailed, match=said):
        trace.read(csv(tmp_path, text))


def test_a_parquet_file_without_a_row_is_a_sentence(tmp_path):
    with pytest.raises(LoadFailed, match="holds no arrival"):
        trace.read(parquet(tmp_path, time_s=pa.array([], pa.float64())))


def test_a_file_that_is_not_there_and_a_folder_are_sentences(tmp_path):
    with pytest.raises(LoadFailed, match="cannot be read: No such file"):
        trace.read(tmp_path / "none.csv")
    with pytest.raises(LoadFailed, match="cannot be read: Is a directory"):
        trace.read(tmp_path)


def test_a_speed_that_is_none_a_duration_that_is_none_and_a_cell_of_a_trace_without_cells_are_sentences(tmp_path):
    path = csv(tmp_path, "0\n1\n")
    with pytest.raises(LoadFailed, match="positive --speed"):
        trace.read(path, speed=0)
    with pytest.raises(LoadFailed, match="positive duration"):
        trace.read(path, duration_s=0)
    with pytest.raises(LoadFailed, match="has no cells"):
        trace.read(path, cell="a")
