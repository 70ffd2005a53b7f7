"""The factor's interval, against closed forms and against draws by another generator."""

import math

import numpy as np
import pytest

from roi.factor import FactorInputs
from roi.factor_interval import Samples, interval, were_there

ARTICLE = FactorInputs(4.2, 1.1, 0.61, 0.992)


def test_without_the_number_of_observations_there_is_no_interval():
    for samples in (Samples(), Samples(50, 50, 100, 0)):
        found = interval(ARTICLE, samples)
        assert (round(found.value, 4), found.lo, found.hi) == (3.1606, None, None)


def test_hours_alone_have_the_interval_of_a_ratio_of_lognormals():
    hours = FactorInputs(4.2, 1.1, 0.61, 0.992, weight_efficiency=1.0)
    found = interval(hours, Samples(100, 50, 100, 125, fix_hours_cv=0.8))
    half = 1.959964 * math.sqrt(math.log(1 + 0.64 / 100) + math.log(1 + 0.64 / 50))
    assert found.lo == pytest.approx(4.2 / 1.1 * math.exp(-half), rel=2e-3)
    assert found.hi == pytest.approx(4.2 / 1.1 * math.exp(half), rel=2e-3)
    assert found.n == 50


def test_rates_alone_have_the_interval_of_a_ratio_of_beta_posteriors():
    rates = FactorInputs(4.2, 1.1, 0.61, 0.992, weight_efficiency=0.0)
    found = interval(rates, Samples(100, 100, 100, 125))
    draw = np.random.default_rng(3)
    drawn = draw.beta(124.5, 1.5, 1_000_000) / draw.beta(61.5, 39.5, 1_000_000)
    assert (found.lo, found.hi) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), rel=2e-3)


def test_more_observations_narrow_it_by_the_root_of_their_number():
    wide, narrow = (were_there(ARTICLE, n) for n in (400, 40_000))
    assert (wide.hi - wide.lo) / (narrow.hi - narrow.lo) == pytest.approx(10, rel=0.02)


def test_the_same_question_has_the_same_answer():
    assert were_there(ARTICLE, 30) == were_there(ARTICLE, 30)


def test_a_rate_that_no_count_out_of_n_gives_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"no whole number out of 100 rollbacks gives: 99 of 100 are 0\.99"):
        interval(ARTICLE, Samples(50, 50, 100, 100))


def test_61_percent_may_be_61_of_100_or_11_of_18():
    for n in (100, 18):
        assert interval(ARTICLE, Samples(50, 50, n, 125)).hi is not None


@pytest.mark.parametrize(
    ("change", "named"), [({"fixes_before": -1}, "fixes_before"), ({"fix_hours_cv": 0.0}, "fix_hours_cv")]
)
def test_a_number_that_can_mean_nothing_is_refused_by_name(change, named):
    with pytest.raises(ValueError, match=named):
        Samples(**change)
