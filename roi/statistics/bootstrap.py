"""The ratio of two variants as draws, from which its interval, the probability of a lead and a sum of money all come.

Each draw takes processes anew from either variant and measures how far their ratio is off by its own standard error, as
Student's t is; that distance, in the standard error of what was measured, is taken off the logarithm of the ratio found. The
draws are so a distribution of what the ratio may be (a confidence distribution: Xie and Singh, International Statistical Review
81, 2013), and their quantiles are the studentised interval (Efron and Tibshirani, An Introduction to the Bootstrap, 1993,
section 12.5). Draws of the ratio itself are not: of three processes they spread too little, and hold 81 % for 95.

Few processes know their own skewness badly. So a distance is the mean of the one drawn and of Student's, with Welch's degrees of
freedom, for its rank: of ten processes a side like ours that holds 95.2 % for 95, where what is drawn alone holds 94.2 and
Student's 95.7; with one variant that varies three times as much, and half as many processes of it, 93.9, 93.2 and 93.7. A draw of
one process alone has no spread to be measured by. Of three or four processes so many are that all distances are Student's, and
the interval is Welch's; three that vary three times as much as the other variant's ten hold 92 %.

Windows within a process are not drawn. Where they are, one by one or in blocks, the draws' own standard errors grow by as much,
so that nothing counts twice, and intervals hold the truth as often: 95.2 and 94.8 % for 95.5 with five processes a side, 94.1 and
94.6 for 94.4 with ten. A process's mean holds what its windows vary by, whatever they remember of one another.

Everything is on logarithms, so a ratio and its inverse say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from roi.statistics.estimate import Estimate, difference_of_means, positive

_DRAWS = 4_000
_SEED = 7
_FEW = 0.01
"""Share of draws without spread up to which the rest are trusted: of five processes 0.3 %, of four 3 %, of three 21 %."""
_FARTHEST = 600.0
"""Logarithm beyond which no ratio is drawn: two processes that differ may say anything, and no number holds it."""
_NO_SPREAD = 1e-12
"""Share of a variant's variance below which a draw's is rounding."""


@dataclass(frozen=True)
class RatioDraws:
    """What the ratio of two variants may be. Without repetition there are no draws, and whatever needs them is None."""

    draws: np.ndarray
    """Of the ratio, shape (n,), in no order; empty with fewer than two processes of either variant."""
    value: float
    """Ratio of the geometric means of the processes."""
    processes: int
    """Processes behind it, of the variant that has fewer."""

    def interval(self, confidence: float = 0.95) -> tuple[float | None, float | None]:
        """Give both ends of the interval, as much left out on either side; None where it is not known."""
        if not len(self.draws):
            return None, None
        lo, hi = np.exp(np.quantile(np.log(self.draws), [(1 - confidence) / 2, (1 + confidence) / 2]))
        return float(lo), float(hi)

    def lead(self, margin: float = 0.0) -> float | None:
        """Give the probability that the ratio is above 1 + margin; None where it is not known.

        Parameters
        ----------
        margin
            A share: 0.05 asks for a lead of more than 5 %.
        """
        return float((self.draws > 1 + margin).mean()) if len(self.draws) else None

    def estimate(self, confidence: float = 0.95) -> Estimate:
        """Give the ratio with its interval."""
        return Estimate(self.value, *self.interval(confidence), self.processes, confidence)


def ratio(
    above: Sequence[np.ndarray], below: Sequence[np.ndarray], *, seed: int = _SEED, draws: int = _DRAWS
) -> RatioDraws:
    """Give draws of the ratio of two variants.

    With the same seed two figures of the same processes, requests/s and memory, are drawn together, and depend on one another as
    they do in the processes. Unrelated ratios that go into one sum want seeds of their own.

    Parameters
    ----------
    above, below
        Shapes (n,) and (m,): of each process its windows' figures, an array of any length, or their mean as one number. In the
        same unit; a process's mean must be positive.
    seed
        The same seed gives the same draws.
    draws
        How many, an even number.

    Raises
    ------
    ValueError
        A variant has no process, a process no window, or a process's mean is not a positive finite number.
    """
    above, below = _logarithms(above), _logarithms(below)
    found, error, degrees = difference_of_means(above, below)
    value, processes = float(np.exp(found)), min(len(above), len(below))
    if processes < 2:
        return RatioDraws(np.empty(0), value, processes)
    if error == 0:
        return RatioDraws(np.full(draws, value), value, processes)
    # Either half of the draws takes the two streams of chance the other way round: so the draws of the inverse are the inverse.
    off_above, part_above, alone_above = _drawn(above, draws, seed, (0, 1))
    off_below, part_below, alone_below = _drawn(below, draws, seed, (1, 0))
    off, alone = off_above - off_below, alone_above | alone_below
    distance = np.copysign(np.inf, off)
    distance[~alone] = off[~alone] / np.sqrt(part_above + part_below)[~alone]
    logs = np.clip(found - error * _tempered(distance, degrees), -_FARTHEST, _FARTHEST)
    return RatioDraws(np.exp(logs), value, processes)


def _logarithms(processes: Sequence[np.ndarray]) -> np.ndarray:
    """Give the logarithm of each process's mean, shape (n,)."""
    windows = [np.atleast_1d(np.asarray(process, float)) for process in processes]
    if any(process.size == 0 for process in windows):
        raise ValueError("A process has no window: leave it out, and say so.")
    return np.log(positive([process.mean() for process in windows]))


def _drawn(
    logs: np.ndarray, draws: int, seed: int, streams: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give of each draw how far its mean is off, its squared standard error, and whether it has no spread to measure it by."""
    n, centred = len(logs), logs - logs.mean()
    times = _times(n, draws, seed, streams)
    off = times @ centred / n
    variance = np.maximum(times @ centred**2 / n - off**2, 0.0) * n / (n - 1)
    return off, variance / n, variance < _NO_SPREAD * centred.var(ddof=1)


def _tempered(distance: np.ndarray, degrees: float) -> np.ndarray:
    """Give the mean of each distance and of Student's quantile for its rank; Student's alone where a draw, or many, have none."""
    half = len(distance) // 2
    upper = stats.t.ppf((np.arange(half, 2 * half) + 0.5) / (2 * half), degrees)
    student = np.empty_like(distance)
    student[np.argsort(distance, kind="stable")] = np.concatenate([-upper[::-1], upper])
    gaps = np.isinf(distance)
    if gaps.mean() > _FEW:
        return student
    return np.where(gaps, student, (distance + student) / 2)


@lru_cache(maxsize=64)
def _times(n: int, draws: int, seed: int, streams: tuple[int, ...]) -> np.ndarray:
    """Give how often each draw takes each process, shape (draws, n)."""
    even = np.full(n, 1 / n)
    times = np.concatenate(
        [np.random.default_rng((seed, stream)).multinomial(n, even, draws // len(streams)) for stream in streams]
    ).astype(float)
    times.setflags(write=False)
    return times
