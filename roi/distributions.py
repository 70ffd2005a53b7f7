"""What an input may be: distributions that give a value for a share of chance, so that one stream of draws serves them all.

A quantile function is all that quasi-random draws need. Those without a closed form are tabulated once, over the logarithm of
the odds, and read off by a cubic spline: Beta's exact inverse takes 3 µs a value, and a case of 40 inputs asks for millions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy import special
from scipy.interpolate import CubicSpline

_NODES = np.linspace(-18.0, 18.0, 1153)
"""Logarithms of odds: of all but 3 in 100 million draws, either way."""
_P90 = float(special.ndtri(0.9))
_PERT_WEIGHT = 4.0
_STRIPS = 20_000


class Distribution(Protocol):
    """What a quantity may be, in the unit of the quantity."""

    @property
    def mean(self) -> float:
        """Mean of it."""

    @property
    def certain(self) -> bool:
        """Whether it is one value."""

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the values below which it lies with probability u, in the shape of u; u is above 0 and below 1."""


@dataclass(frozen=True)
class Point:
    """One value."""

    value: float

    @property
    def mean(self) -> float:
        """The value."""
        return self.value

    @property
    def certain(self) -> bool:
        """True."""
        return True

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the value everywhere."""
        return np.full(np.shape(u), float(self.value))


class _Spread:
    """What is more than one value."""

    @property
    def certain(self) -> bool:
        """False."""
        return False


class _Tabulated(_Spread):
    """A distribution whose quantile has no closed form."""

    def exact(self, u: np.ndarray) -> np.ndarray:
        """Give the quantile without the table, slowly."""
        raise NotImplementedError

    @cached_property
    def _table(self) -> CubicSpline:
        return CubicSpline(_NODES, self.exact(special.expit(_NODES)))

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the values below which it lies with probability u; see `Distribution`."""
        return self._table(np.clip(special.logit(u), _NODES[0], _NODES[-1]))


@dataclass(frozen=True)
class Uniform(_Spread):
    """Any value between two, none likelier than another."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _ascending(self.low, self.high)

    @property
    def mean(self) -> float:
        """Half way."""
        return (self.low + self.high) / 2

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the values below which it lies with probability u; see `Distribution`."""
        return self.low + (self.high - self.low) * np.asarray(u, float)


@dataclass(frozen=True)
class Triangular(_Spread):
    """A least, a likeliest and a greatest value, with straight lines between."""

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _ascending(self.low, self.high, self.mode)

    @property
    def mean(self) -> float:
        """A third of the sum."""
        return (self.low + self.mode + self.high) / 3

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the values below which it lies with probability u; see `Distribution`."""
        u, width = np.asarray(u, float), self.high - self.low
        rising = self.low + np.sqrt(u * width * (self.mode - self.low))
        falling = self.high - np.sqrt((1 - u) * width * (self.high - self.mode))
        return np.where(u < (self.mode - self.low) / width, rising, falling)


@dataclass(frozen=True)
class Pert(_Tabulated):
    """A least, a likeliest and a greatest value, smooth between: a Beta with its mean at (low + 4 mode + high) / 6.

    Source: Malcolm, Roseboom, Clark and Fazar, Operations Research 7, 1959; Vose, Risk Analysis, 3rd edition, 2008.
    """

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        _ascending(self.low, self.high, self.mode)

    @property
    def mean(self) -> float:
        """(low + 4 mode + high) / 6."""
        return (self.low + _PERT_WEIGHT * self.mode + self.high) / (_PERT_WEIGHT + 2)

    def exact(self, u: np.ndarray) -> np.ndarray:
        """Give the quantile by the inverse of the incomplete beta function."""
        width = self.high - self.low
        first, second = ((1 + _PERT_WEIGHT * part / width) for part in (self.mode - self.low, self.high - self.mode))
        return self.low + width * special.betaincinv(first, second, u)


@dataclass(frozen=True)
class Lognormal(_Spread):
    """A positive value with a long tail, told by the values below which it lies in 10 and in 90 % of cases."""

    p10: float
    p90: float

    def __post_init__(self) -> None:
        if not self.p10 > 0:
            raise ValueError(f"p10 is {self.p10:g}: of a lognormal it is above 0")
        _ascending(self.p10, self.p90)

    @property
    def sigma(self) -> float:
        """Standard deviation of its logarithm."""
        return math.log(self.p90 / self.p10) / (2 * _P90)

    @property
    def mean(self) -> float:
        """Its median times exp(sigma² / 2)."""
        return math.sqrt(self.p10 * self.p90) * math.exp(self.sigma**2 / 2)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the values below which it lies with probability u; see `Distribution`."""
        return math.sqrt(self.p10 * self.p90) * np.exp(self.sigma * special.ndtri(u))


@dataclass(frozen=True)
class Proportion(_Tabulated):
    """A share of which so many trials are known: Beta(k + 1/2, n - k + 1/2), from Jeffreys' prior.

    Source: Brown, Cai and DasGupta, Interval Estimation for a Binomial Proportion, Statistical Science 16, 2001.
    """

    successes: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.successes <= self.trials or self.trials < 1:
            raise ValueError(f"{self.successes} successes of {self.trials} trials cannot be")

    @property
    def mean(self) -> float:
        """(k + 1/2) / (n + 1)."""
        return (self.successes + 0.5) / (self.trials + 1)

    def exact(self, u: np.ndarray) -> np.ndarray:
        """Give the quantile by the inverse of the incomplete beta function."""
        return special.betaincinv(self.successes + 0.5, self.trials - self.successes + 0.5, u)


@dataclass(frozen=True)
class Rate(_Tabulated):
    """How often something happens, of which so many cases in so many years are known: Gamma(k + 1/2, years), Jeffreys.

    Source: Brown, Cai and DasGupta, Interval Estimation in Exponential Families, Statistica Sinica 13, 2003.
    """

    events: int
    years: float

    def __post_init__(self) -> None:
        if self.events < 0 or not self.years > 0:
            raise ValueError(f"{self.events} events in {self.years:g} years cannot be")

    @property
    def mean(self) -> float:
        """(k + 1/2) / years, a year."""
        return (self.events + 0.5) / self.years

    def exact(self, u: np.ndarray) -> np.ndarray:
        """Give the quantile by the inverse of the incomplete gamma function."""
        return special.gammaincinv(self.events + 0.5, u) / self.years


@dataclass(frozen=True, eq=False)
class Tabled:
    """A distribution known by some of its quantiles: straight between them over normal scores, and no further out than they go."""

    shares: np.ndarray
    """Probabilities, ascending, above 0 and below 1, shape (k,)."""
    values: np.ndarray
    """Quantiles, not descending, shape (k,)."""

    def __post_init__(self) -> None:
        if (np.diff(self.shares) <= 0).any() or (np.diff(self.values) < 0).any() or not np.isfinite(self.values).all():
            raise ValueError("quantiles must ascend with their shares, and be finite")

    @classmethod
    def of_draws(cls, draws: np.ndarray) -> Tabled:
        """Give the distribution of draws, shape (n,), in any order."""
        return cls((np.arange(len(draws)) + 0.5) / len(draws), np.sort(draws))

    @classmethod
    def of_intervals(cls, interval: Callable[[float], tuple[float, float]]) -> Tabled:
        """Give the distribution whose central intervals are those of an estimate, up to that of 99 %.

        So what an input holds in 95 % of draws is what the study's own page prints as its interval (a confidence distribution:
        Xie and Singh, International Statistical Review 81, 2013). Beyond 99 % a handful of processes tells nothing.

        Parameters
        ----------
        interval
            Gives both ends for a confidence of 0 to 0.99.
        """
        shares = np.concatenate([[0.005, 0.01, 0.015, 0.02, 0.025], np.arange(0.03, 0.495, 0.01)])
        ends = np.array([interval(1 - 2 * share) for share in shares])
        # Of three processes a studentised interval may reach further than one of more confidence: the outer one stands.
        below, above = np.maximum.accumulate(ends[:, 0]), np.minimum.accumulate(ends[:, 1])
        middle = np.clip(np.mean(interval(0.0)), below[-1], above[-1])
        return cls(np.concatenate([shares, [0.5], 1 - shares[::-1]]), np.concatenate([below, [middle], above[::-1]]))

    @property
    def certain(self) -> bool:
        """Whether all quantiles are one value."""
        return bool(self.values[0] == self.values[-1])

    @cached_property
    def mean(self) -> float:
        """Mean over the quantiles of equal shares."""
        return float(self.quantile((np.arange(_STRIPS) + 0.5) / _STRIPS).mean())

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Give the values below which it lies with probability u; see `Distribution`."""
        return np.interp(special.ndtri(u), special.ndtri(self.shares), self.values)


def _ascending(low: float, high: float, mode: float | None = None) -> None:
    if not low < high or not low <= (low if mode is None else mode) <= high:
        said = f"{low:g}, {high:g}" if mode is None else f"{low:g}, {mode:g}, {high:g}"
        raise ValueError(f"{said} does not ascend; of one value alone say value = {low:g}")
