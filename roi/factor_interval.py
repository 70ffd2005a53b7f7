"""The interval of the ROI factor once it is known how many fixes and rollbacks its inputs rest on.

The article states none of these numbers. Without them there is no interval, and none is invented.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from scipy import stats

from roi.factor import FactorInputs
from roi.statistics.estimate import Estimate

_DRAWS = 1 << 14
_SEED = 20_261_126


@dataclass(frozen=True)
class Samples:
    """How many observations each input of the factor rests on; 0 where nobody tells.

    Raises
    ------
    ValueError
        A number is negative, or hours are said to have no spread.
    """

    fixes_before: int = 0
    fixes_after: int = 0
    rollbacks_before: int = 0
    rollbacks_after: int = 0
    fix_hours_cv: float = 1.0
    """Standard deviation of the hours of single fixes over their mean."""

    def __post_init__(self) -> None:
        for name in ("fixes_before", "fixes_after", "rollbacks_before", "rollbacks_after"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}: a number of observations cannot be negative.")
        if not self.fix_hours_cv > 0:
            raise ValueError(f"fix_hours_cv is {self.fix_hours_cv}: hours of fixes differ, so it must be above 0.")

    @property
    def least(self) -> int:
        """The smallest of the four numbers; 0 where one of them is not told."""
        return min(self.fixes_before, self.fixes_after, self.rollbacks_before, self.rollbacks_after)


def interval(inputs: FactorInputs, samples: Samples, confidence: float = 0.95) -> Estimate:
    """Give the factor with its interval; without ends where one of the four numbers is not told.

    Rates have Jeffreys' posterior, Beta(k + 1/2, n - k + 1/2) (Brown, Cai and DasGupta, Statistical Science 16, 2001). The
    mean of n hours with coefficient of variation c is taken as lognormal around what was stated, with the variance of its
    logarithm `ln(1 + c^2 / n)`. The four are independent. Draws are scrambled Sobol points with a fixed seed.

    Raises
    ------
    ValueError
        A rate is no share of its number of rollbacks, to the digits that are stated: 0.992 can be 124 of 125, and not of 100.
    """
    if not samples.least:
        return Estimate(inputs.factor(), None, None, 0, confidence)
    _check_shares(inputs, samples)
    return _of_counts(inputs, samples, confidence)


def were_there(inputs: FactorInputs, n: int, cv: float = 1.0, confidence: float = 0.95) -> Estimate:
    """Give the factor with the interval that n observations of each input would give, whether the rates can be of n or not."""
    return _of_counts(inputs, Samples(n, n, n, n, cv), confidence)


def _of_counts(inputs: FactorInputs, samples: Samples, confidence: float) -> Estimate:
    uniforms = stats.qmc.Sobol(4, scramble=True, rng=_SEED).random(_DRAWS)
    hours_before = _mean_hours(inputs.fix_hours_before, samples.fixes_before, samples.fix_hours_cv, uniforms[:, 0])
    hours_after = _mean_hours(inputs.fix_hours_after, samples.fixes_after, samples.fix_hours_cv, uniforms[:, 1])
    rate_before = _rate(inputs.rollback_rate_before, samples.rollbacks_before, uniforms[:, 2])
    rate_after = _rate(inputs.rollback_rate_after, samples.rollbacks_after, uniforms[:, 3])
    weight = inputs.weight_efficiency
    drawn = weight * hours_before / hours_after + (1 - weight) * rate_after / rate_before
    lo, hi = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    # Jeffreys' median of a rate at the edge lies inside of it: with few observations the stated factor can lie outside.
    value = inputs.factor()
    return Estimate(value, min(float(lo), value), max(float(hi), value), samples.least, confidence)


def _mean_hours(stated: float, n: int, cv: float, uniform: np.ndarray) -> np.ndarray:
    return stated * np.exp(math.sqrt(math.log1p(cv**2 / n)) * stats.norm.ppf(uniform))


def _rate(stated: float, n: int, uniform: np.ndarray) -> np.ndarray:
    return stats.beta.ppf(uniform, stated * n + 0.5, (1 - stated) * n + 0.5)


def _check_shares(inputs: FactorInputs, samples: Samples) -> None:
    stated = (("before", inputs.rollback_rate_before, samples.rollbacks_before),
              ("after", inputs.rollback_rate_after, samples.rollbacks_after))  # fmt: skip
    for when, rate, n in stated:
        half_a_digit = 0.5 * 10.0 ** Decimal(repr(rate)).as_tuple().exponent
        if abs(round(rate * n) / n - rate) > half_a_digit * (1 + 1e-9):
            raise ValueError(
                f"rollback_rate_{when} is {rate:g}, which no whole number out of {n} rollbacks gives: {round(rate * n)} of {n} are"
                f" {round(rate * n) / n:.4g}. State the number that the rate was counted over."
            )
