"""The search for a capacity at an objective, against servers whose capacity is known."""

import pytest

from bench.errors import LoadFailed
from bench.load import rungs
from bench.load.search import Kind, Search
from bench.scenario import named


def run(search, meets):
    """Let a search try what it wants; gives its trials."""
    trials = []
    while trial := search.trial():
        trials.append(trial)
        search.tell(trial, meets(trial))
    return trials


@pytest.mark.parametrize("capacity", [30_000, 12_000, 9_990, 8_000, 5_000, 1_234, 400])
def test_the_rate_that_is_found_meets_the_objective_and_is_within_the_precision_of_the_largest_that_does(capacity):
    search = Search(10_000, precision=0.05, confirmations=3)
    trials = run(search, lambda trial: trial.rate_per_s <= capacity)
    assert 0.95 * capacity <= search.found_per_s <= capacity
    assert [trial.kind for trial in trials[-3:]] == [Kind.CONFIRM] * 3
    assert {trial.rate_per_s for trial in trials[-3:]} == {search.found_per_s}


def test_a_server_that_serves_nearly_what_a_closed_loop_reached_takes_seven_steps():
    search = Search(10_000, precision=0.05, confirmations=3)
    trials = run(search, lambda trial: trial.rate_per_s <= 9_500)
    # 8000, 9000 and 9500 meet it and 10000 does not: the bracket is 5 % wide.
    assert [round(trial.rate_per_s) for trial in trials] == [8_000, 10_000, 9_000, 9_500, 9_500, 9_500, 9_500]


def test_what_a_closed_loop_reached_is_no_bound():
    search = Search(1_000, precision=0.05, confirmations=1)
    rates = [round(trial.rate_per_s) for trial in run(search, lambda trial: trial.rate_per_s <= 1_600)]
    assert rates[:5] == [800, 1_000, 1_250, 1_562, 1_953]
    assert 1_520 <= search.found_per_s <= 1_600


def test_a_rate_of_which_a_repeat_fails_is_not_found_but_the_next_lower_one():
    search = Search(10_000, precision=0.05, confirmations=2)
    repeats = iter([True, False, True, True])
    trials = run(search, lambda trial: next(repeats) if trial.kind == Kind.CONFIRM else trial.rate_per_s <= 9_500)
    confirmed = [round(trial.rate_per_s) for trial in trials if trial.kind == Kind.CONFIRM]
    assert confirmed == [9_500, 9_500, 8_550, 8_550]
    assert search.found_per_s == pytest.approx(8_550)


def test_an_objective_that_nothing_meets_ends_without_a_rate():
    search = Search(10_000, precision=0.05, confirmations=3)
    trials = run(search, lambda trial: False)
    assert search.found_per_s is None
    assert trials[-1].rate_per_s >= 100


def test_what_was_not_repeated_often_enough_is_not_found():
    search = Search(10_000, precision=0.05, confirmations=3)
    for _ in range(6):
        trial = search.trial()
        search.tell(trial, trial.rate_per_s <= 9_500)
    assert trial.kind == Kind.CONFIRM
    assert search.found_per_s is None


def test_a_server_that_answered_nothing_is_not_searched():
    assert Search(0.0, precision=0.05, confirmations=3).trial() is None


def test_steps_too_short_to_show_an_overload_are_refused():
    with pytest.raises(LoadFailed, match=r"Give step_s 1 or more"):
        named("capacity").values({"objective_ms": 50.0, "step_s": 0.9})
    assert named("capacity").values({"objective_ms": 50.0, "step_s": 1.0})["step_s"] == 1.0


def test_rungs_are_read():
    assert rungs.parse("1, 2,16") == [1, 2, 16]


@pytest.mark.parametrize(
    ("text", "most", "said"),
    [("", None, "no numbers"), ("1,x", None, "no numbers"), ("0,1", None, "no numbers"), ("2,2", None, "twice"),
     ("1,64", 32, "there are 32")],
)  # fmt: skip
def test_rungs_that_mean_nothing_are_refused(text, most, said):
    with pytest.raises(LoadFailed, match=said):
        rungs.parse(text, most)
