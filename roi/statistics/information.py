"""What knowing an input exactly is worth to a decision, and whether it would change it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roi.statistics.estimate import Estimate, mean_of_processes

_DEGREE = 3
_ROUNDING = 1e-12
"""Share of the largest payoff below which a gain is none."""


@dataclass(frozen=True)
class Information:
    """What perfect knowledge of one input would do."""

    value: Estimate
    """Expected gain of choosing after knowing it (EVPPI), in the payoffs' unit; sampling may put it a little below zero."""
    changes: float
    """Probability that another option than today's choice is then best, 0 to 1."""


def of_input(values: np.ndarray, payoffs: np.ndarray, replicates: int) -> Information:
    """Give what knowing one input exactly is worth.

    `E max_d E[payoff_d | x] - max_d E payoff_d`, with the conditional means by regression of the payoffs on the input (Strong,
    Oakley and Brennan, Medical Decision Making 34, 2014), here on a cubic, which is exact where a payoff is a straight line in it.
    The best of several fitted means is too good by what is fitted to chance: the jackknife over replicates takes that off, and
    gives the interval (Quenouille, 1956; Tukey, 1958).

    Parameters
    ----------
    values
        Draws of the input, shape (draws,), in `replicates` blocks of equal length.
    payoffs
        What each option pays in each draw, shape (draws, options), better is more.
    """
    fitted = conditional_means(values, payoffs)
    changes = float(np.mean(fitted.argmax(axis=1) != payoffs.mean(axis=0).argmax()))
    whole = _gain(fitted, payoffs)
    block = np.arange(len(values)) * replicates // len(values)
    without = [
        _gain(conditional_means(values[block != one], payoffs[block != one]), payoffs) for one in range(replicates)
    ]
    return Information(mean_of_processes(replicates * whole - (replicates - 1) * np.array(without)), changes)


def _gain(fitted: np.ndarray, payoffs: np.ndarray) -> float:
    """Give the mean of the best less the best of the means; what is rounding alone is nothing."""
    gain = float(fitted.max(axis=1).mean() - fitted.mean(axis=0).max())
    return gain if gain > _ROUNDING * float(np.abs(payoffs).max()) else 0.0


def of_everything(payoffs: np.ndarray) -> float:
    """Give what knowing all inputs exactly is worth (EVPI), the most that any of them can be: `E max_d - max_d E`."""
    return float(payoffs.max(axis=1).mean() - payoffs.mean(axis=0).max())


def conditional_means(values: np.ndarray, payoffs: np.ndarray) -> np.ndarray:
    """Give each payoff's mean given the input, shape (draws, options): least squares on a cubic in the input."""
    spread = values.std()
    if not spread > 0:
        return np.broadcast_to(payoffs.mean(axis=0), payoffs.shape)
    scaled = (values - values.mean()) / spread
    basis, _ = np.linalg.qr(np.vander(scaled, _DEGREE + 1, increasing=True))
    return basis @ (basis.T @ payoffs)
