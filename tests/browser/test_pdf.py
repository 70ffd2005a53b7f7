"""The printed report of fixtures: outline, tags, page numbers, charts as drawings, and the date of the report."""

import json
import re
import zlib
from datetime import datetime


def streams(pdf):
    """Give every stream of a PDF that is compressed as Skia does it."""
    return [
        zlib.decompress(found)
        for found in re.findall(rb"/Filter /FlateDecode.*?stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    ]


def test_the_pdf_has_an_outline_tags_and_a_title(pdf):
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
    assert b"/Outlines " in pdf
    assert b"/MarkInfo <</Type /MarkInfo\n/Marked true>>" in pdf
    assert b"/StructTreeRoot " in pdf
    assert b"/Lang (en)" in pdf
    assert b"/Title (" in pdf


def test_every_heading_of_a_complete_page_is_in_the_outline_and_none_of_a_failed_one(pdf):
    titles = re.findall(rb"/Title \(([^)]*)\)", pdf)
    assert b"Records and charts?" in titles
    assert b"Shows text that looks like markup?" in titles
    assert b"Contents" in titles
    assert not [title for title in titles if b"failing" in title.lower()]


def test_charts_are_drawings_and_no_pictures(pdf):
    assert b"/Subtype /Image" not in pdf
    assert pdf.count(b"/Alt (") >= 3, "two charts and one with text that looks like markup"


def test_the_pdf_is_dated_as_the_report_is(pdf, folder):
    made = datetime.fromisoformat(json.loads((folder / "status.json").read_text())["made_at"])
    assert made.strftime("/CreationDate (D:%Y%m%d%H%M%S+00'00')").encode() in pdf


def test_nothing_that_was_only_for_printing_is_left_in_the_report(pdf, folder):
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_the_pdf_has_no_link_out_of_itself(pdf):
    assert b"/URI" not in pdf
    assert b"file:" not in pdf
    assert all(b"file:" not in stream for stream in streams(pdf))
