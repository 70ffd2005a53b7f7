"""What a deck is made from and where it goes: the report's own words against itself, the report that is asked for, the file."""

from __future__ import annotations

import nbformat
import pytest

from roi.errors import DeckNotWritten, ReportUnreadable
from roi.report.deck.make import save
from roi.report.deck.published import find_report
from roi.report.deck.spoken import Spoken, plain, spoken


def test_the_case_against_is_what_stands_below_its_heading_and_what_code_says_there(tmp_path):
    book = nbformat.v4.new_notebook()
    says = nbformat.v4.new_output("execute_result", {"text/markdown": "With **0.16** it *loses*."}, execution_count=1)
    code = [nbformat.v4.new_code_cell("say()", outputs=[says]) for _ in range(3)]
    table = nbformat.v4.new_code_cell("shown()")
    table.outputs = [nbformat.v4.new_output("execute_result", {"text/html": "<table>"}, execution_count=1)]
    book.cells = [
        nbformat.v4.new_markdown_cell("# Does it pay?"), code[0],
        nbformat.v4.new_markdown_cell("Before.\n\n## The case against\n\n- One machine, `2` cores,\n  one payload.\n- None asked."),
        code[1], table, nbformat.v4.new_markdown_cell("## What is recorded\n\nNothing."), code[2],
    ]  # fmt: skip
    nbformat.write(book, tmp_path / "a.ipynb")
    assert spoken(tmp_path / "a.ipynb") == Spoken(
        "With 0.16 it loses.", ("One machine, 2 cores, one payload.", "None asked.", "With 0.16 it loses.")
    )


def test_marks_for_emphasis_are_taken_off_and_signs_of_multiplication_stay():
    assert plain("a **b *c*** `d` 2 * 3 * 4 and f_x") == "a b c d 2 * 3 * 4 and f_x"


def test_a_deck_is_asked_for_by_folder_or_by_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportUnreadable, match="nothing is neither the folder of a report nor a run"):
        find_report("nothing")
    with pytest.raises(ReportUnreadable, match=r"has no report in reports\. Make it with: roi report reference"):
        find_report("reference")
    (tmp_path / "r7").mkdir()
    (tmp_path / "r7" / "status.json").write_text("{}")
    assert find_report("r7") == (tmp_path / "r7").resolve()


def test_a_deck_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    with pytest.raises(DeckNotWritten, match="Name another place with --out"):
        save(b"deck", tmp_path / "missing" / "a.pptx")
    (tmp_path / "folder.pptx").mkdir()
    with pytest.raises(DeckNotWritten):
        save(b"deck", tmp_path / "folder.pptx")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pptx"]
