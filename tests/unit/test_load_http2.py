"""The load engine over HTTP/2, against servers that do exactly what they are told."""

from __future__ import annotations

import gc
import json
import socket
import ssl
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum

import numpy as np
import pytest
from h2.connection import H2Connection

from bench.errors import LoadFailed
from bench.load.http2 import PROTOCOL, Http2Connection, translated
from bench.load.rows import Outcome
from bench.load.schedule import Constant, Poisson
from bench.load.tls import context
from bench.paths import ROOT, SCENARIOS
from tests.unit.certificates import Identity, identity
from tests.unit.http2_server import BODY, Conversation, serving_http2
from tests.unit.scripted_server import OK, serving
from tests.unit.test_load_engine import LIMITS, Load, follow, load
from tests.unit.tls_server import serving_tls

ONE = replace(LIMITS, connections=1)


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> Identity:
    """Give a server's certificate for the address of this machine."""
    return identity(tmp_path_factory.mktemp("known"))


@pytest.fixture(params=[False, True], ids=["without TLS", "with TLS"])
def sides(request, known) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
    """Give what server and engine encrypt with: nothing, or TLS that agrees on HTTP/2."""
    if not request.param:
        return None, None
    return known.context(None, PROTOCOL), context(known.certificate, protocol=PROTOCOL)


def spoken(port: int, drive: Callable, tls: ssl.SSLContext | None = None, **more: object) -> Load:
    """Run a load over HTTP/2."""
    return load(port, drive, tls=tls, http2=True, **more)


def test_a_request_says_in_http2_what_it_says_in_http1():
    said = translated(
        b"POST /route?x=1 HTTP/1.1\r\nHost: here:80\r\nContent-Type: a/b\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\r\n{}",
        b"https",
    )
    assert said.fields == (
        (b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"here:80"), (b":path", b"/route?x=1"),
        (b"content-type", b"a/b"), (b"content-length", b"4"),
    )  # fmt: skip
    assert said.body == b"\r\n{}"


def test_every_arrival_is_a_row_that_the_server_counted_on_connections_that_are_kept(sides):
    with serving_http2(context=sides[0]) as server:
        said = spoken(server.port, follow(300, 0.5), sides[1])
    arrivals = np.concatenate(list(Poisson(300, 0.5, seed=3).chunks()))
    assert sorted(said.intended - said.began_ns) == arrivals.tolist()
    assert said.count(Outcome.OK) == server.requests == len(arrivals)
    assert set(said.status) == {200}
    assert (said.sent >= said.intended).all()
    assert said.connects == LIMITS.connections
    # A frame has nine bytes before what it holds: a header of one byte at least, and the body.
    assert said.received.min() >= 9 + 1 + 9 + len(BODY)
    scheme = "http" if sides[0] is None else "https"
    assert server.fields[0] == {
        ":method": "POST", ":scheme": scheme, ":authority": "t", ":path": "/", "content-length": "2",
    }  # fmt: skip
    assert set(server.bodies) == {2}


def test_a_closed_loop_answers_everything_it_sent(sides):
    with serving_http2(context=sides[0]) as server:
        said = spoken(server.port, lambda engine: engine.run_closed(0.3), sides[1])
    assert len(said.intended) == server.requests == said.count(Outcome.OK) > LIMITS.connections


def test_a_body_larger_than_the_window_that_the_server_gives_arrives_whole(sides):
    # The window is 64 KiB at first, and grows as the server reads.
    large = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n\r\n" + bytes(2_000_000)
    with serving_http2(context=sides[0]) as server:
        said = spoken(
            server.port, lambda engine: engine.run_open(Constant(10, 0.3)), sides[1], requests=(large,),
            limits=replace(ONE, timeout_s=5),
        )  # fmt: skip
    assert said.count(Outcome.OK) == server.requests == 3
    assert server.bodies == [2_000_000] * 3
    assert said.connects == 1


def test_a_body_that_gets_more_window_at_once_than_the_socket_takes_arrives_whole(sides):
    large = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 12000000\r\n\r\n" + bytes(12_000_000)
    widened = set()

    def widen(conversation: Conversation, stream: int) -> None:
        if stream not in widened:
            widened.add(stream)
            conversation.h2.increment_flow_control_window(20_000_000, stream)
            conversation.h2.increment_flow_control_window(20_000_000)

    with serving_http2(context=sides[0], on_data=widen) as server:
        said = spoken(
            server.port, lambda engine: engine.run_open(Constant(10, 0.2)), sides[1], requests=(large,),
            limits=replace(ONE, timeout_s=9),
        )  # fmt: skip
    assert said.count(Outcome.OK) == server.requests == 2
    assert server.bodies == [12_000_000] * 2
    assert said.connects == 1


def test_an_answer_larger_than_the_window_that_we_give_is_whole(sides):
    size = 3_000_000
    with serving_http2(lambda c, stream, _: c.answer(stream, bytes(size)), sides[0]) as server:
        said = spoken(
            server.port, lambda engine: engine.run_open(Constant(10, 0.3)), sides[1], limits=replace(ONE, timeout_s=5)
        )
    assert said.count(Outcome.OK) == server.requests == 3
    assert said.connects == 1
    assert (said.received > size).all()


def test_another_status_is_an_error_and_not_a_lost_request():
    with serving_http2(lambda c, stream, number: c.answer(stream, status=200 if number % 2 else 503)) as server:
        said = spoken(server.port, follow(200, 0.3))
    assert set(said.status[said.outcome == Outcome.ERROR]) == {503}
    assert said.count(Outcome.ERROR) == (server.requests + 1) // 2
    assert said.count(Outcome.ERROR) + said.count(Outcome.OK) == server.requests == len(said.intended)


def resets_stream(conversation: Conversation, stream: int) -> None:
    conversation.h2.reset_stream(stream, 0x2)


def goes_away(conversation: Conversation, stream: int) -> None:
    conversation.h2.close_connection(0)


@pytest.mark.parametrize("act", [resets_stream, goes_away], ids=["RST_STREAM", "GOAWAY"])
def test_a_request_that_the_server_gives_up_is_a_reset_and_its_connection_is_opened_again(act):
    def script(conversation: Conversation, stream: int, number: int) -> None:
        if number == 5:
            act(conversation, stream)
        else:
            conversation.answer(stream)

    with serving_http2(script) as server:
        said = spoken(server.port, lambda e: e.run_open(Constant(50, 0.4)), limits=ONE)
    assert said.count(Outcome.RESET) == 1
    assert said.count(Outcome.OK) == server.requests - 1 == 19
    assert said.connects == 2


def test_a_server_that_goes_away_with_its_answer_loses_no_request():
    def script(conversation: Conversation, stream: int, number: int) -> None:
        conversation.answer(stream)
        conversation.h2.close_connection(0)

    with serving_http2(script) as server:
        said = spoken(server.port, lambda e: e.run_open(Constant(40, 0.4)), limits=ONE)
    assert said.count(Outcome.OK) == said.connects == server.requests == 16


def test_when_the_numbers_of_streams_run_out_a_new_connection_is_opened(monkeypatch):
    # 1, 3, 5 and 7: four requests a connection. The server takes part in the same process and has the same limit.
    monkeypatch.setattr(H2Connection, "HIGHEST_ALLOWED_STREAM_ID", 7)
    with serving_http2() as server:
        said = spoken(server.port, lambda e: e.run_open(Constant(50, 0.24)), limits=ONE)
    assert said.count(Outcome.OK) == server.requests == 12
    assert said.connects == 3


def test_without_keep_alive_every_request_has_a_connection_of_its_own(sides):
    with serving_http2(context=sides[0]) as server:
        said = spoken(server.port, follow(60, 0.3), sides[1], limits=replace(LIMITS, keep_alive=False))
    assert said.connects == len(said.intended) == said.count(Outcome.OK) == server.requests


def test_a_connection_that_is_closed_leaves_nothing_that_only_a_collection_frees():
    """None runs during a load."""
    near, far = socket.socketpair()
    connection = Http2Connection(0)
    gc.disable()
    try:
        with near, far:
            connection.speak(near)
            left = [*_parts(connection.parser._h2)]
            connection.close()
            connection.speak(near)
    finally:
        gc.enable()
    assert len(left) > 3
    assert [part() for part in left if part() is not None] == []


def _parts(opened: H2Connection) -> Iterator[weakref.ref]:
    """Give weak references to a connection of h2 and to what it holds of that library's own objects."""
    for part in (opened, *vars(opened).values()):
        if type(part).__module__.startswith(("h2.", "hpack.", "hyperframe.")) and not isinstance(part, Enum):
            yield weakref.ref(part)


def test_an_answer_that_never_comes_is_a_timeout_and_its_connection_is_opened_again():
    with serving_http2(lambda c, stream, number: None if number == 5 else c.answer(stream)) as server:
        said = spoken(server.port, follow(100, 0.4), limits=replace(LIMITS, timeout_s=0.2))
    assert said.count(Outcome.TIMEOUT) == 1
    assert said.count(Outcome.OK) == server.requests - 1
    assert said.connects == LIMITS.connections + 1


def test_an_answer_that_breaks_the_rules_of_http2_is_invalid():
    def script(conversation: Conversation, stream: int, number: int) -> None:
        if number == 5:
            # A frame of data that is on no stream.
            conversation.say(bytes(9))
        else:
            conversation.answer(stream)

    with serving_http2(script) as server:
        said = spoken(server.port, follow(100, 0.3))
    assert said.count(Outcome.INVALID) == 1
    assert said.count(Outcome.OK) == server.requests - 1


def test_a_server_without_tls_that_does_not_speak_http2_is_a_sentence():
    with (
        serving(lambda _: OK) as server,
        pytest.raises(LoadFailed, match=r"The server at 127.* does not speak HTTP/2\. Leave out --http2\."),
    ):
        spoken(server.port, follow(100, 0.1), limits=replace(LIMITS, timeout_s=0.3))


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)], ids=["no ALPN", "HTTP/1.1"])
def test_a_server_with_tls_that_does_not_agree_on_http2_is_a_sentence(known, protocols):
    with (
        serving_tls(lambda _: OK, known.context(None, *protocols)) as server,
        pytest.raises(LoadFailed, match=r"does not speak HTTP/2\. Leave out --http2\."),
    ):
        spoken(server.port, follow(100, 0.1), context(known.certificate, protocol=PROTOCOL))
    assert server.requests == 0


def test_a_scenario_by_hand_speaks_http2_where_it_is_asked_to(known, tmp_path):
    with serving_http2(context=known.context(None, PROTOCOL)) as server:
        command = [sys.executable, "-m", "locust", "-f", SCENARIOS / "steady.py", "--headless", "--http2"]
        command += ["--host", f"https://127.0.0.1:{server.port}", "--ca", known.certificate]
        command += ["--rate", 100, "--duration", 0.5, "--connections", 8, "--json-file", tmp_path / "said"]
        done = subprocess.run(
            [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads((tmp_path / "said.json").read_text())
    assert entry["num_requests"] == server.requests > 10
    assert entry["num_failures"] == 0
