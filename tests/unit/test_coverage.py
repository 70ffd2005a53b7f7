"""The proof of the statistics can tell an interval that holds what it says from one that does not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import stats

from bench.errors import BenchError
from bench.prove import certificate
from bench.prove import coverage as prove
from roi import coverage
from roi.coverage import Case
from roi.statistics.estimate import mean_of_processes


def interval_by(quantile: float):
    """Give an experiment: three normal values, and the interval of their mean with a quantile."""

    def one(random: np.random.Generator):
        values = random.normal(size=3)
        half = quantile * stats.sem(values)
        return 0.0, (values.mean() - half, values.mean() + half, 0.95)

    return one


def test_a_normal_quantile_for_three_processes_is_found_out_and_students_holds():
    normal = coverage.coverage(Case("normal", interval_by(stats.norm.ppf(0.975)), "normal"))
    student = coverage.coverage(Case("student", interval_by(stats.t.ppf(0.975, 2)), "normal"))
    # What a normal quantile holds over three values: P(|t| < 1.96) with two degrees of freedom.
    assert normal.measured == pytest.approx(stats.t.cdf(1.96, 2) - stats.t.cdf(-1.96, 2), abs=0.02)
    assert (normal.holds, student.holds) == (False, True)


def test_an_interval_is_held_against_what_it_says_itself():
    def one(random: np.random.Generator):
        return 0.0, (-1.0 if random.uniform() < 0.5 else 0.5, 1.0, 0.5)

    said = coverage.coverage(Case("half", one, "a coin"))
    assert said.expected == 0.5
    assert said.holds


def test_experiments_without_an_interval_are_counted_and_not_called_right():
    def one(random: np.random.Generator):
        return 0.0, (-1.0, 1.0, 0.95) if random.uniform() < 0.2 else None

    said = coverage.coverage(Case("seldom", one, "a coin"), experiments=1_000)
    assert said.measured == 1.0
    assert 750 < int(re.search(r"in (\d+) of them it gives no interval", said.note)[1]) < 850


def test_made_up_processes_are_skewed_and_their_windows_remember():
    random = np.random.default_rng(1)
    values = coverage.processes(random, 20_000)
    assert stats.skew(values) < -0.5
    # Without memory twenty windows would average the spread of 5 % down to 1.1 %; with it, to 2.4 %.
    slower = stats.gamma(2.0, scale=0.03).var()
    assert np.log(values).var() - slower == pytest.approx(0.024**2, rel=0.15)


def test_every_estimator_that_a_page_prints_is_among_the_cases_once():
    names = [case.name for case in coverage.cases()]
    assert len(names) == len(set(names))
    kinds = {name.rpartition("_of_")[0] or name for name in names}
    assert kinds >= {
        "geometric_mean", "ratio", "median", "restricted_mean", "median_recovery", "recovered_by", "share", "count",
    }  # fmt: skip


def test_students_interval_holds_on_processes_like_ours():
    case = next(case for case in coverage.cases() if case.name == "mean_of_5")
    truth, (lo, hi, said) = case.one(np.random.default_rng(3))
    values = coverage.processes(np.random.default_rng(3), 5)
    assert (lo, hi) == (mean_of_processes(values).lo, mean_of_processes(values).hi)
    assert lo < truth < hi
    assert said == 0.95


def test_bench_makes_a_certificate_of_what_the_statistics_say_of_themselves(tmp_path, monkeypatch):
    monkeypatch.setattr(certificate, "_FOLDER", tmp_path)
    shown = []
    made = prove.prove(lambda sentence: None, shown.append, experiments=20)
    assert tuple(shown) == made.proofs
    names = [proof.name for proof in made.proofs]
    assert names[:-8] == [f"{case.name}_coverage" for case in coverage.cases()]
    assert [name.rpartition("_of_")[0] for name in names[-8:]] == ["ratio"] * 3 + ["bootstrap_ratio"] * 3 + [
        "log_rank"
    ] * 2
    assert certificate.stored("statistics")["of_this_code"]
    assert all(proof.measured >= 0.6 for proof in made.proofs if proof.name.endswith("_coverage"))


def test_statistics_that_fail_are_a_sentence_and_no_certificate(tmp_path, monkeypatch):
    monkeypatch.setattr(certificate, "_FOLDER", tmp_path)
    monkeypatch.setattr(prove.sys, "executable", "false")
    with pytest.raises(BenchError, match="failed with exit code 1"):
        prove.prove(lambda sentence: None, lambda proof: None)
    assert certificate.stored("statistics") is None
