"""The command line: an error is a sentence, and a report that is not complete is not a success."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from roi import data
from roi.report import catalog
from tests.unit.bare_run import manifest_of

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"


@pytest.fixture
def roi(command_line, monkeypatch, tmp_path):
    folder = tmp_path / "runs" / "r7"
    folder.mkdir(parents=True)
    manifest_of(folder)
    read = catalog.read
    monkeypatch.setattr(data, "find_run", lambda name: folder)
    monkeypatch.setattr(data, "DATA", tmp_path)
    monkeypatch.setattr(data, "RUNS", tmp_path / "runs")
    monkeypatch.setenv("ROI_KEPT", str(tmp_path / "kept"))
    monkeypatch.setattr(catalog, "read", lambda: read(FIXTURES))
    monkeypatch.setenv("BROWSER_PATH", "no-such-browser")
    monkeypatch.chdir(tmp_path)
    return command_line


def test_a_report_of_pages_that_are_ok_is_a_success(roi, tmp_path):
    code, out, err = roi("report", "latest", "-p", "months=12", "--only", "takes_parameters", "--json")
    assert code == 0, err
    page = json.loads(out)["notebooks"]["takes_parameters"]
    assert (page["status"], page["parameters"]) == ("ok", {"run": "r7", "months": 12, "rate": 0.1})
    assert "synthetic" in (tmp_path / "reports" / "r7" / "index.html").read_text()


def test_a_page_that_is_not_ok_makes_the_exit_code_1(roi):
    code, out, err = roi("report", "r7", "--only", "needs_faults")
    assert code == 1
    assert "skipped" in err
    assert "The run holds no faults." in err
    assert "reports/r7/index.html" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("report", "-p", "month=12"), "Did you mean months"),
        (("report", "-p", "months=999"), "cannot be 999"),
        (("report", "-p", "run=x"), "roi report RUN"),
        (("report", "--only", "kernel_dead"), "Did you mean kernel_dies"),
        (("report", "--language", "fr"), "There is: en, zh"),
        (("report", "--nothing"), "No such option"),
        (("rport",), "No such command"),
    ],
)
def test_an_error_is_a_sentence_without_a_traceback(roi, tmp_path, arguments, sentence):
    code, _, err = roi(*arguments)
    assert code in (1, 2)
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err
    assert not (tmp_path / "reports").exists()


def test_help_loads_neither_pandas_nor_papermill():
    program = "import sys, roi.cli; print([name for name in ('pandas', 'papermill', 'plotly') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
