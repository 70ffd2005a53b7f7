"""Proof: pauses injected at known times into a gateway under load are put down to the injection by the stall ledger."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow as pa

from bench import generators
from bench.faults import inject
from bench.faults.target import Target
from bench.load import gaps, spool
from bench.load.generator import START_S, Generator, Order
from bench.meters.machine import MachineSampler
from bench.prove.certificate import Proof
from bench.prove.driving import under_way
from bench.prove.subject import Subject
from bench.rig import Rig
from bench.stalls import THRESHOLD_NS, stalls_table

RATE_PER_S = 5_000
PAUSE_S = 0.05
_PERIOD_S = 0.25
_WARM_UP_S = 4.0
"""Nothing is injected before: a JVM has stalls of its own while it compiles."""
_TOLERANCE = 0.01

Injected = list[tuple[int, int, str]]


class _Striker:
    """Stops a process for a while, again and again: a `watch` for the generator."""

    def __init__(self, pid: int, generator: Generator, pauses: int) -> None:
        self._pid, self._generator, self._left = pid, generator, pauses
        self._next: float | None = None
        self.injected: Injected = []

    def __call__(self) -> None:
        if self._next is None:
            self._next = time.monotonic() + _WARM_UP_S if under_way(self._generator) else None
        elif self._left and time.monotonic() >= self._next:
            self._left -= 1
            self._next += _PERIOD_S
            with inject.sigstop(Target(pid=self._pid)) as strike:
                time.sleep(PAUSE_S)
                # Read before it goes on: this process may be held up on its way out.
                ended_ns = time.monotonic_ns()
            self.injected.append((strike.after_ns, ended_ns, "sigstop"))


def prove(name: str, folder: Path, rig: Rig, *, pauses: int = 20) -> list[Proof]:
    """Give the proofs for one variant."""
    tables, injected = _struck(name, folder, rig, pauses)
    ledger = stalls_table(tables, injected).to_pandas()
    known_ms = sum(end - begin for begin, end, _ in injected) / 1e6
    note = f"{pauses} stops of about {PAUSE_S * 1e3:g} ms under {RATE_PER_S} requests/s"
    return [
        Proof.near(
            f"{name}:injected_ms", known_ms, float(ledger["injected_ns"].sum() / 1e6), _TOLERANCE * known_ms,
            f"put down to the injection; {note}",
        ),
        Proof.at_least(
            f"{name}:injected_stalls", float(pauses), float((ledger["cause"] == "injected").sum()),
            f"stalls of {THRESHOLD_NS / 1e6:g} ms or longer that the injection is the largest part of",
        ),
    ]  # fmt: skip


def _struck(name: str, folder: Path, rig: Rig, pauses: int) -> tuple[dict[str, pa.Table], Injected]:
    seconds = _WARM_UP_S + (pauses + 2) * _PERIOD_S
    with Subject(name, folder, rig.gateway_cpus) as subject, MachineSampler() as machine:
        order = Order(
            generators.LOCUSTFILE, subject.host, user="EngineOpenLoop",
            options=("--duration", f"{seconds:g}", "--connections", "64", "--rate", f"{RATE_PER_S}"),
        )  # fmt: skip
        with Generator(order, folder, rig.generator_cpus) as generator:
            striker = _Striker(subject.pid, generator, pauses)
            generator.wait(seconds + START_S, striker)
            requests = spool.read_requests(generator.samples, name)
            late = gaps.table(generator.samples, machine.table(), name, {})
    seen = subject.hiccups().table("gateway", subject.pid)
    tables = {"requests": requests, "gaps": late, "pauses": subject.log().pauses, "hiccups": seen}
    return tables, striker.injected
