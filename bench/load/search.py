"""The search for a capacity at an objective: which rate to try next, given which ones met the objective so far.

The largest rate that meets it is bracketed by bisection and then repeated: a rate counts only when every one of its repeats
met the objective as well, and the next lower one is repeated when one did not. (MLPerf's server scenario searches and
confirms likewise: Reddi et al., MLPerf Inference Benchmark, ISCA 2020, section V.)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, isinf

_FIRST = 0.8
"""Of the rate at saturation, the first that is tried: most of the time what meets an objective lies near it."""
_UP = 1.25
"""By how much to go up as long as everything meets it."""
_LEAST = 0.02
"""Of the rate at saturation, below which nothing is looked for any more."""


class Kind(StrEnum):
    """What a step of a load is for."""

    CLOSED = "closed"
    """So many connections, all of them busy."""
    SEARCH = "search"
    """A rate that may meet the objective."""
    CONFIRM = "confirm"
    """A rate that met it, again."""


@dataclass(frozen=True)
class Trial:
    """A rate to offer next."""

    kind: Kind
    rate_per_s: float


class Search:
    """Tells which rate comes next, and at last which one it was.

    Parameters
    ----------
    saturation_per_s
        About what can be served at all, such as what a closed loop has just reached. It is no bound: a process that still warms up
        soon serves more.
    precision
        Width of the bracket, as a share of its upper end, from which on its lower end is repeated; when a repeat fails, the
        next rate is lower by twice as much.
    confirmations
        Repeats that must all meet the objective.
    """

    def __init__(self, saturation_per_s: float, precision: float, confirmations: int) -> None:
        self._saturation = saturation_per_s
        self._precision = precision
        self._confirmations = confirmations
        self._met, self._failed = 0.0, inf
        self._confirmed = 0
        self._confirming = False

    @property
    def found_per_s(self) -> float | None:
        """The largest rate that met the objective in every repeat; None when there is none, or none yet."""
        return self._met if self._met and self._confirmed >= self._confirmations else None

    def trial(self) -> Trial | None:
        """Give what to try next; None when it is over."""
        if self.found_per_s is not None or min(self._failed, self._saturation) <= _LEAST * self._saturation:
            return None
        if self._confirming:
            return Trial(Kind.CONFIRM, self._met)
        if isinf(self._failed):
            return Trial(Kind.SEARCH, _UP * self._met if self._met else _FIRST * self._saturation)
        return Trial(Kind.SEARCH, (self._met + self._failed) / 2)

    def tell(self, trial: Trial, met: bool) -> None:
        """Take what became of a trial."""
        if trial.kind == Kind.CONFIRM:
            self._repeated(met)
        elif met:
            self._met = trial.rate_per_s
        else:
            self._failed = trial.rate_per_s
        narrow = not isinf(self._failed) and self._failed - self._met <= self._precision * self._failed
        self._confirming = self._confirming or narrow

    def _repeated(self, met: bool) -> None:
        if met:
            self._confirmed += 1
            return
        self._failed, self._confirmed = self._met, 0
        self._met *= 1 - 2 * self._precision
