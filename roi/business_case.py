"""What changing a service costs and brings over the years, against leaving it as it is.

Each line of the case is an amount and the years in which it falls due. Costs of the start stand at time 0 and are not discounted,
everything else stands at the end of its year (Forrester's Total Economic Impact). Doing nothing costs and brings zero: every
figure is the difference to it.

No hour is counted twice: fixes, changes of configuration and failed releases are work of different occasions (`Horizon.overlap`
takes out what they share), an outage after a failed rollback is not one after a crash, and capacity is saved only once the
old system is gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from roi import running
from roi.running import Values, array

_LOGITS_FROM_10_TO_90 = 2 * math.log(9)
_SHORTEST_SPAN_YEARS = 1e-3


@dataclass(frozen=True)
class Horizon:
    """How far the case looks, and how.

    Raises
    ------
    ValueError
        A value is outside of what it can mean; the message says which, and what it may be.
    """

    years: int = 5
    """Years after time 0."""
    discount_rate: float | None = None
    """Share a year, in place of the inputs' own; None takes theirs."""
    overlap: float = 0.0
    """Share of the work on changes of configuration that is counted among the fixes as well, and left out here, 0 to 1."""

    def __post_init__(self) -> None:
        if self.years < 1:
            raise ValueError(f"years is {self.years}: a case looks at least one year ahead.")
        if self.discount_rate is not None and not 0 <= self.discount_rate <= 1:
            raise ValueError(f"discount_rate is {self.discount_rate}: a rate lies between 0 and 1 (0.08 for 8 %).")
        if not 0 <= self.overlap <= 1:
            raise ValueError(f"overlap is {self.overlap}: a share lies between 0 and 1.")


class Side(StrEnum):
    """Whether a line is spent or won."""

    COST = "cost"
    BENEFIT = "benefit"


class When(StrEnum):
    """In which years a line falls due."""

    START = "start"
    """Once, at time 0."""
    YEARLY = "yearly"
    """In every year."""
    ADOPTED = "adopted"
    """As far as the change has come, along the ramp."""
    ALONE = "alone"
    """As far as the change has come, once the old system is gone."""
    BOTH = "both"
    """While both systems run."""
    DIP = "dip"
    """While people still learn."""


@dataclass(frozen=True, eq=False)
class Line:
    """One line of the case."""

    name: str
    side: Side
    when: When
    amount: np.ndarray
    """Currency, at once or for a whole year of it; shape (draws,), or (1,) where it is certain."""


@dataclass(frozen=True, eq=False)
class Flows:
    """The cash flows of an option against doing nothing."""

    lines: tuple[Line, ...]
    due: dict[When, np.ndarray]
    """Share of a line's amount that falls due at the end of each year; shapes (draws or 1, years + 1)."""
    factors: np.ndarray
    """What a unit of currency at the end of each year is worth today, times the chance that the system still lives; likewise."""

    @property
    def costs(self) -> dict[str, np.ndarray]:
        """What is spent, undiscounted, by line; shapes (draws or 1, years + 1), index 0 is the start."""
        return self._of(Side.COST)

    @property
    def benefits(self) -> dict[str, np.ndarray]:
        """What is won, likewise; below zero where the option makes it worse."""
        return self._of(Side.BENEFIT)

    @property
    def net(self) -> np.ndarray:
        """Benefits less costs, undiscounted; shape (draws or 1, years + 1)."""
        return np.asarray(sum(self.benefits.values()) - sum(self.costs.values()))

    def _of(self, side: Side) -> dict[str, np.ndarray]:
        return {line.name: line.amount[:, None] * self.due[line.when] for line in self.lines if line.side is side}

    def present_values(self) -> dict[str, np.ndarray]:
        """Give what each line is worth today, costs as well above zero; shapes (draws or 1,)."""
        worth = {when: (share * self.factors).sum(axis=1) for when, share in self.due.items()}
        return {line.name: line.amount * worth[line.when] for line in self.lines}


def flows(baseline: Values, option: Values, horizon: Horizon) -> Flows:
    """Give the cash flows of an option against leaving the service as it is.

    Parameters
    ----------
    baseline
        The service as it is today.
    option
        The same quantities under the option, and what changing takes.
    """
    return Flows(
        (*_costs(baseline, option, horizon.overlap), *_benefits(baseline, option, horizon.overlap)),
        _due(option, horizon.years),
        _factors(baseline, horizon),
    )


def npv(cash: Flows) -> np.ndarray:
    """Give the net present value in currency, shape (draws or 1,): `-K0 + sum s^t (B_t - K_t) / (1 + r)^t`."""
    worth = cash.present_values()
    return np.asarray(sum(worth[line.name] if line.side is Side.BENEFIT else -worth[line.name] for line in cash.lines))


def present_costs(cash: Flows) -> np.ndarray:
    """Give what all costs are worth today, in currency, shape (draws or 1,)."""
    worth = cash.present_values()
    return np.asarray(sum(worth[line.name] for line in cash.lines if line.side is Side.COST))


def roi(cash: Flows) -> np.ndarray:
    """Give net present value over present costs, a ratio, shape (draws or 1,); NaN where nothing is spent."""
    costs, value = np.broadcast_arrays(present_costs(cash), npv(cash))
    return np.divide(value, costs, out=np.full(value.shape, np.nan), where=costs > 0)


def payback(cash: Flows) -> np.ndarray:
    """Give the years after which what came in, discounted, covers what went out, shape (draws or 1,); see `payback_years`.

    It is finite just where the net present value is zero or more. Undiscounted it would be sooner.
    """
    return payback_years(cash.net * cash.factors)


def payback_years(net: np.ndarray) -> np.ndarray:
    """Give the time from which the cumulated flow stays at zero or above, linear within its year; infinite is never.

    Parameters
    ----------
    net
        Flows at the end of each year, shape (draws, years + 1), index 0 is the start.
    """
    held = np.cumsum(net, axis=1)
    short = held < 0
    last = held.shape[1] - 1
    # The last year end at which money is still out: a flow may cross zero more than once.
    year = np.where(short.any(axis=1), last - np.argmax(short[:, ::-1], axis=1), -1)
    rows = np.arange(len(held))
    before, after = held[rows, np.maximum(year, 0)], held[rows, np.minimum(year + 1, last)]
    inside = (year >= 0) & (year < last)
    within = np.divide(-before, after - before, out=np.zeros(len(held)), where=inside)
    return np.where(year < 0, 0.0, np.where(year == last, np.inf, year + within))


def adoption(at_years: np.ndarray, delay_years: np.ndarray, span_years: np.ndarray) -> np.ndarray:
    """Give the years' worth of full benefit that has come by a time: the integral of the logistic ramp, from long ago on.

    Parameters
    ----------
    at_years
        Times after the start.
    delay_years
        When half of the benefit has come.
    span_years
        From 10 to 90 % of it; a thousandth or less is a step.
    """
    since = at_years - delay_years
    steep = _LOGITS_FROM_10_TO_90 / np.maximum(span_years, _SHORTEST_SPAN_YEARS)
    # What a ramp has beyond a step: ln(1 + exp(x)) = max(x, 0) + ln(1 + exp(-|x|)).
    beyond = np.log1p(np.exp(-steep * np.abs(since))) / steep
    return np.maximum(since, 0) + np.where(np.greater(span_years, _SHORTEST_SPAN_YEARS), beyond, 0)


def _costs(baseline: Values, option: Values, overlap: float) -> tuple[Line, ...]:
    wage = running.wage(baseline)
    learners = array(option, "engineers_to_train") * (1 - option["skilled_share"])
    work = (
        running.fix_hours(baseline) + running.configuration_hours(baseline, overlap) + running.rollback_hours(baseline)
    )
    side = Side.COST
    return (
        Line("build", side, When.START, option["build_hours"] * wage),
        Line("migration", side, When.START, array(option, "migration_cost")),
        Line("training", side, When.START, learners * option["training_hours_per_engineer"] * wage),
        Line("work on two systems", side, When.BOTH, option["both_systems_hours_per_year"] * wage),
        Line("capacity of two systems", side, When.BOTH, running.capacity_cost(option)),
        Line("work lost at the start", side, When.DIP, option["dip_share"] * work * wage),
        Line("upkeep", side, When.YEARLY, array(option, "upkeep_per_year")),
    )


def _benefits(baseline: Values, option: Values, overlap: float) -> tuple[Line, ...]:
    def saved(take: Callable[[Values], np.ndarray]) -> np.ndarray:
        return take(baseline) - take(option)

    wage, an_hour_out, side = running.wage(baseline), baseline["outage_cost_per_hour"], Side.BENEFIT
    configuration = saved(lambda values: running.configuration_hours(values, overlap))
    return (
        Line("fixes", side, When.ADOPTED, saved(running.fix_hours) * wage),
        Line("configuration changes", side, When.ADOPTED, configuration * wage),
        Line("failed releases", side, When.ADOPTED, saved(running.rollback_hours) * wage),
        Line("outages after failed rollbacks", side, When.ADOPTED, saved(running.rollback_outage_hours) * an_hour_out),
        Line("outages after crashes", side, When.ADOPTED, saved(running.crash_hours) * an_hour_out),
        Line("capacity", side, When.ALONE, saved(running.capacity_cost)),
    )


def _due(option: Values, years: int) -> dict[When, np.ndarray]:
    ends = np.arange(years + 1.0)[:, None]
    delay, span = array(option, "adoption_delay_years"), array(option, "adoption_span_years")
    both = np.minimum(ends, array(option, "both_systems_years"))
    gone = np.maximum(ends, array(option, "both_systems_years"))
    return {
        When.START: (ends == 0).astype(float).T,
        When.YEARLY: (ends > 0).astype(float).T,
        When.ADOPTED: _a_year(adoption(ends, delay, span)),
        When.ALONE: _a_year(adoption(gone, delay, span)),
        When.BOTH: _a_year(both),
        When.DIP: _a_year(np.minimum(ends, array(option, "dip_years"))),
    }


def _a_year(reached: np.ndarray) -> np.ndarray:
    """Give what each year adds to a total, shape (years + 1, draws), as (draws, years + 1); nothing comes at the start."""
    return np.diff(reached, axis=0, prepend=reached[:1]).T


def _factors(baseline: Values, horizon: Horizon) -> np.ndarray:
    rate = baseline["discount_rate"] if horizon.discount_rate is None else horizon.discount_rate
    kept = np.atleast_1d(baseline["system_survival"] / (1 + np.asarray(rate, float)))
    years = [np.ones_like(kept)]
    for _ in range(horizon.years):
        years.append(years[-1] * kept)
    return np.array(years).T
