"""The load engine against servers that do exactly what they are told."""

from __future__ import annotations

import socket
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bench.errors import LoadFailed
from bench.load.answers import Taken
from bench.load.engine import Engine
from bench.load.limits import Limits
from bench.load.rows import FIELDS, Outcome, unpack
from bench.load.schedule import Constant, Poisson
from tests.unit.scripted_server import OK, ScriptedServer, serving

REQUEST = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}"
LIMITS = Limits(connections=8, timeout_s=0.5)


@dataclass(frozen=True)
class Load:
    """What an engine wrote down."""

    intended: np.ndarray
    sent: np.ndarray
    done: np.ndarray
    status: np.ndarray
    outcome: np.ndarray
    queued: np.ndarray
    request: np.ndarray
    received: np.ndarray
    connects: int
    began_ns: int

    def count(self, outcome: Outcome) -> int:
        return int((self.outcome == outcome).sum())


def load(
    port: int,
    drive: Callable[[Engine], None],
    *,
    limits: Limits = LIMITS,
    requests: tuple[bytes, ...] = (REQUEST,),
    give_way: Callable[[Engine], None] = lambda engine: None,
    **spoken: object,
) -> Load:
    """Run a load against a server here; `spoken` says how the engine talks to it, TLS for instance."""
    rows = array("q")
    engine = Engine(
        "127.0.0.1", port, requests, range(len(requests)), limits=limits, flush=rows.extend,
        give_way=lambda: give_way(engine), **spoken,
    )  # fmt: skip
    try:
        engine.open()
        drive(engine)
    finally:
        engine.close()
    intended, sent, done, packed, received = np.array(rows, np.int64).reshape(-1, FIELDS).T
    status, outcome, queued, _, request = unpack(packed)
    return Load(intended, sent, done, status, outcome, queued, request, received, engine.connects, engine.began_ns)


def follow(rate: float, seconds: float) -> Callable[[Engine], None]:
    return lambda engine: engine.run_open(Poisson(rate, seconds, seed=3))


def test_every_arrival_of_the_schedule_becomes_a_row_that_the_server_counted_too():
    with serving(lambda _: OK) as server:
        said = load(server.port, follow(2_000, 0.5))
    arrivals = np.concatenate(list(Poisson(2_000, 0.5, seed=3).chunks()))
    assert sorted(said.intended - said.began_ns) == arrivals.tolist()
    assert said.count(Outcome.OK) == server.requests == len(arrivals)
    assert (said.sent >= said.intended).all()
    assert (said.done > said.sent).all()
    assert set(said.received) == {len(OK)}


def test_a_closed_loop_keeps_every_connection_busy_and_answers_everything_it_sent():
    with serving(lambda _: OK) as server:
        said = load(server.port, lambda engine: engine.run_closed(0.3))
    assert len(said.intended) == server.requests == said.count(Outcome.OK)
    assert said.connects == LIMITS.connections
    assert (said.intended == said.sent).all()


def test_requests_come_in_the_order_that_was_prepared():
    requests = tuple(REQUEST.replace(b"{}", b"%02d" % number) for number in range(5))
    with serving(lambda _: OK) as server:
        said = load(server.port, follow(500, 0.2), requests=requests)
    in_order = said.request[np.argsort(said.intended)]
    assert in_order.tolist() == [number % 5 for number in range(len(in_order))]


def test_another_status_is_an_error_and_not_a_lost_request():
    with serving(lambda n: OK if n % 2 else OK.replace(b"200 OK", b"503 No")) as server:
        said = load(server.port, follow(400, 0.3))
    assert set(said.status[said.outcome == Outcome.ERROR]) == {503}
    assert said.count(Outcome.ERROR) + said.count(Outcome.OK) == server.requests


def test_a_stall_makes_later_requests_late_instead_of_fewer():
    stall_s = 0.3

    def answer(number: int) -> bytes:
        if number == 0:
            time.sleep(stall_s)
        return OK

    with serving(answer) as server:
        schedule = Constant(200, 1.0)
        said = load(server.port, lambda e: e.run_open(schedule), limits=replace(LIMITS, connections=1, timeout_s=5))
    assert len(said.intended) == 200
    response = (said.done - said.intended)[np.argsort(said.intended)] / 1e9
    # One connection: the k-th request waits for what is left of the stall, whatever the engine did meanwhile.
    assert response[10] == pytest.approx(stall_s - 10 / 200, abs=0.05)
    assert said.queued[np.argsort(said.intended)][1:50].all()


def test_an_answer_that_never_comes_is_a_timeout_and_its_connection_is_opened_again():
    def answer(number: int) -> bytes:
        if number == 5:
            time.sleep(3)
        return OK

    with serving(answer) as server:
        said = load(server.port, follow(200, 0.9))
    assert said.count(Outcome.TIMEOUT) == 1
    waited = (said.done - said.sent)[said.outcome == Outcome.TIMEOUT] / 1e9
    assert LIMITS.timeout_s <= waited[0] < 2 * LIMITS.timeout_s
    assert said.connects == LIMITS.connections + 1


def test_an_answer_cut_off_is_a_reset_and_the_rest_goes_on():
    with serving(lambda n: None if n == 5 else OK) as server:
        said = load(server.port, follow(300, 0.5))
    assert said.count(Outcome.RESET) == 1
    assert said.count(Outcome.OK) == server.requests - 1


def test_an_answer_that_is_not_http_is_invalid():
    with serving(lambda n: b"SSH-2.0-x\r\n\r\n" if n == 5 else OK) as server:
        said = load(server.port, follow(300, 0.5))
    assert said.count(Outcome.INVALID) == 1


def test_a_server_that_goes_away_refuses_the_requests_that_are_still_due():
    server = ScriptedServer(lambda n: OK)

    def give_way(engine: Engine) -> None:
        if server.requests > 50:
            server.close()

    said = load(server.port, follow(300, 0.6), give_way=give_way)
    assert said.count(Outcome.REFUSED) > 20
    assert len(said.intended) == len(np.concatenate(list(Poisson(300, 0.6, seed=3).chunks())))


def test_a_load_that_is_stopped_keeps_what_was_in_flight_and_what_was_never_sent():
    with serving(lambda n: OK if n < 20 else time.sleep(5) or OK) as server:
        stop_at = time.monotonic() + 0.4
        said = load(
            server.port, follow(200, 5.0), limits=replace(LIMITS, connections=4, timeout_s=9),
            give_way=lambda engine: engine.stop() if time.monotonic() > stop_at else None,
        )  # fmt: skip
    assert said.count(Outcome.UNANSWERED) == 4
    assert said.count(Outcome.UNSENT) > 5
    assert said.count(Outcome.OK) == 20
    due = np.concatenate(list(Poisson(200, 5.0, seed=3).chunks()))
    ended = said.done.max() - said.began_ns
    assert len(said.intended) == (due <= ended).sum()


def test_a_connection_that_the_server_closes_after_its_answer_is_opened_again():
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serving(lambda _: closing) as server:
        said = load(server.port, follow(200, 0.3))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)
    assert server.connections >= len(said.intended)


def test_without_keep_alive_every_request_has_a_connection_of_its_own():
    with serving(lambda _: OK) as server:
        said = load(server.port, follow(200, 0.3), limits=replace(LIMITS, keep_alive=False))
    assert said.connects == len(said.intended) == said.count(Outcome.OK)


def test_a_chunked_answer_is_whole_only_with_its_last_chunk():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    with serving(lambda _: chunked) as server:
        said = load(server.port, follow(200, 0.3))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)


def test_an_answer_announced_by_an_informational_one_counts_once_and_with_its_own_status():
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    with serving(lambda _: hints + OK) as server:
        said = load(server.port, follow(200, 0.3))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)
    assert set(said.status) == {200}
    assert set(said.received) == {len(hints + OK)}


def test_an_answer_too_many_belongs_to_no_request_and_its_connection_is_opened_again():
    surplus = OK.replace(b"200 OK", b"500 No")
    with serving(lambda number: OK + surplus if number == 0 else OK) as server:
        said = load(server.port, follow(200, 0.3))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)
    assert said.connects == LIMITS.connections + 1


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one():
    surplus = OK.replace(b"200 OK", b"500 No")
    with serving(lambda _: OK) as server:

        def drive(engine: Engine) -> None:
            # One connection more: it has only looked whether anybody is there.
            server.say(surplus, connections=1 + LIMITS.connections)
            follow(200, 0.3)(engine)

        said = load(server.port, drive)
    assert said.count(Outcome.OK) == server.requests == len(said.intended)
    assert said.connects == 2 * LIMITS.connections


@pytest.mark.parametrize("surplus", [OK, OK[:-1]], ids=("plain", "in part"))
def test_nor_for_one_that_was_sent_after_it_had_arrived(surplus: bytes):
    with serving(lambda _: OK) as server:

        def drive(engine: Engine) -> None:
            told = engine._answers.told

            def told_late(count: int) -> list[Taken]:
                """Give a round's events only when the next request was sent, if there is one that nobody waits for."""
                events = list(told(count))
                unasked = [fd for fd, _, size, *_ in events if size > 0 and not engine._by_fd[fd].busy]
                if unasked:
                    time.sleep(max(engine._due.next - time.monotonic_ns(), 0) / 1e9)
                    engine._send_due(time.monotonic_ns())
                    late.extend(unasked)
                return events

            engine._answers.told = told_late
            threading.Timer(0.5, server.say, (surplus, 2)).start()
            engine.run_open(Constant(5, 1.0))

        late: list[int] = []
        said = load(server.port, drive, limits=replace(LIMITS, connections=1))
    assert len(late) == 1
    assert said.count(Outcome.RESET) == 1
    assert said.count(Outcome.OK) == len(said.intended) - 1


def test_a_request_larger_than_the_socket_takes_at_once_arrives_whole():
    body = b"x" * 8_000_000
    large = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving(lambda _: OK) as server:
        said = load(server.port, follow(20, 0.3), requests=(large,), limits=replace(LIMITS, timeout_s=5))
    assert said.count(Outcome.OK) == server.requests == len(said.intended)


def test_a_warm_up_without_schedule_and_the_load_after_it_are_all_written_down():
    def drive(engine: Engine) -> None:
        engine.run_closed(0.2)
        engine.run_open(Constant(200, 0.5))

    with serving(lambda _: OK) as server:
        said = load(server.port, drive)
    assert len(said.intended) == server.requests == said.count(Outcome.OK)
    scheduled = np.sort(said.intended[said.intended >= said.began_ns])[-100:]
    assert np.diff(scheduled) == pytest.approx(1e9 / 200, abs=1)
    assert said.connects == LIMITS.connections


def test_an_engine_that_waits_for_the_next_request_does_not_spin():
    with serving(lambda _: OK) as server:
        cpu, wall = time.thread_time(), time.monotonic()
        said = load(server.port, follow(100, 1.0))
        share = (time.thread_time() - cpu) / (time.monotonic() - wall)
    assert said.count(Outcome.OK) == len(said.intended)
    assert share < 0.4


def test_a_host_where_nothing_listens_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(LoadFailed, match="Nothing answers at 127"):
        load(port, follow(100, 0.1))


def test_a_host_that_does_not_resolve_is_a_sentence():
    with pytest.raises(LoadFailed, match="does not resolve"):
        Engine("no-such-host.invalid", 1, (REQUEST,), (0,), limits=LIMITS, flush=print, give_way=print)
