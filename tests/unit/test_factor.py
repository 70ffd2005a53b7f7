"""The article's factor and what it hides; the figures were worked out by hand."""

import math

import pytest

from roi.factor import FactorInputs, autopsy, roi_factor

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
