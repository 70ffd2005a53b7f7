"""Latency against numbers worked out by hand: quantiles of processes, what was never answered, and what is hidden."""

import numpy as np
import pytest

from roi import latency
from roi.data import open_run
from roi.statistics.estimate import median_of_processes
from roi.views import gaps
from roi.views import latency as view
from tests.notebooks.written_run import START_NS, Request, WrittenCell, served, write


@pytest.fixture
def study(tmp_path):
    def opened(*cells, scenario="steady", all_cells=False, **changes):
        return latency.study(open_run(str(write(tmp_path / "run", cells, **changes))), scenario, all_cells)

    return opened


def figure(found, quantile, time="response", variant="go"):
    rows = found.figures
    (row,) = rows[(rows["quantile"] == quantile) & (rows["time"] == time) & (rows["variant"] == variant)].to_dict(
        "records"
    )
    return row


def hundred(**changes):
    """Give requests of 1, 2, … 100 ms."""
    return [Request(service_ms=float(ms), **changes) for ms in range(1, 101)]


def test_quantiles_are_those_of_the_ordered_requests(study):
    found = study(WrittenCell("a", requests=hundred()))
    assert [figure(found, q)["value_ms"] for q in ("p50", "p90", "p99", "max")] == [50, 90, 99, 100]
    assert figure(found, "p99")["requests"] == 100


def test_response_time_is_service_time_and_what_passed_before_sending(study):
    found = study(WrittenCell("a", requests=[Request(lag_ms=3, service_ms=4), Request(lag_ms=1, service_ms=2)]))
    assert [figure(found, "max", time)["value_ms"] for time in latency.TIMES] == [7, 4, 3]
    assert found.costs["lag_share"].tolist() == [pytest.approx(4 / 10)]


def test_lag_of_requests_that_waited_for_a_connection_is_not_the_generators(study):
    found = study(WrittenCell("a", requests=[Request(3, 4, queued=True), Request(1, 2)]))
    assert found.costs["generator_share"].tolist() == [pytest.approx(1 / 10)]
    shown = view.added_table(found).iloc[0]
    assert (shown["share of response time"], shown["waiting for a connection"]) == ("10.0%", "30.0%")


def test_requests_of_the_warm_up_do_not_count(study):
    early = Request(service_ms=900, intended_ns=START_NS - 1)
    assert figure(study(WrittenCell("a", requests=[early, *hundred()])), "max")["value_ms"] == 100


@pytest.mark.parametrize("outcome", ["timeout", "unanswered", "reset", "refused", "invalid"])
def test_a_quantile_that_an_unanswered_request_could_move_is_a_lower_bound(study, outcome):
    # 97 requests of 1 ms to 97 ms, and three given up after 50 ms: the three took 50 ms or any time longer.
    requests = [*served(*range(1, 98)), *[Request(service_ms=50, outcome=outcome)] * 3]
    found = study(WrittenCell("a", requests=requests))
    # The 50th in order is 50 ms whatever the three took: 49 are shorter, and those with 50 ms follow.
    assert (figure(found, "p50")["value_ms"], figure(found, "p50")["lower_bound"]) == (50, False)
    # With the three at 50 ms the 90th is 87 ms, with the three at the end it is 90 ms.
    assert (figure(found, "p90")["value_ms"], figure(found, "p90")["lower_bound"]) == (87, True)
    assert (figure(found, "max")["value_ms"], figure(found, "max")["lower_bound"]) == (97, True)
    assert "≥ 87 ms" in view.table(found)["response time"].tolist()


def test_a_request_that_was_never_sent_waited_at_least_as_long_as_it_waited_and_has_no_service_time(study):
    found = study(WrittenCell("a", requests=[*served(1, 2, 3), Request(lag_ms=40, service_ms=None, outcome="unsent")]))
    assert (figure(found, "max")["value_ms"], figure(found, "max")["lower_bound"]) == (40, True)
    assert (figure(found, "max", "lag")["value_ms"], figure(found, "max", "lag")["lower_bound"]) == (40, True)
    assert (figure(found, "max", "service")["value_ms"], figure(found, "max", "service")["requests"]) == (3, 3)
    assert "1 request of 4 got no answer, or were never sent" in view.limits(found)


def test_an_answer_other_than_2xx_counts_with_its_time(study):
    found = study(WrittenCell("a", requests=[*served(1), Request(service_ms=5, outcome="error")]))
    assert (figure(found, "max")["value_ms"], figure(found, "max")["lower_bound"]) == (5, False)
    assert "1 request got an answer other than 2xx" in view.limits(found)


def test_a_p999_takes_100000_requests_of_a_process():
    assert not latency.enough(0.999, 99_999)
    assert latency.enough(0.999, 100_000)
    assert latency.enough(0.99, 10)


def test_a_hidden_p999_says_why_and_its_value_is_nowhere(study):
    found = study(WrittenCell("a", requests=hundred()))
    rows = view.table(found).set_index("quantile")
    assert rows.loc["p99.9", "response time"] == "hidden"
    assert "p99.9 is hidden for go: it takes 100,000 requests of a process, and the windows hold 100." in view.limits(
        found
    )


def test_a_quantile_is_taken_in_each_process_and_never_over_both(study):
    # One process is ten times as slow: its median alone is 500 ms, and that of all requests together would be 91 ms.
    slow = [Request(service_ms=10.0 * ms) for ms in range(1, 101)]
    found = study(WrittenCell("a", requests=hundred()), WrittenCell("b", requests=slow))
    row = figure(found, "p50")
    assert (row["value_ms"], row["lo_ms"], row["hi_ms"], row["processes"]) == (275, 50, 500, 2)
    assert row["confidence"] == 0.5
    assert "275 ms [50 ms to 500 ms]" in view.table(found)["response time"].tolist()
    assert "50% confidence" in view.limits(found)


def test_one_process_has_no_interval_and_says_so(study):
    found = study(WrittenCell("a", requests=hundred()))
    assert np.isnan(figure(found, "p50")["lo_ms"])
    assert "There is one process a variant and rung, so there is no interval." in view.limits(found)


def test_the_interval_of_a_lower_bound_is_open_above(study):
    given_up = [*served(*range(1, 51)), *[Request(service_ms=60, outcome="timeout")] * 50]
    found = study(WrittenCell("a", requests=hundred()), WrittenCell("b", requests=given_up))
    row = figure(found, "p90")
    assert (row["value_ms"], row["lo_ms"], row["lower_bound"]) == (75, 60, True)
    assert np.isnan(row["hi_ms"])
    assert "≥ 75 ms [60 ms to –]" in view.table(found)["response time"].tolist()


def test_the_median_of_processes_has_the_interval_of_order_statistics():
    # Of 1 … 9 the second and the eighth hold the median with 1 - 2 (1 + 9) / 512 = 0.961, the third and seventh with 0.820.
    said = median_of_processes([9, 1, 8, 2, 7, 3, 6, 4, 5])
    assert (said.value, said.lo, said.hi, said.n) == (5, 2, 8, 9)
    assert said.confidence == pytest.approx(1 - 20 / 512)
    assert (median_of_processes([3, 1]).lo, median_of_processes([3, 1]).hi) == (1, 3)
    assert median_of_processes([1, np.inf, np.inf]).value == np.inf


def test_the_tail_is_drawn_from_exact_quantiles_at_log_spaced_shares(study):
    found = study(WrittenCell("a", requests=hundred()))
    rows = latency.tail(found, 1000.0, "go")
    response = rows[rows["time"] == "response"].set_index("one_in")["value_ms"]
    assert (response.loc[2.0], response.loc[10.0], response.loc[100.0]) == (50, 90, 99)
    assert len(response) < 50


@pytest.mark.parametrize(("requests", "furthest"), [(50, 50), (100, 100), (9_000, 100), (100_000, 1_000)])
def test_a_tail_ends_at_p99_or_where_fewer_than_100_requests_lie_beyond(requests, furthest):
    assert latency._spaced(requests)[-1] == pytest.approx(furthest, rel=0.1)
    assert latency._spaced(requests)[-1] <= furthest


def test_variants_are_compared_at_the_highest_rung_that_most_of_them_have(study):
    cells = [
        WrittenCell(f"{variant}-{rate}", variant=variant, rate_per_s=rate, requests=served(1, 2))
        for variant, rate in (("go", 1000), ("node", 1000), ("go", 5000), ("go", 500), ("node", 500))
    ]
    found = study(*cells)
    assert found.rung() == 1000
    assert found.rung("go") == 5000


def test_a_scenario_without_a_single_rate_is_shown_too(study):
    found = study(WrittenCell("a", scenario="replay", rate_per_s=None, requests=hundred()), scenario="replay")
    assert found.rung() is None
    assert "Under replay traffic, one request in 100 takes **99 ms** on go" in view.verdict(found)
    assert view.compare_chart(found).title == "One request in 100 takes 99 ms or longer on go"
    assert view.finding_name("response_p99", next(iter(view.p99_rows(found)))) == "response_p99_go"


def test_the_title_of_the_tail_sets_response_time_beside_service_time(study):
    found = study(WrittenCell("a", requests=[Request(10, 5), *served(*[1] * 9)]))
    assert view.tail_chart(found).title == (
        "One in 100 requests to go takes 15 ms or longer; counted from sending alone, 5 ms"
    )


def test_a_title_of_a_lower_bound_says_at_least_and_without_service_time_says_no_more(study):
    unsent = Request(lag_ms=40, service_ms=None, outcome="unsent")
    found = study(WrittenCell("a", requests=[unsent, unsent]))
    assert view.tail_chart(found).title == "One in 100 requests to go takes at least 40 ms"
    assert view.compare_chart(found).footnote.startswith("From one in 2 on, times are lower bounds")


def test_a_closed_loop_is_on_no_axis(study):
    closed = WrittenCell("b", scenario="saturate", traffic_model="closed", rate_per_s=None, requests=hundred())
    found = study(closed, scenario="saturate")
    assert found.figures.empty
    assert "*saturate* is a closed loop" in view.verdict(found)
    assert view.compare_chart(found) is view.tail_chart(found) is None


def test_an_unknown_variant_is_a_sentence_and_all_are_shown(study):
    found = study(WrittenCell("a", requests=hundred()))
    assert view.verdict(found, "zig").startswith("The run holds no such cell of zig; it holds go. Under steady")
    assert len(view.table(found, "zig")) == 5


def test_a_finding_says_what_its_p99_rests_on(study):
    found = study(WrittenCell("a", requests=hundred() * 3))
    (row,) = view.p99_rows(found)
    assert view.finding_name("response_p99", row) == "response_p99_go_at_1000"
    assert (row["value_ms"], row["note"]) == (
        99,
        "one process: no interval; each process' p99 rests on its slowest 3 requests",
    )


def test_gaps_are_counted_by_cause_and_causes_that_did_not_occur_are_listed(study):
    found = study(WrittenCell("a", requests=hundred(), gaps_ms=[("flush", 2), ("flush", 5), ("processor", 3)]))
    rows = gaps.table(found.run).set_index("cause")
    assert list(rows.index) == ["processor", "flush", "turn", "hypervisor", "batch", "unexplained"]
    assert rows.loc["flush", ["gaps", "cells", "longest", "together"]].tolist() == [2, 1, "5 ms", "7 ms"]
    assert rows.loc["turn", "gaps"] == 0
    assert "late 3 times while a connection was free, 10 ms together. 70% of that is *flush*" in gaps.verdict(found.run)
    assert "No open loop was measured" in gaps.verdict(found.run, "soak")


def test_a_schedule_that_was_kept_has_no_gaps(study):
    found = study(WrittenCell("a", requests=hundred()))
    assert "never over a millisecond late" in gaps.verdict(found.run)
