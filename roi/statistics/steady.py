"""Whether a process came to a steady state, and when: change points of a series of equal windows, and what they make of it.

Source: Barrett, Bolz-Tereick, Killick, Mount and Tratt, Virtual Machine Warmup Blows Hot and Cold, OOPSLA 2017, sections 4
and 5. Their classes and penalty are kept; windows of load stand for their iterations, of which there are fewer, so segments
are alike here when their means differ by less than a share of the last one.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from enum import StrEnum
from math import log

import numpy as np
import ruptures

_PENALTY = 15
"""Times ln n, for each change (section 4.3)."""
_LEAST_WINDOWS = 20
_SHORTEST_SEGMENT = 3
"""Windows that a variance can be taken of."""
_STEADY_SHARE = 0.25
"""The last of the windows, by share, in which nothing may change (500 of 2000 iterations there)."""
_ALIKE = 0.03


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


def _changes(values: np.ndarray) -> tuple[int, ...]:
    """Give where mean or variance change (PELT, normal cost)."""
    scaled = values / (np.abs(values).mean() or 1.0)
    with warnings.catch_warnings():
        # It says that it adds a millionth to variances, so that one of nothing has a logarithm: a spread of 0.1 % here.
        warnings.simplefilter("ignore", UserWarning)
        found = ruptures.Pelt(model="normal", min_size=_SHORTEST_SEGMENT, jump=1).fit(scaled)
    return tuple(found.predict(pen=_PENALTY * log(len(values)))[:-1])
