"""The business case: flows and their worth, on a firm whose figures were worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from roi.business_case import Horizon, flows, npv, payback, payback_years, present_costs, roi
from roi.decision import decide
from roi.distributions import Pert
from roi.inputs import Inputs
from tests.unit.small_firm import SERVICE, WIDE, inputs, option

ONE_YEAR = Horizon(1)


def worth(horizon: Horizon = ONE_YEAR, **restated: float) -> dict[str, float]:
    """Give the present value of every line of an option that restates some quantities."""
    found = flows(SERVICE, option(**restated), horizon).present_values()
    return {name: float(value[0]) for name, value in found.items()}


def test_an_option_that_changes_nothing_and_costs_nothing_is_worth_nothing():
    free = dict.fromkeys(("build_hours", "migration_cost", "engineers_to_train"), 0.0)
    cash = flows(SERVICE, option(**free), Horizon(5))
    assert npv(cash) == pytest.approx(0.0)
    assert math.isnan(roi(cash)[0])
    assert payback(cash)[0] == 0.0


def test_what_starts_a_change_is_spent_at_time_0_and_not_discounted():
    cash = flows(SERVICE, option(), Horizon(3))
    # 100 hours at 50, 3000, and three of four people who each learn for 20 hours.
    assert {name: list(line[0]) for name, line in cash.costs.items() if line.any()} == {
        "build": [5000.0, 0, 0, 0],
        "migration": [3000.0, 0, 0, 0],
        "training": [3000.0, 0, 0, 0],
    }
    assert present_costs(cash) == pytest.approx(11_000)
    assert npv(cash) == pytest.approx(-11_000)
    assert roi(cash) == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("restated", "line", "a_year"),
    [
        # 100 fixes x 3 hours x 50.
        ({"fix_hours": 2.0}, "fixes", 15_000),
        # 60 changes x half an hour x 50.
        ({"config_minutes": 10.0}, "configuration changes", 1500),
        # 50 x 0.2 x 0.4 = 4 failed rollbacks become 1: 3 x 8 hours x 2 people x 50.
        ({"rollback_success": 0.9}, "failed releases", 2400),
        # And 3 x 1.5 hours x 2000.
        ({"rollback_success": 0.9}, "outages after failed rollbacks", 9000),
        # Half as many releases fail: 2 x 8 x 2 x 50.
        ({"change_failure_rate": 0.1}, "failed releases", 1600),
        # 12 crashes x 15 s are 0.05 hours.
        ({"recovery_s": 15.0}, "outages after crashes", 100),
        # Six cores with 2 GiB each cost 0.05 x 8760 a core; a third of the CPU time takes two.
        ({"cpu_s_a_request": 0.001}, "capacity", 4 * 0.05 * 8760),
        # Worse is below zero: six cores at 0.005 x 8760 for each of 2 GiB more.
        ({"memory_gib_a_core": 4.0}, "capacity", -6 * 2 * 0.005 * 8760),
    ],
)
def test_a_line_is_worth_its_yearly_amount_a_year_later(restated, line, a_year):
    assert worth(**restated)[line] == pytest.approx(a_year / 1.1)


def test_cores_that_must_stand_are_not_saved():
    service = SERVICE | {"least_instances_cores": 5.0}
    cash = flows(service, option(cpu_s_a_request=0.001, least_instances_cores=5.0), ONE_YEAR)
    assert cash.benefits["capacity"][0, 1] == pytest.approx(1 * 0.05 * 8760)


def test_what_is_counted_among_the_fixes_is_not_counted_as_a_change_of_configuration():
    shared = worth(Horizon(1, overlap=0.25), config_minutes=10.0, dip_share=0.1, dip_years=1.0)
    assert shared["configuration changes"] == pytest.approx(0.75 * 1500 / 1.1)
    # Lost at the start: a tenth of 500 h of fixes, 0.75 x 40 h of changes, and 64 h after failed rollbacks.
    assert shared["work lost at the start"] == pytest.approx(0.1 * (500 + 30 + 64) * 50 / 1.1)


def test_a_dip_of_half_a_year_takes_half_a_years_share():
    cash = flows(SERVICE, option(dip_share=0.2, dip_years=1.5), Horizon(3))
    # 0.2 x (500 + 40 + 64) hours x 50.
    assert list(cash.costs["work lost at the start"][0]) == pytest.approx([0, 6040, 3020, 0])


def test_both_systems_are_paid_for_until_the_old_one_is_gone():
    both = option(both_systems_years=0.5, both_systems_hours_per_year=80.0, cpu_s_a_request=0.001)
    cash = flows(SERVICE, both, Horizon(2))
    assert list(cash.costs["work on two systems"][0]) == pytest.approx([0, 2000, 0])
    assert list(cash.costs["capacity of two systems"][0]) == pytest.approx([0, 0.5 * 2 * 438, 0])
    # Only the half year after it saves four cores.
    assert list(cash.benefits["capacity"][0]) == pytest.approx([0, 0.5 * 4 * 438, 4 * 438])


def test_a_step_in_the_middle_of_a_year_brings_half_of_it():
    cash = flows(SERVICE, option(fix_hours=2.0, adoption_delay_years=1.5), Horizon(3))
    assert list(cash.benefits["fixes"][0]) == pytest.approx([0, 0, 7500, 15_000])


def test_the_ramp_of_adoption_is_the_integral_of_the_logistic():
    delay, span = 1.2, 0.8
    cash = flows(SERVICE, option(fix_hours=2.0, adoption_delay_years=delay, adoption_span_years=span), Horizon(3))
    at = np.linspace(0, 3, 300_001)
    share = 1 / (1 + np.exp(-2 * math.log(9) / span * (at - delay)))
    assert share[np.searchsorted(at, delay - span / 2)] == pytest.approx(0.1, abs=1e-4)
    assert share[np.searchsorted(at, delay + span / 2)] == pytest.approx(0.9, abs=1e-4)
    by_year = [np.trapezoid(share[(at >= y) & (at <= y + 1)], dx=1e-5) for y in range(3)]
    assert cash.benefits["fixes"][0, 1:] / 15_000 == pytest.approx(by_year, rel=1e-4)


def test_a_level_benefit_is_worth_what_the_annuity_formula_says():
    # NPV = -11,000 + 15,000 x (1 - 1.1^-5) / 0.1.
    cash = flows(SERVICE, option(fix_hours=2.0), Horizon(5))
    assert npv(cash)[0] == pytest.approx(-11_000 + 15_000 * 3.790786769)
    assert roi(cash)[0] == pytest.approx(npv(cash)[0] / 11_000)


def test_a_system_that_may_die_is_worth_the_geometric_sum_with_its_survival():
    # Each year is worth S = 0.9 / 1.1 of the one before: S (1 - S^5) / (1 - S) in all.
    survival = 0.9 / 1.1
    cash = flows(SERVICE | {"system_survival": 0.9}, option(fix_hours=2.0), Horizon(5))
    assert npv(cash)[0] == pytest.approx(-11_000 + 15_000 * survival * (1 - survival**5) / (1 - survival))


def test_the_horizons_discount_rate_goes_before_the_inputs_own():
    assert worth(Horizon(1, discount_rate=0.25), fix_hours=2.0)["fixes"] == pytest.approx(12_000)


def test_net_present_value_is_what_the_discounted_net_flows_add_up_to():
    drawn = decide(inputs(**WIDE), Horizon(7), 512, 3)
    for found in drawn.outcomes:
        assert found.npv == pytest.approx((found.cash.net * found.cash.factors).sum(axis=1))


@pytest.mark.parametrize(
    ("net", "years"),
    [
        ([-1000, 500, 500, 500], 2.0),
        ([-1000, 400, 400, 400], 2.5),
        ([-1000, 300, 300, 300], math.inf),
        ([-1000, 2000], 0.5),
        ([0, 100], 0.0),
        # Money is out again in the second year: it has paid back when it stays in.
        ([-100, 150, -100, 100], 2.5),
        ([0, -100, 200], 1.5),
        ([-100, 300, -250], math.inf),
    ],
)
def test_payback_is_linear_within_its_year_and_may_be_never(net, years):
    assert payback_years(np.array([net], float))[0] == years


def test_payback_is_finite_just_where_the_net_present_value_is_not_below_zero():
    for found in decide(inputs(**WIDE), Horizon(2), 1024, 5).outcomes:
        assert ((found.npv >= 0) == np.isfinite(found.payback_years)).all()
        assert 0 < np.mean(found.npv >= 0) < 1


def test_discounted_payback_is_that_of_a_textbook():
    # 15,000 a year at 10 %: 13,636 after a year, which covers 11,000 after 11,000 / 13,636 of it.
    assert payback(flows(SERVICE, option(fix_hours=2.0), Horizon(3)))[0] == pytest.approx(11_000 / (15_000 / 1.1))


@pytest.mark.parametrize(
    ("values", "named"), [({"years": 0}, "years"), ({"discount_rate": 8.0}, "discount_rate"), ({"overlap": -0.1}, "overlap")]
)  # fmt: skip
def test_a_horizon_that_means_nothing_says_which_value(values, named):
    with pytest.raises(ValueError, match=named):
        Horizon(**values)


def test_draws_do_not_depend_on_the_order_of_the_inputs():
    given = inputs(**WIDE)
    backwards = Inputs(
        given.title, given.currency, given.synthetic, given.variant, given.run, given.options[::-1],
        dict(reversed(given.quantities.items())),
    )  # fmt: skip
    one, other = (decide(said, Horizon(), 512, 11) for said in (given, backwards))
    for name in ("go", "java_improved"):
        assert (one.of(name).npv == other.of(name).npv).all()


def test_a_seed_gives_the_same_draws_again_and_another_gives_others():
    first, again, another = (decide(inputs(**WIDE), Horizon(), 512, seed).of("go").npv for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != another).all()


def test_the_mean_over_draws_is_the_value_at_the_means_where_inputs_multiply():
    # Independent inputs, each in a product once: the mean of the product is the product of the means.
    given = inputs(
        fixes_per_year=Pert(50, 100, 300), go__fix_hours=Pert(1, 2, 4), outage_cost_per_hour=Pert(500, 2000, 9000)
    )
    drawn = decide(given, Horizon(), 4096, 1).of("go").npv
    means = SERVICE | {"fixes_per_year": 125.0, "outage_cost_per_hour": 17_500 / 6}
    expected = npv(flows(means, option(**means | {"fix_hours": 13 / 6}), Horizon()))[0]
    assert drawn.mean() == pytest.approx(expected, rel=1e-4)
