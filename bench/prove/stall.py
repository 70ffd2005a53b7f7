"""Proof: a server stopped for a known time shows in the latencies, by as much as theory says.

Constant arrivals at rate lambda for a window T meet a single server of rate mu, rho = lambda/mu, that stands still for s.
A request that arrives u after the stop waits for the rest of it and for those before it: s - (1 - rho) u. So the
response time exceeds x with probability (s - x) / ((1 - rho) T), its q-quantile is s - (1 - q)(1 - rho) T, and the mean
grows by s^2 / (2 (1 - rho) T). A generator that waits for answers sends fewer requests into the stall instead and misses
it: coordinated omission (Tene). Locust's own pacing is the control, and must miss it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.load.generator import START_S, Generator, Order
from bench.prove.certificate import Proof
from bench.prove.driving import LOCUSTFILE, Once, arguments, drive
from bench.prove.known_server import KnownServer
from bench.rig import Rig

RATE_PER_S = 1_000
SERVICE_US = 200
RHO = RATE_PER_S * SERVICE_US / 1e6
_CONTROL_USERS = RATE_PER_S // 20
_TOLERANCE_MS = 10.0
_MEAN_TOLERANCE_MS = 0.5
_DRAWN = np.concatenate([np.linspace(0.95, 0.99, 41), np.linspace(0.9901, 0.9999, 99)])
"""Quantiles that the page draws."""

Curves = dict[str, Sequence[float]]


def closed_form_ms(q: np.ndarray | float, frozen_s: float, window_s: float) -> np.ndarray:
    """Give the q-quantiles of the response time in ms, 0 where the stall does not reach."""
    return np.maximum(0.0, 1e3 * (frozen_s - (1 - np.asarray(q)) * (1 - RHO) * window_s))


def mean_excess_ms(frozen_s: float, window_s: float) -> float:
    """Give by how much the stall raises the mean response time, in ms."""
    return 1e3 * frozen_s**2 / (2 * (1 - RHO) * window_s)


def prove(folder: Path, rig: Rig, *, window_s: float = 60.0, freeze_s: float = 1.0) -> tuple[list[Proof], Curves]:
    """Give the proofs of the engine and its control, and their curves over the quantile."""
    engine_ms, frozen_s = _engine(folder / "engine", rig, window_s, freeze_s)
    control_ms, control_frozen_s = _control(folder / "control", rig, window_s, freeze_s)
    note = f"stopped for {frozen_s:.4f} s in {window_s:g} s at {RATE_PER_S}/s, rho {RHO:g}"
    proofs = []
    for q in _quantiles(frozen_s, window_s):
        expected = float(closed_form_ms(q, frozen_s, window_s))
        measured = float(np.quantile(engine_ms, q))
        proofs.append(Proof.near(f"stall_p{100 * q:g}_ms", expected, measured, _TOLERANCE_MS, note))
    undisturbed = float(np.median(engine_ms))
    proofs.append(
        Proof.near(
            "stall_mean_excess_ms", mean_excess_ms(frozen_s, window_s), float(engine_ms.mean()) - undisturbed,
            _MEAN_TOLERANCE_MS, f"over the undisturbed median of {undisturbed:.2f} ms; {note}",
        )
    )  # fmt: skip
    q = _quantiles(frozen_s, window_s)[0]
    expected = float(closed_form_ms(q, control_frozen_s, window_s))
    missed = expected - float(np.quantile(control_ms, q))
    proofs.append(
        Proof.at_least(
            f"constant_throughput_misses_stall_p{100 * q:g}_by_ms", _TOLERANCE_MS, missed,
            f"the control must fail: {_CONTROL_USERS} users of Locust's constant_throughput wrote down {len(control_ms)}"
            f" requests, and {int((control_ms > 50).sum())} of them saw the stall",
        )
    )  # fmt: skip
    return proofs, {
        "quantile": _DRAWN.tolist(),
        "closed_form_ms": closed_form_ms(_DRAWN, frozen_s, window_s).tolist(),
        "engine_ms": np.quantile(engine_ms, _DRAWN).tolist(),
        "constant_throughput_ms": np.quantile(control_ms, _DRAWN).tolist(),
    }


def _quantiles(frozen_s: float, window_s: float) -> list[float]:
    """Give quantiles that the stall reaches: where a third, two thirds and nearly all of it is seen."""
    reached = frozen_s / ((1 - RHO) * window_s)
    return [round(1 - share * reached, 4) for share in (0.7, 0.35, 0.05)]


def _engine(folder: Path, rig: Rig, window_s: float, freeze_s: float) -> tuple[np.ndarray, float]:
    """Give the response times of the engine in ms, and for how long the server stood still."""
    folder.mkdir()
    with KnownServer(cpus=rig.gateway_cpus) as server:
        frozen: list[float] = []
        driven = drive(
            "ConstantArrivals", server.host, folder, rig.generator_cpus,
            {"rate": RATE_PER_S, "ask": "queue", "microseconds": SERVICE_US, "connections": 64},
            seconds=window_s, watch=Once(lambda _: frozen.append(server.freeze_for(freeze_s)), after_s=1.0),
        )  # fmt: skip
    return driven.response_ms, frozen[0]


def _control(folder: Path, rig: Rig, window_s: float, freeze_s: float) -> tuple[np.ndarray, float]:
    """Give what Locust's own pacing wrote down of the same stall, in ms, once all its users were there."""
    folder.mkdir()
    times = folder / "response_times.npy"
    lead_s = 2.0
    with KnownServer(cpus=rig.gateway_cpus) as server:
        order = Order(
            locustfile=LOCUSTFILE, host=server.host, user="ConstantThroughput",
            options=arguments({
                "users": _CONTROL_USERS, "spawn-rate": _CONTROL_USERS, "run-time": f"{window_s + lead_s:g}s",
                "ask": "queue", "microseconds": SERVICE_US, "response-times": times,
            }),
        )  # fmt: skip
        frozen: list[float] = []
        # Locust is ready after some two seconds, and the first two of the load do not count.
        freeze = Once(
            lambda _: frozen.append(server.freeze_for(freeze_s)), after_s=4.0 + window_s / 4, begun=lambda _: True
        )
        with Generator(order, folder, rig.generator_cpus) as generator:
            generator.wait(window_s + lead_s + START_S, lambda: freeze(generator))
    started, response_ms = np.load(times).T
    return response_ms[started >= started.min() + lead_s], frozen[0]
