"""Times to recovery, with the runs that never recovered: what is known of them is that they took longer.

A run without a recovery is right-censored at the horizon that was fixed beforehand. It is never left out, and no mean is
taken over it: the restricted mean counts nobody longer than the horizon, which is said with it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

from roi.statistics.estimate import Estimate

_DRAWS = 2_000
_SEED = 7


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier estimate of how many faults still had no service, by time."""

    time_s: np.ndarray
    """Instants at which the curve steps, shape (k,)."""
    waiting: np.ndarray
    """Share without service from that instant on, shape (k,)."""
    lo: np.ndarray
    """Lower end of the pointwise interval, shape (k,); not a number where there is none."""
    hi: np.ndarray
    n: int
    censored: int
    horizon_s: float


def survival(recovery_s: np.ndarray, censored: np.ndarray, horizon_s: float, confidence: float = 0.95) -> Survival:
    """Give the Kaplan-Meier curve, with log-log intervals.

    Source: Kaplan and Meier, JASA 53, 1958; intervals: Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data.

    Parameters
    ----------
    recovery_s
        Seconds from the fault to sustained service, or to the end of the watch, shape (n,).
    censored
        Whether service was not sustained by then, shape (n,).
    horizon_s
        How long every fault was watched.

    Raises
    ------
    ValueError
        There is no run.
    """
    recovery_s, censored = np.asarray(recovery_s, float), np.asarray(censored, bool)
    if not len(recovery_s):
        raise ValueError("There is no run to take a curve of.")
    curve = stats.ecdf(stats.CensoredData.right_censored(recovery_s, censored)).sf
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        # Where everybody has recovered, or nobody yet, the interval does not exist, and is not a number.
        warnings.simplefilter("ignore", RuntimeWarning)
        band = curve.confidence_interval(confidence, method="log-log")
    return Survival(
        curve.quantiles, curve.probabilities, band.low.probabilities, band.high.probabilities, len(recovery_s),
        int(censored.sum()), horizon_s,
    )  # fmt: skip


def restricted_mean(
    recovery_s: np.ndarray, censored: np.ndarray, horizon_s: float, confidence: float = 0.95
) -> Estimate:
    """Give the mean recovery time, nobody counted longer than the horizon, with an interval from a bootstrap over runs.

    It is the area under the Kaplan-Meier curve up to the horizon (Irwin, Journal of Hygiene 47, 1949; Royston and Parmar,
    BMC Medical Research Methodology 13, 2013). Runs are drawn again with their censoring; percentile interval.
    """
    recovery_s, censored = np.asarray(recovery_s, float), np.asarray(censored, bool)
    value, n = _area(recovery_s, censored, horizon_s), len(recovery_s)
    if n < 2:
        return Estimate(value, None, None, n, confidence)
    drawn = np.random.default_rng(_SEED).integers(0, n, (_DRAWS, n))
    areas = [_area(recovery_s[places], censored[places], horizon_s) for places in drawn]
    lo, hi = np.quantile(areas, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, min(float(lo), value), max(float(hi), value), n, confidence)


def _area(recovery_s: np.ndarray, censored: np.ndarray, horizon_s: float) -> float:
    """Give the area under the curve up to the horizon, by the product over distinct times."""
    times, place = np.unique(np.minimum(recovery_s, horizon_s), return_inverse=True)
    recovered = np.bincount(place, ~censored & (recovery_s <= horizon_s))
    at_risk = len(recovery_s) - np.concatenate([[0], np.cumsum(np.bincount(place))[:-1]])
    heights = np.concatenate([[1.0], np.cumprod(1 - recovered / at_risk)])
    return float(np.sum(np.diff(np.concatenate([[0.0], times, [horizon_s]])) * heights))


def median(curve: Survival) -> tuple[float | None, float | None, float | None]:
    """Give when half of the faults had service again, and its interval; None where the curve never comes down so far.

    The interval holds the times at which the pointwise interval holds a half (Brookmeyer and Crowley, Biometrics 38, 1982).
    """

    def reached(heights: np.ndarray) -> float | None:
        below = np.flatnonzero(np.nan_to_num(heights, nan=1.0) <= 0.5)
        return float(curve.time_s[below[0]]) if len(below) else None

    return reached(curve.waiting), reached(curve.lo), reached(curve.hi)


def log_rank(
    first_s: np.ndarray, first_censored: np.ndarray, second_s: np.ndarray, second_censored: np.ndarray
) -> float | None:
    """Give the p-value of the log-rank test that two groups recover alike; None where nobody recovered in either.

    Source: Mantel, Cancer Chemotherapy Reports 50, 1966.
    """
    if np.asarray(first_censored, bool).all() and np.asarray(second_censored, bool).all():
        return None
    groups = (
        stats.CensoredData.right_censored(np.asarray(times, float), np.asarray(censored, bool))
        for times, censored in ((first_s, first_censored), (second_s, second_censored))
    )
    return float(stats.logrank(*groups).pvalue)


def share(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """Give a share with Wilson's interval (JASA 22, 1927), which holds for few runs and for shares near 0 and 1."""
    said = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Estimate(successes / n, float(said.low), float(said.high), n, confidence)
