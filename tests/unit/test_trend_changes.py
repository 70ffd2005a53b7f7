"""Changes between runs: where a series changed, how sure that is, and how often chance alone looks like it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from roi.prove import trend as prove
from roi.statistics import trend_changes
from roi.statistics.holm import holm_levels
from roi.statistics.trend_changes import shifts, spread, strongest

STEADY = np.log([100.0, 101.0, 99.0, 100.5, 99.5])
SLOWER = np.log([85.0, 85.5, 84.5])


def test_the_strongest_stretch_is_the_one_of_the_largest_t_against_the_rest():
    random = np.random.default_rng(4)
    for _ in range(30):
        logs = random.normal(size=11)
        t = {
            (begin, end): abs(
                stats.ttest_ind(logs[begin:end], np.delete(logs, np.arange(begin, end)), equal_var=True).statistic
            )
            for begin in range(11) for end in range(begin + 3, 11)
            if begin >= 3 or (begin == 0 and end <= 8)
        }  # fmt: skip
        found = strongest(logs)
        assert (found.begin, found.end) == max(t, key=t.__getitem__)


def test_three_slower_runs_of_eight_are_a_change_before_the_first_of_them():
    (shift,) = shifts(np.concatenate([STEADY, SLOWER]), 0.05)
    before, after = STEADY, SLOWER
    assert shift.at == 5
    assert shift.ratio.value == pytest.approx(math.exp(after.mean() - before.mean()))
    assert shift.ratio.n == 3
    pooled = stats.ttest_ind(after, before, equal_var=True).confidence_interval(0.95)
    assert (shift.ratio.lo, shift.ratio.hi) == pytest.approx((math.exp(pooled.low), math.exp(pooled.high)))
    assert shift.p_value == pytest.approx(1 / 20_001), "no series of chance was as unlike"


def test_a_change_and_its_repair_are_two_changes():
    logs = np.concatenate([STEADY, SLOWER, STEADY])
    assert [shift.at for shift in shifts(logs, 0.05)] == [5, 8]
    assert [round(shift.ratio.value, 2) for shift in shifts(logs, 0.05)] == [0.85, 1.18]


@pytest.mark.parametrize("nights", [1, 2])
def test_the_first_nights_after_a_repair_leave_the_change_as_it_is_and_are_none_themselves(nights):
    logs = np.concatenate([STEADY, SLOWER, SLOWER[:1], STEADY[:nights]])
    (shift,) = shifts(logs, 0.001)
    assert shift.at == 5
    assert shift.ratio.value == pytest.approx(math.exp(logs[5:9].mean() - STEADY.mean()))
    assert shift.ratio.n == 4


def test_three_levels_are_two_changes():
    logs = np.concatenate([STEADY, STEADY + 0.2, STEADY + 0.5])
    assert [shift.at for shift in shifts(logs, 0.05)] == [5, 10]


def test_one_bad_run_is_no_change():
    for place in range(8):
        logs = np.concatenate([STEADY, STEADY[:3]])
        logs[place] -= 0.3
        assert shifts(logs, 0.05) == ()


def test_five_runs_are_too_few_to_tell():
    assert strongest(np.log([100.0, 100.0, 50.0, 50.0, 50.0])) is None
    assert strongest(np.log([100.0, 101.0, 99.0, 50.0, 51.0, 49.0])) is not None
    assert trend_changes.LEAST_RUNS == 6


def test_runs_that_are_all_alike_have_not_changed():
    assert strongest(np.log([100.0] * 8)).p_value == 1.0


def test_a_change_within_what_processes_leave_open_is_none():
    logs = np.concatenate([STEADY, SLOWER])
    assert strongest(logs).p_value < 0.001
    # A step of 16 % over 20 % · √(1/5 + 1/3) is a t of 1.1.
    assert strongest(logs, error=0.2).p_value > 0.5
    assert shifts(logs, 0.05, error=0.2) == ()


def test_what_runs_differ_by_is_taken_around_their_levels():
    # Squares 1, 0, 1 and 4, 0, 4 over 6 - 2.
    assert spread(np.array([1.0, 2, 3, 8, 10, 12]), [3]) == pytest.approx(math.sqrt(10 / 4))
    assert math.isnan(spread(np.array([1.0, 2.0]), [1]))


def test_holms_levels_are_shared_among_those_that_are_left():
    assert holm_levels([0.01, 0.04, 0.001]) == pytest.approx((0.025, 0.05, 0.05 / 3))
    assert holm_levels([0.03, 0.04]) == (None, None)
    assert holm_levels([0.2, 0.02]) == (None, pytest.approx(0.025))
    assert holm_levels([]) == ()


def test_no_noise_makes_more_alarms_than_it_may():
    made = list(prove.proofs(experiments=400))
    assert [proof.name for proof in made if not proof.holds] == []
    assert len({proof.name for proof in made}) == len(made) == 32


def test_a_test_that_takes_normal_noise_for_granted_would_be_found_out(monkeypatch):
    monkeypatch.setattr(trend_changes, "NOISES", {"normal": trend_changes.NOISES["normal"]})
    trend_changes._by_chance.cache_clear()
    try:
        failed = [proof.name for proof in prove.proofs(experiments=400) if not proof.holds]
    finally:
        trend_changes._by_chance.cache_clear()
    assert {"trend_skewed_of_30_runs_false_alarms", "trend_lognormal_of_30_runs_false_alarms"} <= set(failed)
