"""Headings can be linked to and skip no level; pages lead to each other; findings have a place and a source."""

import nbformat
import pandas as pd
import pytest

from roi.charts.spec import ChartSpec
from roi.charts.table import html_table
from roi.report.catalog import Page
from roi.report.contents import About, answers_of, contents
from roi.report.execute import Status
from roi.report.findings import Finding, anchor, table
from roi.report.outline import Heading, outlined
from roi.report.pages import Sources, page
from roi.report.runner import Outcome

LISTED = [("one", "First?"), ("two", "Second & last?"), ("three", "Third?")]


def test_headings_have_ids_of_their_words_and_no_two_the_same():
    found = outlined("<h1>What?</h1><h2>At <em>this</em> rate</h2><h2>At this rate</h2>")
    assert found.body == (
        '<h1 id="section-what">What?</h1><h2 id="section-at-this-rate">At <em>this</em> rate</h2>'
        '<h2 id="section-at-this-rate-2">At this rate</h2>'
    )
    assert found.headings == (
        Heading("section-at-this-rate", "At this rate"),
        Heading("section-at-this-rate-2", "At this rate"),
    )
    assert found.titled


def test_a_heading_of_other_letters_has_an_id_too():
    assert outlined("<h2>饱和 &amp; 停顿</h2>").headings == (Heading("section-饱和-停顿", "饱和 & 停顿"),)


def test_a_heading_that_skips_a_level_moves_up():
    assert "<h3" in outlined("<h2>a</h2><h4>b</h4>").body
    assert "<h4" not in outlined("<h2>a</h2><h4>b</h4>").body


@pytest.mark.parametrize(
    ("name", "before", "after"), [("one", None, "two"), ("two", "one", "three"), ("three", "two", None)]
)
def test_a_page_leads_to_those_before_and_after_it(name, before, after):
    text = page("Title", Outcome(name, Status.SKIPPED, "no"), {}, "run r", LISTED)
    assert (f'rel="prev" href="{before}.html"' in text) == (before is not None)
    assert (f'rel="next" href="{after}.html"' in text) == (after is not None)
    assert text.count("rel=") == 1 + (before is not None) + (after is not None) + 1  # icon and style sheet


def test_a_page_that_never_ran_has_a_title_and_says_why():
    text = page("Is <b> shown?", Outcome("one", Status.BAD_PARAMETERS, "x < y"), {}, "run r")
    assert "<h1>Is &lt;b&gt; shown?</h1>" in text
    assert "x &lt; y" in text


def test_a_row_of_findings_has_its_place_its_query_and_the_beginning_of_its_hash():
    sources = Sources()
    long = "\n    select *\n    from cells\n"
    first = Finding("a b", 1.0, "s", run="r7", query=long, query_hash="0123456789abcdef")
    other = Finding("c", 2.0, "s", query="roi.factor.autopsy")
    text = table([first, other], sources.place, {"a b"})
    (listed,) = sources.listed()
    assert f"href='#{listed['id']}'" in text
    assert listed["text"] == "select *\nfrom cells"
    assert "id='finding-a-b'" in text
    assert "id='finding-c'" not in text
    assert "<code>01234567</code>" in text
    assert "run r7" in text
    assert "<code>roi.factor.autopsy</code>" in text


def test_a_table_in_a_notebook_names_no_query():
    text = table([Finding("a", 1.0, "s", query="q", query_hash="0123")])
    assert "0123" not in text
    assert "Source" not in text


def test_an_id_with_markup_makes_an_anchor_without():
    assert anchor("<i>x</i> y") == "finding--i-x-i-y"


def test_the_first_page_leads_to_the_row_of_a_finding_and_says_what_a_page_answers(tmp_path):
    listed = [(Page("one", "How many?", tmp_path / "one.ipynb"), Outcome("one", Status.OK))]
    found = [("one", Finding("density", 9.0, "requests/s"))]
    text = contents(About("r7"), listed, found, "now", answers={"one": "Nine & no more."})
    assert 'href="one.html#finding-density"' in text
    assert "Nine &amp; no more." in text
    assert "report.pdf" not in text
    assert 'href="report.pdf"' in contents(About("r7"), listed, found, "now", pdf=True)


def test_an_answer_is_the_beginning_of_what_a_page_says_first(tmp_path):
    said = "**The factor is 3.1606.** It is an index of improvement and not a return on investment: it holds no costs. More."
    shown = nbformat.v4.new_output("display_data", {"text/markdown": said})
    (tmp_path / "notebooks").mkdir()
    cells = [nbformat.v4.new_code_cell("x", outputs=[shown])]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / "one.ipynb")
    pages = [(Page(name, "?", tmp_path), Outcome(name, status)) for name, status in
             (("one", Status.OK), ("two", Status.TIMEOUT))]  # fmt: skip
    assert answers_of(tmp_path, pages) == {
        "one": "The factor is 3.1606. It is an index of improvement and not a return on investment: it holds no costs."
    }


def test_the_rows_of_a_chart_are_a_table_with_a_name_that_the_keyboard_reaches():
    rows = pd.DataFrame({"v": ["<b>"], "y": [1.0]})
    text = html_table(ChartSpec("c", "bars", rows, "v", "y", title='A "title"', alt="a"))
    assert 'tabindex="0" aria-label="A &quot;title&quot;: plotted rows"' in text
    assert "<td>&lt;b&gt;</td>" in text
