"""What pauses cost, pauses against memory, and what slow requests met, over runs that are written down."""

from __future__ import annotations

import pytest

from roi import exposure, heap, pauses, tails
from roi.data import Condition
from roi.errors import UnknownName
from roi.statistics.counts import poisson_interval
from roi.views import exposure as exposure_view
from roi.views import heap as heap_view
from roi.views import pauses as pauses_view
from roi.views import tails as tails_view
from tests.notebooks.written_run import END_NS, MS, START_NS, Request, WrittenCell, served

US = 1_000


def stop(ms: float, at_ms: float = 500, source: str = "jul_safepoint", **said: object) -> dict[str, object]:
    """Give a stop that ended so long after the window's beginning."""
    length = round(ms * MS)
    return {"source": source, "dur_lo_ns": length, "dur_hi_ns": length, "end_ns": START_NS + round(at_ms * MS)} | said


def java(
    cell_id: str, *stops: dict[str, object], requests: int = 4, budget_mib: int = 256, **columns: object
) -> WrittenCell:
    return WrittenCell(
        cell_id, "java25-g1", "java", requests=served(*[1.0] * requests), pauses=stops,
        columns={"memory_budget_bytes": budget_mib << 20, **columns},
    )  # fmt: skip


def test_a_count_of_ten_has_the_interval_of_garwoods_table():
    assert poisson_interval(10) == pytest.approx((4.795, 18.390), abs=1e-3)
    assert poisson_interval(0) == pytest.approx((0.0, 3.689), abs=1e-3)
    # Bounds: the lower end of the one and the upper end of the other.
    assert poisson_interval(0, 10) == pytest.approx((0.0, 18.390), abs=1e-3)
    with pytest.raises(ValueError, match="no count"):
        poisson_interval(3, 2)


def test_the_worst_window_is_what_the_longest_stop_leaves_of_it(run):
    found = exposure.utilisation(run(java("a", stop(5)), java("b", stop(1))), "steady").set_index("window_ms")
    assert found["lo"].to_dict() == pytest.approx({1: 0.0, 5: 0.0, 10: 0.5, 50: 0.9})
    assert (found["lo"] == found["hi"]).all()
    assert found["processes"].tolist() == [2] * 4


def test_two_stops_in_one_window_add_up(run):
    found = exposure.utilisation(run(java("a", stop(2, 500), stop(3, 507))), "steady").set_index("window_ms")
    assert found.loc[10, "lo"] == pytest.approx(0.5)
    assert found.loc[5, "lo"] == pytest.approx(0.4)


def test_the_sum_of_a_go_collection_bounds_its_longest_stop(run):
    cell = WrittenCell("g", "go", "go", pauses=[stop(4, source="go_gcstats")])
    found = exposure.utilisation(run(cell), "steady").set_index("window_ms")
    assert (found.loc[10, "lo"], found.loc[10, "hi"]) == pytest.approx((0.6, 0.8))


def test_a_variant_that_never_stopped_keeps_all_of_its_time_and_one_without_a_collector_is_not_asked(run):
    cells = java("a"), WrittenCell("r", "rust", "rust", columns={"collector": "none"})
    found = exposure.utilisation(run(*cells), "steady")
    assert set(found["variant"]) == {"java25-g1"}
    assert (found["lo"] == 1.0).all()
    assert (
        exposure_view.utilisation_chart(run(*cells), "steady").title
        == "The worst 10 ms of all leave at least 100% of it to java25-g1"
    )


def test_pauses_cost_those_who_meet_them_and_collectors_cost_cpu_time(run):
    cell = java("a", stop(2), stop(0.5, 700), gc_cpu_lo_ns=50 * MS, gc_cpu_hi_ns=75 * MS)
    found = exposure.costs(run(cell), "steady").iloc[0]
    # Within one second: 2.5 ms of it, and (2² + 0.5²) / 2 ms² a second of waiting for who comes at any time.
    assert found["stopped_lo"] == found["stopped_hi"] == pytest.approx(0.0025)
    assert found["wait_lo_us"] == pytest.approx(2.125)
    assert (found["long_at_least"], found["long_at_most"]) == (1, 1)
    assert found["long_per_million"] == pytest.approx(250_000)
    assert (found["gc_cpu_lo"], found["gc_cpu_hi"]) == pytest.approx((0.1, 0.15))
    # 500 ms of CPU time for four requests.
    assert found["cpu_us"] == pytest.approx(125_000)
    assert "**java25-g1** spends most of its CPU time on collecting, 10% to 15%" in exposure_view.said(
        run(cell), "steady"
    )


def test_a_bucket_across_a_millisecond_is_counted_from_both_sides(run):
    bucket = {"source": "go_metrics", "phase": "/sched/pauses/total/gc:seconds", "dur_lo_ns": 900 * US, "dur_hi_ns": 1_100 * US,
              "count": 3}  # fmt: skip
    found = exposure.costs(run(WrittenCell("g", "go", "go", requests=served(1.0), pauses=[bucket])), "steady").iloc[0]
    assert (found["long_at_least"], found["long_at_most"]) == (0, 3)
    assert exposure_view.table(run(WrittenCell("g", "go", "go", requests=served(1.0), pauses=[bucket])), "steady")[
        "over 1 ms"
    ].tolist() == ["0 to 3"]


def test_what_a_runtime_does_not_tell_is_missing_and_not_nothing(run):
    found = exposure.costs(run(java("a"), WrittenCell("r", "rust", "rust", columns={"collector": "none"})), "steady")
    assert found["gc_cpu_lo"].isna().all()
    table = exposure_view.table(
        run(java("a"), WrittenCell("r", "rust", "rust", columns={"collector": "none"})), "steady"
    )
    assert table["time in a pause"].tolist() == ["0%", "not applicable"]


def test_cells_of_two_budgets_are_never_pooled(run):
    opened = run(java("a", stop(1), budget_mib=128), java("b", stop(9), budget_mib=512))
    assert opened.conditions() == [Condition(128, 1), Condition(512, 1)]
    assert pauses.distribution(opened.under(), "steady")["longest_us"].tolist() == [9_000]
    assert pauses.distribution(opened.under(128), "steady")["longest_us"].tolist() == [1_000]
    assert opened.under(128).description().endswith("128 MiB of memory, live set 1 MiB")
    with pytest.raises(UnknownName, match=r"256 MiB of memory.*128 MiB of memory, live set 1 MiB"):
        opened.under(256)


def test_rungs_of_a_scenario_are_never_pooled(run):
    opened = run(
        java("a", stop(1)),
        java("b", stop(9), rate_per_s=2_000.0),
        java("c", stop(5), scenario="ramp", rate_per_s=3_000.0),
    )
    assert pauses.distribution(opened.at_rate("steady"), "steady")["longest_us"].tolist() == [9_000]
    at_1000 = opened.under(256).at_rate("steady", 1_000)
    assert pauses.distribution(at_1000, "steady")["longest_us"].tolist() == [1_000]
    assert pauses.distribution(at_1000.under(256), "steady")["longest_us"].tolist() == [1_000]
    assert at_1000.description().endswith("live set 1 MiB, steady at 1000/s")
    # Others are as they were, and a scenario with one rate, or none, needs no choice.
    assert pauses.distribution(at_1000, "ramp")["longest_us"].tolist() == [5_000]
    assert opened.at_rate("ramp").rung is opened.at_rate("saturate").rung is None
    with pytest.raises(UnknownName, match=r"500/s.*1000/s"):
        opened.at_rate("steady", 500)


def test_memory_is_a_multiple_of_the_least_in_which_a_variant_ran(run):
    failed = WrittenCell("z", "java25-zgc", "java", failure="out of memory", columns={"memory_budget_bytes": 128 << 20})
    ran = WrittenCell("y", "java25-zgc", "java", requests=served(1.0), columns={"memory_budget_bytes": 512 << 20})
    cells = java("a", stop(8), budget_mib=128, requests=2), java("b", stop(2), budget_mib=512), failed, ran
    found = heap.against_memory(run(*cells), "steady").set_index(["variant", "budget_mib"])
    assert found["multiple"].to_dict() == {
        ("java25-g1", 128): 1.0, ("java25-g1", 512): 4.0, ("java25-zgc", 512): 1.0,
    }  # fmt: skip
    # 500 ms for two, four and one requests: the lowest of Java is that of G1 in 512 MiB.
    assert found["cpu_over_lowest"].to_dict() == pytest.approx({
        ("java25-g1", 128): 2.0, ("java25-g1", 512): 1.0, ("java25-zgc", 512): 4.0,
    })  # fmt: skip
    assert heap_view.said(run(*cells), "steady") == (
        "Budgets of 128 and 512 MiB around one live set of 1 MiB. In the smallest did not run, or not well enough to be compared:"
        " java25-zgc (512 MiB), each with the least in which it did."
    )
    assert heap_view.pause_chart(run(*cells), "steady").title == (
        "java25-g1's P99 changes most with memory: 4 times from its longest to its shortest"
    )
    assert "java25-zgc needs 4 times the CPU time" in heap_view.cost_chart(run(*cells), "steady").title


def test_a_run_with_one_budget_says_what_varies_it(run):
    opened = run(java("a", stop(1)))
    assert heap_view.said(opened, "steady").endswith("`bench run pauses` varies it.")
    assert heap_view.pause_chart(opened, "steady") is heap_view.cost_chart(opened, "steady") is None
    with pytest.raises(UnknownName, match="7 MiB"):
        heap.against_memory(opened, "steady", live_set_mib=7)


def requests(*slow_at_ms: int, count: int = 200) -> list[Request]:
    """Give one request every 5 ms; those at the instants named take 10 ms, others one."""
    return [
        Request(service_ms=10.0 if place * 5 in slow_at_ms else 1.0, intended_ns=START_NS + place * 5 * MS)
        for place in range(count)
    ]


def test_slow_requests_that_met_a_stop_are_told_from_those_that_did_not(run):
    # Two of 200 lie beyond p99: that at 495 ms shares time with the stop from 496 to 501 ms, that at 800 ms with none.
    cell = WrittenCell("a", "java25-g1", "java", requests=requests(495, 800), pauses=[stop(5, 501)])
    found = tails.slow_requests(run(cell), "steady").set_index("quantile").loc["p99"]
    assert (found["beyond"], found["met"], found["blocks"]) == (2, 0.5, 2)
    # Beside the slow one at 495 ms that at 500 ms met it too.
    assert found["of_all"] == pytest.approx(2 / 200)
    assert found["stalled"] == 0
    assert not found["hidden"]
    assert tails.slow_requests(run(cell), "steady").set_index("quantile").loc["p99.9", "hidden"]


def test_slow_requests_that_waited_in_a_stall_name_its_cause(run):
    stalled = {"stw_gc_ns": 5 * MS, "unexplained_ns": MS}
    cell = WrittenCell("a", "java25-g1", "java", requests=requests(95, 800), stalls=[stalled])
    found = tails.slow_requests(run(cell), "steady").set_index("quantile").loc["p99"]
    assert (found["stalled"], found["cause"]) == (0.5, "stw_gc")
    row = tails_view.table(tails.study(run(cell), "steady")).iloc[0]
    assert row["most of these because of"] == "collector stopped the world"


def test_a_gateway_without_a_collector_has_no_share_of_stops(run):
    cell = WrittenCell("r", "rust", "rust", requests=requests(495), columns={"collector": "none"})
    assert tails.slow_requests(run(cell), "steady")["met"].isna().all()
    assert tails_view.table(tails.study(run(cell), "steady"))["met a stop [95 %]"].iloc[0] == "not applicable"
    assert tails_view.chart(tails.study(run(cell), "steady")) is None
    assert "holds no open-loop cell of a gateway with a collector" in tails_view.said(tails.study(run(cell), "steady"))


def test_a_comparison_finer_than_the_resolution_is_refused_with_its_reason(run):
    alike = {"source": "go_metrics", "phase": "/sched/pauses/total/gc:seconds", "count": 600, "resolution_ns": 20 * US}
    cells = (
        WrittenCell("g", "go", "go", pauses=[alike | {"dur_lo_ns": 80 * US, "dur_hi_ns": 100 * US}]),
        java("a", *[stop(0.095)] * 600),
        WrittenCell("n", "node", "node", pauses=[stop(9, source="node_trace")] * 600),
    )
    found = pauses.p99_against(run(*cells), "steady").set_index("variant")
    assert found.loc["java25-g1", "base"] == "go"
    assert "differ by less than the 20" in found.loc["java25-g1", "refused"]
    # 9 ms over 80 to 100 µs.
    assert found.loc["node", ["ratio", "lo", "hi"]].tolist() == pytest.approx([100, 90, 112.5])
    assert pauses_view.against_table(run(*cells), "steady")["ratio [at least to at most]"].tolist() == [
        "refused", "100 [90 to 112]",
    ]  # fmt: skip


def test_windows_end_where_the_cell_does(run):
    early, late = stop(5) | {"end_ns": START_NS - MS}, stop(5) | {"end_ns": END_NS + MS}
    assert pauses.distribution(run(java("a", early, late)), "steady")["n"].tolist() == [0]
