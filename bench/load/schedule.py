"""When requests are due: arrivals of an open loop, computed before they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from bench.errors import LoadFailed

_NS = 1_000_000_000
_CHUNK_S = 0.05
"""Arrivals are drawn a little before they are due: a long piece of them would itself make the next one late."""
_SMALLEST_CHUNK = 256


@dataclass(frozen=True)
class Part:
    """Which arrivals of a schedule one of several workers sends."""

    index: int = 0
    count: int = 1
    """Workers that share the schedule."""

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise LoadFailed(f"There is no worker {self.index} of {self.count}: they are counted from 0.")

    @property
    def is_whole(self) -> bool:
        """Tell whether nobody else sends anything of it."""
        return self.count == 1

    def share(self, index: int, count: int) -> Part:
        """Give what worker `index` of `count` sends of this part."""
        inner = Part(index, count)
        return Part(self.index + self.count * inner.index, self.count * inner.count)

    def random(self, seed: int) -> np.random.Generator:
        """Give the part's own stream of random numbers, independent of the other parts' (`numpy.random.SeedSequence`)."""
        key = () if self.is_whole else (self.count, self.index)
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


WHOLE = Part()


class Schedule(Protocol):
    """Instants at which requests are due, in ns after the load began."""

    def chunks(self) -> Iterator[np.ndarray]:
        """Give int64 arrays, ascending within and between them; endless when the schedule has no duration.

        Raises
        ------
        LoadFailed
            The whole schedule has no arrival; one worker's share of it may well have none.
        """

    def share(self, index: int, count: int) -> Schedule:
        """Give what worker `index` of `count` sends: all their arrivals together have the law of this schedule."""


@dataclass(frozen=True)
class Poisson:
    """Independent arrivals: exponential gaps with mean 1/rate, the traffic of many users who do not know each other."""

    rate_per_s: float
    """Rate of the whole, whatever the part."""
    duration_s: float | None
    seed: int
    part: Part = WHOLE

    def __post_init__(self) -> None:
        _check(self.rate_per_s, self.duration_s)

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the arrivals; see `Schedule`."""
        return _not_empty(self._chunks(), self.part, f"{self.rate_per_s:g} requests/s")

    def _chunks(self) -> Iterator[np.ndarray]:
        random = self.part.random(self.seed)
        rate_per_s = self.rate_per_s / self.part.count
        last = 0.0
        while True:
            due = last + np.cumsum(random.exponential(_NS / rate_per_s, _chunk_size(rate_per_s)))
            last = due[-1]
            if self.duration_s is not None and last >= self.duration_s * _NS:
                yield due[due < self.duration_s * _NS].astype(np.int64)
                return
            yield due.astype(np.int64)

    def share(self, index: int, count: int) -> Poisson:
        """Give a Poisson process of rate/count: a superposition of independent ones is one of the summed rate."""
        return replace(self, part=self.part.share(index, count))


@dataclass(frozen=True)
class Constant:
    """Arrivals at equal gaps, the first at once."""

    rate_per_s: float
    """Rate of the whole, whatever the part."""
    duration_s: float | None
    part: Part = WHOLE

    def __post_init__(self) -> None:
        _check(self.rate_per_s, self.duration_s)

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the arrivals; see `Schedule`."""
        step = self.part.count
        length = _chunk_size(self.rate_per_s / step) * step
        first = self.part.index
        while True:
            # Each instant by itself from its number, so that nothing adds up and parts fit together to the nanosecond.
            due = np.arange(first, first + length, step) * (_NS / self.rate_per_s)
            first += length
            if self.duration_s is not None and due[-1] >= self.duration_s * _NS:
                yield due[due < self.duration_s * _NS].astype(np.int64)
                return
            yield due.astype(np.int64)

    def share(self, index: int, count: int) -> Constant:
        """Give every count-th arrival from the index-th on."""
        return replace(self, part=self.part.share(index, count))


@dataclass(frozen=True)
class VaryingPoisson:
    """Independent arrivals at a rate that changes with time, linearly between given instants.

    By inversion: a Poisson process of rate 1, mapped by the inverse of the integrated rate (Çinlar, *Introduction to
    Stochastic Processes*, 1975, ch. 4; beside thinning in Lewis and Shedler, Naval Research Logistics Quarterly 26,
    1979). The integral of a piecewise linear rate is piecewise quadratic, so its inverse is exact.
    """

    times_s: tuple[float, ...]
    """Ascending, from 0 to the end of the schedule; the same instant twice is a step of the rate."""
    rates_per_s: tuple[float, ...]
    """Rate of the whole at each of them, whatever the part."""
    seed: int
    part: Part = WHOLE

    def __post_init__(self) -> None:
        rates, times = np.asarray(self.rates_per_s), np.asarray(self.times_s)
        if not (np.isfinite(rates).all() and (rates >= 0).all()):
            raise LoadFailed(f"Rates of {rates.tolist()} requests/s are no rates. Give numbers that are not negative.")
        if len(times) != len(rates) or times[0] != 0 or not (np.isfinite(times).all() and (np.diff(times) >= 0).all()):
            raise LoadFailed(f"A rate cannot change at {times.tolist()} s. Give ascending instants from 0 on.")
        if not self.expected > 0:
            raise LoadFailed(f"A rate of {rates.max():g} requests/s for {times[-1]:g} s has no arrivals. Give more.")

    @property
    def expected(self) -> float:
        """Mean number of arrivals of the whole: the integral of the rate."""
        return float(self._cumulated()[-1])

    def _cumulated(self) -> np.ndarray:
        return np.concatenate(([0.0], np.cumsum(np.diff(self.times_s) * _midpoints(self.rates_per_s))))

    def chunks(self) -> Iterator[np.ndarray]:
        """Give the arrivals; see `Schedule`."""
        return _not_empty(self._chunks(), self.part, f"up to {max(self.rates_per_s):g} requests/s")

    def _chunks(self) -> Iterator[np.ndarray]:
        random = self.part.random(self.seed)
        size = _chunk_size(max(self.rates_per_s) / self.part.count)
        last = 0.0
        while True:
            # Gaps of rate 1/count in integrated rate are gaps of rate(t)/count in time.
            passed = last + np.cumsum(random.exponential(self.part.count, size))
            last = passed[-1]
            yield self._instants(passed[passed < self.expected])
            if last >= self.expected:
                return

    def _instants(self, passed: np.ndarray) -> np.ndarray:
        """Give the instants in ns at which the integrated rate has reached these values."""
        times, rates, cumulated = np.asarray(self.times_s), np.asarray(self.rates_per_s), self._cumulated()
        # The last piece that begins at or before the value: pieces without arrivals are passed over.
        piece = np.searchsorted(cumulated, passed, side="right") - 1
        beyond = passed - cumulated[piece]
        length = times[piece + 1] - times[piece]
        slope = (rates[piece + 1] - rates[piece]) / length
        # The root of rate·u + slope·u²/2 = beyond in the form that does not cancel and holds for a slope of 0 too.
        root = np.sqrt(np.maximum(rates[piece] ** 2 + 2 * slope * beyond, 0.0))
        with np.errstate(invalid="ignore"):
            since = np.where(beyond > 0, 2 * beyond / (rates[piece] + root), 0.0)
        return ((times[piece] + np.minimum(since, length)) * _NS).astype(np.int64)

    def share(self, index: int, count: int) -> VaryingPoisson:
        """Give the same shape at rate/count, as for `Poisson`."""
        return replace(self, part=self.part.share(index, count))


def _midpoints(values: tuple[float, ...]) -> np.ndarray:
    return (np.asarray(values[1:]) + np.asarray(values[:-1])) / 2


def _chunk_size(rate_per_s: float) -> int:
    return max(_SMALLEST_CHUNK, int(rate_per_s * _CHUNK_S))


def _not_empty(chunks: Iterator[np.ndarray], part: Part, what: str) -> Iterator[np.ndarray]:
    arrivals = 0
    for chunk in chunks:
        arrivals += len(chunk)
        yield chunk
    if not arrivals and part.is_whole:
        raise LoadFailed(
            f"A load of {what} ended without a single arrival. Give a longer --duration or a higher --rate."
        )


def _check(rate_per_s: float, duration_s: float | None) -> None:
    if not rate_per_s > 0 or not np.isfinite(rate_per_s):
        raise LoadFailed(f"A rate of {rate_per_s} requests/s is no rate. Give a positive number.")
    if duration_s is not None and not duration_s > 0:
        raise LoadFailed(f"A load of {duration_s} s has no arrivals. Give a positive duration.")
