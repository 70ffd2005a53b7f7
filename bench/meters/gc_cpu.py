"""CPU time of a garbage collector within a window, as an interval: no runtime tells it exactly.

Go counts it itself, and counts with it what it marks on processors that would have idled. HotSpot's collectors have
threads of their own, and the VM thread does the rest beside other work (with Serial, all of it). V8 collects on the main
thread and on workers that compile as well. Rust has no collector.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

_JAVA_COLLECTS = (
    "GC Thread#", "G1 Conc#", "G1 Main Marker", "G1 Refine#", "G1 Service", "ParGC Thread#",
    "ZWorker", "ZDriver", "ZDirector", "ZUnmapper", "ZUncommitter", "RuntimeWorker", "XWorker", "XDriver", "XDirector",
    "XUnmapper", "XUncommitter", "Shenandoah",
)  # fmt: skip
"""Beginnings of the names of HotSpot's collector threads, as read from JDK 17 and 25 under every collector."""
_JAVA_VM = ("VM Thread",)
_NODE_WORKERS = ("V8Worker",)
_GO_TOTAL = "/cpu/classes/gc/total:cpu-seconds"
_GO_IDLE = "/cpu/classes/gc/mark/idle:cpu-seconds"
_NS = 1_000_000_000


@dataclass(frozen=True)
class CpuTime:
    """CPU time in ns, at least and at most; None where nothing tells."""

    lo_ns: int | None
    hi_ns: int | None


UNKNOWN = CpuTime(None, None)


def of_go(record: Path, begin_ns: int, end_ns: int) -> CpuTime:
    """Give it from `go_runtime.jsonl`, interpolated between its samples; the lower end is without idle-priority marking.

    The runtime brings these estimates up to date when a collection ends, so a window cuts off up to one collection at
    either end.
    """
    samples = _go_samples(record)
    total = _growth(samples, begin_ns, end_ns, lambda metrics: metrics.get(_GO_TOTAL))
    idle = _growth(samples, begin_ns, end_ns, lambda metrics: metrics.get(_GO_IDLE))
    return CpuTime(None if total is None or idle is None else max(0, total - idle), total)


def of_java(threads: pa.Table, begin_ns: int, end_ns: int) -> CpuTime:
    """Give it from the collector's threads in the `threads` table; the upper end has the VM thread's time as well."""
    own = _of_threads(threads, _JAVA_COLLECTS, begin_ns, end_ns)
    of_vm = _of_threads(threads, _JAVA_VM, begin_ns, end_ns)
    return UNKNOWN if own is None or of_vm is None else CpuTime(own, own + of_vm)


def of_node(pauses: pa.Table, threads: pa.Table, begin_ns: int, end_ns: int) -> CpuTime:
    """Give it from the main thread's stops in the trace; the upper end has the time of V8's workers as well.

    A stop counts as far as it lies within the window, as if the thread had run all through it.
    """
    ends, shortest, longest = (
        np.asarray(pauses[name].to_pylist(), float)[_traced(pauses)] for name in ("end_ns", "dur_lo_ns", "dur_hi_ns")
    )
    lo, hi = (_overlap(ends - lengths, ends, begin_ns, end_ns) for lengths in (shortest, longest))
    workers = _of_threads(threads, _NODE_WORKERS, begin_ns, end_ns)
    return CpuTime(lo, None if workers is None else hi + workers)


def of_cell(
    runtime: str, folder: Path, pauses: pa.Table, threads: pa.Table, begin_ns: int, end_ns: int
) -> dict[str, int | None]:
    """Give the columns of `cells` that say it.

    Parameters
    ----------
    folder
        Where the gateway's own record is.
    """
    match runtime:
        case "go":
            said = of_go(folder / "go_runtime.jsonl", begin_ns, end_ns)
        case "java":
            said = of_java(threads, begin_ns, end_ns)
        case "node":
            said = of_node(pauses, threads, begin_ns, end_ns)
        case _:
            said = UNKNOWN
    return {"gc_cpu_lo_ns": said.lo_ns, "gc_cpu_hi_ns": said.hi_ns}


def _traced(pauses: pa.Table) -> np.ndarray:
    return np.array([source == "node_trace" for source in pauses["source"].to_pylist()], bool)


def _overlap(begins: np.ndarray, ends: np.ndarray, begin_ns: int, end_ns: int) -> int:
    return round(float(np.maximum(np.minimum(ends, end_ns) - np.maximum(begins, begin_ns), 0.0).sum()))


def _of_threads(threads: pa.Table, names: tuple[str, ...], begin_ns: int, end_ns: int) -> int | None:
    """Give what threads whose names begin so used within a window; None when the samples do not span it."""
    times = threads["time_ns"].to_numpy()
    if not times.size or times.min() > begin_ns or times.max() < end_ns:
        return None
    tids = threads["tid"].to_numpy()
    used = threads["cpu_ns"].to_numpy()
    named = np.array([name.startswith(names) for name in threads["name"].to_pylist()], bool)
    total = 0.0
    for tid in np.unique(tids[named]):
        own = named & (tids == tid)
        # A thread that was first seen within the window began in it.
        before = 0.0 if times[own][0] > begin_ns else None
        at_begin, at_end = np.interp([begin_ns, end_ns], times[own], used[own], left=before)
        total += at_end - at_begin
    return round(total)


def _go_samples(record: Path) -> list[tuple[int, dict[str, Any]]]:
    if not record.is_file():
        return []
    samples = []
    for line in record.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            said = json.loads(line)
        except json.JSONDecodeError:  # `bench.meters.go` lists it as unread
            continue
        if said.get("kind") == "sample":
            samples.append((said["monotonic_ns"], said["metrics"]))
    return samples


def _growth(
    samples: list[tuple[int, dict[str, Any]]], begin_ns: int, end_ns: int, value: Callable[[dict[str, Any]], Any]
) -> int | None:
    known = [(time_ns, seconds) for time_ns, metrics in samples if (seconds := value(metrics)) is not None]
    if len(known) < 2 or known[0][0] > begin_ns or known[-1][0] < end_ns:
        return None
    times, seconds = zip(*known, strict=True)
    at_begin, at_end = np.interp([begin_ns, end_ns], times, seconds)
    return round((at_end - at_begin) * _NS)
