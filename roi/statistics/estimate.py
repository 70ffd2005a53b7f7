"""Means and ratios over fresh processes, with intervals.

The unit of repetition is the process: requests of one process are not independent, so an interval over requests would be
far too narrow (Georges, Buytaert and Eeckhout, OOPSLA 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval. Without repetition the interval is not known, and `lo` and `hi` are None."""

    value: float
    lo: float | None
    hi: float | None
    n: int
    """Processes behind it."""
    confidence: float = 0.95

    def excludes(self, figure: float) -> bool:
        """Tell whether the interval is known and does not hold this figure."""
        return self.lo is not None and self.hi is not None and not self.lo <= figure <= self.hi


def mean_of_processes(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Give the mean of one figure a process, with Student's t interval.

    Parameters
    ----------
    values
        One figure a process, shape (n,), in any unit; the estimate has the same unit.

    Raises
    ------
    ValueError
        There is no value, or one is not finite.
    """
    array = _checked(values)
    mean = float(array.mean())
    if len(array) < 2:
        return Estimate(mean, None, None, len(array), confidence)
    half = float(stats.t.ppf((1 + confidence) / 2, len(array) - 1) * stats.sem(array))
    return Estimate(mean, mean - half, mean + half, len(array), confidence)


def geometric_mean_of_processes(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Give the geometric mean of one positive figure a process, with Student's t interval on the logarithms.

    Rates and costs are positive and skewed: their interval never reaches below zero, and the ratio of two such means is
    the ratio that `ratio_of_processes` gives.

    Parameters
    ----------
    values
        One positive figure a process, shape (n,), in any unit; the estimate has the same unit.
    """
    logs = mean_of_processes(np.log(positive(values)), confidence)
    ends = (None if end is None else float(np.exp(end)) for end in (logs.lo, logs.hi))
    return Estimate(float(np.exp(logs.value)), *ends, logs.n, confidence)


def median_of_processes(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Give the median of one figure a process, with the order-statistic interval.

    For figures that no mean should be taken of, such as percentiles. The k-th smallest and the k-th largest of n hold the
    median with probability 1 - 2 P(Binomial(n, 1/2) < k) (Conover, Practical Nonparametric Statistics, 3rd edition, section
    3.2). With fewer than six processes that is less than 95 % for any k: then the interval runs from the smallest to the
    largest, and `confidence` says how much that is, 50 % with two.

    Parameters
    ----------
    values
        One figure a process, shape (n,), in any unit; infinite where nothing bounds it from above.
    confidence
        What the interval should have at least, if n allows.

    Raises
    ------
    ValueError
        There is no value, or one is not a number.
    """
    ordered = np.sort(np.asarray(values, float))
    n = len(ordered)
    if n == 0 or np.isnan(ordered).any():
        raise ValueError(
            "There is no value to estimate from, or one is not a number: leave unknown ones out, and say so."
        )
    # The middle of two infinite values is infinite, which a mean of them would not be.
    middle = ordered[(n - 1) // 2], ordered[n // 2]
    median = float(middle[0] if middle[0] == middle[1] else np.mean(middle))
    if n < 2:
        return Estimate(median, None, None, n, confidence)
    ranks = np.arange(1, n // 2 + 1)
    holds = 1 - 2 * stats.binom.cdf(ranks - 1, n, 0.5)
    k = int(ranks[holds >= confidence].max(initial=1))
    return Estimate(median, float(ordered[k - 1]), float(ordered[n - k]), n, float(holds[k - 1]))


def ratio_of_processes(numerator: Sequence[float], denominator: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Give the ratio of the geometric means of two sets of processes, with Welch's t interval on the logarithms.

    A ratio of geometric means is the same whichever of the two is the base, inverted (Hoefler and Belli, SC 2015, rule
    on ratios); its interval is asymmetric, as that of a ratio is.

    Parameters
    ----------
    numerator, denominator
        One positive figure a process each, shapes (n,) and (m,), in the same unit; the estimate has none.
    """
    above, below = np.log(positive(numerator)), np.log(positive(denominator))
    difference, error, degrees = difference_of_means(above, below)
    value, n = float(np.exp(difference)), min(len(above), len(below))
    if n < 2:
        return Estimate(value, None, None, n, confidence)
    if error == 0:
        return Estimate(value, value, value, n, confidence)
    half = float(stats.t.ppf((1 + confidence) / 2, degrees)) * error
    return Estimate(value, float(np.exp(difference - half)), float(np.exp(difference + half)), n, confidence)


def difference_of_means(above: np.ndarray, below: np.ndarray) -> tuple[float, float, float]:
    """Give the difference of two means, its standard error, and the degrees of freedom of Welch's t (Biometrika 34, 1947).

    Error and degrees are not numbers with fewer than two values on a side; nor are the degrees where no value differs.

    Parameters
    ----------
    above, below
        Shapes (n,) and (m,), in the same unit as the difference and its error.
    """
    difference = float(above.mean() - below.mean())
    if min(len(above), len(below)) < 2:
        return difference, float("nan"), float("nan")
    part_above, part_below = above.var(ddof=1) / len(above), below.var(ddof=1) / len(below)
    error = float(np.sqrt(part_above + part_below))
    if error == 0:
        return difference, 0.0, float("nan")
    degrees = (part_above + part_below) ** 2 / (part_above**2 / (len(above) - 1) + part_below**2 / (len(below) - 1))
    return difference, error, float(degrees)


def positive(values: Sequence[float]) -> np.ndarray:
    """Give the values as an array whose logarithms can be taken.

    Raises
    ------
    ValueError
        There is no value, or one is not finite, or is zero or less.
    """
    array = _checked(values)
    if (array <= 0).any():
        raise ValueError("A rate or a cost of zero or less has no logarithm: leave the process out, and say so.")
    return array


def _checked(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, float)
    if array.size == 0:
        raise ValueError("There is no value to estimate from.")
    if not np.isfinite(array).all():
        raise ValueError("A value is not a finite number: leave unknown ones out, and say so.")
    return array
