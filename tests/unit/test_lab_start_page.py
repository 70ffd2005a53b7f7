"""The page that JupyterLab opens on, and the list of runs that it and the chooser show."""

import json
from pathlib import Path

import pytest

from roi import data
from roi.choose import _chooser, run_chooser
from roi.lab import start_page
from roi.lab.folder import Copy
from roi.report import catalog
from roi.report.catalog import Page
from roi.runs_here import RunHere, runs_here
from tests.notebooks.written_run import WrittenCell, served, write

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
OPENS = RunHere("r1", "2026-11-24", "Some CPU, 2 processors", "decision")
DAMAGED = RunHere("r2", why_not="cells.parquet of r2 is missing | truncated.")


@pytest.fixture
def pages():
    notebook = FIXTURES / "takes_parameters.ipynb"
    return {
        "takes_parameters": Page("takes_parameters", "Does it take parameters?", notebook, "analyst"),
        "again": Page("again", "And <others>?", notebook, parameters={"months": 24}, on_request=True),
    }


@pytest.fixture
def two_runs(monkeypatch, tmp_path):
    """Give a folder with a run that opens and one of which a table was cut."""
    monkeypatch.setattr(data, "RUNS", tmp_path)
    monkeypatch.setattr(data, "DATA", tmp_path / "none")
    for name in ("whole", "cut"):
        write(tmp_path / name, [WrittenCell("c1", requests=served(1.0))], run=name)
    (tmp_path / "cut" / "cells.parquet").write_bytes(b"PAR1")
    return tmp_path


def test_notebooks_are_listed_in_the_catalogues_order_with_question_and_audience(pages):
    text = start_page.start_page(pages, [OPENS], {})
    first = "| [takes_parameters](takes_parameters.ipynb) | Does it take parameters? | analyst |  |"
    second = (
        "| [again](takes_parameters.ipynb) | And &lt;others>? | – | `months = 24`; in a report only when it is named |"
    )
    assert f"{first}\n{second}\n" in text


def test_every_parameter_is_listed_once_with_its_value_and_meaning(pages):
    text = start_page.start_page(pages, [OPENS], {})
    assert text.count("`months = ") == 2  # beside the page that sets it, and in the list


def test_runs_stand_with_what_they_are_fit_for_or_why_they_do_not_open(pages):
    text = start_page.start_page(pages, [OPENS, DAMAGED], {})
    assert "| `r1` | 2026-11-24 | Some CPU, 2 processors | decision | yes |" in text
    assert "| `r2` | – | – | – | no: cells.parquet of r2 is missing \\| truncated. |" in text


def test_examples_name_the_newest_run_that_opens(pages):
    text = start_page.start_page(pages, [OPENS, DAMAGED], {})
    assert 'Another run:\n`run = "r1"`' in text
    assert "roi report r1 --only takes_parameters" in text


def test_the_pages_that_know_an_objective_are_named_from_their_notebooks(pages):
    assert "`objective_ms = 20.0`, in none" in start_page.start_page(pages, [OPENS], {})
    text = start_page.start_page(catalog.read(), [OPENS], {})
    assert "`objective_ms = 20.0`, in 13_surge_capacity and 14_slo_attainment" in text
    assert "roi report r1 --only 13_surge_capacity -p objective_ms=20" in text


def test_without_a_run_it_says_how_to_measure_one(pages):
    assert "There is none. `bench run quick` measures one" in start_page.start_page(pages, [], {})


def test_a_notebook_that_was_saved_says_so_and_links_to_the_newer_one(pages):
    copies = {"takes_parameters.ipynb": Copy(True, "takes_parameters.newer.ipynb")}
    text = start_page.start_page(pages, [OPENS], copies)
    assert "saved by you; the suite's is [newer](takes_parameters.newer.ipynb) |" in text


def test_the_page_follows_the_runs_that_are_there(tmp_path, two_runs):
    start_page.write(tmp_path)
    write(two_runs / "later", [WrittenCell("c1", requests=served(1.0))], run="later")
    assert "`later`" not in (tmp_path / "start.md").read_text()
    start_page.write(tmp_path)
    assert (
        "| `later` | 2026-11-24 | Some CPU, 2 processors | decision, synthetic data | yes |"
        in (tmp_path / "start.md").read_text()
    )


def test_a_page_that_would_say_the_same_is_not_written_again(tmp_path, two_runs):
    start_page.write(tmp_path)
    before = (tmp_path / "start.md").stat().st_mtime_ns
    start_page.write(tmp_path)
    assert (tmp_path / "start.md").stat().st_mtime_ns == before


def test_a_run_that_cannot_be_opened_is_listed_with_the_reason(two_runs):
    found = {run.name: run for run in runs_here()}
    assert found["whole"].line() == "whole, 2026-11-24, Some CPU, 2 processors, decision, synthetic data"
    assert found["cut"].why_not == "cells.parquet of cut is missing or truncated. Restore it, or measure again."


def test_a_manifest_that_says_something_else_is_damaged_and_hides_no_other_run(two_runs):
    said = json.loads((two_runs / "cut" / "manifest.json").read_text())
    (two_runs / "cut" / "manifest.json").write_text(json.dumps({"schema_version": said["schema_version"]}))
    found = {run.name: run.opens for run in runs_here()}
    assert found == {"whole": True, "cut": False}


def test_choosing_a_run_sets_it_in_the_notebook_and_says_what_to_run_next():
    namespace = {"run": "r1"}
    choice, told = _chooser([OPENS, RunHere("r3", "2026-11-25", "Some CPU", "decision")], namespace).children
    assert choice.value == "r1"
    choice.value = "r3"
    assert namespace["run"] == "r3"
    assert "Run Selected Cell and All Below" in told.value


def test_a_run_that_is_named_and_not_here_leaves_the_choice_open():
    choice, _ = _chooser([OPENS], {"run": "elsewhere"}).children
    assert choice.value is None


def test_without_a_notebook_the_chooser_does_nothing(capsys):
    assert run_chooser() is None
    assert capsys.readouterr().out == ""
