"""Policies on a virtual clock, against what follows from their constants by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bench.faults.kubelet import NS, Step
from bench.faults.policy import policy
from bench.faults.replay import Fault, Life, crash, hang, replay

START_S = 2.0
HOUR_NS = 3_600 * NS
SERVES = Life(round(START_S * NS))
SEEDS = range(200)


def back_s(name: str, fault: Fault, seed: int) -> float:
    found = replay(policy(name), seed, fault, [SERVES], HOUR_NS)
    assert found.back_ns is not None
    return found.back_ns / NS


def test_a_crash_under_kubernetes_waits_for_the_relist_and_for_nothing_else():
    took = np.array([back_s("kubernetes", crash, seed) for seed in SEEDS])
    # The relist comes once a second, at any phase; the first restart waits for nothing.
    assert took.min() >= START_S
    assert took.max() <= START_S + 1
    assert took.mean() == pytest.approx(START_S + 0.5, abs=0.1)


def test_a_hang_under_kubernetes_takes_three_probes_and_the_grace():
    found = [replay(policy("kubernetes"), seed, hang, [SERVES], HOUR_NS) for seed in SEEDS]
    detected = np.array([of.detect_ns for of in found]) / NS
    # The first probe comes within ten seconds, the third twenty after it, and is given up a second later.
    assert detected.min() >= 21
    assert detected.max() <= 31
    # A stopped process heeds no SIGTERM: it is killed thirty seconds later, which the supervisor knows at once.
    assert [of.back_ns - of.detect_ns for of in found] == [round((30 + START_S) * NS)] * len(SEEDS)


def test_a_crash_loop_doubles_its_back_off():
    dies = Life(None, ends_ns=NS)
    found = replay(policy("kubernetes"), 1, crash, [dies] * 5 + [SERVES], HOUR_NS)
    assert found.restarts == 6
    # Five lives of a second, back-offs of 10, 20, 40, 80 and 160 s, and a relist at the beginning.
    assert found.back_ns / NS == pytest.approx(5 + 310 + START_S + 0.5, abs=0.5)


def test_without_probes_a_hang_is_never_found_and_a_crash_costs_the_start_alone():
    assert replay(policy("none"), 1, hang, [SERVES], HOUR_NS).back_ns is None
    assert replay(policy("none"), 1, hang, [SERVES], HOUR_NS).detect_ns is None
    assert back_s("none", crash, 1) == START_S


def test_a_runtime_that_starts_slower_than_liveness_allows_is_ended_over_and_over():
    # Probes every ten seconds, three failures, a second of grace at most: forty seconds are too long, and nothing gates it.
    slow = Life(60 * NS)
    found = replay(policy("kubernetes"), 1, crash, [slow], HOUR_NS)
    assert found.back_ns is None
    assert found.restarts > 5


def test_a_week_of_crash_loop_is_over_at_once():
    dies = Life(None, ends_ns=NS)
    week_ns = 7 * 86_400 * NS
    found = replay(policy("kubernetes"), 1, crash, [dies], week_ns)
    # A life of a second and the cap of 300 s, over and over.
    assert found.restarts == pytest.approx(7 * 86_400 / 301, rel=0.01)


def test_systemd_restarts_five_times_within_ten_seconds_and_then_gives_up():
    dies = Life(None, ends_ns=NS // 10)
    given_up = replay(policy("systemd"), 1, crash, [dies] * 5 + [SERVES], HOUR_NS)
    # The first start was long ago: five more come a fifth of a second apart, the sixth would be too many.
    assert given_up.restarts == 5
    assert given_up.back_ns is None
    assert given_up.record[-1].step is Step.GAVE_UP
    four = replay(policy("systemd"), 1, crash, [dies] * 4 + [SERVES], HOUR_NS)
    assert four.back_ns / NS == pytest.approx(0.1 + 4 * 0.2 + START_S)
    # Nothing probes it: a hang is never found.
    assert replay(policy("systemd"), 1, hang, [SERVES], HOUR_NS).back_ns is None
