"""Arrivals of an open loop."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bench.errors import LoadFailed
from bench.load.schedule import Constant, Poisson, VaryingPoisson

RISING = VaryingPoisson((0.0, 10.0), (0.0, 4_000.0), seed=3)
"""The integral of its rate is 200 t²: 20 000 arrivals, and an arrival's law is (t/10)²."""
PEAK = VaryingPoisson((0.0, 2.0, 3.0, 5.0, 5.0, 6.0), (1_000.0, 1_000.0, 5_000.0, 5_000.0, 0.0, 0.0), seed=4)
"""2000 at the base, 3000 in the rise, 10 000 at the peak, and none after the step down."""


def whole(schedule):
    return np.concatenate(list(schedule.chunks()))


def merged(schedule, workers):
    return np.sort(np.concatenate([whole(schedule.share(index, workers)) for index in range(workers)]))


def test_poisson_arrivals_have_exponential_gaps():
    gaps = np.diff(whole(Poisson(10_000, 10, seed=5))) / 1e9
    assert stats.kstest(gaps, "expon", args=(0, 1 / 10_000)).pvalue > 0.01


def test_poisson_counts_are_as_dispersed_as_poisson_says():
    due = whole(Poisson(20_000, 10, seed=6)) / 1e9
    counts = np.histogram(due, bins=1_000, range=(0, 10))[0]
    # Variance over mean of a Poisson count is 1; its standard error over 1000 bins is sqrt(2/1000) = 0.045.
    assert counts.var(ddof=1) / counts.mean() == pytest.approx(1, abs=3 * 0.045)


def test_the_number_of_arrivals_is_the_rate_times_the_duration():
    assert len(whole(Constant(250, 4))) == 1_000
    assert len(whole(Poisson(10_000, 10, seed=7))) == pytest.approx(100_000, abs=3 * np.sqrt(100_000))


def test_arrivals_ascend_within_and_between_chunks_and_end_with_the_duration():
    due = whole(Poisson(3_000, 2, seed=8))
    assert (np.diff(due) >= 0).all()
    assert due[-1] < 2e9


def test_the_same_seed_gives_the_same_arrivals_and_another_seed_others():
    assert (whole(Poisson(500, 1, seed=1)) == whole(Poisson(500, 1, seed=1))).all()
    assert whole(Poisson(500, 1, seed=1))[0] != whole(Poisson(500, 1, seed=2))[0]


def test_constant_arrivals_do_not_drift():
    due = whole(Constant(3, 1_000))
    assert due[-1] == pytest.approx(2_999 * 1e9 / 3, abs=1)


def test_without_a_duration_arrivals_never_end():
    chunks = itertools.islice(Poisson(1_000, None, seed=9).chunks(), 20)
    assert all(len(chunk) for chunk in chunks)


@pytest.mark.parametrize(
    ("rate", "seconds"), [(0, 1), (-5, 1), (float("nan"), 1), (float("inf"), 1), (10, 0), (10, -1)]
)
def test_a_rate_or_a_duration_that_means_nothing_is_refused(rate, seconds):
    with pytest.raises(LoadFailed, match="Give a positive"):
        Poisson(rate, seconds, seed=1)


@pytest.mark.parametrize(("schedule", "expected"), [(RISING, 20_000), (PEAK, 15_000)])
def test_a_varying_rate_gives_its_integral_of_arrivals(schedule, expected):
    assert schedule.expected == expected
    assert len(whole(schedule)) == pytest.approx(expected, abs=3 * np.sqrt(expected))


def test_arrivals_of_a_rising_rate_have_the_law_of_its_integral():
    assert stats.kstest(whole(RISING) / 1e9, lambda t: (t / 10) ** 2).pvalue > 0.01


def test_arrivals_of_a_peak_fall_into_its_pieces_as_their_integrals_say():
    due = whole(PEAK) / 1e9
    counted = np.histogram(due, bins=(0, 2, 3, 5, 6))[0]
    assert counted[3] == 0
    assert stats.chisquare(counted[:3], len(due) * np.array([2, 3, 10]) / 15).pvalue > 0.01
    rise = due[(due >= 2) & (due < 3)] - 2
    # Integrated rate within the rise: 1000 u + 2000 u², of 3000.
    assert stats.kstest(rise, lambda u: (u + 2 * u**2) / 3).pvalue > 0.01


def test_a_varying_rate_that_does_not_vary_is_a_poisson_process():
    gaps = np.diff(whole(VaryingPoisson((0.0, 10.0), (2_000.0, 2_000.0), seed=5))) / 1e9
    assert stats.kstest(gaps, "expon", args=(0, 1 / 2_000)).pvalue > 0.01


def test_varying_arrivals_ascend_and_stay_within_the_schedule():
    due = whole(PEAK)
    assert (np.diff(due) >= 0).all()
    assert 0 <= due[0] < due[-1] <= 5e9


def test_a_share_of_one_worker_is_the_schedule_itself():
    for schedule in (Poisson(500, 2, seed=1), Constant(500, 2), RISING):
        assert schedule.share(0, 1) == schedule


def test_shares_of_equal_gaps_merge_to_the_very_sequence():
    # A gap of 1/3 ms is no whole number of ns: rounding must not depend on who sends.
    schedule = Constant(3_000, 2)
    assert merged(schedule, 7).tolist() == whole(schedule).tolist()
    assert whole(schedule.share(3, 7))[:2].tolist() == [1_000_000, 3_333_333]


def test_shares_of_poisson_arrivals_merge_to_poisson_arrivals_of_the_whole_rate():
    due = merged(Poisson(8_000, 10, seed=11), 4)
    assert len(due) == pytest.approx(80_000, abs=3 * np.sqrt(80_000))
    assert stats.kstest(np.diff(due) / 1e9, "expon", args=(0, 1 / 8_000)).pvalue > 0.01


def test_shares_of_a_rising_rate_merge_to_the_law_of_the_whole():
    due = merged(RISING, 4) / 1e9
    assert len(due) == pytest.approx(20_000, abs=3 * np.sqrt(20_000))
    assert stats.kstest(due, lambda t: (t / 10) ** 2).pvalue > 0.01


def test_workers_draw_independently_of_one_another_and_the_same_each_time():
    first, second = (whole(Poisson(2_000, 10, seed=1).share(index, 2)) for index in (0, 1))
    counts = [np.histogram(due, bins=500, range=(0, 10e9))[0] for due in (first, second)]
    # Correlation of independent counts has a standard error of 1/sqrt(500) = 0.045.
    assert abs(np.corrcoef(counts)[0, 1]) < 3 * 0.045
    assert (whole(Poisson(2_000, 10, seed=1).share(0, 2)) == first).all()


def test_a_share_can_be_shared_again():
    schedule = Constant(1_000, 1)
    again = [whole(schedule.share(1, 2).share(index, 3)) for index in range(3)]
    assert np.sort(np.concatenate(again)).tolist() == whole(schedule.share(1, 2)).tolist()


def test_a_worker_that_does_not_exist_has_no_share():
    with pytest.raises(LoadFailed, match="no worker 2 of 2"):
        Constant(10, 1).share(2, 2)


def test_a_load_without_a_single_arrival_is_a_sentence_and_a_share_without_one_is_not():
    with pytest.raises(LoadFailed, match="without a single arrival"):
        whole(Poisson(1, 1e-6, seed=1))
    assert len(whole(Poisson(1, 1e-6, seed=1).share(0, 2))) == 0
    assert len(whole(Constant(1, 1).share(3, 4))) == 0


@pytest.mark.parametrize(
    ("times", "rates", "said"),
    [
        ((0.0, 1.0), (0.0, 0.0), "has no arrivals"),
        ((0.0, 0.0), (5.0, 5.0), "has no arrivals"),
        ((0.0, 1.0), (5.0, -1.0), "not negative"),
        ((0.0, 1.0), (5.0, float("nan")), "not negative"),
        ((0.0, 2.0, 1.0), (5.0, 5.0, 5.0), "ascending"),
        ((1.0, 2.0), (5.0, 5.0), "from 0 on"),
        ((0.0, 1.0), (5.0,), "ascending"),
    ],
)
def test_a_rate_that_cannot_vary_like_that_is_refused(times, rates, said):
    with pytest.raises(LoadFailed, match=said):
        VaryingPoisson(times, rates, seed=1)
