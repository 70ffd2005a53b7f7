"""Proof: below saturation, the engine and an independent open-loop generator see the same server.

Interleaved pairs on the same server of known capacity and the same processors, at equal gaps. For each quantile the
differences over the pairs must lie within a margin by two one-sided tests on their ranks: not finding a difference proves
nothing, showing that there is none of that size does.

The server serves one request a millisecond. At thousands a second vegeta's own timer would be compared: Go waits in whole
milliseconds when it has nothing else to do, and sends what is due meanwhile in a burst. The processors are kept awake for
both: vegeta goes to sleep and wakes up more often, and what a virtual machine makes it wait for a processor is not its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.errors import LoadFailed
from bench.prove import vegeta
from bench.prove.awake import awake
from bench.prove.certificate import Proof
from bench.prove.driving import drive
from bench.prove.known_server import KnownServer
from bench.prove.statistics import equivalence
from bench.rig import Rig

SERVICE_US = 1_000
CAPACITY_PER_S = 1e6 / SERVICE_US
QUANTILES = (0.5, 0.9, 0.99)
LEVELS = (0.3, 0.5)
_PATH = f"/queue/{SERVICE_US}/0"
_CONNECTIONS = 64
_LEAD_SHARE = 0.2
"""What opens connections and warms the generator up is left out, of both."""
_MARGIN_SHARE, _MARGIN_MS = 0.05, 0.2


def prove(
    folder: Path, rig: Rig, *, pairs: int = 16, seconds: float = 4.0, levels: tuple[float, ...] = LEVELS
) -> list[Proof]:
    """Give the proofs at each level of load."""
    vegeta.build()
    with awake({*rig.gateway_cpus, *rig.generator_cpus}), KnownServer(cpus=rig.gateway_cpus) as server:
        return [proof for level in levels for proof in _at(level, server.host, rig, folder, pairs, seconds)]


def _at(level: float, host: str, rig: Rig, folder: Path, pairs: int, seconds: float) -> list[Proof]:
    rate = round(level * CAPACITY_PER_S)
    ours, theirs = [], []
    for pair in range(pairs):
        own = folder / f"{level:g}-{pair}"
        own.mkdir()
        # The first of a pair finds the server as the second leaves it: each is first in half of them.
        for engine in (True, False) if pair % 2 else (False, True):
            if engine:
                ours.append(_ours(host, rig, own, rate, seconds))
            else:
                latency_ms = vegeta.attack(f"{host}{_PATH}", rate, seconds, _CONNECTIONS, rig.generator_cpus, own)
                theirs.append(_quantiles(latency_ms))
    return [
        _proof(level, rate, q, np.array(ours)[:, place], np.array(theirs)[:, place])
        for place, q in enumerate(QUANTILES)
    ]


def _proof(level: float, rate: float, q: float, ours: np.ndarray, theirs: np.ndarray) -> Proof:
    margin = max(_MARGIN_SHARE * float(np.median(theirs)), _MARGIN_MS)
    found = equivalence(ours - theirs, margin)
    return Proof(
        f"vegeta_p{100 * q:g}_at_{100 * level:g}_percent_ms", float(np.median(theirs)), float(np.median(ours)), margin,
        found.holds,
        f"difference {found.difference:+.3f} ms, 90 % interval {found.lo:+.3f} to {found.hi:+.3f}, over {len(ours)} interleaved"
        f" pairs at {rate}/s on a server of {CAPACITY_PER_S:g}/s; two one-sided signed-rank tests at 5 %",
    )  # fmt: skip


def _ours(host: str, rig: Rig, folder: Path, rate: float, seconds: float) -> list[float]:
    options = {"rate": rate, "ask": "queue", "microseconds": SERVICE_US, "connections": _CONNECTIONS}
    driven = drive("ConstantArrivals", host, folder, rig.generator_cpus, options, seconds=seconds)
    if not driven.ok.all():
        raise LoadFailed(f"{int((~driven.ok).sum())} of {len(driven.ok)} requests by the engine got no 200.")
    return _quantiles(driven.response_ms)


def _quantiles(latency_ms: np.ndarray) -> list[float]:
    return np.quantile(latency_ms[int(_LEAD_SHARE * len(latency_ms)) :], QUANTILES).tolist()
