"""A report replaces the earlier one whole or not at all, and names neither machine nor user."""

import json
import os
import re
import shutil
import socket
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from roi.charts import image
from roi.errors import ReportNotPublished
from roi.report import catalog, place
from roi.report.contents import About
from roi.report.plan import plan
from roi.report.privacy import showing_names, without_names
from roi.report.publish import publish

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
ABOUT = About("r7", "Some CPU, 2 cores", "2026-11-20", "indicative")
NAMES = [
    "records_and_charts",
    "shows_text_that_looks_like_markup",
    "fails_in_second_cell",
    "declares_no_run",
    "needs_faults",
]


def make(target, names):
    pages = catalog.choose(catalog.read(FIXTURES), names)
    return publish(pages, plan(pages, "r7", {}, ["cells"]), ABOUT, target)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    # Without a browser: what images look like is another test's matter.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BROWSER_PATH", "no-such-browser")
        return make(tmp_path_factory.mktemp("reports") / "r7", NAMES)


def test_the_status_file_tells_what_became_of_every_page(made):
    said = json.loads((made.folder / "status.json").read_text())
    assert {name: page["status"] for name, page in said["notebooks"].items()} == {
        "records_and_charts": "ok", "shows_text_that_looks_like_markup": "ok", "fails_in_second_cell": "cell_error",
        "declares_no_run": "bad_parameters", "needs_faults": "skipped",
    }  # fmt: skip
    assert said["images"] == "skipped"
    assert not made.complete


def test_a_missing_chromium_is_a_sentence_on_the_first_page(made):
    assert "apt-get install chromium" in (made.folder / "index.html").read_text()
    assert made.files == {"images": "skipped", "pdf": "skipped", "deck": "ok"}


def test_findings_are_gathered_from_pages_that_are_ok(made):
    rows = pq.read_table(made.folder / "findings.parquet").to_pylist()
    assert [(row["id"], row["value"], row["claim_value"]) for row in rows] == [
        ("density_go", 9100.0, 12400.0), ("go_over_java", 1.23, 2.3), ("pauses_rust", None, None), ("aa_noise", 0.031, None),
        ("<i>markup</i>", 1.0, None),
    ]  # fmt: skip


def test_the_first_page_sets_findings_beside_claims(made):
    index = (made.folder / "index.html").read_text()
    assert "1 of the 2 claimed figures that this run can test is contradicted" in index
    assert "36.3% higher" in index
    assert "within our interval" in index


def test_every_page_has_its_file_and_the_failed_one_shows_why(made):
    assert {path.stem for path in made.folder.glob("*.html")} == {"index", *NAMES}
    assert "KeyError" in (made.folder / "fails_in_second_cell.html").read_text()
    assert "the third cell must not run" in (made.folder / "fails_in_second_cell.html").read_text()


def test_each_chart_has_the_csv_of_its_rows(made):
    lines = (made.folder / "charts" / "records_and_charts-density.csv").read_text().splitlines()
    assert lines[0] == "variant,density,lo,hi,n"
    assert lines[1] == "go,9100.0,8800.0,9350.0,10"


def test_no_page_names_an_address_a_machine_path_or_a_host(made):
    for path in (*made.folder.glob("*.html"), *made.folder.glob("notebooks/*"), made.folder / "status.json"):
        text = path.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), path.name
        assert str(Path.home()) + "/" not in text, path.name
        assert str(FIXTURES.parents[1]) not in text, path.name
        assert str(made.folder) not in text, path.name
        assert (
            len(socket.gethostname()) < 4
            or socket.gethostname() in ("localhost", "main")
            or socket.gethostname() not in text
        ), path.name


def test_text_that_looks_like_markup_is_shown_as_text(made):
    for path in (made.folder / "index.html", made.folder / "shows_text_that_looks_like_markup.html"):
        text = path.read_text()
        # The source of the cell is shown, too: highlighted, and as text.
        assert "<script>alert" not in text, path.name
        assert "<img src=x>" not in text, path.name


def test_pages_offer_no_upload(made):
    assert '"showSendToCloud":false,"plotlyServerURL":""' in (made.folder / "records_and_charts.html").read_text()


def test_a_new_report_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "r7"
    target.mkdir()
    (target / "status.json").write_text("{}")
    (target / "old.html").write_text("old")
    make(target, ["declares_no_run"])
    assert not (target / "old.html").exists()
    assert os.listdir(tmp_path) == ["r7"]


def test_a_folder_that_is_no_report_is_not_replaced(tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ReportNotPublished, match="is no report"):
        make(tmp_path, ["declares_no_run"])
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_an_interrupted_report_leaves_the_old_one_as_it_was(tmp_path, monkeypatch):
    target = tmp_path / "r7"
    target.mkdir()
    (target / "status.json").write_text("{}")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("roi.report.publish.write_images", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(target, ["declares_no_run"])
    assert (target / "status.json").read_text() == "{}"
    assert os.listdir(tmp_path) == ["r7"]


def test_an_image_that_fails_is_published_as_failed(tmp_path, monkeypatch):
    def failing(*_):
        raise image.ImagesFailed("Chromium drew nothing for: density.png.")

    monkeypatch.setattr("roi.report.publish.write_images", failing)
    made = make(tmp_path / "r7", ["declares_no_run"])
    assert json.loads((tmp_path / "r7" / "status.json").read_text())["images"] == "failed"
    assert made.files["images"] == "failed"
    assert not made.complete


def test_machine_paths_are_cut_to_what_is_inside_of_the_project(tmp_path):
    root = FIXTURES.parents[2]
    text = f'File "{root}/roi/cli.py", line 3; {Path.home()}/secret; {tmp_path}/out'
    assert without_names(text, [tmp_path]) == 'File "roi/cli.py", line 3; ~/secret; out'


def test_names_of_the_machine_stay_where_they_are_asked_for_and_the_working_folder_does_not(tmp_path):
    text = f"{Path.home()}/secret; {tmp_path}/out"
    with showing_names(True):
        assert without_names(text, [tmp_path]) == f"{Path.home()}/secret; out"
    assert without_names(text, [tmp_path]) == "~/secret; out"


def test_the_status_file_says_whether_names_were_left_in(tmp_path):
    with showing_names(True):
        made = make(tmp_path / "r7", ["declares_no_run"])
    assert json.loads((made.folder / "status.json").read_text())["names"] is True


def test_places_change_at_one_instant_where_the_disk_can_and_in_steps_where_not(tmp_path, monkeypatch):
    one, other = tmp_path / "one", tmp_path / ".one.work"
    for exchange in (place._exchange, lambda *_: False):
        monkeypatch.setattr(place, "_exchange", exchange)
        for folder in (one, other):
            folder.mkdir()
            (folder / "name").write_text(folder.name)
        place._replace(one, other)
        assert [(one / "name").read_text(), (other / "name").read_text()] == [".one.work", "one"]
        assert sorted(os.listdir(tmp_path)) == [".one.work", "one"]
        shutil.rmtree(one)
        shutil.rmtree(other)


def test_an_earlier_report_that_was_put_aside_when_the_process_was_killed_comes_back(tmp_path):
    aside = tmp_path / ".r7.work.aside"
    aside.mkdir()
    (aside / "status.json").write_text("{}")
    with pytest.raises(KeyboardInterrupt), place.workplace(tmp_path / "r7"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == ["r7"]
    assert (tmp_path / "r7" / "status.json").read_text() == "{}"
