"""Proof: Poisson arrivals at a single server with a fixed service time wait as the queueing law says (M/D/1).

A closed loop cannot give this mean: its users wait for the queue in place of lengthening it. Beside the law itself, every
single response time is held against Lindley's recursion over the very arrivals that were scheduled, which leaves no room
for chance. By how much the server itself answered later than it meant to is in its log and no fault of the load: what
remains is what the generator adds, with the processors kept awake.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.prove.awake import awake
from bench.prove.certificate import Proof
from bench.prove.driving import Driven, drive
from bench.prove.known_server import KnownServer, Log
from bench.prove.statistics import batch_means_half_width, fifo_response, md1_mean
from bench.rig import Rig

SERVICE_US = 10_000
RHOS = (0.5, 0.8)
_LEAD_S = 2.0
"""The queue begins empty; after two hundred services it has forgotten that."""
_OVERHEAD_SHARE = 0.05


def prove(folder: Path, rig: Rig, *, window_s: float = 120.0, rhos: tuple[float, ...] = RHOS) -> list[Proof]:
    """Give the proofs at each utilisation."""
    return [proof for rho in rhos for proof in _at(rho, folder / f"rho-{rho:g}", rig, window_s)]


def _at(rho: float, folder: Path, rig: Rig, window_s: float) -> list[Proof]:
    folder.mkdir()
    service_ms = SERVICE_US / 1e3
    rate = rho * 1e6 / SERVICE_US
    with awake({*rig.gateway_cpus, *rig.generator_cpus}), KnownServer(folder, cpus=rig.gateway_cpus) as server:
        driven = drive(
            "PoissonArrivals", server.host, folder, rig.generator_cpus,
            {"rate": rate, "ask": "queue", "microseconds": SERVICE_US, "connections": 256, "seed": 5},
            seconds=window_s + _LEAD_S,
        )  # fmt: skip
        log = server.log()
    counted = driven.after(_LEAD_S)
    server_late_ms = _lateness_ms(log, driven.began_ns + _LEAD_S * 1e9)
    outside_ms = _outside_ms(driven, log, counted)
    measured = driven.response_ms[counted]
    arrivals_ms = (driven.intended_ns - driven.began_ns) / 1e6
    over = (driven.response_ms - fifo_response(arrivals_ms, service_ms))[counted]
    n = f"{len(measured)} requests at {rate:g}/s, fixed service of {service_ms:g} ms"
    late = f"expected with the {server_late_ms:.3f} ms that the server's own log says it answered late"
    return [
        Proof.near(
            f"md1_mean_rho_{rho:g}_ms", md1_mean(service_ms, rho) + server_late_ms + outside_ms, float(measured.mean()),
            batch_means_half_width(measured), f"{late}, and the {outside_ms:.3f} ms that requests spent on their way to it and"
            f" back (the law is about the server alone); tolerance is the 99 % interval by batch means; {n}",
        ),
        Proof.near(
            f"lindley_mean_rho_{rho:g}_ms", float((measured - over).mean()) + server_late_ms, float(measured.mean()),
            _OVERHEAD_SHARE * service_ms, f"the same arrivals through Lindley's recursion, request by request; {late}; {n}",
        ),
        Proof.at_least(
            f"lindley_shortest_excess_rho_{rho:g}_ms", 0.0, float(np.min(over)),
            "no response is earlier than the server can have given it",
        ),
    ]  # fmt: skip


def _outside_ms(driven: Driven, log: Log, counted: np.ndarray) -> float:
    """Give the mean time that a request took from when it was due until the server read it, and from its answer until that came.

    The server serves in order, so the order tells which is which.
    """
    there_ns = np.sort(log.read_ns) - np.sort(driven.intended_ns)
    back_ns = np.sort(driven.done_ns) - np.sort(log.sent_ns)
    return float((there_ns + back_ns)[np.sort(counted)].mean() / 1e6)


def _lateness_ms(log: Log, since_ns: float) -> float:
    """Give by how much the server answered later than the recursion over its own reading says, in the mean."""
    late_ns = log.sent_ns - log.read_ns - fifo_response(log.read_ns - log.read_ns[0], SERVICE_US * 1e3)
    return float(late_ns[log.read_ns >= since_ns].mean() / 1e6)
