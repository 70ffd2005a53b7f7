"""Proof: every request is accounted for, however a load ends.

Three counts that know nothing of each other must agree: the rows on disk, what the server read, and Locust's statistics.
A worker that is killed takes with it what it had not yet written, half a second at most, and the load says so.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from bench.load.generator import Generator
from bench.load.rows import Outcome
from bench.prove.certificate import Proof
from bench.prove.driving import Driven, Once, drive
from bench.prove.known_server import KnownServer
from bench.rig import Rig

RATE_PER_S = 1_000
_LOST_S = 0.5
"""Most of a killed worker's rows that may be missing: it writes every quarter of a second."""


def prove(folder: Path, rig: Rig, *, window_s: float = 4.0, frozen_s: float = 10.0) -> list[Proof]:
    """Give the proofs, a way to end each."""
    return [
        *_normal(folder / "normal", rig, window_s),
        *_hard_stop(folder / "hard-stop", rig, window_s),
        *_slow_flush(folder / "slow-flush", rig, window_s),
        *_killed(folder / "killed", rig, window_s),
        *_frozen(folder / "frozen", rig, window_s, frozen_s),
    ]


def _normal(folder: Path, rig: Rig, window_s: float) -> list[Proof]:
    driven, counted = _load(folder, rig, window_s, {"ask": "null"})
    return _agreeing("normal_end", driven, counted, "a load that ends by itself")


def _hard_stop(folder: Path, rig: Rig, window_s: float) -> list[Proof]:
    """Stop Locust in the middle, with requests in flight and requests that found no connection free."""

    def stop(generator: Generator) -> None:
        os.kill(generator.pids[0], signal.SIGTERM)

    # A delay of 50 ms at 1000/s wants 50 connections and gets 32.
    driven, counted = _load(
        folder,
        rig,
        window_s,
        {"ask": "delay", "microseconds": 50_000, "connections": 32},
        once=Once(stop, window_s / 2),
    )
    unsent = int((driven.outcome == Outcome.UNSENT).sum())
    in_flight = int((driven.outcome == Outcome.UNANSWERED).sum())
    said = f"SIGTERM while {in_flight} requests were in flight and {unsent} waited for a connection"
    return [
        *_agreeing("hard_stop", driven, counted + unsent, said + "; the server's count and those never sent"),
        Proof.at_least("hard_stop_rows_in_flight", 1.0, float(in_flight), said),
        Proof.at_least("hard_stop_rows_unsent", 1.0, float(unsent), said),
    ]


def _slow_flush(folder: Path, rig: Rig, window_s: float) -> list[Proof]:
    driven, counted = _load(folder, rig, window_s, {"ask": "null", "quitting-takes": 2}, workers=2)
    return _agreeing("slow_flush", driven, counted, "two workers whose end takes two seconds")


def _killed(folder: Path, rig: Rig, window_s: float) -> list[Proof]:
    def kill(generator: Generator) -> None:
        os.kill(generator.pids[0], signal.SIGKILL)

    driven, counted = _load(folder, rig, window_s, {"ask": "null"}, workers=2, once=Once(kill, window_s / 2))
    account = driven.account
    missing = counted - len(driven.intended_ns)
    return [
        Proof.near("killed_worker_flagged", 1.0, float(len(account.lost)), 0.0, "; ".join(account.reasons)),
        Proof.at_most(
            "killed_worker_rows_lost", _LOST_S * RATE_PER_S / 2, float(missing),
            f"of {counted} requests that the server read; the bound is half a second of one worker's share",
        ),
        Proof.at_least("killed_worker_rows_invented", 0.0, float(missing), "no row without a request"),
    ]  # fmt: skip


def _frozen(folder: Path, rig: Rig, window_s: float, frozen_s: float) -> list[Proof]:
    def freeze(generator: Generator) -> None:
        os.kill(generator.pids[0], signal.SIGSTOP)
        time.sleep(frozen_s)
        os.kill(generator.pids[0], signal.SIGCONT)

    driven, counted = _load(folder, rig, window_s, {"ask": "null"}, workers=2, once=Once(freeze, window_s / 2))
    changes = driven.account.changes
    late_s = float((driven.sent_ns - driven.intended_ns).max()) / 1e9
    return [
        *_agreeing("frozen_worker", driven, counted, f"one of two workers frozen for {frozen_s:g} s"),
        Proof.at_least("frozen_worker_flagged", 1.0, float(len(changes)), "; ".join(changes) or "nobody noticed"),
        Proof.at_least(
            "frozen_worker_longest_lag_s", min(frozen_s, window_s / 2) * 0.9, late_s,
            "requests that were due meanwhile are late by as much, and not left out",
        ),
    ]  # fmt: skip


def _agreeing(name: str, driven: Driven, counted: int, note: str) -> list[Proof]:
    rows = float(len(driven.intended_ns))
    said = driven.account.locust_count
    return [
        Proof.near(f"{name}_server_count", rows, float(counted), 0.0, note),
        Proof.near(f"{name}_locust_count", rows, float("nan") if said is None else float(said), 0.0, note),
    ]


def _load(
    folder: Path, rig: Rig, window_s: float, options: dict[str, object], *, workers: int = 1, once: Once | None = None
) -> tuple[Driven, int]:
    """Give a Poisson load and how many requests the server read."""
    folder.mkdir()
    with KnownServer(cpus=rig.gateway_cpus) as server:
        driven = drive(
            "PoissonArrivals", server.host, folder, rig.generator_cpus,
            {"rate": RATE_PER_S, "connections": 64, "seed": 3} | options, seconds=window_s, workers=workers, watch=once,
        )  # fmt: skip
        return driven, server.end()
