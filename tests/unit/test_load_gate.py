"""The gate: each reason by itself, and none for a good cell."""

from dataclasses import replace

import numpy as np
import pytest

from bench.load.gate import Evidence, reasons

GOOD = Evidence(
    open_loop=True,
    window_ns=4_000_000_000,
    processors=2,
    lag_free_ns=np.full(4_000, 50_000),
    rows=5_000,
    rows_answered=5_000,
    offered_in_window=4_000,
    sent_in_window=4_000,
    locust_count=5_000,
    gateway_count=5_000,
    generator_cpu_ns=1_000_000_000,
    generator_run_delay_ns=1_000_000,
    gateway_cpu_ns=1_200_000_000,
    gateway_workers=1,
    steal_ns=0,
)
CLOSED = replace(
    GOOD, open_loop=False, lag_free_ns=np.zeros(1), sent_in_window=1, generator_cpu_ns=GOOD.window_ns,
    generator_run_delay_ns=200_000_000, gateway_cpu_ns=3_900_000_000,
)  # fmt: skip


def test_a_good_cell_passes():
    assert reasons(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lag_free_ns": np.r_[np.full(3_900, 50_000), np.full(100, 5_000_000)]}, "was late"),
        ({"sent_in_window": 3_990}, "99.75% of the offered"),
        ({"generator_cpu_ns": 3_900_000_000}, "used 98% of its processor"),
        ({"generator_run_delay_ns": 100_000_000}, "waited 2.5% of the time"),
        ({"locust_count": 4_999}, "Locust counted 4999"),
        ({"gateway_count": 5_001}, "the gateway counted 5001"),
        ({"gateway_count": 4_998}, "the gateway counted 4998"),
        ({"gateway_count": None}, "not known"),
        ({"steal_ns": 1_000_000_000}, "took 12.5% of the processors"),
        ({"rows": 0}, "no load"),
    ],
)
def test_each_piece_of_evidence_can_fail_the_cell_by_itself(change, said):
    found = reasons(replace(GOOD, **change))
    assert len(found) == 1
    assert said in found[0]


def test_a_closed_loop_may_use_all_of_its_processor_and_has_no_lag():
    assert reasons(CLOSED) == []


def test_a_closed_loop_that_does_not_fill_the_gateways_processors_has_not_found_its_capacity():
    assert reasons(replace(CLOSED, gateway_workers=2)) == [
        "the gateway used 49% of its processors: it was not saturated"
    ]
    assert reasons(replace(CLOSED, gateway_cpu_ns=None)) == ["the gateway's CPU time is not known"]


def test_requests_that_timed_out_may_or_may_not_have_reached_the_gateways_counter():
    assert reasons(replace(GOOD, rows_answered=4_990, gateway_count=4_995)) == []


def test_what_the_kernel_does_not_tell_is_no_reason():
    assert reasons(replace(GOOD, generator_run_delay_ns=None, steal_ns=None)) == []
