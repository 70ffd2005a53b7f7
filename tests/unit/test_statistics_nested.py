"""Nested experiments against figures worked out by hand, and those of libkalibera's own tests."""

import numpy as np
import pytest
from scipy import stats

from roi.statistics.nested import (
    Variation,
    optimal_repetitions,
    processes_needed,
    variance_of_process_means,
    variation,
)

OF_LIBKALIBERA = [[[3, 4, 3], [1.2, 3.1, 3]], [[0.2, 1, 1.5], [1, 2, 3]]]
OF_THE_PAPER = [[[9, 5], [8, 3]], [[10, 6], [7, 11]], [[1, 12], [2, 4]]]


def test_the_vectors_of_libkalibera_are_found():
    found = variation(OF_LIBKALIBERA)
    assert found.repetitions == (3, 2, 2)
    assert found.own == pytest.approx((0.7266667, 0.262777778, 0.7747), abs=1e-4)
    assert found.own[1] == pytest.approx(0.262777778, abs=1e-9)
    assert found.silent == ()


def test_windows_of_3_s_are_worth_4_29_a_process_of_20_s_and_those_1_30_a_build_of_100_s():
    # sqrt(20/3 · 0.72667/0.26278) and sqrt(100/20 · 0.26278/0.77472)
    assert optimal_repetitions(variation(OF_LIBKALIBERA), (3, 20, 100)) == pytest.approx((4.2937, 1.3023), abs=1e-4)


def test_the_papers_worked_example_is_found_to_the_last_digit():
    # Squares about the means of pairs: 8 + 12.5 + 8 + 8 + 60.5 + 2 = 99, over 6. Means 7 5.5 | 8 9 | 6.5 3 lie about theirs by
    # 1.125 + 0.5 + 6.125 = 7.75, over 3. Means 6.25, 8.5, 4.75 lie about 6.5 by 7.125, over 2.
    found = variation(OF_THE_PAPER)
    assert found.mean == pytest.approx(6.5)
    assert found.seen == pytest.approx((16.5, 7.75 / 3, 3.5625))
    assert found.own == pytest.approx((16.5, 7.75 / 3 - 16.5 / 2, 3.5625 - 7.75 / 3 / 2))
    assert [round(value, 1) for value in found.own] == [16.5, -5.7, 2.3]


def test_what_is_taken_off_is_the_variance_seen_and_not_the_levels_own():
    # The printed formula would take off -5.7 / 2 and find more at the highest level than was seen there at all.
    found = variation(OF_THE_PAPER)
    assert found.own[2] < found.seen[2]


def test_a_negative_variance_counts_as_nothing_and_is_said():
    found = variation(OF_THE_PAPER)
    assert found.silent == (2,)
    assert found.components == pytest.approx((16.5, 0.0, 3.5625 - 7.75 / 6))
    # Below a level that adds nothing repeat all you can; the level itself is not worth repeating.
    assert optimal_repetitions(found, (1, 1, 1)) == (np.inf, 0.0)


def test_two_levels_that_add_nothing_have_no_best_count():
    assert optimal_repetitions(Variation(1.0, (2, 2), (0.0, 0.0), (0.0, 0.0)), (1, 10)) == (0.0,)


def test_as_many_windows_as_the_pilot_had_give_the_variance_that_it_saw():
    found = variation(OF_LIBKALIBERA)
    assert variance_of_process_means(found, (3, 2)) == pytest.approx(found.seen[2])
    # T²₃ + T²₂ / 4 + T²₁ / (4 · 6)
    by_hand = found.own[2] + found.own[1] / 4 + found.own[0] / 24
    assert variance_of_process_means(found, (6, 4)) == pytest.approx(by_hand)


def test_made_up_variances_are_found_again():
    random = np.random.default_rng(4)
    processes = random.normal(0, 2.0, (20_000, 1)) + random.normal(0, 3.0, (20_000, 5))
    assert variation(processes).own == pytest.approx((9.0, 4.0), rel=0.03)


def test_a_spread_of_4_percent_needs_5_processes_for_5_percent():
    # t(0.975, 4) · 4 / sqrt(5) = 2.7764 · 1.7889 = 4.97; with four it is 3.1824 · 2 = 6.36.
    assert processes_needed(100.0, 16.0, 0.05) == 5
    assert processes_needed(-100.0, 16.0, 0.0636) == 5
    assert processes_needed(-100.0, 16.0, 0.0637) == 4


@pytest.mark.parametrize("half_width", [0.004, 0.01, 0.03, 0.2])
def test_the_count_is_the_first_whose_interval_is_narrow_enough(half_width: float):
    def half(n: int) -> float:
        return float(stats.t.ppf(0.975, n - 1) * 0.04 / np.sqrt(n))

    assert processes_needed(1.0, 0.04**2, half_width) == next(n for n in range(2, 2_000) if half(n) <= half_width)


def test_no_variance_still_needs_two_processes():
    assert processes_needed(1.0, 0.0, 0.01) == 2


@pytest.mark.parametrize("data", [[[1, 2], [1, 2, 3]], [[[1, 2], [3, 4]], [[1, 2]]]])
def test_an_unbalanced_experiment_is_refused(data):
    with pytest.raises(ValueError, match="not balanced"):
        variation(data)


@pytest.mark.parametrize("data", [[[1.0], [2.0]], [[1.0, 2.0]], 3.0])
def test_a_level_without_repetition_is_refused(data):
    with pytest.raises(ValueError, match="fewer than two times"):
        variation(data)


def test_an_unknown_value_is_refused():
    with pytest.raises(ValueError, match="not a finite number"):
        variation([[1.0, np.nan], [1.0, 2.0]])


def test_a_cost_and_a_count_for_each_level_are_asked_for():
    found = variation(OF_LIBKALIBERA)
    for costs in ((3, 20), (3, 20, 0)):
        with pytest.raises(ValueError, match="3 levels"):
            optimal_repetitions(found, costs)
    for repetitions in ((3,), (3, 0)):
        with pytest.raises(ValueError, match="2 levels lie below"):
            variance_of_process_means(found, repetitions)


@pytest.mark.parametrize(
    ("mean", "variance", "half_width"), [(1.0, 1.0, 0.0), (0.0, 1.0, 0.1), (1.0, -1.0, 0.1), (1.0, np.nan, 0.1)]
)
def test_a_width_that_no_count_reaches_is_refused(mean: float, variance: float, half_width: float):
    with pytest.raises(ValueError, match="no count"):
        processes_needed(mean, variance, half_width)
