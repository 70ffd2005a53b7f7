"""The replay as a whole, against servers that keep the contract in part or not at all; and the scripted upstream."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest

from bench.gateways.check import check
from bench.gateways.upstream import Upstream
from bench.gateways.wire import Connection, Malformed, get

TRACE = b"traceresponse: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"


def said(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + TRACE
    return head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


HEALTHY, READY = said(b'{"status":"ok"}'), said(b'{"status":"ready"}')


class Pretender:
    """Answers everything alike, but for readiness: a gateway that keeps almost nothing of the contract."""

    pid = 1

    def __init__(self, answers: int = 1_000_000) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host, self.port = self.listener.getsockname()
        self.left = answers
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while self.left > 0:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536)
                connection.sendall(READY if b" /readyz" in request else HEALTHY)
            self.left -= 1
        self.listener.close()

    def terminate(self) -> None: ...

    def wait(self, timeout: float | None = None) -> int:
        raise subprocess.TimeoutExpired("pretender", timeout or 0)

    def log_lines(self) -> list[str]:
        return ["it began"]


class Ended(Pretender):
    """A gateway that ended at its start."""

    def wait(self, timeout: float | None = None) -> int:
        return 3


def replayed(gateway: Pretender, *groups: str) -> dict[str, bool]:
    @contextmanager
    def start(env):
        yield gateway

    return {result.name: result.passed for result in check(start, groups=groups, parallel=1)}


def test_a_server_that_says_yes_to_everything_passes_nothing_that_asks_for_more():
    found = replayed(Pretender(), "media_types", "matching", "malformed_json", "request_shape")
    assert len(found) > 150
    assert not any(found.values())


def test_a_server_that_only_knows_health_and_readiness_passes_just_that():
    found = replayed(Pretender(), "endpoints")
    assert {name for name, passed in found.items() if passed} == {"healthz", "healthz with a query", "readyz"}


def test_a_gateway_that_ended_fails_all_cases_and_says_how():
    @contextmanager
    def start(env):
        yield Ended()

    results = check(start, groups=["nesting"])
    assert len(results) == 20
    assert all("ended with exit code 3: it began" in str(result) for result in results)


def test_a_gateway_that_dies_fails_the_case_and_the_next_ones():
    found = replayed(Pretender(answers=4), "media_types")
    assert not any(found.values())


def test_the_upstream_tells_what_it_saw():
    with Upstream() as upstream, Connection(*address(upstream)) as connection:
        head = b"POST /catalog/x?y HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.send([head, b"2\r\nok\r\n0\r\n\r\n"])
        assert connection.receive(5).status == 200
        (seen,) = upstream.take()
        assert (seen.method, seen.target, seen.body, seen.header("x")) == ("POST", "/catalog/x?y", b"ok", "1, 2")
        assert upstream.take() == []


def test_the_upstream_counts_connections():
    with Upstream() as upstream:
        with Connection(*address(upstream)) as one:
            for _ in range(3):
                one.send([b"GET /catalog HTTP/1.1\r\nHost: h\r\n\r\n"])
                one.receive(5)
            assert (upstream.connections_opened, upstream.connections_open) == (1, 1)
        get(*address(upstream), "/catalog")
        assert upstream.connections_opened == 2
        upstream.forget()
        assert upstream.connections_opened == 0


@pytest.mark.parametrize("script", ["reset", "close", "half-header"])
def test_the_upstream_breaks_off_without_an_answer(script):
    with Upstream() as upstream, Connection(*address(upstream)) as connection:
        connection.send([f"GET /catalog/{script} HTTP/1.1\r\nHost: h\r\n\r\n".encode()])
        assert connection.receive(5) is None


def test_the_upstream_answers_garbage():
    with Upstream() as upstream, pytest.raises(Malformed):
        get(*address(upstream), "/catalog/garbage")


@pytest.mark.parametrize("script", ["cut/100", "cut-chunked"])
def test_the_upstream_cuts_an_answer(script):
    with Upstream() as upstream:
        assert not get(*address(upstream), f"/catalog/{script}").whole


@pytest.mark.parametrize(
    ("script", "body"), [("chunked/2", b"chunk 0\nchunk 1\n"), ("until-close", b"until the end"), ("drip/3/1", b"012")]
)
def test_the_upstream_sends_a_whole_answer(script, body):
    with Upstream() as upstream:
        answer = get(*address(upstream), f"/catalog/{script}")
        assert (answer.whole, answer.body) == (True, body)


def address(upstream: Upstream) -> tuple[str, int]:
    host, port = upstream.address.split(":")
    return host, int(port)
