"""Estimates and quantiles against hand-worked figures and independent implementations."""

import numpy as np
import pytest
from scipy import stats

from roi.statistics import studentised
from roi.statistics.errors import TooFine
from roi.statistics.estimate import geometric_mean_of_processes, mean_of_processes, ratio_of_processes
from roi.statistics.overlap import overlaps, share_of_blocks
from roi.statistics.quantiles import (
    Quantile,
    observations_needed,
    quantile,
    quantile_of_bounds,
    ratio_of_quantiles,
)
from roi.statistics.survival import log_rank, median, restricted_mean, share, survival
from roi.statistics.utilisation import bounds_of_utilisation, mean_wait, merged, minimum_mutator_utilisation


def test_the_mean_of_three_processes_has_students_interval():
    # 10, 11, 12: mean 11, standard error 1/sqrt(3), t(0.975, 2) = 4.302653
    estimate = mean_of_processes([10.0, 11.0, 12.0])
    assert (estimate.value, estimate.n) == (11.0, 3)
    assert estimate.hi - 11.0 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert 11.0 - estimate.lo == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)


def test_one_process_has_no_interval():
    estimate = mean_of_processes([10.0])
    assert (estimate.value, estimate.lo, estimate.hi) == (10.0, None, None)
    assert not estimate.excludes(99.0)


def test_no_process_is_no_estimate():
    with pytest.raises(ValueError, match="no value"):
        mean_of_processes([])


def test_an_unknown_value_is_not_averaged_away():
    with pytest.raises(ValueError, match="not a finite number"):
        mean_of_processes([1.0, float("nan")])


def test_the_geometric_mean_has_the_interval_of_its_logarithms_and_never_reaches_zero():
    # Logarithms 0, 1, 2: mean 1, half width t(0.975, 2) / sqrt(3) = 2.484138
    estimate = geometric_mean_of_processes([1.0, np.e, np.e**2])
    assert estimate.value == pytest.approx(np.e)
    assert (estimate.lo, estimate.hi) == pytest.approx((np.exp(1 - 2.484138), np.exp(1 + 2.484138)), rel=1e-6)


def test_a_rate_of_zero_is_not_averaged():
    with pytest.raises(ValueError, match="zero or less"):
        geometric_mean_of_processes([0.0, 1.0])


def test_a_ratio_is_the_inverse_of_its_inverse():
    above, below = [20.0, 22.0, 19.0], [10.0, 11.0, 9.5, 10.2]
    forward, backward = ratio_of_processes(above, below), ratio_of_processes(below, above)
    assert forward.value == pytest.approx(1 / backward.value)
    assert forward.lo == pytest.approx(1 / backward.hi)


def test_the_interval_of_a_ratio_is_that_of_welchs_test_on_logarithms():
    above, below = np.array([20.0, 22.0, 19.0]), np.array([10.0, 11.0, 9.5, 10.2])
    independent = stats.ttest_ind(np.log(above), np.log(below), equal_var=False).confidence_interval()
    ratio = ratio_of_processes(above, below)
    assert (ratio.lo, ratio.hi) == pytest.approx((np.exp(independent.low), np.exp(independent.high)))


@pytest.mark.parametrize("n", [20, 75, 400, 1_000])
@pytest.mark.parametrize("q", [0.5, 0.9, 0.99])
def test_the_interval_of_a_quantile_is_scipys_exact_one_or_within_it_and_still_holds_enough(n: int, q: float):
    sample = np.arange(1.0, n + 1)
    theirs = stats.quantile_test(sample, q=np.quantile(sample, q), p=q).confidence_interval()
    ours = quantile(sample, q)
    if ours.hi is None:
        assert np.isnan(theirs.high)
        return
    assert theirs.low <= ours.lo <= theirs.low + 1
    assert theirs.high - 1 <= ours.hi <= theirs.high
    # The values are their own ranks: the population's q lies between two of them so often.
    assert stats.binom.cdf(ours.hi - 1, n, q) - stats.binom.cdf(ours.lo - 1, n, q) >= 0.95


def test_a_sample_too_small_for_p99_has_no_upper_end():
    assert quantile(np.arange(100.0), 0.99).hi is None
    assert quantile(np.arange(1000.0), 0.99).hi is not None


def test_bounds_that_are_exact_give_the_ordinary_quantile():
    sample = np.random.default_rng(8).exponential(size=500)
    exact = quantile(sample, 0.9)
    bounded = quantile_of_bounds(sample, sample, np.ones(500, int), 0.9)
    assert (bounded.value, bounded.lo, bounded.hi) == (exact.value, exact.lo, exact.hi)


def test_bounds_widen_the_interval_and_counts_stand_for_repeated_values():
    # Ten pauses in [1, 2], ten in [4, 8]: the median lies in the first bucket, its interval reaches into the second.
    wide = quantile_of_bounds(np.array([1.0, 4.0]), np.array([2.0, 8.0]), np.array([10, 10]), 0.5)
    assert (wide.value, wide.lo, wide.hi, wide.n) == (1.5, 1.0, 8.0, 20)


def test_an_upper_bound_of_p99_needs_299_observations_and_an_interval_368():
    assert observations_needed(0.99) == 299
    assert observations_needed(0.99, two_sided=True) == 368


def test_a_published_kaplan_meier_example_is_reproduced():
    # Klein and Moeschberger's form of a small life table: 8 subjects, steps .875 .7292 .5833 .3889
    time = np.array([1, 2, 3, 4, 5, 6, 7, 8], float)
    censored = np.array([0, 1, 0, 0, 1, 0, 1, 1], bool)
    curve = survival(time, censored, 8.0)
    falls = [7 / 8, 7 / 8 * 5 / 6, 7 / 8 * 5 / 6 * 4 / 5, 7 / 8 * 5 / 6 * 4 / 5 * 2 / 3]
    steps = [p for p, c in zip(curve.waiting, censored, strict=True) if not c]
    assert steps == pytest.approx(falls)
    assert [round(step, 4) for step in steps] == [0.875, 0.7292, 0.5833, 0.3889]


def test_the_restricted_mean_counts_a_run_that_never_recovered_with_the_horizon():
    times, censored = np.array([1.0, 2.0, 10.0]), np.array([False, False, True])
    found = restricted_mean(times, censored, 10.0)
    assert found.value == pytest.approx((1 + 2 + 10) / 3)
    # Three runs, one of them without an end, tell little: Student's interval is longer than all there can be.
    assert (found.lo, found.hi) == (0.0, 10.0)
    assert survival(times, censored, 10.0).censored == 1
    assert restricted_mean(times[:1], censored[:1], 10.0).lo is None


def test_a_median_is_not_reached_while_half_of_the_runs_never_recovered():
    recovered = survival(np.arange(1.0, 11.0), np.zeros(10, bool), 20.0)
    value, lo, hi = median(recovered)
    assert value == 5.0
    assert lo < value < hi
    never = survival(np.array([1.0, 9.0, 9.0, 9.0]), np.array([False, True, True, True]), 9.0)
    assert median(never)[0] is None


def test_the_log_rank_test_tells_groups_apart_and_says_nothing_where_nobody_recovered():
    # Freireich's leukaemia data (Kalbfleisch and Prentice, table 1.1): chi-squared 16.79 with one degree of freedom.
    placebo = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], float)
    treated = np.array([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35], float)
    censored = np.array([False] * 9 + [True] * 12)
    # That is a p-value of 4e-5: hardly one of twenty thousand ways to share the patients out is as far off.
    assert log_rank(placebo, np.zeros(21, bool), treated, censored) < 5e-4
    assert log_rank(placebo, np.ones(21, bool), treated, np.ones(21, bool)) is None


def test_three_against_three_that_are_wholly_apart_are_two_of_twenty_ways_to_share_them_out():
    first, second, none = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), np.zeros(3, bool)
    assert log_rank(first, none, second, none) == pytest.approx(2 / 20)
    assert log_rank(first, none, first, none) == 1.0


def test_of_many_runs_the_log_rank_test_is_the_usual_one():
    draw = np.random.default_rng(11)
    for _ in range(5):
        first, second = draw.exponential(1.0, 40), draw.exponential(1.3, 40)
        censored = [times > 2.0 for times in (first, second)]
        times = [np.minimum(of, 2.0) for of in (first, second)]
        usual = stats.logrank(*(stats.CensoredData.right_censored(*pair) for pair in zip(times, censored, strict=True)))
        ours = log_rank(times[0], censored[0], times[1], censored[1])
        assert ours == pytest.approx(usual.pvalue, abs=0.03)


def test_a_studentised_interval_of_values_that_are_not_skewed_is_students():
    values = stats.norm.ppf((np.arange(200) + 0.5) / 200)
    lo, hi = studentised.interval(values)
    assert (lo, hi) == pytest.approx(stats.t.interval(0.95, 199, 0.0, stats.sem(values)), rel=0.1)


def test_of_skewed_values_it_reaches_further_to_the_side_of_the_tail():
    values = np.random.default_rng(2).lognormal(0.0, 1.0, 12)
    lo, hi = studentised.interval(values)
    assert hi - values.mean() > 1.3 * (values.mean() - lo)


def test_of_three_values_it_is_students_and_of_equal_ones_it_has_no_width():
    values = np.array([1.0, 2.0, 4.0])
    assert studentised.interval(values) == pytest.approx(stats.t.interval(0.95, 2, values.mean(), stats.sem(values)))
    assert studentised.interval(np.ones(5)) == (1.0, 1.0)
    with pytest.raises(ValueError, match="needs two"):
        studentised.interval(np.ones(1))


def test_a_share_has_wilsons_interval():
    # Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 0 of 20 and 15 of 148.
    assert (share(0, 20).lo, share(0, 20).hi) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert (share(15, 148).lo, share(15, 148).hi) == pytest.approx((0.0624, 0.1605), abs=1e-4)


def test_the_least_utilisation_of_two_near_pauses_is_in_the_window_that_holds_both():
    # Pauses of 2 and 3 with 1 between: a window of 6 holds 5 of pause, one of 3 is full, one of 10 has 5 left.
    pauses = np.array([20, 23]), np.array([22, 26])
    found = [minimum_mutator_utilisation(*pauses, 0, 100, window) for window in (3, 6, 10)]
    assert found == pytest.approx([0, 1 / 6, 1 / 2])


def test_the_least_utilisation_is_that_of_a_window_tried_at_every_place():
    random = np.random.default_rng(7)
    begin = random.integers(0, 900, 30)
    end = begin + random.integers(1, 25, 30)
    busy = np.zeros(1000, int)
    for a, b in zip(begin, end, strict=True):
        busy[a:b] = 1
    for window in (1, 10, 57, 400):
        tried = max(busy[place : place + window].sum() for place in range(1001 - window))
        assert minimum_mutator_utilisation(begin, end, 0, 1000, window) == pytest.approx(1 - tried / window)


def test_pauses_that_overlap_count_once():
    begin, end = merged(np.array([5, 0, 6, 20]), np.array([8, 3, 7, 21]))
    assert (begin.tolist(), end.tolist()) == ([0, 5, 20], [3, 8, 21])


def test_no_pause_leaves_everything_and_a_window_longer_than_the_run_is_refused():
    none = np.array([], int)
    assert minimum_mutator_utilisation(none, none, 0, 10, 5) == 1
    with pytest.raises(ValueError, match="does not fit"):
        minimum_mutator_utilisation(none, none, 0, 10, 11)


def test_a_pause_of_2_to_4_leaves_between_6_and_8_of_10():
    found = bounds_of_utilisation(np.array([50]), np.array([2]), np.array([4]), 0, 100, 10)
    assert (found.lo, found.hi) == pytest.approx((0.6, 0.8))


def test_who_arrives_at_random_waits_half_of_the_squares():
    # One pause of 10 in 100: met with probability 1/10, then 5 left on average.
    found = mean_wait(np.array([10.0]), np.array([20.0]), np.array([1]), 100.0)
    assert (found.lo, found.hi) == (0.5, 2.0)


def test_an_interval_overlaps_a_pause_only_where_they_share_time():
    begin, end = np.array([0, 0, 11, 20, 31]), np.array([10, 11, 19, 21, 32])
    assert overlaps(begin, end, np.array([10, 20]), np.array([12, 30])).tolist() == [False, True, True, True, False]
    assert not overlaps(begin, end, np.array([]), np.array([])).any()


def test_a_hundred_requests_of_one_pause_are_one_event():
    # 100 hits in one block of ten: Wilson's interval over a thousand requests would be 0.08 to 0.12.
    hits = np.repeat([True] + [False] * 9, 100)
    share = share_of_blocks(hits, np.repeat(np.arange(10), 100))
    assert (share.value, share.n, share.lo) == (0.1, 10, 0.0)
    # A third of the draws holds no hit and so no spread: Student's end stands for theirs.
    assert share.hi == pytest.approx(0.1 + stats.t.ppf(0.975, 9) * 0.1)


def test_one_block_has_no_interval():
    assert share_of_blocks(np.array([True, False]), np.array([3, 3])).lo is None


def test_a_ratio_of_quantiles_holds_the_intervals_of_both():
    above, below = Quantile(0.5, 40.0, 30.0, 50.0, 90), Quantile(0.5, 10.0, 8.0, 12.0, 90)
    assert ratio_of_quantiles(above, below, floor=2.0) == (4.0, 2.5, 6.25)


@pytest.mark.parametrize(
    ("above", "below", "why"),
    [
        (Quantile(0.99, 40.0, 30.0, 50.0, 900), Quantile(0.99, 39.0, 30.0, 50.0, 900), "differ by less"),
        (Quantile(0.99, 40.0, 30.0, 50.0, 900), Quantile(0.99, 1.0, 0.5, 2.0, 900), "below the 2"),
        (Quantile(0.99, 40.0, 30.0, None, 90), Quantile(0.99, 10.0, 9.0, 12.0, 900), "368 on"),
    ],
)  # fmt: skip
def test_a_comparison_finer_than_the_meters_is_refused(above, below, why):
    with pytest.raises(TooFine, match=why):
        ratio_of_quantiles(above, below, floor=2.0)
