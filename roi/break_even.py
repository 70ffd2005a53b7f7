"""What an input would have to be for the case to turn, all others at their means."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from roi.decision import NOTHING, Decision, reaches, worth
from roi.quantities import CATALOGUE
from roi.running import Values

LINEAR = frozenset({
    "fixes_per_year", "fix_hours", "config_changes_per_year", "config_minutes", "releases_per_year", "change_failure_rate",
    "rollback_success", "failed_rollback_hours", "failed_rollback_people", "failed_rollback_outage_hours", "outage_cost_per_hour",
    "salary_per_year", "benefits_multiplier", "memory_gib_a_core", "vcpu_price_per_hour", "gib_price_per_hour", "crashes_per_year",
    "recovery_s", "build_hours", "migration_cost", "both_systems_hours_per_year", "engineers_to_train", "skilled_share",
    "training_hours_per_engineer", "dip_share", "upkeep_per_year",
})  # fmt: skip
"""Quantities in which the net present value is a straight line; in the others it is bent, or has a corner."""

_STEPS = 257
_WIDE = 100.0
"""Ratio of the ends of a plausible range from which on it is searched in equal ratios and not in equal steps."""


@dataclass(frozen=True)
class BreakEven:
    """Where the margin of an option is zero."""

    key: str
    now: float
    """Mean of the input, in its unit."""
    value: float | None
    """Where the case turns, in the same unit; None where it does not within the plausible range."""
    closed: bool
    """From a straight line, and not searched for."""
    chance: float | None
    """Probability that the input alone lies beyond it, 0 to 1; None where there is none, or the input is one certain value."""


def break_evens(decision: Decision, option: str, other: str = NOTHING) -> list[BreakEven]:
    """Give the break-even of every input between an option and another, by default doing nothing; likeliest first."""
    means = decision.inputs.means()

    def margin(values: Values) -> np.ndarray:
        ours = worth(values, option, decision.horizon)
        return ours if other == NOTHING else ours - worth(values, other, decision.horizon)

    found = []
    for key, now in sorted(means.items()):
        if not (reaches(key, option) or reaches(key, other)):
            continue
        kind = CATALOGUE[key.rpartition(".")[2]]
        closed = kind.name in LINEAR
        value = (straight if closed else searched)(margin, means, key, kind.least, kind.most)
        found.append(BreakEven(key, now, value, closed, _chance(decision.values[key], now, value)))
    return sorted(found, key=_distance)


def straight(
    margin: Callable[[Values], np.ndarray],
    values: Mapping[str, float],
    key: str,
    least: float,
    most: float,
) -> float | None:
    """Give where a margin that is a straight line in an input is zero, `x - m / (dm/dx)`; None outside of its range."""
    low, high = (float(margin({**values, key: end})[0]) for end in (least, most))
    slope = (high - low) / (most - least)
    # A slope that moves nothing by more than rounding is none.
    if abs(high - low) <= 1e-12 * max(abs(high), abs(low), 1.0):
        return None
    root = least - low / slope
    return root if least <= root <= most else None


def searched(
    margin: Callable[[Values], np.ndarray],
    values: Mapping[str, float],
    key: str,
    least: float,
    most: float,
) -> float | None:
    """Give the zero of a margin that is nearest to an input's value, by bisection; None without one in its range."""
    wide = least > 0 and most / least > _WIDE
    grid = np.geomspace(least, most, _STEPS) if wide else np.linspace(least, most, _STEPS)
    grid = np.union1d(grid, np.clip(values[key], least, most))
    margins = np.broadcast_to(margin({**values, key: grid}), grid.shape)
    turns = np.flatnonzero(np.sign(margins[:-1]) * np.sign(margins[1:]) < 0)
    if not len(turns):
        return None

    def at(value: float) -> float:
        return float(margin({**values, key: value})[0])

    roots = [optimize.brentq(at, grid[turn], grid[turn + 1], xtol=1e-15, rtol=1e-12) for turn in turns]
    return min(roots, key=lambda root: abs(root - values[key]))


def _distance(found: BreakEven) -> tuple[bool, float, float]:
    """Give what sorts break-evens: those that there are, then the likelier, then the nearer in proportion."""
    if found.value is None:
        return True, 0.0, 0.0
    return False, -(found.chance or 0.0), abs(found.value / found.now - 1) if found.now else math.inf


def _chance(drawn: np.ndarray | float, now: float, value: float | None) -> float | None:
    if value is None or not np.ndim(drawn):
        return None
    return float(np.mean(drawn > value if value > now else drawn < value))
