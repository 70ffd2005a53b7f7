"""Intervals of counted events."""

from __future__ import annotations

from scipy import stats


def poisson_interval(at_least: int, at_most: int | None = None, confidence: float = 0.95) -> tuple[float, float]:
    """Give the exact interval of the mean of a Poisson count: how many events such a time brings.

    Source: Garwood, Fiducial Limits for the Poisson Distribution, Biometrika 28, 1936. Events that come in clusters have a
    wider one.

    Parameters
    ----------
    at_least, at_most
        What was counted; two figures where it is only known to lie between them.

    Raises
    ------
    ValueError
        A count is negative, or they are in the wrong order.
    """
    at_most = at_least if at_most is None else at_most
    if not 0 <= at_least <= at_most:
        raise ValueError(f"{at_least} to {at_most} is no count.")
    tail = (1 - confidence) / 2
    lower = float(stats.chi2.ppf(tail, 2 * at_least) / 2) if at_least else 0.0
    return lower, float(stats.chi2.ppf(1 - tail, 2 * (at_most + 1)) / 2)
