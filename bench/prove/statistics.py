"""The few statistics that the proofs judge by: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

_LEAST_PAIRS = 5


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
    """Two one-sided signed-rank tests of paired differences against a margin (Schuirmann 1987; Wilcoxon 1945).

    A stall of the machine falls into one pair and moves a mean of ten by a tenth of itself; ranks take it for one pair.
    """

    difference: float
    """Hodges and Lehmann's estimate: the median of the means of all pairs of differences."""
    lo: float
    """Lower end of the 90 % interval: it lies within the margin exactly when both tests reject at 5 %."""
    hi: float
    margin: float

    @property
    def holds(self) -> bool:
        """Whether the two are equivalent within the margin."""
        return -self.margin <= self.lo and self.hi <= self.margin


def equivalence(differences: np.ndarray, margin: float) -> Equivalence:
    """Test paired differences for equivalence to 0 within a margin, at 5 %.

    Raises
    ------
    ValueError
        There are fewer than five differences: no outcome of so few rejects at 5 %.
    """
    n = len(differences)
    if n < _LEAST_PAIRS:
        raise ValueError(f"{n} pairs cannot show equivalence at 5 %: at least {_LEAST_PAIRS} can.")
    averages = np.sort(np.add.outer(differences, differences)[np.triu_indices(n)] / 2)
    # As many of the averages lie outside at each end as the statistic may be at most with a chance of 5 %.
    outside = int(np.searchsorted(np.cumsum(_signed_ranks(n)), 0.05, side="right")) - 1
    return Equivalence(float(np.median(averages)), float(averages[outside]), float(averages[-1 - outside]), margin)


def _signed_ranks(n: int) -> np.ndarray:
    """Give the exact distribution of Wilcoxon's statistic of n pairs without a difference, shape (n (n + 1) / 2 + 1,)."""
    chances = np.ones(1)
    for rank in range(1, n + 1):
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    return chances
