"""A master, two workers and a gateway on four machines of one network, which are network namespaces of this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from bench import children, toolchains
from bench.gateways import registry
from bench.gateways.build import build
from bench.load import spool
from bench.load.schedule import Poisson
from bench.paths import ROOT
from bench.store import writer
from tests.accuracy.network import Machine, network, unavailable

PORT = 5_557
GATEWAY_PORT = 8_080
WITHIN_S = 90
RATE, CONNECTIONS, SEED = 300, 8, 3
AHEAD_S = 5_000
"""How far the clock of the second worker is ahead of all others."""

GATEWAY = f"""
import sys
from pathlib import Path
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings

address, folder = sys.argv[1:]
settings = Settings(port={GATEWAY_PORT}, folder=Path(folder), meters=False, live_set_mib=1, env={{"GATEWAY_HOST": address}})
with GatewayProcess(registry.variant("go"), settings) as gateway:
    gateway.host = address
    gateway.wait_ready()
    print("ready", flush=True)
    for line in sys.stdin:
        said = gateway.get("/metrics")[1].decode().splitlines()
        counts = [x for x in said if x.startswith("http_server_requests_total{{") and 'endpoint="/route"' in x]
        print(sum(int(float(x.rsplit(" ", 1)[1])) for x in counts), flush=True)
"""


@dataclass(frozen=True)
class Gateway:
    """The gateway on its machine."""

    machine: Machine
    process: subprocess.Popen[str]

    def served(self) -> int:
        """Give how many requests to /route it has counted."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@dataclass(frozen=True)
class Load:
    """What one load left."""

    account: dict[str, object]
    requests: pa.Table
    workers: list[dict[str, object]]


@dataclass(frozen=True)
class Rig:
    """The machines, with a running gateway and two workers that wait for a master."""

    master: Machine
    gateway: Gateway
    workers: dict[str, Machine]
    """By address."""
    processes: dict[str, subprocess.Popen[bytes]]
    """The waiting workers, by address."""
    folder: Path

    def spool(self, address: str) -> Path:
        """Give where a worker keeps its rows."""
        return self.folder / f"spool-{address}"

    def load(self, name: str, *options: object, meanwhile: Callable[[], None] = lambda: None) -> Load:
        """Run one load and give what is known of it."""
        brought = self.folder / f"brought-{name}"
        command = ["-m", "bench.load.lead", "--host", f"http://{self.gateway.machine.address}:{GATEWAY_PORT}"]
        command += ["--workers", "2", "--at", f"{self.master.address}:{PORT}", "--samples", brought.as_uri()]
        common = ("--rate", RATE, "--connections", CONNECTIONS, "--seed", SEED, "--loglevel", "WARNING", *options)
        asked = subprocess.Popen(
            [*self.master.inside, sys.executable, *command, "--name", name, "--", *map(str, common)], cwd=ROOT,
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            meanwhile()
            out, err = asked.communicate(timeout=WITHIN_S)
        finally:
            asked.kill()
        assert asked.returncode == 0, err
        (place,) = brought.iterdir()
        said = json.loads((place / "account.json").read_text())
        assert said == json.loads(out)
        tables = [writer.read(table, place / f"{table}.parquet") for table in ("requests", "workers")]
        return Load(said, tables[0], tables[1].to_pylist())


@contextmanager
def gateway_on(machine: Machine, folder: Path) -> Iterator[Gateway]:
    process = subprocess.Popen(
        [*machine.inside, sys.executable, "-c", GATEWAY, machine.address, str(folder)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "ready\n"
        yield Gateway(machine, process)
    finally:
        process.stdin.close()
        process.wait()


@contextmanager
def worker_on(inside: list[str], master: Machine, own: Path) -> Iterator[subprocess.Popen[bytes]]:
    own.mkdir()
    command = [sys.executable, "-m", "bench.load.worker", "--master-host", master.address, "--master-port", PORT]
    with (own / "worker.log").open("wb") as log:
        process = children.spawn(
            [*inside, *map(str, command)], cwd=ROOT, env=os.environ | {"BENCH_SPOOL": str(own)},
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield process
    finally:
        children.stop(process, 20)


@pytest.fixture(scope="module")
def rig(tmp_path_factory) -> Iterator[Rig]:
    if why := unavailable():
        pytest.skip(why)
    variant = registry.variant("go")
    if lacking := toolchains.missing(variant.needs):
        pytest.skip(" ".join(lacking))
    build(variant.gateway)
    folder = tmp_path_factory.mktemp("distributed")
    with ExitStack() as running:
        master, gateway, *workers = running.enter_context(network(("master", "gateway", "one", "two")))
        served_by = running.enter_context(gateway_on(gateway, folder))
        one, two = workers
        inside = {one.address: one.inside, two.address: two.with_clock_ahead(AHEAD_S)}
        processes = {
            address: running.enter_context(worker_on(where, master, folder / f"spool-{address}"))
            for address, where in inside.items()
        }
        yield Rig(master, served_by, {machine.address: machine for machine in workers}, processes, folder)


def rows_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.rows")) // 40


def test_workers_on_other_machines_send_what_the_gateway_counts_and_bring_every_row(rig) -> None:
    load = rig.load("whole", "--duration", 1)
    said = load.account
    assert (said["reasons"], said["valid"]) == ([], True)
    assert {worker["host"] for worker in load.workers} == set(rig.workers)
    assert said["rows"] == said["locust_count"] == said["summed_count"] == rig.gateway.served()
    same, ahead = sorted(load.workers, key=lambda worker: worker["host"])
    assert same["began_ns"] == ahead["began_ns"]
    assert (same["clock_offset_ns"], same["clock_error_ns"]) == (0, 0)
    assert ahead["clock_error_ns"] > 0
    assert abs(ahead["clock_offset_ns"] + AHEAD_S * 1_000_000_000) <= ahead["clock_error_ns"]
    # On the master's clock, the arrivals of both are those of one schedule.
    parts = [np.concatenate(list(Poisson(RATE, 1, SEED).share(index, 2).chunks())) for index in range(2)]
    due = np.sort(np.concatenate(parts)) + same["began_ns"]
    assert load.requests["intended_ns"].to_pylist() == due.tolist()


def test_a_worker_whose_network_is_cut_makes_the_load_invalid_and_nothing_is_lost_silently(rig) -> None:
    cut = min(rig.workers)
    own = rig.spool(cut)
    before, kept_before = rig.gateway.served(), rows_in(own)

    def cut_off() -> None:
        deadline = time.monotonic() + WITHIN_S
        while rows_in(own) < kept_before + 50 and time.monotonic() < deadline:
            time.sleep(0.02)
        rig.workers[cut].cut_off()

    load = rig.load("cut", "--duration", 3, "--request-timeout", 60, "--patience", 1, meanwhile=cut_off)
    said = load.account
    assert not said["valid"]
    (lost,) = said["lost"]
    survivor = 1 - lost
    assert said["absent"] == [lost]
    loss, missing, given_up = said["reasons"]
    assert loss.startswith(f"worker {lost} never brought its rows: its share of the load is missing")
    assert missing.startswith(f"worker {lost} went missing: no heartbeat came from it")
    assert given_up.startswith(f"worker {lost} was missing for 1 s and was given up")
    # The other one brought everything, and everything that it sent was answered.
    (worker,) = load.workers
    assert (worker["worker"], worker["finished"]) == (survivor, True)
    assert set(load.requests["worker"].to_pylist()) == {survivor}
    assert load.requests.num_rows == worker["locust_count"] == said["rows"]
    # What the one cut off sent is in the folder of its own machine, to the last request once it is told to end.
    rig.processes[cut].send_signal(signal.SIGTERM)
    rig.processes[cut].wait(WITHIN_S)
    newest = max((path.parent for path in own.glob("*/*.begin.json")), key=lambda folder: folder.stat().st_mtime)
    (summary,) = spool.read_summaries(newest)
    assert summary.worker == lost
    assert summary.rows == spool.whole_rows(newest, lost) == rows_in(own) - kept_before
    table = spool.read_requests(newest, "c")
    answered = table["status"].is_valid().to_pylist().count(True)
    served = rig.gateway.served() - before
    in_flight = table["outcome"].to_pylist().count("unanswered")
    assert 0 < in_flight <= CONNECTIONS // 2
    assert said["rows"] + answered <= served <= said["rows"] + answered + in_flight
