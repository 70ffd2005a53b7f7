"""Whether a process came to a steady state, and when: change points of a series of equal windows, and what they make of it.

Source: Barrett, Bolz-Tereick, Killick, Mount and Tratt, Virtual Machine Warmup Blows Hot and Cold, OOPSLA 2017, sections 4
and 5. Their classes and penalty are kept; windows of load stand for their iterations, of which there are fewer, so segments
are alike here when their means differ by less than a share of the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import log
from typing import Self

import numpy as np
import ruptures
from ruptures.base import BaseCost

_PENALTY = 15
"""Times ln n, for each change (section 4.3)."""
_LEAST_WINDOWS = 20
_SHORTEST_SEGMENT = 3
"""Windows that a variance can be taken of."""
_STEADY_SHARE = 0.25
"""The last of the windows, by share, in which nothing may change (500 of 2000 iterations there)."""
_ALIKE = 0.03
_LEAST_VARIANCE = 1e-6
"""Is added to variances, so that one of nothing has a logarithm: a spread of 0.1 % of the mean."""


class Steadiness(StrEnum):
    """What a process did."""

    FLAT = "flat"
    """Nothing changed that matters."""
    WARM_UP = "warm-up"
    """It ended better than it was before."""
    SLOW_DOWN = "slow-down"
    """It ended worse than it once was."""
    NO_STEADY_STATE = "no steady state"
    """It still changed in the last quarter."""


@dataclass(frozen=True)
class Course:
    """The course of one process."""

    steadiness: Steadiness
    steady_from: int | None
    """The window from which on it was steady; None when it never was."""
    changes: tuple[int, ...]
    """Windows at which a segment begins, the first not among them."""
    means: tuple[float, ...]
    """Mean of each segment, in the unit of the series."""


def course(series: np.ndarray, *, more_is_better: bool = True) -> Course | None:
    """Give the course of a process from one figure a window; None when there are too few windows to tell.

    Parameters
    ----------
    series
        Shape (windows,), equal in length and in order: requests answered, say.
    more_is_better
        False for costs and times.

    Raises
    ------
    ValueError
        A value is not finite.
    """
    values = np.asarray(series, float)
    if not np.isfinite(values).all():
        raise ValueError("A window's figure is not a finite number: end the series before it.")
    if len(values) < _LEAST_WINDOWS:
        return None
    changes = _changes(values)
    means = tuple(float(part.mean()) for part in np.split(values, changes))
    last = means[-1]
    alike = [abs(mean - last) <= _ALIKE * abs(last) for mean in means]
    # The stretch at the end whose segments are all alike is the steady state.
    first = len(alike) - next((place for place, same in enumerate(reversed(alike)) if not same), len(alike))
    steady_from = 0 if first == 0 else changes[first - 1]
    if steady_from > (1 - _STEADY_SHARE) * len(values):
        return Course(Steadiness.NO_STEADY_STATE, None, changes, means)
    if first == 0:
        return Course(Steadiness.FLAT, 0, changes, means)
    best = max(means[:first]) if more_is_better else min(means[:first])
    worse = best > last * (1 + _ALIKE) if more_is_better else best < last * (1 - _ALIKE)
    return Course(Steadiness.SLOW_DOWN if worse else Steadiness.WARM_UP, steady_from, changes, means)


class NormalCost(BaseCost):
    """Twice the negative log-likelihood of normal segments, but for what is the same for every segmentation: n ln σ².

    It is the cost that ruptures calls `normal`, for one series, from running sums: ruptures takes each of the hundred thousand
    variances of a series from its windows, and spends seconds on a run that way.
    """

    model = ""
    min_size = _SHORTEST_SEGMENT

    def fit(self, signal: np.ndarray) -> Self:
        """Take a series, shape (windows,)."""
        self.signal = signal.reshape(-1, 1)
        # About the mean, so that squares do not cancel.
        centred = (signal - signal.mean()).tolist()
        self._sums = list(accumulate(centred, initial=0.0))
        self._squares = list(accumulate((value * value for value in centred), initial=0.0))
        return self

    def error(self, start: int, end: int) -> float:
        """Give the cost of the windows from `start` to before `end`."""
        n = end - start
        mean = (self._sums[end] - self._sums[start]) / n
        variance = (self._squares[end] - self._squares[start]) / n - mean * mean
        return n * log(max(variance, 0.0) + _LEAST_VARIANCE)


def _changes(values: np.ndarray) -> tuple[int, ...]:
    """Give where mean or variance change (PELT, normal cost)."""
    scaled = values / (np.abs(values).mean() or 1.0)
    found = ruptures.Pelt(custom_cost=NormalCost(), min_size=_SHORTEST_SEGMENT, jump=1).fit(scaled)
    return tuple(found.predict(pen=_PENALTY * log(len(values)))[:-1])
