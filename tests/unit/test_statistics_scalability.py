"""The scalability law recovered from curves of known parameters, and against a linear regression."""

import numpy as np
import pytest
from scipy import stats

from roi.statistics.scalability import scalability

RUNGS = np.array([1, 2, 4, 8, 16, 32, 64], float)


def law(n: np.ndarray, rate_of_one: float, contention: float, coherency: float) -> np.ndarray:
    return rate_of_one * n / (1 + contention * (n - 1) + coherency * n * (n - 1))


@pytest.mark.parametrize("parameters", [(1000.0, 0.02, 0.001), (3.5, 0.3, 0.00002), (2e6, 0.0, 0.01), (40.0, 0.9, 0.0)])
def test_the_parameters_of_a_curve_without_noise_are_found(parameters):
    found = scalability(RUNGS, law(RUNGS, *parameters))
    fitted = [found.rate_of_one.value, found.contention.value, found.coherency.value]
    assert fitted == pytest.approx(parameters, rel=1e-4, abs=1e-7)
    assert found.misfit < 1e-6


def test_a_curve_bends_at_31_3_where_contention_is_2_percent_and_coherency_a_thousandth():
    # sqrt(0.98 / 0.001) = 31.305
    found = scalability(RUNGS, law(RUNGS, 1000.0, 0.02, 0.001))
    assert found.peak == pytest.approx(31.305, abs=0.01)
    assert found.no_peak is None
    assert found.at(31) > found.at(30)
    assert found.at(32) > found.at(33)


def test_a_peak_beyond_what_was_measured_is_not_named():
    below = RUNGS[RUNGS <= 16]
    rungs = np.sort(np.append(below, [3, 6]))
    found = scalability(rungs, law(rungs, 1000.0, 0.02, 0.001))
    assert found.peak is None
    assert found.no_peak == "throughput still rises at 16, the most that was measured"


def test_a_peak_before_what_was_measured_is_not_named():
    found = scalability(RUNGS * 8, law(RUNGS * 8, 1000.0, 0.02, 0.04))
    assert found.peak is None
    assert found.no_peak == "throughput falls from 8 on, the least that was measured"


def test_amdahls_law_has_no_peak():
    # One twentieth of the work is serial: 64 make (64 / (1 + 0.05 · 63)) = 15.4 times one, and it never falls.
    found = scalability(RUNGS, law(RUNGS, 100.0, 0.05, 0.0))
    assert found.at(64) == pytest.approx(100 * 64 / 4.15, rel=1e-4)
    assert found.peak is None
    assert "still rises at 64" in found.no_peak


def test_where_contention_alone_takes_everything_there_is_no_peak():
    found = scalability(RUNGS, law(RUNGS, 100.0, 1.2, 0.001))
    assert found.peak is None
    assert "falls from the first on" in found.no_peak


def test_it_agrees_with_the_linear_regression_of_its_source():
    # N / C - 1 over N - 1 is σ + κ N, C being throughput over that of one (Gunther, chapter 5).
    curve = law(RUNGS, 750.0, 0.03, 0.0007)
    later = RUNGS[1:]
    deviation = (later / (curve[1:] / curve[0]) - 1) / (later - 1)
    coherency, contention = np.polyfit(later, deviation, 1)
    found = scalability(RUNGS, curve)
    assert found.contention.value == pytest.approx(contention, rel=1e-4)
    assert found.coherency.value == pytest.approx(coherency, rel=1e-4)


def test_processes_that_differ_in_speed_alone_leave_the_shape_certain():
    speeds = np.array([0.96, 0.99, 1.0, 1.02, 1.03])
    found = scalability(RUNGS, law(RUNGS, 1000.0, 0.02, 0.001) * speeds[:, None])
    assert (found.contention.lo, found.contention.hi) == pytest.approx((0.02, 0.02), abs=1e-5)
    lo, hi = stats.t.interval(0.95, 4, 1000 * speeds.mean(), 1000 * stats.sem(speeds))
    assert found.rate_of_one.value == pytest.approx(1000 * speeds.mean(), rel=2e-3)
    assert found.rate_of_one.hi - found.rate_of_one.lo == pytest.approx(hi - lo, rel=0.5)
    assert found.rate_of_one.lo < 1000 * speeds.mean() < found.rate_of_one.hi
    assert found.rate_of_one.n == 5


def test_the_misfit_is_the_root_mean_square_of_relative_residuals():
    # Two processes 1 % above and below a curve: the law lies between them, a hundredth from either.
    curve = law(RUNGS, 1000.0, 0.02, 0.001)
    found = scalability(RUNGS, np.stack([curve * 1.01, curve * 0.99]))
    assert found.misfit == pytest.approx(0.01, rel=1e-3)


def test_no_parameter_and_no_end_of_an_interval_is_negative():
    # Throughput better than linear: the law has nothing below 0 to give for it.
    random = np.random.default_rng(2)
    curves = 100 * RUNGS**1.02 * random.normal(1.0, 0.02, (4, len(RUNGS)))
    found = scalability(RUNGS, curves)
    for estimate in (found.contention, found.coherency):
        assert 0 <= estimate.lo <= estimate.hi
        assert estimate.value == pytest.approx(0.0, abs=1e-3)


def test_one_process_has_no_intervals():
    found = scalability(RUNGS, law(RUNGS, 1000.0, 0.02, 0.001))
    assert (found.rate_of_one.lo, found.rate_of_one.hi, found.rate_of_one.n) == (None, None, 1)


def test_outside_of_what_was_measured_there_is_no_throughput():
    found = scalability(RUNGS, law(RUNGS, 1000.0, 0.02, 0.001))
    for n in (0.5, 65):
        with pytest.raises(ValueError, match="lies outside of 1 to 64"):
            found.at(n)


def test_five_rungs_are_refused_and_a_rung_twice_is_one():
    rungs = np.array([1, 2, 4, 8, 16, 16], float)
    with pytest.raises(ValueError, match="There are 5 rungs"):
        scalability(rungs, law(rungs, 1000.0, 0.02, 0.001))


def test_shapes_that_do_not_fit_and_values_without_a_relative_residual_are_refused():
    curve = law(RUNGS, 1000.0, 0.02, 0.001)
    with pytest.raises(ValueError, match="one throughput a process and rung"):
        scalability(RUNGS, curve[:-1])
    with pytest.raises(ValueError, match="not a positive finite number"):
        scalability(RUNGS, np.where(RUNGS == 8, 0.0, curve))


def test_a_curve_that_only_rises_has_no_coherency_at_all_and_not_a_rounding_of_it():
    # Steeper than any law without coherency: the best that fits stands at the bound.
    rising = np.stack([law(RUNGS, 1000.0, 0.05, 0.0) * (1 + 0.002 * RUNGS * scale) for scale in (1.0, 1.1, 0.9)])
    found = scalability(RUNGS, rising)
    assert found.coherency.value == 0
    assert found.coherency.lo <= found.coherency.value <= found.coherency.hi
    assert found.no_peak == "throughput still rises at 64, and without coherency it has no peak at all"
