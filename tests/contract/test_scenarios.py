"""Every scenario by hand with plain Locust against the Go gateway, and two of them in a campaign."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench import toolchains
from bench.gateways import registry
from bench.gateways.build import build
from bench.gateways.process import GatewayProcess, Settings
from bench.gateways.tokens import keys, mint
from bench.load import spool
from bench.load.generator import Generator, Order
from bench.load.schedule import Poisson, Schedule, VaryingPoisson
from bench.paths import CONTRACT
from bench.scenario import locustfile
from tests.accuracy.campaigns import bench
from tests.contract.by_hand import asked, assert_counted, entries, free_port, headless, once, served, total, web_ui
from tests.unit.scripted_server import OK, serving

SEED = 5
BROWSER = {
    "catalog.products.list", "catalog.products.read", "catalog.products.related", "catalog.products.search",
    "carts.create", "carts.items.add", "carts.totals", "orders.by_user.create",
}  # fmt: skip
INTEGRATION = {"orders.create", "payments.create", "payments.capture", "ledger.journals.post"}


@pytest.fixture(scope="module")
def rig(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Give a running Go gateway and a file of tokens that it takes."""
    variant = registry.variant("go")
    if lacking := toolchains.missing(variant.needs):
        pytest.skip(" ".join(lacking))
    build(variant.gateway)
    folder = tmp_path_factory.mktemp("gateway")
    scopes = {route["scope"] for route in json.loads((CONTRACT / "routes.json").read_text())["routes"]} - {None}
    tokens = folder / "tokens"
    tokens.write_text(mint(keys(), "HS256", {"sub": "t", "exp": "+3600", "scope": " ".join(sorted(scopes))}))
    settings = Settings(
        port=free_port(), folder=folder, meters=False, live_set_mib=1, env=keys().environment(folder)
    )  # fmt: skip
    with GatewayProcess(variant, settings) as gateway:
        gateway.wait_ready()
        yield SimpleNamespace(gateway=gateway, tokens=tokens, port=gateway.port)


def load(rig: SimpleNamespace, folder: Path, scenario: str, *options: object) -> SimpleNamespace:
    """Run a scenario by hand; give its rows and its summary, which Locust and the gateway agree with."""
    samples = folder / "samples"
    samples.mkdir()
    before = served(rig.gateway)
    said = entries(folder, rig.port, scenario, "--seed", SEED, "--samples", samples, *options)
    rows = spool.read_requests(samples, "by hand")
    (summary,) = spool.read_summaries(samples)
    names = Counter(rows["name"].to_pylist())
    assert {name: entry["num_requests"] for name, entry in said.items()} == names
    # A load that Locust stops may leave requests in flight, which the gateway has answered or has not.
    answered = rows.num_rows - rows["status"].null_count
    assert rows["status"].null_count <= (64 if "--run-time" in options else 0)
    assert summary.locust_count == rows.num_rows
    assert answered <= served(rig.gateway) - before <= rows.num_rows
    assert set(rows["status"].drop_null().to_pylist()) == {200}
    since = np.sort(rows["intended_ns"].to_numpy()) - summary.began_ns
    return SimpleNamespace(rows=rows, summary=summary, names=names, since_ns=since)


def arrivals(schedule: Schedule) -> list[int]:
    return np.concatenate(list(schedule.chunks())).tolist()


def shifted(loaded: SimpleNamespace) -> list[int]:
    """Give the intended instants from the first one on."""
    return (loaded.since_ns - loaded.since_ns[0]).tolist()


def from_first(due: list[int]) -> list[int]:
    return [instant - due[0] for instant in due]


def test_a_ramp_sends_what_its_rising_rate_says_after_a_warm_up_at_its_base(rig, tmp_path) -> None:
    loaded = load(rig, tmp_path, "ramp", "--rate", 100, "--to-rate", 700, "--warm-up", 0.5, "--duration", 1)
    assert shifted(loaded) == from_first(arrivals(VaryingPoisson((0, 0.5, 1.5), (100, 100, 700), SEED)))
    assert loaded.summary.measure_end_ns - loaded.summary.measure_start_ns == 1_000_000_000


def test_a_surge_sends_its_peak_where_its_shares_say(rig, tmp_path) -> None:
    shape = ("--lead", 0.25, "--rise", 0.125, "--hold", 0.25, "--fall", 0.125)
    loaded = load(rig, tmp_path, "surge", "--rate", 100, "--peak", 6, "--duration", 2, *shape)
    times = (0, 0, 0.5, 0.75, 1.25, 1.5, 2)
    assert shifted(loaded) == from_first(arrivals(VaryingPoisson(times, (100, 100, 100, 600, 600, 100, 100), SEED)))


def test_a_soak_ends_when_locust_says_so_and_keeps_what_it_sent(rig, tmp_path) -> None:
    loaded = load(rig, tmp_path, "soak", "--rate", 100, "--run-time", "2s")
    due = from_first(arrivals(Poisson(100, 60, SEED)))
    assert len(due) > len(shifted(loaded)) > 1
    assert shifted(loaded) == due[: len(shifted(loaded))]
    # Half an hour was planned, and was cut short.
    (beginning,) = spool.read_beginnings(tmp_path / "samples")
    assert beginning.measure_end_ns - beginning.measure_start_ns == 1_800_000_000_000
    assert loaded.summary.measure_end_ns == loaded.summary.ended_ns


def test_a_replay_keeps_the_gaps_of_a_cell_of_a_run_at_the_speed_that_is_asked_for(rig, tmp_path) -> None:
    path = tmp_path / "requests.parquet"
    instants = [1, 5_000_000, 505_000_000, 505_000_014, 1_705_000_000, 99_000_000_000]
    pq.write_table(pa.table({"cell_id": ["a", *"bbbbb"], "intended_ns": instants}), path)
    loaded = load(rig, tmp_path, "replay", "--trace", path, "--trace-cell", "b", "--speed", 2, "--duration", 2)
    assert shifted(loaded) == [0, 250_000_000, 250_000_007, 850_000_000]


def test_kinds_come_by_their_weights_and_tags_leave_some_out(rig, tmp_path) -> None:
    mix = ("--mix", "route=4,token=4,large=1", "--exclude-tags", "token", "--tokens", rig.tokens)
    loaded = load(rig, tmp_path, "steady", "--rate", 400, "--duration", 1, *mix)
    assert loaded.names.keys() == {"/route", "/route with large payload"}
    share = loaded.names["/route with large payload"] / loaded.rows.num_rows
    # A fifth of about 400: four standard deviations are 0.08.
    assert share == pytest.approx(0.2, abs=0.08)


def test_a_tag_chooses_one_kind_of_a_closed_loop(rig, tmp_path) -> None:
    loaded = load(
        rig, tmp_path, "saturate", "--duration", 0.3, "--connections", 4, "--tags", "token", "--tokens", rig.tokens
    )
    assert loaded.names.keys() == {"/route with token"}


@pytest.mark.parametrize(
    ("scenario", "options", "said"),
    [
        ("steady", ("--tags", "nothing"), "leave no kind of request of the mix route=269,token=90. Kinds: route, token, large"),
        ("journey", ("--host", ""), "is no address to load. Give --host"),
        ("journey", ("--http2",), "Users of a journey speak HTTP/1.1 alone. Leave --http2 out"),
        ("journey", ("Integration",), "Users of the kind Integration need bearer tokens"),
    ],
)  # fmt: skip
def test_what_a_scenario_cannot_do_is_a_sentence(rig, scenario, options, said) -> None:
    done = headless(rig.port, scenario, *options)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_journey_is_a_closed_loop_of_users_whose_requests_are_rows(rig, tmp_path) -> None:
    users = ("--users", 10, "--spawn-rate", 10, "--think", 0.01, "--tokens", rig.tokens)
    loaded = load(rig, tmp_path, "journey", *users, "--warm-up", 0.5, "--duration", 1.5)
    assert loaded.names.keys() == BROWSER | INTEGRATION
    rows, summary = loaded.rows, loaded.summary
    assert summary.measure_end_ns - summary.measure_start_ns == 1_500_000_000
    assert set(rows["connection"].to_pylist()) == set(range(10))
    assert set(rows["schedule_lag_ns"].to_pylist()) == {0}
    assert summary.connects == 10
    done = rows["intended_ns"].to_numpy() + rows["service_time_ns"].to_numpy()
    for user in range(10):
        own = rows["connection"].to_numpy() == user
        sent, answered = rows["intended_ns"].to_numpy()[own], done[own]
        # Nobody sends before their last answer; a wall clock of seconds resolves 0.24 µs.
        assert (sent[1:] >= answered[:-1] - 1_000).all()


def test_without_tokens_every_user_of_a_journey_is_a_browser_and_tags_choose_what_they_do(rig, tmp_path) -> None:
    users = ("--users", 5, "--spawn-rate", 5, "--think", 0, "--tags", "order")
    loaded = load(rig, tmp_path, "journey", *users, "--duration", 0.5)
    assert loaded.names.keys() == BROWSER - {
        "catalog.products.list", "catalog.products.read", "catalog.products.related",
    }  # fmt: skip


def test_what_a_journey_has_in_flight_when_it_is_stopped_is_a_row_without_an_answer(tmp_path) -> None:
    with serving(lambda number: OK if number < 3 else time.sleep(5) or OK) as server:
        done = headless(
            server.port, "journey", "--users", 3, "--spawn-rate", 3, "--think", 0, "--run-time", "2s",
            "--samples", tmp_path, "--exit-code-on-error", 0,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        sent = server.requests
    (summary,) = spool.read_summaries(tmp_path)
    outcomes = Counter(spool.read_requests(tmp_path, "by hand")["outcome"].to_pylist())
    assert outcomes == {"ok": 3, "unanswered": 3}
    assert summary.rows == summary.locust_count == sent == 6


def test_a_journey_over_two_workers_has_the_rows_of_both(rig, tmp_path) -> None:
    before = served(rig.gateway)
    options = ("--users", "6", "--spawn-rate", "6", "--think", "0.01", "--duration", "1", "--tokens", str(rig.tokens))
    order = Order(locustfile("journey"), f"http://127.0.0.1:{rig.port}", options, workers=2)
    with Generator(order, tmp_path) as generator:
        generator.wait(30)
        said = generator.account()
    rows = spool.read_requests(generator.samples, "two workers")
    assert said.lost == said.changes == ()
    assert rows.num_rows == said.rows == said.locust_count == served(rig.gateway) - before
    users = set(zip(rows["worker"].to_pylist(), rows["connection"].to_pylist(), strict=True))
    assert users == {(worker, user) for worker in (0, 1) for user in range(3)}
    assert set(rows["name"].to_pylist()) <= BROWSER | INTEGRATION


def test_the_web_ui_takes_the_options_of_a_scenario(rig, tmp_path) -> None:
    before = served(rig.gateway)
    with web_ui(rig.gateway, tmp_path / "ui.log", "--rate", 50, "--seed", SEED, scenario="surge") as address:
        once(address, lambda said: said["state"] == "ready")
        form = b"user_count=1&spawn_rate=1&duration=1&rate=100&peak=3&mix=large%3D1"
        assert asked(f"{address}/swarm", form)["success"]
        ended = once(address, lambda said: said["state"] == "stopped" and total(said)["num_requests"] > 0)
    times = (0, 0, 0.3, 0.35, 0.55, 0.6, 1)
    due = arrivals(VaryingPoisson(times, (100, 100, 100, 300, 300, 100, 100), SEED))
    assert total(ended)["num_requests"] == len(due)
    assert {entry["name"] for entry in ended["stats"]} == {"/route with large payload", "Aggregated"}
    assert_counted(rig.gateway, total(ended), before)


def of_step(ran: SimpleNamespace, step: spool.Step) -> np.ndarray:
    """Give which rows were intended within a step."""
    intended = ran.rows["intended_ns"].to_numpy()
    return (intended >= step.began_ns) & (intended < step.ended_ns)


def test_scalability_keeps_each_number_of_connections_busy_for_as_long(rig, tmp_path) -> None:
    ran = load(rig, tmp_path, "scalability", "--rungs", "1,2,4", "--connections", 4, "--duration", 0.9)
    assert sorted(step.connections for step in ran.summary.steps) == [1, 2, 4]
    for step in ran.summary.steps:
        assert (step.kind, step.ended_ns - step.began_ns) == ("closed", 300_000_000)
        rows = ran.rows.filter(pa.array(of_step(ran, step)))
        begins = np.sort(rows["intended_ns"].to_numpy() + rows["schedule_lag_ns"].to_numpy())
        ends = np.sort(rows["intended_ns"].to_numpy() + rows["service_time_ns"].to_numpy())
        # When the k-th request begins, k less those that have ended are on their way, itself included.
        in_flight = np.arange(1, len(begins) + 1) - np.searchsorted(ends, begins, side="right")
        assert in_flight.max() == step.connections
        assert len(set(rows["connection"].to_pylist())) == step.connections


def test_a_capacity_at_an_objective_is_searched_for_and_repeated(rig, tmp_path) -> None:
    options = ("--objective-ms", 75, "--step-s", 1.5, "--confirmations", 2, "--precision", 0.3, "--duration", 20)
    ran = load(rig, tmp_path, "capacity", "--connections", 64, *options)
    closed, *tried = ran.summary.steps
    assert (closed.kind, closed.connections, closed.rate_per_s) == ("closed", 64, None)
    assert [(step.kind, step.met, step.found) for step in tried[-2:]] == [
        ("confirm", True, False),
        ("confirm", True, True),
    ]
    assert tried[-1].rate_per_s == tried[-2].rate_per_s
    for step in tried:
        rows = ran.rows.filter(pa.array(of_step(ran, step)))
        response_ms = (rows["schedule_lag_ns"].to_numpy() + rows["service_time_ns"].to_numpy()) / 1e6
        assert step.quantile_ms == np.quantile(response_ms, 0.99, method="inverted_cdf")
        assert step.met == (step.quantile_ms <= 75)


def test_an_objective_that_nothing_meets_has_no_capacity(rig, tmp_path) -> None:
    options = ("--objective-ms", 0.000001, "--step-s", 0.1, "--duration", 3)
    tried = load(rig, tmp_path, "capacity", "--connections", 16, *options).summary.steps[1:]
    assert len(tried) > 3
    assert not any(step.met or step.found for step in tried)


def test_a_search_by_several_workers_is_refused_before_it_begins(tmp_path) -> None:
    suite = tmp_path / "searching.toml"
    suite.write_text(SUITE.split("[[load]]")[0] + SEARCH)
    done = bench(tmp_path / "runs", "run", str(suite), "--workers", "2")
    assert done.returncode == 1
    assert "Run it with one worker" in done.stderr
    assert not list((tmp_path / "runs").glob(".*/plan.json"))


SEARCH = """
[[load]]
scenario = "capacity"
options = { objective_ms = 15, step_s = 0.3, confirmations = 1, precision = 0.3 }
duration_s = 3
connections = 32
repetitions = 1

[[load]]
scenario = "steady"
rates_per_s = [200]
warm_up_s = 0.2
duration_s = 0.6
connections = 8
repetitions = 5
"""
NARROW = 'blind_pair = "go"\nwidth = 0.9\nleast_repetitions = 2\n'


def test_a_campaign_keeps_steps_and_blind_labels_and_stops_when_it_knows_enough(rig, tmp_path) -> None:
    suite = tmp_path / "searching.toml"
    suite.write_text(SUITE.split("[[load]]")[0] + NARROW + SEARCH)
    done = bench(tmp_path / "runs", "run", str(suite), "--name", "searching")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "searching"
    cells = pq.read_table(run / "cells.parquet").to_pylist()
    steps = pq.read_table(run / "steps.parquet").to_pylist()
    said = json.loads((run / "manifest.json").read_text())
    searched = [cell for cell in cells if cell["scenario"] == "capacity"]
    assert sorted(cell["blind_label"] for cell in searched) == ["a", "b"]
    for cell in searched:
        own = [step for step in steps if step["cell_id"] == cell["cell_id"]]
        assert [step["step"] for step in own] == list(range(len(own)))
        assert [step["kind"] for step in own[:2]] == ["closed", "search"]
        assert sum(step["found"] for step in own[:-1]) == 0, "it ends with what it found"
        assert all(step["good"] > 0 for step in own)
        assert json.loads(cell["options"])["quantile"] == 0.99
    steady = [cell for cell in cells if cell["scenario"] == "steady"]
    assert len(steady) + len(said["not_needed"]) == 10
    assert len(steady) >= 4
    if all(cell["gate_passed"] for cell in steady[:4]):
        assert len(steady) == 4
        assert "90.0% was asked for" in next(iter(said["not_needed"].values()))
    for cell in cells:
        assert cell["gateway_cpus_reported"] == cell["gateway_cpus"]
        assert cell["rows"] == cell["rows_answered"] + cell["rows_censored"] + cell["rows_failed"]
        assert cell["clock_slew_share"] is not None
        assert cell["suspended_ns"] is not None
        if cell["gateway_group_cpu_ns"] is not None:
            assert abs(cell["gateway_group_cpu_ns"] / cell["gateway_cpu_ns"] - 1) < 0.25


SUITE = """
name = "changing"
purpose = "indicative"
summary = "for tests"
seed = 11
variants = ["go"]
memory_budget_mib = 256
live_set_mib = 4

[[load]]
scenario = "surge"
rates_per_s = [100]
options = { peak = 4, mix = "route=3,token=1" }
duration_s = 1
connections = 16
repetitions = 1

[[load]]
scenario = "journey"
options = { think = 0.01 }
warm_up_s = 0.3
duration_s = 1
connections = 6
repetitions = 1
"""


def test_a_campaign_of_a_surge_and_a_journey_counts_the_same_three_times(rig, tmp_path) -> None:
    suite = tmp_path / "changing.toml"
    suite.write_text(SUITE)
    done: subprocess.CompletedProcess[str] = bench(tmp_path / "runs", "run", str(suite), "--name", "changing")
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "changing"
    cells = {cell["scenario"]: cell for cell in pq.read_table(run / "cells.parquet").to_pylist()}
    requests = pq.read_table(run / "requests.parquet").to_pylist()
    assert {name: cell["traffic_model"] for name, cell in cells.items()} == {"surge": "open", "journey": "closed"}
    for cell in cells.values():
        own = [request for request in requests if request["cell_id"] == cell["cell_id"]]
        assert len(own) == cell["rows"] == cell["rows_answered"] == cell["locust_count"] == cell["gateway_count"] > 0
        assert {request["status"] for request in own} == {200}
    names = {name: {r["name"] for r in requests if r["cell_id"] == cells[name]["cell_id"]} for name in cells}
    assert names["surge"] == {"/route", "/route with token"}
    assert names["journey"] <= BROWSER | INTEGRATION
    assert {r["connection"] for r in requests if r["cell_id"] == cells["journey"]["cell_id"]} == set(range(6))
