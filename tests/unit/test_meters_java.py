"""Pauses from the JVM's unified log."""

from __future__ import annotations

import re
from collections import Counter
from itertools import permutations
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import MeterFailed
from bench.meters import java
from bench.meters.pause_log import PauseLog
from bench.store.schema import PAUSES, RESIDUE

FIXTURES = Path(__file__).parent / "fixtures" / "meters"
LOGS = sorted(FIXTURES.glob("jdk*.log"))
WHOLE_RUNS = [
    "jdk17_serial", "jdk17_parallel", "jdk17_g1", "jdk17_z", "jdk17_shenandoah", "jdk25_serial", "jdk25_parallel",
    "jdk25_g1", "jdk25_shenandoah", "jdk25_shenandoah_generational",
]  # fmt: skip


def read(path: Path) -> PauseLog:
    return java.read(path, "collector", 4711)


def read_text(folder: Path, text: str) -> PauseLog:
    path = folder / "gc.log"
    path.write_text(text)
    return read(path)


def rows(log: PauseLog, source: str) -> list[dict[str, object]]:
    return log.pauses.filter(pc.equal(log.pauses["source"], source)).to_pylist()


@pytest.mark.parametrize("path", [path for path in LOGS if "dropped" not in path.name], ids=lambda path: path.stem)
def test_every_line_of_a_real_log_is_a_pause_or_known_not_to_be_one(path: Path) -> None:
    log = read(path)
    assert log.pauses.num_rows
    assert log.residue.to_pylist() == []


@pytest.mark.parametrize("name", WHOLE_RUNS)
def test_three_calls_of_system_gc_are_three_forced_collections(name: str) -> None:
    forced = [row for row in rows(read(FIXTURES / f"{name}.log"), "jul_safepoint") if row["forced"]]
    assert len({row["gc_id"] for row in forced}) == 3
    assert all("System.gc()" in row["cause"] for row in forced)


def test_one_call_of_system_gc_is_one_forced_collection_among_those_that_zgc_began_by_itself() -> None:
    safepoints = rows(read(FIXTURES / "jdk25_z.log"), "jul_safepoint")
    assert len({row["gc_id"] for row in safepoints if row["forced"]}) == 1
    assert any(row["forced"] is False for row in safepoints)


@pytest.mark.parametrize("name", [*WHOLE_RUNS, "jdk25_z"])
def test_a_safepoint_lasts_at_least_as_long_as_the_collectors_pauses_within_it(name: str) -> None:
    within_ns = 0
    collections = 0
    for row in read(FIXTURES / f"{name}.log").pauses.to_pylist():
        if row["source"] == "jul_phase":
            within_ns += row["dur_lo_ns"]
        elif row["source"] == "jul_safepoint":
            assert row["dur_lo_ns"] >= within_ns + row["ttsp_ns"]
            assert (row["kind"] == "stw_other") == (within_ns == 0)
            collections += row["kind"] != "stw_other"
            within_ns = 0
    assert collections >= 3


def test_the_columns_are_those_of_the_schema_but_the_cell() -> None:
    log = read(FIXTURES / "jdk17_g1.log")
    assert log.pauses.schema.names == PAUSES.schema.names[1:]
    assert log.residue.schema.names == RESIDUE.schema.names[1:]
    assert {(row["runtime"], row["collector"], row["pid"]) for row in log.pauses.to_pylist()} == {
        ("java", "collector", 4711)
    }


def test_a_safepoint_of_jdk_17_is_read_to_the_nanosecond(tmp_path: Path) -> None:
    log = read_text(
        tmp_path,
        '[1425873312506ns][111433783ns][safepoint] Safepoint "ZMarkStart", Time since last: 38988936 ns, '
        "Reaching safepoint: 3635 ns, Cleanup: 23866 ns, At safepoint: 11587 ns, Total: 39088 ns\n",
    )
    [row] = log.pauses.to_pylist()
    assert (row["source"], row["kind"], row["scope"], row["phase"]) == (
        "jul_safepoint", "stw_gc", "process", "ZMarkStart",
    )  # fmt: skip
    assert (row["end_ns"], row["dur_lo_ns"], row["dur_hi_ns"], row["ttsp_ns"]) == (1425873312506, 39088, 39088, 3635)
    assert (row["resolution_ns"], row["window_ns"], row["count"]) == (1, 0, 1)
    assert row["forced"] is row["cause"] is row["gc_id"] is None


def test_a_printed_duration_is_known_to_half_of_its_last_digit(tmp_path: Path) -> None:
    log = read_text(
        tmp_path,
        "[9000000000000ns][gc,phases] GC(7) Y: Pause Mark Start (Major) 0.023ms\n"
        "[9000000000001ns][gc] GC(8) Pause Young (Normal) (G1 Evacuation Pause) 3M->3M(64M) 3.40ms\n"
        "[9000000000002ns][gc,phases] GC(9) Pause Mark End 0.000ms\n",
    )
    assert [(row["phase"], row["cause"], row["gc_id"]) for row in log.pauses.to_pylist()] == [
        ("Y: Pause Mark Start (Major)", None, 7),
        ("Pause Young (Normal)", "G1 Evacuation Pause", 8),
        ("Pause Mark End", None, 9),
    ]
    assert [(row["dur_lo_ns"], row["dur_hi_ns"], row["resolution_ns"]) for row in log.pauses.to_pylist()] == [
        (22_500, 23_500, 1_000),
        (3_395_000, 3_405_000, 10_000),
        (0, 500, 1_000),
    ]


def test_a_degenerated_and_a_full_collection_of_shenandoah_are_told_apart() -> None:
    safepoints = rows(read(FIXTURES / "jdk25_shenandoah_degenerated.log"), "jul_safepoint")
    assert [(row["phase"], row["kind"], row["cause"]) for row in safepoints] == [
        ("ShenandoahDegeneratedGC", "degenerated", "Handle Allocation Failure"),
        ("ShenandoahFullGC", "stw_gc", "Handle Allocation Failure"),
    ]
    phases = rows(read(FIXTURES / "jdk25_shenandoah_degenerated.log"), "jul_phase")
    assert [row["kind"] for row in phases] == ["degenerated", "stw_gc"]


def test_a_stall_within_a_longer_stall_of_the_same_thread_counts_once() -> None:
    # Thread-0 0.412 and 0.797 lie in its 2.693 ms, Thread-1 1.118 in its 2.861 ms; one is of a thread of the collector.
    stalls = rows(read(FIXTURES / "jdk25_z_stalls.log"), "jul_stall")
    assert [(row["phase"], row["dur_lo_ns"] + 500) for row in stalls] == [
        ("Allocation Stall", 2_693_000),
        ("Allocation Stall", 2_861_000),
        ("Relocation Stall", 231_000),
        ("Allocation Stall", 786_000),
    ]
    assert {(row["kind"], row["scope"]) for row in stalls} == {("alloc_stall", "thread")}


def test_a_safepoint_that_is_not_the_collectors_is_told_apart() -> None:
    others = [row for row in rows(read(FIXTURES / "jdk25_z.log"), "jul_safepoint") if row["kind"] == "stw_other"]
    assert {row["phase"] for row in others} == {"CleanClassLoaderDataMetaspaces"}
    assert all(row["forced"] is None for row in others)


def test_a_line_written_late_says_by_how_much(tmp_path: Path) -> None:
    def safepoint(written_ns: int, since_last_ns: int) -> str:
        return (
            f'[{written_ns}ns][safepoint] Safepoint "G1CollectFull", Time since last: {since_last_ns} ns, '
            "Reaching safepoint: 10 ns, At safepoint: 90 ns, Leaving safepoint: 0 ns, Total: 100 ns\n"
        )

    # The ends lie 1000 ns apart; the second line was written 250 ns later than its neighbours.
    start = 50_000_000_000
    log = read_text(tmp_path, safepoint(start, 5) + safepoint(start + 1250, 900) + safepoint(start + 2000, 900))
    assert log.pauses["alignment_error_ns"].to_pylist() == [0, 250, 0]


def test_dropped_messages_are_residue() -> None:
    [line] = read(FIXTURES / "jdk17_async_dropped.log").residue.to_pylist()
    assert line["line"] == 13
    assert line["text"].endswith("21 messages dropped due to async logging")


def test_a_pause_in_words_that_nobody_knows_is_residue(tmp_path: Path) -> None:
    strange = [
        "[9000000000000ns][gc] GC(1) Pause Strange 3 regions in 0.004s",
        "[9000000000001ns][gc,phases] GC(1) Pause Strange 4ms later",
        "[9000000000002ns][gc] GC(1) World Stopped 4.000ms",
        '[9000000000003ns][safepoint] Safepoint "Strange", Total: 4 ms',
        "a line without decorations",
    ]
    log = read_text(tmp_path, "\n".join(strange) + "\n")
    assert [(line["line"], line["text"]) for line in log.residue.to_pylist()] == list(enumerate(strange, start=1))
    assert log.pauses.num_rows == 0


def test_a_broken_line_that_is_not_the_last_is_residue(tmp_path: Path) -> None:
    good = "[9000000000000ns][gc] Using G1\n"
    log = read_text(tmp_path, f"{good}[9000000000001ns][saf\n{good}[9000000000002ns]\n{good}")
    assert [line["line"] for line in log.residue.to_pylist()] == [2, 4]


def test_a_line_that_continues_the_one_before_is_known(tmp_path: Path) -> None:
    text = "[9000000000000ns][gc,task] GC(0) Workers\n[                         ]  by_heap_size: 2\n"
    assert read_text(tmp_path, text).residue.num_rows == 0


def test_an_empty_or_missing_log_is_an_error_and_not_a_jvm_without_pauses(tmp_path: Path) -> None:
    with pytest.raises(MeterFailed, match="empty"):
        read_text(tmp_path, "")
    with pytest.raises(MeterFailed, match="no pause log"):
        read(tmp_path / "other.log")


def test_uptime_alone_tells_durations_but_no_instant(tmp_path: Path) -> None:
    log = read_text(
        tmp_path,
        "[0.016s][info][gc] Using G1\n"
        "[0.055s][info][gc] GC(0) Pause Full (System.gc()) 10M->10M(64M) 3.169ms\n",
    )  # fmt: skip
    [row] = log.pauses.to_pylist()
    assert (row["end_ns"], row["alignment_error_ns"], row["window_ns"]) == (None, None, None)
    assert (row["dur_lo_ns"], row["forced"]) == (3_168_500, True)


@pytest.mark.parametrize("order", [*permutations(("[9000000000000ns]", "[76680809ns]", "[gc,phases   ]", "[info ]"))])
def test_decorations_may_stand_in_any_order(tmp_path: Path, order: tuple[str, ...]) -> None:
    log = read_text(tmp_path, "".join(order) + " GC(0) Pause Mark Start 0.008ms\n")
    assert log.pauses["end_ns"].to_pylist() == [9_000_000_000_000]


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_as_many_safepoints_and_pauses_are_read_as_a_plain_search_of_the_text_finds(path: Path) -> None:
    whole = [line for line in path.read_text().splitlines() if line.endswith(("ns", "ms", "total"))]
    log = read(path)
    assert len(rows(log, "jul_safepoint")) == sum('Safepoint "' in line for line in whole)
    assert len(rows(log, "jul_phase")) == sum("Pause " in line and line.endswith("ms") for line in whole)


_TITLE = re.compile(r"Pause .*?(?= \d+[BKMG]->| \d+\.\d+ms)")


@pytest.mark.parametrize("jdk", ["jdk17", "jdk25"])
def test_pauses_that_come_up_only_in_a_heap_that_is_too_small_keep_what_they_are_called(jdk: str) -> None:
    path = FIXTURES / f"{jdk}_rare.log"
    said = [
        title[0] for line in path.read_text().splitlines() if line.endswith("ms") and (title := _TITLE.search(line))
    ]
    phases = rows(read(path), "jul_phase")
    for row, title in zip(phases, said, strict=True):
        phase = row["phase"].removeprefix("Y: ").removeprefix("O: ").removeprefix("y: ")
        named = f" ({row['cause']})"
        assert phase in (title, title.replace(named, ""))
        assert (row["kind"] == "degenerated") == title.startswith("Pause Degenerated")
    told = {(row["phase"], row["cause"]) for row in phases}
    assert RARE[jdk] <= told


RARE = {
    "jdk17": {
        ("Pause Full", "Ergonomics"),
        ("Pause Young (Mixed)", "GCLocker Initiated GC"),
        ("Pause Young (Normal)", "G1 Humongous Allocation"),
        ("Pause Full", "G1 Compaction Pause"),
        ("Pause Remark", None),
        ("Pause Cleanup", None),
    },
    "jdk25": {
        ("Pause Young (Normal) (Evacuation Failure: Pinned)", "G1 Evacuation Pause"),
        ("Pause Young (Concurrent Start) (Evacuation Failure: Allocation)", "System.gc()"),
        ("Pause Full", "Allocation Failure"),
        ("y: Pause Mark End", None),
    },
}
"""Phases and causes, read from the files by eye."""


def test_stalls_of_an_application_are_kept_and_those_of_the_collectors_own_threads_are_not() -> None:
    stalls = [(row["phase"], row["dur_lo_ns"] + 500) for row in rows(read(FIXTURES / "jdk25_rare.log"), "jul_stall")]
    assert ("Allocation Stall", 11_985_000) in stalls  # of a compiler's thread, which is a Java thread
    assert ("Relocation Stall", 732_000) in stalls
    assert not {721_000, 1_980_000, 41_000} & {duration for _, duration in stalls}  # VM Thread, ZDriver, ZWorker


@pytest.mark.parametrize("name", ["jdk17_g1", "jdk17_z", "jdk25_shenandoah_generational", "jdk25_z_stalls"])
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_a_log_cut_off_at_any_byte_loses_no_whole_line_and_invents_no_pause(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    text = (FIXTURES / f"{name}.log").read_bytes()
    cut = text[: data.draw(st.integers(text.index(b"\n"), len(text)))]
    path = tmp_path_factory.getbasetemp() / "cut.log"
    path.write_bytes(cut)
    log = read(path)
    assert log.residue.num_rows == 0
    columns = ("source", "end_ns", "phase", "dur_lo_ns", "ttsp_ns")
    found = [tuple(row[column] for column in columns) for row in log.pauses.to_pylist()]
    whole = cut.rpartition(b"\n")[0].decode().splitlines()
    kept = [row for row in found if row[0] == "jul_safepoint"]
    assert sum('Safepoint "' in line for line in whole) <= len(kept) <= sum('Safepoint "' in line for line in whole) + 1
    # Every pause that is told stands in the log with its instant, and is as long as there.
    everything = [tuple(row[column] for column in columns) for row in read(FIXTURES / f"{name}.log").pauses.to_pylist()]
    invented = Counter(found) - Counter(everything)
    assert all(row[0] == "jul_stall" for row in invented)  # within a longer one, whose line was cut off


_NS = st.integers(0, 10**11)


@settings(deadline=None)
@given(
    parts=st.lists(st.tuples(_NS, _NS, _NS), min_size=1, max_size=20),
    operation=st.sampled_from(["G1CollectForAllocation", "ZMarkEndYoung", "ICBufferFull", "ShenandoahDegeneratedGC"]),
    since_jdk_24=st.booleans(),
    uptime=st.booleans(),
)
def test_safepoints_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[tuple[int, int, int]],
    operation: str,
    since_jdk_24: bool,
    uptime: bool,
) -> None:
    end_ns, lines, expected = 10**13, [], []
    for reaching, third, at in parts:
        total = reaching + third + at
        end_ns += total + 1000
        clocks = f"[{end_ns}ns]" + (f"[{end_ns - 10**12}ns]" if uptime else "")
        if since_jdk_24:
            rest = (
                f"At safepoint: {at} ns, Leaving safepoint: {third} ns, Total: {total} ns, Threads: 1 runnable, 9 total"
            )
        else:
            rest = f"Cleanup: {third} ns, At safepoint: {at} ns, Total: {total} ns"
        lines.append(
            f'{clocks}[safepoint   ] Safepoint "{operation}", Time since last: 1000 ns, '
            f"Reaching safepoint: {reaching} ns, {rest}"
        )
        expected.append((end_ns, total, total, reaching))
    log = read_text(tmp_path_factory.mktemp("log"), "\n".join(lines) + "\n")
    columns = ("end_ns", "dur_lo_ns", "dur_hi_ns", "ttsp_ns")
    assert [tuple(row[column] for column in columns) for row in log.pauses.to_pylist()] == expected
    assert log.pauses["alignment_error_ns"].to_pylist() == [0] * len(parts)
    kinds = {"ICBufferFull": "stw_other", "ShenandoahDegeneratedGC": "degenerated"}
    assert set(log.pauses["kind"].to_pylist()) == {kinds.get(operation, "stw_gc")}
    assert log.residue.num_rows == 0


@settings(deadline=None)
@given(
    us=st.integers(0, 10**8),
    generation=st.sampled_from(["", "Y: ", "O: ", "y: "]),
    title=st.sampled_from(
        [
            "Pause Young (Normal)",
            "Pause Full",
            "Pause Remark",
            "Pause Cleanup",
            "Pause Mark Start (Major)",
            "Pause Init Mark (Young) (unload classes)",
            "Pause Final Mark (Old)",
            "Pause Final Roots (Global)",
            "Pause Degenerated GC (Outside of Cycle)",
            "Pause Degenerated GC (Young) (Update Refs)",
            "Pause Young (Mixed) (Evacuation Failure: Allocation / Pinned)",
        ]
    ),
    cause=st.sampled_from([None, "System.gc()", "Metadata GC Threshold", "Diagnostic Command"]),
    heap=st.sampled_from(["", " 3M->3M(64M)", " 10240K->0B(1G)"]),
)
def test_pause_lines_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, us: int, generation: str, title: str, cause: str | None, heap: str
) -> None:
    said = f"{title} ({cause})" if cause else title
    text = f"[9000000000000ns][gc] GC(3) {generation}{said}{heap} {us // 1000}.{us % 1000:03}ms\n"
    [row] = read_text(tmp_path_factory.mktemp("log"), text).pauses.to_pylist()
    assert (row["phase"], row["cause"], row["gc_id"]) == (generation + title, cause, 3)
    assert (row["dur_lo_ns"], row["dur_hi_ns"]) == (max(0, us * 1000 - 500), us * 1000 + 500)
    assert row["kind"] == ("degenerated" if "Degenerated" in title else "stw_gc")
    assert row["forced"] == (None if cause is None else cause in ("System.gc()", "Diagnostic Command"))


@settings(deadline=None)
@given(
    stalls=st.lists(
        st.tuples(
            st.sampled_from(["Allocation", "Relocation"]),
            st.sampled_from(["main", "vert.x-eventloop-thread-0", "pool (1) thread", "", "ZWorker#0", "VM Thread"]),
            st.integers(0, 10**7),
        ),
        max_size=20,
    )
)
def test_stalls_that_follow_each_other_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, stalls: list[tuple[str, str, int]]
) -> None:
    now, text, expected = 10**13, "[9000000000000ns][gc] Using The Z Garbage Collector\n", []
    for what, thread, us in stalls:
        now += us * 1000 + 10_000
        text += f"[{now}ns][gc] {what} Stall ({thread}) {us // 1000}.{us % 1000:03}ms\n"
        if thread not in ("ZWorker#0", "VM Thread"):
            expected.append((f"{what} Stall", now, max(0, us * 1000 - 500), us * 1000 + 500))
    log = read_text(tmp_path_factory.mktemp("log"), text)
    columns = ("phase", "end_ns", "dur_lo_ns", "dur_hi_ns")
    assert [tuple(row[column] for column in columns) for row in log.pauses.to_pylist()] == expected
    assert set(log.pauses["kind"].to_pylist()) <= {"alloc_stall"}
    assert log.residue.num_rows == 0
