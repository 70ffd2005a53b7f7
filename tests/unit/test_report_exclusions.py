"""What a chart leaves out is said on it, with the most frequent reasons, in the same words everywhere."""

import dataclasses

import pytest

from roi import coverage, density, quality
from roi.exclusions import Compared, exclusions, frequent
from roi.views import calibration, proofs
from roi.views import density as density_view
from roi.views import latency as latency_view
from roi.views import quality as quality_view
from roi.views import warm_up as warm_up_view
from roi.views.proof_words import plain
from roi.views.words import excluded, footnote
from roi.warm_up import of_processes
from tests.notebooks.written_run import Request, WrittenCell, served

LATE = "the generator was late: p99 of its schedule lag is 1.51 ms"
STOLEN = "the hypervisor took 12.3% of the processors"
BUSY = "the load is 84% of what the generator can do at all (93,000/s)"


def steady(name, *reasons, **changes):
    return WrittenCell(name, requests=served(1, 2, 3), reasons=reasons, **changes)


def saturated(name, *reasons, **changes):
    closed = {"scenario": "saturate", "traffic_model": "closed", "rate_per_s": None}
    return WrittenCell(name, requests=served(*[1] * 40), reasons=reasons, **closed | changes)


def test_the_footnote_says_how_many_of_how_many_cells_are_left_out_and_why(run):
    cells = [
        *(steady(f"ok{number}") for number in range(18)),
        steady("a", LATE),
        steady("b", LATE),
        steady("c", STOLEN),
    ]
    said = footnote(run(*cells), Compared("steady"))
    assert said.endswith(
        "3 of 21 cells left out: the generator was late (2), the hypervisor took 12.3% of the processors (1)."
    )


def test_with_all_cells_the_footnote_says_that_they_are_in_it(run):
    said = excluded(run(steady("a"), steady("b", LATE)), Compared("steady", all_cells=True))
    assert said == "1 of 2 cells in it failed the gate: the generator was late (1)."


def test_a_comparison_without_exclusions_says_nothing_of_them(run):
    opened = run(steady("a"), steady("b", LATE, scenario="soak"))
    assert excluded(opened, Compared("steady")) == excluded(opened, None) == ""


def test_cells_that_could_not_be_measured_are_named(run):
    failed = [
        dataclasses.replace(steady(name), requests=(), failure="The gateway died. See its log.") for name in ("x", "y")
    ]
    said = excluded(run(steady("a"), *failed), Compared("steady"))
    assert said == "2 of 3 cells could not be measured: x (The gateway died) and 1 more."


def test_only_the_cells_that_a_comparison_asks_for_are_counted(run):
    opened = run(
        steady("a", LATE), steady("b", LATE, rate_per_s=5000.0), saturated("c", STOLEN),
        WrittenCell("0-go-sigkill-none-r0", scenario="recovery", rate_per_s=None, failure="It never came up."),
        WrittenCell("1-go-sigstop-none-r0", scenario="recovery", rate_per_s=None, failure="It never came up."),
    )  # fmt: skip
    assert exclusions(opened, Compared("steady", rate_per_s=1000.0)).cells == 1
    assert exclusions(opened, Compared("saturate", model="open")).cells == 0
    assert list(exclusions(opened, Compared("recovery", fault="sigkill")).failures) == ["0-go-sigkill-none-r0"]


def test_reasons_that_differ_in_their_numbers_are_one_with_the_range_of_them():
    assert frequent([[STOLEN], ["the hypervisor took 9% of the processors", LATE], [BUSY]]) == {
        "the hypervisor took 9 to 12.3% of the processors": 2,
        "the generator was late": 1,
        "the load is 84% of what the generator can do at all": 1,
    }


def test_more_than_two_reasons_are_counted_and_not_listed(run):
    said = excluded(run(steady("a", LATE, STOLEN, BUSY)), Compared("steady"))
    assert said.endswith(", and 1 other reason.")


@pytest.mark.parametrize("all_cells", [False, True])
def test_every_chart_that_compares_has_the_reasons_in_its_footnote(run, all_cells):
    from roi import latency

    opened = run(steady("a"), steady("b", LATE), saturated("c"), saturated("d", STOLEN))
    what = "in it failed the gate" if all_cells else "left out"
    late, stolen = f"1 of 2 cells {what}: the generator was late", f"1 of 2 cells {what}: the hypervisor took"
    found = latency.study(opened, "steady", all_cells)
    for chart in (
        latency_view.compare_chart(found),
        latency_view.tail_chart(found),
        density_view.demand_chart(opened, all_cells),
    ):
        assert late in chart.footnote
    for chart in (
        density_view.capacity_chart(opened, of_processes(opened, all_cells), all_cells),
        warm_up_view.chart(opened, all_cells),
    ):
        assert stolen in chart.footnote


def test_headroom_stands_beside_every_throughput(run):
    share = {"ceiling_per_s": 1000.0, "ceiling_share": 0.04}
    opened = run(
        saturated("a", columns=share),
        saturated("b", columns=share | {"ceiling_share": 0.25}),
        saturated("c", variant="x"),
    )
    assert density.capacity(opened).set_index("variant")["headroom"].to_dict() == {
        "go": 0.75,
        "x": pytest.approx(float("nan"), nan_ok=True),
    }
    assert (
        density_view.capacity_table(opened, of_processes(opened))
        .set_index("variant")["generator's headroom"]
        .to_dict()["go"]
        == "75%"
    )
    assert "headroom" in density_view.capacity_chart(opened, of_processes(opened)).data
    # 40 requests in a window of one second.
    assert calibration.table(opened)["requests/s sent"].tolist() == ["40", "40", "40"]
    assert calibration.table(opened)["headroom"].tolist()[:2] == ["96%", "75%"]


def test_a_cell_that_answered_nothing_has_no_capacity_and_is_named(run):
    silent = dataclasses.replace(saturated("s"), requests=[Request(service_ms=1, outcome="error")])
    opened = run(saturated("a"), silent)
    assert density.capacity(opened)[["value", "n"]].to_dict("records") == [{"value": 40.0, "n": 1}]
    assert density_view.capacity_chart(opened, of_processes(opened)).footnote.endswith(
        "because no request was answered with 2xx: s."
    )


def test_the_gate_is_shown_with_the_limits_of_the_run(run):
    asked = {"asks": "p99 of the schedule lag at most 4 ms", "of": "open", "limit": 4.0, "why": "lag is not latency"}
    opened = run(steady("a", columns={"schedule_lag_p99_ns": 3_000_000}), gate={"schedule_lag": asked})
    (row,) = quality_view.gate_table(opened).to_dict("records")
    assert (row["criterion"], row["must hold"], row["why"]) == ("schedule lag", asked["asks"], asked["why"])
    chart = quality_view.lag_chart(opened)
    assert chart.title == "The generator kept its schedule in all 1 open-loop cells"
    assert chart.references[0].value == 4.0


def test_a_run_whose_gate_has_no_limit_on_the_lag_draws_none(run):
    chart = quality_view.lag_chart(run(steady("a"), gate={}))
    assert (chart.title, chart.references) == ("The generator was late by at most 0.1 ms in 99 of 100 requests", ())


def test_failed_cells_are_listed_apart_from_those_that_the_gate_failed(run):
    opened = run(steady("a"), steady("b", LATE), WrittenCell("x", failure="The gateway died."))
    assert quality.left_out(opened)["what"].tolist() == ["b"]
    assert quality_view.failures_table(opened).to_dict("records") == [
        {"cell": "x", "what went wrong": "The gateway died."}
    ]
    assert "In 1 of them nothing could be measured at all." in quality_view.verdict(opened)
    assert quality_view.share_agreeing(opened)["n"] == 1


PROOF = {
    "name": "stall_p99_ms",
    "expected": 520.0,
    "measured": 521.5,
    "tolerance": 10.0,
    "holds": True,
    "note": "stopped",
}
CERTIFICATE = {
    "kind": "load", "made_at": "2026-11-24T10:48:56+00:00", "machine": {}, "code": "x", "of_this_code": True,
    "proofs": [
        PROOF,
        PROOF | {"name": "known_delay_overhead_p50_ms", "expected": 0.1, "measured": 0.2, "tolerance": 0.0, "holds": False},
        PROOF | {"name": "killed_worker_rows_lost", "expected": 250.0, "measured": 99.0, "tolerance": 0.0},
        PROOF | {"name": "normal_end_server_count", "expected": 400.0, "measured": 400.0, "tolerance": 0.0},
        PROOF | {"name": "known_delay_overhead_p99_ms", "expected": None, "measured": 0.4, "tolerance": None},
        PROOF | {"name": "normal_end_locust_count", "expected": 400.0, "measured": float("nan"), "tolerance": 0.0, "holds": False},
        PROOF | {"name": "a_proof_of_later"},
    ],
    "curves": {"stall": {"quantile": [0.95, 0.99, 0.999], "closed_form_ms": [0.0, 520.0, 952.0],
                         "engine_ms": [0.3, 521.5, 950.0], "constant_throughput_ms": [0.3, 1.0, 940.0]}},
}  # fmt: skip


def test_a_run_without_a_certificate_says_what_makes_one(run):
    for certificates in ({"load": None}, {}):
        opened = run(steady("a"), certificates=certificates)
        assert "`bench prove load` does it" in proofs.verdict(opened)
        assert proofs.stall_chart(opened) is None
        assert proofs.table(opened).empty
        assert proofs.share_held(opened)["value"] is None


def test_a_certificate_is_told_in_plain_words_with_failed_proofs_first(run):
    opened = run(steady("a"), certificates={"load": CERTIFICATE})
    assert proofs.verdict(opened).startswith(
        "**2 of 7 proofs of the load generator failed** on this machine, 2026-11-24 10:48 UTC"
    )
    rows = proofs.table(opened)
    assert rows["verdict"].tolist() == ["FAILS", "FAILS", "holds", "holds", "holds", "reported", "holds"]
    by_words = rows.set_index("proof")
    assert by_words.loc["A stopped server: p99 of the response time (ms)", "tolerance"] == "± 10"
    assert by_words.loc["Known delays: what network and generator add, p50 (ms)", "tolerance"] == "or less"
    assert by_words.loc["A killed worker: rows lost", "tolerance"] == "or less"
    assert by_words.loc["A load that ends by itself: requests by the server's count", "tolerance"] == "exactly"
    assert "a proof of later" in by_words.index


def test_a_certificate_of_older_code_says_so(run):
    opened = run(steady("a"), certificates={"load": CERTIFICATE | {"of_this_code": False}})
    assert "the proofs are of an older one" in proofs.verdict(opened)


def test_the_stall_chart_states_what_each_saw_of_it(run):
    chart = proofs.stall_chart(run(steady("a"), certificates={"load": CERTIFICATE}))
    assert chart.title == (
        "When a server stops, one request in 100 waits 520 ms by theory: our engine measures 522 ms, Locust's own pacing 1 ms"
    )
    assert chart.keys() == ("theory", "this suite's engine", "Locust's own pacing")
    assert len(chart.data) == 9


def test_every_proof_of_the_load_generator_has_plain_words():
    names = (
        "stall_p99.5_ms stall_mean_excess_ms constant_throughput_misses_stall_p98.5_by_ms md1_mean_rho_0.5_ms"
        " lindley_mean_rho_0.8_ms lindley_shortest_excess_rho_0.8_ms known_delay_joined_requests"
        " known_delay_overhead_p50_ms known_delay_shortest_overhead_ms known_delay_overhead_p99_ms"
        " gaps_exponential_p_value_1_worker counts_dispersion_4_workers rate_error_share_4_workers arrivals_seen_1_worker"
        " normal_end_server_count hard_stop_locust_count hard_stop_rows_in_flight hard_stop_rows_unsent"
        " slow_flush_locust_count killed_worker_flagged killed_worker_rows_lost killed_worker_rows_invented"
        " frozen_worker_server_count frozen_worker_flagged frozen_worker_longest_lag_s vegeta_p99_at_30_percent_ms"
    )
    assert [name for name in names.split() if plain(name) == name.replace("_", " ")] == []


PAUSES = {
    "kind": "pauses", "made_at": "2026-11-24T18:02:00+00:00", "machine": {}, "code": "x", "of_this_code": True, "curves": {},
    "proofs": [
        PROOF | {"name": "go:forced_found", "expected": 20.0, "measured": 20.0, "tolerance": 0.0},
        PROOF | {"name": "node:forced_found", "expected": 20.0, "measured": 19.0, "tolerance": 0.0, "holds": False},
        PROOF | {"name": "go:forced_stop_share_max", "expected": 1.05, "measured": 0.9, "tolerance": 0.0},
        PROOF | {"name": "node:forced_stop_share_max", "expected": 1.05, "measured": 1.0, "tolerance": 0.0},
    ],
}  # fmt: skip


def test_proofs_made_variant_by_variant_are_a_row_a_kind_and_name_who_fails(run):
    opened = run(steady("a"), certificates={"pauses": PAUSES})
    assert proofs.verdict(opened, proofs.PAUSES).startswith(
        "**1 of 4 proofs of the pause meters failed** on this machine, 2026-11-24 18:02 UTC: what they say of node is in doubt."
    )
    found, share = proofs.by_proof(opened, proofs.PAUSES).to_dict("records")
    assert found == {
        "verdict": "FAILS", "proof": "Forced collections that the meters found", "holds on": "1 of 2 variants",
        "measured": "19 to 20", "expected": "20 exactly", "fails on": "node (19)",
    }  # fmt: skip
    assert (share["verdict"], share["measured"], share["expected"]) == ("holds", "0.9 to 1", "1.05 or less")
    assert proofs.by_proof(opened, proofs.OVERHEAD).empty
    assert "`bench prove overhead` does it in about a quarter of an hour" in proofs.verdict(opened, proofs.OVERHEAD)
    assert proofs.share_held(opened, proofs.PAUSES)["value"] == 0.75


def test_every_proof_of_meters_recovery_and_statistics_has_plain_words():
    names = (
        "residue_lines collections forced_found forced_elsewhere forced_counted forced_stop_share_max forced_stop_share_median"
        " stopping_ms ttsp_ms phase_over_rest sigstop_hiccup_ms sigstop_control_ms sigstop_called_gc_share block_hiccup_ms"
        " block_called_gc_share hog_control_lateness_rise hog_run_delay_rise hog_collections pause_total_ms"
        " pause_sum_of_cycles_ms pauses_a_collection collections_told incremental_steps incremental_ms recorder_safepoints"
        " kernel_safepoints kernel_operations_within kernel_stops_a_collection injected_ms injected_stalls cpu_a_request_ratio"
        " p50_ratio p99_ratio back_off_3_s back_off_after_601_s_s hang_found_mean_s hang_grace_s outage_first_ok_ms"
        " flapping_sustained_ms slow_return_lost_probes never_returned_censored never_returned_lost_probes"
        " kubernetes:sigstop_recovery_2_s no_fault_failed_share no_fault_restarts"
        f" {' '.join(f'{case.name}_coverage' for case in coverage.cases())} ratio_of_3_false_alarms log_rank_of_5_false_alarms"
    )
    assert [name for name in names.split() if plain(name) == name.replace("_", " ")] == []


def test_a_calibration_tells_ceiling_peers_and_the_highest_load(run):
    calibrated = {
        "made_at": "2026-11-24T09:00:00+00:00",
        "ceiling_rps": 73_144.2,
        "wrk_ratio": 0.98,
        "fasthttp_ratio": None,
    }
    said = calibration.verdict(run(steady("a", columns={"ceiling_share": 0.3}), calibration=calibrated))
    assert "**73,100 requests/s** on this machine (2026-11-24). That is 0.98 times wrk in the same minutes." in said
    assert "go under steady, is 30% of the ceiling: 70% headroom." in said


def test_a_run_that_nobody_calibrated_says_so(run):
    said = calibration.verdict(run(steady("a")))
    assert "ceiling is not known" in said
    assert "`bench calibrate` measures it" in said
