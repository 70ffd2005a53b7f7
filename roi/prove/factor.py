"""The article's factor and what it hides, against fractions worked out from the article's own figures."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from roi.coverage import Held
from roi.factor import FactorInputs, autopsy, roi_factor, swap_weight, with_config
from roi.prove.judge import EXACT, near, within

_BEFORE, _AFTER = Fraction("4.2"), Fraction("1.1")
_FAILED, _SUCCEEDED = Fraction("0.61"), Fraction("0.992")
_WEIGHT = Fraction("0.7")
_ROUNDED = 0.00005
"""Half of the last of four digits after the point."""


def proofs() -> Iterator[Held]:
    """Make the proofs of the factor."""
    article = FactorInputs(4.2, 1.1, 0.61, 0.992)
    apart = autopsy(article)
    gain, bonus = _BEFORE / _AFTER, _SUCCEEDED / _FAILED
    exact = _WEIGHT * gain + (1 - _WEIGHT) * bonus
    yield within("roi_factor_printed", 3.1606, roi_factor(4.2, 1.1, 0.61, 0.992), _ROUNDED, "as the article prints it")
    yield near("roi_factor", float(exact), apart.factor, EXACT, f"in fractions: {exact}")
    backward = 1 / (_WEIGHT / gain + (1 - _WEIGHT) / bonus)
    yield within("roi_factor_reversed", 2.719, apart.reversed, 0.0005, "old and new swapped, to three digits")
    yield near("roi_factor_reversed_exact", float(backward), apart.reversed, EXACT, f"in fractions: {backward}")
    geometric = _power(gain, Decimal("0.7")) * _power(bonus, Decimal("0.3"))
    yield within("roi_factor_geometric", 2.956, apart.geometric, 0.0005, "weighted geometric mean, to three digits")
    yield near("roi_factor_geometric_exact", float(geometric), apart.geometric, EXACT, "by decimal logarithms")
    swapped = autopsy(FactorInputs(1.1, 4.2, 0.992, 0.61)).geometric
    yield near("geometric_times_its_reverse", 1.0, apart.geometric * swapped, EXACT, "a swap inverts it, and no more")
    failures = _WEIGHT * gain + (1 - _WEIGHT) * (1 - _FAILED) / (1 - _SUCCEEDED)
    yield within("roi_factor_of_failures", 17.3, apart.with_failures, 0.05, "with failures 39 % and 0.8 %")
    yield near("roi_factor_of_failures_exact", float(failures), apart.with_failures, EXACT, f"in fractions: {failures}")
    cap = (1 - _WEIGHT) / _FAILED
    yield near(
        "rollback_term_most", float(cap), apart.rollback_term_most, EXACT, "every rollback a success: 0.3 / 0.61"
    )
    every = autopsy(FactorInputs(4.2, 1.1, 0.61, 1.0)).rollback_term
    yield near("rollback_term_where_all_succeed", float(cap), every, EXACT, "the cap is reached there, and not passed")
    yield near("weight_slope", float(gain - bonus), apart.weight_slope, EXACT, "gain less bonus")
    yield from _weights(article)


def _weights(article: FactorInputs) -> Iterator[Held]:
    """Hold the weight at which two options swap against the solution in fractions, and the printed 3.7 against 38 over 10."""
    other = FactorInputs(4.2, 1.5, 0.61, 1.0)
    gains = _BEFORE / _AFTER, _BEFORE / Fraction("1.5")
    bonuses = _SUCCEEDED / _FAILED, 1 / _FAILED
    swap = (bonuses[1] - bonuses[0]) / (gains[0] - gains[1] + bonuses[1] - bonuses[0])
    found = swap_weight(article, other)
    yield near("swap_weight", float(swap), found if found is not None else float("nan"), EXACT, f"in fractions: {swap}")
    both = [inputs.factor(float(swap)) for inputs in (article, other)]
    yield near("factors_at_the_swap_weight", both[0], both[1], EXACT, "there the two options have one factor")
    with_all = _WEIGHT * (gains[0] / 2 + Fraction(38, 10) / 2) + (1 - _WEIGHT) * bonuses[0]
    yield near(
        "roi_factor_with_config", float(with_all), with_config(article, 38, 10), EXACT,
        "configuration changes take half of the weight; 38 over 10 is 3.8, which the article prints as 3.7",
    )  # fmt: skip


def _power(base: Fraction, exponent: Decimal) -> Decimal:
    return ((Decimal(base.numerator) / Decimal(base.denominator)).ln() * exponent).exp()
