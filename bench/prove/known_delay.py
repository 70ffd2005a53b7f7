"""Proof: the generator adds next to nothing to what the server took, and never takes anything away.

The server delays each request by a known time and writes down when it read it and when it answered, on the same clock.
Joined by the request's id, service time minus the server's own time is what the way there, the way back and the generator
add. The processors are kept awake meanwhile: how long a virtual machine takes to get one back is not the generator's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.prove.awake import awake
from bench.prove.certificate import Proof
from bench.prove.driving import Driven, drive
from bench.prove.known_server import KnownServer, Log
from bench.rig import Rig

RATE_PER_S = 1_000
DELAYS_US = (1_000, 5_000, 50_000)
_P50_BOUND_MS = 0.1


def prove(folder: Path, rig: Rig, *, window_s: float = 30.0) -> list[Proof]:
    """Give the proofs."""
    # An id for every request: a quarter more than there will be.
    distinct = int(RATE_PER_S * window_s * 1.25) + 100
    with awake({*rig.gateway_cpus, *rig.generator_cpus}), KnownServer(folder, cpus=rig.gateway_cpus) as server:
        driven = drive(
            "PoissonArrivals", server.host, folder, rig.generator_cpus,
            {"rate": RATE_PER_S, "ask": "delay", "microseconds": ",".join(map(str, DELAYS_US)), "distinct": distinct,
             "connections": 256, "seed": 7},
            seconds=window_s,
        )  # fmt: skip
        log = server.log()
    there, back = _ways_ms(driven, log)
    overhead = there + back
    return [
        Proof.near(
            "known_delay_joined_requests", float(len(driven.request)), float(len(overhead)), 0.0,
            f"every row has its entry in the server's log; delays of {', '.join(f'{d / 1e3:g}' for d in DELAYS_US)} ms",
        ),
        Proof.at_most(
            "known_delay_overhead_p50_ms", _P50_BOUND_MS, float(np.median(overhead)),
            "service time minus the server's own time",
        ),
        Proof.at_least(
            "known_delay_shortest_overhead_ms", 0.0, float(overhead.min()),
            "no service time is shorter than the server's own",
        ),
        Proof.reported("known_delay_overhead_p99_ms", float(np.quantile(overhead, 0.99)), _cause(there, back)),
    ]  # fmt: skip


def _ways_ms(driven: Driven, log: Log) -> tuple[np.ndarray, np.ndarray]:
    """Give the way there (sent until read) and the way back (answered until done) of every request, in ms."""
    order = np.argsort(log.id)
    place = np.searchsorted(log.id[order], driven.request)
    found = place < len(order)
    entry = order[place[found]]
    found[found] = log.id[entry] == driven.request[found]
    entry = order[place[found]]
    there = log.read_ns[entry] - driven.sent_ns[found]
    back = driven.done_ns[found] - log.sent_ns[entry]
    return there / 1e6, back / 1e6


def _cause(there: np.ndarray, back: np.ndarray) -> str:
    """Say where the slowest hundredth lost its time."""
    overhead = there + back
    slow = overhead >= np.quantile(overhead, 0.99)
    on_the_way_there = there[slow].sum() / overhead[slow].sum()
    return (
        f"of the slowest 1 %, {on_the_way_there:.0%} passed between sending and the server's reading (the server's wake-up),"
        f" {1 - on_the_way_there:.0%} between its answer and our reading (the generator's)"
    )
