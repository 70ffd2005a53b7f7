"""What is kept is found by all that it was made from, and by nothing less."""

import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from roi import data
from roi.charts.spec import ChartSpec
from roi.report import kept, origin, privacy
from roi.report.catalog import Page
from roi.report.kept import Kept
from tests.unit.bare_run import manifest_of

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
PAGE = Page("p", "P?", FIXTURES / "takes_parameters.ipynb")
ORIGIN = origin.Origin({"cells.parquet": "a"}, {}, None, {"claims.toml": "b"}, {"python": "3.11"})


def name(page=PAGE, parameters=None, made_from=ORIGIN, files=()):
    return kept.of_notebook(page, parameters or {"run": "r7", "months": 3}, made_from, kept.runs_named(files))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(data, "DATA", tmp_path)
    for run in ("r7", "r8"):
        (tmp_path / "runs" / run).mkdir(parents=True)
        manifest_of(tmp_path / "runs" / run, run)
    return tmp_path / "runs"


def test_what_is_kept_is_taken_and_what_is_not_is_not(tmp_path):
    there = Kept(tmp_path / "kept")
    assert not there.take("a.ipynb", tmp_path / "target")
    there.keep("a.ipynb", b"content")
    assert there.take("a.ipynb", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"content"
    assert os.listdir(there.folder) == ["a.ipynb"]


def test_where_nothing_can_be_kept_nothing_happens(tmp_path):
    (tmp_path / "file").write_text("no folder")
    Kept(tmp_path / "file").keep("a", b"content")
    Kept(tmp_path / "file").tidy()
    assert (tmp_path / "file").read_text() == "no folder"


def test_the_files_that_were_not_used_for_the_longest_time_go(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    there = Kept(tmp_path / "kept")
    for age, file in enumerate(("new", "middle", "old")):
        there.keep(file, b"")
        os.utime(there.folder / file, (1e9 - age, 1e9 - age))
    there.take("old", tmp_path / "target")
    there.tidy()
    assert sorted(os.listdir(there.folder)) == ["new", "old"]


def test_the_same_notebook_over_the_same_has_the_same_name(runs):
    assert name() == name()


@pytest.mark.parametrize(
    "other",
    [
        {"page": replace(PAGE, notebook=FIXTURES / "takes_runs.ipynb")},
        {"parameters": {"run": "r7", "months": 4}},
        {"parameters": {"run": "r8", "months": 3}},
        {"made_from": replace(ORIGIN, run={"cells.parquet": "other"})},
        {"made_from": replace(ORIGIN, inputs={"claims.toml": "other"})},
        {"made_from": replace(ORIGIN, machine={"python": "3.12"})},
    ],
)
def test_another_notebook_parameter_run_input_or_library_is_another_name(runs, other):
    assert name(**other) != name()


def test_other_code_is_another_name(runs, monkeypatch):
    before = name()
    monkeypatch.setattr(kept, "code_version", lambda: "other")
    assert name() != before


def test_names_of_the_machine_that_are_asked_for_are_another_name(runs):
    with privacy.showing_names(True):
        shown = name()
    assert shown != name()


def test_a_run_that_a_parameter_or_a_file_names_counts_with_what_is_in_it(runs, tmp_path):
    inputs = tmp_path / "mine.toml"
    inputs.write_text('[about]\nrun = "r8"\n')
    by_parameter = {"run": "r7", "base": "r8"}, ()
    by_file = {"run": "r7", "inputs": str(inputs)}, (inputs,)
    before = [name(parameters=parameters, files=files) for parameters, files in (by_parameter, by_file)]
    without = name(parameters={"run": "r7"})
    manifest_of(runs / "r8", "r8", "2026-11-22T10:00:00+00:00")
    after = [name(parameters=parameters, files=files) for parameters, files in (by_parameter, by_file)]
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert name(parameters={"run": "r7"}) == without


def test_a_page_over_all_runs_counts_with_each_of_them(runs):
    page = replace(PAGE, reads="runs")
    before = name(page)
    manifest_of(runs / "r8", "r8", "2026-11-22T10:00:00+00:00")
    assert name(page) != before


def test_an_image_is_named_by_its_chart_its_ending_and_the_browser(tmp_path):
    spec = ChartSpec("a", "bars", pd.DataFrame({"x": ["go"], "y": [1.0]}), "x", "y", title="A", alt="A")
    browsers = [tmp_path / "one", tmp_path / "two"]
    for browser in browsers:
        browser.write_text(browser.name)
    known = {
        kept.of_image(spec, str(browsers[0]), "png"), kept.of_image(spec, str(browsers[0]), "svg"),
        kept.of_image(spec, str(browsers[1]), "png"), kept.of_image(spec.replace(title="B"), str(browsers[0]), "png"),
    }  # fmt: skip
    assert len(known) == 4
    assert kept.of_image(spec, str(browsers[0]), "png") in known
