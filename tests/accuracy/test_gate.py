"""The gate trips: what the rig, and not the gateway, has limited is labelled so."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bench import paths, toolchains
from bench.control_group import ControlGroup, control_group
from bench.errors import FaultImpossible
from bench.evidence import load_columns
from bench.gateways import registry
from bench.load import spool
from bench.load.generator import Generator, Order
from bench.meters.machine import MachineSampler
from bench.meters.own_metrics import OwnMetrics
from bench.paths import ROOT
from bench.prove.known_server import KnownServer
from bench.rig import Rig, as_list
from bench.store import writer
from bench.store.schema import TABLES
from bench.suite import Cell
from tests.accuracy.campaigns import environment

SUITE = """
name = "throttled"
purpose = "indicative"
summary = "for tests"
seed = 3
variants = ["go"]
memory_budget_mib = 256
live_set_mib = 4

[[load]]
scenario = "steady"
rates_per_s = [1000]
duration_s = 1.5
connections = 8
repetitions = 2
"""
RIG = Rig.split(1)
compiled = pytest.mark.skipif(
    shutil.which("cc") is None, reason="the null server needs a C compiler: apt-get install gcc"
)


@pytest.fixture
def group() -> Iterator[ControlGroup]:
    """Give a control group of this machine."""
    with control_group() as made:
        try:
            made.limit_processors(None)
        except FaultImpossible as error:
            pytest.skip(str(error))
        yield made


def joined(group: ControlGroup, command: list[str]) -> list[str]:
    """Give a command that runs another one in a group."""
    joins = "".join(f"echo $$ > {file}; " for file in group.joins)
    return ["sh", "-c", f'{joins}exec "$@"', "sh", *command]


def test_a_cell_that_a_quota_holds_back_is_labelled_so_and_the_next_one_without_it_is_not(group, tmp_path) -> None:
    if lacking := toolchains.missing(registry.variant("go").needs):
        pytest.skip(" ".join(lacking))
    runs, suite = tmp_path / "runs", tmp_path / "throttled.toml"
    suite.write_text(SUITE)
    command = [sys.executable, "-m", "bench", "run", str(suite), "--name", "throttled"]
    with subprocess.Popen(
        joined(group, command), cwd=ROOT, env=environment(runs), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as running:  # fmt: skip
        _wait_for_rows(runs / ".throttled", running)
        group.limit_processors(0.1)
        time.sleep(1.0)
        group.limit_processors(None)
        said = running.communicate(timeout=120)[0].decode()
    assert running.returncode == 0, said
    held, free = writer.read("cells", runs / "throttled" / "cells.parquet").to_pylist()
    assert not held["gate_passed"]
    assert any(why.startswith("a control group's quota held the processes back for") for why in held["gate_reasons"])
    # A processor's tenth for a second: nine tenths of most periods of 100 ms it is held back, by what group or processor
    # the kernel counts; the half second before is free.
    assert held["throttled_ns"] > 0.1 * 1.5e9
    assert not any("quota" in why for why in free["gate_reasons"])
    assert free["throttled_ns"] == 0
    assert held["rows"] == held["locust_count"] == held["gateway_count"] == held["gateway_duration_count"]
    # A gateway has a request for a part of the time in which its client waits, held back or not.
    assert 0 < held["gateway_duration_share"] < 1
    assert 0 < free["gateway_duration_share"] < 1


def _wait_for_rows(campaign: Path, running: subprocess.Popen[bytes]) -> None:
    """Wait until the first load has written rows."""
    while running.poll() is None:
        # The folder comes with the cell.
        with suppress(OSError):
            if any(path.stat().st_size for path in campaign.glob("work/samples/*.rows")):
                return
        time.sleep(0.02)
    raise AssertionError(running.communicate()[0].decode())


def judged(folder: Path, user: str, cell: Cell, *options: object, ceiling_per_s: float | None = None) -> dict:
    """Load the null server, as the gateway of a cell; give the cell's columns, those of the gate among them."""
    folder.mkdir()
    with KnownServer(cpus=RIG.gateway_cpus) as server:
        pid = next(child.pid for child in psutil.Process().children() if f"{server.port}" in child.cmdline())
        told = ("--connections", cell.connections, "--target-pid", pid, *options)
        order = Order(paths.SCENARIOS / "_known_server.py", server.host, tuple(map(str, told)), user)
        with MachineSampler() as machine, Generator(order, folder, RIG.generator_cpus) as generator:
            generator.wait(60)
        account = OwnMetrics(counted=server.end(), timed=None, duration_ns=None)
    tables = {
        "requests": spool.read_requests(generator.samples, cell.cell_id),
        "machine": machine.table(),
        "pauses": TABLES["pauses"].schema.empty_table(),
        "steps": TABLES["steps"].schema.empty_table(),
    }
    common = {
        "traffic_model": cell.traffic_model,
        "options": "{}",
        "gateway_cpus": as_list(RIG.gateway_cpus),
        "gateway_cpus_reported": as_list(RIG.gateway_cpus),
        "generator_cpus": as_list(RIG.generator_cpus),
        "workers": 1,
        "residue_lines": 0,
        "hiccup_wakes": None,
        "control_wakes": None,
    }
    return load_columns(cell, common, tables, generator, account, ceiling_per_s)


def cell(scenario: str, connections: int) -> Cell:
    return Cell(scenario, 0, 0, "go", scenario, 0, 1, connections=connections)


@compiled
def test_a_closed_loop_with_more_connections_than_the_engine_can_serve_is_labelled_not_saturated(tmp_path) -> None:
    said = judged(tmp_path / "many", "Saturation", cell("saturate", 3_000), "--warm-up", 0.5, "--duration", 1)
    assert said["rows"] == said["locust_count"] == said["gateway_count"] > 3_000
    assert not said["gate_passed"]
    assert any(why.endswith("of its processors: it was not saturated") for why in said["gate_reasons"])


@compiled
def test_a_load_beyond_what_the_engine_can_do_ends_by_itself_with_every_row_and_is_labelled_so(tmp_path) -> None:
    most = judged(tmp_path / "most", "Saturation", cell("saturate", 64), "--duration", 0.5)
    ceiling_per_s = most["rows"] / 0.5
    # An arrival every 2.5 µs: beyond any engine, even if what its ceiling was told by was busy with something else.
    rate = max(3 * ceiling_per_s, 400_000)
    said = judged(
        tmp_path / "beyond", "PoissonArrivals", cell("steady", 64), "--rate", rate, "--duration", 0.25,
        ceiling_per_s=ceiling_per_s,
    )  # fmt: skip
    assert said["rows"] == said["rows_answered"] == said["locust_count"] == said["gateway_count"]
    # Poisson: six standard deviations.
    assert said["rows"] == pytest.approx(rate * 0.25, abs=6 * (rate * 0.25) ** 0.5)
    assert not said["gate_passed"]
    reasons = " ".join(said["gate_reasons"])
    assert "of what the generator can do at all" in reasons
    # It knows so of itself as well: all of its processor went into the load, or somebody else had it.
    assert "of its processor" in reasons or "for its processor" in reasons
