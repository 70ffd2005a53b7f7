"""Recoveries and rolling restarts of written runs: every figure is by hand."""

from __future__ import annotations

import json

import pytest

from roi import recovery, rolling
from roi.views import recovery as recovery_view
from roi.views import rolling as rolling_view
from tests.notebooks.written_run import MS, START_NS, Request, WrittenCell

INJECTED_NS = START_NS


def fault(**said) -> dict:
    """Give a fault that struck at the start of the window and was over after 200 ms."""
    return {
        "fault": "sigkill", "policy": "aggressive", "truth": "{}", "horizon_ns": 20_000 * MS, "sustain_ns": 500 * MS,
        "baseline_p99_ns": MS, "slow_limit_ns": 3 * MS, "inject_ns": INJECTED_NS, "ended_ns": None,
        "impact_ns": INJECTED_NS + 10 * MS, "detect_ns": INJECTED_NS + MS, "act_ns": INJECTED_NS + MS,
        "exec_ns": INJECTED_NS + 2 * MS, "listen_ns": INJECTED_NS + 90 * MS, "first_ok_ns": INJECTED_NS + 100 * MS,
        "sustained_ns": INJECTED_NS + 200 * MS, "censored": False, "censor_reason": None, "probes_lost": 20, "spells": 1,
        "probe_lag_p99_ns": 1000,
    } | said  # fmt: skip


def probes(*response_ms: float) -> list[dict]:
    return [
        {"stream": "new", "intended_ns": INJECTED_NS + MS, "sent_ns": INJECTED_NS + MS,
         "done_ns": INJECTED_NS + MS + round(time * MS), "outcome": "ok"}
        for time in response_ms
    ]  # fmt: skip


def recovered(cell_id: str, variant: str = "go", requests=(), probed=(), **said) -> WrittenCell:
    rows = {"faults": [fault(**said)], "probes": probes(*probed)}
    return WrittenCell(cell_id, variant, variant, "recovery", rate_per_s=100.0, requests=requests, rows=rows)


def test_what_is_lost_is_what_failed_and_what_was_slow_over_the_rate_at_which_it_was_asked_for(run) -> None:
    load = [
        *[Request(0, 1)] * 60,
        *[Request(0, 251)] * 8,
        *[Request(0, 2000, "timeout")] * 30,
        # Still in flight, or never sent, when the load was stopped: neither lost nor not, until they have waited too long.
        Request(0, 100, "unanswered"),
        Request(300, None, "unsent"),
        Request(0, 2000, "timeout", intended_ns=START_NS - MS),
    ]
    # 20 failed and 30 slow of 100 a second; 39 of 100 requests at 100/s.
    table = recovery.summary(run(recovered("a", requests=load, probed=[1] * 10 + [4] * 30)), "sigkill", 30)
    row = table.iloc[0]
    assert row["outage_s"] == pytest.approx(0.5)
    assert row["load_lost"] == 39
    assert row["load_outage_s"] == pytest.approx(0.39)


def test_faults_are_listed_one_a_row_and_variants_one_a_column(run) -> None:
    masked = {"impact_ns": None, "first_ok_ns": None, "sustained_ns": None, "probes_lost": 0, "spells": 0}
    away = {"first_ok_ns": None, "sustained_ns": None, "censored": True, "censor_reason": "never", "probes_lost": 2000}
    opened = run(
        recovered("a"), recovered("b", "node"),
        recovered("c", fault="upstream_hung", ended_ns=INJECTED_NS + 2_000 * MS, **masked),
        recovered("d", "node", fault="upstream_hung", ended_ns=INJECTED_NS + 2_000 * MS, spells=2),
        recovered("e", "node", fault="sigstop", **away),
    )  # fmt: skip
    by_fault = recovery.by_fault(opened, 30)
    table = recovery_view.fault_table(by_fault).set_index("fault")
    assert list(table.index) == ["killed", "stopped for good", "upstream hangs"]
    assert list(table["lasts (s)"]) == ["to the restart", "to the restart", "2"]
    assert table.loc["upstream hangs", "go"] == "not noticed"
    assert table.loc["killed", "node"] == "0.2 s"
    assert table.loc["stopped for good", "node"] == "not back within 20 s (1 of 1)"
    lost = recovery_view.loss_table(by_fault).set_index("fault")
    assert lost.loc["upstream hangs", "node"] == "0.2 s; flapped in 1 of 1"
    assert lost.loc["stopped for good", "node"] == "20 s"
    chart = recovery_view.fault_chart(opened, by_fault)
    assert chart.title == "Runtimes differ most with “upstream hangs”: go loses 0 s of service, node 0.2 s"


def test_a_run_with_one_fault_has_no_chart_of_faults(run) -> None:
    opened = run(recovered("a"))
    assert recovery_view.fault_chart(opened, recovery.by_fault(opened, 30)) is None


def restarted(cell_id: str, way: str, lost: int, refused: int | None = None) -> WrittenCell:
    """Give a rolling restart of two instances in which some of a thousand requests were lost."""
    reasons = {"no connection to the instance came about": refused or 0} if refused else {}
    restarts = [
        {"way": way, "instance": number, "instances": 2, "created_ns": START_NS, "ready_ns": START_NS + 100 * MS,
         "in_service_ns": START_NS + 200 * MS, "signal_ns": START_NS + 200 * MS, "exited_ns": START_NS + 1_400 * MS,
         "exit_code": 0, "refused": 0 if number else refused or 0, "reasons": json.dumps({} if number else reasons)}
        for number in range(2)
    ]  # fmt: skip
    requests = [*[Request(0, 1)] * (998 - lost), *[Request(0, 150)] * 2, *[Request(0, 1, "error")] * lost]
    return WrittenCell(
        cell_id, scenario="rolling_restart", rate_per_s=400.0, requests=requests, rows={"restarts": restarts}
    )


def test_losses_are_counted_for_each_instance_with_the_exact_interval_of_a_poisson_count(run) -> None:
    opened = run(restarted("a", "drain", 0), restarted("b", "drain", 0), restarted("c", "kill", 4, 4))
    table = rolling.summary(opened, 100).set_index("way")
    assert list(table.index) == ["drain", "kill"]
    drained, killed = table.loc["drain"], table.loc["kill"]
    assert (drained["n"], drained["restarts"], drained["requests"], drained["lost"]) == (2, 4, 2000, 0)
    # Garwood's limits: 0 to 3.689 for none seen, 1.0899 to 10.2416 for four.
    assert (drained["per_restart"], drained["per_restart_lo"]) == (0, 0)
    assert drained["per_restart_hi"] == pytest.approx(3.689 / 4, rel=1e-3)
    assert killed["per_restart"] == 2
    assert (killed["per_restart_lo"], killed["per_restart_hi"]) == pytest.approx((1.0899 / 2, 10.2416 / 2), rel=1e-3)
    assert killed["reasons"] == "no connection to the instance came about (4)"
    assert (drained["late"], killed["late"]) == (4, 2)
    assert drained["in_service_s"] == pytest.approx(0.2)
    assert drained["leaves_s"] == pytest.approx(1.2)


def test_the_page_says_what_draining_saves_and_what_is_still_possible(run) -> None:
    opened = run(restarted("a", "drain", 0), restarted("b", "kill", 4, 4))
    said = rolling_view.verdict(opened, 100)
    assert "**go lost none of 1,000 requests** in 2 restarts of an instance; at most 1.8 a restart" in said
    assert "up to 2 requests for each instance (go, SIGKILL)" in said
    assert (
        rolling_view.loss_chart(opened, 100).title
        == "With a drain delay no request is lost, 2 an instance with SIGKILL"
    )
    assert [found["value"] for found in rolling_view.findings(opened, 100)] == [0, 2]


def test_a_loss_in_spite_of_draining_names_its_reason(run) -> None:
    said = rolling_view.verdict(run(restarted("a", "drain", 3, 3)), 100)
    assert "go lost 3 of 1,000 in spite of it: no connection to the instance came about (3)." in said


def test_a_run_without_a_rolling_restart_says_so(run) -> None:
    opened = run(recovered("a"))
    assert "holds no rolling restart" in rolling_view.verdict(opened, 100)
    assert rolling_view.loss_chart(opened, 100) is None
    assert rolling_view.timeline_chart(opened, "drain") is None


def test_the_course_of_a_restart_is_the_slowest_answer_of_each_moment(run) -> None:
    opened = run(restarted("a", "drain", 0))
    rows = rolling.slowest_by_time(opened, "drain")
    # All were to be sent at the start of the window, when the first new instance was started.
    assert rows.to_dict("records") == [{"variant": "go", "time_s": 0, "response_ms": 150}]
