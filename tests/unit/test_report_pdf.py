"""The report on paper: what is printed of pages, and what happens when Chromium is missing, dies or hangs."""

import re
import subprocess
import time
from datetime import UTC, datetime

import pytest

from roi.errors import ChromiumMissing, ImagesFailed
from roi.report import pdf
from roi.report.paper import paper

MADE = datetime(2026, 11, 20, 9, 30, 5, tzinfo=UTC)
INDEX = """<!doctype html><html lang="en"><body><header>frame</header><main id="content" tabindex="-1"><h1>The answer</h1>
<section><h2 id="claims">Claims</h2><div class="scroll" role="group" tabindex="0" aria-label="x"><table><thead><tr>
<th>a</th></tr></thead><tbody><tr><td><a href="one.html#finding-x">to a finding</a><a href="two.html">left out</a>
<a href="findings.parquet">a file</a></td></tr></tbody></table></div></section>
<section><h2 id="found">Also found</h2><details class="more"><summary>Again</summary>again</details></section>
</main></body></html>"""
PAGE = """<!doctype html><html lang="en"><body><main id="content"><h1>How "many" \\ &amp; why?</h1>
<h2 id="section-a">A section</h2><a href="#section-a">up</a><a href="index.html">home</a>
<div class="chart-block" id="chart-density"><p class="chart-title">Rust leads</p><figure class="chart">
<script type="application/json">{}</script><div class="drawing"></div><figcaption>Two dots.</figcaption></figure>
<details class="data">rows</details></div><details class="code"><summary>Code</summary>import roi</details>
<table><thead><tr><th>1</th><th>2</th><th>3</th><th>4</th><th>5</th><th>6</th><th>7</th><th class="source">s</th></tr></thead>
<tbody><tr id="finding-x"><td>kept</td><td class="source"><a href="#query-1">query 1</a></td></tr></tbody></table>
<section class="sources"><h2 id="sources">Sources</h2><details class="query" id="query-1">select</details>
</section></main></body></html>"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "one.html").write_text(PAGE)
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "one-density.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return tmp_path


def test_links_stay_within_the_document_and_lead_to_what_is_there(folder):
    document = paper(folder, ["one"], "Report")
    links = re.findall(r'href="([^"]*)"', document)
    assert {"#page-one--finding-x", "#page-one--section-a", "#page-index"} <= set(links)
    assert all(f'id="{link[1:]}"' in document for link in links)
    assert "to a finding" in document
    assert "left out" in document
    assert "findings.parquet" not in document


def test_charts_are_the_svg_files_with_what_they_show_and_code_and_rows_are_left_out(folder):
    document = paper(folder, ["one"], "Report").split("</style>")[1]
    assert '<img src="charts/one-density.svg" alt="Two dots.">' in document
    for text in ("import roi", "rows", "<script", "frame", "query 1", "Also found", "select"):
        assert text not in document, text
    assert "kept" in document


def test_a_chart_without_its_svg_is_told_in_words(folder):
    (folder / "charts" / "one-density.svg").unlink()
    document = paper(folder, ["one"], "Report")
    assert "<img" not in document
    assert "<p>Rust leads</p><p>Two dots.</p>" in document


def test_a_table_of_many_columns_is_set_smaller(folder):
    assert 'class="many"' in paper(folder, ["one"], "Report")


def test_a_title_ends_no_string_of_the_style_sheet(folder):
    assert r'content: "1  How \22 many\22  \5c  \26  why\3f "' in paper(folder, ["one"], "Report")


def test_a_stamp_changes_no_length_and_names_the_date_of_the_report():
    before = (
        b"%PDF\n<</Creator (Mozilla/5.0 \\(X11; Linux x86_64\\) HeadlessChrome)\n/Producer (Skia)\n"
        b"/CreationDate (D:20300101000000+00'00')\n/ModDate (D:20300101000000+00'00')>>\n"
    )
    after = pdf.stamped(before, MADE)
    assert len(after) == len(before)
    assert after.count(b"(D:20261120093005+00'00')") == 2
    assert b"Linux" not in after
    assert after.index(b"/Producer") == before.index(b"/Producer")


def test_a_missing_chromium_is_a_sentence(folder, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "no-such-browser")
    with pytest.raises(ChromiumMissing, match="apt-get install chromium"):
        pdf.write_pdf(folder, ["one"], "Report", MADE)


def test_a_chromium_that_dies_is_an_error_and_leaves_nothing(folder, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", "/bin/false")
    before = sorted(folder.rglob("*"))
    with pytest.raises(ImagesFailed, match="printed no PDF"):
        pdf.write_pdf(folder, ["one"], "Report", MADE)
    assert sorted(folder.rglob("*")) == before


def test_a_chromium_that_hangs_is_ended_with_all_that_it_started(folder, monkeypatch, tmp_path):
    hanging = tmp_path / "hanging"
    hanging.write_text(f"#!/bin/sh\nsleep 987 &\necho $! > {tmp_path}/child\nwait\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(hanging))
    monkeypatch.setattr(pdf, "_SECONDS", 1)
    with pytest.raises(ImagesFailed, match="within 1 s"):
        pdf.write_pdf(folder, ["one"], "Report", MADE)
    child = (tmp_path / "child").read_text().strip()
    for _ in range(100):  # A killed process is there until its parent has taken note.
        state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True).stdout.strip()
        if not state or state.startswith("Z"):
            break
        time.sleep(0.05)
    assert not state or state.startswith("Z")
    assert not (folder / ".paper.html").exists()
