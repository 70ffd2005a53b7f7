"""One machine, Locust's own master and workers, and a server that counts: nothing is lost, or its loss is said."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench import paths
from bench.errors import LoadFailed
from bench.load import spool
from bench.load.account import CHANGES_FILE
from bench.load.generator import Generator, Order
from bench.load.rows import Outcome
from bench.load.schedule import Poisson
from bench.store import manifest, writer
from tests.accuracy import campaigns
from tests.unit.scripted_server import OK, ScriptedServer, serving

WITHIN_S = 60
CONNECTIONS = 7
RATE, SEED = 400, 5


def order(server: ScriptedServer, workers: int, *options: object, user: str = "PoissonArrivals") -> Order:
    common = ("--rate", RATE, "--connections", CONNECTIONS, "--seed", SEED, "--loglevel", "WARNING")
    return Order(
        locustfile=paths.SCENARIOS / "_known_server.py",
        host=f"http://127.0.0.1:{server.port}",
        options=tuple(map(str, (*common, *options))),
        user=user,
        workers=workers,
    )


def once(server: ScriptedServer, requests: int, act: Callable[[], None]) -> Callable[[], None]:
    """Give a watch that acts once the server has had so many requests."""
    left = [act]

    def watch() -> None:
        if left and server.requests >= requests:
            left.pop()()

    return watch


def count(table, outcome: Outcome) -> int:
    return table["outcome"].to_pylist().count(outcome.name.lower())


def test_two_workers_send_the_arrivals_of_one_schedule_and_a_slow_end_loses_none(tmp_path) -> None:
    quitting_s = 60
    with serving(lambda _: OK) as server:
        asked = order(server, 2, "--duration", 1, "--quitting-takes", quitting_s)
        with Generator(asked, tmp_path) as generator:
            began = time.monotonic()
            generator.wait(WITHIN_S)
            assert time.monotonic() - began < quitting_s, "it waited for Locust to exit and not for the rows"
            account = generator.account()
        table = spool.read_requests(generator.samples, "c")
        first, second = spool.read_summaries(generator.samples)
    assert first.began_ns == second.began_ns
    parts = [np.concatenate(list(Poisson(RATE, 1, SEED).share(index, 2).chunks())) for index in range(2)]
    due = np.sort(np.concatenate(parts)) + first.began_ns
    assert table["intended_ns"].to_pylist() == due.tolist()
    assert account.rows == account.locust_count == account.summed_count == server.requests == len(due)
    assert (account.expected, account.finished, account.lost, account.reasons) == (2, 2, (), ())
    # Divided as evenly as they can be; each worker first tries the server on one more.
    assert sorted((first.connects, second.connects)) == [3, 4]
    assert server.connections == CONNECTIONS + 2


@pytest.mark.timeout(120)
def test_a_campaign_with_two_workers_counts_what_the_gateway_counts_and_says_who_drove_it(tmp_path) -> None:
    runs = tmp_path / "runs"
    campaigns.keep_ceiling(runs, workers=2)
    suite = campaigns.write_suite(tmp_path, "go")
    head, _, saturated = suite.read_text().split("[[load]]")
    suite.write_text(f"{head}[[load]]{saturated}")
    done = campaigns.bench(runs, "run", str(suite), "--workers", "2")
    assert done.returncode == 0, done.stderr
    run = Path(done.stdout.strip())
    said = manifest.read(run)
    assert (said.generator_workers, said.workers_at) == (2, None)
    table = {name: writer.read(name, run / f"{name}.parquet") for name in ("cells", "workers", "requests")}
    requests = table["requests"].to_pandas()
    (cell,), drove = table["cells"].to_pylist(), table["workers"].to_pylist()
    assert (cell["generator_workers"], cell["workers_lost"]) == (2, 0)
    assert cell["rows"] == len(requests) == cell["locust_count"] == cell["gateway_count"] > 0
    assert [row["worker"] for row in drove] == [0, 1]
    assert sum(row["rows"] for row in drove) == cell["rows"]
    assert all(row["finished"] and row["rows"] == row["locust_count"] for row in drove)
    assert drove[0]["began_ns"] == drove[1]["began_ns"]
    # A closed loop keeps all its connections busy, and they are divided.
    assert cell["connections"] == 8
    assert requests.groupby("worker", observed=True).connection.nunique().tolist() == [4, 4]


def test_more_workers_than_connections_are_refused_before_the_first_cell(tmp_path) -> None:
    done = campaigns.bench(tmp_path / "runs", "run", str(campaigns.write_suite(tmp_path, "go")), "--workers", "9")
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "has 8 connections, too few for 9 workers. Give fewer --workers, or more connections" in said
    assert campaigns.published(tmp_path / "runs") == []


def test_the_rows_of_a_killed_worker_are_kept_and_its_loss_is_said(tmp_path) -> None:
    killed = []

    with (
        serving(lambda _: OK) as server,
        Generator(order(server, 2, "--duration", 2.5), tmp_path) as generator,
    ):

        def kill() -> None:
            beginnings = {said.pid: said.worker for said in spool.read_beginnings(generator.samples)}
            killed.append(beginnings[generator.pids[0]])
            os.kill(generator.pids[0], signal.SIGKILL)

        generator.wait(WITHIN_S, once(server, RATE, kill))
        account = generator.account()
        with (generator.samples / f"{killed[0]}.rows").open("ab") as torn:
            torn.write(b"\1" * 17)
        table = spool.read_requests(generator.samples, "c")
    assert account.lost == tuple(killed)
    assert account.finished == 1
    assert account.absent == ()
    loss, change = account.reasons
    assert loss.startswith(f"worker {killed[0]} ended without its summary: up to half a second of its rows")
    assert change.startswith(f"worker {killed[0]} ended before it had finished (")
    by_worker = np.bincount(table["worker"].to_numpy(), minlength=2)
    assert by_worker.sum() == account.rows == table.num_rows
    # The other one sent its whole share.
    survivor = 1 - killed[0]
    assert by_worker[survivor] == sum(map(len, Poisson(RATE, 2.5, SEED).share(survivor, 2).chunks()))
    # Rows are written every quarter of a second; a busy machine may make that two.
    assert 0 < by_worker[killed[0]] <= server.requests - by_worker[survivor]
    missing = server.requests - table.num_rows
    assert 0 <= missing <= 0.5 * RATE / 2 + 6 * (0.5 * RATE / 2) ** 0.5 + CONNECTIONS


def test_a_load_all_of_whose_workers_are_killed_has_failed(tmp_path) -> None:
    with (
        serving(lambda _: OK) as server,
        Generator(order(server, 1, "--duration", 30), tmp_path) as generator,
    ):
        with pytest.raises(LoadFailed, match="The load generator failed"):
            generator.wait(WITHIN_S, once(server, 50, lambda: os.kill(generator.pids[0], signal.SIGKILL)))
        account = generator.account()
        with pytest.raises(LoadFailed, match="left no summary"):
            spool.read_requests(generator.samples, "c")
    assert account.lost == (0,)
    assert account.locust_count is None


@pytest.mark.parametrize(
    ("workers", "options", "number"),
    [
        pytest.param(2, (), signal.SIGTERM, id="SIGTERM to the master"),
        pytest.param(1, (), signal.SIGINT, id="SIGINT to the only one"),
        pytest.param(1, ("--run-time", "5s"), None, id="the run time is over"),
    ],
)
def test_a_load_cut_short_keeps_every_request_and_says_what_was_in_flight(tmp_path, workers, options, number) -> None:
    # From the hundredth request on, nothing is answered any more until the load is over.
    with (
        serving(lambda n: OK if n < 100 else time.sleep(20)) as server,
        Generator(order(server, workers, "--request-timeout", 30, *options), tmp_path) as generator,
    ):
        stop = (lambda: os.kill(generator.main_pid, number)) if number else lambda: None
        generator.wait(WITHIN_S, once(server, 100 + CONNECTIONS, stop))
        account = generator.account()
        table = spool.read_requests(generator.samples, "c")
    assert account.reasons == ()
    assert account.rows == account.locust_count == account.summed_count == table.num_rows
    assert count(table, Outcome.OK) == 100
    assert count(table, Outcome.UNANSWERED) == CONNECTIONS
    assert server.requests == 100 + CONNECTIONS
    assert count(table, Outcome.UNSENT) == table.num_rows - server.requests


def test_a_worker_frozen_until_it_is_missed_loses_no_row_and_its_absence_is_written_down(tmp_path) -> None:
    with (
        serving(lambda _: OK) as server,
        Generator(order(server, 2, "--duration", 2), tmp_path) as generator,
    ):
        frozen = generator.pids[0]
        changes = generator.samples / CHANGES_FILE
        thawed = []

        def watch() -> None:
            freeze()
            if not thawed and changes.is_file() and "went missing" in changes.read_text():
                os.kill(frozen, signal.SIGCONT)
                thawed.append(time.monotonic_ns())

        freeze = once(server, RATE // 2, lambda: os.kill(frozen, signal.SIGSTOP))
        generator.wait(WITHIN_S, watch)
        account = generator.account()
        table = spool.read_requests(generator.samples, "c")
        number = next(said.worker for said in spool.read_summaries(generator.samples) if said.pid == frozen)
    assert account.lost == ()
    due = sum(len(chunk) for index in range(2) for chunk in Poisson(RATE, 2, SEED).share(index, 2).chunks())
    assert account.rows == account.locust_count == server.requests == due
    gone, back = account.changes
    assert gone.startswith(f"worker {number} went missing: no heartbeat came from it (")
    assert back.startswith(f"worker {number} came back (")
    assert account.reasons == account.changes
    own = table.filter(np.asarray(table["worker"].to_numpy() == number))
    sent = own["intended_ns"].to_numpy() + own["schedule_lag_ns"].to_numpy()
    late = sent > thawed[0]
    assert late.any()
    assert own["schedule_lag_ns"].to_numpy()[late].max() > 1e9
