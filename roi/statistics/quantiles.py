"""Quantiles with exact intervals, also of values that are only known to lie between bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from roi.statistics.errors import TooFine


@dataclass(frozen=True)
class Quantile:
    """A sample quantile and a distribution-free interval of the population's."""

    q: float
    value: float
    lo: float | None
    """Lower end; None when the sample is too small to have one."""
    hi: float | None
    """Upper end; None when the sample is too small to have one."""
    n: int


def quantile(sample: np.ndarray, q: float, confidence: float = 0.95) -> Quantile:
    """Give a quantile with the order-statistic interval: the rank of the population's q is binomial.

    Source: Conover, Practical Nonparametric Statistics, 3rd edition, section 3.2.

    Parameters
    ----------
    sample
        Values in any unit, shape (n,); need not be sorted.
    q
        Between 0 and 1, exclusive.
    """
    ordered = np.sort(np.asarray(sample, float))
    return _from_ranks(ordered, np.arange(1, len(ordered) + 1), q, confidence)


def quantiles_of_buckets(
    values: np.ndarray, count: np.ndarray, open_ended: np.ndarray, quantiles: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Give sample quantiles of a histogram, some of whose members are only known from below.

    The quantile is the smallest value that at least a share of q does not exceed (the inverse of the distribution function).

    Parameters
    ----------
    values
        Value that stands for each bucket, ascending, shape (m,).
    count, open_ended
        Members of each bucket, and those of them that may be anything above it, shape (m,).
    quantiles
        Above 0, at most 1; k of them.

    Returns
    -------
    tuple of numpy.ndarray
        Least and most that each can be, shape (k,): what is open-ended counted as it stands, and as infinite.
    """
    values, closed = np.asarray(values, float), np.asarray(count) - np.asarray(open_ended)
    # The product of a share and a number may lie a rounding above the whole number that it is.
    rank = np.maximum(np.ceil(np.asarray(quantiles) * np.sum(count) - 1e-6), 1)
    at_least = values[np.searchsorted(np.cumsum(count), rank)]
    at_most = np.append(values, np.inf)[np.searchsorted(np.cumsum(closed), rank)]
    return at_least, at_most


def quantile_of_bounds(
    lo: np.ndarray, hi: np.ndarray, count: np.ndarray, q: float, confidence: float = 0.95
) -> Quantile:
    """Give a quantile of values known only to lie between `lo` and `hi`, `count` of them each.

    The value is the middle of the quantile's own bounds; the interval runs from the lower bound of the lower order statistic
    to the upper bound of the upper one, and so holds both what is not resolved and what was not sampled.

    Parameters
    ----------
    lo, hi
        Bounds in the same unit, shape (n,), 0 <= lo <= hi.
    count
        How many values have these bounds, shape (n,).
    """
    keep = np.asarray(count) > 0
    lo, hi, count = np.asarray(lo, float)[keep], np.asarray(hi, float)[keep], np.asarray(count)[keep]
    by_lo, by_hi = np.argsort(lo, kind="stable"), np.argsort(hi, kind="stable")
    lower = _from_ranks(lo[by_lo], np.cumsum(count[by_lo]), q, confidence)
    upper = _from_ranks(hi[by_hi], np.cumsum(count[by_hi]), q, confidence)
    return Quantile(q, (lower.value + upper.value) / 2, lower.lo, upper.hi, lower.n)


def observations_needed(q: float, confidence: float = 0.95, *, two_sided: bool = False) -> int:
    """Give the smallest sample whose maximum bounds the q-quantile from above with this confidence.

    It is the smallest n with q**n <= 1 - confidence: 299 for P99 at 95 %. An interval, whose other end takes half of what is left
    of the confidence, needs 368.
    """
    return int(np.ceil(np.log((1 - confidence) / (2 if two_sided else 1)) / np.log(q)))


def ratio_of_quantiles(above: Quantile, below: Quantile, floor: float) -> tuple[float, float, float]:
    """Give the ratio of two quantiles and the least and greatest that their intervals allow.

    The bounds divide end by end, so they hold with at least `1 - 2 (1 - confidence)` (Bonferroni).

    Parameters
    ----------
    floor
        The coarser of the two resolutions, or the floor of the meter where that is higher; same unit as the quantiles.

    Raises
    ------
    TooFine
        The two differ by less than the floor, one of them lies below it, or an interval is open.
    """
    if min(above.value, below.value) < floor:
        raise TooFine(
            f"{min(above.value, below.value):g} is below the {floor:g} that the coarser meter can tell: say that it is"
            " at most that."
        )
    if abs(above.value - below.value) < floor:
        raise TooFine(
            f"{above.value:g} and {below.value:g} differ by less than the {floor:g} that the coarser meter can tell: say"
            " that they are alike as far as was measured."
        )
    if None in (above.lo, above.hi, below.lo, below.hi) or below.lo <= 0:
        raise TooFine(
            f"There are {min(above.n, below.n)} pauses of one of the two, and a quantile of {above.q:g} is bounded from"
            f" {observations_needed(above.q, two_sided=True)} on at the earliest: measure for longer."
        )
    return above.value / below.value, above.lo / below.hi, above.hi / below.lo


def _from_ranks(values: np.ndarray, cumulated: np.ndarray, q: float, confidence: float) -> Quantile:
    """Take quantile and interval from sorted values and their cumulated counts."""
    if not 0 < q < 1:
        raise ValueError(f"q is {q}: it must lie between 0 and 1.")
    n = int(cumulated[-1]) if len(cumulated) else 0
    if n == 0:
        raise ValueError("There is no value to take a quantile of.")

    def at(rank: int) -> int:
        return int(np.searchsorted(cumulated, rank))

    point = at(max(int(np.ceil(q * n)), 1))
    lower_rank, upper_rank = _ranks(n, q, confidence)
    return Quantile(
        q,
        float(values[point]),
        float(values[at(lower_rank)]) if lower_rank >= 1 else None,
        float(values[at(upper_rank)]) if upper_rank <= n else None,
        n,
    )


def _ranks(n: int, q: float, confidence: float) -> tuple[int, int]:
    """Give the ranks between which the population's q lies often enough, and no more often than ranks make necessary.

    What is left of the confidence is halved between the ends; an end moves inward while both together still hold enough.
    """
    tail = (1 - confidence) / 2
    lower, upper = int(stats.binom.ppf(tail, n, q)), int(stats.binom.ppf(1 - tail, n, q)) + 1
    spare = float(stats.binom.cdf(upper - 1, n, q) - stats.binom.cdf(lower - 1, n, q)) - confidence
    if lower >= 1 and upper <= n:
        if (given_up := float(stats.binom.pmf(lower, n, q))) <= spare:
            lower, spare = lower + 1, spare - given_up
        if float(stats.binom.pmf(upper - 1, n, q)) <= spare:
            upper -= 1
    return lower, upper
