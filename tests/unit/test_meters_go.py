"""Pauses from a Go gateway's record of its runtime."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import MeterFailed, UnknownName
from bench.meters import pauses
from bench.meters.pause_log import PauseLog
from bench.store.schema import PAUSES

RECORD = Path(__file__).parent / "fixtures" / "meters" / "go_runtime.jsonl"
PID = 18285
TOTAL = "/sched/pauses/total/gc:seconds"
OTHER = "/sched/pauses/total/other:seconds"
STOPPING, STOPPING_OTHER = "/sched/pauses/stopping/gc:seconds", "/sched/pauses/stopping/other:seconds"
LATENCIES = "/sched/latencies:seconds"
CYCLES, FORCED = "/gc/cycles/total:gc-cycles", "/gc/cycles/forced:gc-cycles"
ASSIST = "/cpu/classes/gc/mark/assist:cpu-seconds"
START = {"kind": "header", "pid": 7, "monotonic_ns": 1_000, "wall_ns": 5_000_001_000, "uncertainty_ns": 40}


def sample(second: int, *, num_gc: int = 0, metrics: dict | None = None, drift_ns: int = 0, **more: object) -> dict:
    return {
        "kind": "sample",
        "monotonic_ns": 1_000 + second * 10**9,
        "wall_ns": 5_000_001_000 + second * 10**9 + drift_ns,
        "uncertainty_ns": 50,
        "num_gc": num_gc,
        "pauses": [],
        "metrics": {CYCLES: num_gc, FORCED: 0, ASSIST: 0.0} | (metrics or {}),
        "histograms": {},
    } | more


def read_records(folder: Path, records: list[dict], tail: str = "") -> PauseLog:
    text = "".join(json.dumps(record) + "\n" for record in records) + tail
    (folder / "go_runtime.jsonl").write_text(text)
    return pauses.read("go", "go", 7, folder)


def rows(log: PauseLog, source: str, kind: str) -> list[dict[str, object]]:
    chosen = pc.and_(pc.equal(log.pauses["source"], source), pc.equal(log.pauses["kind"], kind))
    return log.pauses.filter(chosen).to_pylist()


@pytest.fixture(scope="module")
def real() -> PauseLog:
    return pauses.read("go", "go", PID, RECORD.parent)


def test_twenty_forced_collections_are_twenty(real: PauseLog) -> None:
    assert sum(row["count"] for row in rows(real, "go_metrics", "forced_gc")) == 20
    assert sum(row["forced"] is True for row in rows(real, "go_gcstats", "stw_gc")) == 20
    assert real.residue.num_rows == 0
    assert real.pauses.schema.names == PAUSES.schema.names[1:]


def test_the_buckets_enclose_the_exact_total(real: PauseLog) -> None:
    exact = sum(row["dur_lo_ns"] for row in rows(real, "go_gcstats", "stw_gc"))
    buckets = rows(real, "go_metrics", "stw_gc")
    assert exact == json.loads(RECORD.read_text().splitlines()[-1])["pause_total_ns"]
    assert sum(row["count"] * row["dur_lo_ns"] for row in buckets) <= exact
    assert exact <= sum(row["count"] * row["dur_hi_ns"] for row in buckets)


def test_every_collection_stops_the_world_twice(real: PauseLog) -> None:
    cycles = rows(real, "go_gcstats", "stw_gc")
    assert [row["gc_id"] for row in cycles] == list(range(1, len(cycles) + 1))
    assert sum(row["count"] for row in rows(real, "go_metrics", "stw_gc")) == 2 * len(cycles)


def test_each_stop_has_a_way_to_it_that_is_no_longer_than_the_stop(real: PauseLog) -> None:
    stops, ways = rows(real, "go_metrics", "stw_gc"), rows(real, "go_metrics", "ttsp")
    ways = [row for row in ways if row["phase"] == STOPPING]
    assert {row["scope"] for row in ways} == {"process"}
    for window in {row["end_ns"] for row in stops}:
        of_window = [[row for row in chosen if row["end_ns"] == window] for chosen in (stops, ways)]
        counts = [sum(row["count"] for row in chosen) for chosen in of_window]
        assert counts[0] == counts[1]
        longest_stop, longest_way = (max(row["dur_hi_ns"] for row in chosen) for chosen in of_window)
        assert longest_way <= longest_stop


def test_the_buckets_of_each_window_enclose_its_exact_pauses(real: PauseLog) -> None:
    for window in map(json.loads, RECORD.read_text().splitlines()[1:]):
        exact = sum(pause["pause_ns"] for pause in window["pauses"])
        buckets = window["histograms"].get(TOTAL, [])
        assert sum(lo * count for lo, _, count in buckets) <= exact <= sum(hi * count for _, hi, count in buckets)
        kept = [row for row in rows(real, "go_metrics", "stw_gc") if row["end_ns"] == window["monotonic_ns"]]
        assert [[row["dur_lo_ns"], row["dur_hi_ns"], row["count"]] for row in kept] == buckets


def test_a_pause_is_put_on_the_monotonic_clock_by_the_samples_own_pair_of_clocks(tmp_path: Path) -> None:
    # The wall clock gained 300 ns between the samples; when, nobody knows: 50 + 300 ns of uncertainty.
    pause = {"end_wall_ns": 5_000_001_000 + 10**9 - 2_000 + 300, "pause_ns": 123}
    log = read_records(tmp_path, [START, sample(1, num_gc=1, drift_ns=300, pauses=[pause])])
    [row] = rows(log, "go_gcstats", "stw_gc")
    assert (row["end_ns"], row["alignment_error_ns"]) == (1_000 + 10**9 - 2_000, 350)
    assert (row["dur_lo_ns"], row["dur_hi_ns"], row["resolution_ns"], row["window_ns"]) == (123, 123, 1, 0)
    assert (row["gc_id"], row["forced"]) == (1, False)


def test_a_bucket_is_a_count_within_a_window(tmp_path: Path) -> None:
    histograms = {
        TOTAL: [[8192, 10240, 4], [None, 64, 1]],
        OTHER: [[81920, None, 2]],
        STOPPING: [[2048, 2560, 3]],
        STOPPING_OTHER: [[4096, 5120, 2]],
        LATENCIES: [[None, 64, 9], [64, 128, 7]],
        "/sched/strange:seconds": [[1, 2, 9]],
    }
    log = read_records(tmp_path, [START, sample(1), sample(3, histograms=histograms)])
    columns = (
        "kind",
        "phase",
        "dur_lo_ns",
        "dur_hi_ns",
        "resolution_ns",
        "count",
        "end_ns",
        "window_ns",
        "alignment_error_ns",
    )
    found = [tuple(row[column] for column in columns) for row in log.pauses.to_pylist()]
    end, window = 1_000 + 3 * 10**9, 2 * 10**9
    assert found == [
        ("stw_gc", TOTAL, 8192, 10240, 2048, 4, end, window, 50),
        ("stw_gc", TOTAL, 0, 64, None, 1, end, window, 50),
        ("stw_other", OTHER, 81920, None, None, 2, end, window, 50),
        ("ttsp", STOPPING, 2048, 2560, 512, 3, end, window, 50),
        ("ttsp", STOPPING_OTHER, 4096, 5120, 1024, 2, end, window, 50),
        ("sched_delay", LATENCIES, 0, 64, None, 9, end, window, 50),
        ("sched_delay", LATENCIES, 64, 128, 64, 7, end, window, 50),
    ]


def test_which_collections_were_forced_is_said_only_where_it_is_certain(tmp_path: Path) -> None:
    pause = {"end_wall_ns": 5_000_001_500, "pause_ns": 1}
    records = [
        START,
        sample(1, num_gc=2, metrics={FORCED: 2}, pauses=[pause, pause]),  # all
        sample(2, num_gc=4, metrics={FORCED: 3}, pauses=[pause, pause]),  # one of two
        sample(3, num_gc=5, metrics={FORCED: 3}, pauses=[pause]),  # none
        sample(4, num_gc=6, metrics={FORCED: 3, CYCLES: 7}, pauses=[pause]),  # the counts were read a cycle apart
    ]
    log = read_records(tmp_path, records)
    assert [row["forced"] for row in rows(log, "go_gcstats", "stw_gc")] == [True, True, None, None, False, None]
    assert [row["count"] for row in rows(log, "go_metrics", "forced_gc")] == [2, 1]


def test_mark_assist_is_the_time_it_took_within_the_window(tmp_path: Path) -> None:
    log = read_records(tmp_path, [START, sample(1, metrics={ASSIST: 0.25}), sample(2, metrics={ASSIST: 0.375})])
    assert [row["dur_lo_ns"] for row in rows(log, "go_metrics", "mark_assist")] == [250_000_000, 125_000_000]


def test_a_record_cut_off_in_its_last_line_has_no_residue(tmp_path: Path) -> None:
    assert read_records(tmp_path, [START, sample(1)], tail='{"kind":"sam').residue.num_rows == 0


def test_a_broken_line_in_the_middle_and_lost_pauses_are_residue(tmp_path: Path) -> None:
    log = read_records(tmp_path, [START, {"kind": "strange"}, sample(1, pauses_lost=3)])
    assert [line["line"] for line in log.residue.to_pylist()] == [2, 3]
    assert log.residue["text"].to_pylist()[1].startswith("3 collections")


def test_a_missing_or_foreign_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeterFailed, match="GATEWAY_METERS_DIR"):
        pauses.read("go", "go", 7, tmp_path)
    with pytest.raises(MeterFailed, match="record of process 8, not of 7"):
        read_records(tmp_path, [START | {"pid": 8}])
    with pytest.raises(MeterFailed, match="header"):
        read_records(tmp_path, [sample(1)])


def test_a_runtime_without_a_meter_is_named() -> None:
    with pytest.raises(UnknownName, match="'python'"):
        pauses.read("python", "refcount", 7, RECORD.parent)


_BUCKETS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 10**6)), max_size=4)


@settings(deadline=None)
@given(histograms=st.lists(st.tuples(*[_BUCKETS] * 5), min_size=1, max_size=5))
def test_buckets_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, histograms: list[tuple[list[tuple[int, int, int]], ...]]
) -> None:
    names = (TOTAL, OTHER, STOPPING, STOPPING_OTHER, LATENCIES)
    records, expected = [START], []
    for second, of_window in enumerate(histograms, start=1):
        buckets = {
            n: [[lo, lo + width, count] for lo, width, count in b] for n, b in zip(names, of_window, strict=True)
        }
        records.append(sample(second, histograms=buckets))
        end_ns = records[-1]["monotonic_ns"]
        expected += [(name, end_ns, *bucket) for name in names for bucket in buckets[name]]
    log = read_records(tmp_path_factory.mktemp("record"), records)
    columns = ("phase", "end_ns", "dur_lo_ns", "dur_hi_ns", "count")
    assert [tuple(row[column] for column in columns) for row in log.pauses.to_pylist()] == expected
    assert log.residue.num_rows == 0


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_record_cut_off_at_any_byte_loses_no_whole_line_and_invents_no_pause(
    tmp_path_factory: pytest.TempPathFactory, real: PauseLog, data: st.DataObject
) -> None:
    text = RECORD.read_bytes()
    cut = data.draw(st.integers(text.index(b"\n") + 1, len(text)))
    folder = tmp_path_factory.getbasetemp()
    (folder / "go_runtime.jsonl").write_bytes(text[:cut])
    log = pauses.read("go", "go", PID, folder)
    assert log.residue.num_rows == 0
    assert log.pauses.to_pylist() == real.pauses.slice(0, log.pauses.num_rows).to_pylist()
    last = json.loads(text[:cut].rpartition(b"\n")[0].splitlines()[-1])
    ends = log.pauses["end_ns"].to_pylist()
    assert last["kind"] == "header" or last["monotonic_ns"] in ends or not last["histograms"]


def test_a_sample_that_lacks_a_member_is_residue(tmp_path: Path) -> None:
    without = sample(1)
    del without["metrics"]
    assert [line["line"] for line in read_records(tmp_path, [START, without, sample(2)]).residue.to_pylist()] == [2]
