"""Proof: below saturation, the engine and an independent open-loop generator see the same gateway.

Interleaved pairs on the same gateway and the same processors, the same request at equal gaps, below capacity. For each
quantile the differences over the pairs must lie within a margin by two one-sided tests: not finding a difference proves
nothing, showing that there is none of that size does.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench import contract, paths
from bench.errors import LoadFailed
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.load.generator import Generator, Order
from bench.prove import vegeta
from bench.prove.certificate import Proof
from bench.prove.driving import START_S, Driven, arguments, read
from bench.prove.statistics import equivalence
from bench.rig import Rig

VARIANT = "go"
QUANTILES = (0.5, 0.9, 0.99)
LEVELS = (0.3, 0.5)
_CONNECTIONS = 64
_LEAD_SHARE = 0.2
"""What opens connections and warms the generator up is left out, of both."""
_MARGIN_SHARE, _MARGIN_MS = 0.05, 0.2


def prove(
    folder: Path, rig: Rig, *, pairs: int = 10, seconds: float = 5.0, levels: tuple[float, ...] = LEVELS
) -> list[Proof]:
    """Give the proofs at each level of load."""
    vegeta.build()
    contract.prepare((VARIANT,), lambda sentence: None)
    settings = Settings(port=free_port(), folder=folder, cpus=rig.gateway_cpus, meters=False)
    with GatewayProcess(registry.variant(VARIANT), settings) as gateway:
        gateway.wait_ready()
        host = f"http://{gateway.host}:{gateway.port}"
        warm_up = _engine("EngineClosedLoop", host, rig, folder / "capacity", {"duration": 4})
        capacity = len(warm_up.done_ns) / 4
        return [proof for level in levels for proof in _at(level, capacity, host, rig, folder, pairs, seconds)]


def _at(level: float, capacity: float, host: str, rig: Rig, folder: Path, pairs: int, seconds: float) -> list[Proof]:
    rate = round(level * capacity)
    ours, theirs = [], []
    for pair in range(pairs):
        own = folder / f"{level:g}-{pair}"
        own.mkdir()
        sides = [
            lambda own=own: ours.append(_ours(host, rig, own / "engine", rate, seconds)),
            lambda own=own: theirs.append(_quantiles(vegeta.attack(host, rate, seconds, _CONNECTIONS, rig.generator_cpus, own))),
        ]  # fmt: skip
        for side in sides if pair % 2 else reversed(sides):
            side()
    return [
        _proof(level, rate, q, np.array(ours)[:, place], np.array(theirs)[:, place])
        for place, q in enumerate(QUANTILES)
    ]


def _proof(level: float, rate: float, q: float, ours: np.ndarray, theirs: np.ndarray) -> Proof:
    margin = max(_MARGIN_SHARE * float(np.median(theirs)), _MARGIN_MS)
    found = equivalence(ours - theirs, margin)
    return Proof(
        f"vegeta_p{100 * q:g}_at_{100 * level:g}_percent_ms", float(np.mean(theirs)), float(np.mean(ours)), margin,
        found.holds,
        f"difference {found.difference:+.3f} ms, 90 % interval ±{found.half_width:.3f}, over {len(ours)} interleaved pairs at"
        f" {rate}/s on {VARIANT}; two one-sided tests at 5 %",
    )  # fmt: skip


def _ours(host: str, rig: Rig, folder: Path, rate: float, seconds: float) -> list[float]:
    driven = _engine("EngineConstantArrivals", host, rig, folder, {"rate": rate, "duration": seconds})
    if not driven.ok.all():
        raise LoadFailed(f"{int((~driven.ok).sum())} of {len(driven.ok)} requests by the engine got no 200.")
    return _quantiles(driven.response_ms)


def _quantiles(latency_ms: np.ndarray) -> list[float]:
    return np.quantile(latency_ms[int(_LEAD_SHARE * len(latency_ms)) :], QUANTILES).tolist()


def _engine(user: str, host: str, rig: Rig, folder: Path, options: dict[str, object]) -> Driven:
    folder.mkdir()
    order = Order(
        locustfile=paths.SCENARIOS / "_one_request.py", host=host, user=user,
        options=arguments({"connections": _CONNECTIONS} | options),
    )  # fmt: skip
    with Generator(order, folder, rig.generator_cpus) as generator:
        generator.wait(float(options["duration"]) + START_S)
        return read(generator)
