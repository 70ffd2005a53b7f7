"""Arrivals of an open loop."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bench.errors import LoadFailed
from bench.load.schedule import Constant, Poisson


def whole(schedule):
    return np.concatenate(list(schedule.chunks()))


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
    assert sum(map(len, chunks)) == 20 * 500


@pytest.mark.parametrize(
    ("rate", "seconds"), [(0, 1), (-5, 1), (float("nan"), 1), (float("inf"), 1), (10, 0), (10, -1)]
)
def test_a_rate_or_a_duration_that_means_nothing_is_refused(rate, seconds):
    with pytest.raises(LoadFailed, match="Give a positive"):
        Poisson(rate, seconds, seed=1)
