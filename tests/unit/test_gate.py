"""The gate: each criterion by itself, and none for a good cell."""

import pytest

from bench.gate import CRITERIA, asked, reasons
from bench.store.schema import CELLS

GOOD = {
    "traffic_model": "open",
    "options": "{}",
    "measure_start_ns": 10_000_000_000,
    "measure_end_ns": 14_000_000_000,
    "gateway_cpus": "0",
    "generator_cpus": "1",
    "workers": 1,
    "schedule_lag_p99_ns": 50_000,
    "achieved_share": 1.0,
    "generator_cpu_share": 0.25,
    "generator_run_delay_share": 0.0003,
    "gateway_cpu_ns": 1_200_000_000,
    "ceiling_per_s": 100_000.0,
    "ceiling_share": 0.01,
    "little_share": None,
    "percentiles_in_order": True,
    "rows": 5_000,
    "rows_answered": 5_000,
    "rows_censored": 0,
    "rows_failed": 0,
    "gateway_cpus_reported": "0",
    "gateway_group_cpu_ns": 1_205_000_000,
    "utilisation": 0.3,
    "stopped_ns": 2_000_000,
    "clock_slew_share": 2e-5,
    "suspended_ns": 0,
    "locust_count": 5_000,
    "gateway_count": 5_000,
    "gateway_duration_count": 5_000,
    "gateway_duration_share": 0.4,
    "throttled_ns": 0,
    "steal_ns": 0,
    "residue_lines": 0,
    "hiccup_wakes": 400,
    "control_wakes": 400,
}
CLOSED = GOOD | {
    "traffic_model": "closed", "schedule_lag_p99_ns": None, "achieved_share": None, "generator_cpu_share": 1.0,
    "generator_run_delay_share": 0.05, "gateway_cpu_ns": 3_900_000_000, "gateway_group_cpu_ns": 3_905_000_000,
    "utilisation": 0.975, "little_share": 0.99, "ceiling_share": 0.3,
}  # fmt: skip


def test_a_good_cell_passes():
    assert reasons(GOOD) == reasons(CLOSED) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schedule_lag_p99_ns": 1_500_000}, "was late: p99 of its schedule lag is 1.50 ms"),
        ({"achieved_share": 0.9975}, "99.75% of the offered"),
        ({"generator_cpu_share": 0.98}, "used 98% of its processor"),
        ({"generator_run_delay_share": 0.025}, "waited 2.5% of the time"),
        ({"ceiling_share": 0.75}, "75% of what the generator can do at all (100,000/s)"),
        ({"percentiles_in_order": False}, "out of order"),
        ({"rows_answered": 0, "rows_censored": 5_000, "gateway_count": 0}, "not one request was answered"),
        ({"locust_count": 4_999}, "Locust's own count is 4999"),
        ({"locust_count": None}, "Locust's own count is not known"),
        ({"rows_failed": 3}, "5000 requests began and 5003 ended"),
        ({"utilisation": 1.03}, "used 103% of its processors: more than there is"),
        ({"gateway_group_cpu_ns": 1_250_000_000}, "1.200 s by its own clock and 1.250 s by its control group"),
        ({"stopped_ns": 4_100_000_000}, "pauses of 4.100 s do not fit into a window of 4.000 s"),
        ({"clock_slew_share": -0.002}, "corrected by -2000 parts in a million"),
        ({"suspended_ns": 500_000_000}, "suspended for 0.500 s"),
        ({"gateway_cpus_reported": "0,1"}, "was to run on processors 0 and may use 0,1"),
        ({"workers": 2}, "has 2 workers for 1 processors"),
        ({"residue_lines": 2}, "2 lines of the pause log could not be read"),
        ({"control_wakes": None}, "the control left no record"),
        ({"gateway_count": 5_001}, "the gateway counted 5001"),
        ({"gateway_count": 4_998}, "the gateway counted 4998"),
        ({"gateway_count": None}, "how many requests the gateway itself counted is not known"),
        ({"gateway_duration_count": 4_999}, "the gateway timed 4999 requests, the rows say 5000"),
        ({"gateway_duration_count": None}, "how many requests the gateway itself timed is not known"),
        ({"gateway_duration_share": 1.02}, "worked on requests for 102% of the time that clients waited"),
        ({"gateway_duration_share": 0.0}, "worked on requests for 0% of the time that clients waited"),
        ({"throttled_ns": 100_000_000}, "held the processes back for 2.5% of the time"),
        ({"steal_ns": 1_000_000_000}, "took 12.5% of the processors"),
        ({"generator_cpus": "0,1"}, "share a processor"),
        ({"rows": 0}, "no load"),
    ],
)
def test_each_piece_of_evidence_can_fail_the_cell_by_itself(change, said):
    (reason,) = reasons(GOOD | change)
    assert said in reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"gateway_cpu_ns": 1_960_000_000, "gateway_group_cpu_ns": None},
            "used 49% of its processors: it was not saturated",
        ),
        ({"gateway_cpu_ns": None}, "the gateway's CPU time is not known"),
        ({"little_share": 0.9}, "by Little's law 90% of the connections were busy"),
    ],
)
def test_a_closed_loop_has_criteria_of_its_own(change, said):
    (reason,) = reasons(CLOSED | change)
    assert said in reason


def test_a_search_is_asked_for_its_lag_over_its_objective_and_not_for_waiting_in_its_overloads():
    search = GOOD | {"options": '{"objective_ms": 50.0}', "achieved_share": None, "generator_run_delay_share": 0.03}
    assert reasons(search | {"schedule_lag_p99_ns": 2_400_000}) == []
    (reason,) = reasons(search | {"schedule_lag_p99_ns": 2_600_000})
    assert "its schedule lag is 2.60 ms" in reason
    assert reasons(search | {"options": '{"objective_ms": 5.0}', "schedule_lag_p99_ns": 1_200_000}) != []


def test_users_who_think_need_not_saturate_anything():
    assert reasons(CLOSED | {"little_share": None, "gateway_cpu_ns": 100_000_000, "gateway_group_cpu_ns": None}) == []


def test_requests_that_timed_out_may_or_may_not_have_reached_the_gateways_counter():
    assert reasons(GOOD | {"rows_answered": 4_990, "rows_censored": 10, "gateway_count": 4_995}) == []


def test_a_gateway_may_have_requests_for_as_long_as_clients_wait_and_a_clocks_grain_longer():
    assert reasons(GOOD | {"gateway_duration_share": 1.0}) == reasons(GOOD | {"gateway_duration_share": 1.009}) == []


def test_how_long_a_gateway_worked_is_not_asked_where_some_requests_were_never_answered():
    timed_out = {"rows_answered": 4_990, "rows_censored": 10, "gateway_duration_share": None}
    assert reasons(GOOD | timed_out) == []


def test_what_the_kernel_does_not_tell_is_no_reason():
    unknown = {
        "generator_run_delay_share": None,
        "steal_ns": None,
        "throttled_ns": None,
        "ceiling_share": None,
        "gateway_group_cpu_ns": None,
        "clock_slew_share": None,
        "suspended_ns": None,
        "stopped_ns": None,
    }
    assert reasons(GOOD | unknown) == []


def test_every_criterion_is_documented_and_its_evidence_is_a_column():
    assert {column for criterion in CRITERIA for column in criterion.columns} <= set(CELLS.schema.names)
    assert all(criterion.why and criterion.said() for criterion in CRITERIA)
    assert asked()["schedule_lag"]["limit"] == 1.0
    assert len(asked()) == len(CRITERIA)
