"""The quantities that the business case is made of: their units, what they may plausibly be, and whose they are.

One catalogue for the inputs file, the model and the pages, so that an hour is an hour in all of them. A unit is part of a quantity:
`unlike` tells what is wrong with a unit and by what its figures turn into the right one, and `implausible` which figures are out of
range, and in which unit they were probably written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

CURRENCY = "currency"
"""What stands for the inputs' own currency in a unit."""


class Scope(StrEnum):
    """Whose a quantity is."""

    SERVICE = "service"
    """Of the service and its team, whatever it runs on."""
    OPTION = "option"
    """Of an option alone: what changing costs, and how it comes about."""
    BOTH = "both"
    """Of the service as it is today; an option restates it where it changes it."""


@dataclass(frozen=True)
class Kind:
    """One quantity that the model knows."""

    name: str
    unit: str
    least: float
    """Least that is plausible, in the unit."""
    most: float
    """Most that is plausible, in the unit."""
    words: str
    """What it is, for people."""
    scope: Scope
    default: float | None = None
    """What holds where nobody says; None where it must be said."""
    measured: bool = False
    """Whether a run can give it."""

    @property
    def of_service(self) -> bool:
        """Whether the service as it is today has it."""
        return self.scope is not Scope.OPTION

    @property
    def of_option(self) -> bool:
        """Whether an option may state it."""
        return self.scope is not Scope.SERVICE


def _kinds(*kinds: Kind) -> dict[str, Kind]:
    return {kind.name: kind for kind in kinds}


_SERVICE, _OPTION, _BOTH = Scope.SERVICE, Scope.OPTION, Scope.BOTH

CATALOGUE: dict[str, Kind] = _kinds(
    Kind("fixes_per_year", "1/year", 0, 1e5, "defects fixed a year", _SERVICE),
    Kind("fix_hours", "person-hours", 0.05, 200, "work to fix a defect", _BOTH),
    Kind("config_changes_per_year", "1/year", 0, 1e6, "changes of configuration a year", _SERVICE),
    Kind("config_minutes", "person-minutes", 1, 1440, "work to bring a change of configuration to production", _BOTH),
    Kind("releases_per_year", "1/year", 0, 1e5, "releases a year", _SERVICE),
    Kind("change_failure_rate", "share", 0, 1, "share of releases that fail and are rolled back", _BOTH),
    Kind("rollback_success", "share", 0, 1, "share of rollbacks that succeed", _BOTH),
    Kind("failed_rollback_hours", "hours", 0, 500, "hours that people are busy after a rollback failed", _SERVICE),
    Kind("failed_rollback_people", "people", 0, 200, "people who are busy after a rollback failed", _SERVICE),
    Kind("failed_rollback_outage_hours", "hours", 0, 100, "hours out of service after a rollback failed", _SERVICE),
    Kind("outage_cost_per_hour", "currency/hour", 0, 1e9, "cost of an hour out of service", _SERVICE),
    Kind("salary_per_year", "currency/year", 1e3, 1e9, "salary of an engineer", _SERVICE),
    Kind("benefits_multiplier", "ratio", 1, 5, "cost of an engineer over the salary", _SERVICE),
    Kind("productive_hours_per_year", "hours/year", 500, 2500, "hours a year that an engineer works on the work at hand", _SERVICE),
    Kind("mean_rate_per_s", "requests/s", 1e-3, 1e7, "requests/s that the service answers, mean of a year", _SERVICE),
    Kind("cpu_s_a_request", "cpu-seconds", 1e-7, 1, "CPU time of a request", _BOTH, measured=True),
    Kind("utilisation", "share", 0.01, 1, "share of a core's time that is planned with", _SERVICE),
    Kind("memory_gib_a_core", "GiB", 1e-3, 64, "memory beside a core", _BOTH, measured=True),
    Kind("least_instances_cores", "cores", 0, 1e5, "cores that must stand for the sake of availability", _SERVICE, default=0.0),
    Kind("vcpu_price_per_hour", "currency/hour", 0, 1e6, "price of a core for an hour", _SERVICE),
    Kind("gib_price_per_hour", "currency/hour", 0, 1e6, "price of a GiB of memory for an hour", _SERVICE),
    Kind("crashes_per_year", "1/year", 0, 1e5, "crashes a year", _BOTH),
    Kind("recovery_s", "s", 1e-3, 86_400, "time from a crash to sustained service", _BOTH, measured=True),
    Kind("discount_rate", "share/year", 0, 0.5, "share by which a year makes money worth less", _SERVICE),
    Kind("system_survival", "share", 0.5, 1, "probability that the service is still needed after one more year", _SERVICE),
    Kind("build_hours", "person-hours", 0, 1e6, "work to build it", _OPTION),
    Kind("migration_cost", "currency", 0, 1e11, "cost of the migration beside the work", _OPTION),
    Kind("both_systems_years", "years", 0, 10, "years that the old and the new run side by side", _OPTION),
    Kind("both_systems_hours_per_year", "person-hours/year", 0, 1e5, "work to run both side by side", _OPTION),
    Kind("engineers_to_train", "people", 0, 1e4, "engineers who will work on it", _OPTION),
    Kind("skilled_share", "share", 0, 1, "share of them who are proficient already", _OPTION),
    Kind("training_hours_per_engineer", "person-hours", 0, 2000, "training that makes one of them proficient", _OPTION),
    Kind("adoption_delay_years", "years", 0, 10, "years until half of the benefit has come", _OPTION),
    Kind("adoption_span_years", "years", 0, 10, "years from 10 to 90 % of the benefit", _OPTION),
    Kind("dip_share", "share", 0, 1, "share of the work on the service that is lost at the start", _OPTION),
    Kind("dip_years", "years", 0, 5, "years that the loss at the start lasts", _OPTION),
    Kind("upkeep_per_year", "currency/year", -1e9, 1e9, "cost of the new stack beyond that of the old", _OPTION),
)  # fmt: skip
"""Every quantity by name. The hourly wage is salary times multiplier over productive hours."""

_CODE = re.compile(r"[A-Z]{3}(?=/|$)")
_HOURS_A_YEAR = 8760.0
_A_YEAR = {"year": 1.0, "quarter": 4.0, "month": 12.0, "week": _HOURS_A_YEAR / 168, "day": 365.0, "hour": _HOURS_A_YEAR}
"""How many of each a year has."""
_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86_400.0}
_WORK = {
    "person-minutes": 1 / 60,
    "person-hours": 1.0,
    "person-days": 8.0,
    "person-weeks": 40.0,
    "person-months": 160.0,
}
_CPU = {"cpu-microseconds": 1e-6, "cpu-milliseconds": 1e-3, "cpu-seconds": 1.0}
_SHARES = {"share": 1.0, "percent": 0.01, "%": 0.01}

_DIMENSIONS: dict[str, dict[str, float]] = {
    "time": _TIMES | {f"{period}s": _HOURS_A_YEAR * 3600 / many for period, many in _A_YEAR.items() if period[0] in "mqy"},
    "work": _WORK,
    "frequency": {f"1/{period}": many for period, many in _A_YEAR.items()},
    "share": _SHARES,
    "growth": {f"{share}/year": size for share, size in _SHARES.items()},
    "processor": _CPU,
    "memory": {"bytes": 2.0**-30, "MiB": 2.0**-10, "GiB": 1.0, "TiB": 1024.0, "MB": 1e6 / 2**30, "GB": 1e9 / 2**30},
    "traffic": {"requests/s": 1.0, "requests/minute": 1 / 60, "requests/hour": 1 / 3600, "requests/day": 1 / 86_400},
    "hours worked": {f"hours/{period}": many for period, many in _A_YEAR.items()},
    "work a year": {f"{work}/{period}": size * many for work, size in _WORK.items() for period, many in _A_YEAR.items()},
    "price": {f"{CURRENCY}/{period}": many for period, many in _A_YEAR.items()},
    "money": {CURRENCY: 1.0},
    "people": {"people": 1.0},
    "cores": {"cores": 1.0, "millicores": 1e-3},
    "ratio": {"ratio": 1.0, "percent": 0.01, "%": 0.01},
}  # fmt: skip
"""Units that measure the same thing, each with its size in one of them. A day of work has 8 hours, a week 5 days, a month 20."""


def factor(unit: str, wanted: str) -> float | None:
    """Give what one of a unit is in another; None where the two do not measure the same thing, or one is not known."""
    for units in _DIMENSIONS.values():
        if unit in units and wanted in units:
            return units[unit] / units[wanted]
    return None


def looks_like(value: float, kind: Kind) -> list[str]:
    """Give the units, at most two and those nearest to its own, in which a figure out of a quantity's range is plausible."""
    units = next(units for units in _DIMENSIONS.values() if kind.unit in units)
    factors = {unit: size / units[kind.unit] for unit, size in units.items() if unit != kind.unit}
    within = [unit for unit, size in factors.items() if unit != "%" and kind.least <= value * size <= kind.most]
    return sorted(within, key=lambda unit: abs(math.log(factors[unit])))[:2]


def unlike(unit: str, kind: Kind, currency: str) -> str | None:
    """Say what is wrong with a unit, and by what its figures turn into the right one; None where it is the quantity's own."""
    code, wanted = _CODE.match(unit), named(kind, currency)
    given = CURRENCY + unit.removeprefix(code[0]) if code and code[0] == currency else unit
    if given == kind.unit:
        return None
    if code and given == unit and kind.unit.startswith(CURRENCY):
        return f"it is in {unit}, and the currency of the file is {currency}. Convert it, and say the rate in its note"
    # Whoever writes hours of work as hours means people's.
    size = factor(given, kind.unit) or factor(f"person-{given}", kind.unit)
    if size == 1:
        return f'it is work of people: say unit = "{wanted}"'
    if size is None:
        return f'{kind.name} is in {wanted}, and "{unit}" is no unit of that. Say unit = "{wanted}", with figures in it'
    turn = f"multiply by {size:g}" if size > 1 else f"divide by {1 / size:g}"
    return f'{kind.name} is in {wanted}, and not in {unit}: {turn}, and say unit = "{wanted}"'


def implausible(figures: Iterable[float], kind: Kind, currency: str) -> Iterator[str]:
    """Say of each figure outside of the quantity's range which unit it looks like, and what is plausible."""
    unit = named(kind, currency)
    for figure in figures:
        if not kind.least <= figure <= kind.most:
            others = " or ".join(looks_like(figure, kind)).replace(CURRENCY, currency)
            looks = f": that looks like {others}" if others else ""
            yield f"{kind.name} is {figure:g} {unit}{looks}. Plausible are {kind.least:g} to {kind.most:g} {unit}"


def named(kind: Kind, currency: str) -> str:
    """Give the unit of a quantity with the currency's code in it."""
    return kind.unit.replace(CURRENCY, currency)
