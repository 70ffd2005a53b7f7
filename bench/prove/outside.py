"""Proof: a process that stands still for another reason than its collector is never said to collect.

It is stopped from outside by a signal; its event loop is blocked by a handler that spins; another process takes its
processor. Each has a known length. The hiccup meter must see it, the collector's meter must see nothing of it, and an idle
control of the same program on the same processor must tell the machine's doing from the process' own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from bench import children
from bench.faults import inject
from bench.faults.target import Target
from bench.meters import control, hiccups
from bench.meters.process import ProcessSampler
from bench.prove.awake import give_way
from bench.prove.certificate import Proof
from bench.prove.subject import Subject

STOP_S = 0.2
BLOCK_MS = 120
_HOG_S = 2.0
_HOGS = 4
"""On each processor: one alone leaves half of it."""
_SETTLE_S = 1.2
"""Longer than the second that the hiccup meter keeps its records for."""
_NEAR = 0.02
_COLLECTIONS = 5
_HALF = 0.5
_RISE = 3.0


def prove(name: str, folder: Path, cpus: Collection[int]) -> list[Proof]:
    """Give the proofs for one variant."""
    with Subject(name, folder, cpus) as subject, control.Control(subject.variant, folder / "control", cpus) as idle:
        time.sleep(_SETTLE_S)
        stopped = _stop(subject.pid)
        time.sleep(_SETTLE_S)
        blocked = subject.ask(f"/__fault/block?ms={BLOCK_MS}")["blocked"][0] if subject.runtime == "node" else None
        with ProcessSampler(subject.pid, "gateway") as quiet:
            calm = _collected_for(subject, _HOG_S)
        # Who sleeps most of the time is otherwise served at once; a gateway that has something to collect does not.
        give_way(idle.pid)
        if subject.runtime == "rust":
            give_way(subject.pid)
        with _hog(cpus), ProcessSampler(subject.pid, "gateway") as pressed:
            hogged = _collected_for(subject, _HOG_S)
        time.sleep(_SETTLE_S)
    rows, own, beside = subject.rows(), subject.hiccups(), idle.record()
    proofs = [*_of_stop(name, rows, own, beside, stopped), *_of_hog(name, rows, beside, calm, hogged)]
    delays = [_run_delay_ns(sampler) for sampler in (quiet, pressed)]
    if None not in delays:
        proofs.append(
            Proof.at_least(
                f"{name}:hog_run_delay_rise", _RISE, delays[1] / max(delays[0], 1),
                "run-queue delay of the gateway's threads beside a hog on its processor, over that without",
            )
        )  # fmt: skip
    return proofs + (_of_block(name, rows, own, blocked) if blocked else [])


def _stop(pid: int) -> tuple[int, int]:
    with inject.sigstop(Target(pid=pid)) as strike:
        time.sleep(STOP_S)
        # Read before it goes on: this process may be held up on its way out.
        return strike.after_ns, time.monotonic_ns()


def _collected_for(subject: Subject, seconds: float) -> tuple[int, int]:
    """Let it collect a known number of times, some time; give the window."""
    began_ns = time.monotonic_ns()
    if subject.runtime != "rust":
        subject.ask(f"/__truth/gc?n={_COLLECTIONS}")
    time.sleep(seconds)
    return began_ns, time.monotonic_ns()


@contextmanager
def _hog(cpus: Collection[int]) -> Iterator[None]:
    command = [sys.executable, "-c", "while True: pass"]
    hogs = [children.spawn(command, cpus=(cpu,), stdout=subprocess.DEVNULL) for cpu in cpus for _ in range(_HOGS)]
    try:
        yield
    finally:
        for hog in hogs:
            children.stop(hog, 0.0)


def _run_delay_ns(sampler: ProcessSampler) -> int | None:
    delays = sampler.table()["run_delay_ns"].to_pylist()
    return None if None in delays else delays[-1] - delays[0]


def _called_gc_ns(rows: pd.DataFrame, begin_ns: int, end_ns: int) -> float:
    """Give how much of a window the meters say was a collection, in ns; sums over windows of seconds cannot lie in it."""
    single = rows[(rows["window_ns"] == 0) & rows["kind"].isin(("stw_gc", "degenerated", "incremental_step"))]
    shared = single["end_ns"].clip(upper=end_ns) - (single["end_ns"] - single["dur_hi_ns"]).clip(lower=begin_ns)
    return float(shared.clip(lower=0).sum())


def _of_stop(
    name: str, rows: pd.DataFrame, own: hiccups.Hiccups, beside: hiccups.Hiccups, stopped: tuple[int, int]
) -> list[Proof]:
    began_ns, ended_ns = stopped
    length_ms = (ended_ns - began_ns) / 1e6
    seen, other = (_longest_ms(record, began_ns, ended_ns) for record in (own, beside))
    period_ms = _period_ms(own)
    return [
        Proof.near(
            f"{name}:sigstop_hiccup_ms", length_ms, seen, period_ms + _NEAR * length_ms,
            "the hiccup meter's longest lateness while the process was stopped; it may have been asleep for a period",
        ),
        Proof.at_most(
            f"{name}:sigstop_control_ms", _HALF * length_ms, other, "the control meanwhile, which nobody stopped"
        ),
        Proof.at_most(
            f"{name}:sigstop_called_gc_share", 0.05, _called_gc_ns(rows, began_ns, ended_ns) / (ended_ns - began_ns),
            "share of the stop that any meter calls a collection",
        ),
    ]  # fmt: skip


def _of_block(name: str, rows: pd.DataFrame, own: hiccups.Hiccups, blocked: dict[str, int]) -> list[Proof]:
    began_ns, ended_ns = blocked["start_ns"], blocked["end_ns"]
    length_ms = (ended_ns - began_ns) / 1e6
    return [
        Proof.near(
            f"{name}:block_hiccup_ms", length_ms, _longest_ms(own, began_ns, ended_ns), _period_ms(own) + _NEAR * length_ms,
            "the hiccup meter's longest lateness while a handler spun on the event loop",
        ),
        Proof.at_most(
            f"{name}:block_called_gc_share", 0.05, _called_gc_ns(rows, began_ns, ended_ns) / (ended_ns - began_ns),
            "share of the block that any meter calls a collection",
        ),
    ]  # fmt: skip


def _of_hog(
    name: str, rows: pd.DataFrame, beside: hiccups.Hiccups, calm: tuple[int, int], hogged: tuple[int, int]
) -> list[Proof]:
    late_ns = [_late_ns(beside, *window) for window in (calm, hogged)]
    proofs = [
        Proof.at_least(
            f"{name}:hog_control_lateness_rise", _RISE, late_ns[1] / max(late_ns[0], hiccups.RECORDED_NS),
            "how late the control's hiccup meter woke beside a hog, in sum, over that without",
        )
    ]  # fmt: skip
    forced = rows[rows["forced"].eq(True)]
    ids = [forced[forced["end_ns"].between(*window)]["gc_id"].nunique() for window in (calm, hogged)]
    if any(ids):
        proofs.append(
            Proof.near(
                f"{name}:hog_collections", float(ids[0]), float(ids[1]), 0.0,
                "forced collections beside the hog, against as many without",
            )
        )  # fmt: skip
    return proofs


def _late_ns(record: hiccups.Hiccups, began_ns: int, ended_ns: int) -> int:
    """Give how late the wakes of a window were, in sum.

    What the meter's own thread waited for a processor would not do: in Go another one waits, and then wakes it.
    """
    due = (record.due_ns >= began_ns) & (record.due_ns < ended_ns)
    return int(record.late_ns[due].sum())


def _longest_ms(record: hiccups.Hiccups, began_ns: int, ended_ns: int) -> float:
    """Give the longest lateness of a wake that was waited for within a window."""
    met = (record.due_ns <= ended_ns) & (record.due_ns + record.late_ns >= began_ns)
    return float(record.late_ns[met].max() / 1e6) if met.any() else 0.0


def _period_ms(record: hiccups.Hiccups) -> float:
    return float((record.counted_ns[-1] - record.counted_ns[0]) / max(record.wakes[-1], 1) / 1e6)
