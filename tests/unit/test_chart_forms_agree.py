"""CSV, page, SVG, PNG and slide of one chart carry the same numbers, whatever the chart's kind."""

import html
import json
import math
import re
from itertools import pairwise

import pytest

from roi.charts import image
from roi.charts.page import fragment
from roi.charts.spec import XY_KINDS
from roi.charts.table import write_csv
from roi.errors import ChromiumMissing
from tests.unit.drawn_charts import of_csv, plotted, references, sort
from tests.unit.drawn_svg import Drawn
from tests.unit.test_deck_charts import SPECS, drawn

WITH_NUMERIC_X = [name for name, spec in SPECS.items() if spec.kind in XY_KINDS]
WITH_CATEGORIES = [name for name, spec in SPECS.items() if spec.kind not in XY_KINDS]
WITH_INTERVALS = [name for name, spec in SPECS.items() if spec.lo]
PIXEL = 0.05
"""An SVG has hundredths of a pixel, and so have the ticks that its axes are read by."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with all charts as CSV, and as PNG and SVG from one browser."""
    try:
        image.chromium()
    except ChromiumMissing as missing:
        pytest.skip(str(missing))
    into = tmp_path_factory.mktemp("charts")
    for name, spec in SPECS.items():
        write_csv(spec, into / f"{name}.csv")
    image.write_images(SPECS, into)
    return into


def rows_of(folder, name, key):
    """Give the rows of a CSV that are drawn with one colour, as x, y, lo and hi."""
    spec = SPECS[name]
    columns = [spec.series or spec.x, spec.x, spec.y, *([spec.lo, spec.hi] if spec.lo else [])]
    rows = [
        row[1:] + (None, None) * (spec.lo is None)
        for row in of_csv(folder / f"{name}.csv", columns)
        if not key or row[0] == key
    ]
    return sorted(rows) if spec.kind in ("lines", "ecdf") else rows


def keys(name):
    return SPECS[name].keys() or ("",)


def data_of_page(name):
    """Give the traces that a page draws."""
    script = re.search(r'<script type="application/json">(.*?)</script>', fragment(SPECS[name]), re.DOTALL)[1]
    return json.loads(script)["data"]


def named(traces, key):
    """Give the trace of a series, and not the band behind it."""
    (found,) = [
        trace for trace in traces if trace["name"] == html.escape(key, quote=False) and trace.get("fill") is None
    ]
    return found


@pytest.mark.parametrize("name", SPECS)
def test_a_page_draws_the_rows_of_the_csv_to_the_last_bit(folder, name):
    spec = SPECS[name]
    for key in keys(name):
        trace = named(data_of_page(name), key)
        x, y = (trace["y"], trace["x"]) if spec.horizontal else (trace["x"], trace["y"])
        assert list(zip(x, y, strict=True)) == [row[:2] for row in rows_of(folder, name, key)]


@pytest.mark.parametrize("name", WITH_INTERVALS)
def test_a_page_draws_the_intervals_of_the_csv(folder, name):
    for key in keys(name):
        rows = rows_of(folder, name, key)
        bands = [trace for trace in data_of_page(name) if trace.get("fill") == "toself" and trace["name"] == key]
        if bands:
            ends = [row[3] for row in rows] + [row[2] for row in rows][::-1]
            assert bands[0]["y"] == ends
            continue
        error = named(data_of_page(name), key)["error_y"]
        for (_, y, lo, hi), plus, minus in zip(rows, error["array"], error["arrayminus"], strict=True):
            assert y - minus == pytest.approx(lo, rel=1e-15)
            assert plus is None if hi is None else y + plus == pytest.approx(hi, rel=1e-15)


def near(point, other):
    return all(abs(one - two) <= PIXEL for one, two in zip(point, other, strict=True))


def lies_on(point, corners):
    """Tell whether a point is on a line: plotly leaves out corners that are on the way between two others."""
    return any(off_segment(point, *ends) <= PIXEL for ends in pairwise(corners))


def off_segment(point, start, end):
    """Give the distance of a point from a segment."""
    along = (end[0] - start[0], end[1] - start[1])
    to = (point[0] - start[0], point[1] - start[1])
    length = along[0] ** 2 + along[1] ** 2
    share = min(1.0, max(0.0, (to[0] * along[0] + to[1] * along[1]) / length)) if length else 0.0
    return math.hypot(to[0] - share * along[0], to[1] - share * along[1])


@pytest.mark.parametrize("name", WITH_NUMERIC_X)
def test_the_marks_of_an_svg_stand_where_the_rows_of_the_csv_are(folder, name):
    spec, picture = SPECS[name], Drawn(folder / f"{name}.svg")
    at_x, at_y = picture.place("x", spec.x_log), picture.place("y", spec.y_log)
    mains = [trace for trace in picture.traces if not trace.band]
    for key, trace in zip(keys(name), mains, strict=True):
        should = [(at_x(x), at_y(y)) for x, y, *_ in rows_of(folder, name, key) if y is not None]
        if spec.kind == "ecdf":
            assert not trace.points
            assert all(any(near(corner, point) for corner in trace.line) for point in should)
            assert {round(y, 1) for _, y in trace.line} == {round(y, 1) for _, y in should}
        else:
            assert len(trace.points) == len(should)
            assert all(map(near, trace.points, should))


@pytest.mark.parametrize("name", WITH_CATEGORIES)
def test_the_values_of_categories_in_an_svg_are_those_of_the_csv(folder, name):
    spec, picture = SPECS[name], Drawn(folder / f"{name}.svg")
    along, across = ("x", "y") if spec.horizontal else ("y", "x")
    value_at, label_at = picture.place(along, spec.y_log), picture.ticks(across)
    half = min(abs(one - two) for one in label_at.values() for two in label_at.values() if one != two) / 2
    stacked = dict.fromkeys(label_at, 0.0)
    for key, trace in zip(keys(name), picture.traces, strict=True):
        marks = trace.bars or tuple((point, point) for point in trace.points)
        for (x, y, lo, hi), mark, ends in zip(
            rows_of(folder, name, key), marks, trace.whiskers or [None] * len(marks), strict=True
        ):
            base, tip = (corner[along == "y"] for corner in mark)
            assert abs(sum(corner[across == "y"] for corner in mark) / 2 - label_at[x]) < half, f"{key} stands at {x}"
            below = stacked[x] if spec.kind == "stacked_bars" else 0.0
            assert tip == pytest.approx(value_at(below + y), abs=PIXEL)
            if trace.bars:
                assert base == pytest.approx(value_at(below), abs=PIXEL)
                stacked[x] += y
            if ends:
                found = sorted(end[along == "y"] for end in ends)
                assert found == pytest.approx(
                    sorted(value_at(y if end is None else end) for end in (lo, hi)), abs=PIXEL
                )


@pytest.mark.parametrize("name", [name for name in WITH_NUMERIC_X if name in WITH_INTERVALS])
def test_the_bands_and_whiskers_of_an_svg_reach_to_the_ends_of_the_intervals(folder, name):
    spec, picture = SPECS[name], Drawn(folder / f"{name}.svg")
    at_x, at_y = picture.place("x", spec.x_log), picture.place("y", spec.y_log)
    drawn_ends = [trace.band or sum(trace.whiskers, ()) for trace in picture.traces if trace.band or trace.whiskers]
    for key, corners in zip(keys(name), drawn_ends, strict=True):
        for x, _, lo, hi in rows_of(folder, name, key):
            for end in (lo, hi):
                assert lies_on((at_x(x), at_y(end)), corners), f"{key} at {x} reaches to {end}"


def test_png_and_svg_are_drawn_from_one_description(monkeypatch, tmp_path):
    orders = []

    async def note(asked, browser):
        orders.extend(asked)
        for order in asked:
            (tmp_path / order["path"]).write_bytes(b"drawn")

    monkeypatch.setattr(image, "chromium", lambda: "none")
    monkeypatch.setattr(image, "_draw", note)
    image.write_images({"dots": SPECS["dots"]}, tmp_path)
    png, svg = orders
    assert {png["opts"]["format"], svg["opts"]["format"]} == {"png", "svg"}
    assert png["fig"] is svg["fig"]


@pytest.mark.parametrize("name", SPECS)
def test_the_chart_of_a_slide_draws_the_rows_of_the_csv(folder, name):
    spec, shape = SPECS[name], drawn(SPECS[name])
    columns = [column for column in dict.fromkeys([spec.series, spec.x, spec.y]) if column]
    by_series = (spec.x, spec.series, spec.y) if spec.kind in ("bars", "stacked_bars") and spec.series else None
    rows = plotted(shape, list(by_series or columns), by_series)
    wanted = of_csv(folder / f"{name}.csv", list(by_series or columns))
    assert sort(row for row in rows if row in wanted) == sort(wanted)
    shown = {value for _, values in references(shape) for value in values if isinstance(value, float)}
    assert {row[-1] for row in wanted if row[-1] is not None} <= shown


def test_a_mark_that_is_off_by_a_thousandth_of_its_axis_is_not_taken_for_the_same(folder):
    at_y = Drawn(folder / "lines.svg").place("y", False)
    assert near((0, at_y(1.0)), (0, at_y(1.0)))
    assert not near((0, at_y(1.0)), (0, at_y(1.001)))
