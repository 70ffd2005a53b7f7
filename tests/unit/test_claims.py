"""Claims files: what they may say, and that a fault is named with its line and its remedy."""

import tomllib

import pytest

from bench.paths import ROOT
from roi import claims
from roi.claims import ARTICLE, Relation, parse
from roi.errors import ClaimsInvalid

RATE = """\
[rate]
where = "1"
says = "requests a second"
value = 3.70
unit = "requests/s"
study = "11_qps_density"
"""


def refused(text):
    with pytest.raises(ClaimsInvalid) as raised:
        parse(text, "mine.toml")
    return str(raised.value)


def test_the_article_states_63_figures():
    assert len(claims.read()) == 63


def test_what_the_article_states_is_judged_by_a_study_or_the_file_says_what_it_would_take():
    silent = [one for one in claims.read().values() if not (one.needs or one.no_quantity or one.computed)]
    assert {one.study for one in silent} == {"10_gc_pauses", "11_qps_density"}


def test_a_value_keeps_as_many_digits_as_are_printed():
    found = parse(RATE, "mine.toml")["rate"]
    assert (found.value, found.decimals) == (3.7, 2)
    assert parse(RATE.replace("3.70", "12400"), "mine.toml")["rate"].decimals == 0


def test_a_claim_says_that_its_figure_is_so_unless_it_says_at_least_or_at_most():
    assert parse(RATE, "mine.toml")["rate"].relation is Relation.IS
    assert parse(RATE + 'relation = "at most"\n', "mine.toml")["rate"].relation is Relation.AT_MOST


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (RATE.replace("value = 3.70", 'value = "many"'), 4, "valid number"),
        (RATE.replace("value = 3.70", "value = true"), 1, "must be a number"),
        (RATE.replace("value = 3.70", "value = nan"), 4, "finite"),
        (RATE.replace('unit = "requests/s"\n', ""), 1, "unit is missing"),
        (RATE + 'unti = "ms"\n', 7, "unti is no key of a claim; there is: computed, derived, figure"),
        (RATE + 'relation = "about"\n', 7, "'is', 'at most' or 'at least'"),
        (RATE + 'needs = "x"\nno_quantity = "y"\n', 1, "keep one of them"),
        (RATE.replace("11_qps_density", "none") + 'figure = "capacity_go"\n', 1, "needs the study that records it"),
        (RATE + "decimals = 3\n", 1, "not yours to say"),
        (RATE.replace("[rate]", '["a rate"]'), 1, "letters, digits and _ alone"),
        (RATE + 'computed = [{from = "rats / 2", says = "half"}]\n', 7, "Did you mean rate"),
        (RATE + 'computed = [{from = "rate / 0", says = "?"}]\n', 7, "divides by nothing"),
        (RATE + 'computed = [{says = "half"}]\n', 7, "computed.0.from is missing"),
    ],
)
def test_a_fault_is_named_with_its_line_and_its_remedy(text, line, said):
    message = refused(text)
    assert message.startswith(f"mine.toml: line {line}: ")
    assert said in message


def test_all_faults_of_a_file_are_told_at_once():
    text = RATE.replace('unit = "requests/s"\n', "") + "\n" + RATE.replace("[rate]", "[other]").replace("3.70", '"x"')
    message = refused(text)
    assert "line 1: rate: unit is missing" in message
    assert "line 10: other: value" in message


def test_text_that_is_not_toml_is_refused_with_the_line_that_its_parser_names():
    assert "is not TOML" in refused("[rate\n")
    assert "line 1" in refused("[rate\n")


def test_an_empty_file_and_one_that_is_not_there_are_refused(tmp_path):
    assert "states no claim" in refused("")
    with pytest.raises(ClaimsInvalid, match="is no file"):
        claims.find(str(tmp_path / "nowhere.toml"))


def test_a_file_is_found_from_where_the_user_is_and_from_the_root(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text(RATE)
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setenv("PWD", str(tmp_path))
    assert claims.find("mine.toml") == (tmp_path / "mine.toml").resolve()
    assert claims.find("data/claims_example.toml") == ROOT / "data" / "claims_example.toml"
    assert claims.find("article") == ARTICLE


def test_the_example_is_a_claims_file_that_shows_every_key():
    assert len(claims.read(ROOT / "data" / "claims_example.toml")) == 8
    written = tomllib.loads((ROOT / "data" / "claims_example.toml").read_text())
    assert {"figure", "relation", "needs", "no_quantity", "computed"} <= {
        key for one in written.values() for key in one
    }
