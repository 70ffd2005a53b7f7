"""`roi verify`: a report is what its run's parquet gives, and any single figure that was changed in it is found and named."""

from __future__ import annotations

import csv
import dataclasses
import json
import random
import re
import shutil
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.store import manifest
from roi import data
from roi.errors import ReportUnreadable, RunChanged
from roi.report import again as again_report
from roi.report import catalog, checksums, findings, publish, verify
from roi.report import stored as stored_report
from roi.report.execute import Status
from roi.report.origin import Origin
from roi.report.plan import plan
from roi.report.runner import Outcome
from roi.report.subject import subject
from roi.views.verdict import as_dict, lines

PAGES = ("14_slo_attainment", "30_roi_factor")
CHANGES = 50
FIGURES = ("value", "lo", "hi", "n")
CELL = re.compile(rb"<td[^>]*>[^<]*\d[^<]*</td>")


@pytest.fixture(scope="module")
def reference():
    return data.find_run(data.REFERENCE)


@pytest.fixture(scope="module")
def made(reference, tmp_path_factory):
    """Give a report of two pages over the reference run, and the same made again."""
    of = subject(reference)
    pages = catalog.choose(catalog.read(), PAGES)
    folder = tmp_path_factory.mktemp("reports") / "reference"
    planned = plan(pages, data.REFERENCE, {})
    report = publish.publish(pages, planned, of.about, folder, run=reference, options=publish.Options(images=False))
    assert report.complete, report.outcomes
    stored = stored_report.read(folder)
    opened = of, stored_report.find_run(stored)[1]
    again = again_report.recompute(stored, catalog.read(), opened, {}, tmp_path_factory.mktemp("again"))
    return stored, again


@pytest.fixture
def changed(made, tmp_path):
    """Give a copy of the report to change, and the same made again."""
    stored, again = made
    shutil.copytree(stored.folder, tmp_path / "reference")
    return dataclasses.replace(stored, folder=tmp_path / "reference"), again


def test_a_report_that_nobody_changed_is_the_same_bit_for_bit(made):
    found = verify.compare(*made)
    assert found.differences == ()
    assert found.tolerance == 0
    assert found.findings == len(findings.read(made[0].folder)) > 20
    assert found.charts == len(list((made[0].folder / "charts").glob("*.csv"))) > 0
    assert list(lines(found))[-1].startswith("reference holds: ")


def test_every_finding_says_what_was_asked_by_which_code_and_with_which_parameters(made):
    rows = pq.read_table(made[0].folder / findings.FILE).to_pylist()
    measured = [row for row in rows if row["notebook"] == "14_slo_attainment"]
    assert {len(row["query_hash"]) for row in measured} == {64}
    assert {row["query_hash"] for row in rows if row["notebook"] == "30_roi_factor"} == {None}
    assert len({row["code_version"] for row in rows}) == 1
    executed = json.loads(measured[0]["parameters"])
    assert executed["run"] == "reference"
    assert set(executed) > {"run"}, "parameters that nobody set are told as well"


def test_any_single_figure_that_is_changed_is_found_and_named(made, tmp_path):
    """Fifty times another figure is changed, and the checksums are written anew: what finds it is that it was computed again."""
    stored, again = made
    drawn = random.Random(20261126)
    folder = tmp_path / "reference"
    shutil.copytree(stored.folder, folder)
    copy = dataclasses.replace(stored, folder=folder)
    change = {"finding": change_a_finding, "csv": change_a_cell, "page": change_a_page}
    kinds = [list(change)[number % 3] for number in range(CHANGES)]
    for kind in kinds:
        name, words, page = change[kind](folder, drawn)
        checksums.write(folder)
        found = verify.compare(copy, again)
        assert len(found.differences) == 1, (name, words, found.differences)
        difference = found.differences[0]
        assert (difference.file, difference.page) == (name, page)
        assert all(word in difference.figure for word in words), (words, difference)
        assert difference.stored != difference.recomputed
        assert any(difference.figure in line for line in lines(found))
        shutil.copyfile(stored.folder / name, folder / name)


def another_digit(text: bytes, drawn: random.Random) -> bytes:
    at = drawn.choice([place for place, one in enumerate(text) if chr(one).isdigit()])
    other = drawn.choice([digit for digit in b"0123456789" if digit != text[at]])
    return text[:at] + bytes([other]) + text[at + 1 :]


def change_a_finding(folder: Path, drawn: random.Random) -> tuple[str, list[str], str]:
    """Change one figure of one row of the findings by a part in ten thousand, or by one where it is a number of cases."""
    table = pq.read_table(folder / findings.FILE)
    rows = table.to_pylist()
    row, field = drawn.choice([(row, field) for row in rows for field in FIGURES if row[field] is not None])
    row[field] = row[field] + 1 if field == "n" else row[field] * 1.0001 or 1e-6
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / findings.FILE)
    return findings.FILE, [f"finding {row['id']} of {row['notebook']}, {field}"], row["notebook"]


def change_a_cell(folder: Path, drawn: random.Random) -> tuple[str, list[str], str]:
    """Change one digit of one number of one chart's CSV."""
    path = drawn.choice(sorted((folder / "charts").glob("*.csv")))
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    number = re.compile(r"-?\d[\d.e+-]*")
    places = [(r, c) for r, row in enumerate(rows) for c, cell in enumerate(row) if number.fullmatch(cell)]
    row, column = drawn.choice(places)
    words = [f"row {row + 1} (", head[column]]
    rows[row][column] = another_digit(rows[row][column].encode(), drawn).decode()
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
    return f"charts/{path.name}", words, next(page for page in PAGES if path.name.startswith(page))


def change_a_page(folder: Path, drawn: random.Random) -> tuple[str, list[str], str]:
    """Change one digit in one cell of a table of a page."""
    page = drawn.choice(PAGES)
    path = folder / f"{page}.html"
    text = path.read_bytes()
    cell = drawn.choice(list(CELL.finditer(text)))
    opened, shown, closed = re.fullmatch(rb"(<td[^>]*>)([^<]*)(</td>)", cell[0]).groups()
    # Entities hold digits that are none of a figure.
    digits = re.sub(rb"&#?\w+;", lambda entity: b"&" * len(entity[0]), shown)
    if not re.search(rb"\d", digits):
        return change_a_page(folder, drawn)
    at = drawn.choice([place for place, one in enumerate(digits) if chr(one).isdigit()])
    other = another_digit(shown[at : at + 1], drawn)
    path.write_bytes(text[: cell.start()] + opened + shown[:at] + other + shown[at + 1 :] + closed + text[cell.end() :])
    return path.name, ["table", ", row "], page


def test_a_figure_on_the_first_page_is_checked_as_well(changed):
    stored, again = changed
    path = stored.folder / "index.html"
    found_at = re.search(r'<td class="number found">([\d,.]+)', path.read_text())
    path.write_text(path.read_text().replace(found_at[0], found_at[0][:-1] + str((int(found_at[0][-1]) + 1) % 10), 1))
    checksums.write(stored.folder)
    difference = verify.compare(stored, again).differences[0]
    assert difference.file == "index.html"
    assert difference.recomputed.startswith(found_at[1])


def test_a_figure_in_the_executed_notebook_and_in_the_drawing_of_a_page_is_checked_as_well(changed):
    stored, again = changed
    path = stored.folder / "notebooks" / "30_roi_factor.ipynb"
    path.write_text(path.read_text().replace("3.1606", "3.1607"))
    page = stored.folder / "14_slo_attainment.html"
    drawing = re.search(r'"x":\[([0-9.]+)', page.read_text()) or re.search(r'"range":\[([0-9.-]+)', page.read_text())
    at = drawing.start(1)
    page.write_text(page.read_text()[:at] + "9" + page.read_text()[at:])
    checksums.write(stored.folder)
    found = {difference.file: difference for difference in verify.compare(stored, again).differences}
    assert "3.1607" in found["notebooks/30_roi_factor.ipynb"].stored
    assert "chart" in found["14_slo_attainment.html"].figure


def test_a_figure_behind_a_chart_of_the_deck_is_checked_and_named_by_its_slide(changed):
    stored, again = changed
    path = stored.folder / "deck.pptx"
    with zipfile.ZipFile(path) as read:
        files = {name: read.read(name) for name in read.namelist()}
    name = next(name for name in files if name.startswith("ppt/charts/chart") and b"3.160596125186289" in files[name])
    files[name] = files[name].replace(b"<c:v>3.160596125186289<", b"<c:v>3.160596125186288<", 1)
    with zipfile.ZipFile(path, "w") as written:
        for one, content in files.items():
            written.writestr(one, content)
    checksums.write(stored.folder)
    (difference,) = verify.compare(stored, again).differences
    assert (difference.file, difference.page) == ("deck.pptx", "30_roi_factor")
    assert re.match(
        r"slide \d+ \(“The same inputs give .*”\), Chart 30_roi_factor-factor_readings, series", difference.figure
    )
    assert (difference.stored, difference.recomputed) == ("3.160596125186288", "3.160596125186289")


def test_files_that_are_missing_added_or_changed_are_named(changed):
    stored, again = changed
    csv = next(iter(sorted((stored.folder / "charts").glob("*.csv"))))
    csv.unlink()
    (stored.folder / "note.txt").write_text("added")
    with (stored.folder / "charts.js").open("a") as script:
        script.write("// another")
    said = {d.file: (d.stored, d.recomputed) for d in verify.compare(stored, again).differences}
    assert said == {
        f"charts/{csv.name}": ("not there", "published with the report"),
        "note.txt": ("there", "not published with the report"),
        "charts.js": ("changed", "as it was published"),
    }


def test_a_damaged_findings_file_is_a_difference_and_no_traceback(changed):
    stored, again = changed
    (stored.folder / findings.FILE).write_bytes(b"PAR1 nothing")
    difference = verify.compare(stored, again).differences[0]
    assert difference.file == findings.FILE
    assert "damaged" in difference.stored


def test_a_page_that_cannot_be_computed_again_is_a_difference(changed):
    stored, again = changed
    failed = Outcome("30_roi_factor", Status.CELL_ERROR, "Cell 3 failed: KeyError: 'go'")
    broken = dataclasses.replace(again, outcomes={**again.outcomes, "30_roi_factor": failed})
    difference = verify.compare(stored, broken).differences[0]
    assert difference.page == "30_roi_factor"
    assert "Cell 3 failed" in difference.recomputed


def test_a_run_that_was_judged_again_and_other_code_are_said_with_what_differs(changed):
    stored, again = changed
    was = stored.origin
    then = Origin(
        run={**was.run, "cells.parquet": "0" * 64}, code={**was.code, "roi/slo.py": "0" * 64}, commit="0123456789ab",
        inputs=was.inputs, machine={**was.machine, "library numpy": "1.0"},
    )  # fmt: skip
    found = verify.compare(dataclasses.replace(stored, origin=then), again)
    judged, code, machine = found.changes
    assert "judged again" in judged
    assert judged.endswith("cells.parquet.")
    assert "commit 0123456789ab then" in code
    assert code.endswith("roi/slo.py.")
    assert machine.endswith("library numpy.")
    assert found.holds, "the figures are the same, and say so"
    assert found.tolerance == verify.TOLERANCE


def test_the_last_bits_count_on_the_machine_that_made_the_report_and_on_no_other(changed):
    stored, again = changed
    path = sorted((stored.folder / "charts").glob("30_roi_factor-*.csv"))[0]
    value = re.search(r"\d+\.\d{2,}", path.read_text())[0]
    path.write_text(path.read_text().replace(value, repr(float(value) * (1 + 1e-12)), 1))
    checksums.write(stored.folder)
    assert [difference.recomputed for difference in verify.compare(stored, again).differences] == [value]
    other = dataclasses.replace(stored.origin, machine={**stored.origin.machine, "processor": "another"})
    assert verify.compare(dataclasses.replace(stored, origin=other), again).holds


def test_of_two_runs_of_one_name_the_one_that_the_report_was_made_from_is_taken(made, reference, monkeypatch, tmp_path):
    stored, _ = made
    excerpt = tmp_path / stored.run
    shutil.copytree(reference, excerpt)
    said = json.loads((excerpt / manifest.FILE).read_text())
    (excerpt / manifest.FILE).write_text(json.dumps(said | {"excerpt": "half of it"}))
    monkeypatch.setattr(data, "RUNS", tmp_path)
    elsewhere = {name: {**page, "parameters": {"run": stored.run}} for name, page in stored.pages.items()}
    assert stored_report.find_run(stored)[0] == reference
    both = dataclasses.replace(stored, pages=stored.pages | {"00_data_quality": elsewhere["30_roi_factor"]})
    assert stored_report.find_run(both)[0] == reference
    assert stored_report.find_run(dataclasses.replace(stored, pages=elsewhere))[0] == excerpt


def test_a_run_that_is_gone_or_another_is_an_error_that_names_it(made, monkeypatch, tmp_path):
    stored, _ = made
    gone = dataclasses.replace(stored, run="standard-19990101")
    with pytest.raises(RunChanged, match="about the run standard-19990101, and reference is the run"):
        stored_report.find_run(gone)
    monkeypatch.setattr(data, "DATA", tmp_path)
    monkeypatch.setattr(data, "RUNS", tmp_path)
    with pytest.raises(RunChanged, match="is not there any more"):
        stored_report.find_run(stored)


def test_a_run_is_found_where_it_is_said_to_be(made, reference, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "DATA", tmp_path)
    monkeypatch.setattr(data, "RUNS", tmp_path)
    assert stored_report.find_run(made[0], str(reference)) == (reference, str(reference.absolute()))


def test_a_table_that_is_not_what_the_manifest_says_is_refused_before_anything_is_computed(reference, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(reference, folder)
    stored_report.check_run(folder)
    path = folder / "faults.parquet"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(RunChanged, match=r"faults\.parquet of the run .* is not what its manifest says"):
        stored_report.check_run(folder)


def test_a_folder_that_is_no_report_and_one_that_keeps_no_origin_are_refused(tmp_path):
    with pytest.raises(ReportUnreadable, match=r"has no status\.json"):
        stored_report.read(tmp_path)
    (tmp_path / "status.json").write_text("{}")
    with pytest.raises(ReportUnreadable, match="Make it again"):
        stored_report.read(tmp_path)


@pytest.fixture
def roi(made, command_line, monkeypatch):
    """Give the command line; what it would compute again is what was."""
    monkeypatch.setattr(again_report, "recompute", lambda *_: made[1])
    return command_line


def test_the_command_line_ends_with_0_where_all_is_the_same_and_with_1_where_not_and_names_it(roi, changed):
    folder = changed[0].folder
    code, out, err = roi("verify", str(folder))
    assert code == 0, out + err
    assert "reference holds: " in out
    path = next(iter(sorted((folder / "charts").glob("30_roi_factor-*.csv"))))
    head, first, *rest = path.read_text().splitlines(keepends=True)
    value = re.search(r"\d+\.\d+", first)[0]
    path.write_text("".join([head, first.replace(value, f"9{value}", 1), *rest]))
    code, out, _ = roi("verify", str(folder), "--json")
    said = json.loads(out)
    assert (code, said["holds"]) == (1, False)
    (difference,) = said["differences"]
    assert difference["file"] == f"charts/{path.name}"
    assert difference["page"] == "30_roi_factor"
    assert difference["figure"].startswith("row 1 (")
    assert (difference["stored"], difference["recomputed"]) == (f"9{value}", value)


def test_the_command_line_refuses_a_folder_that_is_no_report_in_a_sentence(roi, tmp_path):
    code, _, err = roi("verify", str(tmp_path))
    assert code == 1
    assert "is no report" in " ".join(err.split())
    assert "Traceback" not in err


def test_a_page_that_was_not_complete_is_said_to_be_unchecked(made):
    stored, again = made
    failed = {**stored.pages, "20_recovery": {"status": "cell_error"}}
    found = verify.compare(dataclasses.replace(stored, pages=failed), again)
    assert any(sentence.startswith("20_recovery was not complete (cell_error)") for sentence in found.unchecked)


def test_a_verdict_is_plain_values(made):
    assert json.loads(json.dumps(as_dict(verify.compare(*made))))["holds"] is True
