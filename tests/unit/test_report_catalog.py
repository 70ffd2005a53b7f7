"""The catalogue names pages; what it cannot mean is refused with a sentence."""

from pathlib import Path

import pytest

from roi.errors import BadParameters, CatalogInvalid, UnknownName
from roi.report import catalog
from roi.report.plan import plan

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"


def write(folder, text):
    (folder / "a.ipynb").write_text((FIXTURES / "takes_parameters.ipynb").read_text())
    (folder / catalog.FILE).write_text(text)
    return catalog.read(folder)


def test_a_page_is_its_notebook_unless_it_names_another(tmp_path):
    pages = write(tmp_path, '[a]\ntitle = "A?"\n[b]\ntitle = "B?"\nnotebook = "a.ipynb"\nneeds = ["faults"]\n')
    assert [page.notebook.name for page in pages.values()] == ["a.ipynb", "a.ipynb"]
    assert pages["b"].needs == ("faults",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no notebook"),
        ("[a", "is not TOML"),
        ("[a]\n", "no title"),
        ('[a]\ntitle = "A"\ndeadlin_s = 3\n', "Did you mean deadline_s"),
        ('[a]\ntitle = "A"\ndeadline_s = 0\n', "not above 0"),
        ('[a]\ntitle = "A"\ndeadline_s = "1"\n', "wrong type"),
        ('[z]\ntitle = "Z"\n', "z.ipynb, which is not in"),
        ('[a]\ntitle = "A"\nparameters = { run = "x" }\n', "sets the parameter run"),
    ],
)
def test_a_catalogue_that_says_something_else_is_refused(tmp_path, text, message):
    with pytest.raises(CatalogInvalid, match=message):
        write(tmp_path, text)


def test_a_page_is_chosen_by_name_and_near_names_are_shown():
    pages = catalog.read(FIXTURES)
    assert [page.name for page in catalog.choose(pages, ["kernel_dies.ipynb", "records_and_charts"])] == [
        "records_and_charts",
        "kernel_dies",
    ]
    with pytest.raises(UnknownName, match="Did you mean kernel_dies"):
        catalog.choose(pages, ["kernel_dead"])


def planned(names, given, tables=None):
    return plan(catalog.choose(catalog.read(FIXTURES), names), "r7", given, tables)


def test_the_command_line_outranks_the_catalogue_and_every_page_gets_the_run():
    values = planned(["takes_parameters", "records_and_charts"], {"months": "12"}).parameters
    assert values == {"takes_parameters": {"run": "r7", "months": 12, "rate": 0.1}, "records_and_charts": {"run": "r7"}}


def test_a_parameter_that_no_page_has_stops_everything():
    with pytest.raises(UnknownName, match="Did you mean months"):
        planned(["takes_parameters", "records_and_charts"], {"month": "12"})


def test_a_value_that_does_not_fit_stops_everything():
    with pytest.raises(BadParameters, match="int from 1 to 120"):
        planned(["takes_parameters"], {"months": "0"})


def test_a_page_without_a_run_or_without_its_tables_is_refused_alone():
    refused = planned(["takes_parameters", "declares_no_run", "needs_faults"], {}, ["cells"]).refused
    assert {name: outcome.status.value for name, outcome in refused.items()} == {
        "declares_no_run": "bad_parameters", "needs_faults": "skipped",
    }  # fmt: skip
