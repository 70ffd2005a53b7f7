"""Distributions, variance shares and the worth of knowing, against tables, closed forms and other implementations."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

from roi.coverage import Held
from roi.distributions import Distribution, Lognormal, Pert, Proportion, Rate, Triangular, Uniform
from roi.prove.judge import near, within
from roi.recorded import Cases, mean_draws, mean_of
from roi.statistics import information, sobol_points, variance_shares

_DRAWS = 1 << 17
_REPLICATES = 8
_SEED = 20261126
_SAMPLED = 0.005
"""How far an index from so many draws may be off."""
_A, _B = 7.0, 0.1
"""Parameters of Ishigami's function."""


def proofs() -> Iterator[Held]:
    """Make the proofs of what is uncertain."""
    yield from _proportions()
    yield from _rates()
    yield from _moments()
    yield from _bootstrap()
    yield from _ishigami()
    yield from _information()


def _proportions() -> Iterator[Held]:
    """Hold Jeffreys' intervals against the table of Brown, Cai and DasGupta (2001, table 5), and against the integral."""
    for successes, lo, hi in ((1, 0.016, 0.501), (2, 0.065, 0.648), (3, 0.139, 0.766)):
        ends = Proportion(successes, 7).quantile(np.array([0.025, 0.975]))
        for word, expected, found in (("lo", lo, ends[0]), ("hi", hi, ends[1])):
            yield within(f"jeffreys_{successes}_of_7_{word}", expected, found, 0.0006, "published table, three digits")
    for successes, trials in ((61, 100), (124, 125)):
        shares = np.array([0.025, 0.5, 0.975])
        reached = _beta_by_angle(successes, trials, Proportion(successes, trials).quantile(shares))
        off = float(np.abs(reached - shares).max())
        note = "probability below its quantiles, by integrating sin^2k cos^2(n-k) over the angle"
        yield within(f"beta_{successes}_of_{trials}_off", 0.0, off, 1e-7, note)


def _beta_by_angle(successes: int, trials: int, at: np.ndarray) -> np.ndarray:
    """Give Beta(k + 1/2, n - k + 1/2)'s probability below: with x = sin² of an angle its density is a product of powers."""
    angles = np.linspace(0.0, math.pi / 2, 200_001)
    with np.errstate(divide="ignore"):
        logs = [
            2 * times * np.log(part)
            for times, part in ((successes, np.sin(angles)), (trials - successes, np.cos(angles)))
            if times
        ]
    density = np.exp(sum(logs) - np.max(sum(logs)))
    area = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return np.interp(np.arcsin(np.sqrt(at)), angles, area / area[-1])


def _rates() -> Iterator[Held]:
    """Hold Jeffreys' rates against tables of chi-square: twice a Gamma(k + 1/2, 1) has 2k + 1 degrees of freedom."""
    for events, share, printed in (
        (0, 0.95, 3.841),
        (2, 0.05, 1.145),
        (2, 0.95, 11.070),
        (10, 0.05, 11.591),
        (10, 0.95, 32.671),
    ):
        found = 2 * Rate(events, 1.0).quantile(np.array([share]))[0]
        note = f"chi-square with {2 * events + 1} degrees of freedom at {share:g}, published table"
        yield within(f"gamma_{events}_events_at_{share:g}", printed, found, 0.0006, note)


def _moments() -> Iterator[Held]:
    """Hold mean and variance of what the quantile functions give, over equal shares, against the closed forms."""
    low, mode, high = 2.0, 5.0, 14.0
    mean = (low + 4 * mode + high) / 6
    skewed = math.log(9.0 / 2.0) / (2 * 1.2815515655446004)
    square = math.exp(skewed**2)
    cases: tuple[tuple[str, Distribution, float, float, str], ...] = (
        ("pert", Pert(low, mode, high), mean, (mean - low) * (high - mean) / 7, "(a + 4m + b)/6, (mean - a)(b - mean)/7"),
        ("triangular", Triangular(low, mode, high), (low + mode + high) / 3,
         (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18, "(a + m + b)/3, (a² + …)/18"),
        ("uniform", Uniform(low, high), (low + high) / 2, (high - low) ** 2 / 12, "(a + b)/2, (b - a)²/12"),
        ("lognormal", Lognormal(2.0, 9.0), math.sqrt(18 * square), 18 * square * (square - 1), "median √(P10 P90)"),
    )  # fmt: skip
    shares = (np.arange(2_000_000) + 0.5) / 2_000_000
    for name, distribution, expected, variance, note in cases:
        values = distribution.quantile(shares)
        yield near(f"{name}_mean", expected, float(values.mean()), 1e-5, note)
        yield near(f"{name}_mean_stated", expected, distribution.mean, 1e-12, note)
        yield near(f"{name}_variance", variance, float(values.var()), 1e-3, note)


def _bootstrap() -> Iterator[Held]:
    """Hold the spread of a bootstrapped mean against s/√n and scipy's own, and the mean with open cases against the hand's."""
    values = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 12.0, 1.2, 3.3])
    none = np.zeros(len(values), bool)
    drawn = mean_draws(Cases(values, none))
    expected = float(values.std(ddof=1) / math.sqrt(len(values)))
    yield near("bootstrap_mean_spread", expected, float(drawn.std()), 0.05, "s/√n; 4,000 draws know it to 1 %")
    yield near("bootstrap_mean", float(values.mean()), float(drawn.mean()), 0.02, "the mean of the cases")
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(_SEED)
    ).confidence_interval
    wider = math.sqrt(len(values) / (len(values) - 1))
    for word, end, ours in (("lo", other.low, 0.025), ("hi", other.high, 0.975)):
        their = float(values.mean() + (end - values.mean()) * wider)
        note = "scipy.stats.bootstrap, widened by √(n / (n - 1))"
        yield near(f"bootstrap_interval_{word}", their, float(np.quantile(drawn, ours)), 0.03, note)
    # Kaplan and Meier by hand: 1 until 1, 4/5 until 2, 4/5 · 2/3 until 5, so 1 + 4/5 · 1 + 4/5 · 2/3 · 2 + 4/5 · 2/3 · 1/2 · 1.
    with_open = Cases(np.array([1.0, 2.0, 2.0, 4.0, 5.0]), np.array([False, False, True, False, False]))
    by_hand = 1 + 0.8 * 1 + 0.8 * 3 / 4 * 2 + 0.8 * 3 / 4 / 2 * 1
    yield near(
        "mean_with_an_open_case",
        by_hand,
        mean_of(with_open),
        1e-12,
        "area under the curve of Kaplan and Meier, by hand",
    )


def _ishigami() -> Iterator[Held]:
    """Hold the indices of Ishigami's function against their closed forms (Saltelli et al., Global Sensitivity Analysis, 2008)."""
    of_first = (1 + _B * math.pi**4 / 5) ** 2 / 2
    of_second, of_both = _A**2 / 8, _B**2 * math.pi**8 * (1 / 18 - 1 / 50)
    whole = of_first + of_second + of_both
    expected = {
        "x1": (of_first / whole, (of_first + of_both) / whole),
        "x2": (of_second / whole, of_second / whole),
        "x3": (0.0, of_both / whole),
        "x1 and x3": ((of_first + of_both) / whole, (of_first + of_both) / whole),
        "x1 and x2": ((of_first + of_second) / whole, 1.0),
    }
    groups = {name: name.split(" and ") for name in expected}
    angles = (2 * _points(6) - 1) * math.pi
    one, other = ({f"x{place + 1}": half[:, place] for place in range(3)} for half in (angles[:, :3], angles[:, 3:]))

    def model(values: dict[str, np.ndarray]) -> np.ndarray:
        return np.sin(values["x1"]) * (1 + _B * values["x3"] ** 4) + _A * np.sin(values["x2"]) ** 2

    found = variance_shares.shares(model, one, other, groups, _REPLICATES)
    for name, (alone, total) in expected.items():
        which = name.replace(" ", "_")
        kind = "closed index of the group" if "and" in name else "first order"
        note = f"{kind} and total of Ishigami's function, {_DRAWS:,} draws"
        yield within(f"ishigami_{which}_alone", alone, found[name].alone.value, _SAMPLED, note)
        yield within(f"ishigami_{which}_total", total, found[name].total.value, _SAMPLED, note)
    theirs = stats.sobol_indices(
        func=lambda x: np.sin(x[0]) * (1 + _B * x[2] ** 4) + _A * np.sin(x[1]) ** 2, n=_DRAWS,
        dists=[stats.uniform(-math.pi, 2 * math.pi)] * 3, rng=np.random.default_rng(_SEED),
    )  # fmt: skip
    for place in range(3):
        ours = found[f"x{place + 1}"].total.value
        yield within(
            f"ishigami_x{place + 1}_total_scipy",
            float(theirs.total_order[place]),
            ours,
            2 * _SAMPLED,
            "scipy.stats.sobol_indices",
        )


def _information() -> Iterator[Held]:
    """Hold the worth of knowing against the unit normal loss: an option pays a normal sum, and one of its two terms is asked."""
    middle, spread, known = 1.0, 2.0, 1.5
    asked, other = stats.norm.ppf(_points(2)).T * np.array([[known], [math.sqrt(spread**2 - known**2)]])
    nothing = np.zeros(_DRAWS)
    payoffs = np.column_stack([middle + asked + other, nothing])
    found = information.of_input(asked, payoffs, _REPLICATES)
    note = f"s φ(m/s) - m Φ(-m/s) with m = {middle:g}, s = {known:g}"
    yield near("evppi_linear_gaussian", _loss(middle, known), found.value.value, 0.01, note)
    yield within("decision_changes", float(stats.norm.cdf(-middle / known)), found.changes, _SAMPLED, "Φ(-m/s)")
    everything = information.of_everything(payoffs)
    yield near("evpi_linear_gaussian", _loss(middle, spread), everything, 0.01, f"likewise with s = {spread:g}")
    unrelated = information.of_input(other, np.column_stack([middle + asked, nothing]), _REPLICATES).value.value
    yield within("evppi_of_what_does_not_matter", 0.0, unrelated, 1e-3, "an input that no payoff hangs on")


def _points(columns: int) -> np.ndarray:
    """Give points in blocks that are scrambled each on its own, as the sensitivity study draws them."""
    seeds = np.random.SeedSequence(_SEED).spawn(_REPLICATES)
    return np.concatenate([sobol_points.points(_DRAWS // _REPLICATES, columns, seed) for seed in seeds])


def _loss(middle: float, spread: float) -> float:
    """Give what it is worth to know a normal payoff with a mean above zero, beside an option that pays nothing."""
    return float(spread * stats.norm.pdf(middle / spread) - middle * stats.norm.cdf(-middle / spread))
