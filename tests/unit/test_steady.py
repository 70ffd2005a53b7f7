"""The course of a process: series whose changes are known."""

from __future__ import annotations

import warnings
from math import log

import numpy as np
import pytest
import ruptures

from roi.statistics.steady import NormalCost, Steadiness, course


def series(*parts: tuple[float, int], noise: float = 0.01, seed: int = 5) -> np.ndarray:
    """Give windows whose mean is known: value and number of windows of each part."""
    means = np.concatenate([np.full(count, value) for value, count in parts])
    return means * np.random.default_rng(seed).normal(1.0, noise, len(means))


def test_noise_alone_is_flat_from_the_first_window_on():
    found = course(series((1000, 100)))
    assert (found.steadiness, found.steady_from, found.changes) == (Steadiness.FLAT, 0, ())


def test_a_change_smaller_than_three_percent_is_flat_all_the_same():
    found = course(series((990, 50), (1000, 50), noise=0.002))
    assert found.steadiness is Steadiness.FLAT
    assert found.changes == (50,)


@pytest.mark.parametrize(("more_is_better", "said"), [(True, Steadiness.WARM_UP), (False, Steadiness.SLOW_DOWN)])
def test_a_process_that_ends_higher_has_warmed_up_or_slowed_down_as_more_is_better_or_worse(more_is_better, said):
    found = course(series((500, 30), (800, 20), (1000, 50)), more_is_better=more_is_better)
    assert (found.steadiness, found.steady_from) == (said, 50)
    assert found.means == pytest.approx((500, 800, 1000), rel=0.01)


def test_a_process_that_was_faster_once_has_slowed_down_even_if_it_began_slower():
    found = course(series((500, 20), (1200, 30), (1000, 50)))
    assert (found.steadiness, found.steady_from) == (Steadiness.SLOW_DOWN, 50)


def test_a_dip_that_is_over_belongs_to_the_warm_up():
    found = course(series((1000, 30), (700, 20), (1000, 50)))
    assert (found.steadiness, found.steady_from) == (Steadiness.WARM_UP, 50)


def test_a_process_that_changes_in_its_last_quarter_has_no_steady_state():
    found = course(series((1000, 80), (1200, 20)))
    assert (found.steadiness, found.steady_from) == (Steadiness.NO_STEADY_STATE, None)


def test_windows_all_alike_to_the_last_digit_are_flat():
    assert course(np.full(40, 7.0)).steadiness is Steadiness.FLAT


def test_too_few_windows_tell_nothing_and_what_is_no_number_is_refused():
    assert course(series((1000, 19))) is None
    with pytest.raises(ValueError, match="not a finite number"):
        course(np.array([1.0] * 30 + [np.nan]))


@pytest.mark.parametrize("seed", range(8))
def test_the_cost_from_running_sums_is_that_of_ruptures_and_finds_the_same_changes(seed):
    levels = np.random.default_rng(seed).uniform(300, 3000, 4)
    values = series(*((level, 40) for level in levels), noise=(0.0, 0.003, 0.05, 0.3)[seed % 4], seed=seed)
    scaled = values / values.mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = ruptures.Pelt(model="normal", min_size=3, jump=1).fit(scaled)
    ours = ruptures.Pelt(custom_cost=NormalCost(), min_size=3, jump=1).fit(scaled)
    assert ours.cost.error(7, 101) == pytest.approx(theirs.cost.error(7, 101), rel=1e-9)
    penalty = 15 * log(len(values))
    assert ours.predict(penalty) == theirs.predict(penalty)
