"""`roi prove money`: every formula holds against an independent calculation, and one that is wrong does not."""

from __future__ import annotations

import json
import random
from decimal import Decimal

import numpy as np
import pytest

from roi import business_case
from roi.business_case import Horizon, npv
from roi.coverage import Held
from roi.decision import cash_of
from roi.errors import InputsInvalid
from roi.inputs import values_of
from roi.prove import cash, example, judge, money, uncertainty, worksheet
from roi.statistics import variance_shares

FIRM = {
    "salary_per_year": 80_000, "benefits_multiplier": 1.25, "productive_hours_per_year": 1_000, "fixes_per_year": 100,
    "fix_hours": 4, "config_changes_per_year": 0, "config_minutes": 30, "releases_per_year": 0, "change_failure_rate": 0,
    "rollback_success": 1, "failed_rollback_hours": 0, "failed_rollback_people": 0, "failed_rollback_outage_hours": 0,
    "outage_cost_per_hour": 0, "mean_rate_per_s": 1_000, "cpu_s_a_request": 0.001, "utilisation": 0.5,
    "memory_gib_a_core": 2, "least_instances_cores": 0, "vcpu_price_per_hour": 0.01, "gib_price_per_hour": 0.005,
    "crashes_per_year": 0, "recovery_s": 1, "discount_rate": 0, "system_survival": 1,
}  # fmt: skip
CHANGE = {
    "fix_hours": 1, "build_hours": 100, "migration_cost": 5_000, "both_systems_years": 0, "both_systems_hours_per_year": 0,
    "engineers_to_train": 4, "skilled_share": 0.5, "training_hours_per_engineer": 10, "adoption_delay_years": -100,
    "adoption_span_years": 0.01, "dip_share": 0, "dip_years": 0, "upkeep_per_year": 1_000,
}  # fmt: skip


def test_every_proof_of_the_money_holds():
    """All but the one against the clock, which is for the command line."""
    made = list(money.timeless())
    assert [proof for proof in made if not proof.holds] == []
    assert len({proof.name for proof in made}) == len(made) > 100


def test_the_worksheet_is_right_where_a_hand_can_follow_it():
    # An hour costs 80,000 x 1.25 / 1,000 = 100. Start: (100 + 4 x 0.5 x 10) x 100 + 5,000 = 17,000. From the first day on
    # 100 fixes take 3 hours less, 30,000 a year, for 1,000 of upkeep: -17,000 + 2 x 29,000 = 41,000 in two years.
    sheet = worksheet.work_out(FIRM, {**FIRM, **CHANGE}, 2)
    assert sheet.npv == Decimal(41_000)
    assert sheet.costs == Decimal(19_000)
    # 17,000 of the first year's 29,000.
    assert float(sheet.payback_years) == pytest.approx(17 / 29, rel=1e-12)


def test_capacity_is_saved_in_the_worksheet_once_the_old_system_is_gone():
    # 1,000 x 0.001 / 0.5 = 2 cores at 0.01 + 2 x 0.005 = 0.02 an hour are 350.4 a year; half of that with half of the time.
    change = {**CHANGE, "fix_hours": 4, "cpu_s_a_request": 0.0005, "both_systems_years": 0.5, "build_hours": 0}
    change |= {"migration_cost": 0, "engineers_to_train": 0, "upkeep_per_year": 0}
    # In half a year both run, for 175.2 a year; in the other half the old 350.4 less the new 175.2 are saved.
    assert worksheet.work_out(FIRM, {**FIRM, **change}, 1).npv == pytest.approx(Decimal("0.0"), abs=Decimal("1e-9"))


def test_the_model_that_forgets_to_discount_does_not_hold(monkeypatch):
    monkeypatch.setattr(business_case, "_factors", lambda baseline, horizon: np.ones((1, horizon.years + 1)))
    failed = {proof.name for proof in cash.proofs(example.inputs()) if not proof.holds}
    assert {"npv_go", "present_costs_go", "npv_rust_busy"} <= failed


def test_a_ramp_that_is_late_by_a_year_does_not_hold(monkeypatch):
    right = business_case.adoption
    monkeypatch.setattr(business_case, "adoption", lambda at, delay, span: right(at, delay + 1, span))
    assert {"npv_go", "npv_node"} <= {proof.name for proof in cash.proofs(example.inputs()) if not proof.holds}


def test_indices_of_another_function_do_not_hold(monkeypatch):
    right = variance_shares.shares
    monkeypatch.setattr(
        variance_shares, "shares", lambda model, *rest: right(lambda values: model(values) + 4 * values["x3"], *rest)
    )
    failed = {proof.name for proof in uncertainty.proofs() if not proof.holds}
    assert {"ishigami_x3_alone", "ishigami_x2_total", "ishigami_x1_and_x3_alone"} <= failed


def test_a_shuffled_file_says_the_same_and_stands_in_another_order():
    said = example.declared()
    assert example.inputs(shuffled=1).quantities == example.inputs().quantities
    assert list(example.shuffled_tables(said, random.Random(1))["quantities"]) != list(said["quantities"])


def test_the_example_needs_no_run_and_keeps_every_option_of_the_article():
    inputs = example.inputs()
    assert inputs.run is None
    assert {"go", "rust", "node", "java_improved"} <= {option.name for option in inputs.options}
    assert not [quantity for quantity in inputs.quantities.values() if quantity.provenance == "measured"]


def test_hours_typed_in_minutes_are_refused_with_line_and_remedy():
    said = example.declared()
    said["quantities"]["fix_hours"] |= {"value": 252.0}
    with pytest.raises(
        InputsInvalid, match=r"line \d+, quantities\.fix_hours: .*252 person-hours: that looks like .*minutes"
    ):
        example.reckoned(example.text(said))


def test_a_proof_of_a_catch_fails_where_nothing_is_wrong():
    assert not money.refused(example.text(example.declared()), "fix_hours", "minutes")


def test_a_proof_holds_within_its_tolerance_and_not_beyond():
    assert judge.near("f", 100.0, 100.9, 0.01, "").holds
    assert not judge.near("f", 100.0, 101.1, 0.01, "").holds
    assert not judge.within("f", 0.0, float("nan"), 1.0, "").holds
    assert judge.at_most("s", 10.0, 10.0, "").holds
    assert not judge.so("s", False, "").holds


def test_the_command_line_prints_the_proofs_and_ends_with_1_where_one_fails(command_line, monkeypatch):
    good, bad = Held("npv", 1.0, 1.0, 0.1, True, "by hand"), Held("roi", 1.0, 2.0, 0.1, False, "by hand")
    monkeypatch.setattr(money, "proofs", lambda: iter([good]))
    code, out, _ = command_line("prove", "money", "--json")
    assert (code, json.loads(out)["holds"], json.loads(out)["proofs"][0]["name"]) == (0, True, "npv")
    monkeypatch.setattr(money, "proofs", lambda: iter([good, bad]))
    code, out, _ = command_line("prove", "money")
    assert code == 1
    assert "fails" in out


def test_the_command_line_knows_what_it_can_prove(command_line):
    code, _, err = command_line("prove", "mony")
    assert code == 1
    assert "Did you mean money" in " ".join(err.split())


def test_the_worksheet_and_the_model_agree_on_a_firm_of_round_figures():
    values = {**FIRM, **{f"go.{name}": value for name, value in CHANGE.items()}}
    assert npv(cash_of(values, "go", Horizon(2)))[0] == pytest.approx(41_000, rel=1e-9)
    assert values_of(values, "go")["fix_hours"] == 1
