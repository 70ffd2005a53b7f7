"""Proof: time that a runtime needs to bring its threads to a stop is told as such, and not as the collector's work.

A thread runs a loop that the runtime cannot stop. A collection asked for meanwhile has to wait for the loop's end: that is
time to safepoint on a JVM, and Go's histogram of stopping. The collector's own phases stay as short as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from bench.gateways import registry
from bench.prove.certificate import Proof
from bench.prove.subject import Subject, stops, within

LOOP_MS = 120
_TOLERANCE_SHARE = 0.05
_LEAST_TOLERANCE_MS = 1.0
_GO_STOPPING = "/sched/pauses/stopping/gc:seconds"


def prove(name: str, folder: Path, cpus: Collection[int]) -> list[Proof]:
    """Give the proofs for one variant; none where the runtime has nothing of the kind."""
    if registry.variant(name).gateway.runtime not in ("go", "java"):
        return []
    with Subject(name, folder, cpus, workers=2) as subject:
        said = subject.ask(f"/__truth/unstoppable?ms={LOOP_MS}")
    waited_ms = (said["loop"]["end_ns"] - said["asked_ns"]) / 1e6
    tolerance_ms = max(_TOLERANCE_SHARE * waited_ms, _LEAST_TOLERANCE_MS)
    rows = subject.rows()
    if subject.runtime == "go":
        buckets = rows[rows["phase"] == _GO_STOPPING]
        last = buckets.loc[buckets["dur_hi_ns"].idxmax()]
        lo_ms, hi_ms = last["dur_lo_ns"] / 1e6, last["dur_hi_ns"] / 1e6
        # The histogram tells a bucket: what is known must lie in it, and is held against its middle.
        return [
            Proof.near(
                f"{name}:stopping_ms", waited_ms, (lo_ms + hi_ms) / 2, (hi_ms - lo_ms) / 2 + tolerance_ms,
                f"bucket {lo_ms:.1f} to {hi_ms:.1f} ms of the histogram of stopping; the loop ran on for so long",
            )
        ]  # fmt: skip
    during = within(stops(rows), said["loop"]["start_ns"], said["collected_ns"])
    longest = during.loc[during["ttsp_ns"].idxmax()]
    phases = rows[(rows["source"] == "jul_phase") & rows["end_ns"].between(said["loop"]["start_ns"], longest["end_ns"])]
    return [
        Proof.near(
            f"{name}:ttsp_ms", waited_ms, longest["ttsp_ns"] / 1e6, tolerance_ms,
            "time to safepoint; the loop ran on for so long after the collection was asked for",
        ),
        Proof.at_most(
            f"{name}:phase_over_rest", 1.0, float(phases["dur_hi_ns"].max() / (longest["dur_hi_ns"] - longest["ttsp_ns"])),
            "the collector's longest phase over what is left of the stop without the wait: its own log line knows nothing of it",
        ),
    ]  # fmt: skip
