"""What a request costs by how busy a core is: between measured points, and never beyond them."""

from __future__ import annotations

import numpy as np
import pytest

from roi.density import DemandCurve

CURVE = DemandCurve(np.array([0.1, 0.9]), np.array([100.0, 60.0]))
"""1,000 requests/s keep a core a tenth busy, 15,000 nine tenths."""


def test_between_two_points_a_request_costs_what_lies_between_and_outside_of_them_nothing_is_known():
    assert CURVE.at(0.5) == pytest.approx(80)
    assert [CURVE.at(0.05), CURVE.at(0.95)] == [None, None]


def test_the_rate_that_keeps_a_core_half_busy_keeps_it_half_busy():
    # Half a second at 80 µs each are 6,250 requests; half the least rate is half as busy, and no core is busier than the busiest.
    assert CURVE.busy(np.array([6_250, 1_000, 500, 15_000, 20_000])) == pytest.approx([0.5, 0.1, 0.05, 0.9, 0.9])


def test_where_a_busier_core_served_less_the_rate_is_reached_at_the_lesser_utilisation():
    dip = DemandCurve(np.array([0.1, 0.5, 0.6, 0.9]), np.array([100.0, 50.0, 100.0, 60.0]))
    assert dip.busy(np.array([10_000.0])) == pytest.approx([0.5])


@pytest.mark.parametrize("rate_per_s", [3_000, 8_000])
def test_a_queue_whose_first_service_after_idling_is_dearer_costs_linear_in_utilisation(rate_per_s):
    # 50 µs a request, and 50 more for one that finds nobody: simulated, and between 100 µs of an idle core and 50 of a full one.
    generator, free, used, count = np.random.default_rng(5), 0.0, 0.0, 200_000
    for at in np.cumsum(generator.exponential(1 / rate_per_s, count)):
        cost = 50e-6 if at < free else 100e-6
        free, used = max(at, free) + cost, used + cost
    line = DemandCurve(np.array([0.0, 1.0]), np.array([100.0, 50.0]))
    assert used / count * 1e6 == pytest.approx(line.at(used / free), rel=0.01)
