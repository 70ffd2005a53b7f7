"""The collector's CPU time, from tables and records made by hand; and the threads of a real process."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from bench.meters import gc_cpu, tables
from bench.meters.pause_log import PauseRows
from bench.meters.threads import ThreadSampler

S = 1_000_000_000


def threads(*rows: tuple[int, str, int, int]):
    return tables.from_rows("threads", [
        {"role": "gateway", "pid": 1, "tid": tid, "name": name, "time_ns": time_ns, "cpu_ns": cpu_ns, "run_delay_ns": None}
        for tid, name, time_ns, cpu_ns in rows
    ])  # fmt: skip


def go_record(folder: Path, *samples: tuple[int, dict[str, float]]) -> Path:
    lines = [{"kind": "sample", "monotonic_ns": time_ns, "metrics": metrics} for time_ns, metrics in samples]
    (folder / "go_runtime.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "go_runtime.jsonl"


def test_go_is_interpolated_and_idle_marking_is_between_the_ends(tmp_path: Path) -> None:
    total, idle = "/cpu/classes/gc/total:cpu-seconds", "/cpu/classes/gc/mark/idle:cpu-seconds"
    record = go_record(tmp_path, (0, {total: 0.0, idle: 0.0}), (2 * S, {total: 1.0, idle: 0.25}))
    assert gc_cpu.of_go(record, S // 2, S + S // 2) == gc_cpu.CpuTime(375_000_000, 500_000_000)
    assert gc_cpu.of_go(record, S, 3 * S) == gc_cpu.UNKNOWN
    record = go_record(tmp_path, (0, {total: 0.0}), (2 * S, {total: 1.0}))
    assert gc_cpu.of_go(record, 0, S) == gc_cpu.CpuTime(None, 500_000_000)


@pytest.mark.parametrize(
    "name",
    ["GC Thread#0", "G1 Conc#0", "ZWorkerYoung#0", "ZDriver", "RuntimeWorker#0", "Shenandoah GC T", "Shenandoah Cont"],
)
def test_java_is_its_collectors_threads_and_at_most_the_vm_thread_too(name: str) -> None:
    table = threads(
        (1, name, 0, 100), (2, "VM Thread", 0, 10), (3, "C2 CompilerThre", 0, 0),
        (1, name, 2 * S, 300), (2, "VM Thread", 2 * S, 50), (3, "C2 CompilerThre", 2 * S, 10_000),
    )  # fmt: skip
    assert gc_cpu.of_java(table, 0, S) == gc_cpu.CpuTime(100, 120)
    assert gc_cpu.of_java(table, 0, 3 * S) == gc_cpu.UNKNOWN


def test_a_thread_that_began_within_the_window_counts_from_nothing() -> None:
    table = threads(
        (2, "VM Thread", 0, 0), (1, "GC Thread#1", S, 70), (1, "GC Thread#1", 2 * S, 90), (2, "VM Thread", 2 * S, 0)
    )
    assert gc_cpu.of_java(table, 0, 2 * S) == gc_cpu.CpuTime(90, 90)


def test_node_is_its_stops_within_the_window_and_at_most_v8s_workers_too() -> None:
    rows = PauseRows("node", "v8", 1)
    for end_ns in (S + 100, 3 * S):  # the first began before the window, the second is after it
        rows.add("node_trace", "stw_gc", "isolate", "x", dur_lo_ns=400, dur_hi_ns=600, resolution_ns=1, end_ns=end_ns,
                 alignment_error_ns=1)  # fmt: skip
    table = threads(
        (1, "V8Worker", S, 0), (2, "MainThread", S, 0), (1, "V8Worker", 2 * S, 5_000), (2, "MainThread", 2 * S, 9_000)
    )
    assert gc_cpu.of_node(rows.log().pauses, table, S, 2 * S) == gc_cpu.CpuTime(100, 5_100)


def test_rust_has_no_collectors_time(tmp_path: Path) -> None:
    said = gc_cpu.of_cell("rust", tmp_path, PauseRows("rust", "none", 1).log().pauses, threads(), 0, S)
    assert said == {"gc_cpu_lo_ns": None, "gc_cpu_hi_ns": None}


def test_every_thread_is_a_row_at_both_ends() -> None:
    with ThreadSampler(os.getpid(), "gateway") as sampler:
        pass
    rows = sampler.table().to_pylist()
    mine = [row for row in rows if row["tid"] == threading.get_native_id()]
    assert len(mine) == 2
    assert 0 < mine[0]["cpu_ns"] <= mine[1]["cpu_ns"]
    assert mine[0]["name"] == Path("/proc/self/comm").read_text().strip()
