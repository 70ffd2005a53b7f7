"""The forms of a chart carry the same numbers, read in black and white, and let no text be taken for anything else."""

import csv
import json
import re

import pandas as pd
import pytest

from roi.charts import image, theme
from roi.charts.figure import figure
from roi.charts.page import CONFIG, fragment
from roi.charts.spec import ChartSpec
from roi.charts.table import write_csv
from roi.errors import ChromiumMissing, ImagesFailed
from roi.views.ledger import WORDS

RUNTIMES = ("go", "java", "node", "rust")


def bars(**changes):
    rows = pd.DataFrame({"variant": ["go", "rust"], "density": [9.0, 11.5], "lo": [8.0, 10.5], "hi": [9.5, None]})
    said = {"id": "density", "kind": "bars", "data": rows, "x": "variant", "y": "density", "lo": "lo", "hi": "hi"}
    return ChartSpec(**said | {"title": "Rust leads", "alt": "Two bars."} | changes)


def _contrast(one, other):
    """Give the contrast ratio of WCAG 2.2 (relative luminance, section 1.4.3)."""

    def luminance(colour):
        parts = [byte / 255 for byte in bytes.fromhex(colour[1:])]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_runtime_stands_out_from_its_background_by_3_to_1(dark):
    for name, style in theme.styles(RUNTIMES, dark).items():
        assert _contrast(style.colour, theme.surface(dark).background) >= 3, name


@pytest.mark.parametrize("what", ["colour", "dash", "marker"])
def test_runtimes_differ_in_colour_and_without_colour(what):
    assert len({getattr(style, what) for style in theme.styles(RUNTIMES).values()}) == 4


def test_every_cause_of_the_ledger_has_a_colour_and_a_marker_of_its_own():
    given = theme.styles(tuple(WORDS.values()))
    assert (
        len({style.colour for style in given.values()}) == len({style.marker for style in given.values()}) == len(WORDS)
    )
    assert all(_contrast(style.colour, theme.LIGHT.background) >= 3 for style in given.values())


def test_a_runtime_has_its_colour_whatever_else_is_in_the_chart():
    assert (
        theme.styles(["rust", "go"])["go"]
        == theme.styles(["go", "node"])["go"]
        == theme.styles(["go-tuned"])["go-tuned"]
    )


def test_variants_of_a_runtime_share_the_marker_and_differ_by_dash_and_shade():
    zgc, g1 = theme.styles(["java25-zgc", "java25-g1"]).values()
    assert g1.marker == f"{zgc.marker}-open"
    assert (zgc.dash, zgc.colour) != (g1.dash, g1.colour)


@pytest.mark.parametrize(
    ("name", "runtime"),
    [
        ("go", "go"),
        ("golang", "go"),
        ("java25-zgc", "java"),
        ("node24", "node"),
        ("javascript", None),
        ("google", None),
    ],
)
def test_a_name_tells_its_runtime(name, runtime):
    assert theme.runtime(name) == runtime


def test_the_figure_draws_the_values_and_the_distances_to_the_ends_of_their_intervals():
    go, rust = figure(bars()).data
    assert (go.y, go.error_y.array, go.error_y.arrayminus) == ((9.0,), (0.5,), (1.0,))
    assert (rust.y, rust.error_y.array, rust.error_y.arrayminus) == ((11.5,), (None,), (1.0,))


def test_a_reference_line_is_within_the_axis_and_has_a_style_that_no_series_has():
    drawn = figure(bars().with_reference(20, "claimed"))
    assert drawn.layout.yaxis.range == pytest.approx((0, 21.6))
    assert drawn.layout.shapes[0].y0 == 20
    assert drawn.layout.shapes[0].line.dash not in {style.dash for style in theme.styles(RUNTIMES).values()}


def dots(*values):
    rows = pd.DataFrame({"v": [f"v{place}" for place in range(len(values))], "ms": values})
    return ChartSpec("d", "dots", rows, "v", "ms", title="t", alt="a", y_log=True)


def test_a_short_logarithmic_axis_is_labelled_between_its_decades():
    axis = figure(dots(0.8, 8.0)).layout.yaxis
    labelled = [text for tick, text in zip(axis.tickvals, axis.ticktext, strict=True) if 0.8 <= tick <= 8]
    assert labelled == ["1", "2", "5"]


def test_an_axis_within_a_decade_is_labelled_at_more_digits():
    axis = figure(dots(15.0, 75.0)).layout.yaxis
    assert [text for tick, text in zip(axis.tickvals, axis.ticktext, strict=True) if 15 <= tick <= 75] == [
        "20", "30", "40", "50", "70",
    ]  # fmt: skip


def test_a_legend_of_two_rows_takes_the_room_of_two():
    def chart(*series):
        rows = pd.DataFrame({"x": ["a"] * len(series), "who": series, "y": [1.0] * len(series)})
        return figure(ChartSpec("l", "dots", rows, "x", "y", series="who", title="t", alt="a", subtitle="s")).layout

    short, long = chart("go", "node"), chart(*(f"collector stopped the world {k}" for k in range(6)))
    # Three of the long names fit beside each other into 848 pixels, so that six stand in two rows of 20 pixels.
    assert long.margin.t - short.margin.t == 20


def test_a_long_logarithmic_axis_is_labelled_at_its_decades_alone():
    assert (figure(dots(1.0, 1e4)).layout.yaxis.dtick, figure(dots(1.0, 1e4)).layout.yaxis.tickvals) == (1, None)


def test_a_logarithmic_axis_with_one_value_and_a_reference_is_labelled_over_both():
    axis = figure(dots(3.0).with_reference(0.5, "limit")).layout.yaxis
    assert {0.5, 1.0, 2.0} <= set(axis.tickvals)


def test_the_label_of_an_upright_reference_stands_where_intervals_leave_room():
    rows = pd.DataFrame({"v": ["go"], "ms": [1.0], "lo": [0.5], "hi": [10.0]})
    chart = ChartSpec("d", "dots", rows, "v", "ms", lo="lo", hi="hi", horizontal=True, title="t", alt="a")
    anchors = [figure(chart.with_reference(at, "limit")).layout.shapes[0].label.xanchor for at in (3.0, 8.0)]
    assert anchors == ["left", "right"]


def test_a_stack_makes_room_for_the_sum_of_its_parts():
    rows = pd.DataFrame({"v": ["go", "go"], "part": ["policy", "runtime"], "s": [3.0, 7.0]})
    chart = ChartSpec("s", "stacked_bars", rows, "v", "s", series="part", title="t", alt="a")
    assert figure(chart).layout.yaxis.range == pytest.approx((0, 10.8))


def test_an_ecdf_steps_and_sorts_its_rows():
    rows = pd.DataFrame({"x": [3, 1, 2], "share": [1.0, 1 / 3, 2 / 3]})
    trace = figure(ChartSpec("e", "ecdf", rows, "x", "share", title="t", alt="a")).data[0]
    assert trace.x == (1, 2, 3)
    assert trace.line.shape == "hv"


def test_light_and_dark_are_the_same_drawing_but_for_colours():
    light, dark = (json.dumps(figure(bars(), dark=dark).to_plotly_json(), default=list) for dark in (False, True))
    without_colours = [re.sub(r"#[0-9a-fA-F]{6}|rgba\([^)]*\)", "", text) for text in (light, dark)]
    assert light != dark
    assert without_colours[0] == without_colours[1]


def test_text_that_looks_like_markup_stays_text():
    chart = bars(title="</script><b>x</b>", alt='"><img>', subtitle="a < b")
    page = fragment(chart)
    assert page.count("</script>") == 1
    assert "<b>x</b>" not in page
    assert "<img" not in page
    assert figure(chart).layout.title.text == "<b>&lt;/script&gt;&lt;b&gt;x&lt;/b&gt;</b>"


def test_the_page_offers_no_upload_and_names_no_address():
    page = fragment(bars(), "charts/density")
    assert CONFIG["showSendToCloud"] is False
    assert CONFIG["plotlyServerURL"] == ""
    assert "http" not in page
    assert '<figcaption class="unseen">Two bars.</figcaption>' in page


def test_the_csv_holds_the_plotted_rows_in_full_and_starts_no_formula(tmp_path):
    rows = pd.DataFrame({"name": ["=1+1", "@x", "-a", "plain"], "value": [-0.1234567890123, 2.0, 3.0, 4.0]})
    write_csv(ChartSpec("c", "bars", rows, "name", "value", title="t", alt="a"), tmp_path / "c.csv")
    read = list(csv.reader((tmp_path / "c.csv").open()))
    assert read == [["name", "value"], ["'=1+1", "-0.1234567890123"], ["'@x", "2.0"], ["'-a", "3.0"], ["plain", "4.0"]]


def test_without_chromium_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("BROWSER_PATH", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ChromiumMissing, match="apt-get install chromium"):
        image.write_images({"density": bars()}, tmp_path)


def test_a_browser_that_does_not_start_is_an_error_and_not_a_wait(monkeypatch, tmp_path):
    monkeypatch.setenv("BROWSER_PATH", "/bin/false")
    monkeypatch.setattr(image, "_SECONDS_TO_START", 5)
    with pytest.raises(ImagesFailed, match="did not start"):
        image.write_images({"density": bars()}, tmp_path)


def test_images_are_png_at_twice_the_size_and_svg(tmp_path):
    try:
        image.chromium()
    except ChromiumMissing as missing:
        pytest.skip(str(missing))
    image.write_images({"density": bars()}, tmp_path)
    png, svg = (tmp_path / "density.png").read_bytes(), (tmp_path / "density.svg").read_text()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    # Width and height are the first two fields of the IHDR chunk.
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (1920, 1080)
    assert "Rust leads" in svg
    assert "<image" not in svg
