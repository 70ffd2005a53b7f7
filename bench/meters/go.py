"""Pauses of a Go process, from the record that its gateway writes of `runtime/debug` and `runtime/metrics`.

Two sources that complement each other. `go_gcstats` is exact, but each value is the sum of a collection's
stop-the-world pauses (there are two or more). `go_metrics` counts single pauses, collector's or not, in buckets 14 to
25 % wide. The record itself is described in the gateways' contract, section 10.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.meters import own_record
from bench.meters.clocks import Clocks
from bench.meters.pause_log import PauseLog, PauseRows

_HISTOGRAMS = {
    "/sched/pauses/total/gc:seconds": "stw_gc",
    "/sched/pauses/total/other:seconds": "stw_other",
    # The way to the stop is part of the totals above, so it is a kind of its own and no pause beside them.
    "/sched/pauses/stopping/gc:seconds": "ttsp",
    "/sched/pauses/stopping/other:seconds": "ttsp",
    "/sched/latencies:seconds": "sched_delay",
}
_FORCED = "/gc/cycles/forced:gc-cycles"
_CYCLES = "/gc/cycles/total:gc-cycles"
_ASSIST = "/cpu/classes/gc/mark/assist:cpu-seconds"
_CLOCKS = {"monotonic_ns", "wall_ns", "uncertainty_ns"}
_ASKED = {"header": _CLOCKS | {"pid"}, "sample": _CLOCKS | {"num_gc", "pauses", "metrics", "histograms"}}
_NS = 1_000_000_000


def read(path: Path, collector: str, pid: int) -> PauseLog:
    """Give the pauses in a gateway's `go_runtime.jsonl`: sources `go_gcstats` and `go_metrics`.

    `go_metrics` has a row for each bucket that grew since the last sample, with `window_ns` the time between the two:
    pauses, the way to each of them (kind `ttsp`: from the decision to stop until all have), and how long goroutines
    were ready before they ran (kind `sched_delay`).
    Beside the pauses stand the CPU time of mark assists (kind `mark_assist`, a sum over the window, not a single stall)
    and the number of forced collections (kind `forced_gc`, a count without duration).

    Raises
    ------
    MeterFailed
        There is no record, it has no header, or it is that of another process.
    """
    rows = PauseRows("go", collector, pid)
    header, records = own_record.read(path, "Go", pid, "go_runtime", rows, _understood)
    before = header | {"metrics": {}, "num_gc": 0}
    for number, sample in records:
        if lost := sample.get("pauses_lost"):
            rows.unread("go_runtime", number, f"{lost} collections fell out of the runtime's ring between two samples")
        _add_cycles(rows, before, sample)
        _add_buckets(rows, before, sample)
        _add_counters(rows, before, sample)
        before = sample
    return rows.log()


def _understood(record: dict[str, Any]) -> bool:
    asked = _ASKED.get(record.get("kind"))
    return bool(asked) and asked <= record.keys()


def _add_cycles(rows: PauseRows, before: dict[str, Any], sample: dict[str, Any]) -> None:
    clocks, earlier = Clocks.of(sample), Clocks.of(before)
    # Between the samples the wall clock may have been set or slewed; where in between, nobody knows.
    error = clocks.uncertainty_ns + abs(clocks.offset_ns - earlier.offset_ns)
    forced = _all_forced(before, sample)
    first = sample["num_gc"] - len(sample["pauses"]) + 1
    for gc_id, pause in enumerate(sample["pauses"], start=first):
        rows.add(
            "go_gcstats",
            "stw_gc",
            "process",
            "cycle",
            gc_id=gc_id,
            forced=forced,
            end_ns=pause["end_wall_ns"] - clocks.offset_ns,
            alignment_error_ns=error,
            dur_lo_ns=pause["pause_ns"],
            dur_hi_ns=pause["pause_ns"],
            resolution_ns=1,
        )


def _all_forced(before: dict[str, Any], sample: dict[str, Any]) -> bool | None:
    """Tell whether the collections of a sample were forced: the runtime counts them, but does not say which."""
    for record in (before, sample):
        # The two counts are read one after the other: only where they agree are they of the same collections.
        if record["metrics"].get(_CYCLES, 0) != record["num_gc"]:
            return None
    forced = _growth(_FORCED, before, sample)
    if forced == 0:
        return False
    return True if forced == sample["num_gc"] - before["num_gc"] else None


def _add_buckets(rows: PauseRows, before: dict[str, Any], sample: dict[str, Any]) -> None:
    for name, kind in _HISTOGRAMS.items():
        for lo_ns, hi_ns, count in sample["histograms"].get(name, []):
            rows.add(
                "go_metrics",
                kind,
                "process",
                name,
                dur_lo_ns=max(0, lo_ns or 0),
                dur_hi_ns=hi_ns,
                resolution_ns=None if hi_ns is None or lo_ns is None else hi_ns - max(0, lo_ns),
                count=count,
                **_window(before, sample),
            )


def _add_counters(rows: PauseRows, before: dict[str, Any], sample: dict[str, Any]) -> None:
    window = _window(before, sample)
    if assist_ns := round(_growth(_ASSIST, before, sample) * _NS):
        rows.add(
            "go_metrics", "mark_assist", "process", _ASSIST,
            dur_lo_ns=assist_ns, dur_hi_ns=assist_ns, resolution_ns=1, **window,
        )  # fmt: skip
    if forced := _growth(_FORCED, before, sample):
        unknown = {"dur_lo_ns": None, "dur_hi_ns": None, "resolution_ns": None}
        rows.add("go_metrics", "forced_gc", "process", _FORCED, forced=True, count=forced, **unknown, **window)


def _growth(name: str, before: dict[str, Any], sample: dict[str, Any]) -> Any:
    return sample["metrics"].get(name, 0) - before["metrics"].get(name, 0)


def _window(before: dict[str, Any], sample: dict[str, Any]) -> dict[str, int]:
    clocks = Clocks.of(sample)
    return {
        "end_ns": clocks.monotonic_ns,
        "alignment_error_ns": clocks.uncertainty_ns,
        "window_ns": clocks.monotonic_ns - Clocks.of(before).monotonic_ns,
    }
