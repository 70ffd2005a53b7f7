"""What the answer hangs on: indices on functions whose indices are known, and the study on a small firm."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import ndtri

from roi.business_case import Horizon
from roi.decision import decide, worth
from roi.distributions import Pert
from roi.errors import UnknownName
from roi.inputs import Inputs, Provenance
from roi.sensitivity import LEAST_DRAWS, REPLICATES, study, tornado, towards_the_turn
from roi.statistics import information, sobol_points
from roi.statistics.variance_shares import shares
from roi.views import sensitivity as view
from tests.unit.small_firm import WIDE, inputs, quantity

FIVE = Horizon(5)


def samples(names: str, seed: int = 1, draws: int = 1 << 14, quantile=lambda u: u) -> list[dict[str, np.ndarray]]:
    """Give two independent samples of some inputs, in blocks that are scrambled each on its own."""
    seeds = np.random.SeedSequence(seed).spawn(REPLICATES)
    points = np.concatenate([sobol_points.points(draws // REPLICATES, 2 * len(names), child) for child in seeds])
    columns = quantile(points).T
    return [dict(zip(names, half, strict=True)) for half in (columns[: len(names)], columns[len(names) :])]


def alone(*names: str) -> dict[str, tuple[str, ...]]:
    """Give groups of one input each."""
    return {name: (name,) for name in names}


def ishigami(values):
    """Ishigami and Homma, ISUMA 1990, with a = 7 and b = 0.1."""
    x, y, z = (2 * np.pi * values[name] - np.pi for name in "xyz")
    return np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


A, B = 7.0, 0.1
VARIANCE = A**2 / 8 + B * math.pi**4 / 5 + B**2 * math.pi**8 / 18 + 1 / 2
FIRST = {"x": (1 + B * math.pi**4 / 5) ** 2 / 2 / VARIANCE, "y": A**2 / 8 / VARIANCE, "z": 0.0}
WITH_Z = B**2 * math.pi**8 * (1 / 18 - 1 / 50) / VARIANCE
TOTAL = {"x": FIRST["x"] + WITH_Z, "y": FIRST["y"], "z": WITH_Z}


def test_the_published_indices_of_the_ishigami_function_are_those_of_its_formula():
    # Saltelli et al., Global Sensitivity Analysis, 2008: 0.3139, 0.4424, 0 and 0.5576, 0.4424, 0.2437.
    assert [round(value, 4) for value in FIRST.values()] == [0.3139, 0.4424, 0.0]
    assert [round(value, 4) for value in TOTAL.values()] == [0.5576, 0.4424, 0.2437]


@pytest.mark.parametrize("name", "xyz")
def test_the_indices_of_the_ishigami_function_are_found(name):
    found = shares(ishigami, *samples("xyz"), alone(*"xyz"), REPLICATES)[name]
    assert found.alone.value == pytest.approx(FIRST[name], abs=0.005)
    assert found.total.value == pytest.approx(TOTAL[name], abs=0.005)
    assert found.alone.n == REPLICATES


def test_groups_have_the_closed_index_and_not_the_sum_of_first_orders():
    groups = {"xz": ("x", "z"), "y": ("y",), "yz": ("y", "z")}
    found = shares(ishigami, *samples("xyz"), groups, REPLICATES)
    # x and z explain together what they do together: all but y, where the first orders add up to x alone.
    assert found["xz"].alone.value == pytest.approx(1 - FIRST["y"], abs=0.005)
    assert found["xz"].total.value == pytest.approx(1 - FIRST["y"], abs=0.005)
    assert found["yz"].alone.value == pytest.approx(FIRST["y"], abs=0.005)
    assert found["yz"].total.value == pytest.approx(1 - FIRST["x"], abs=0.005)


def test_a_group_of_all_inputs_explains_everything_exactly():
    found = shares(ishigami, *samples("xyz", draws=1024), {"all": tuple("xyz")}, REPLICATES)["all"]
    assert (found.alone.value, found.total.value) == (1.0, pytest.approx(1.0))


def test_intervals_of_sampling_hold_the_truth_about_as_often_as_they_say():
    held = 0
    for seed in range(40):
        found = shares(ishigami, *samples("xyz", seed, 1024), alone("x"), REPLICATES)["x"]
        held += found.total.lo <= TOTAL["x"] <= found.total.hi
    # 95 % of 40 are 38; fewer than 33 would have a probability of 1 in 200.
    assert stats.binom.cdf(32, 40, 0.95) < 0.005
    assert held >= 33


def test_what_is_certain_has_no_shares():
    one, other = samples("x", draws=512)
    assert shares(lambda values: np.zeros(1), one, other, alone("x"), REPLICATES) == {}
    assert shares(ishigami, one, other, {}, REPLICATES) == {}


def test_a_sum_of_normals_has_the_shares_of_its_variances():
    one, other = samples("abc", quantile=ndtri)
    found = shares(lambda v: 3 * v["a"] + 2 * v["b"] + v["c"], one, other, alone(*"abc"), REPLICATES)
    for name, share in {"a": 9 / 14, "b": 4 / 14, "c": 1 / 14}.items():
        assert found[name].alone.value == pytest.approx(share, abs=0.005)
        assert found[name].total.value == pytest.approx(share, abs=0.005)


def gain(mean: float, spread: float) -> float:
    """Give E max(X, 0) - max(E X, 0) of a normal X: what knowing it is worth to who may also do nothing."""
    return spread * stats.norm.pdf(mean / spread) + mean * stats.norm.cdf(mean / spread) - max(mean, 0.0)


@pytest.mark.parametrize(("mean", "spread", "noise"), [(1.0, 2.0, 3.0), (-1.0, 2.0, 1.0), (0.0, 1.0, 5.0)])
def test_knowing_a_normal_input_is_worth_what_the_closed_form_says(mean, spread, noise):
    values = samples("xe", draws=1 << 15, quantile=ndtri)[0]
    payoffs = np.column_stack([mean + spread * values["x"] + noise * values["e"], np.zeros(1 << 15)])
    found = information.of_input(values["x"], payoffs, REPLICATES)
    assert found.value.value == pytest.approx(gain(mean, spread), abs=0.02)
    # Another choice is better where x lies beyond -mean / spread.
    assert found.changes == pytest.approx(stats.norm.cdf(-abs(mean) / spread), abs=0.02)
    whole = math.hypot(spread, noise)
    assert information.of_everything(payoffs) == pytest.approx(gain(mean, whole), abs=0.02)


def test_an_input_that_no_payoff_hangs_on_is_worth_nothing_to_know():
    values = samples("xyz", draws=1 << 14, quantile=ndtri)[0]
    payoffs = np.column_stack([0.2 + values["x"], 0.1 + values["y"], np.zeros(1 << 14)])
    found = information.of_input(values["z"], payoffs, REPLICATES)
    assert found.value.lo <= 0.0 <= found.value.hi
    assert abs(found.value.value) < 0.002


def test_an_input_that_cannot_change_the_choice_is_worth_nothing_to_know():
    values = samples("x", draws=1024)[0]["x"]
    payoffs = np.column_stack([10 + values, 5 - values])
    assert information.of_input(values, payoffs, REPLICATES).value.value == 0.0


def test_a_conditional_mean_is_exact_for_a_cubic():
    values = samples("x", draws=512)[0]["x"]
    payoffs = np.column_stack([values**3 - 2 * values, 1 + values**2])
    assert information.conditional_means(values, payoffs) == pytest.approx(payoffs)


def test_points_are_balanced_and_never_at_an_end():
    points = sobol_points.points(1024, 5, 3)
    assert points.shape == (1024, 5)
    assert ((points > 0) & (points < 1)).all()
    # One point in each of 1024 equal strips, in every column.
    assert (np.sort(np.floor(points * 1024).astype(int), axis=0) == np.arange(1024)[:, None]).all()


@pytest.mark.parametrize(("draws", "power"), [(1, 1), (2, 2), (3, 4), (100_000, 131_072), (4096, 4096)])
def test_draws_are_rounded_up_to_a_power_of_two(draws, power):
    assert sobol_points.powers_of_two(draws) == power


@pytest.fixture(scope="module")
def found():
    return study(inputs(**WIDE), FIVE, 4096, 7)


def test_the_study_is_of_the_option_that_leads_and_of_its_inputs(found):
    assert (found.option, found.best) == ("go", "go")
    assert set(found.shares["key"]) == {key for key in found.inputs.uncertain if not key.startswith("java_improved.")}
    assert set(found.next["key"]) == set(found.inputs.uncertain)
    with pytest.raises(UnknownName, match="java_improved"):
        study(found.inputs, FIVE, 512, 1, "javascript")


def test_first_orders_of_the_case_are_those_of_regression_on_binned_inputs(found):
    # An independent estimate: the variance of the means over 64 classes of an input, from other draws.
    drawn = decide(inputs(**WIDE), FIVE, 1 << 16, 99)
    npv = drawn.of("go").npv
    for r in found.shares.itertuples():
        order = np.argsort(drawn.values[r.key])
        between = npv[order].reshape(64, -1).mean(axis=1).var() / npv.var()
        assert r.alone == pytest.approx(between, abs=0.02)


def test_variance_by_provenance_is_of_the_whole_class():
    given = inputs(**WIDE)
    recorded = {key: quantity(key, given.quantities[key].distribution, Provenance.RECORDED)
                for key in ("fixes_per_year", "go.fix_hours")}  # fmt: skip
    mixed = Inputs(
        given.title, given.currency, given.synthetic, given.variant, given.run, given.options,
        {**given.quantities, **recorded},
    )  # fmt: skip
    classes = study(mixed, FIVE, 8192, 7).classes.set_index("provenance")
    assert (classes.loc["recorded", "inputs"], classes.loc["assumed", "inputs"]) == (2, 6)
    # What one class explains alone is what the other leaves with all its interactions.
    assert classes.loc["recorded", "alone"] == pytest.approx(1 - classes.loc["assumed", "total"], abs=0.02)
    assert classes.loc["assumed", "alone"] == pytest.approx(1 - classes.loc["recorded", "total"], abs=0.02)


def test_the_tornado_is_the_value_at_both_ends_of_one_input():
    given = inputs(**WIDE)
    row = tornado(given, FIVE, "go").set_index("key").loc["go.build_hours"]
    low, high = WIDE["go__build_hours"].quantile(np.array([0.1, 0.9]))
    assert (row["low"], row["high"]) == (low, high)
    # Build is spent at time 0, at 50 an hour.
    assert row["at_low"] - row["at_high"] == pytest.approx(50 * (high - low))


def test_the_widest_of_the_tornado_move_first_towards_the_turn(found):
    steps = towards_the_turn(found)
    assert list(steps["key"].iloc[1:]) == list(found.tornado["key"])
    assert steps["npv"].iloc[0] == pytest.approx(worth(found.inputs.means(), "go", FIVE)[0])
    # Fewer fixes, cheaper outages, longer fixes and fewer rollbacks that succeed: each of them speaks against it.
    low = {key: WIDE[key.replace(".", "__")].quantile(np.array([0.1, 0.9]))[0]
           for key in ("fixes_per_year", "outage_cost_per_hour", "go.rollback_success")}  # fmt: skip
    high = {"go.fix_hours": WIDE["go__fix_hours"].quantile(np.array([0.9]))[0]}
    assert set(steps["key"].iloc[1:5]) == set(low | high)
    assert steps["npv"].iloc[4] == pytest.approx(worth(found.inputs.means() | low | high, "go", FIVE)[0])


def test_the_probability_of_a_flip_is_that_of_another_option_paying_most(found):
    drawn = decide(found.inputs, FIVE, 1 << 15, 5)
    best = drawn.payoffs.argmax(axis=1)
    assert found.flips == pytest.approx(np.mean(best != 0), abs=0.01)
    assert found.everything == pytest.approx(information.of_everything(drawn.payoffs), rel=0.05)


def test_the_study_does_not_depend_on_the_order_of_the_inputs(found):
    given = found.inputs
    backwards = Inputs(
        given.title, given.currency, given.synthetic, given.variant, given.run, given.options[::-1],
        dict(reversed(given.quantities.items())),
    )  # fmt: skip
    other = study(backwards, FIVE, 4096, 7)
    assert other.shares.equals(found.shares)
    assert other.next.set_index("key")["value"].to_dict() == pytest.approx(
        found.next.set_index("key")["value"].to_dict()
    )


def test_a_seed_gives_the_same_study_again_and_another_gives_another(found):
    assert study(found.inputs, FIVE, 4096, 7).shares.equals(found.shares)
    assert not study(found.inputs, FIVE, 4096, 8).shares.equals(found.shares)


def test_inputs_without_any_spread_are_told_so():
    certain = study(inputs(), FIVE, 1, 7, "go")
    assert certain.draws == LEAST_DRAWS
    assert certain.shares.empty
    assert "one certain value" in view.verdict(certain)
    assert view.shares_chart(certain) is None
    assert "loses" in view.case_against(certain)


def test_the_verdict_says_how_much_rests_on_assumptions_and_how_likely_the_choice_flips(found):
    said = view.verdict(found)
    assert said.startswith("**100% of the variance of this result")
    assert "another option than *Rewrite in Go*" in said


@pytest.mark.parametrize("chart", [view.classes_chart, view.shares_chart, view.tornado_chart])
def test_a_chart_of_the_study_tells_its_finding(found, chart):
    assert chart(found).title


def test_the_tornado_is_drawn_from_where_all_inputs_are_at_their_means(found):
    spec, at_means = view.tornado_chart(found), towards_the_turn(found)["npv"].iloc[0]
    ends = spec.data.groupby("input", sort=False)["npv"].agg(["min", "max"]) * 1000 - at_means
    assert spec.spans().loc[ends.index, "up"].mul(1000).tolist() == pytest.approx(ends["max"].clip(lower=0).tolist())
    assert spec.spans().loc[ends.index, "down"].mul(1000).tolist() == pytest.approx(ends["min"].clip(upper=0).tolist())


def test_two_ends_on_one_side_are_two_pieces_of_which_one_goes_on_from_the_other():
    low, high = view._pieces(pd.Series([-3.0, 2.0, 5.0, -1.0]), pd.Series([4.0, 5.0, 2.0, -4.0]))
    assert (low.tolist(), high.tolist()) == ([-3.0, 2.0, 3.0, -1.0], [4.0, 3.0, 2.0, -3.0])


def test_what_is_worth_measuring_is_drawn_and_listed_largest_first():
    # Two rewrites of like worth: which of them is better hangs on both.
    even = WIDE | {"java_improved__fix_hours": Pert(1, 2, 6), "java_improved__build_hours": Pert(50, 300, 1200)}
    told = study(inputs(**even), FIVE, 4096, 7)
    spec = view.next_chart(told)
    assert spec.data["worth"].is_monotonic_decreasing
    assert len(view.next_table(told)) >= len(spec.data) >= 2
    assert all(figure["lo"] > 0 for figure in view.findings(told) if figure["id"].startswith("worth_of_knowing_go"))


def test_a_study_of_100_000_draws_works_the_model_out_for_each_input_and_class():
    told = study(inputs(fixes_per_year=Pert(20, 100, 300), go__fix_hours=Pert(1, 2, 6)), FIVE, 100_000, 7, "go")
    assert told.draws == 131_072
    # Two samples, one more for each of two inputs, and one for the class of both.
    assert told.draws_in_all == 5 * 131_072
