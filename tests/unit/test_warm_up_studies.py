"""Warm-up from the rows of a run: processes whose speed is known at every moment."""

from __future__ import annotations

import numpy as np
import pytest

from roi import warm_up
from roi.views import warm_up as view
from tests.notebooks.written_run import MS, START_NS, Request, WrittenCell

BEGAN_NS = START_NS - 2_000 * MS
"""Two seconds of full load before the measured one."""


def saturated(
    name: str, *parts: tuple[float, int], variant: str = "java", cpu_us: tuple[float, float] = (100, 100)
) -> WrittenCell:
    """Give a process that answers at known rates (per s) for so many tenths of a second each, three seconds in all.

    `cpu_us` is its CPU time a request in the first second and after it.
    """
    answers = np.concatenate([
        tenth * 100 * MS + np.linspace(0, 100 * MS, int(rate / 10), endpoint=False) + MS
        for tenth, rate in enumerate(rate for rate, tenths in parts for _ in range(tenths))
    ])  # fmt: skip
    answers = answers.astype(np.int64)
    edges = np.arange(0, 3_001, 100) * MS
    answered = np.searchsorted(answers, edges)
    costs = np.where(edges[1:] <= 1_000 * MS, *cpu_us)
    used = np.concatenate([[0], np.cumsum(np.diff(answered) * costs * 1_000)])
    sample = {
        "role": "gateway",
        "pid": 1,
        "run_delay_ns": 0,
        "rss_bytes": 1,
        "threads": 1,
        "minor_faults": 0,
        "major_faults": 0,
    }
    samples = [
        sample | {"time_ns": int(BEGAN_NS + at), "cpu_ns": int(cpu)} for at, cpu in zip(edges, used, strict=True)
    ]
    return WrittenCell(
        name, variant, variant, "saturate", "closed", None, rows={"process": samples},
        requests=[Request(service_ms=1.0, intended_ns=int(BEGAN_NS + at - MS)) for at in answers],
    )  # fmt: skip


def only(run, *cells):
    return warm_up.of_processes(run(*cells)).iloc[0]


def test_a_process_that_was_fast_from_the_first_request_on_is_flat(run):
    found = only(run, saturated("a", (1000, 30)))
    assert (found["steadiness"], found["steady_s"], found["cpu_steadiness"]) == ("flat", 0.0, "flat")
    assert found["measured_from_s"] == pytest.approx(2.0, abs=0.002)
    assert found["steady_when_measured"]


def test_one_that_got_faster_after_a_second_was_steady_before_it_was_measured(run):
    found = only(run, saturated("a", (400, 10), (1000, 20), cpu_us=(250, 100)))
    assert (found["steadiness"], found["cpu_steadiness"]) == ("warm-up", "warm-up")
    assert found["steady_s"] == pytest.approx(1.0, abs=0.11)
    assert found["cpu_steady_s"] == pytest.approx(1.0, abs=0.11)
    assert found["steady_when_measured"]


def test_one_that_still_changed_when_it_was_measured_is_named(run):
    opened = run(
        saturated("a", (1000, 30), variant="go"),
        saturated("b", (1000, 24), (1500, 6)),
        saturated("c", (1000, 30)),
    )
    courses = warm_up.of_processes(opened)
    assert list(warm_up.unsteady(courses)) == [("java", 1, 2)]
    assert view.said(courses).startswith("**Not steady when measured: java (1 of 2).**")
    table = view.table(courses).set_index("variant")
    assert table.loc["java", ["processes", "flat", "no steady state"]].tolist() == [2, 1, 1]
    assert table.loc["go", "steady after (s)"] == "0"


def test_a_cost_that_rises_under_an_even_load_is_a_slow_down(run):
    found = only(run, saturated("a", (1000, 30), cpu_us=(100, 160)))
    assert (found["steadiness"], found["cpu_steadiness"]) == ("flat", "slow-down")


def test_a_run_without_a_saturated_process_says_so(run):
    courses = warm_up.of_processes(run(WrittenCell("a")))
    assert courses.empty
    assert "no saturated process" in view.said(courses)
    assert view.table(courses).empty
