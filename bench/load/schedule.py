"""When requests are due: arrivals of an open loop, computed before they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bench.errors import LoadFailed

_NS = 1_000_000_000
_CHUNK_S = 0.5
_SMALLEST_CHUNK = 256


class Schedule(Protocol):
    """Instants at which requests are due, in ns after the load began."""

    def chunks(self) -> Iterator[np.ndarray]:
        """Give int64 arrays, ascending within and between them; endless when the schedule has no duration."""


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals: exponential gaps with mean 1/rate, the traffic of many users who do not know each other."""

    rate_per_s: float
    duration_s: float | None
    seed: int

    def __post_init__(self) -> None:
        _check(self.rate_per_s, self.duration_s)

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the arrivals; see `Schedule`."""
        random = np.random.default_rng(self.seed)
        size = _chunk_size(self.rate_per_s)
        mean_ns = _NS / self.rate_per_s
        last = 0.0
        while True:
            due = last + np.cumsum(random.exponential(mean_ns, size))
            last = due[-1]
            if self.duration_s is not None and last >= self.duration_s * _NS:
                yield due[due < self.duration_s * _NS].astype(np.int64)
                return
            yield due.astype(np.int64)


@dataclass(frozen=True)
class Constant:
    """Arrivals at equal gaps."""

    rate_per_s: float
    duration_s: float | None
    offset_s: float = 0.0
    """Instant of the first arrival; generators that share a rate take different offsets."""

    def __post_init__(self) -> None:
        _check(self.rate_per_s, self.duration_s)

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the arrivals; see `Schedule`."""
        size = _chunk_size(self.rate_per_s)
        gap_ns = _NS / self.rate_per_s
        first = 0
        while True:
            due = self.offset_s * _NS + gap_ns * np.arange(first, first + size)
            first += size
            if self.duration_s is not None and due[-1] >= self.duration_s * _NS:
                yield due[due < self.duration_s * _NS].astype(np.int64)
                return
            yield due.astype(np.int64)


def _chunk_size(rate_per_s: float) -> int:
    return max(_SMALLEST_CHUNK, int(rate_per_s * _CHUNK_S))


def _check(rate_per_s: float, duration_s: float | None) -> None:
    if not rate_per_s > 0 or not np.isfinite(rate_per_s):
        raise LoadFailed(f"A rate of {rate_per_s} requests/s is no rate. Give a positive number.")
    if duration_s is not None and not duration_s > 0:
        raise LoadFailed(f"A load of {duration_s} s has no arrivals. Give a positive duration.")
