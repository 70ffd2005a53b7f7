"""Findings of made-up reports."""

from roi.report.findings import Finding


def claimed(name, value, unit, claim_value, *, lo=None, hi=None, n=None, claim="a_claim", claim_unit=None, **more):
    return Finding(
        name, value, unit, lo, hi, n, claim=claim, claim_says=f"what {claim} says", claim_value=claim_value,
        claim_unit=claim_unit or unit, **more,
    )  # fmt: skip


def ratio(base, value, lo, hi):
    return claimed(f"go_over_{base}", value, "ratio", 2.3, lo=lo, hi=hi, n=3, claim="qps_go_over_java")


SLOWER = (ratio("java25-g1", 0.5, 0.4, 0.625), ratio("java25-zgc", 0.8, 0.7, 0.9))
OPEN_END = claimed("pause_p99_java17-zgc", 890.0, "us", 89.0, lo=178.0, n=72, claim="zgc17_pause_p99")
EXACT = claimed("roi_factor", 3.16, "ratio", 3.16, claim="roi_factor")
OTHER_LOAD = claimed(
    "capacity_go", 30_000.0, "requests/s", 12_400.0, lo=28_000.0, hi=32_000.0, unlike="another machine"
)
LOSING = (
    Finding("best_of_all_nothing", 0.83, "share"),
    Finding(
        "npv_go",
        -280.0,
        "thousand USD",
        -660.0,
        130.0,
        note="median, P10 to P90 of 512 draws, seed 7; A firm's migration",
    ),
    Finding("npv_expected_go", -260.0, "thousand USD"),
    Finding("npv_above_zero_go", 0.16, "share"),
    Finding("go_loses_to_nothing", 0.84, "share"),
    Finding("npv_expected_go_least_benefit", -440.0, "thousand USD", note="mean, without savings on outages"),
    Finding(
        "break_even_go_outage_cost_per_hour",
        25_000.0,
        "USD/hour",
        note="mean 1e+04; closed form, all others at their means",
    ),
)
HANGING = (
    Finding("decision_flips", 0.17, "share"),
    Finding("worth_of_knowing_everything", 58.0, "thousand USD"),
    Finding("variance_assumed", 0.9, "share", 0.88, 0.92),
    Finding("variance_measured", 0.1, "share", 0.08, 0.12),
    Finding("variance_total_go_build_hours", 0.25, "share", 0.24, 0.26),
    Finding("worth_of_knowing_go_build_hours", 1.7, "thousand USD", 1.3, 2.1),
    Finding("worth_of_knowing_outage_cost_per_hour", 4.1, "thousand USD", 3.4, 4.8),
)
GATED = (Finding("cells_measured", 40, "cells", n=42), Finding("cells_passed_the_gate", 38, "cells", n=42))
