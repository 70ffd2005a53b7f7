"""Parameters are checked against what the notebook declares, before any kernel starts."""

from pathlib import Path

import pytest

from roi.errors import BadParameters, UnknownName
from roi.report import parameters
from roi.report.parameters import read_declarations

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
CELL = """
from typing import Literal
run = "reference"
months: int = 24  # horizon in months [1 .. 120]
rate: float = 1
zoom: str = "week"  # what a point is [day, week]
mode: Literal["a=b", "c"] = "c"
hours: list[float] | None = None
strict: bool = False
"""


def declared():
    return read_declarations(CELL)


def test_a_declaration_tells_type_default_help_and_bounds():
    months = declared()["months"]
    assert (months.type, months.default, months.help, months.range) == ("int", 24, "horizon in months", (1, 120))
    assert declared()["rate"].default == 1.0
    assert declared()["mode"].allowed == ("a=b", "c")
    assert declared()["hours"].optional


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("months", "36", 36),
        ("rate", "0.5", 0.5),
        ("run", "a=b", "a=b"),
        ("run", "007", "007"),
        ("mode", "a=b", "a=b"),
        ("hours", "1, 2.5", [1.0, 2.5]),
        ("hours", "none", None),
        ("strict", "true", True),
    ],
)
def test_a_text_is_read_by_the_declared_type(name, text, value):
    given = declared()[name].parse(text)
    assert given == value
    assert type(given) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("months", "12.5"), ("months", "121"), ("rate", "nan"), ("zoom", "year"), ("strict", "1"), ("hours", "1,x")],
)
def test_a_text_that_does_not_fit_is_refused_and_the_sentence_says_what_would(name, text):
    with pytest.raises(BadParameters, match=f"The parameter {name} cannot be"):
        declared()[name].parse(text)


@pytest.mark.parametrize(
    ("name", "value"), [("months", True), ("months", 12.0), ("strict", 1), ("run", 7), ("rate", None)]
)
def test_a_typed_value_of_another_type_is_refused(name, value):
    with pytest.raises(BadParameters):
        declared()[name].check(value)


def test_an_unknown_name_shows_the_near_ones():
    with pytest.raises(UnknownName, match="Did you mean months"):
        parameters.check(declared(), {"month": 1}, "x.ipynb")


@pytest.mark.parametrize(
    "cell",
    [
        "a = f()",
        "a: dict = {}",
        "a = None",
        "a: int = 'x'",
        "a, b = 1, 2",
        "import os",
        "a = 1  # [2, 3]",
        "a: str = 'x' # [1 .. 2]",
        "a =",
    ],
)
def test_a_cell_that_is_not_flat_and_typed_is_refused(cell):
    with pytest.raises(BadParameters):
        read_declarations(cell)


def test_a_notebook_is_read_by_its_tagged_cell():
    assert list(parameters.declared(FIXTURES / "takes_parameters.ipynb")) == ["run", "months", "rate", "zoom", "hours"]


@pytest.mark.parametrize("options", [["x"], ["=1"], ["a=1", "a=2"]])
def test_an_option_that_is_not_one_name_and_value_is_refused(options):
    with pytest.raises(BadParameters):
        parameters.split(options)
