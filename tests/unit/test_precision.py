"""When a campaign has seen enough."""

import math

import pytest

from bench.precision import Seen, figure, half_width
from bench.suite import Cell


def cell(repetition, variant="go", rate_per_s=100.0):
    return Cell("x", 0, 0, variant, "steady", repetition, 1, rate_per_s=rate_per_s)


def row(cpu_us, **changes):
    said = {
        "scenario": "steady", "traffic_model": "open", "rows_good": 1_000, "measure_start_ns": 0,
        "measure_end_ns": 2_000_000_000, "gateway_cpu_ns": cpu_us * 1_000_000, "gate_passed": True,
    }  # fmt: skip
    return said | changes


def test_an_open_loop_is_run_for_what_a_request_costs_and_a_closed_one_for_throughput():
    assert figure(row(40)) == 40_000
    assert figure(row(40, traffic_model="closed")) == 500
    assert figure(row(40, scenario="capacity"), 1_234.0) == 1_234
    assert figure(row(40, rows_good=0)) is None
    assert figure(row(40, gateway_cpu_ns=None)) is None


def test_the_half_width_is_students_on_logarithms():
    # ln 100, ln 110, ln 121: mean ln 110, standard deviation ln 1.1, t(0.975, 2) = 4.30265 (tables).
    assert half_width([100, 110, 121]) == pytest.approx(math.exp(4.302653 * math.log(1.1) / math.sqrt(3)) - 1, rel=1e-6)
    assert half_width([100]) is None


def shown(*costs, variant="go", seen=None, width=0.1, least=3, **changes):
    seen = seen or Seen(width, least)
    for repetition, cost in enumerate(costs):
        seen.take(cell(repetition, variant), row(cost, **changes))
    return seen


def test_a_load_is_enough_once_every_variant_is_as_narrow_as_was_asked_for():
    seen = shown(40.0, 40.4, 40.2)
    assert "after 3 repetitions; 10.0% was asked for" in seen.enough(cell(3))
    shown(20.0, 30.0, 40.0, variant="rust", seen=seen)
    assert seen.enough(cell(3)) is None


def test_nothing_is_enough_before_the_least_number_of_repetitions_or_without_a_width():
    assert shown(40.0, 40.0).enough(cell(2)) is None
    assert shown(40.0, 40.1, 40.2, width=None).enough(cell(3)) is None


def test_a_cell_that_the_gate_did_not_pass_counts_as_not_measured():
    seen = shown(40.0, 40.1)
    seen.take(cell(2), row(40.0, gate_passed=False))
    assert seen.enough(cell(3)) is None


def test_another_rung_has_to_show_itself():
    assert shown(40.0, 40.4, 40.2).enough(cell(3, rate_per_s=200.0)) is None
