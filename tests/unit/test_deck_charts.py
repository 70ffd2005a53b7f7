"""A chart on a slide is native, and its numbers are the chart's rows: in what is drawn, and in the workbook behind it."""

from __future__ import annotations

import pandas as pd
import pytest
from pptx import Presentation
from pptx.util import Inches

from roi.charts import theme
from roi.charts.deck import add_chart
from roi.charts.drawingml.axes import linear, logarithmic
from roi.charts.drawingml.elements import preset_dash
from roi.charts.drawingml.workbook import cells as workbook_cells
from roi.charts.spec import ChartSpec
from roi.charts.table import write_csv
from roi.charts.text_width import fitted, width_pt, wrapped
from tests.unit.drawn_charts import C, at, cells, of_csv, plotted, references, sort, space

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
THIRDS = 1 / 3, 2 / 3, 0.1 + 0.2
"""Numbers that take 17 digits."""


def chart(kind, rows, **said):
    return ChartSpec(
        "c", kind, rows, said.pop("x", "x"), said.pop("y", "y"), **{"title": "t", "alt": "What it shows."} | said
    )


INTERVALS = pd.DataFrame(
    {"x": ["go", "java25-zgc", "rust"], "y": [9.1, THIRDS[0], 11.5], "lo": [8.0, 0.25, 10.5], "hi": [9.5, 0.5, None],
     "n": [3, 4, 5]}
)  # fmt: skip
SERIES = pd.DataFrame({
    "who": ["go", "node", "go", "node", "go"], "x": ["kill", "kill", "stop", "stop", "pause"],
    "y": [0.5, 2.0, THIRDS[1], 4.0, 3.0], "lo": [0.25, 1.0, 0.5, 3.0, 2.5], "hi": [0.75, 8.0, 1.0, 5.0, 3.5],
})  # fmt: skip
CURVES = pd.DataFrame({
    "who": ["go", "go", "go", "node", "node"], "x": [0.1, 10.0, 1.0, 0.5, 50.0], "y": [THIRDS[0], 1.0, THIRDS[1], 0.5, 1.0],
    "lo": [0.25, 0.9, 0.5, 0.25, 0.9], "hi": [0.5, 1.0, 0.75, 0.75, 1.0],
})  # fmt: skip
SPECS = {
    "dots": chart("dots", INTERVALS, lo="lo", hi="hi", beside=("n",)).with_reference(12.4, "claimed"),
    "dots_of_series": chart("dots", SERIES, series="who", lo="lo", hi="hi", y_log=True),
    "ecdf": chart("ecdf", CURVES, series="who", x_log=True).with_reference(5.0, "target", axis="x"),
    "lines": chart("lines", CURVES, series="who", lo="lo", hi="hi", x_log=True).with_reference(0.7, "limit"),
    "lines_with_a_gap": chart("lines", pd.DataFrame({"x": [1, 2, 3], "y": [5.0, None, -7.0]})),
    "points": chart("points", CURVES, series="who", lo="lo", hi="hi"),
    "bars": chart("bars", INTERVALS.drop(columns=["lo", "hi"])),
    "bars_with_intervals": chart("bars", INTERVALS, lo="lo", hi="hi").with_reference(10.0, "limit"),
    "bars_of_series": chart("bars", SERIES, series="who", lo="lo", hi="hi"),
    "stacked_bars": chart("stacked_bars", SERIES, series="who", horizontal=True),
}


def drawn(spec):
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    return add_chart(slide, spec, 0, 0, Inches(10), Inches(5), "Chart c")


@pytest.fixture(params=SPECS)
def spec(request):
    return SPECS[request.param]


def series_named(shape, name):
    (found,) = [ser for ser in space(shape).iter(f"{C}ser") if ser.findtext(f"{C}tx//{C}v") == name]
    return found


def values(element):
    return [float(point.findtext(f"{C}v")) for point in element.iter(f"{C}pt")]


def test_what_is_drawn_is_what_the_workbook_holds_at_each_reference(spec):
    shape = drawn(spec)
    found, drawn_from = cells(shape), references(shape)
    assert len(drawn_from) >= 3
    for formula, drawn_values in drawn_from:
        assert drawn_values == at(found, formula), formula


def test_the_workbook_holds_the_rows_of_the_charts_csv_to_the_last_bit(spec, tmp_path):
    write_csv(spec, tmp_path / "c.csv")
    columns = [name for name in dict.fromkeys([spec.series, spec.x, spec.y, spec.lo, spec.hi]) if name]
    shape = drawn(spec)
    if spec.kind in ("bars", "stacked_bars") and spec.series:
        columns = [spec.x, spec.series, spec.y]
        rows = [row for row in plotted(shape, columns, tuple(columns)) if row[1] in set(spec.data[spec.series])]
    else:
        rows = plotted(shape, columns, None)
    assert sort(rows) == sort(of_csv(tmp_path / "c.csv", columns))


def test_an_interval_of_a_dot_is_a_line_from_end_to_end_that_breaks_before_the_next():
    shape = drawn(SPECS["dots"])
    ends = dict(references(shape))[series_named(shape, "intervals").findtext(f"{C}xVal//{C}f")]
    assert ends == [8.0, 9.5, None, 0.25, 0.5, None, 10.5, 11.5], "one without an upper end stops at its dot"
    places = dict(references(shape))[series_named(shape, "intervals").findtext(f"{C}yVal//{C}f")]
    assert places == [3.0, 3.0, None, 2.0, 2.0, None, 1.0, 1.0]
    assert space(shape).find(f".//{C}dispBlanksAs").get("val") == "gap"


def test_whiskers_hold_the_distances_to_the_ends_of_the_intervals():
    bars = series_named(drawn(SPECS["bars_with_intervals"]), "y").find(f"{C}errBars")
    assert bars.find(f"{C}errValType").get("val") == "cust"
    minus, plus = (values(bars.find(f"{C}{side}")) for side in ("minus", "plus"))
    assert minus == pytest.approx([1.1, THIRDS[0] - 0.25, 1.0])
    assert plus == pytest.approx([0.4, 0.5 - THIRDS[0]]), "an interval without an upper end has no whisker there"


def test_whiskers_of_bars_and_lines_run_along_the_values():
    lines, bars = (drawn(SPECS[name]) for name in ("lines", "bars_of_series"))
    assert series_named(lines, "go").find(f"{C}errBars/{C}errDir").get("val") == "y"
    own = series_named(bars, "go").find(f"{C}errBars")
    assert own.find(f"{C}errDir") is None, "bars have one direction"
    # Columns are sorted by category: kill, stop, pause.
    assert values(own.find(f"{C}plus")) == pytest.approx([0.25, 1 - THIRDS[1], 0.5])


def test_dots_stand_in_rows_from_the_top_down_with_their_names_beside_them():
    shape = drawn(SPECS["dots"])
    assert values(series_named(shape, "y").find(f"{C}yVal")) == [3.0, 2.0, 1.0]
    written = [text.text.rstrip("\u00a0") for text in series_named(shape, "names").iter(f"{A}t")]
    assert written == ["go", "java25-zgc", "rust"]
    assert values(series_named(shape, "names").find(f"{C}yVal")) == [3.0, 2.0, 1.0]


def test_dots_of_several_series_do_not_lie_on_each_other():
    shape = drawn(SPECS["dots_of_series"])
    go, node = (values(series_named(shape, name).find(f"{C}yVal")) for name in ("go", "node"))
    assert [place - round(place) for place in go] == pytest.approx([0.175] * 3)
    assert [place - round(place) for place in node] == pytest.approx([-0.175] * 2)


def test_a_cumulated_share_of_few_rows_is_drawn_in_steps_and_of_many_as_a_line():
    shape = drawn(SPECS["ecdf"])
    steps = series_named(shape, "go, steps")
    assert values(steps.find(f"{C}xVal")) == [0.1, 1.0, 1.0, 10.0, 10.0]
    assert values(steps.find(f"{C}yVal")) == [1 / 3, 1 / 3, 2 / 3, 2 / 3, 1.0]
    assert series_named(shape, "go").find(f"{C}spPr/{A}ln/{A}noFill") is not None, "its rows are points on the steps"
    many = pd.DataFrame({"x": range(100), "y": [(k + 1) / 100 for k in range(100)]})
    (line,) = space(drawn(chart("ecdf", many))).iter(f"{C}ser")
    assert line.find(f"{C}spPr/{A}ln/{A}solidFill") is not None


def test_a_line_breaks_where_a_value_is_missing():
    shape = drawn(SPECS["lines_with_a_gap"])
    (y,) = [numbers for formula, numbers in references(shape) if formula.startswith("Chart!$B$") and ":" in formula]
    assert y == [5.0, None, -7.0]
    assert space(shape).find(f".//{C}dispBlanksAs").get("val") == "gap"


@pytest.mark.parametrize(
    ("name", "label", "axis"),
    [("dots", "claimed", "xVal"), ("ecdf", "target", "xVal"), ("lines", "limit", "yVal")],
)
def test_a_reference_is_a_series_at_its_value_with_its_label(name, label, axis):
    spec = SPECS[name]
    line = series_named(drawn(spec), label)
    assert set(values(line.find(f"{C}{axis}"))) == {spec.references[0].value}
    assert [text.text for text in line.iter(f"{A}t")] == [label]
    assert line.find(f"{C}spPr//{A}prstDash").get("val") == "lgDashDotDot"


def test_bars_that_a_reference_crosses_stand_and_others_lie():
    crossed, lying = (space(drawn(SPECS[name])) for name in ("bars_with_intervals", "bars"))
    assert crossed.find(f".//{C}barDir").get("val") == "col"
    assert lying.find(f".//{C}barDir").get("val") == "bar"
    assert values(crossed.find(f".//{C}lineChart/{C}ser/{C}val")) == [10.0, 10.0, 10.0]


def test_the_legend_names_series_and_nothing_that_only_carries_labels():
    found = space(drawn(SPECS["ecdf"])).find(f".//{C}legend")
    left_out = [int(entry.find(f"{C}idx").get("val")) for entry in found.iter(f"{C}legendEntry")]
    numbered = [ser.findtext(f"{C}tx//{C}v") for ser in space(drawn(SPECS["ecdf"])).iter(f"{C}ser")]
    assert [numbered[place] for place in left_out] == ["go, steps", "node, steps", "target"]
    assert space(drawn(SPECS["dots"])).find(f".//{C}legend") is None


def test_the_longest_series_comes_first_as_libreoffice_forgets_what_stands_before_it():
    lines = pd.DataFrame({"who": ["go", "node", "node"], "x": [1.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0]})
    for name, spec in {**SPECS, "shorter_first": chart("lines", lines, series="who")}.items():
        lengths = [
            len(values(ser.find(f"{C}xVal"))) for ser in space(drawn(spec)).iter(f"{C}ser") if ser.find(f"{C}xVal")
        ]
        assert lengths[:1] == ([max(lengths)] if lengths else []), name


SEQUENCES = {
    "chartSpace": "date1904 lang roundedCorners style clrMapOvr pivotSource protection chart spPr txPr externalData printSettings",
    "chart": "title autoTitleDeleted pivotFmts view3D floor sideWall backWall plotArea legend plotVisOnly dispBlanksAs",
    "plotArea": "layout barChart lineChart scatterChart catAx valAx dTable spPr",
    "scatterChart": "scatterStyle varyColors ser dLbls axId",
    "barChart": "barDir grouping varyColors ser dLbls gapWidth overlap serLines axId",
    "lineChart": "grouping varyColors ser dLbls dropLines hiLowLines upDownBars marker smooth axId",
    "ser": "idx order tx spPr invertIfNegative marker dPt dLbls trendline errBars cat val xVal yVal smooth",
    "dPt": "idx invertIfNegative marker bubble3D explosion spPr",
    "dLbls": "dLbl delete numFmt spPr txPr dLblPos showLegendKey showVal showCatName showSerName showPercent showBubbleSize",
    "dLbl": "idx delete layout tx numFmt spPr txPr dLblPos showLegendKey showVal showCatName showSerName showPercent"
    " showBubbleSize",
    "errBars": "errDir errBarType errValType noEndCap plus minus val spPr",
    "catAx": "axId scaling delete axPos majorGridlines title numFmt majorTickMark minorTickMark tickLblPos spPr txPr crossAx"
    " crosses auto lblAlgn lblOffset noMultiLvlLbl",
    "valAx": "axId scaling delete axPos majorGridlines title numFmt majorTickMark minorTickMark tickLblPos spPr txPr crossAx"
    " crosses crossBetween majorUnit minorUnit",
    "scaling": "logBase orientation max min",
    "title": "tx layout overlay spPr txPr",
    "legend": "legendPos legendEntry layout overlay spPr txPr",
    "manualLayout": "layoutTarget xMode yMode wMode hMode x y w h",
    "marker": "symbol size spPr",
    "numCache": "formatCode ptCount pt",
    "strCache": "ptCount pt",
}
"""Children in the order of ISO/IEC 29500-1, annex A (dml-chart.xsd): PowerPoint takes a file with another order for damaged."""


def test_every_element_stands_where_the_standard_has_it(spec):
    whole = space(drawn(spec))
    for name, sequence in SEQUENCES.items():
        order = sequence.split()
        for parent in [whole] if name == "chartSpace" else whole.iter(f"{C}{name}"):
            places = [order.index(child.tag.removeprefix(C)) for child in parent]
            assert places == sorted(places), name


def test_every_series_has_its_own_index():
    for name, spec in SPECS.items():
        numbers = [ser.find(f"{C}idx").get("val") for ser in space(drawn(spec)).iter(f"{C}ser")]
        assert len(numbers) == len(set(numbers)), name


def test_runtimes_have_the_colours_and_dashes_of_the_pages():
    shape = drawn(chart("lines", CURVES, series="who"))
    for name, dash in (("go", "solid"), ("node", "sysDot")):
        line = series_named(shape, name).find(f"{C}spPr/{A}ln")
        assert line.find(f".//{A}srgbClr").get("val") == theme.styles(["go", "node"])[name].colour[1:].upper()
        assert line.find(f"{A}prstDash").get("val") == dash
    dashes = [preset_dash(style.dash) for style in theme.styles(("go", "java", "node", "rust")).values()]
    assert len(set(dashes)) == 4
    assert preset_dash(theme.CLAIM_DASH) not in dashes


def test_every_dot_of_one_series_has_the_colour_of_its_runtime():
    points = series_named(drawn(SPECS["dots"]), "y").findall(f"{C}dPt")
    colours = [point.find(f".//{A}srgbClr").get("val") for point in points]
    assert colours == [style.colour[1:].upper() for style in theme.styles(("go", "java25-zgc", "rust")).values()]


def test_all_text_in_a_chart_is_at_least_14_points(spec):
    sizes = [int(run.get("sz")) for name in ("defRPr", "rPr") for run in space(drawn(spec)).iter(f"{A}{name}")]
    assert sizes
    assert min(sizes) >= 1400


def test_an_axis_is_logarithmic_where_the_chart_is_and_holds_all_values():
    for name, spec in SPECS.items():
        across = next(space(drawn(spec)).iter(f"{C}valAx"))
        log = spec.y_log if spec.kind == "dots" else spec.x_log
        assert (across.find(f"{C}scaling/{C}logBase") is not None) == log, name
    scaling = next(space(drawn(SPECS["ecdf"])).iter(f"{C}valAx")).find(f"{C}scaling")
    assert float(scaling.find(f"{C}min").get("val")) <= 0.1
    assert float(scaling.find(f"{C}max").get("val")) >= 50


@pytest.mark.parametrize(
    ("values", "from_zero", "ends", "step", "code"),
    [
        ([3.0, 47.0], True, (0, 50), 10, "#,##0"),
        ([12.0, 13.0], False, (12, 13), 0.2, "#,##0.0"),
        ([-524.0, -30.0], True, (-600, 0), 100, "#,##0"),
        ([5.0], False, (2, 8), 1, "#,##0"),
        ([0.001, 0.011], True, (0, 0.0125), 0.0025, "#,##0.0000"),
    ],
)  # fmt: skip
def test_an_axis_has_round_ends_and_steps(values, from_zero, ends, step, code):
    scale = linear(values, from_zero)
    assert (scale.least, scale.most) == pytest.approx(ends)
    assert scale.step == pytest.approx(step)
    assert scale.code == code


def test_a_logarithmic_axis_is_labelled_at_decades_or_where_it_is_short_at_doublings():
    long, short = logarithmic([0.02, 800.0]), logarithmic([9_000.0, 30_000.0])
    assert (long.least, long.most, long.step) == pytest.approx((0.01, 1000, 10))
    assert (short.least, short.most, short.step) == pytest.approx((5000, 40_000, 2))
    assert short.labels() == ["5,000", "10,000", "20,000", "40,000"]
    assert long.share(1.0) == pytest.approx(0.4)
    assert long.at(0.4) == pytest.approx(1.0)


def test_text_that_begins_like_a_formula_stays_text():
    rows = pd.DataFrame({"x": ["=1+1", "@sum", "-a", "+b", "<b>&"], "y": [1.0, 2.0, 3.0, 4.0, 5.0]})
    for kind in ("bars", "dots"):
        found = cells(drawn(chart(kind, rows)))
        assert [found[f"A{row}"] for row in range(2, 7)] == rows["x"].tolist()


def test_characters_that_xml_cannot_hold_are_left_out():
    rows = pd.DataFrame({"x": ["a\x00b", "ok"], "y": [1.0, 2.0]})
    assert cells(drawn(chart("bars", rows)))["A2"] == "ab"


def test_a_chart_has_its_description_for_who_cannot_see_it():
    assert drawn(SPECS["dots"]).element.xpath("string(.//p:cNvPr/@descr)") == "What it shows."


def test_every_cell_of_a_workbook_is_read_with_its_place():
    shape = drawn(SPECS["bars"])
    read = dict(workbook_cells(shape.chart.part.chart_workbook.xlsx_part.blob))
    assert read["A2"] == "go"
    assert read["B3"] == repr(THIRDS[0])
    with pytest.raises(ValueError, match="no workbook"):
        list(workbook_cells(b"nothing"))


def test_the_width_of_a_text_is_that_of_helvetica_and_a_twentieth():
    # H 722, e 556, l 222, l 222, o 556 thousandths.
    assert width_pt("Hello", 10) == pytest.approx(22.78 * 1.05)
    assert width_pt("漢", 10) == pytest.approx(10 * 1.05)


def test_a_text_breaks_between_words_and_a_long_word_within():
    assert wrapped("aa bb cc", 10, width_pt("aa bb", 10)) == ["aa bb", "cc"]
    assert wrapped("a" * 5, 10, width_pt("aa", 10)) == ["aa", "aa", "a"]
    assert wrapped("", 10, 100) == [""]


def test_a_text_takes_the_largest_size_that_fits_and_is_cut_at_the_smallest():
    text = "one two three four"
    assert fitted(text, (20, 10), width_pt(text, 20), 1).size_pt == 20
    assert fitted(text, (20, 10), width_pt(text, 12), 1).size_pt == 10
    cut = fitted(text, (20,), width_pt("one two…", 20), 1)
    assert (cut.text, cut.lines) == ("one two…", 1)
