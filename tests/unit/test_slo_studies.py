"""SLO attainment from the rows of a run: good over valid, the budget, and what a run is too short to say."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from roi import slo
from roi.slo import Basis, Judgement, ServiceLevelObjective
from roi.statistics.estimate import Estimate
from roi.views import slo as view
from tests.notebooks.written_run import END_NS, MS, START_NS, Request, WrittenCell, served

ARTICLE = ServiceLevelObjective(200.0, 0.995)
UNSENT = Request(lag_ms=40, service_ms=None, outcome="unsent")
ERROR = Request(service_ms=5, outcome="error")
TIMEOUT = Request(service_ms=5_000, outcome="timeout")


def spread(*quarters: int, service_ms: float = 1.0) -> list[Request]:
    """Give so many good requests in each quarter of a second."""
    return [
        Request(service_ms=service_ms, intended_ns=START_NS + place * 250 * MS)
        for place, count in enumerate(quarters)
        for _ in range(count)
    ]


def only(found: slo.Attainment) -> pd.Series:
    assert len(found.rows) == 1
    return found.rows.iloc[0]


def test_twenty_bad_in_a_thousand_burn_a_budget_of_half_a_percent_at_four():
    assert ARTICLE.burn_rate(0.02) == pytest.approx(4)
    assert ARTICLE.lasts_days(0.02) == pytest.approx(7)
    assert math.isinf(ARTICLE.lasts_days(0.0))
    # A minute at 4 of 28 days, which are 40,320 minutes.
    assert ARTICLE.spent(0.02, 60) == pytest.approx(4 / 40_320)


@pytest.mark.parametrize(
    ("values", "says"), [((0, 0.995), "latency_ms"), ((200, 1.0), "target"), ((200, 99.5), "target")]
)
def test_an_objective_that_means_nothing_says_which_value(values, says):
    with pytest.raises(ValueError, match=says):
        ServiceLevelObjective(*values)


def test_what_was_not_sent_not_answered_in_time_or_not_with_2xx_is_valid_and_not_good(run):
    late = Request(lag_ms=150, service_ms=51)
    in_time = Request(lag_ms=150, service_ms=50)
    row = only(slo.study(run(WrittenCell("a", requests=[*served(1), in_time, late, UNSENT, ERROR, TIMEOUT])), ARTICLE))
    assert (row["valid"], row["bad"]) == (6, 4)
    # The unsent one had waited 40 ms when the load ended, the timeout long enough to be bad in any case.
    assert row["cut_off"] == 1


def test_requests_of_the_warm_up_are_not_valid(run):
    early = Request(service_ms=900, intended_ns=START_NS - 1)
    assert only(slo.study(run(WrittenCell("a", requests=[early, *served(1)])), ARTICLE))["valid"] == 1


def test_closed_loops_and_searches_for_a_capacity_are_no_service(run):
    opened = run(
        WrittenCell("a", scenario="saturate", traffic_model="closed", rate_per_s=None, requests=served(1)),
        WrittenCell("b", scenario="capacity", rate_per_s=None, requests=served(900)),
    )
    found = slo.study(opened, ARTICLE)
    assert found.rows.empty
    assert view.verdict(found).startswith("The run holds no open-loop cell")
    assert view.table(found).empty
    assert [view.burn_chart(found), view.over_time_chart(found), view.promise_chart(found)] == [None] * 3
    assert list(view.findings(found)) == []


def test_no_bad_request_in_four_quarters_of_a_second_bounds_the_share_from_above_alone(run):
    row = only(found := slo.study(run(WrittenCell("a", requests=spread(5, 5, 5, 5))), ARTICLE))
    # 0.05 to the power of a quarter: four clean blocks have a chance of 5 % when 52.7 % of blocks are not.
    assert (row["bad_share"], row["lo"], row["hi"]) == (0, 0, pytest.approx(0.52713, abs=1e-5))
    assert (row["basis"], row["blocks"], row["judgement"]) == (Basis.NONE_BAD, 4, Judgement.UNTOLD)
    shown = view.table(found).iloc[0]
    assert shown["good [95 %]"] == "≥ 47.3%"
    assert shown["burn rate [95 %]"] == "≤ 105"
    # A budget of 28 days at 105 times its rate.
    assert shown["a 28-day budget lasts"] == "≥ 6.37 hours"
    said = view.verdict(found)
    assert "seen to be kept by go, all of whose 20 requests" in said
    # 598 blocks without a bad one are the fewest with 0.995**n <= 0.05.
    assert "it takes 150 s without a bad request to show 99.5%" in said


def test_one_process_with_bad_requests_has_no_interval_and_speaks_for_itself_alone(run):
    row = only(found := slo.study(run(WrittenCell("a", requests=[*spread(98), ERROR, UNSENT])), ARTICLE))
    assert (row["bad_share"], row["basis"], row["judgement"]) == (0.02, Basis.NOTHING, Judgement.MISSED_ONCE)
    assert math.isnan(row["lo"])
    assert view.table(found)["good [95 %]"].tolist() == ["98.0%"]
    assert view.table(found)["a 28-day budget lasts"].tolist() == ["7 days"]
    assert "there is no interval" in view.limits(found)
    assert "**missed by the one process of go (98.0%)**" in view.verdict(found)


def test_the_interval_is_over_processes_and_not_over_requests(run):
    opened = run(WrittenCell("a", requests=spread(100)), WrittenCell("b", requests=[*spread(96), *[ERROR] * 4]))
    row = only(slo.study(opened, ARTICLE))
    # Shares of 0 and 4 %: a mean of 2 %, an error of 2 %, and Student's 12.706 with one degree of freedom.
    assert (row["bad_share"], row["lo"]) == (pytest.approx(0.02), 0)
    assert row["hi"] == pytest.approx(0.02 + 12.706 * 0.02, rel=1e-3)
    assert (row["basis"], row["processes"]) == (Basis.PROCESSES, 2)


@pytest.mark.parametrize(
    ("lo", "hi", "says"),
    [(0.0, 0.004, "met"), (0.006, 0.02, "missed"), (0.001, 0.02, "cannot be told"),
     (None, None, "kept by the one process")],
)  # fmt: skip
def test_an_objective_is_met_when_the_whole_interval_lies_within_the_budget(lo, hi, says):
    assert slo.judged(Estimate(0.004 if lo is None else lo, lo, hi, 3), ARTICLE) == says


def test_a_verdict_names_who_meets_and_who_misses(run):
    # 640 clean blocks of a quarter of a second bound the share by 0.467 %.
    window = {"measure_end_ns": START_NS + 160_000 * MS}
    half = [*spread(100), *[ERROR] * 100]
    opened = run(
        WrittenCell("a", requests=spread(*[2] * 640), columns=window),
        WrittenCell("b", variant="node", runtime="node", requests=half),
        WrittenCell("c", variant="node", runtime="node", requests=half),
    )
    said = view.verdict(found := slo.study(opened, ARTICLE))
    assert "**shown to be met by go**" in said
    assert "**missed by node (50.0% [50.0% to 50.0%])**" in said
    assert view.burn_chart(found).title == "node burns 100 times what its error budget allows"


def test_the_target_quantile_is_the_objective_that_would_be_kept(run):
    row = only(slo.study(run(WrittenCell("a", requests=served(*range(1, 201)))), ARTICLE))
    # The 199th of 200 and the 190th.
    assert (row["target_ms"], row["p95_ms"]) == (199, 190)
    assert not row["target_never"]


def test_no_time_is_kept_when_more_than_the_budget_got_no_2xx(run):
    found = slo.study(run(WrittenCell("a", requests=[*served(*range(1, 199)), ERROR, ERROR])), ARTICLE)
    row = only(found)
    assert row["target_never"]
    assert math.isnan(row["target_ms"])
    assert row["p95_ms"] == 190
    assert view.promises_table(found).iloc[0]["99.5% are answered within"] == "never: too many got no 2xx"
    assert view.promise_chart(found) is None


def test_the_budget_is_seen_to_go_in_the_second_of_the_stall(run):
    window = {"measure_end_ns": START_NS + 2_000 * MS}
    slow = [Request(service_ms=300, intended_ns=END_NS + 1)] * 5
    opened = run(WrittenCell("a", requests=[*spread(3, 3, 2, 2, 5), *slow], columns=window))
    found = slo.study(opened, ARTICLE)
    seconds = slo.burn_by_second(found, "steady", 1000.0)
    assert seconds["second"].tolist() == [1, 2]
    assert seconds["burn"].tolist() == [0, pytest.approx(100)]
    assert view.over_time_chart(found).title == "go has nine tenths of its 5 bad requests in 1 of 2 seconds"
    assert (only(found)["p95_seconds"], only(found)["seconds_seen"]) == (1, 2)


def test_rungs_and_scenarios_are_never_pooled(run):
    opened = run(
        WrittenCell("a", requests=served(1)),
        WrittenCell("b", rate_per_s=2000.0, requests=served(1)),
        WrittenCell("c", scenario="replay", rate_per_s=None, requests=[ERROR]),
    )
    found = slo.study(opened, ARTICLE)
    assert found.rows["bad"].sum() == 1
    assert len(found.rows) == 3
    assert found.compared() == ("steady", 2000.0)
    assert found.burnt_most() == ("replay", None)
    assert found.burnt_most("steady") is None
    assert [figure["id"] for figure in view.findings(found)][:2] == ["attained_replay_go", "burn_rate_replay_go"]


def test_a_share_near_all_is_never_rounded_up_to_all():
    assert [view._attained(share) for share in (0.5, 0.995, 0.99999, 1.0)] == ["50.0%", "99.50%", "99.999%", "100.00%"]
