"""How throughput grows with load or with cores, and where it stops: Gunther's Universal Scalability Law, fitted.

X(N) = λ N / (1 + σ (N - 1) + κ N (N - 1)): λ is the rate of one, σ what is done one at a time (contention), κ what each costs
every other (coherency). Without κ it is Amdahl's law and has no peak.

Source: Gunther, Guerrilla Capacity Planning, 2007, chapters 4 to 6. It is read only where it was measured: a peak beyond the
highest rung would be the model's word and nobody's measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from roi.statistics import studentised
from roi.statistics.estimate import Estimate

_MOST_OF_ONE = 2.0
"""λ at most, times the largest throughput by N that was measured."""
_NOTHING = 1e-9
"""A parameter of so small a part of its size is none."""
LEAST_RUNGS = 6
"""Of which three parameters can be told and still be wrong."""


@dataclass(frozen=True)
class Scalability:
    """The law as fitted, within the range in which it was measured."""

    rate_of_one: Estimate
    """λ, in the unit of the throughput by that of N."""
    contention: Estimate
    """σ, without unit: the share of the work that is done one at a time."""
    coherency: Estimate
    """κ, without unit: the share that each two cost each other."""
    least: float
    """The lowest N measured."""
    most: float
    """The highest N measured."""
    misfit: float
    """Root mean square of the relative residuals, a share: how far the law is from what was measured."""
    peak: float | None
    """N at which throughput is highest, sqrt((1 - σ) / κ), not rounded; None unless it lies within what was measured."""
    no_peak: str | None
    """Why there is no peak; None where there is one."""

    def at(self, n: float) -> float:
        """Give the throughput at N.

        Raises
        ------
        ValueError
            N lies outside the range that was measured.
        """
        if not self.least <= n <= self.most:
            raise ValueError(
                f"{n:g} lies outside of {self.least:g} to {self.most:g}, where throughput was measured: measure there."
            )
        return float(_law(np.array([n]), self.rate_of_one.value, self.contention.value, self.coherency.value)[0])


def scalability(n: np.ndarray, throughput: np.ndarray, confidence: float = 0.95) -> Scalability:
    """Fit the law to curves of throughput, by least squares of the relative residuals, no parameter below 0.

    The intervals are those of a studentised bootstrap over the processes' pseudo-values: what a parameter would lose without a
    process's curve, times their number. With one curve they are not known.

    Parameters
    ----------
    n
        Load or cores of each rung, shape (rungs,): at least six different ones, all positive.
    throughput
        Shape (processes, rungs), or (rungs,) of one process; positive, in any unit.

    Raises
    ------
    ValueError
        There are fewer than six rungs, the shapes do not fit, or a value is not a positive finite number.
    """
    n, curves = np.asarray(n, float), np.atleast_2d(np.asarray(throughput, float))
    _checked(n, curves)
    fitted, processes = _fit(n, curves), len(curves)
    parameters = [Estimate(float(value), None, None, processes, confidence) for value in fitted]
    if processes > 1:
        others = ~np.eye(processes, dtype=bool)
        without = np.array([_fit(n, curves[rest], fitted) for rest in others])
        pseudo = processes * fitted - (processes - 1) * without
        parameters = [
            _within(value, studentised.interval(of_each, confidence), processes, confidence)
            for value, of_each in zip(fitted, pseudo.T, strict=True)
        ]
    least, most = float(n.min()), float(n.max())
    misfit = float(np.sqrt(np.mean(_residuals(fitted, n, curves) ** 2)))
    return Scalability(*parameters, least, most, misfit, *_peak(*map(float, fitted[1:]), least, most))


def _law(n: np.ndarray, rate_of_one: float, contention: float, coherency: float) -> np.ndarray:
    return rate_of_one * n / (1 + contention * (n - 1) + coherency * n * (n - 1))


def _residuals(parameters: np.ndarray, n: np.ndarray, curves: np.ndarray) -> np.ndarray:
    return (_law(n, *parameters) / curves - 1).ravel()


def _fit(n: np.ndarray, curves: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Give λ, σ and κ, shape (3,)."""
    start = _linear(n, curves) if start is None else start
    # σ and κ are thousandths and less where λ is thousands: each is searched for in its own size.
    size = np.maximum(start, [start[0], 1e-3, 1 / n.max() ** 2])
    # A curve that is flat from the first rung on is the law with any λ and a σ to match: one that no rung comes near is no finding.
    most = np.array([_MOST_OF_ONE * np.max(curves / n), np.inf, np.inf])
    start = np.minimum(start, most)
    found = optimize.least_squares(
        lambda scaled: _residuals(scaled * size, n, curves), start / size, bounds=(0, most / size), xtol=1e-12,
        ftol=1e-12, gtol=1e-12,
    )  # fmt: skip
    # The search comes as near to its bound as a float can, and stops short of it.
    return np.where(found.x < _NOTHING, 0.0, found.x) * size


def _linear(n: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Give a first guess: N / X is linear in 1/λ, σ/λ and κ/λ."""
    slowness = (n / curves).ravel()
    terms = np.tile(np.column_stack([np.ones_like(n), n - 1, n * (n - 1)]), (len(curves), 1))
    found, _ = optimize.nnls(terms / slowness[:, None], np.ones_like(slowness))
    if found[0] == 0:
        return np.array([float(np.max(curves / n)), 0.0, 0.0])
    return np.array([1.0, found[1], found[2]]) / found[0]


def _within(value: float, ends: tuple[float, float], processes: int, confidence: float) -> Estimate:
    return Estimate(float(value), max(ends[0], 0.0), max(ends[1], 0.0), processes, confidence)


def _peak(contention: float, coherency: float, least: float, most: float) -> tuple[float | None, str | None]:
    if contention >= 1:
        return None, "throughput falls from the first on: contention alone takes all that another would add"
    if coherency == 0:
        return None, f"throughput still rises at {most:g}, and without coherency it has no peak at all"
    peak = float(np.sqrt((1 - contention) / coherency))
    if peak > most:
        return None, f"throughput still rises at {most:g}, the most that was measured"
    if peak < least:
        return None, f"throughput falls from {least:g} on, the least that was measured"
    return peak, None


def _checked(n: np.ndarray, curves: np.ndarray) -> None:
    if n.ndim != 1 or curves.ndim != 2 or curves.shape[1] != len(n):
        raise ValueError(
            f"N has the shape {n.shape} and throughput {curves.shape}: give one throughput a process and rung."
        )
    if len(np.unique(n)) < LEAST_RUNGS:
        raise ValueError(
            f"There are {len(np.unique(n))} rungs: the law has three parameters, so measure {LEAST_RUNGS} or more."
        )
    if not (np.isfinite(n).all() and np.isfinite(curves).all() and (n > 0).all() and (curves > 0).all()):
        raise ValueError("An N or a throughput is not a positive finite number: leave the rung out, and say so.")
