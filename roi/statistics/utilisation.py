"""How much of a short window is left to the application between pauses, and what pauses cost one who arrives at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bounds:
    """A figure that is only known to lie between two others."""

    lo: float
    hi: float


def merged(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the union of intervals as sorted intervals that do not overlap.

    Parameters
    ----------
    begin, end
        Instants in the same unit, shape (n,), begin <= end; in any order.
    """
    begin, end = np.asarray(begin), np.asarray(end)
    if not len(begin):
        return begin, end
    order = np.argsort(begin, kind="stable")
    begin, furthest = begin[order], np.maximum.accumulate(end[order])
    first = np.concatenate([[True], begin[1:] > furthest[:-1]])
    last = np.concatenate([first[1:], [True]])
    return begin[first], furthest[last]


def minimum_mutator_utilisation(begin: np.ndarray, end: np.ndarray, start: int, stop: int, window: int) -> float:
    """Give the least share of any window of this length, within [start, stop], in which no pause stood.

    Exact: the paused time of a sliding window is piecewise linear in its position, and its maximum is attained where the
    window begins at a pause's begin or ends at a pause's end (Cheng and Blelloch, A Parallel, Real-Time Garbage Collector,
    PLDI 2001, section 1, define the measure). Pauses are cut at the ends of the observation.

    Parameters
    ----------
    begin, end
        Pauses in ns, shape (n,); they may overlap.
    start, stop
        What was observed, ns.
    window
        Length of the window, ns.

    Raises
    ------
    ValueError
        The window is not positive or longer than what was observed.
    """
    if not 0 < window <= stop - start:
        raise ValueError(f"A window of {window} ns does not fit into an observation of {stop - start} ns.")
    begin, end = merged(np.clip(begin, start, stop), np.clip(end, start, stop))
    if not len(begin):
        return 1.0
    places = np.clip(np.concatenate([begin, end - window]), start, stop - window)
    paused = _paused_before(begin, end, places + window) - _paused_before(begin, end, places)
    return float(1 - paused.max() / window)


def _paused_before(begin: np.ndarray, end: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Give the paused time before each instant, of sorted pauses that do not overlap."""
    cumulated = np.concatenate([[0], np.cumsum(end - begin)])
    begun = np.searchsorted(begin, at, side="right")
    current = np.maximum(begun - 1, 0)
    over = np.where(begun > 0, np.maximum(end[current] - at, 0), 0)
    return cumulated[begun] - over


def bounds_of_utilisation(
    end: np.ndarray, lo: np.ndarray, hi: np.ndarray, start: int, stop: int, window: int
) -> Bounds:
    """Give the minimum mutator utilisation of pauses whose end is known and whose length has bounds.

    A pause that ends where it ends and is longer covers what the shorter one does, so utilisation falls with length: the
    longest lengths give the lower bound.

    Parameters
    ----------
    end, lo, hi
        End and least and greatest length of each pause, ns, shape (n,).
    """
    return Bounds(
        minimum_mutator_utilisation(end - hi, end, start, stop, window),
        minimum_mutator_utilisation(end - lo, end, start, stop, window),
    )


def mean_wait(lo: np.ndarray, hi: np.ndarray, count: np.ndarray, observed: float) -> Bounds:
    """Give how long an arrival at a random instant waits for pauses on average: the sum of squares over twice the time.

    The inspection paradox of renewal theory (Cox, Renewal Theory, 1962, chapter 5): longer pauses are met more often.
    """
    return Bounds(*(float((np.square(ends) * count).sum() / 2 / observed) for ends in (lo, hi)))
