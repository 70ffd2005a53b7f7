"""The article's ROI factor, exactly as it states it, and what the formula hides.

The article (section 3.2) weighs the ratio of fix efforts with 0.7 and the ratio of rollback success rates with 0.3. It
is an index of improvement and not a return on investment: it holds no cost, no volume and no time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class FactorInputs:
    """What the factor is made of.

    Raises
    ------
    ValueError
        A value is outside of what it can mean; the message says which, and what it may be.
    """

    fix_hours_before: float
    """Mean person-hours to fix a defect before; more than zero."""
    fix_hours_after: float
    rollback_rate_before: float
    """Share of releases whose rollback succeeded before; more than 0, at most 1."""
    rollback_rate_after: float
    weight_efficiency: float = 0.7
    """Weight of the fix efforts, 0 to 1; the rollback rates have the rest."""

    def __post_init__(self) -> None:
        for name in ("fix_hours_before", "fix_hours_after"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} is {value}: hours must be a positive number.")
        for name in ("rollback_rate_before", "rollback_rate_after"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name} is {value}: a rate must be above 0 and at most 1 (0.61 for 61 %).")
        if not 0 <= self.weight_efficiency <= 1:
            raise ValueError(f"weight_efficiency is {self.weight_efficiency}: a weight must lie between 0 and 1.")

    @property
    def efficiency_gain(self) -> float:
        """Ratio of fix efforts, before over after."""
        return self.fix_hours_before / self.fix_hours_after

    @property
    def stability_bonus(self) -> float:
        """Ratio of rollback success rates, after over before."""
        return self.rollback_rate_after / self.rollback_rate_before

    @property
    def failure_ratio(self) -> float:
        """Ratio of rollback failure rates, before over after; infinite when none fails after."""
        failures_after = 1 - self.rollback_rate_after
        return (1 - self.rollback_rate_before) / failures_after if failures_after else math.inf

    def factor(self, weight_efficiency: float | None = None) -> float:
        """Give the weighted arithmetic mean of both ratios, at another weight if one is given."""
        weight = self.weight_efficiency if weight_efficiency is None else weight_efficiency
        return weight * self.efficiency_gain + (1 - weight) * self.stability_bonus


def roi_factor(
    fix_hours_before: float,
    fix_hours_after: float,
    rollback_rate_before: float,
    rollback_rate_after: float,
    weight_efficiency: float = 0.7,
) -> float:
    """Give the article's ROI factor, `w * h0/h1 + (1 - w) * p1/p0` (dimensionless; 1 is no change).

    Raises
    ------
    ValueError
        Hours not positive, a rate not above 0 and at most 1, or a weight outside 0 to 1.

    Examples
    --------
    >>> round(roi_factor(4.2, 1.1, 0.61, 0.992), 4)
    3.1606
    """
    return FactorInputs(
        fix_hours_before, fix_hours_after, rollback_rate_before, rollback_rate_after, weight_efficiency
    ).factor()


@dataclass(frozen=True)
class Autopsy:
    """Other answers that the same inputs give, each as defensible as the factor."""

    factor: float
    reversed: float
    """Old and new swapped, then inverted: an index fair to both would not change (Fleming and Wallace, 1986)."""
    geometric: float
    """The weighted geometric mean of the same ratios, which a swap does not change."""
    rollback_term: float
    """What the rollback rates contribute."""
    rollback_term_most: float
    """The most they could contribute, with every rollback a success."""
    with_failures: float
    """The factor with failure rates, before over after, in place of success rates; infinite when none fails after."""
    weight_slope: float
    """What the factor gains for each unit of weight on the fix efforts."""


def autopsy(inputs: FactorInputs) -> Autopsy:
    """Take the factor apart."""
    weight = inputs.weight_efficiency
    backward = weight / inputs.efficiency_gain + (1 - weight) / inputs.stability_bonus
    return Autopsy(
        factor=inputs.factor(),
        reversed=1 / backward,
        geometric=inputs.efficiency_gain**weight * inputs.stability_bonus ** (1 - weight),
        rollback_term=(1 - weight) * inputs.stability_bonus,
        rollback_term_most=(1 - weight) / inputs.rollback_rate_before,
        with_failures=weight * inputs.efficiency_gain + _part(1 - weight, inputs.failure_ratio),
        weight_slope=inputs.efficiency_gain - inputs.stability_bonus,
    )


def _part(weight: float, ratio: float) -> float:
    """Give what a ratio contributes: one without any weight contributes nothing, be it infinite."""
    return weight * ratio if weight else 0.0


def swap_weight(first: FactorInputs, second: FactorInputs, *, of_failures: bool = False) -> float | None:
    """Give the weight of the fix efforts at which two options have the same factor; None where one leads at every weight.

    Both factors are straight lines in the weight, so they cross once: with the options' gains e and bonuses s, at
    `w = (s2 - s1) / ((e1 - e2) + (s2 - s1))`. Below that weight the one with the larger bonus leads, above it the other.

    Parameters
    ----------
    first, second
        Two options, each against what there was before.
    of_failures
        Take the ratio of rollback failures for the bonus, in place of that of successes.
    """
    bonuses = (
        (first.failure_ratio, second.failure_ratio) if of_failures else (first.stability_bonus, second.stability_bonus)
    )
    by_efficiency, by_bonus = first.efficiency_gain - second.efficiency_gain, bonuses[1] - bonuses[0]
    # Of the same sign, the one that fixes faster has the smaller bonus: only then do the lines cross between 0 and 1.
    if not (by_efficiency * by_bonus > 0 and math.isfinite(by_bonus)):
        return None
    return by_bonus / (by_efficiency + by_bonus)


def with_config(inputs: FactorInputs, minutes_before: float, minutes_after: float, share: float = 0.5) -> float:
    """Give the factor with configuration changes in it, which the article measures and leaves out of its formula.

    The weight of the fix efforts is split: `w * ((1 - c) * h0/h1 + c * m0/m1) + (1 - w) * p1/p0`.

    Parameters
    ----------
    minutes_before, minutes_after
        Mean minutes of a configuration change; positive.
    share
        Part c of the weight of the fix efforts that goes to configuration changes, 0 to 1.

    Raises
    ------
    ValueError
        Minutes are not positive, or the share is outside of 0 to 1.
    """
    if not (minutes_before > 0 and minutes_after > 0):
        raise ValueError(
            f"The configuration change took {minutes_before} and {minutes_after} min: both must be positive."
        )
    if not 0 <= share <= 1:
        raise ValueError(f"The share is {share}: it must lie between 0 and 1.")
    weight = inputs.weight_efficiency
    efficiency = (1 - share) * inputs.efficiency_gain + share * minutes_before / minutes_after
    return weight * efficiency + (1 - weight) * inputs.stability_bonus
