"""The few statistics that the proofs judge by: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


def batch_means_half_width(values: np.ndarray, batches: int = 30, confidence: float = 0.99) -> float:
    """Give the half width of the confidence interval of a mean of correlated values, in their order, by batch means.

    Batches long against the correlation make their means nearly independent (Law, Simulation Modeling and Analysis,
    section 9.5.3); the interval is Student's over them.
    """
    means = np.array([part.mean() for part in np.array_split(values, batches)])
    return float(stats.t.ppf((1 + confidence) / 2, batches - 1) * means.std(ddof=1) / np.sqrt(batches))


def md1_mean(service: float, rho: float) -> float:
    """Give the mean response time of M/D/1 in the unit of its service time (Pollaczek and Khinchine)."""
    return service + rho * service / (2 * (1 - rho))


def fifo_response(arrivals: np.ndarray, service: float) -> np.ndarray:
    """Give the response times of a single first-come-first-served server with a fixed service time (Lindley 1952).

    Parameters
    ----------
    arrivals
        Ascending instants, in the unit of `service`.
    """
    # The server is free again at max over j <= k of (arrival_j + (k - j + 1) service): a running maximum.
    steps = service * np.arange(len(arrivals))
    return np.maximum.accumulate(arrivals - steps) + steps + service - arrivals


def exponential_p_value(gaps: np.ndarray, mean: float) -> float:
    """Give the p-value of Kolmogorov and Smirnov's test that gaps are exponential with a stated mean."""
    return float(stats.kstest(gaps, "expon", args=(0.0, mean)).pvalue)


def counts(instants: np.ndarray, window: float, first: float, windows: int) -> np.ndarray:
    """Count instants in that many equal windows, one after another from `first`; those outside are left out."""
    edges = first + window * np.arange(windows + 1)
    return np.histogram(instants, edges)[0]


def dispersion(counted: np.ndarray) -> float:
    """Give the index of dispersion of counts in equal windows, variance over mean: 1 for a Poisson process."""
    return float(counted.var(ddof=1) / counted.mean())


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of a mean difference against a margin (Schuirmann 1987)."""

    difference: float
    half_width: float
    """Of the 90 % interval: it lies within the margin exactly when both one-sided tests reject at 5 %."""
    margin: float

    @property
    def holds(self) -> bool:
        """Whether the two are equivalent within the margin."""
        return abs(self.difference) + self.half_width <= self.margin


def equivalence(differences: np.ndarray, margin: float) -> Equivalence:
    """Test paired differences for equivalence to 0 within a margin, at 5 %."""
    half_width = stats.t.ppf(0.95, len(differences) - 1) * differences.std(ddof=1) / np.sqrt(len(differences))
    return Equivalence(float(differences.mean()), float(half_width), margin)
