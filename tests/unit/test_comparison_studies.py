"""Variants and runs against each other, from runs whose every figure is written down."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from roi import comparison, density, four_ways, noise, objective, planning, scaling, two_runs
from roi.errors import UnlikeRuns
from roi.statistics.groups import Relation
from roi.views import comparison as comparison_view
from roi.views import four_ways as four_ways_view
from roi.views import noise as noise_view
from roi.views import objective as objective_view
from roi.views import scaling as scaling_view
from roi.views import two_runs as two_runs_view
from tests.notebooks.written_run import MS, START_NS, Request, WrittenCell

SEARCHED = '{"objective_ms": 50.0, "quantile": 0.99}'


def saturated(name, variant, answers, **columns):
    """Give a process that answers so many requests in its second, one a hundredth of a millisecond."""
    requests = [
        Request(service_ms=0.001, intended_ns=START_NS + round(at * 1_000 * MS / answers)) for at in range(answers)
    ]
    return WrittenCell(name, variant, variant.split("2")[0], "saturate", "closed", None, requests, columns=columns)


def steady(name, variant, cpu_us, answers=100, **columns):
    cost = {"gateway_cpu_ns": cpu_us * 1_000 * answers}
    requests = [Request(intended_ns=START_NS + at * MS) for at in range(answers)]
    return WrittenCell(name, variant, variant.split("2")[0], requests=requests, columns=cost | columns)


def step(number, kind, rate_per_s=None, found=False, connections=64, good=1_000):
    return {
        "step": number, "kind": kind, "connections": connections, "rate_per_s": rate_per_s, "began_ns": START_NS,
        "ended_ns": START_NS + 1_000 * MS, "quantile_ms": 12.0 if rate_per_s else None,
        "met": True if rate_per_s else None, "good": good, "found": found,
    }  # fmt: skip


def searched(name, variant, rate_per_s, **columns):
    last = [] if rate_per_s is None else [step(1, "confirm", rate_per_s, found=True)]
    return WrittenCell(
        name, variant, variant, "capacity", "open", None, rows={"steps": [step(0, "closed"), *last]},
        columns={"options": SEARCHED, "gateway_pss_bytes": 1 << 29} | columns,
    )  # fmt: skip


def grown(name, variant, curve):
    steps = [step(at, "closed", connections=n, good=good) for at, (n, good) in enumerate(curve.items())]
    return WrittenCell(name, variant, variant, "scalability", "closed", None, rows={"steps": steps})


def pair(variant, figures, of, first=0):
    """Give blocks with two cells of a variant each, a and b."""
    return [
        of(f"{variant}-{block}{label}", variant, figure, block=block, blind_label=label)
        for block, both in enumerate(figures, start=first)
        for label, figure in zip("ab", both, strict=True)
    ]


def test_the_noise_floor_is_what_the_blind_pair_differs_by(run):
    # The geometric mean of 1.2, 1 and 1/1.1 is 1.0295; ln of them spreads by 0.1407, t(0.975, 2) = 4.302653 (tables).
    (floor,) = noise.floors(run(*pair("go", [(120, 100), (100, 100), (100, 110)], saturated)))
    assert (floor.figure.name, floor.variant, floor.ratio.n) == ("saturation", "go", 3)
    assert floor.share == pytest.approx((1.2 / 1.1) ** (1 / 3) - 1)
    spread = np.log([1.2, 1.0, 1 / 1.1]).std(ddof=1)
    assert floor.ratio.hi == pytest.approx(floor.ratio.value * math.exp(4.302653 * spread / math.sqrt(3)), rel=1e-6)
    assert not floor.differs


def test_the_floor_is_the_same_whichever_of_the_pair_is_ahead(run):
    shares = [noise.floors(run(*pair("go", [both, both], saturated)))[0].share for both in ((120, 100), (100, 120))]
    assert shares == [pytest.approx(0.2), pytest.approx(0.2)]


def test_a_pair_that_is_told_apart_is_named(run):
    floors = noise.floors(run(*pair("go", [(120, 100), (121, 100), (119, 100)], saturated)))
    assert floors[0].differs
    assert "is told apart by requests/s at saturation" in noise_view.said(floors)
    assert noise_view.table(floors)["told apart"].tolist() == [True]


def test_a_run_without_a_blind_pair_says_so(run):
    floors = noise.floors(run(saturated("a", "go", 100)))
    assert floors == []
    assert "no blind pair" in noise_view.said(floors)


def test_half_of_a_blind_pair_is_none(run):
    assert noise.floors(run(saturated("a", "go", 100, blind_label="a"))) == []


def test_a_lead_counts_beyond_the_margin_and_letters_say_who_shares_a_group(run):
    cells = [
        saturated(f"{v}{n}", v, base + n)
        for v, base in (("go", 1_000), ("rust", 2_000), ("node", 1_003))
        for n in range(3)
    ]
    (found,) = comparison.all_of(run(*cells), margin=0.05)
    assert found.groups.variants[0] == "rust"
    assert found.groups.relation("rust", "go") is Relation.AHEAD
    assert found.groups.relation("go", "node") is Relation.EQUIVALENT
    assert comparison_view.groups_table([found])["requests/s at saturation"].tolist() == ["a", "b", "b"]
    assert "2 of 3 pairs differ by more than 5.0%, 1 differ by less" in comparison_view.said([found])


def test_of_costs_the_lower_is_ahead(run):
    cells = [steady(f"{v}{n}", v, cost + n) for v, cost in (("go", 40), ("rust", 20)) for n in range(3)]
    (found,) = comparison.all_of(run(*cells), margin=0.05)
    assert found.groups.relation("rust", "go") is Relation.AHEAD
    assert comparison_view.pairs_table([found])["ahead"].tolist() == ["rust"]


def test_the_noise_floor_takes_the_margins_place_where_it_is_wider(run):
    cells = pair("go", [(1_100, 1_000), (1_100, 1_001), (1_101, 1_000)], saturated)
    cells += [saturated(f"rust{n}", "rust", 1_150 + n, block=n) for n in range(3)]
    (found,) = comparison.all_of(run(*cells), margin=0.05)
    assert found.floor_is_margin
    assert found.groups.margin == pytest.approx(found.floor)
    assert found.groups.relation("rust", "go") is not Relation.AHEAD


def test_ratios_come_with_the_probability_of_a_lead(run):
    cells = [saturated(f"{v}{n}", v, base + n) for v, base in (("go", 500), ("java25", 1_000)) for n in range(3)]
    (row,) = density.ratios_to(run(*cells), "go", ["java25", "absent"]).to_dict("records")
    assert row["value"] == pytest.approx(0.5, abs=0.001)
    assert row["lo"] < row["value"] < row["hi"] < 0.6
    assert row["lead"] < 0.01


def test_a_capacity_at_the_objective_is_what_was_confirmed(run):
    opened = run(searched("a", "go", 4_000.0), searched("b", "go", 4_400.0), searched("c", "node", None))
    (row,) = objective.capacity(opened).to_dict("records")
    assert (row["variant"], row["n"], row["searched"]) == ("go", 2, 2)
    assert row["value"] == pytest.approx(math.sqrt(4_000 * 4_400))
    assert row["per_gib"] == pytest.approx(2 * row["value"])
    assert str(objective.asked(opened)) == "99 of 100 requests within 50 ms"
    assert "in some processes of node (1)" in objective_view.said(opened)
    assert objective_view.chart(opened).data["variant"].tolist() == ["go"]


def test_a_rate_that_some_process_did_not_find_has_no_interval(run):
    opened = run(searched("a", "go", 4_000.0), searched("b", "go", 4_400.0), searched("c", "go", None))
    (row,) = objective.capacity(opened).to_dict("records")
    assert math.isnan(row["lo"])
    assert "(found in 2 of 3)" in objective_view.table(opened, 0.04, 0.005).iloc[0, 1]


def test_a_million_requests_cost_the_hours_of_their_cores_and_memory(run):
    found = objective.capacity(run(searched("a", "go", 1e6 / 3_600)))
    # An hour of one core at 0.04 and of half a GiB at 0.01.
    assert objective.cost_a_million(found, 0.04, 0.01).tolist() == [pytest.approx(0.045)]


CURVE = {n: round(1_000 * n / (1 + 0.05 * (n - 1) + 0.01 * n * (n - 1))) for n in (1, 2, 4, 8, 16, 32)}


def test_scalability_is_read_where_it_was_measured(run):
    opened = run(grown("a", "go", CURVE), grown("b", "go", CURVE), grown("c", "few", {1: 10, 2: 20}))
    (found,) = scaling.growth(opened)
    assert (found.variant, found.processes) == ("go", 2)
    assert found.law.contention.value == pytest.approx(0.05, abs=0.002)
    assert found.law.peak == pytest.approx(math.sqrt(0.95 / 0.01), rel=0.02)
    assert scaling.best(opened).set_index("variant").loc["go", "connections"] == 8
    assert len(scaling_view.table([found])) == 1
    assert scaling_view.chart(opened).data["connections"].max() == 32


def test_ways_that_overlap_are_held_against_each_other(run):
    used = {"gateway_cpu_ns": 990 * MS}
    cells = [saturated(f"s{n}", "go", 1_000 + n, **used) for n in range(3)]
    cells += [grown("g", "go", {**CURVE, 8: 1_010})]
    cells += [searched(f"o{n}", "go", 900.0 + n) for n in range(3)]
    checks = four_ways.checks(run(*cells))
    assert [check.holds for check in checks] == [True, False, True], "the best rung is 16 connections' and far above"
    assert checks[0].ratio.value == pytest.approx(0.99)
    assert "1 of 3 overlaps do not agree" in four_ways_view.said(checks)
    ways = four_ways.densities(run(*cells)).set_index("way")["value"]
    assert ways["1 / CPU time at saturation"] == pytest.approx(1_001 / 0.99, rel=0.001)
    assert ways["at the objective"] == pytest.approx(901, rel=0.001)


def test_a_pilot_tells_how_many_processes_an_interval_takes(run):
    cells = [steady(f"{n}", "go", cost) for n, cost in enumerate((100, 104, 96))]
    (row,) = planning.plan(run(*cells), 0.05).to_dict("records")
    # Standard deviation 4 % of the mean: t(0.975, n - 1) * 4 / sqrt(n) is 6.37 for n = 4, 4.97 for n = 5.
    assert (row["processes"], row["needed"]) == (3, 5)
    assert row["half_width"] == pytest.approx(4.302653 * 0.04 / math.sqrt(3), rel=1e-6)


def test_a_pilot_tells_how_long_to_measure_each_process(run):
    rates = [(1_000, 1_400), (1_010, 1_390), (990, 1_410)]
    cells = []
    for number, halves in enumerate(rates):
        requests = [
            Request(service_ms=0.001, intended_ns=START_NS + round((half * 500 + at * 500 / answers) * MS))
            for half, answers in enumerate(halves)
            for at in range(answers)
        ]
        whole = {"measure_end_ns": START_NS + 1_000 * MS}
        cells.append(WrittenCell(f"{number}", "go", "go", "saturate", "closed", None, requests, columns=whole))
    row = planning.plan(run(*cells), 0.05).iloc[0]
    # The windows differ and the processes do not: T² of processes is negative, and no length is long enough.
    assert (row["figure"], row["silent"]) == ("requests/s at saturation", "processes")
    assert row["best_window_s"] is None


def test_a_change_counts_beyond_its_interval_and_the_noise_floor(run):
    before = run(*pair("go", [(100, 100), (101, 100), (100, 101)], saturated))
    after = run(*pair("go", [(120, 120), (121, 120), (120, 121)], saturated))
    (change,) = two_runs.compare(before, after).changes
    assert (change.verdict, change.variant, change.n) == ("higher", "go", 6)
    assert change.ratio == pytest.approx(1.2, abs=0.001)
    assert "changed** from written to written" in two_runs_view.said(two_runs.compare(before, after))
    (same,) = two_runs.compare(before, before).changes
    assert same.verdict == "no change shown"


def test_a_change_below_the_noise_floor_is_none(run):
    loud = [(1_210, 1_000), (1_211, 1_000), (1_209, 1_000)]
    before = run(*pair("go", loud, saturated))
    after = run(*pair("go", [(a * 115 // 100, b * 115 // 100) for a, b in loud], saturated))
    (change,) = two_runs.compare(before, after).changes
    assert change.floor == pytest.approx(0.21, abs=0.001)
    assert (change.ratio, change.verdict) == (pytest.approx(1.15, abs=0.002), "below the noise floor")
    clear = [(a, a) for a, _ in loud]
    base = run(*pair("go", [(1_000, 1_000), (1_000, 1_001), (1_000, 1_001)], saturated))
    assert [c.verdict for c in two_runs.compare(base, run(*pair("go", clear, saturated))).changes] == ["higher"]


def test_runs_of_unlike_machines_are_refused_unless_told_otherwise_and_then_every_chart_says_so(run):
    before = run(saturated("a", "go", 100), saturated("b", "go", 101))
    other = dataclasses.replace(
        before, manifest=dataclasses.replace(before.manifest, machine={"cpu_model": "Another", "processors": 2})
    )
    with pytest.raises(UnlikeRuns, match=r"cpu model is Some CPU and Another.*--unlike"):
        two_runs.compare(before, other)
    found = two_runs.compare(before, other, insist=True)
    assert "not alike: cpu model is Some CPU and Another" in two_runs_view.chart(other, found).footnote
    assert "not alike" in two_runs_view.said(found)


def test_runs_under_other_conditions_are_refused(run):
    before = run(steady("a", "go", 40), steady("b", "go", 41))
    after = run(steady("a", "go", 40, rate_per_s=500.0), steady("b", "go", 41, rate_per_s=500.0))
    with pytest.raises(UnlikeRuns, match="steady ran with other rate per s"):
        two_runs.compare(before, after)
