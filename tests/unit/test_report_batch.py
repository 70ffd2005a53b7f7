"""Several reports in one call: each has an outcome of its own, and none hides another's."""

import json
import shutil
from pathlib import Path

import pytest

from roi import data
from roi.errors import BadParameters, UnknownName
from roi.report import batch, catalog, sets
from roi.report.gather import Telling
from roi.report.publish import Options
from tests.unit.bare_run import manifest_of

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"


@pytest.fixture
def roi(command_line, monkeypatch, tmp_path):
    """Give the command line over the fixture notebooks, with the runs r7 and r8."""
    for name in ("r7", "r8"):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        manifest_of(folder, name)
    read = catalog.read
    monkeypatch.setattr(data, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(data, "DATA", tmp_path)
    monkeypatch.setattr(catalog, "read", lambda: read(FIXTURES))
    monkeypatch.setenv("BROWSER_PATH", "no-such-browser")
    monkeypatch.setenv("ROI_KEPT", str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    return command_line


def endings(out):
    return [(one["run"], one["set"], one["ending"]) for one in json.loads(out)["reports"]]


def test_every_run_and_every_set_makes_a_report_and_an_overview_shows_them_all(roi, tmp_path):
    (tmp_path / "sets.toml").write_text("[short]\nmonths = 6\n[long]\nmonths = 60\n")
    code, out, err = roi("report", "r7", "r8", "--only", "takes_parameters", "--sets", "sets.toml", "--json")
    assert code == 0, err
    assert endings(out) == [
        ("r7", "short", "complete"), ("r7", "long", "complete"), ("r8", "short", "complete"), ("r8", "long", "complete"),
    ]  # fmt: skip
    months = {}
    for folder in ("r7-short", "r7-long", "r8-short", "r8-long"):
        said = json.loads((tmp_path / "reports" / folder / "status.json").read_text())
        months[folder] = said["notebooks"]["takes_parameters"]["parameters"]["months"]
        assert said["about"]["set"] == folder.split("-")[1]
    assert months == {"r7-short": 6, "r7-long": 60, "r8-short": 6, "r8-long": 60}
    overview = (tmp_path / "reports" / "overview.html").read_text()
    assert all(f'href="{folder}/index.html"' in overview for folder in months)


def test_a_run_that_cannot_be_opened_is_not_published_and_the_others_are(roi, tmp_path):
    shutil.rmtree(tmp_path / "runs" / "r8")
    code, out, _ = roi("report", "r8", "r7", "--only", "takes_parameters", "--json")
    assert code == 1
    assert endings(out) == [("r8", None, "not_published"), ("r7", None, "complete")]
    assert "There is no run named 'r8'" in json.loads(out)["reports"][0]["sentence"]
    assert (tmp_path / "reports" / "r7" / "index.html").is_file()
    assert not (tmp_path / "reports" / "r8").exists()


def test_a_page_that_fails_makes_its_report_incomplete_and_the_exit_code_1(roi, tmp_path):
    code, out, _ = roi("report", "r7", "r8", "--only", "fails_in_second_cell", "--json")
    assert code == 1
    assert [ending for *_, ending in endings(out)] == ["incomplete", "incomplete"]
    assert json.loads(out)["reports"][0]["pages"] == {"fails_in_second_cell": "cell_error"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "holds no parameter set"),
        ("months = 3", "outside of any set"),
        ("[Big]\nmonths = 3", "names a folder"),
        ("[a", "is not TOML"),
        ("[a]\nmonth = 3", "Did you mean months"),
        ("[a]\nmonths = 999", "cannot be 999"),
        ('[a]\nmonths = "3"', "cannot be '3'"),
        ('[a]\nrun = "r7"', "roi report RUN"),
    ],
)
def test_a_set_that_cannot_be_meant_stops_everything_with_a_sentence(roi, tmp_path, content, sentence):
    (tmp_path / "sets.toml").write_text(content)
    code, _, err = roi("report", "r7", "--only", "takes_parameters", "--sets", "sets.toml")
    assert code == 1
    assert sentence in " ".join(err.split())
    assert not (tmp_path / "reports").exists()


def test_a_sets_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadParameters, match=r"gone\.toml cannot be read: No such file"):
        sets.read(tmp_path / "gone.toml")


def test_pages_are_chosen_by_their_audience(roi, tmp_path):
    code, out, err = roi("report", "r7", "--audience", "cto", "--json")
    assert code == 0, err
    assert list(json.loads(out)["notebooks"]) == ["records_and_charts"]
    code, _, err = roi("report", "r7", "--audience", "CEO")
    assert code == 1
    assert "There is no audience in the catalogue named 'CEO'" in " ".join(err.split())


def orders(*runs, over_runs=(), pages=()):
    return batch.orders(runs, {"": {}}, pages, {}, lambda run, of: Path(run), over_runs)


def test_the_newest_of_several_runs_gets_the_page_over_all_of_them(roi, tmp_path):
    manifest_of(tmp_path / "runs" / "r7", "r7", "2026-11-21T10:00:00+00:00")
    page = catalog.Page("over_runs", "What changed?", FIXTURES / "takes_runs.ipynb", over_runs=True)
    made = orders("r7", "r8", over_runs=[page])
    assert [[page.name for page in order.pages] for order in made] == [["over_runs"], []]
    assert made[0].planned.parameters["over_runs"] == {"run": "r7", "runs": ["r7", "r8"]}
    assert [order.pages for order in orders("r8", over_runs=[page])] == [()]


def test_two_names_of_one_run_are_refused_before_one_report_overwrites_the_other(roi, tmp_path):
    shutil.copytree(tmp_path / "runs" / "r7", tmp_path / "copy")
    with pytest.raises(BadParameters, match="name one of them alone"):
        orders("r7", str(tmp_path / "copy"))


def test_a_single_run_that_is_not_there_is_an_error_of_the_command(roi):
    with pytest.raises(UnknownName, match="r9"):
        orders("r9")


def test_a_report_that_cannot_be_published_does_not_hold_up_the_next(roi, tmp_path):
    pages = catalog.choose(catalog.read(), ["takes_parameters"])
    (tmp_path / "out" / "r7").mkdir(parents=True)
    (tmp_path / "out" / "r7" / "precious.txt").write_text("mine")
    wanted = batch.orders(["r7", "r8"], {"": {}}, pages, {}, lambda run, of: tmp_path / "out" / run)

    class Quiet(Telling):
        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

    made = batch.make(wanted, Options(), lambda order: Quiet())
    assert [one.ending for one in made] == ["not_published", "complete"]
    assert "is no report" in made[0].sentence
    assert (tmp_path / "out" / "r7" / "precious.txt").read_text() == "mine"
