"""Proof: what a meter says agrees with another thing that the same runtime says of the same collections.

Go counts its pauses in a histogram of buckets and their sum exactly: the bounds of the one must hold the other. V8 prints at
each full collection how many incremental steps led to it: the trace must have as many. A JVM's flight recorder and its log
are written apart: they must count the same pauses.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from bench import generators
from bench.errors import MeterFailed
from bench.gateways import registry
from bench.meters import jfr, trace_gc
from bench.meters.clocks import Clocks
from bench.prove.certificate import Proof
from bench.prove.subject import Subject
from bench.rig import Rig

_LOAD_S = 4.0
_DUMP_S = 60.0
_SETTLE_NS = 8_000_000
"""More than the clocks of recorder and log may differ by, and less than two collections are apart."""
_STEP = "V8.GCIncrementalMarking"


def prove(name: str, folder: Path, rig: Rig) -> list[Proof]:
    """Give the proofs for one variant under a few seconds of load; none where there is no second source."""
    by_runtime = {"go": _go, "java": _java, "node": _node}
    runtime = registry.variant(name).gateway.runtime
    return by_runtime[runtime](name, folder, rig) if runtime in by_runtime else []


def _loaded(name: str, folder: Path, rig: Rig, *flags: str) -> Subject:
    """Give a gateway that was under full load for some seconds, and has ended."""
    with Subject(name, folder, rig.gateway_cpus, flags=flags) as subject:
        generators.engine(subject.host, rig, _LOAD_S, folder)
    return subject


def _go(name: str, folder: Path, rig: Rig) -> list[Proof]:
    subject = _loaded(name, folder, rig)
    record = (folder / "go_runtime.jsonl").read_text().splitlines()
    last = json.loads(record[-1])
    rows = subject.rows()
    buckets = rows[rows["phase"] == "/sched/pauses/total/gc:seconds"]
    lo, hi = ((buckets[column] * buckets["count"]).sum() for column in ("dur_lo_ns", "dur_hi_ns"))
    total, cycles, pauses = last["pause_total_ns"], last["num_gc"], int(buckets["count"].sum())
    exact = rows[rows["source"] == "go_gcstats"]
    return [
        Proof.near(
            f"{name}:pause_total_ms", total / 1e6, (lo + hi) / 2e6, (hi - lo) / 2e6,
            f"the buckets of {pauses} pauses add up to {lo / 1e6:.3f} to {hi / 1e6:.3f} ms; expected is the runtime's exact sum",
        ),
        Proof.near(
            f"{name}:pause_sum_of_cycles_ms", total / 1e6, exact["dur_lo_ns"].sum() / 1e6, 0.0,
            f"the exact pauses of {cycles} collections, one by one",
        ),
        Proof.at_least(
            f"{name}:pauses_a_collection", 2.0, pauses / cycles, "each collection stops the world at least twice"
        ),
    ]  # fmt: skip


def _node(name: str, folder: Path, rig: Rig) -> list[Proof]:
    subject = _loaded(name, folder, rig, "--trace-gc")
    text = trace_gc.collections((folder / "gateway.log").read_text(errors="replace"))
    full = [collection for collection in text if collection.kind == "Mark-Compact"]
    rows = subject.rows()
    last_full = rows[rows["phase"].str.startswith("V8.GCFinalizeMC") | (rows["phase"] == "V8.GCCompactor")][
        "end_ns"
    ].max()
    steps = rows[(rows["phase"] == _STEP) & (rows["end_ns"] <= last_full)]
    collections = rows[rows["kind"] == "stw_gc"]
    told_ms = sum(collection.steps_ms for collection in full)
    return [
        Proof.near(
            f"{name}:collections_told", float(len(text)), float(len(collections)), 0.0,
            "collections that --trace-gc printed, and those in the trace",
        ),
        Proof.near(
            f"{name}:incremental_steps", float(sum(collection.steps for collection in full)), float(len(steps)), 0.0,
            f"steps that --trace-gc counted before {len(full)} full collections",
        ),
        Proof.at_least(
            f"{name}:incremental_ms", told_ms, steps["dur_hi_ns"].sum() / 1e6,
            "time of these steps, against the text's; V8 leaves out of the text what it spends on waking its helpers, which on"
            " one processor run in the main thread's stead",
        ),
    ]  # fmt: skip


def _java(name: str, folder: Path, rig: Rig) -> list[Proof]:
    recording = folder.parent / f"{folder.name}.jfr"
    with Subject(name, folder, rig.gateway_cpus, flags=jfr.flags(recording)) as subject:
        java = Path(f"/proc/{subject.pid}/exe").resolve()
        generators.engine(subject.host, rig, _LOAD_S, folder)
        clocks = Clocks.now()
        # The gateway halts on SIGTERM, which may leave no time for the recorder's own end.
        _dump(java.with_name("jcmd"), subject.pid, recording)
        until_ns = time.monotonic_ns()
    log = subject.log()
    logged = log.pauses.to_pandas()
    recorded = jfr.read(
        recording, java.with_name("jfr"), subject.pid, subject.variant.collector, clocks
    ).pauses.to_pandas()
    told, seen = (
        rows[rows["kind"].isin(("stw_gc", "degenerated")) & rows["ttsp_ns"].notna()] for rows in (logged, recorded)
    )
    # Only what both were there for: the recorder begins later than the log, and the log ends later than the recorder.
    both = max(told["end_ns"].min(), seen["end_ns"].min()) - _SETTLE_NS, until_ns - _SETTLE_NS
    counts = [int(rows["end_ns"].between(*both).sum()) for rows in (told, seen)]
    return [
        Proof.near(
            f"{name}:recorder_safepoints", float(counts[0]), float(counts[1]), 0.0,
            "safepoints of the collector in the flight recording, against those in the log, while both were on",
        )
    ]  # fmt: skip


def _dump(jcmd: Path, pid: int, recording: Path) -> None:
    command = [jcmd, f"{pid}", "JFR.dump", f"filename={recording}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DUMP_S)
    if not recording.is_file():
        raise MeterFailed(f"The flight recorder wrote nothing: {(done.stdout + done.stderr).strip()[-300:]}")
