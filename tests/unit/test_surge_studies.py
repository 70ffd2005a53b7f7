"""Surge capacity: cores, lags and costs worked out by hand, and the model against a queue that is simulated."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from roi import density, surge, surge_check
from roi.slo import ServiceLevelObjective
from roi.surge import Peak, Prices
from roi.surge_check import Judgement
from roi.views import surge as view
from roi.views import surge_check as check_view
from tests.notebooks.written_run import MS, START_NS, Request, WrittenCell, served
from tests.unit.test_warm_up_studies import saturated as warmed

OBJECTIVE = ServiceLevelObjective(200.0, 0.995)
SHAPE = {"peak": 5.0, "lead": 0.2, "rise": 0.2, "hold": 0.2, "fall": 0.2, "mix": ""}
SATURATED = {"scenario": "saturate", "traffic_model": "closed", "rate_per_s": None}


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
           "demand_hi": np.nan, "full_us": 10_000.0, "everyday": 2.0, "everyday_lo": np.nan, "everyday_hi": np.nan, "peak": 10.0,
           "peak_lo": np.nan, "peak_hi": np.nan, "gib_a_core": 0.5}  # fmt: skip
    return pd.DataFrame([row | changes])


def test_what_waits_for_new_cores_waits_for_cores_that_are_never_idle():
    # 300/s at 5 ms of a busy core are served by two of them for ever; at the 10 ms of planned ones they would pile up.
    found = surge.scaling(
        sizes(full_us=5_000.0), pd.DataFrame({"variant": ["go"], "lag_s": [4.0]}), Peak(100, 3, 0.5, 2.0)
    )
    assert found["backlog"].iloc[0] == 0


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


def full(name, per_s=15_000, busy=0.9, **columns):
    """Give a saturated process by what it answered and used in its second alone."""
    return WrittenCell(name, requests=served(1.0), **SATURATED,
                       columns={"rows_good": per_s, "gateway_cpu_ns": round(busy * 1_000) * MS} | columns)  # fmt: skip


def searched(name, *steps):
    """Give a search: steps of a second with the rate offered, the answers and the busy share of the core in each."""
    used, samples, rows = 0.0, [], []
    for place, (rate, good, busy) in enumerate([*steps, (0, 0, 0.0)]):
        began = START_NS + place * 1_000 * MS
        samples.append({"role": "gateway", "pid": 1, "time_ns": began, "cpu_ns": round(used * 1e9), "run_delay_ns": 0,
                        "rss_bytes": 1, "threads": 1, "minor_faults": 0, "major_faults": 0})  # fmt: skip
        used += busy
        rows.append({"step": place, "kind": "search", "connections": 8, "rate_per_s": float(rate), "began_ns": began,
                     "ended_ns": began + 1_000 * MS, "quantile_ms": 1.0, "met": True, "good": good, "found": False})  # fmt: skip
    return WrittenCell(name, scenario="capacity", rate_per_s=None, requests=served(1.0),
                       rows={"process": samples, "steps": rows[:-1]})  # fmt: skip


def test_a_curve_has_the_steps_that_were_served_those_of_a_tenth_together(run):
    # Steps at 52 % and 58 % busy are one point: 1.1 s for 15,000; the one that served nine tenths is none.
    search = searched("c", (7_000, 7_000, 0.52), (8_000, 8_000, 0.58), (20_000, 18_000, 0.98))
    (curve,) = density.demand_curves(run(steady("a", 100), search, full("s")))["go"]
    assert curve.utilisation == pytest.approx([0.1, 0.55, 0.9])
    assert curve.demand_us == pytest.approx([100, 1.1e6 / 15_000, 60])


def test_no_two_curves_share_a_process(run):
    found = density.demand_curves(
        run(steady("a", 100), steady("b", 120), steady("c", 90), full("s"), full("t", 12_000))
    )
    assert [curve.demand_us.tolist() for curve in found["go"]] == [
        pytest.approx([100, 60]), pytest.approx([120, 75])
    ]  # fmt: skip


def test_a_core_planned_half_busy_costs_what_a_request_costs_half_busy(run):
    found = plan(run(steady("a", 100), full("s")))
    row = found.sizes.iloc[0]
    # 80 µs half way between 100 and 60: 2.72 cores of CPU time, half busy six; by the 100 µs of the rung seven.
    assert (row["demand_us"], row["peak"], row["peak_by_rung"]) == (pytest.approx(80), 6, 7)
    assert (row["rung_us"], row["full_us"]) == (pytest.approx(100), pytest.approx(60))
    assert not row["beyond"]
    assert "a request cost 1.25 times that" in view.conditions(found)
    assert view.sizing_table(found)["peak by µs at 1,000/s"].tolist() == ["7"]


def test_beyond_the_busiest_load_a_request_is_taken_to_cost_what_it_did_there_and_that_is_said(run):
    found = plan(run(steady("a", 100), full("s", 10_000, 0.7)), utilisation=0.8)
    assert found.sizes.iloc[0]["demand_us"] == pytest.approx(70)
    assert "No load kept go more than 70% busy" in view.conditions(found)
    assert view.sizing_table(found)["µs at 80% busy [95 %]"].tolist() == ["≤ 70"]


def test_a_variant_that_no_load_left_as_idle_as_planned_is_not_planned_for(run):
    found = plan(run(steady("a", 100), full("s"), replace(steady("j", 400), variant="java", runtime="java")),
                 utilisation=0.3)  # fmt: skip
    assert found.sizes["variant"].tolist() == ["go"]
    assert "No load left java as idle as planned" in view.conditions(found)


def test_without_a_busier_load_cores_follow_from_the_cpu_time_that_is_there(run):
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
    assert row["judgement"] == Judgement.HELD
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
    assert row["judgement"] == Judgement.HELD


def test_a_model_that_knows_a_wrong_capacity_fails_and_is_said_to(run):
    opened = run(saturated("s", 3_000), surged("a", 2_000))
    found = check_view.check(opened)
    assert found.rows["judgement"].iloc[0] == Judgement.FAILED
    assert "**held in 0 of 1**" in check_view.said(found)
    assert "It **failed in 1**: go, where" in check_view.said(found)
    assert check_view.table(found)["model"].tolist() == ["failed"]


def test_no_queue_is_foreseen_below_the_capacity_and_none_seen(run):
    opened = run(saturated("s", 6_000), surged("a", 6_000))
    row = surge_check.compared(opened, surge_check.read(opened)).iloc[0]
    assert (row["predicted"], row["judgement"]) == (0, Judgement.HELD)
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
    assert rows.loc["hold", ["foreseen", "by_rung"]].isna().tolist() == [False, True]


def test_cores_at_the_peak_are_foreseen_from_what_was_measured_outside_of_it(run):
    opened = run(steady("x", 100), full("s"), surged("a", 6_000))
    rows = surge_check.phases(opened, surge_check.read(opened)).set_index("phase")
    # D = 105 - 50 U µs: 5,000/s are U = 0.525 / (1 + 0.25); by the 100 µs of the rung half a core.
    assert rows.loc["hold", "foreseen"] == pytest.approx(0.42)
    assert rows.loc["hold", "by_rung"] == pytest.approx(0.5)
    assert rows.loc["lead", "foreseen"] == pytest.approx(0.1)
    # The rise has the mean of all rates between: the integral of 0.105 x / (1 + 0.05 x) from 1 to 5, over 4.
    assert rows.loc["rise", "foreseen"] == pytest.approx(2.1 - 10.5 * math.log(1.25 / 1.05), rel=1e-3)
    said = check_view.said(check_view.check(opened))
    assert "foresaw, over what was used: **go -16%**" in said
    assert "so many times what was used: 1 (go)" in said


def test_the_cores_of_a_peak_that_was_not_served_say_nothing_of_what_a_request_costs(run):
    found = check_view.check(run(steady("x", 100), full("s"), surged("a", 3_000)))
    assert (
        "Not all was answered while it came, so the cores' use is not that of the peak: go, 50% busy"
        in check_view.said(found)
    )
    assert next(check_view.findings(found))["value"] is None


def test_a_capacity_that_is_not_known_well_enough_cannot_tell(run):
    opened = run(saturated("s", 2_000), saturated("t", 4_500), surged("a", 2_500), surged("b", 2_500))
    found = check_view.check(opened)
    row = found.rows.iloc[0]
    # Their geometric mean is 3,000/s: 600 foreseen, and 2 x 2,500 x 0.325 / 2 wait. With two processes the interval is wide.
    assert row["predicted"] == pytest.approx(600, rel=1e-3)
    assert row["measured"] == pytest.approx(2_500 * 0.325, abs=3)
    assert row["predicted_lo"] == 0
    assert row["judgement"] == Judgement.UNTOLD
    assert row["error"] == pytest.approx(0.354, abs=0.01)
    assert "In 1 it cannot be told: go (" in check_view.said(found)
    assert "): the peak is 1.67 times the capacity" in check_view.said(found)


def test_a_queue_that_none_foresaw_is_told_by_how_it_grew(run):
    found = check_view.check(run(saturated("s", 6_000), surged("a", 3_000)))
    row = found.rows.iloc[0]
    # It is over 3,000/s from 0.3 s to 0.7 s; the first beside the one that is served waits at 0.31 s: 10,000 t² = 1.
    assert row["grew_s"] == pytest.approx(0.39, abs=0.002)
    assert row["judgement"] == Judgement.FAILED
    assert "in which 50% of the capacity was served with 50% of the cores busy" in check_view.said(found)


def test_a_process_that_is_busier_before_the_peak_than_after_it_still_warms_up(run):
    cell = surged("a", 6_000)
    samples = [cell.rows["process"][0] | {"time_ns": START_NS + at * MS, "cpu_ns": cpu * MS}
               for at, cpu in ((-100, 0), (0, 0), (200, 100), (800, 400), (1_100, 430))]  # fmt: skip
    found = check_view.check(run(steady("x", 100), full("s"), replace(cell, rows={"process": samples})))
    assert "Still warming up when the peak came: go (50% busy before it, 10% after it)." in check_view.said(found)


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
