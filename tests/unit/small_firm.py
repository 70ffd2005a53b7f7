"""Inputs of a firm with round figures, so that what the model makes of them can be worked out by hand."""

from __future__ import annotations

from roi.distributions import Distribution, Pert, Point
from roi.inputs import Inputs, Option, Provenance, Quantity
from roi.quantities import CATALOGUE

SERVICE = {
    "fixes_per_year": 100.0,
    "fix_hours": 5.0,
    "config_changes_per_year": 60.0,
    "config_minutes": 40.0,
    "releases_per_year": 50.0,
    "change_failure_rate": 0.2,
    "rollback_success": 0.6,
    "failed_rollback_hours": 8.0,
    "failed_rollback_people": 2.0,
    "failed_rollback_outage_hours": 1.5,
    "outage_cost_per_hour": 2000.0,
    "salary_per_year": 64_000.0,
    "benefits_multiplier": 1.25,
    "productive_hours_per_year": 1600.0,
    "mean_rate_per_s": 1000.0,
    "cpu_s_a_request": 0.003,
    "utilisation": 0.5,
    "memory_gib_a_core": 2.0,
    "least_instances_cores": 0.0,
    "vcpu_price_per_hour": 0.04,
    "gib_price_per_hour": 0.005,
    "crashes_per_year": 12.0,
    "recovery_s": 30.0,
    "discount_rate": 0.1,
    "system_survival": 1.0,
}
"""An hour of work costs 64,000 x 1.25 / 1600 = 50, six cores stand, four rollbacks a year fail."""

CHANGE = {
    "build_hours": 100.0,
    "migration_cost": 3000.0,
    "both_systems_years": 0.0,
    "both_systems_hours_per_year": 0.0,
    "engineers_to_train": 4.0,
    "skilled_share": 0.25,
    "training_hours_per_engineer": 20.0,
    "adoption_delay_years": 0.0,
    "adoption_span_years": 0.0,
    "dip_share": 0.0,
    "dip_years": 0.0,
    "upkeep_per_year": 0.0,
}
"""At the start 100 x 50 + 3000 + 4 x 0.75 x 20 x 50 = 11,000; no ramp, no dip, no time with both systems."""


def option(**restated: float) -> dict[str, float]:
    """Give the values of an option: the service's, the change's, and what it restates."""
    return SERVICE | CHANGE | restated


def inputs(**given: float | Distribution) -> Inputs:
    """Give inputs with the options go and java_improved.

    Parameters
    ----------
    given
        Figures or distributions in place of those above, `go__fix_hours` for `go.fix_hours`; distributions are assumed.
    """
    said: dict[str, float | Distribution] = dict(SERVICE)
    said |= {f"{name}.{key}": value for name in ("go", "java_improved") for key, value in CHANGE.items()}
    said |= {key.replace("__", "."): value for key, value in given.items()}
    quantities = {key: quantity(key, said[key]) for key in sorted(said)}
    options = (Option("go", "Rewrite in Go", "go"), Option("java_improved", "Improve the Java service", ""))
    return Inputs("a small firm", "EUR", True, "java25-g1", None, options, quantities)


def quantity(key: str, value: float | Distribution, provenance: Provenance = Provenance.ASSUMED) -> Quantity:
    """Give one quantity."""
    distribution = Point(value) if isinstance(value, int | float) else value
    return Quantity(key, CATALOGUE[key.rpartition(".")[2]].unit, provenance, distribution, None, "by hand", None)


WIDE = {
    "fixes_per_year": Pert(20, 100, 300),
    "go__fix_hours": Pert(1, 2, 6),
    "go__build_hours": Pert(50, 300, 1200),
    "go__adoption_delay_years": Pert(0.2, 0.8, 2),
    "go__adoption_span_years": Pert(0.2, 0.8, 2),
    "java_improved__fix_hours": Pert(3, 4, 5.5),
    "java_improved__build_hours": Pert(10, 40, 100),
    "outage_cost_per_hour": Pert(500, 2000, 9000),
    "go__rollback_success": Pert(0.5, 0.9, 0.99),
    "discount_rate": Pert(0.04, 0.08, 0.15),
}
"""Distributions under which the choice is open."""
