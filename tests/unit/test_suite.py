"""Suites and the plan of cells that they stand for."""

import json
from collections import Counter

import pytest

from bench import scenario
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


STRUCK = (
    TEXT
    + """
[[recovery]]
variants = ["node"]
faults = ["sigkill", "upstream_hung"]
policy = "none"
rate_per_s = 50
horizon_s = 5
baseline_s = 1
sustain_s = 1
repetitions = 2

[[rolling_restart]]
variants = ["go", "node"]
ways = ["drain", "kill"]
rate_per_s = 100
repetitions = 1
"""
)


def test_every_fault_and_every_way_is_a_block_of_its_own_for_the_variants_that_it_names():
    cells = [cell for cell in plan(STRUCK) if not cell.is_load]
    assert sorted((c.variant, c.fault or c.way, c.repetition) for c in cells) == [
        ("go", "drain", 0), ("go", "kill", 0), ("node", "drain", 0), ("node", "kill", 0),
        ("node", "sigkill", 0), ("node", "sigkill", 1), ("node", "upstream_hung", 0), ("node", "upstream_hung", 1),
    ]  # fmt: skip
    blocks = {}
    for cell in cells:
        blocks.setdefault(cell.block, set()).add((cell.scenario, cell.fault, cell.way, cell.rate_per_s))
    assert len(blocks) == 6
    assert all(len(kinds) == 1 for kinds in blocks.values())
    assert {cell.traffic_model for cell in cells} == {"open"}
    assert {cell.rate_per_s for cell in cells if cell.fault} == {50}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"upstream_hung"', '"upstream_hang"', "recovery.0.faults: .*Did you mean upstream_hung"),
        ('policy = "none"', 'policy = "non"', "recovery.0.policy: .*Did you mean none"),
        ("rate_per_s = 50", "rate_per_s = 0", "recovery.0.rate_per_s"),
        ('faults = ["sigkill", "upstream_hung"]', "faults = []", "recovery.0.faults"),
        ('ways = ["drain", "kill"]', 'ways = ["drian"]', "rolling_restart.0.ways.0: .*'drain'"),
        ("rate_per_s = 100\n", "", "rolling_restart.0.rate_per_s"),
    ],
)
def test_a_mistake_in_a_fault_or_a_restart_is_named(old, new, said):
    assert old in STRUCK
    with pytest.raises(SuiteInvalid, match=said):
        plan(STRUCK.replace(old, new, 1))


SIZES = TEXT.replace("rates_per_s", "memory_budgets_mib = [96, 192]\nlive_sets_mib = [0, 64]\nrates_per_s")


def test_every_memory_budget_and_live_set_is_a_cell_of_its_own_in_every_block():
    blocks = {}
    for cell in plan(SIZES):
        if cell.scenario == "steady":
            key = (cell.variant, cell.memory_budget_mib, cell.live_set_mib)
            blocks.setdefault(cell.block, []).append(key)
    whole = sorted((v, budget, live) for v in ("go", "node", "rust") for budget in (96, 192) for live in (0, 64))
    assert [sorted(block) for block in blocks.values()] == [whole] * 4
    assert len({tuple(block) for block in blocks.values()}) == 4


def test_sizes_that_no_load_varies_are_the_suites():
    text = SIZES.replace("seed = 7", "seed = 7\nmemory_budget_mib = 300\nlive_set_mib = 20")
    assert {(c.memory_budget_mib, c.live_set_mib) for c in plan(text) if c.scenario == "saturate"} == {(300, 20)}
    assert {(c.memory_budget_mib, c.live_set_mib) for c in plan()} == {(512, 64)}


def test_the_name_of_a_cell_tells_the_sizes_that_its_suite_varies_and_no_others():
    steady = next(c for c in plan(SIZES) if c.scenario == "steady")
    rung, sizes = f"{steady.rate_per_s:g}", f"{steady.memory_budget_mib}mib-live{steady.live_set_mib}mib"
    assert steady.cell_id == f"{steady.position:04d}-{steady.variant}-steady-{rung}-{sizes}-r{steady.repetition}"
    saturate = next(c for c in plan(SIZES) if c.scenario == "saturate")
    assert saturate.cell_id == f"{saturate.position:04d}-{saturate.variant}-saturate-r0"


def test_one_value_in_the_lists_changes_neither_the_order_nor_the_seeds():
    one = TEXT.replace("rates_per_s", "memory_budgets_mib = [512]\nrates_per_s")
    assert [(c.variant, c.seed) for c in plan(one)] == [(c.variant, c.seed) for c in plan()]


def test_a_plan_is_what_it_was_before_sizes_could_vary():
    assert [c.cell_id for c in plan()][:4] == [
        "0000-rust-saturate-r0",
        "0001-go-saturate-r0",
        "0002-node-saturate-r0",
        "0003-rust-steady-100-r0",
    ]


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
        (
            "duration_s = 2",
            "duration_s = 2\nmemory_budgets_mib = [0]",
            SuiteInvalid,
            "memory_budgets_mib: .*1 MiB or more",
        ),
        (
            "duration_s = 2",
            "duration_s = 2\nlive_sets_mib = [-1]",
            SuiteInvalid,
            "load.0.live_sets_mib: .*0 MiB or more",
        ),
        ("duration_s = 2", "duration_s = 2\nlive_sets_mib = [8, 8]", SuiteInvalid, "8 stands there twice.*repetitions"),
        ("duration_s = 2", "duration_s = 2\nmemory_budgets_mib = 96", SuiteInvalid, "load.0.memory_budgets_mib"),
        ("repetitions = 2", "repetition = 2", SuiteInvalid, "load.0.repetition"),
        ('purpose = "indicative"', 'purpose = "fun"', SuiteInvalid, "purpose"),
        ('name = "small"', "name = ", SuiteInvalid, "not TOML"),
    ],
)
def test_a_mistake_in_a_suite_is_named(old, new, error, said):
    with pytest.raises(error, match=said):
        plan(TEXT.replace(old, new, 1))


SURGE = (
    TEXT
    + """
[[load]]
scenario = "surge"
rates_per_s = [50]
options = { peak = 3, mix = "route=1,large=0.5" }
duration_s = 2
connections = 8
repetitions = 1

[[load]]
scenario = "journey"
options = { think = 0 }
duration_s = 2
connections = 6
repetitions = 1
"""
)


def test_options_reach_the_cells_and_the_command_line_of_the_load_generator():
    surge = next(c for c in plan(SURGE) if c.scenario == "surge")
    assert surge.options == {"peak": 3, "mix": "route=1,large=0.5"}
    told = scenario.named("surge").command_line(surge.options, surge.connections)
    assert told == ["--peak", "3", "--mix", "route=1,large=0.5"]


def test_the_connections_of_a_journey_are_its_users():
    journey = next(c for c in plan(SURGE) if c.scenario == "journey")
    told = scenario.named("journey").command_line(journey.options, journey.connections)
    assert told == ["--users", "6", "--spawn-rate", "6", "--think", "0"]


def test_open_and_closed_loops_are_told_apart():
    models = {c.scenario: c.traffic_model for c in plan(SURGE)}
    assert models == {"steady": "open", "saturate": "closed", "surge": "open", "journey": "closed"}


def test_a_plan_on_disk_keeps_the_options():
    cells = plan(SURGE)
    assert [suites.Cell(**json.loads(json.dumps(c.as_dict()))) for c in cells] == cells


def test_every_scenario_of_the_table_has_a_locustfile_and_every_locustfile_is_in_the_table():
    files = {path.stem for path in scenario.paths.SCENARIOS.glob("*.py") if not path.stem.startswith("_")}
    assert files == set(scenario.SCENARIOS)
    assert scenario.locustfile("surge").name == "surge.py"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("peak = 3", "peek = 3", "load.2: .*no option of surge named 'peek'. Did you mean peak"),
        ("peak = 3", "peak = 0", "load.2: .*peak must be a positive number"),
        ("peak = 3", 'peak = "high"', "load.2: .*peak takes a number; it was given 'high'"),
        ("peak = 3", "peak = true", "load.2: .*peak takes a number; it was given True"),
        ("peak = 3", "peak = [3]", "load.2.options.peak"),
        ("peak = 3", "lead = 0.9", "load.2: .*lead, rise, hold and fall are 1.2 of its duration"),
        ('mix = "route=1,large=0.5"', 'mix = "route=1,huge=2"', "no kind named 'huge'.*kinds: route, token, large"),
        ('mix = "route=1,large=0.5"', "mix = 3", "load.2: .*mix takes text; it was given 3"),
        ("think = 0", "think = -1", "load.3: .*think must be a number that is not negative"),
        ("options = { think = 0 }", "warm_up_saturated = true", "load.3: .*journey warms up with its own users"),
        ("think = 0", 'mix = "route=1"', "load.3: .*no option of journey named 'mix'"),
    ],
)
def test_a_mistake_in_an_option_is_named_with_its_place(old, new, said):
    with pytest.raises(SuiteInvalid, match=said):
        plan(SURGE.replace(old, new, 1))


def replaying(folder, trace):
    path = folder / "replaying.toml"
    path.write_text(TEXT.replace('scenario = "saturate"', f'scenario = "replay"\noptions = {{ trace = "{trace}" }}'))
    return str(path)


def test_a_trace_is_found_from_the_folder_of_its_suite(tmp_path):
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "day.csv").write_text("0\n1\n")
    suite, _ = suites.read(replaying(tmp_path, "traces/day.csv"))
    cell = next(c for c in suites.plan(suite, suite.variants) if c.scenario == "replay")
    assert cell.options == {"trace": str(tmp_path / "traces" / "day.csv")}
    assert cell.rate_per_s is None
    assert cell.traffic_model == "open"


def test_a_trace_that_is_not_there_is_named_when_the_suite_is_read(tmp_path):
    with pytest.raises(SuiteInvalid, match=r"replaying\.toml: load\.1\.options: The trace traces/day.csv is not there"):
        suites.read(replaying(tmp_path, "traces/day.csv"))


def test_a_replay_without_a_trace_is_named():
    with pytest.raises(SuiteInvalid, match=r"load\.1: .*replay needs a trace"):
        plan(TEXT.replace('scenario = "saturate"', 'scenario = "replay"'))


def test_a_blind_pair_is_twice_in_every_block_of_a_load_under_labels_drawn_by_lot():
    cells = plan(STRUCK.replace("seed = 7", 'seed = 7\nblind_pair = "go"'))
    pairs = {}
    for cell in cells:
        if cell.blind_label:
            pairs.setdefault(cell.block, []).append(cell)
    assert len(pairs) == 5
    assert all(sorted(c.blind_label for c in pair) == ["a", "b"] for pair in pairs.values())
    assert {c.variant for pair in pairs.values() for c in pair} == {"go"}
    assert len({pair[0].blind_label for pair in pairs.values()}) == 2, "the same label always comes first"
    assert not any(c.blind_label for c in cells if not c.is_load)
    assert not any(c.blind_label in c.cell_id.split("-") for pair in pairs.values() for c in pair)


def test_a_blind_pair_must_be_one_of_the_suites_variants():
    with pytest.raises(UnknownName, match="java17-zgc"):
        plan(TEXT.replace("seed = 7", 'seed = 7\nblind_pair = "java17-zgc"'))


def test_the_length_of_the_environment_is_drawn_by_lot():
    lengths = [cell.environment_bytes for cell in plan()]
    assert len(set(lengths)) > len(lengths) // 2
    assert all(0 <= length < 4_096 for length in lengths)


def test_a_load_may_name_the_variants_that_it_is_for():
    text = TEXT.replace('scenario = "saturate"', 'scenario = "saturate"\nvariants = ["rust"]')
    assert {cell.variant for cell in plan(text) if cell.scenario == "saturate"} == {"rust"}
    with pytest.raises(UnknownName):
        plan(text.replace('variants = ["rust"]', 'variants = ["rsut"]'))
