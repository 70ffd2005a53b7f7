"""`bench prove overhead`: whether the pause meters change what they measure.

Interleaved pairs of fresh processes, one with its meters and one without, in random order, at the same open load of half the
variant's capacity. Judged is the upper end of the interval of the mean ratio over pairs: a difference that is merely not
seen is not one that is not there. A variant that fails is labelled *perturbed* in every cell measured later.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from bench import contract, generators
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.meters.process import ProcessSampler
from bench.prove.certificate import Certificate, Proof, certify
from bench.prove.driving import read
from bench.rig import Rig

KIND = "overhead"
MINUTES = 14
VARIANTS = ("go", "java25-g1", "node", "rust")
"""One of each gateway: the meters of a JVM are the same for every collector."""
PAIRS = 10
_LOAD = 0.5
_CAPACITY_S = 3.0
_WARM_UP_S: Mapping[str, float] = {"java": 8.0}
_WARM_UP_OTHERS_S = 2.0
_WINDOW_S = 4.0
_MOST_CPU, _MOST_LATENCY = 1.01, 1.02
_SEED = 3


@dataclass(frozen=True)
class Cost:
    """What one process took at the offered load."""

    cpu_ns: float
    """CPU time a request."""
    p50_ns: float
    p99_ns: float


def prove(say: Callable[[str], None], show: Callable[[Proof], None]) -> Certificate:
    """Measure every variant that this machine can run, and keep the certificate.

    Raises
    ------
    BenchError
        A build, a gateway or a load failed.
    """
    rig = Rig.split(1)
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        for name in contract.prepare_able(VARIANTS, say):
            say(f"{name}: {PAIRS} pairs, meters on and off")
            made = of_variant(name, Path(folder) / name, rig)
            proofs += made
            for proof in made:
                show(proof)
    return certify(KIND, proofs, {})


def of_variant(name: str, folder: Path, rig: Rig, *, pairs: int = PAIRS, window_s: float = _WINDOW_S) -> list[Proof]:
    """Give the proofs of one variant."""
    folder.mkdir()
    rate = _LOAD * _capacity(name, folder / "capacity", rig)
    order = random.Random(_SEED)
    costs: dict[bool, list[Cost]] = {True: [], False: []}
    for pair in range(pairs):
        for metered in order.sample((True, False), 2):
            own = folder / f"{pair}-{'on' if metered else 'off'}"
            costs[metered].append(_cost(name, own, rig, rate, window_s, metered=metered))
    note = f"{pairs} pairs at {rate:,.0f} requests/s, half of what it can do"
    return [
        _bounded(f"{name}:cpu_a_request_ratio", _MOST_CPU, costs, "cpu_ns", note),
        _bounded(f"{name}:p50_ratio", _MOST_LATENCY, costs, "p50_ns", note),
        _bounded(f"{name}:p99_ratio", _MOST_LATENCY, costs, "p99_ns", note),
    ]


def _bounded(name: str, bound: float, costs: Mapping[bool, list[Cost]], what: str, note: str) -> Proof:
    on, off = (np.array([getattr(cost, what) for cost in costs[metered]]) for metered in (True, False))
    ratios = np.log(on / off)
    interval = stats.bootstrap((ratios,), np.mean, random_state=np.random.default_rng(_SEED)).confidence_interval
    lo, mean, hi = np.exp([interval.low, ratios.mean(), interval.high])
    return Proof.at_most(
        name, bound, float(hi), f"upper end of the interval of on over off, {mean:.4f} [{lo:.4f} to {hi:.4f}]; {note}"
    )


def _settings(folder: Path, rig: Rig, *, metered: bool) -> Settings:
    folder.mkdir()
    return Settings(port=free_port(), folder=folder, cpus=rig.gateway_cpus, meters=metered)


def _capacity(name: str, folder: Path, rig: Rig) -> float:
    variant = registry.variant(name)
    with GatewayProcess(variant, _settings(folder, rig, metered=True)) as gateway:
        gateway.wait_ready()
        host = f"http://{gateway.host}:{gateway.port}"
        for number, seconds in enumerate((_warm_up_s(name), _CAPACITY_S)):
            own = folder / f"{number}"
            own.mkdir()
            found = generators.engine(host, rig, seconds, own)
    return found


def _cost(name: str, folder: Path, rig: Rig, rate: float, window_s: float, *, metered: bool) -> Cost:
    warm_up_s = _warm_up_s(name)
    with GatewayProcess(registry.variant(name), _settings(folder, rig, metered=metered)) as gateway:
        gateway.wait_ready()
        with ProcessSampler(gateway.pid, "gateway") as sampler:
            generator = generators.drive(
                "EngineOpenLoop", f"http://{gateway.host}:{gateway.port}", rig, folder, warm_up_s + window_s,
                "--rate", f"{rate:g}", "--seed", f"{_SEED}",
            )  # fmt: skip
    driven = read(generator)
    counted = driven.after(warm_up_s) & driven.ok
    window = driven.began_ns + np.array([warm_up_s, warm_up_s + window_s]) * 1e9
    samples = sampler.table()
    used = np.interp(window, samples["time_ns"].to_numpy(), samples["cpu_ns"].to_numpy())
    response_ns = driven.response_ms[counted] * 1e6
    return Cost(
        float(used[1] - used[0]) / int(counted.sum()),
        float(np.quantile(response_ns, 0.5)),
        float(np.quantile(response_ns, 0.99)),
    )


def _warm_up_s(name: str) -> float:
    return _WARM_UP_S.get(registry.variant(name).gateway.runtime, _WARM_UP_OTHERS_S)
