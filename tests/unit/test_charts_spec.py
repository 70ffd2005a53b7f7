"""A chart that exists is right: what the constructor refuses, and what survives the way to JSON and back."""

import json

import pandas as pd
import pytest

from roi.charts.spec import MIMETYPE, ChartSpec
from roi.errors import ChartInvalid

ROWS = pd.DataFrame(
    {"variant": ["go", "rust"], "density": [9.0, 11.0], "lo": [8.0, 10.5], "hi": [9.5, None], "n": [10, 12]}
)


def dots(**changes):
    said = {
        "id": "density",
        "kind": "dots",
        "data": ROWS,
        "x": "variant",
        "y": "density",
        "title": "Rust leads",
        "alt": "Two dots.",
    }
    return ChartSpec(**said | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"alt": " "}, "no alt"),
        ({"title": ""}, "no title"),
        ({"id": "a/b"}, "needs an id"),
        ({"kind": "pie"}, "is of kind 'pie'"),
        ({"y": "densty"}, "no column densty"),
        ({"data": ROWS.iloc[:0]}, "no rows"),
        ({"data": ROWS.assign(density=[1.0, None])}, "without density"),
        ({"data": ROWS.assign(variant=["go", None])}, "empty variant"),
        ({"data": ROWS.assign(density=["9", "11"])}, "needs numbers in density"),
        ({"data": ROWS.assign(density=[1.0, float("inf")])}, "infinite value"),
        ({"data": ROWS.assign(variant="go")}, "more than one row"),
        ({"lo": "lo"}, "one end of an interval"),
        ({"lo": "hi", "hi": "lo"}, "does not hold"),
        ({"order": ("go", "zig")}, "orders zig"),
        ({"kind": "bars", "y_log": True}, "use dots"),
        ({"x_log": True}, "which holds categories"),
        ({"references": ({"value": -1, "label": "limit"},), "y_log": True}, "reference line at -1"),
        ({"kind": "stacked_bars", "lo": "lo", "hi": "hi"}, "draws no intervals"),
    ],
)
def test_a_chart_that_cannot_be_drawn_is_refused_with_a_sentence(changes, message):
    with pytest.raises(ChartInvalid, match=message):
        dots(**changes)


def test_an_ecdf_needs_shares_from_0_to_1():
    with pytest.raises(ChartInvalid, match="shares from 0 to 1"):
        ChartSpec("e", "ecdf", pd.DataFrame({"x": [1, 2], "share": [50, 100]}), "x", "share", title="t", alt="a")


def test_a_gap_is_allowed_in_a_line_and_nowhere_else():
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, None, 3.0]})
    assert ChartSpec("l", "lines", rows, "x", "y", title="t", alt="a").data["y"].isna().sum() == 1
    with pytest.raises(ChartInvalid, match="without y"):
        ChartSpec("p", "points", rows, "x", "y", title="t", alt="a")


def test_changes_give_copies_and_leave_the_chart_as_it_was():
    chart = dots()
    changed = chart.with_reference(12_400, "claimed").ordered(["rust"]).with_footnote("run 7")
    assert (chart.references, chart.order, chart.footnote) == ((), (), "")
    assert changed.references[0].value == 12_400.0
    assert changed.keys() == ("rust", "go")
    assert changed.footnote == "run 7"


def test_the_frame_that_was_given_does_not_change_the_chart_afterwards():
    rows = ROWS.copy()
    chart = dots(data=rows)
    rows.loc[0, "density"] = -1.0
    assert chart.data["density"].tolist() == [9.0, 11.0]


def test_the_table_of_a_chart_holds_the_encoded_columns_and_no_others():
    assert list(dots(lo="lo", hi="hi").data.columns) == ["variant", "density", "lo", "hi"]
    assert list(dots(beside=("n",)).data.columns) == ["variant", "density", "n"]


def test_a_chart_survives_json_with_nulls_and_whole_numbers():
    chart = dots(lo="lo", hi="hi", beside=("n",)).with_reference(12, "claimed")
    said = json.loads(json.dumps(chart.to_dict(), allow_nan=False))
    again = ChartSpec.from_dict(said)
    assert again.to_dict() == chart.to_dict()
    assert said["data"]["hi"] == [9.5, None]
    assert said["data"]["n"] == [10, 12]


def test_a_chart_of_another_format_is_refused():
    with pytest.raises(ChartInvalid, match="format 99"):
        ChartSpec.from_dict(dots().to_dict() | {"format_version": 99})


def test_a_notebook_gets_the_drawing_and_the_description_and_no_html():
    bundle = dots()._repr_mimebundle_()
    assert set(bundle) == {MIMETYPE, "application/vnd.plotly.v1+json", "text/plain"}
    assert bundle["application/vnd.plotly.v1+json"]["config"]["showSendToCloud"] is False
    json.dumps(bundle, allow_nan=False)
