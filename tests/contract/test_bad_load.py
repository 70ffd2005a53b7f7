"""Loads that cannot be: each ends by itself, with a sentence that says why, and what there is of it is kept."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bench import campaign, toolchains, volume
from bench.errors import LoadFailed
from bench.gateways import registry
from bench.load import due, engine
from bench.load.generator import Generator, Order
from bench.load.rows import FIELDS, Outcome
from bench.load.schedule import Constant
from bench.paths import ROOT, SCENARIOS
from bench.store import writer
from tests.accuracy.campaigns import start
from tests.unit.scripted_server import OK, serving
from tests.unit.test_load_engine import LIMITS, Load, load

SUITE = """
name = "failing"
purpose = "indicative"
summary = "for tests"
seed = 3
variants = ["go"]
memory_budget_mib = 256
live_set_mib = 4

[[load]]
scenario = "steady"
rates_per_s = [210]
duration_s = 20
connections = 8
repetitions = 1

[[load]]
scenario = "steady"
rates_per_s = [300]
duration_s = 0.5
connections = 8
repetitions = 1

[[load]]
scenario = "replay"
options = { trace = "empty.csv" }
duration_s = 0.5
connections = 8
repetitions = 1
"""

Behaviour = Callable[[socket.socket], None]
"""What a server does with a connection that it has taken."""


def resets(connection: socket.socket) -> None:
    # To linger for no time is to send RST.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answers(said: bytes) -> Behaviour:
    """Give a server that answers every request with these bytes, and does not close."""

    def act(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(said)

    return act


@contextmanager
def behaving(act: Behaviour) -> Iterator[int]:
    """Run a server that behaves so; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        def serve(connection: socket.socket) -> None:
            with suppress(OSError):
                act(connection)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def fifty(port: int) -> Load:
    """Send fifty requests in half a second."""
    limits = replace(LIMITS, connections=64, timeout_s=0.2)
    return load(port, lambda engine: engine.run_open(Constant(100, 0.5)), limits=limits)


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        pytest.param(answers(b"\0\1garbage\r\n\r\n"), Outcome.INVALID, id="garbage"),
        pytest.param(answers(OK[:-1]), Outcome.TIMEOUT, id="half an answer"),
        pytest.param(answers(b""), Outcome.TIMEOUT, id="nothing"),
    ],
)
def test_every_request_to_a_server_that_answers_wrongly_is_a_row_that_says_so(act, outcome) -> None:
    with behaving(act) as port:
        said = fifty(port)
    assert said.count(outcome) == len(said.intended) == 50


def test_every_request_to_a_server_that_resets_at_once_is_a_row_that_says_so() -> None:
    with behaving(resets) as port:
        said = fifty(port)
    # By when the reset arrives it is one of a connection that stood, or of one that did not come about.
    assert said.count(Outcome.RESET) + said.count(Outcome.REFUSED) == len(said.intended) == 50


def test_a_server_whose_reset_outruns_the_handshake_is_loaded_all_the_same(monkeypatch) -> None:
    """On two processors the reset may be there before `connect` returns; only a port without a listener refuses."""
    connect, open_connection = socket.socket.connect, engine.Connection.open
    outrun: list[str] = []

    def reset_while_connecting(plain: socket.socket, address: tuple[str, int]) -> None:
        connect(plain, address)
        outrun.append("probe")
        raise ConnectionResetError(errno.ECONNRESET, "reset")

    def reset_at_first(connection: engine.Connection, *where) -> None:
        open_connection(connection, *where)
        if outrun.count("connection") < 64:
            outrun.append("connection")
            connection.close()
            raise ConnectionResetError(errno.ECONNRESET, "reset")

    monkeypatch.setattr(socket.socket, "connect", reset_while_connecting)
    monkeypatch.setattr(engine.Connection, "open", reset_at_first)
    with serving(lambda _: OK) as server:
        said = fifty(server.port)
    assert said.count(Outcome.OK) == len(said.intended) == 50
    assert outrun == ["probe", *["connection"] * 64]


def test_a_connection_that_was_answered_before_it_had_sent_everything_carries_no_other_request() -> None:
    """What is left of the first request would stand in the midst of the second."""
    large = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000
    heads: list[bytes] = []

    def act(connection: socket.socket) -> None:
        heads.append(connection.recv(64))
        connection.sendall(OK)
        # It goes on to read, slowly, as a server does that throws a body away.
        while connection.recv(65_536):
            time.sleep(0.005)

    with behaving(act) as port:
        said = load(
            port, lambda engine: engine.run_open(Constant(20, 0.3)), requests=(large,),
            limits=replace(LIMITS, connections=1),
        )  # fmt: skip
    assert said.count(Outcome.OK) == said.connects == 6
    assert {head[:4] for head in heads if head} == {b"POST"}


def test_a_load_whose_requests_wait_without_end_is_ended_with_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr(due, "_MOST_WAITING", 20_000)
    with (
        serving(lambda _: OK) as server,
        pytest.raises(LoadFailed, match=r"requests were due and found no connection free.*Give a lower --rate"),
    ):
        load(server.port, lambda engine: engine.run_open(Constant(1_000_000, 60)))
    assert server.requests > 0


def by_hand(host: str, *options: object, files: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the steady scenario as a user does; with `files`, in a shell that allows no more of them."""
    command = [sys.executable, "-m", "locust", "-f", SCENARIOS / "steady.py", "--headless", "--host", host, *options]
    limit = ["sh", "-c", f'ulimit -n {files} && exec "$@"', "sh"] if files else []
    return subprocess.run(
        [*limit, *(str(part) for part in command)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def assert_said(done: subprocess.CompletedProcess[str], *said: str) -> None:
    assert done.returncode == 1
    for part in said:
        assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_that_does_not_resolve_is_a_sentence_by_hand() -> None:
    done = by_hand("http://no-such-host.invalid")
    assert_said(done, "The host 'no-such-host.invalid' does not resolve", "Check --host.")


def test_a_rate_that_nothing_can_offer_is_a_sentence_by_hand() -> None:
    done = by_hand("http://127.0.0.1:9", "--rate", 1e12, "--duration", 1)
    assert_said(done, "A rate of 1e+12 requests/s is beyond every load generator. Give at most 1e+07.")


def test_more_connections_than_the_shell_allows_files_is_a_sentence_by_hand() -> None:
    done = by_hand("http://127.0.0.1:9", "--connections", 5_000, files=3_000)
    assert_said(done, "5000 connections need 5256 open files, and this process may have 3000", "ulimit -n 5256")


def test_a_load_without_a_single_arrival_is_a_sentence_by_hand() -> None:
    with serving(lambda _: OK) as server:
        done = by_hand(f"http://127.0.0.1:{server.port}", "--rate", 0.001, "--duration", 0.1)
    assert_said(done, "A load of 0.001 requests/s ended without a single arrival", "--duration")
    assert server.requests == 0


def test_a_server_that_says_nothing_is_a_sentence_by_hand() -> None:
    with behaving(answers(b"")) as port:
        done = by_hand(f"http://127.0.0.1:{port}", "--rate", 100, "--duration", 0.5, "--request-timeout", 0.2)
    assert_said(done, "requests was answered", "timeout", "Check that --host")


def test_a_locustfile_that_is_no_python_fails_the_load_with_what_locust_said(tmp_path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def broken(:\n")
    with (
        Generator(Order(broken, "http://127.0.0.1:9"), tmp_path) as generator,
        pytest.raises(LoadFailed, match=r"(?s)The load generator failed \(exit 1\).*broken\.py.*SyntaxError"),
    ):
        generator.wait(30)


def gateway_of(runs: Path) -> int | None:
    """Give the process id of the gateway that a campaign has started, not of its control; None while there is none."""
    binary = registry.variant("go").gateway.out
    mark = f"BENCH_RUNS={runs}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (process / "environ").read_bytes().split(b"\0")
            started_here = mark in environment and b"GATEWAY_CONTROL=1" not in environment
            if started_here and (process / "exe").resolve().is_relative_to(binary.resolve()):
                return int(process.name)
    return None


def wait_for_rows(runs: Path, rows: int) -> None:
    """Wait until the load of a cell has written so many rows."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # The folder goes when a cell has ended.
        with suppress(OSError):
            written = sum(path.stat().st_size for path in runs.glob(".failing/work/samples/*.rows"))
            if written >= rows * FIELDS * 8:
                return
        time.sleep(0.05)
    raise AssertionError("the cell never got there")


def test_cells_that_fail_are_published_with_their_reason_and_the_others_are_measured(tmp_path) -> None:
    if lacking := toolchains.missing(registry.variant("go").needs):
        pytest.skip(" ".join(lacking))
    runs = tmp_path / "runs"
    suite = tmp_path / "failing.toml"
    suite.write_text(SUITE)
    (tmp_path / "empty.csv").touch()
    with start(runs, "run", str(suite), "--name", "failing") as running:
        # The cell of twenty seconds is the only one that ever has so many.
        wait_for_rows(runs, 250)
        os.kill(gateway_of(runs), signal.SIGKILL)
        said = running.communicate(timeout=120)[1].decode()
    assert running.returncode == 1, said
    assert "Traceback" not in said
    assert "2 of 3 cells could not be measured" in " ".join(said.split())
    cells = writer.read("cells", runs / "failing" / "cells.parquet").to_pylist()
    by_rate = {(cell["scenario"], cell["rate_per_s"]): cell for cell in cells}
    killed, whole, empty = (by_rate[key] for key in (("steady", 210), ("steady", 300), ("replay", None)))
    assert "ended under load with exit code -9" in killed["failure"]
    assert "The trace" in empty["failure"]
    assert "is empty. Give another --trace." in empty["failure"]
    assert whole["failure"] is None
    assert whole["rows"] == whole["gateway_count"] == whole["locust_count"] > 0
    assert {cell["gate_passed"] for cell in (killed, empty)} == {False}
    assert killed["gate_reasons"] == [killed["failure"]]
    assert campaign.failures(runs / "failing").keys() == {killed["cell_id"], empty["cell_id"]}


def test_a_cell_whose_logs_and_records_fill_the_disk_is_ended_and_says_so(tmp_path) -> None:
    if lacking := toolchains.missing(registry.variant("go").needs):
        pytest.skip(" ".join(lacking))
    runs = tmp_path / "runs"
    suite = tmp_path / "failing.toml"
    # Only the cell of twenty seconds.
    suite.write_text("[[load]]".join(SUITE.split("[[load]]")[:2]))
    with start(runs, "run", str(suite), "--name", "failing") as running:
        wait_for_rows(runs, 250)
        with (runs / ".failing" / "work" / "gateway.log").open("ab") as log:
            log.truncate(volume.MOST_BYTES)
        said = running.communicate(timeout=120)[1].decode()
    assert running.returncode == 1, said
    (cell,) = writer.read("cells", runs / "failing" / "cells.parquet").to_pylist()
    assert f"took more than {volume.MOST_BYTES >> 20} MiB within" in cell["failure"]
    assert "Shorten warm_up_s or duration_s" in cell["failure"]
    assert cell["gate_reasons"] == [cell["failure"]]
