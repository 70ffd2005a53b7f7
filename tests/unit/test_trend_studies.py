"""What changed from run to run, from runs whose every figure is written down."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from bench.store import manifest
from roi import data, trend
from roi.errors import UnknownName
from roi.trend import Verdict
from roi.trend_figures import followed
from roi.trend_runs import comparable
from roi.views import trend as view
from tests.notebooks.written_run import MS, WrittenCell, served
from tests.unit.test_comparison_studies import pair, saturated, steady

NIGHTS = (1_000, 1_010, 990, 1_005, 995, 850, 855, 845)
"""Requests a second of go, by night: three of eight are 15 % fewer."""


@pytest.fixture
def night(run):
    """Give what writes a run of these cells on a day of November."""
    return lambda day, *cells, **said: run(
        *cells, **{"run": f"night-{day}", "started_at": f"2026-11-{day:02d}T01:00:00+00:00", "seed": day} | said
    )


@pytest.fixture
def nights(night):
    """Give eight runs of go, which changes after the fifth, and of rust, which does not."""
    return [
        night(
            day,
            *(saturated(f"g{k}", "go", answers + k, runtime_version="1.0" if day < 6 else "1.1") for k in range(3)),
            *(saturated(f"r{k}", "rust", 2_000 + 7 * (day % 3) + k) for k in range(3)),
        )
        for day, answers in enumerate(NIGHTS, start=1)
    ]


def against(base, *others, **asked):
    return comparable(base, [str(other.folder) for other in others], **asked)


def followed_over(runs, **asked):
    return trend.study(against(runs[-1], *runs[:-1]), **asked)


def test_a_step_of_15_percent_is_called_where_it_is_and_nothing_else_is(nights):
    found = followed_over(nights)
    ((series, change),) = found.called()
    assert (series.figure.name, series.variant, change.verdict) == ("saturation", "go", Verdict.WORSE)
    assert (change.before.place, change.after.place) == (4, 5)
    # Of 1001, 1011, 991, 1006, 996 and 851, 856, 846 by night, ones being added by processes.
    assert change.ratio.value == pytest.approx(851 / 1_001, abs=1e-4)
    assert view.said(found).startswith("**Requests/s at saturation of go fell by 15% between night-5 and night-6.**")
    (row,) = view.changes(found).to_dict("records")
    assert (row["between"], row["and"], row["runtime"]) == ("night-5", "night-6", "1.0, then 1.1")


def test_a_chart_names_the_change_in_its_title_and_marks_it_between_the_two_runs(nights):
    found = followed_over(nights)
    (figure,) = found.figures
    spec = view.chart(found, figure)
    assert spec.title == (
        "Requests/s at saturation of go fell by 15% between night-5 and night-6; no other change is shown"
    )
    assert [(line.value, line.axis, line.label) for line in spec.references] == [(5.5, "x", "−15%")]
    assert spec.data.loc[spec.data["variant"] == "go", "run"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert spec.data["n"].tolist() == [3] * 16


def test_a_chart_of_two_variants_that_changed_names_both_at_their_lines(night):
    nights = [
        night(
            day, *(saturated(f"g{k}", "go", answers + k) for k in range(3)),
            *(saturated(f"r{k}", "rust", 2 * answers + k) for k in range(3)),
        )
        for day, answers in enumerate(NIGHTS, start=1)
    ]  # fmt: skip
    found = followed_over(nights)
    spec = view.chart(found, found.figures[0])
    assert spec.title == (
        "Requests/s at saturation of go fell by 15% between night-5 and night-6; that of rust fell by 15% between night-5 and"
        " night-6; no other change is shown"
    )
    assert [line.label for line in spec.references] == ["go −15%, rust −15%"]


def test_a_change_and_its_repair_are_told_of_one_variant(night):
    answers = (*NIGHTS, 1_002, 998, 1_001)
    nights = [night(day, *(saturated(f"{k}", "go", n + k) for k in range(3))) for day, n in enumerate(answers, start=1)]
    found = followed_over(nights)
    spec = view.chart(found, found.figures[0])
    assert spec.title == (
        "Requests/s at saturation of go fell by 15% between night-5 and night-6; it rose by 18% between night-8 and night-9"
    )
    assert [line.label for line in spec.references] == ["−15%", "+18%"]
    assert [change.verdict for _, change in found.called()] == [Verdict.WORSE, Verdict.BETTER]


def test_runs_are_in_the_order_of_their_time_however_they_are_named(nights):
    shuffled = against(nights[2], *(nights[at] for at in (7, 0, 5, 1, 6, 3, 4)))
    assert [run.name for run in shuffled.runs] == [f"night-{day}" for day in range(1, 9)]


def test_every_change_and_the_runs_are_recorded(nights):
    runs, number, change = view.findings(followed_over(nights))
    assert (runs["id"], runs["value"]) == ("runs_compared", 8)
    assert (number["id"], number["value"], number["n"]) == ("changes", 1, 2)
    assert (change["id"], change["n"]) == ("change_saturation_go_night-6", 3)
    assert change["lo"] < change["value"] < change["hi"] < 0.9


def test_five_runs_are_drawn_and_said_to_be_too_few(nights):
    found = followed_over(nights[3:])
    assert "5 runs are too few to tell" in view.said(found)
    assert view.chart(found, found.figures[0]).title == (
        "Requests/s at saturation: 5 runs are too few to tell a change from chance"
    )
    _, number = view.findings(found)
    assert (number["value"], number["note"]) == (None, "not known: 5 runs are too few to tell, 6 are needed")
    assert set(view.series(found)["p of no change"]) == {"too few runs to tell"}


def test_one_run_has_nothing_to_be_compared_with_and_no_chart(nights):
    found = trend.study(against(nights[0], nights[0]))
    assert found.figures == ()
    assert "nothing to compare night-1 with" in view.said(found)
    runs, number = view.findings(found)
    assert (runs["value"], number["value"]) == (1, None)
    assert number["note"] == "not known: no other run is like this one"


def test_a_change_smaller_than_the_noise_floor_is_never_called(night):
    nights = [
        night(day, *pair("go", [(answers * 6 // 5 + k, answers + k) for k in range(3)], saturated))
        for day, answers in enumerate(NIGHTS, start=1)
    ]
    found = followed_over(nights)
    ((change,),) = (series.changes for series in found.series)
    assert change.verdict is Verdict.BELOW_THE_FLOOR
    assert change.floor == pytest.approx(0.2, abs=0.01)
    assert found.called() == ()
    assert view.chart(found, found.figures[0]).references == ()
    assert view.chart(found, found.figures[0]).title == "No change of requests/s at saturation is shown over 8 runs"


def test_a_change_smaller_than_what_matters_is_not_called(nights):
    assert len(followed_over(nights, margin=0.1).called()) == 1
    found = followed_over(nights, margin=0.2)
    assert found.called() == ()
    assert view.changes(found)["verdict"].tolist() == ["below the margin"]


def test_fewer_cpu_seconds_a_request_are_better(night):
    costs = (40, 41, 39, 30, 31, 29)
    nights = [night(day, *(steady(f"{k}", "go", c) for k in range(3))) for day, c in enumerate(costs, start=1)]
    found = followed_over(nights)
    ((_, change),) = found.called(found.figures[0])
    assert (change.verdict, round(change.ratio.value, 2)) == (Verdict.BETTER, 0.75)


def left_out(base, other, **asked):
    (out,) = against(base, other, **asked).left_out
    return out.reason


def test_a_run_of_another_machine_is_left_out_with_the_reason(night):
    base = night(1, saturated("a", "go", 100))
    other = night(2, saturated("a", "go", 100), machine={"cpu_model": "Another", "processors": 2})
    assert left_out(base, other) == "cpu model is Some CPU and Another"


def test_a_run_of_another_schema_version_is_left_out_with_the_reason(night):
    base, other = (night(day, saturated("a", "go", 100)) for day in (1, 2))
    told = json.loads((other.folder / manifest.FILE).read_text()) | {"schema_version": 6}
    (other.folder / manifest.FILE).write_text(json.dumps(told))
    assert "has schema version 6" in left_out(base, other)


def test_a_run_of_another_condition_rate_or_window_is_left_out_with_the_reason(night):
    base = night(1, steady("a", "go", 40), saturated("b", "go", 100))
    small = night(2, saturated("b", "go", 100, memory_budget_bytes=1 << 27))
    slow = night(3, steady("a", "go", 40, rate_per_s=500.0))
    long = night(4, saturated("b", "go", 100, measure_end_ns=12_000 * MS))
    real = night(5, saturated("b", "go", 100), synthetic=False)
    assert left_out(base, small) == "no cell of it had 256 MiB of memory, live set 1 MiB"
    assert left_out(base, slow) == "no cell of it had steady traffic of 1000 requests/s"
    assert left_out(base, long) == "saturate was measured for 1 s and 2 s"
    assert left_out(base, real) == "one of the two is made up, the other measured"


def test_cells_of_other_rates_are_not_pooled(night):
    nights = [
        night(day, steady("a", "go", 40), steady("b", "go", 99, rate_per_s=500.0)) for day in (1, 2)
    ]  # fmt: skip
    found = trend.study(against(nights[0], nights[1]))
    (series,) = [one for one in found.series if one.figure.name == "cpu_a_request"]
    assert [(point.estimate.value, point.estimate.n) for point in series.points] == [(pytest.approx(40), 1)] * 2
    slow = trend.study(against(nights[0], nights[1], rate_per_s=500.0))
    assert [point.estimate.value for point in slow.series[0].points] == pytest.approx([99, 99])


def test_a_run_that_is_there_twice_is_compared_once(night, tmp_path):
    base, other = (night(day, saturated("a", "go", 100)) for day in (1, 2))
    copy = tmp_path / "copy"
    shutil.copytree(other.folder, copy)
    found = comparable(base, [str(base.folder), str(other.folder), str(copy)])
    assert [run.name for run in found.runs] == ["night-1", "night-2"]
    assert found.left_out == ()


def test_of_many_runs_the_newest_are_taken_and_the_base(nights):
    found = against(nights[0], *nights[1:], newest=2)
    assert [run.name for run in found.runs] == ["night-1", "night-7", "night-8"]
    assert {out.reason for out in found.left_out} == {"older than the newest 2"}


def test_without_names_every_run_is_looked_at(nights, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "RUNS", tmp_path)
    monkeypatch.setattr(data, "DATA", tmp_path / "none")
    assert len(comparable(nights[0]).runs) == 8


def test_a_run_that_does_not_exist_is_an_error_and_not_left_out(night):
    with pytest.raises(UnknownName, match="night-99"):
        comparable(night(1, saturated("a", "go", 100)), ["night-99"])


def figures(run, name):
    (figure,) = [one for one in followed("sigkill") if one.name == name]
    return dict(figure.processes(run, False))


def test_p99_is_that_of_each_process_and_none_where_it_is_only_known_from_below(run):
    def cell(name, variant, requests):
        return WrittenCell(name, variant, variant, requests=requests)

    unanswered = dataclasses.replace(served(5.0)[0], outcome="timeout")
    opened = run(
        cell("a", "go", served(*[1.0] * 98, 8.0, 8.0)), cell("b", "go", served(*[1.0] * 98, 4.0, 4.0)),
        cell("c", "node", [*served(*[1.0] * 98), unanswered, unanswered]),
    )  # fmt: skip
    assert figures(opened, "response_p99") == {"go": pytest.approx([8.0, 4.0], rel=0.01)}


def test_the_share_that_collectors_stop_is_their_pauses_over_the_window(run):
    stops = [
        {"source": "jul_safepoint", "dur_lo_ns": length * MS, "dur_hi_ns": length * MS} for length in (20, 30)
    ]  # fmt: skip
    cell = WrittenCell("a", "java25", "java25", "saturate", "closed", None, served(1.0), pauses=stops)
    assert figures(run(cell, saturated("b", "rust", 10)), "stopped") == {"java25": [pytest.approx(0.05)]}
