"""Short forms of the proofs of the load generator: the same code as `bench prove load`, over seconds in place of minutes.

What the long form shows with tens of thousands of windows or ten pairs is left to it. `test_workers` accounts for every
way in which a load can end.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from bench import calibrate
from bench.prove import certificate, equivalence, fidelity, known_delay, queueing, stall
from bench.prove.certificate import Proof
from bench.prove.statistics import batch_means_half_width, counts, dispersion, fifo_response, md1_mean
from bench.prove.statistics import equivalence as tost
from bench.rig import Rig

RIG = Rig.split(1)


def failing(proofs: list[Proof]) -> list[str]:
    return [
        f"{p.name}: expected {p.expected} ± {p.tolerance}, measured {p.measured} ({p.note})"
        for p in proofs
        if not p.holds
    ]


def test_a_stall_gives_the_closed_form_and_locusts_own_pacing_misses_it(tmp_path):
    proofs, curves = stall.prove(tmp_path, RIG, window_s=8.0, freeze_s=0.5)
    assert failing(proofs) == []
    theory, engine, control = (
        np.array(curves[f"{name}_ms"]) for name in ("closed_form", "engine", "constant_throughput")
    )
    seen = theory > 50
    assert np.abs(engine - theory)[seen].max() <= 10
    # The control sent fifty requests into the stall, less than one in a hundred, where one in thirteen was due.
    reached = seen & (np.array(curves["quantile"]) < 0.985)
    assert (control[reached] < 50).all()
    assert reached.sum() > 30


def test_arrivals_at_a_single_server_wait_as_the_queueing_law_says(tmp_path):
    assert failing(queueing.prove(tmp_path, RIG, window_s=10.0, rhos=(0.5,))) == []


def test_a_known_delay_is_measured_and_next_to_nothing_added(tmp_path):
    proofs = known_delay.prove(tmp_path, RIG, window_s=5.0)
    assert failing(proofs) == []
    assert proofs[0].measured > 2_000


def test_the_server_sees_the_schedule_arrive(tmp_path):
    proofs = fidelity.prove(tmp_path, RIG, gaps_s=8.0, counts_s=6.0, workers=(1,))
    # To tell 2 % of dispersion from chance takes half a minute, and a machine of one's own: that is the long form's.
    long = {"counts_dispersion_1_worker", "windows_undisturbed_share_1_worker"}
    assert failing([proof for proof in proofs if proof.name not in long]) == []
    assert {proof.name for proof in proofs} > long


def test_windows_with_a_stall_are_left_out_and_bursts_that_are_smoothed_are_not():
    scheduled = np.cumsum(np.random.default_rng(4).exponential(1e9 / 5000, 150_000))
    window_ns = 20e6

    def seen(arrived: np.ndarray) -> tuple[float, float]:
        before, after, undisturbed = fidelity.counted(scheduled, arrived, 0.0, window_ns)
        return dispersion(after[undisturbed]) - dispersion(before[undisturbed]), undisturbed.mean()

    stalled = scheduled + 50_000
    stalled[(scheduled > 10e9) & (scheduled < 10.03e9)] = 10.03e9
    difference, share = seen(stalled)
    assert abs(difference) < 0.005
    assert 1 - share == pytest.approx(2 / 1500, abs=1 / 1500)
    # A sender that never has two under way within 0.19 ms: 95 % busy, so it levels bursts out, some for more than 1 ms.
    evened = scheduled + fifo_response(scheduled, 190_000.0)
    difference, share = seen(evened)
    assert difference < -0.2 or share < 0.5


def test_an_independent_generator_sees_the_same_gateway(tmp_path):
    proofs = equivalence.prove(tmp_path, RIG, pairs=5, seconds=1.5, levels=(0.3,))
    # Five short pairs give the median an interval; further out they show the means, and the interval is the long form's.
    median, p90, _ = proofs
    assert failing([median]) == []
    assert p90.measured == pytest.approx(p90.expected, abs=p90.tolerance)
    assert len(proofs) == len(equivalence.QUANTILES)


def test_the_closed_form_of_a_stall_by_hand():
    assert stall.closed_form_ms(0.99, frozen_s=1.0, window_s=60.0) == pytest.approx(520)
    assert stall.closed_form_ms(0.999, frozen_s=1.0, window_s=60.0) == pytest.approx(952)
    assert stall.closed_form_ms(0.9, frozen_s=1.0, window_s=60.0) == 0
    assert stall.mean_excess_ms(frozen_s=1.0, window_s=60.0) == pytest.approx(10.4167, abs=1e-4)


def test_the_mean_of_the_queueing_law_by_hand():
    assert md1_mean(10.0, 0.5) == 15.0
    assert md1_mean(10.0, 0.8) == pytest.approx(30.0)


def test_waiting_by_hand_and_over_many_arrivals():
    assert fifo_response(np.array([0.0, 1.0, 9.0]), 4.0).tolist() == [4.0, 7.0, 4.0]
    arrivals = np.cumsum(np.random.default_rng(1).exponential(2.0, 400_000))
    assert fifo_response(arrivals, 1.0).mean() == pytest.approx(md1_mean(1.0, 0.5), rel=0.01)


def test_dispersion_is_one_for_poisson_and_none_for_equal_gaps():
    instants = np.cumsum(np.random.default_rng(2).exponential(1.0, 200_000))
    assert dispersion(counts(instants, 5.0, 0.0, 39_000)) == pytest.approx(1.0, abs=0.03)
    assert dispersion(counts(np.arange(100_000.0), 5.0, 0.0, 20_000)) == 0


def test_batch_means_widen_the_interval_of_correlated_values():
    draw = np.random.default_rng(3)
    independent = draw.normal(size=30_000)
    correlated = np.convolve(draw.normal(size=30_049), np.ones(50) / np.sqrt(50), "valid")
    naive = 2.576 / np.sqrt(30_000)
    assert batch_means_half_width(independent) == pytest.approx(naive, rel=0.3)
    # Summing fifty makes the variance of the mean fifty times what it seems.
    assert batch_means_half_width(correlated) == pytest.approx(naive * np.sqrt(50), rel=0.3)


def test_two_one_sided_tests_need_the_whole_interval_within_the_margin():
    near = np.array([0.01, -0.02, 0.03, 0.0, -0.01])
    found = tost(near, 0.2)
    assert found.holds
    # Of five differences nothing may lie outside: the interval is all there is, 31 of 32 to be as far out at one end.
    assert (found.difference, found.lo, found.hi) == pytest.approx((0.0, -0.02, 0.03))
    assert not tost(near + 0.19, 0.2).holds
    assert not tost(near * 20, 0.2).holds, "a difference that is not seen is not one that is not there"
    with pytest.raises(ValueError, match="4 pairs cannot show"):
        tost(near[:4], 0.2)


def test_one_pair_with_a_stall_hides_no_equivalence_and_many_show_that_there_is_none():
    near = np.linspace(-0.05, 0.05, 16)
    stalled = np.where(np.arange(16) == 3, 40.0, near)
    assert tost(stalled, 0.2).holds
    assert not tost(np.where(np.arange(16) % 3 == 0, 40.0, near), 0.2).holds


@pytest.mark.parametrize("pairs", [5, 10, 16])
def test_equivalence_is_what_scipys_exact_signed_rank_tests_say(pairs: int):
    draw = np.random.default_rng(pairs)
    for _ in range(100):
        differences = draw.normal(draw.uniform(-0.3, 0.3), 0.3, pairs)
        above = stats.wilcoxon(differences + 0.25, alternative="greater", method="exact").pvalue
        below = stats.wilcoxon(differences - 0.25, alternative="less", method="exact").pvalue
        assert tost(differences, 0.25).holds == (max(above, below) <= 0.05)


def test_a_certificate_is_this_machines_and_says_whether_the_code_is_still_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(certificate, "_FOLDER", tmp_path)
    assert certificate.stored("load") is None
    made = certificate.certify("load", [Proof.near("x_ms", 1.0, 1.5, 1.0, "n")], {"c": {"q": [0.5]}})
    assert made.holds
    kept = certificate.stored("load")
    assert kept["of_this_code"]
    assert kept["proofs"] == json.loads(json.dumps(made.as_dict()["proofs"]))
    monkeypatch.setattr(certificate, "code", lambda kind: "other")
    assert not certificate.stored("load")["of_this_code"]
    monkeypatch.setattr(certificate, "this_machine", lambda: {"cpu_model": "another"})
    assert certificate.stored("load") is None


def test_the_ceiling_is_measured_once_a_day_and_divides_what_comes_after(tmp_path, monkeypatch):
    monkeypatch.setattr(calibrate, "_FILE", tmp_path / "calibration.json")
    monkeypatch.setattr(calibrate, "_SHORT_RUNS", 1)
    monkeypatch.setattr(calibrate, "_SHORT_S", 0.5)
    said = []
    ceiling = calibrate.ceiling_today(RIG, 1, said.append)
    assert ceiling > 1_000
    assert calibrate.ceiling_today(RIG, 1, said.append) == ceiling
    assert len(said) == 1
    assert calibrate.stored()["runs"]["null"]["engine"] == [pytest.approx(ceiling, abs=0.1)]
    monkeypatch.setattr(calibrate, "_now", lambda: "2100-01-01T00:00:00+00:00")
    assert calibrate.stored() is None


def test_every_kind_of_proof_can_fail():
    assert Proof.near("x", 1.0, 1.1, 0.1001, "").holds
    assert not Proof.near("x", 1.0, 1.2, 0.1, "").holds
    assert Proof.at_most("x", 1.0, 1.0, "").holds
    assert not Proof.at_most("x", 1.0, 1.01, "").holds
    assert Proof.at_least("x", 1.0, 1.0, "").holds
    assert not Proof.at_least("x", 1.0, 0.99, "").holds
    assert not Proof.near("x", 1.0, float("nan"), 0.1, "").holds
