"""A label is a label in every form of a chart, whatever it begins with or looks like: nothing is run, and nothing is asked for."""

import csv
from html.parser import HTMLParser

import pandas as pd
import pytest

from roi.charts.figure import figure
from roi.charts.page import fragment
from roi.charts.spec import ChartSpec
from roi.charts.table import write_csv
from tests.unit.drawn_charts import cells
from tests.unit.test_deck_charts import drawn

FORMULAS = ["=1+1", "+b", "-a", "@sum", "\tcmd"]
MARKUP = ["<script>alert(1)</script>", "a & b", "quote \" and '", "<img src=x onerror=y>", "{{ 7*7 }}", "</td></table>"]
LABELS = FORMULAS + MARKUP
ROWS = pd.DataFrame({"label": LABELS, "value": [float(place) for place, _ in enumerate(LABELS, 1)]})
SPEC = ChartSpec("labels", "bars", ROWS, "label", "value", title=MARKUP[0], alt=MARKUP[3], subtitle=MARKUP[2])


class Read(HTMLParser):
    """Reads tags and texts of cells as a browser would."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.cells, self.scripts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "td":
            self.cells[-1] += data
        elif self.tags and self.tags[-1][0] == "script":
            self.scripts.append(data)


def test_in_a_page_a_label_is_text_in_its_cell_and_starts_no_element():
    page = Read(fragment(SPEC, "charts/labels"))
    assert page.cells[::2] == LABELS
    assert "img" not in {tag for tag, _ in page.tags}
    assert [attrs for tag, attrs in page.tags if tag == "script"] == [{"type": "application/json"}]
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]


def test_in_a_picture_a_label_is_shown_letter_by_letter():
    shown = [text for trace in figure(SPEC).data for text in trace.x]
    assert shown[FORMULAS.index("=1+1")] == "=1+1"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert not [text for text in shown if "<" in text]


def test_in_a_csv_what_begins_like_a_formula_has_an_apostrophe_before_it(tmp_path):
    write_csv(SPEC, tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(newline="") as file:
        read = [row[0] for row in csv.reader(file)][1:]
    assert read == [f"'{label}" for label in FORMULAS] + MARKUP


@pytest.mark.parametrize("kind", ["bars", "dots", "stacked_bars"])
def test_in_a_workbook_every_label_is_a_cell_of_text(kind):
    spec = SPEC if kind == "bars" else ChartSpec("labels", kind, ROWS, "label", "value", title="t", alt="a")
    if kind == "stacked_bars":
        spec = ChartSpec("labels", kind, ROWS.assign(s=LABELS[0]), "label", "value", series="s", title="t", alt="a")
    found = cells(drawn(spec))
    assert set(LABELS) <= {value for value in found.values() if isinstance(value, str)}
