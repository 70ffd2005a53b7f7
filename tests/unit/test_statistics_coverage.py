"""The made-up experiments on which drawn ratios and campaigns that stop early are proven."""

import numpy as np
import pytest

from roi import coverage
from roi.statistics.estimate import geometric_mean_of_processes

LEAST, MOST, ENOUGH = 4, 10, 0.04


def half_width(values: np.ndarray) -> float:
    made = geometric_mean_of_processes(values)
    return made.hi / made.value - 1


def test_a_process_is_the_mean_of_its_windows():
    by_window = coverage.windows(np.random.default_rng(1), 50)
    assert by_window.shape == (50, 20)
    assert coverage.processes(np.random.default_rng(1), 50) == pytest.approx(by_window.mean(axis=1))


def test_a_variant_with_three_times_the_spread_has_it_on_logarithms():
    usual, wide = (coverage.windows(np.random.default_rng(1), 50, spread) for spread in (1.0, 3.0))
    assert np.log(wide) == pytest.approx(3 * np.log(usual))


def test_a_campaign_stops_at_the_first_look_at_which_both_variants_are_narrow_enough():
    random = np.random.default_rng(2)
    for _ in range(200):
        first, second = coverage.stopped(random)
        n = len(first)
        assert len(second) == n
        assert LEAST <= n <= MOST
        widths = [max(half_width(first[:k]), half_width(second[:k])) for k in range(LEAST, n + 1)]
        assert all(width > ENOUGH for width in widths[:-1])
        assert n == MOST or widths[-1] <= ENOUGH


def test_about_half_of_the_campaigns_stop_before_the_last_repetition():
    random = np.random.default_rng(3)
    early = [len(coverage.stopped(random)[0]) < MOST for _ in range(1_000)]
    assert np.mean(early) == pytest.approx(0.5, abs=0.06)
