"""The article's factor and what it hides; the figures were worked out by hand."""

import math

import pytest

from roi.factor import FactorInputs, autopsy, roi_factor, swap_weight, with_config

ARTICLE = FactorInputs(4.2, 1.1, 0.61, 0.992)


def test_the_articles_own_figures_give_its_factor():
    assert round(roi_factor(4.2, 1.1, 0.61, 0.992), 4) == 3.1606


def test_without_any_change_the_factor_is_one_at_every_weight():
    assert [roi_factor(2.0, 2.0, 0.9, 0.9, w) for w in (0.0, 0.4, 1.0)] == pytest.approx([1.0, 1.0, 1.0])


def test_a_weight_of_one_leaves_only_the_fix_efforts():
    assert roi_factor(6.0, 2.0, 0.5, 1.0, weight_efficiency=1.0) == 3.0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"fix_hours_before": 0.0}, "fix_hours_before"),
        ({"fix_hours_after": -1.0}, "fix_hours_after"),
        ({"fix_hours_after": math.inf}, "fix_hours_after"),
        ({"fix_hours_before": math.nan}, "fix_hours_before"),
        ({"rollback_rate_before": 0.0}, "rollback_rate_before"),
        ({"rollback_rate_before": -0.1}, "rollback_rate_before"),
        ({"rollback_rate_after": 1.01}, "rollback_rate_after"),
        ({"rollback_rate_after": 61.0}, "rollback_rate_after"),
        ({"weight_efficiency": 1.5}, "weight_efficiency"),
    ],
)
def test_an_input_that_can_mean_nothing_is_refused_by_name(change, named):
    inputs = {
        "fix_hours_before": 4.2,
        "fix_hours_after": 1.1,
        "rollback_rate_before": 0.61,
        "rollback_rate_after": 0.992,
    }
    with pytest.raises(ValueError, match=named):
        roi_factor(**inputs | change)


def test_swapping_old_and_new_gives_another_answer():
    assert autopsy(ARTICLE).reversed == pytest.approx(2.7188, abs=5e-5)


def test_the_geometric_twin_does_not_change_when_old_and_new_are_swapped():
    swapped = FactorInputs(1.1, 4.2, 0.992, 0.61)
    assert autopsy(ARTICLE).geometric == pytest.approx(2.9557, abs=5e-5)
    assert autopsy(swapped).geometric == pytest.approx(1 / autopsy(ARTICLE).geometric)


def test_the_rollback_term_can_never_pass_its_cap():
    perfect = FactorInputs(4.2, 1.1, 0.61, 1.0)
    assert autopsy(perfect).rollback_term == pytest.approx(autopsy(ARTICLE).rollback_term_most)
    assert autopsy(ARTICLE).rollback_term_most == pytest.approx(0.3 / 0.61)


def test_counting_failures_in_place_of_successes_multiplies_the_factor():
    assert autopsy(ARTICLE).with_failures == pytest.approx(0.7 * 4.2 / 1.1 + 0.3 * 0.39 / 0.008)


def test_the_factor_is_a_straight_line_in_the_weight():
    slope = autopsy(ARTICLE).weight_slope
    assert ARTICLE.factor(0.9) - ARTICLE.factor(0.5) == pytest.approx(0.4 * slope)


# Gains of 4 and 1.0 against gains of 2 and 1.5, by successes; failures fall to 1/1 and to 1/2.
FAST = FactorInputs(4.0, 1.0, 0.5, 0.5)
SAFE = FactorInputs(4.0, 2.0, 0.5, 0.75)


def test_two_options_swap_where_their_lines_cross():
    assert swap_weight(FAST, SAFE) == pytest.approx(0.2)
    assert swap_weight(SAFE, FAST) == pytest.approx(0.2)
    assert FAST.factor(0.2) == pytest.approx(1.6)
    assert SAFE.factor(0.2) == pytest.approx(1.6)
    assert FAST.factor(0.3) > SAFE.factor(0.3)


def test_counting_failures_moves_the_weight_at_which_they_swap():
    assert swap_weight(FAST, SAFE, of_failures=True) == pytest.approx(1 / 3)


def test_an_option_that_is_better_at_both_leads_at_every_weight():
    better = FactorInputs(4.0, 0.5, 0.5, 0.8)
    assert swap_weight(better, FAST) is None
    assert swap_weight(FAST, FAST) is None


def test_an_option_without_any_failure_has_no_weight_to_swap_at_when_failures_count():
    assert swap_weight(FAST, FactorInputs(4.0, 2.0, 0.5, 1.0), of_failures=True) is None


def test_a_rollback_that_never_fails_and_has_no_weight_does_not_make_the_factor_infinite():
    assert autopsy(FactorInputs(4.0, 2.0, 0.5, 1.0, weight_efficiency=1.0)).with_failures == 2.0


def test_configuration_changes_share_the_weight_of_the_fix_efforts():
    weighed = FactorInputs(4.0, 1.0, 0.5, 0.5, weight_efficiency=0.5)
    # 0.5 * (0.5 * 4 + 0.5 * 3) + 0.5 * 1
    assert with_config(weighed, 6.0, 2.0) == pytest.approx(2.25)
    assert with_config(weighed, 6.0, 2.0, share=0.0) == weighed.factor()


def test_minutes_and_shares_that_can_mean_nothing_are_refused():
    with pytest.raises(ValueError, match="both must be positive"):
        with_config(FAST, 38.0, 0.0)
    with pytest.raises(ValueError, match="share is 2"):
        with_config(FAST, 38.0, 10.0, share=2.0)
