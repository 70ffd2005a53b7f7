"""Suites and the plan of cells that they stand for."""

from collections import Counter

import pytest

from bench import suite as suites
from bench.errors import SuiteInvalid, UnknownName

TEXT = """
name = "small"
purpose = "indicative"
summary = "for tests"
seed = 7
variants = ["go", "rust", "node"]

[[load]]
scenario = "steady"
rates_per_s = [100, 200]
warm_up_s = 1
duration_s = 2
connections = 8
repetitions = 2

[[load]]
scenario = "saturate"
warm_up_s = 1
duration_s = 2
connections = 8
repetitions = 1
"""


def plan(text=TEXT):
    suite = suites.parse(text, "small.toml")
    return suites.plan(suite, suite.variants)


def test_every_variant_is_measured_at_every_rung_as_often_as_declared():
    found = Counter((c.variant, c.scenario, c.rate_per_s) for c in plan())
    assert found == {
        **{(v, "steady", rate): 2 for v in ("go", "rust", "node") for rate in (100, 200)},
        **{(v, "saturate", None): 1 for v in ("go", "rust", "node")},
    }


def test_a_block_holds_one_cell_of_each_variant_under_the_same_conditions():
    blocks = {}
    for cell in plan():
        blocks.setdefault(cell.block, []).append(cell)
    for cells in blocks.values():
        assert sorted(c.variant for c in cells) == ["go", "node", "rust"]
        assert len({(c.scenario, c.rate_per_s, c.repetition) for c in cells}) == 1


def test_the_order_within_blocks_is_random_and_the_same_for_the_same_seed():
    orders = Counter(tuple(c.variant for c in plan() if c.block == block) for block in range(5))
    assert len(orders) > 1
    assert [c.cell_id for c in plan()] == [c.cell_id for c in plan()]
    assert [c.variant for c in plan()] != [c.variant for c in plan(TEXT.replace("seed = 7", "seed = 8"))]


def test_a_warm_up_may_differ_by_runtime():
    text = TEXT.replace("warm_up_s = 1", "warm_up_s = { default = 1, node = 4 }")
    assert {(c.variant, c.warm_up_s) for c in plan(text)} == {("go", 1), ("rust", 1), ("node", 4)}


def test_a_fault_may_be_for_some_variants_only():
    text = (
        TEXT
        + """
[[recovery]]
variants = ["node"]
fault = "sigkill"
policy = "none"
horizon_s = 5
baseline_s = 1
sustain_s = 1
repetitions = 1
"""
    )
    assert [c.variant for c in plan(text) if c.fault] == ["node"]


def test_cells_have_names_and_seeds_of_their_own():
    cells = plan()
    assert len({c.cell_id for c in cells}) == len({c.seed for c in cells}) == len(cells)


def test_every_suite_in_the_repository_is_valid():
    names = [path.stem for path in suites.paths.SUITES.glob("*.toml")]
    assert "quick" in names
    for name in names:
        assert suites.read(name)[0].name == name


def test_an_unknown_suite_shows_the_near_name():
    with pytest.raises(UnknownName, match="Did you mean quick"):
        suites.read("quikc")


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        ('"go", ', '"goo", ', UnknownName, "Did you mean go"),
        ('scenario = "saturate"', 'scenario = "saturat"', UnknownName, "saturate"),
        ("rates_per_s = [100, 200]", "rates_per_s = [0]", SuiteInvalid, "positive"),
        ("rates_per_s = [100, 200]", "", SuiteInvalid, "needs rates_per_s"),
        ("duration_s = 2", 'duration_s = "long"', SuiteInvalid, "load.0.duration_s"),
        ("warm_up_s = 1", "warm_up_s = { java = 9 }", SuiteInvalid, "needs a default"),
        ("warm_up_s = 1", "warm_up_s = { default = 1, jawa = 9 }", SuiteInvalid, "'jawa' is no runtime"),
        ("warm_up_s = 1", "warm_up_s = -1", SuiteInvalid, "must not be negative"),
        ("repetitions = 2", "repetition = 2", SuiteInvalid, "load.0.repetition"),
        ('purpose = "indicative"', 'purpose = "fun"', SuiteInvalid, "purpose"),
        ('name = "small"', "name = ", SuiteInvalid, "not TOML"),
    ],
)
def test_a_mistake_in_a_suite_is_named(old, new, error, said):
    with pytest.raises(error, match=said):
        plan(TEXT.replace(old, new, 1))
