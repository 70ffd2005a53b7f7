"""What an input may be, against printed tables, closed forms and integrals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from roi import recorded
from roi.distributions import Lognormal, Pert, Point, Proportion, Rate, Tabled, Triangular, Uniform
from roi.recorded import Cases
from roi.statistics.survival import restricted_mean

EVEN = (np.arange(200_000) + 0.5) / 200_000
SPREAD = [
    Uniform(2, 5), Triangular(0, 1, 4), Pert(1, 4, 16), Pert(0, 0, 1), Pert(0, 1, 1), Lognormal(1, 9), Proportion(61, 100),
    Proportion(0, 12), Proportion(12, 12), Rate(0, 2.0), Rate(120, 1.0),
]  # fmt: skip


@pytest.mark.parametrize(("u", "printed"), [(0.05, 1.1455), (0.5, 4.3515), (0.95, 11.0705), (0.99, 15.0863)])
def test_two_events_in_half_a_year_are_chi_squared_with_five_degrees_of_freedom_as_its_table_prints_it(u, printed):
    # Gamma(2 + 1/2, half a year) is chi-squared of 5 over 2 · 0.5.
    assert Rate(2, 0.5).quantile(np.array([u]))[0] == pytest.approx(printed, abs=5e-5)


@pytest.mark.parametrize(("share", "f_5_5"), [(0.90, 3.4530), (0.95, 5.0503), (0.99, 10.9670)])
def test_two_of_four_follow_the_printed_table_of_f_with_five_and_five_degrees(share, f_5_5):
    # Beta(5/2, 5/2) is F / (1 + F) of F with 5 and 5 degrees of freedom.
    found = Proportion(2, 4).quantile(np.array([share, 1 - share]))
    assert found == pytest.approx([f_5_5 / (1 + f_5_5), 1 / (1 + f_5_5)], abs=2e-6)


@pytest.mark.parametrize(("k", "n"), [(61, 100), (124, 125), (0, 20)])
def test_a_proportions_density_holds_as_much_below_a_quantile_as_it_says(k, n):
    a, b = k + 0.5, n - k + 0.5
    top = Proportion(k, n).quantile(np.array([0.3]))[0]
    # x = t² takes the pole at 0 away.
    area, _ = integrate.quad(lambda t: 2 * t ** (2 * a - 1) * (1 - t * t) ** (b - 1), 0, math.sqrt(top), epsabs=0)
    assert area / special.beta(a, b) == pytest.approx(0.3, rel=1e-7)


@pytest.mark.parametrize(("low", "mode", "high"), [(1, 4, 16), (0, 0, 1), (-5000, 0, 20_000)])
def test_a_pert_has_the_mean_and_the_variance_of_its_closed_form(low, mode, high):
    found = Pert(low, mode, high)
    mean = (low + 4 * mode + high) / 6
    values = found.quantile(EVEN)
    assert found.mean == mean
    assert values.mean() == pytest.approx(mean, abs=1e-5 * (high - low))
    assert values.var() == pytest.approx((mean - low) * (high - mean) / 7, rel=1e-4)


@pytest.mark.parametrize("found", SPREAD, ids=str)
def test_a_mean_is_that_of_the_quantiles_and_they_ascend(found):
    values = found.quantile(EVEN)
    assert not found.certain
    assert found.mean == pytest.approx(values.mean(), rel=2e-4)
    assert (np.diff(values) >= 0).all()


@pytest.mark.parametrize("found", [found for found in SPREAD if hasattr(found, "exact")], ids=str)
def test_the_table_says_what_the_inverse_says_to_seven_digits(found):
    u = np.concatenate([[1e-7, 1e-5], np.linspace(1e-3, 1 - 1e-3, 997), [1 - 1e-5, 1 - 1e-7]])
    assert found.quantile(u) == pytest.approx(found.exact(u), rel=1e-7, abs=1e-12)


def test_beta_and_gamma_are_those_of_scipy():
    u = np.linspace(0.01, 0.99, 99)
    assert Proportion(61, 100).quantile(u) == pytest.approx(stats.beta.ppf(u, 61.5, 39.5), rel=1e-8)
    assert Rate(120, 1.5).quantile(u) == pytest.approx(stats.gamma.ppf(u, 120.5, scale=1 / 1.5), rel=1e-8)


def test_half_of_a_triangle_of_0_1_4_lies_below_1_55():
    # Beyond its mode: 4 - √(1/2 · 4 · 3).
    assert Triangular(0, 1, 4).quantile(np.array([0.5]))[0] == pytest.approx(4 - math.sqrt(6))


def test_a_lognormal_goes_through_the_deciles_that_tell_it():
    assert Lognormal(900, 1600).quantile(np.array([0.1, 0.5, 0.9])) == pytest.approx([900, 1200, 1600])


def test_a_point_is_certain_and_the_same_at_every_share():
    assert Point(4.2).certain
    assert (Point(4.2).quantile(np.array([0.1, 0.9])) == 4.2).all()


@pytest.mark.parametrize(
    "made",
    [lambda: Pert(2, 1, 3), lambda: Pert(1, 1, 1), lambda: Triangular(0, 5, 4), lambda: Uniform(2, 1), lambda: Lognormal(0, 1),
     lambda: Lognormal(3, 2), lambda: Proportion(5, 4), lambda: Proportion(0, 0), lambda: Rate(1, 0.0),
     lambda: Tabled(np.array([0.1, 0.9]), np.array([2.0, 1.0]))],
)  # fmt: skip
def test_what_cannot_be_a_distribution_is_refused(made):
    with pytest.raises(ValueError, match=r"ascend|cannot be|above 0"):
        made()


def test_an_interval_at_every_confidence_is_a_distribution_with_those_intervals():
    # Of Student's t with 2 degrees: u = 0.025 and 0.975 lie 4.303 standard errors off.
    found = Tabled.of_intervals(lambda c: (10 - stats.t.ppf((1 + c) / 2, 2), 10 + stats.t.ppf((1 + c) / 2, 2)))
    assert found.quantile(np.array([0.025, 0.5, 0.975])) == pytest.approx([10 - 4.3027, 10, 10 + 4.3027], abs=1e-4)
    assert found.mean == pytest.approx(10, abs=1e-9)
    # Beyond the interval of 99 % it goes no further: 9.925 standard errors.
    assert found.quantile(np.array([1e-9])) == pytest.approx([10 - 9.9248], abs=1e-4)


def test_the_means_of_cases_spread_as_the_standard_error_says():
    hours = np.random.default_rng(3).lognormal(1, 0.9, 40)
    draws = recorded.mean_draws(Cases(hours, np.zeros(40, bool)), draws=40_000)
    assert draws.mean() == pytest.approx(hours.mean(), rel=1e-12)
    assert draws.std() == pytest.approx(hours.std(ddof=1) / math.sqrt(40), rel=0.01)


def test_a_case_still_open_at_four_hours_lifts_the_mean_of_2_6_and_8_to_5_75():
    # Kaplan-Meier: 1 until 2, 3/4 until 6, 3/8 until 8: 2 + 3 + 0.75. Left out it would be 5.33, and taken as closed 5.
    found = Cases(np.array([6.0, 4.0, 8.0, 2.0]), np.array([False, True, False, False]))
    assert recorded.mean_of(found) == pytest.approx(5.75)


def test_an_open_case_as_long_as_a_closed_one_was_at_risk_when_that_one_ended():
    # Of 2, 2 (open), 4: 1 until 2, 2/3 until 4.
    found = Cases(np.array([2.0, 2.0, 4.0]), np.array([True, False, False]))
    assert recorded.mean_of(found) == pytest.approx(2 + 2 * 2 / 3)


def test_the_mean_of_cases_is_the_restricted_mean_of_the_survival_curve():
    chance = np.random.default_rng(5)
    hours, still_open = chance.exponential(3, 60).round(1), chance.random(60) < 0.3
    expected = restricted_mean(hours, still_open, float(hours.max())).value
    assert recorded.mean_of(Cases(hours, still_open)) == pytest.approx(expected, rel=1e-12)


def test_draws_with_open_cases_spread_as_the_survival_studys_interval():
    chance = np.random.default_rng(5)
    hours, still_open = chance.exponential(3, 60), chance.random(60) < 0.3
    lo, hi = np.quantile(recorded.mean_draws(Cases(hours, still_open)), [0.025, 0.975])
    expected = restricted_mean(hours, still_open, float(hours.max()))
    # Another bootstrap of the same: within a tenth of the interval's width.
    assert [lo, hi] == pytest.approx([expected.lo, expected.hi], abs=0.1 * (expected.hi - expected.lo))


def test_of_four_cases_or_of_open_ones_alone_no_mean_is_drawn():
    with pytest.raises(ValueError, match="of 4 cases no mean"):
        recorded.mean_draws(Cases(np.ones(4), np.zeros(4, bool)))
    with pytest.raises(ValueError, match="all of its cases are open"):
        recorded.mean_draws(Cases(np.ones(6), np.ones(6, bool)))
