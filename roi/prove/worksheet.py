"""The business case worked out as a spreadsheet would, year by year in decimals, with nothing of the model's own code.

The share of a year's benefit is the area under the logistic ramp, by Simpson's rule; the model has it in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_STRIPS = 64
_HOURS_A_YEAR = 8760


@dataclass(frozen=True)
class Sheet:
    """The last row of the worksheet."""

    npv: Decimal
    costs: Decimal
    """Present costs."""
    payback_years: Decimal | None
    """Discounted; None is never."""


def work_out(baseline: Mapping[str, float], option: Mapping[str, float], years: int) -> Sheet:
    """Fill the worksheet for one option.

    Parameters
    ----------
    baseline, option
        Quantities by name, in the catalogue's units.
    """
    old = {name: Decimal(str(value)) for name, value in baseline.items()}
    new = {name: Decimal(str(value)) for name, value in option.items()}
    wage = old["salary_per_year"] * old["benefits_multiplier"] / old["productive_hours_per_year"]
    learners = new["engineers_to_train"] * (1 - new["skilled_share"])
    start = (new["build_hours"] + learners * new["training_hours_per_engineer"]) * wage + new["migration_cost"]
    saved = _a_year(old, wage) - _a_year(new, wage)
    cost_of_both = new["both_systems_hours_per_year"] * wage + _capacity(new)
    lost = new["dip_share"] * _hours(old) * wage
    balance, costs, payback = -start, start, Decimal(0) if start <= 0 else None
    for year in range(1, years + 1):
        worth = (old["system_survival"] / (1 + old["discount_rate"])) ** year
        spent = (
            new["upkeep_per_year"]
            + cost_of_both * _part(year, new["both_systems_years"])
            + lost * _part(year, new["dip_years"])
        )
        won = saved * _ramp(new, Decimal(year - 1), Decimal(year))
        gone = min(max(Decimal(year - 1), new["both_systems_years"]), Decimal(year))
        won += (_capacity(old) - _capacity(new)) * _ramp(new, gone, Decimal(year))
        before, balance = balance, balance + (won - spent) * worth
        costs += spent * worth
        if balance < 0:
            payback = None
        elif before < 0:
            payback = year - 1 + -before / (balance - before)
    return Sheet(balance, costs, payback)


def _a_year(values: Mapping[str, Decimal], wage: Decimal) -> Decimal:
    """Give a year's work and outages in currency, capacity left out."""
    failed = values["releases_per_year"] * values["change_failure_rate"] * (1 - values["rollback_success"])
    out = failed * values["failed_rollback_outage_hours"] + values["crashes_per_year"] * values["recovery_s"] / 3600
    return _hours(values) * wage + out * values["outage_cost_per_hour"]


def _hours(values: Mapping[str, Decimal]) -> Decimal:
    fixes = values["fixes_per_year"] * values["fix_hours"]
    changes = values["config_changes_per_year"] * values["config_minutes"] / 60
    failed = values["releases_per_year"] * values["change_failure_rate"] * (1 - values["rollback_success"])
    return fixes + changes + failed * values["failed_rollback_hours"] * values["failed_rollback_people"]


def _capacity(values: Mapping[str, Decimal]) -> Decimal:
    busy = values["mean_rate_per_s"] * values["cpu_s_a_request"] / values["utilisation"]
    cores = max(busy, values["least_instances_cores"])
    price = values["vcpu_price_per_hour"] + values["memory_gib_a_core"] * values["gib_price_per_hour"]
    return cores * price * _HOURS_A_YEAR


def _part(year: int, lasts: Decimal) -> Decimal:
    """Give the part of a year that lies before something ends."""
    return min(max(lasts - (year - 1), Decimal(0)), Decimal(1))


def _ramp(new: Mapping[str, Decimal], begin: Decimal, end: Decimal) -> Decimal:
    """Give the area under the logistic ramp between two times."""
    if end <= begin:
        return Decimal(0)
    step = (end - begin) / _STRIPS

    def share(at: Decimal) -> Decimal:
        odds = 81 ** ((at - new["adoption_delay_years"]) / new["adoption_span_years"])
        return odds / (1 + odds)

    inner = sum((4 if number % 2 else 2) * share(begin + number * step) for number in range(1, _STRIPS))
    return (share(begin) + inner + share(end)) * step / 3
