"""What running a service takes in a year: work, outages and capacity, from the quantities of the catalogue.

Every figure has the shape (draws,), or (1,) where all that it is made of is certain.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Values = Mapping[str, np.ndarray | float]
"""The quantities of one option or of today's service by name, in the catalogue's units: numbers, or arrays of shape (draws,)."""

_HOURS_A_YEAR = 8760.0
_MINUTES_AN_HOUR, _SECONDS_AN_HOUR = 60.0, 3600.0


def wage(values: Values) -> np.ndarray:
    """Give what an hour of an engineer's work costs, in currency."""
    return array(values, "salary_per_year") * values["benefits_multiplier"] / values["productive_hours_per_year"]


def cores(values: Values) -> np.ndarray:
    """Give the cores that the mean rate takes at the planned utilisation, and at least those that must stand."""
    busy = array(values, "mean_rate_per_s") * values["cpu_s_a_request"] / values["utilisation"]
    return np.maximum(busy, values["least_instances_cores"])


def capacity_cost(values: Values) -> np.ndarray:
    """Give what a year of cores and their memory costs at the user's prices, in currency."""
    an_hour = values["vcpu_price_per_hour"] + values["memory_gib_a_core"] * values["gib_price_per_hour"]
    return cores(values) * an_hour * _HOURS_A_YEAR


def failed_rollbacks(values: Values) -> np.ndarray:
    """Give the releases a year that fail and whose rollback fails as well."""
    return array(values, "releases_per_year") * values["change_failure_rate"] * (1 - values["rollback_success"])


def fix_hours(values: Values) -> np.ndarray:
    """Give the hours of work a year on fixes."""
    return array(values, "fixes_per_year") * values["fix_hours"]


def configuration_hours(values: Values, overlap: float) -> np.ndarray:
    """Give the hours of work a year on changes of configuration, less the share of them that is work on fixes."""
    return (1 - overlap) * array(values, "config_changes_per_year") * values["config_minutes"] / _MINUTES_AN_HOUR


def rollback_hours(values: Values) -> np.ndarray:
    """Give the hours of work a year after rollbacks that failed."""
    return failed_rollbacks(values) * values["failed_rollback_hours"] * values["failed_rollback_people"]


def rollback_outage_hours(values: Values) -> np.ndarray:
    """Give the hours a year out of service after rollbacks that failed."""
    return failed_rollbacks(values) * values["failed_rollback_outage_hours"]


def crash_hours(values: Values) -> np.ndarray:
    """Give the hours a year out of service after crashes."""
    return array(values, "crashes_per_year") * values["recovery_s"] / _SECONDS_AN_HOUR


def array(values: Values, name: str) -> np.ndarray:
    """Give a quantity as an array, shape (draws,) or (1,)."""
    return np.atleast_1d(np.asarray(values[name], float))
