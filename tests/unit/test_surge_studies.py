"""Surge capacity: queues against numbers worked out by hand, cores and costs, and the model against a queue that is simulated."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from roi import surge, surge_check
from roi.slo import ServiceLevelObjective
from roi.statistics import queueing
from roi.statistics.queueing import Service
from roi.surge import Peak, Prices
from roi.views import surge as view
from roi.views import surge_check as check_view
from tests.notebooks.written_run import MS, START_NS, Request, WrittenCell, served
from tests.unit.test_warm_up_studies import saturated as warmed

OBJECTIVE = ServiceLevelObjective(200.0, 0.995)
SHAPE = {"peak": 5.0, "lead": 0.2, "rise": 0.2, "hold": 0.2, "fall": 0.2, "mix": ""}
SATURATED = {"scenario": "saturate", "traffic_model": "closed", "rate_per_s": None}


def by_the_series(servers: int, offered: float) -> float:
    """Give Erlang's C by its textbook sum."""
    busy = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return busy / (sum(offered**k / math.factorial(k) for k in range(servers)) + busy)


@pytest.mark.parametrize(
    ("servers", "offered", "waits"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (5, 4.0, 0.5541), (10, 8.0, 0.4092)]
)
def test_erlangs_c_is_that_of_the_tables(servers, offered, waits):
    assert queueing.erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)
    assert queueing.erlang_c(servers, offered) == pytest.approx(by_the_series(servers, offered), rel=1e-12)


def test_every_request_waits_where_the_queue_grows_for_ever():
    assert queueing.erlang_c(2, 2.0) == 1
    assert math.isinf(queueing.mean_wait_s(1, 1.0, Service(1.0)))


def test_one_server_half_busy_makes_a_request_wait_as_long_as_it_is_served_and_half_that_with_constant_service():
    # M/M/1: rho / (mu - lambda) = 0.5 / 0.5; M/D/1 is half of it (Pollaczek and Khinchine).
    assert queueing.mean_wait_s(1, 0.5, Service(1.0)) == pytest.approx(1.0)
    assert queueing.mean_wait_s(1, 0.5, Service(1.0, variation=0.0)) == pytest.approx(0.5)
    assert queueing.share_that_waits_longer(2.0, 1, 0.5, Service(1.0)) == pytest.approx(0.5 * math.exp(-1))


def test_the_fewest_servers_are_one_more_than_too_few():
    servers = queueing.least_servers(8.0, Service(1.0), 0.5, 0.05)
    waits = [by_the_series(c, 8.0) * math.exp(-(c - 8.0) * 0.5) for c in (servers - 1, servers)]
    assert waits[0] > 0.05 >= waits[1]


def test_a_trapezium_over_its_capacity_piles_up_its_area_and_is_worked_off():
    # 100 to 500 requests/s within 2 s, for 2 s, and back; 300/s are served. Over it from 3 s to 7 s: 100 + 400 + 100.
    times, rates = np.array([0, 2, 4, 6, 8, 12.0]), np.array([100, 100, 500, 500, 100, 100.0])
    found = queueing.backlog(times, rates - 300)
    assert (found.most, found.most_at_s) == (pytest.approx(600), pytest.approx(7))
    # 100 are gone at 8 s, and the 500 left at 200/s take 2.5 s.
    assert found.gone_at_s == pytest.approx(10.5)
    assert queueing.waiting(times, rates - 300, np.array([3, 4, 5, 8, 9, 11])) == pytest.approx(
        [0, 100, 300, 500, 300, 0]
    )


def test_a_small_queue_is_gone_while_the_rate_still_falls():
    times, rates = np.array([0, 2, 4, 6, 8, 10.0]), np.array([100, 100, 500, 500, 100, 100.0])
    found = queueing.backlog(times, rates - 480)
    # 1 + 40 + 1 requests; from 6.1 s on 100 u² of them have gone after u s.
    assert found.most == pytest.approx(42)
    assert found.gone_at_s == pytest.approx(6.1 + math.sqrt(0.42))


def test_what_is_left_at_the_end_is_not_gone_and_what_never_was_is_none():
    assert queueing.backlog(np.array([0.0, 1.0]), np.array([10.0, 10.0])).gone_at_s is None
    assert queueing.backlog(np.array([0.0, 1.0]), np.array([-5.0, 0.0])).most == 0


def test_a_rate_of_34000_at_50_us_takes_four_cores_half_busy():
    peak = Peak(2_000, 17, 0.5, 60)
    assert (peak.per_s, peak.cores(peak.per_s, 50), peak.cores(2_000, 50)) == (34_000, 4, 1)
    assert (peak.after(0), peak.after(30), peak.after(90)) == (2_000, 18_000, 34_000)


@pytest.mark.parametrize("values", [(0, 17, 0.5, 60), (10, 0.5, 0.5, 60), (10, 17, 1.0, 60), (10, 17, 0.5, -1)])
def test_a_peak_that_means_nothing_is_refused(values):
    with pytest.raises(ValueError, match=r"\w"):
        Peak(*values)


def test_what_comes_before_the_new_cores_do_piles_up():
    # 100 to 500 requests/s within 2 s; three cores serve 100/s each until 4 s, ten from then on.
    found = surge.lag_backlog(Peak(100, 5, 0.5, 2.0), 10_000, 3, 10, 4.0)
    # Over 300/s from 1 s on: 100 while it rises, 200/s for 2 s; then 500/s are worked off.
    assert (found.most, found.most_at_s, found.gone_at_s) == (pytest.approx(500), 4, pytest.approx(5))


def sizes(**changes: object) -> pd.DataFrame:
    row = {"variant": "go", "runtime": "go", "rate_per_s": 1000.0, "n": 1, "demand_us": 10_000.0, "demand_lo": np.nan,
           "demand_hi": np.nan, "everyday": 2.0, "everyday_lo": np.nan, "everyday_hi": np.nan, "peak": 10.0, "peak_lo": np.nan,
           "peak_hi": np.nan, "gib_a_core": 0.5}  # fmt: skip
    return pd.DataFrame([row | changes])


def test_so_many_cores_stand_ready_as_the_rate_after_the_lag_needs():
    # 300 requests/s one second after the rise began, at 10 ms each and half busy.
    found = surge.scaling(sizes(), pd.DataFrame({"variant": ["go"], "lag_s": [1.0]}), Peak(100, 5, 0.5, 2.0)).iloc[0]
    assert (found["ready_cores"], found["everyday"], found["peak"]) == (6, 2, 10)
    assert math.isnan(found["ready_cores_lo"])


def test_a_month_costs_cores_times_hours_and_the_reserve_between_peaks():
    scaled = surge.scaling(sizes(), pd.DataFrame({"variant": ["go"], "lag_s": [1.0]}), Peak(100, 5, 0.5, 2.0))
    found = surge.costs(sizes(), scaled, Prices(0.04, 0.02, 30)).iloc[0]
    # A core hour is 0.05 with its half GiB; ten cores for 730 hours, or for 30 and six for 700.
    assert found["always"] == pytest.approx(10 * 730 * 0.05)
    assert found["scaled"] == pytest.approx((10 * 30 + 6 * 700) * 0.05)
    assert found["times"] == pytest.approx(7300 / 4500)
    assert (found["everyday_hour"], found["peak_hour"]) == (pytest.approx(0.1), pytest.approx(0.5))


def test_without_a_known_lag_the_everyday_cores_stand():
    scaled = surge.scaling(sizes(), pd.DataFrame({"variant": ["go"], "lag_s": [np.nan]}), Peak(100, 5, 0.5, 2.0))
    assert math.isnan(scaled["ready_cores"].iloc[0])
    assert surge.costs(sizes(), scaled, Prices(0.04, 0.02, 30))["standing"].tolist() == [2]


def plan(opened, **changes):
    asked = {"everyday_per_s": 2_000, "factor": 17, "utilisation": 0.5, "rise_s": 60} | changes
    return view.plan(opened, Peak(**asked), OBJECTIVE, Prices(0.04, 0.005, 40))


def steady(name, cpu_ms, requests=1_000, **columns):
    """Give a steady process whose requests cost `cpu_ms` of CPU in all."""
    return WrittenCell(
        name, requests=served(*[1.0, 2.0] * (requests // 2)),
        columns={"gateway_cpu_ns": cpu_ms * MS} | columns,
    )  # fmt: skip


def test_cores_follow_from_the_cpu_time_of_a_request(run):
    found = plan(run(steady("a", 50)))
    row = found.sizes.iloc[0]
    # 50 ms over 1,000 requests are 50 µs each: 1.7 cores of CPU time at the peak, half busy four.
    assert (row["demand_us"], row["everyday"], row["peak"]) == (pytest.approx(50), 1, 4)
    assert math.isnan(row["peak_lo"])
    # Times of 1 and 2 ms in equal numbers vary by (0.5 / 1.5)².
    assert row["variation"] == pytest.approx(1 / 9, rel=2e-3)
    # Two servers are 85 % busy; 0.995 of requests wait less than 200 ms.
    assert (row["queue_cores"], row["queue_busy"]) == (2, pytest.approx(0.85))
    assert "takes **go 4** cores" in view.verdict(found)
    assert "is 4 times everyday" in view.verdict(found)


def test_the_interval_of_the_cpu_time_becomes_that_of_the_cores(run):
    row = plan(run(steady("a", 40), steady("b", 60))).sizes.iloc[0]
    assert row["peak_lo"] < row["peak"] < row["peak_hi"]
    assert row["demand_us"] == pytest.approx(math.sqrt(40 * 60))


def test_a_run_without_steady_cells_plans_nothing_and_says_so(run):
    found = plan(run(WrittenCell("a", scenario="replay", rate_per_s=None, requests=served(1))))
    assert view.verdict(found).startswith("The run holds no steady open-loop cell")
    assert [view.sizing_chart(found), view.lag_chart(found), view.cost_chart(found)] == [None] * 3
    assert view.sizing_table(found).empty
    assert view.cost_table(found).empty
    assert "not known here" in view.lag_said(found)
    assert list(view.findings(found)) == []


def test_a_run_without_a_surge_says_what_to_run(run):
    found = check_view.check(run(steady("a", 50)))
    assert "holds no surge" in check_view.said(found)
    assert "bench run" in check_view.said(found)
    assert check_view.chart(found) is None
    assert check_view.table(found).empty
    assert check_view.phases_table(found).empty


def test_the_shape_of_a_surge_is_read_from_the_options_in_force():
    found = surge_check.shape(1_000.0, json.dumps(SHAPE), 10.0)
    assert found.edges_s == pytest.approx((0, 2, 4, 6, 8, 10))
    assert found.rates_per_s.tolist() == [1_000, 1_000, 5_000, 5_000, 1_000, 1_000]


def surged(name: str, per_s: float, base_per_s: float = 1_000.0) -> WrittenCell:
    """Give a surge of a second on one server that serves one request after the other, by Lindley's recursion."""
    times, rates = np.array([0, 0.2, 0.4, 0.6, 0.8, 1.0]), base_per_s * np.array([1, 1, 5, 5, 1, 1.0])
    fine = np.linspace(0, 1, 100_001)
    come = np.concatenate([[0.0], np.cumsum(np.diff(fine) * np.interp((fine[1:] + fine[:-1]) / 2, times, rates))])
    due = np.interp(np.arange(0.5, come[-1]), come, fine)
    free, requests = 0.0, []
    for at in due:
        begin = max(at, free)
        free = begin + 1 / per_s
        instant = START_NS + round(at * 1e9)
        requests.append(
            Request((begin - at) * 1e3, 1e3 / per_s, queued=begin > at, intended_ns=instant)
        )  # fmt: skip
    samples = [
        {"role": "gateway", "pid": 1, "time_ns": START_NS + at * MS, "cpu_ns": at * MS // 2, "run_delay_ns": 0, "rss_bytes": 1,
         "threads": 1, "minor_faults": 0, "major_faults": 0} for at in (-100, 1_100)
    ]  # fmt: skip
    return WrittenCell(
        name, scenario="surge", rate_per_s=base_per_s, requests=requests, columns={"options": json.dumps(SHAPE)},
        rows={"process": samples},
    )  # fmt: skip


def saturated(name: str, count: int) -> WrittenCell:
    """Give a saturated process that answers so many requests in its second."""
    requests = [Request(intended_ns=START_NS + round(place * 1e9 / count)) for place in range(count)]
    return WrittenCell(
        name,
        requests=requests,
        columns={"options": '{"mix": ""}', "ready_ns": 80 * MS},
        **SATURATED,
    )


def test_a_server_that_serves_3000_a_second_queues_what_the_model_foresees(run):
    opened = run(saturated("s", 3_000), surged("a", 3_000))
    cells = surge_check.read(opened)
    row = surge_check.compared(opened, cells).iloc[0]
    # Over it from 0.3 s to 0.7 s: 100 + 400 + 100; of these 100 are gone at 0.8 s, 400 of the other 500 at the end.
    assert [row["capacity_per_s"], row["predicted"]] == pytest.approx([3_000, 600])
    assert row["measured"] == pytest.approx(600, abs=2)
    assert math.isnan(row["predicted_gone_s"])
    assert math.isnan(row["measured_gone_s"])
    assert row["holds"]
    assert row["same_mix"]
    found = check_view.check(opened)
    assert "**held in 1 of 1** surges" in check_view.said(found)
    assert check_view.chart(found).title == "Up to 601 requests wait for go at the peak; the model foresees 600"


def test_a_queue_that_is_gone_within_the_window_is_gone_when_the_model_says(run):
    opened = run(saturated("s", 4_000), surged("a", 4_000))
    row = surge_check.compared(opened, surge_check.read(opened)).iloc[0]
    # 25 + 200 + 25 at 0.65 s; the fall works off 225 by 0.8 s, and 25 more at 3,000/s.
    assert row["predicted"] == pytest.approx(250)
    assert row["predicted_gone_s"] == pytest.approx(0.8 + 25 / 3_000 - 0.2)
    assert row["measured_gone_s"] == pytest.approx(row["predicted_gone_s"], abs=0.002)
    assert row["holds"]


def test_a_model_that_knows_a_wrong_capacity_fails_and_is_said_to(run):
    opened = run(saturated("s", 3_000), surged("a", 2_000))
    found = check_view.check(opened)
    assert not found.rows["holds"].iloc[0]
    assert "**held in 0 of 1**" in check_view.said(found)
    assert "It fails for go at 1,000/s, where" in check_view.said(found)
    assert check_view.table(found)["model"].tolist() == ["failed"]


def test_no_queue_is_foreseen_below_the_capacity_and_none_seen(run):
    opened = run(saturated("s", 6_000), surged("a", 6_000))
    row = surge_check.compared(opened, surge_check.read(opened)).iloc[0]
    assert (row["predicted"], row["holds"]) == (0, True)
    assert math.isnan(row["error"])


def test_a_phase_offers_its_rate_and_answers_the_capacity(run):
    opened = run(saturated("s", 3_000), surged("a", 3_000))
    rows = surge_check.phases(opened, surge_check.read(opened)).set_index("phase")
    assert list(rows.index) == list(surge_check.PHASES)
    assert rows.loc["lead", "offered_per_s"] == pytest.approx(1_000, abs=5)
    assert rows.loc["hold", "offered_per_s"] == pytest.approx(5_000, abs=5)
    assert rows.loc["hold", "answered_per_s"] == pytest.approx(3_000, abs=5)
    # Half a second of CPU time in each of the process' seconds.
    assert rows.loc["hold", "busy"] == pytest.approx(0.5)
    # Due at the fall's begin they wait behind 500: a sixth of a second.
    assert rows.loc["hold", "p99_ms"] == pytest.approx(1e3 * 500 / 3_000, rel=0.02)
    assert np.isnan(rows.loc["hold", "busy_predicted"])


def test_what_was_left_over_waits_until_the_end(run):
    left = [Request(lag_ms=800, service_ms=None, outcome="unsent", intended_ns=START_NS + 200 * MS)] * 3
    cell = WrittenCell("a", scenario="surge", requests=[*served(100.0), *left], columns={"options": json.dumps(SHAPE)})
    (found,) = surge_check.read(run(cell))
    assert found.waiting(np.array([0.05, 0.15, 0.3, 0.99])).tolist() == [1, 0, 3, 3]
    assert found.backlog() == (3, None)


def test_the_lag_is_that_from_creation_to_a_steady_speed():
    # The start is the run's, the warm-up the course's: both are of one process.
    both = pd.DataFrame(
        {"start_s": [0.1, 0.3], "steady_s": [2.0, np.nan], "steadiness": ["warm-up", "no steady state"]}
    )
    found = surge.lag_of(both)
    # One never came there: the median of 2.1 s and for ever is not known.
    assert (found["untold"], found["start_s"]) == (0, pytest.approx(0.2))
    assert found["lag_s"] is None
    assert surge.lag_of(both.iloc[:1])["lag_s"] == pytest.approx(2.1)
    assert "lag_s" not in surge.lag_of(both.assign(steadiness=None))


def test_a_process_that_is_ready_after_300_ms_and_steady_a_second_later_lags_by_both(run):
    slow = warmed("s", (400, 10), (1000, 20), cpu_us=(250, 100), variant="go")
    found = surge.scale_up(run(replace(slow, columns={"ready_ns": 300 * MS}))).iloc[0]
    assert found["start_s"] == pytest.approx(0.3)
    assert found["lag_s"] == pytest.approx(1.3, abs=0.11)
    assert math.isnan(found["lag_lo"])


def test_a_process_that_was_seen_too_shortly_to_tell_has_a_start_and_no_lag(run):
    opened = run(steady("a", 50), saturated("s", 3_000))
    found = surge.scale_up(opened).iloc[0]
    assert (found["start_s"], found["untold"]) == (pytest.approx(0.08), 1)
    assert math.isnan(found["lag_s"])
    assert view.lag_said(plan(opened)).startswith("How long a new process takes to its steady speed is not known here")
    assert view.lag_table(plan(opened))["lag"].tolist() == ["not known"]
