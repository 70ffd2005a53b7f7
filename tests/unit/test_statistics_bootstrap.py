"""Draws of a ratio against Welch's interval, an implementation in plain loops, and figures worked out by hand."""

import random

import numpy as np
import pytest
from scipy import stats

from roi.statistics import bootstrap
from roi.statistics.estimate import difference_of_means, ratio_of_processes

SKEWED_ABOVE = np.exp(-np.random.default_rng(3).gamma(2.0, 0.03, 10)) * 200
SKEWED_BELOW = np.exp(-np.random.default_rng(4).gamma(2.0, 0.09, 8)) * 100


def spread_evenly(n: int, middle: float, spread: float) -> np.ndarray:
    """Give values whose logarithms are the quantiles of a normal distribution."""
    return np.exp(np.log(middle) + spread * stats.norm.ppf((np.arange(n) + 0.5) / n))


def test_the_ratio_is_that_of_the_geometric_means():
    # sqrt(10 · 40) over sqrt(4 · 9)
    found = bootstrap.ratio([10.0, 40.0], [4.0, 9.0])
    assert found.value == pytest.approx(20 / 6)
    assert found.processes == 2


def test_the_draws_of_the_inverse_are_the_inverse():
    forward = bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW)
    backward = bootstrap.ratio(SKEWED_BELOW, SKEWED_ABOVE)
    assert np.sort(forward.draws) == pytest.approx(np.sort(1 / backward.draws))
    assert forward.interval() == pytest.approx(tuple(1 / end for end in reversed(backward.interval())))
    assert forward.lead() == pytest.approx(1 - backward.lead())


def test_of_many_processes_that_are_not_skewed_the_interval_is_welchs():
    above, below = spread_evenly(60, 200.0, 0.05), spread_evenly(40, 100.0, 0.02)
    welch = ratio_of_processes(above, below)
    drawn = bootstrap.ratio(above, below, draws=40_000).estimate()
    assert drawn.value == pytest.approx(welch.value)
    assert np.log(drawn.hi / drawn.lo) == pytest.approx(np.log(welch.hi / welch.lo), rel=0.04)


def test_the_interval_is_midway_between_plain_loops_and_welchs():
    draw = random.Random(5)
    above, below = np.log(SKEWED_ABOVE).tolist(), np.log(SKEWED_BELOW).tolist()
    found, error, degrees = difference_of_means(np.array(above), np.array(below))
    distances = []
    for _ in range(20_000):
        again = difference_of_means(
            np.array(draw.choices(above, k=len(above))), np.array(draw.choices(below, k=len(below)))
        )
        distances.append((again[0] - found) / again[1])
    lo, hi = (np.quantile(distances, [0.1, 0.9]) + stats.t.ppf([0.1, 0.9], degrees)) / 2
    ends = np.log(bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW, draws=40_000).interval(0.8))
    assert (found - ends) / error == pytest.approx([hi, lo], abs=0.02)


def test_draws_of_a_skewed_ratio_reach_further_to_the_side_of_the_tail():
    found = bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW)
    lo, hi = found.interval()
    # The base is now and then much slower, which eight processes may not have shown: then the ratio is higher than found.
    assert np.log(hi / found.value) > 1.3 * np.log(found.value / lo)


@pytest.mark.parametrize("below", [[51.0, 50.0, 48.0], [51.0, 50.0, 48.0, 49.5, 50.5, 47.0, 52.0]])
def test_of_three_or_four_processes_the_draws_are_welchs(below):
    for above in ([100.0, 104.0, 97.0], [100.0, 104.0, 97.0, 101.0]):
        drawn, welch = bootstrap.ratio(above, below, draws=20_000), ratio_of_processes(above, below)
        assert drawn.interval() == pytest.approx((welch.lo, welch.hi), rel=1e-3)
        found, error, degrees = difference_of_means(np.log(above), np.log(below))
        ahead = stats.t.cdf((found - np.log(2.0)) / error, degrees)
        assert drawn.lead(1.0) == pytest.approx(ahead, abs=1e-3)


def test_draws_are_in_no_order():
    # Sorted ones would go hand in hand with those of another ratio in a sum of both.
    for above in ([100.0, 104.0, 97.0], SKEWED_ABOVE):
        draws = bootstrap.ratio(above, SKEWED_BELOW).draws
        assert abs(stats.spearmanr(draws[1:], draws[:-1]).statistic) < 0.06


def test_figures_of_the_same_processes_are_drawn_together():
    first = bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW).draws
    second = bootstrap.ratio(SKEWED_ABOVE**2, SKEWED_BELOW**2).draws
    assert second == pytest.approx(first**2)


def test_the_end_of_the_interval_is_the_lead_with_97_5_percent():
    found = bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW)
    lo, hi = found.interval()
    assert found.lead(lo - 1) == pytest.approx(0.975, abs=0.001)
    assert found.lead(hi - 1) == pytest.approx(0.025, abs=0.001)


def test_windows_count_through_their_processes_mean_and_one_number_is_one_window():
    windows = [np.array([90.0, 110.0]), np.array([104.0, 104.0, 104.0]), np.array([97.0])]
    by_window = bootstrap.ratio(windows, [50.0, 51.0, 48.0])
    by_process = bootstrap.ratio([100.0, 104.0, 97.0], [50.0, 51.0, 48.0])
    assert (by_window.draws == by_process.draws).all()


def test_one_process_gives_a_ratio_and_nothing_about_it():
    found = bootstrap.ratio([20.0], [10.0, 11.0])
    assert found.value == pytest.approx(20 / np.sqrt(110))
    assert (found.interval(), found.lead(), len(found.draws), found.processes) == ((None, None), None, 0, 1)
    made = found.estimate()
    assert (made.lo, made.hi, made.n) == (None, None, 1)
    assert not made.excludes(99.0)


def test_processes_that_are_all_alike_leave_nothing_open():
    found = bootstrap.ratio([4.0, 4.0], [2.0, 2.0])
    assert found.interval() == pytest.approx((2.0, 2.0))
    assert (found.lead(), found.lead(1.5)) == (1.0, 0.0)


def test_a_base_without_spread_leaves_the_other_sides():
    # Then it is one sample: Welch's degrees are those of the side that varies, and so is the standard error.
    above = spread_evenly(30, 200.0, 0.05)
    drawn = bootstrap.ratio(above, [100.0] * 4, draws=20_000).interval()
    one = stats.t.interval(0.95, 29, np.log(above).mean(), stats.sem(np.log(above)))
    assert np.log(drawn[1] / drawn[0]) == pytest.approx(one[1] - one[0], rel=0.06)


def test_the_same_seed_gives_the_same_draws_and_another_one_others():
    first, again = (bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW, seed=1) for _ in range(2))
    other = bootstrap.ratio(SKEWED_ABOVE, SKEWED_BELOW, seed=2)
    assert (first.draws == again.draws).all()
    assert not (first.draws == other.draws).all()
    assert first.interval() == pytest.approx(other.interval(), rel=0.02)


@pytest.mark.parametrize(
    ("above", "below", "why"),
    [
        ([], [1.0], "no value"),
        ([[]], [1.0], "no window"),
        ([1.0, 0.0], [1.0, 1.0], "zero or less"),
        ([1.0, 1.0], [[1.0, float("nan")], [1.0]], "not a finite number"),
    ],
)
def test_what_has_no_logarithm_is_refused(above, below, why):
    with pytest.raises(ValueError, match=why):
        bootstrap.ratio(above, below)
