"""Proof: what reaches the server is the schedule: Poisson, at the offered rate, from one worker and from several merged.

Two loads, because one rate cannot show both. The law of single gaps is tested where a gap is long against the microseconds
that sending takes; the dispersion of counts needs tens of thousands of windows for a tolerance of 2 % to be three standard
errors, and so a high rate and a minute; over fewer windows the tolerance is three standard errors.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from bench.prove.certificate import Proof
from bench.prove.driving import Driven, drive
from bench.prove.known_server import KnownServer
from bench.prove.statistics import dispersion, exponential_p_value
from bench.rig import Rig

GAP_RATE_PER_S = 250
COUNT_RATE_PER_S = 5_000
_ARRIVALS_A_WINDOW = 5
_LEAST_P_VALUE = 0.01
_DISPERSION_TOLERANCE = 0.02
_RATE_ERROR = 0.001


def prove(
    folder: Path, rig: Rig, *, gaps_s: float = 60.0, counts_s: float = 60.0, workers: tuple[int, ...] = (1, 4)
) -> list[Proof]:
    """Give the proofs for each number of workers."""
    return [proof for count in workers for proof in _with(count, folder / f"workers-{count}", rig, gaps_s, counts_s)]


def _with(workers: int, folder: Path, rig: Rig, gaps_s: float, counts_s: float) -> list[Proof]:
    folder.mkdir()
    of = f"{workers} worker" if workers == 1 else f"{workers} workers merged"
    name = f"{workers}_worker{'s' * (workers > 1)}"
    _, gaps_at = _arrivals(folder / "gaps", rig, GAP_RATE_PER_S, gaps_s, workers)
    driven, counts_at = _arrivals(folder / "counts", rig, COUNT_RATE_PER_S, counts_s, workers)
    window_ns = 1e9 * _ARRIVALS_A_WINDOW / COUNT_RATE_PER_S
    windows = (counts_at[-1] - counts_at[0]) / window_ns
    p_value = exponential_p_value(np.diff(gaps_at), 1e9 / GAP_RATE_PER_S)
    index = dispersion(counts_at, window_ns)
    return [
        Proof.at_least(
            f"gaps_exponential_p_value_{name}", _LEAST_P_VALUE, p_value,
            f"Kolmogorov-Smirnov over {len(gaps_at) - 1} gaps at {GAP_RATE_PER_S}/s, seen at the server; {of}",
        ),
        Proof.near(
            f"counts_dispersion_{name}", 1.0, index, max(_DISPERSION_TOLERANCE, 3 * math.sqrt(2 / windows)),
            f"variance over mean in {windows:.0f} windows of {window_ns / 1e6:g} ms,"
            f" {len(counts_at)} arrivals at {COUNT_RATE_PER_S}/s, seen at the server; {of}",
        ),
        Proof.at_most(
            f"rate_error_share_{name}", _RATE_ERROR, abs(_rate(counts_at) / _rate(driven.intended_ns) - 1),
            f"rate at the server against the schedule's own; {of}",
        ),
        Proof.near(
            f"arrivals_seen_{name}", float(len(driven.intended_ns)), float(len(counts_at)), 0.0,
            f"arrivals at the server against those scheduled; {of}",
        ),
    ]  # fmt: skip


def _arrivals(folder: Path, rig: Rig, rate: int, seconds: float, workers: int) -> tuple[Driven, np.ndarray]:
    """Give a Poisson load and the instants in ns at which the server read its requests, in order."""
    folder.mkdir()
    with KnownServer(folder, cpus=rig.gateway_cpus) as server:
        driven = drive(
            "PoissonArrivals", server.host, folder, rig.generator_cpus,
            {"rate": rate, "connections": 64, "seed": 11}, seconds=seconds, workers=workers,
        )  # fmt: skip
        return driven, np.sort(server.log().read_ns)


def _rate(instants: np.ndarray) -> float:
    return (len(instants) - 1) / float(instants[-1] - instants[0])
