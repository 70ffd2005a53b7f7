"""Options beside each other: which is best and how surely, break-evens, and the case against."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from roi import decision
from roi.break_even import LINEAR, break_evens, searched, straight
from roi.business_case import Horizon
from roi.decision import NOTHING, against, decide, leading, reaches, summary, worth
from roi.distributions import Pert
from roi.errors import InputsInvalid, UnknownName
from roi.named_inputs import INPUTS, find_inputs, open_inputs
from roi.quantities import CATALOGUE
from roi.views import business_case as view
from roi.views import case_against as against_view
from roi.views import money
from tests.notebooks.written_run import WrittenCell, served
from tests.unit.small_firm import WIDE, inputs

FIVE = Horizon(5)


@pytest.fixture(scope="module")
def drawn() -> decision.Decision:
    return decide(inputs(**WIDE), FIVE, 2048, 7)


def test_shares_of_the_best_add_up_to_all_draws(drawn):
    found = summary(drawn).set_index("option")
    assert found["best"].sum() == pytest.approx(1.0)
    assert found.loc["go", "positive"] == np.mean(drawn.of("go").npv > 0)
    assert found.loc[NOTHING, "mean"] == 0.0


def test_the_best_of_each_draw_is_counted_by_hand():
    payoffs = np.array([[3.0, 1.0, 0.0], [-1.0, 2.0, 0.0], [-1.0, -2.0, 0.0], [4.0, 1.0, 0.0]])
    assert leading(payoffs) == 0
    # Where all lose in expectation the one that most often is best leads, though another loses less.
    assert leading(np.array([[2.0, -1.0, 0.0], [-9.0, -1.0, 0.0]])) == 0


def test_against_tells_draw_by_draw_how_often_the_other_is_worth_more(drawn):
    rows = against(drawn, "go").set_index("other")
    assert list(rows.index) == [NOTHING, "java_improved"]
    difference = drawn.of("go").npv - drawn.of("java_improved").npv
    assert rows.loc["java_improved", "loses"] == np.mean(difference < 0)
    assert rows.loc["java_improved", "p10"] == pytest.approx(np.quantile(difference, 0.1))
    assert rows.loc[NOTHING, "loses"] == np.mean(drawn.of("go").npv < 0)


def test_doing_nothing_is_best_where_no_option_is_expected_to_pay():
    found = decide(inputs(**WIDE | {"go__migration_cost": 1e6, "java_improved__migration_cost": 1e6}), FIVE, 512, 1)
    assert found.best == NOTHING
    assert "No option is expected to pay" in view.verdict(found)


def test_the_improvement_is_the_option_of_the_runtime_that_runs_today(drawn):
    assert drawn.improvement.option.name == "java_improved"
    assert replace(drawn, inputs=replace(drawn.inputs, variant="python")).improvement is None


def test_an_unknown_option_shows_those_that_there_are(drawn):
    with pytest.raises(UnknownName, match="java_improved"):
        drawn.of("java")


def test_the_break_even_of_fixes_is_that_of_the_formula_by_hand():
    # 150 a fix and year, for 3.7908 years' worth: 11,000 is covered by 19.345 fixes a year.
    found = {turn.key: turn for turn in break_evens(decide(inputs(go__fix_hours=2.0), FIVE, 512, 1), "go")}
    assert found["fixes_per_year"].value == pytest.approx(11_000 / (150 * 3.790786769))
    assert found["fixes_per_year"].closed
    assert found["fixes_per_year"].chance is None
    # From 5 hours down to 2 gains 56,862; 11,000 of it are 3 x 11,000 / 56,862 hours.
    assert found["go.fix_hours"].value == pytest.approx(5 - 3 * 11_000 / (15_000 * 3.790786769))


@pytest.mark.parametrize("other", [NOTHING, "java_improved"])
def test_every_closed_break_even_is_where_bisection_finds_it(drawn, other):
    means = drawn.inputs.means()

    def margin(values):
        return worth(values, "go", FIVE) - (0.0 if other == NOTHING else worth(values, other, FIVE))

    closed = [turn for turn in break_evens(drawn, "go", other) if turn.closed]
    assert any(turn.value is not None for turn in closed)
    for turn in closed:
        kind = CATALOGUE[turn.key.rpartition(".")[2]]
        ends = margin(means | {turn.key: np.array([kind.least, kind.most])})
        if turn.value is None:
            assert len(np.atleast_1d(ends)) == 1 or ends[0] * ends[-1] > 0 or ends[0] == pytest.approx(ends[-1])
        else:
            root = optimize.bisect(
                lambda x, key=turn.key: float(margin(means | {key: x})[0]), kind.least, kind.most, rtol=1e-13
            )
            assert turn.value == pytest.approx(root, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", sorted(LINEAR))
def test_the_net_present_value_is_a_straight_line_in_what_is_called_linear(drawn, name):
    means = drawn.inputs.means()
    for key in [key for key in means if key.rpartition(".")[2] == name and reaches(key, "go")]:
        kind = CATALOGUE[name]
        at = np.linspace(kind.least, kind.most, 5)
        found = np.broadcast_to(worth(means | {key: at}, "go", FIVE), at.shape)
        straight_line = np.linspace(found[0], found[-1], 5)
        assert found == pytest.approx(straight_line, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("key", ["discount_rate", "go.adoption_delay_years", "productive_hours_per_year"])
def test_the_net_present_value_is_bent_in_what_is_not_called_linear(drawn, key):
    kind = CATALOGUE[key.rpartition(".")[2]]
    found = worth(drawn.inputs.means() | {key: np.linspace(kind.least, kind.most, 3)}, "go", FIVE)
    assert found[1] != pytest.approx((found[0] + found[2]) / 2, rel=1e-3)


def test_the_break_even_of_the_discount_rate_is_the_internal_rate_of_return():
    # -11,000 now and 3,000 a year for five years: an internal rate of 11.32 %, by the annuity table.
    given = inputs(go__fix_hours=4.4, outage_cost_per_hour=0.0)
    found = {turn.key: turn for turn in break_evens(decide(given, FIVE, 512, 1), "go")}["discount_rate"]
    assert not found.closed
    assert 3000 * (1 - (1 + found.value) ** -5) / found.value == pytest.approx(11_000)
    assert found.value == pytest.approx(0.1132, abs=5e-5)


def test_a_margin_that_never_turns_has_no_break_even():
    assert straight(lambda values: np.array([values["x"] + 5.0]), {"x": 1.0}, "x", 0, 10) is None
    assert straight(lambda values: np.array([7.0]), {"x": 1.0}, "x", 0, 10) is None
    assert searched(lambda values: np.atleast_1d(np.square(values["x"]) + 1.0), {"x": 1.0}, "x", 0, 10) is None


def test_of_several_zeros_the_nearest_is_taken():
    def bent(values):
        return np.atleast_1d((values["x"] - 2.0) * (values["x"] - 7.0))

    assert searched(bent, {"x": 3.0}, "x", 0, 10) == pytest.approx(2.0)
    assert searched(bent, {"x": 6.0}, "x", 0, 10) == pytest.approx(7.0)


def test_the_chance_of_a_break_even_is_that_of_the_input_beyond_it():
    given = inputs(**WIDE | {"go__build_hours": Pert(50, 300, 2500)})
    found = decide(given, FIVE, 4096, 1)
    turn = next(turn for turn in break_evens(found, "go") if turn.key == "go.build_hours")
    assert turn.value > turn.now
    assert turn.chance == np.mean(found.values["go.build_hours"] > turn.value)
    assert turn.chance > 0


def test_without_a_benefit_the_rest_is_left(drawn):
    case = against_view.case_against(drawn)
    lead = drawn.leader
    left = case.without.set_index("benefit")["mean"]
    assert left["fixes"] == pytest.approx(np.mean(lead.npv - lead.cash.present_values()["fixes"]))


def test_the_case_against_tells_the_chance_of_a_loss_and_of_losing_to_an_improvement(drawn):
    case = against_view.case_against(drawn)
    said = against_view.said(case)
    assert money.chance(float(np.mean(drawn.of("go").npv < 0))) in said
    assert "Improve the Java service" in said
    assert {"as good as nothing at", "as good as improving at"} <= set(against_view.turns_table(case).columns)


def test_an_improvement_that_leads_is_not_compared_with_itself():
    found = decide(inputs(**WIDE | {"go__migration_cost": 1e6}), FIVE, 512, 1)
    assert found.best == "java_improved"
    case = against_view.case_against(found)
    assert "itself the option that improves" in against_view.said(case)
    assert list(against_view.turns_table(case).columns) == ["input", "mean", "as good as nothing at", "beyond"]


def test_the_verdict_never_names_a_best_option_without_its_probability(drawn):
    said = view.verdict(drawn)
    assert "Rewrite in Go" in said
    assert money.chance(float(np.mean(drawn.of("go").npv > 0))) in said
    assert "synthetic" in said


def test_findings_are_named_once_and_each_has_what_a_record_needs(drawn):
    case = against_view.case_against(drawn)
    found = [*view.findings(drawn), *against_view.findings(case)]
    names = [figure["id"] for figure in found]
    assert len(names) == len(set(names))
    assert all(figure["value"] is not None or figure["note"] for figure in found)


@pytest.mark.parametrize("chart", [view.npv_chart, view.cash_chart, view.lines_chart])
def test_a_chart_tells_its_finding_and_where_it_comes_from(drawn, chart):
    spec = chart(drawn)
    assert "seed 7" in spec.footnote
    assert "Synthetic" in spec.footnote


@pytest.mark.parametrize(
    ("value", "written"), [(0.0, "0"), (1_234_000.0, "1,230"), (-258_412.0, "−258"), (4_060.0, "4.1"), (30.0, "0")]
)
def test_money_is_written_in_thousands(value, written):
    assert money.thousands(value) == written
    assert money.money(value, "EUR") == f"{written} thousand EUR"


@pytest.mark.parametrize(("value", "written"), [(1.84, "1.8 years"), (0.0, "at once"), (math.inf, "never")])
def test_a_payback_is_written_in_years(value, written):
    assert money.years(value) == written


@pytest.mark.parametrize(
    ("share", "written"), [(0.0, "under 0.1%"), (1.0, "over 99.9%"), (0.832, "83%"), (0.0613, "6.1%")]
)
def test_a_probability_found_by_drawing_is_never_nothing_or_all(share, written):
    assert money.chance(share) == written


@pytest.mark.parametrize(
    ("value", "key", "written"),
    [
        (192.0, "fixes_per_year", "192 a year"),
        (10_400.0, "outage_cost_per_hour", "10,400 EUR an hour"),
        (0.08, "discount_rate", "8.0% a year"),
        (1.35, "benefits_multiplier", "1.35"),
        (2.5, "go.fix_hours", "2.5 person-hours"),
    ],
)
def test_an_input_is_written_with_its_unit(value, key, written):
    assert money.amount(value, key, "EUR") == written


def test_an_option_and_the_service_as_it_is_are_told_apart_in_a_label():
    assert money.label("fix_hours") == "fix hours (today)"
    assert money.label("java_improved.fix_hours") == "fix hours (java improved)"
    assert money.label("fixes_per_year") == "fixes per year"


def test_a_path_of_inputs_counts_from_where_the_command_was_given_also_within_a_notebook(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text("x = 1")
    (tmp_path / "firm").mkdir()
    (tmp_path / "firm" / "inputs.toml").write_text("x = 1")
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.chdir(INPUTS)
    assert find_inputs("mine.toml") == (tmp_path / "mine.toml").resolve()
    assert find_inputs("firm") == (tmp_path / "firm" / "inputs.toml").resolve()


def test_inputs_are_found_by_name_and_an_unknown_one_shows_those_that_there_are(tmp_path):
    assert find_inputs("article").name == "article.toml"
    own = tmp_path / "inputs.toml"
    own.write_text("")
    assert find_inputs(str(tmp_path)) == own
    with pytest.raises(UnknownName, match="article"):
        find_inputs("artikle")


def test_a_run_that_lacks_what_is_measured_gives_way_to_the_one_that_the_inputs_name(run):
    few = run(WrittenCell("go", requests=served(1)))
    found = open_inputs("article", few)
    assert found.run != few.name
    assert f"Measured inputs come from the run {found.run}" in money.taken_from(found, few.name)
    assert money.taken_from(found, found.run) == ""


def test_wrong_inputs_are_told_and_not_tried_with_another_run(run, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[about]\n")
    with pytest.raises(InputsInvalid, match=r"wrong\.toml"):
        open_inputs(str(wrong), run(WrittenCell("go", requests=served(1))))
