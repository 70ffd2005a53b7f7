"""What takes a whole life of a process to show: refusing to start, draining, ending."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from bench.gateways import telemetry
from bench.gateways.expect import Difference, differ, judge
from bench.gateways.wire import Connection, Malformed, NoAnswer, get

if TYPE_CHECKING:
    from bench.gateways.check import Gateway

_READY_WITHIN_S = 30.0
_ENDS_WITHIN_S = 20.0
_DRAINING = {"status": 503, "error": "draining"}
_OK = {"status": 200, "json": {"status": "ok"}}

Found = dict[str, list[Difference]]
"""Differences by the name of the check; an empty list has passed."""
StartWith = Callable[[dict[str, str]], "AbstractContextManager[Gateway]"]


@dataclass(frozen=True)
class Life:
    """Checks that share one gateway from its start to its end."""

    group: str
    check: Callable[[StartWith], Found]


def wait_ready(gateway: Gateway) -> Difference | None:
    """Wait until `/readyz` answers 200; gives what happened instead when it does not."""
    deadline = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline:
        if (code := _exit_code(gateway, 0.005)) is not None:
            return differ("start", "ready", f"ended with exit code {code}: {_last_line(gateway)}")
        try:
            if get(gateway.host, gateway.port, "/readyz").status == 200:
                return None
        except (OSError, Malformed, NoAnswer):
            continue
    return differ("start", "ready", f"no /readyz within {_READY_WITHIN_S:g} s: {_last_line(gateway)}")


def _exit_code(gateway: Gateway, within_s: float) -> int | None:
    try:
        return gateway.wait(within_s)
    except subprocess.TimeoutExpired:
        return None


def _last_line(gateway: Gateway) -> str:
    return (gateway.log_lines() or ["it logged nothing"])[-1]


def _ended(gateway: Gateway, wanted: int, within_s: float = _ENDS_WITHIN_S) -> list[Difference]:
    code = _exit_code(gateway, within_s)
    return [] if code == wanted else [differ("exit code", wanted, "still running" if code is None else code)]


def _refuses(variable: str, value: str) -> Life:
    """Make the check that a gateway refuses to start: a variable is missing or malformed."""

    def check(start: StartWith) -> Found:
        with start({variable: value}) as gateway:
            found = _ended(gateway, 2)
            named = [line for line in telemetry.records(gateway.log_lines()) if variable in json.dumps(line)]
            if not found and not named:
                found = [differ("log", f"a JSON line that names {variable}", _last_line(gateway))]
        return {f"{variable}={value or '(empty)'} ends with exit code 2 and names it": found}

    return Life("lifecycle", check)


def _port_taken(start: StartWith) -> Found:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with start({"GATEWAY_PORT": str(port)}) as gateway:
            found = _ended(gateway, 1)
            said = [line for line in telemetry.records(gateway.log_lines()) if line.get("level") == "error"]
            if not found and not any(
                str(port) in str(line.get("msg")) and "127.0.0.1" in str(line["msg"]) for line in said
            ):
                found = [differ("log", f"level error, a msg that names 127.0.0.1 and {port}", _last_line(gateway))]
    return {"a port that is taken ends with exit code 1 and names it": found}


def _idle(start: StartWith) -> Found:
    """SIGTERM with nothing in flight but an idle connection."""
    with TemporaryDirectory(prefix="meters-") as folder, start({"GATEWAY_METERS_DIR": folder}) as gateway:
        if trouble := wait_ready(gateway):
            return {"SIGTERM with nothing in flight": [trouble]}
        is_go = telemetry.info(gateway)["runtime"] == "go"
        with Connection(gateway.host, gateway.port) as idle:
            idle.send([b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"])
            found = judge(_OK, idle.receive(5), {})
            gateway.terminate()
            closed = [] if idle.ends(3) else [differ("an idle connection after SIGTERM", "closed", "open")]
        ended = _ended(gateway, 0, 5)
        return {
            "SIGTERM closes idle connections": found + closed,
            "SIGTERM with nothing in flight ends with exit code 0 at once": ended,
        } | ({"go_runtime.jsonl is written": telemetry.go_runtime(Path(folder))} if is_go else {})


def _drain(start: StartWith) -> Found:
    """SIGTERM with a request in flight that outlives the drain delay."""
    with start({"GATEWAY_DRAIN_DELAY_MS": "800"}) as gateway:
        if trouble := wait_ready(gateway):
            return {"draining": [trouble]}
        with Connection(gateway.host, gateway.port) as busy:
            busy.send([b"GET /proxy/catalog/delay/1900 HTTP/1.1\r\nHost: gateway\r\n\r\n"])
            time.sleep(0.1)
            gateway.terminate()
            time.sleep(0.1)
            found: Found = {
                "while draining readyz answers 503 draining": _ask(gateway, "/readyz", _DRAINING),
                "while draining healthz answers 200": _ask(gateway, "/healthz", _OK),
                "while draining requests are served": _ask(
                    gateway, "/proxy/catalog/items", {"status": 200, "from": "upstream"}
                ),
            }
            time.sleep(0.9)
            found["after the drain delay connections are refused"] = _refused(gateway)
            answer = busy.receive(5)
        in_flight = {"status": 200, "from": "upstream", "headers": {"Connection": "~(?i)^close$"}}
        found["a request in flight is answered with Connection: close"] = judge(in_flight, answer, {})
        found["after the last answer the exit code is 0"] = _ended(gateway, 0, 5)
        lines = [line for line in telemetry.records(gateway.log_lines()) if line.get("msg") == "request"]
        found["level warn writes no line a request"] = [differ("log", "no line a request", line) for line in lines]
    return found


def _drain_timeout(start: StartWith) -> Found:
    """SIGTERM with a request in flight that outlives the drain timeout."""
    name = "a request that outlives the drain timeout ends with exit code 1"
    with start({"GATEWAY_DRAIN_TIMEOUT_MS": "300", "GATEWAY_UPSTREAM_TIMEOUT_MS": "20000"}) as gateway:
        if trouble := wait_ready(gateway):
            return {name: [trouble]}
        with Connection(gateway.host, gateway.port) as busy:
            busy.send([b"GET /proxy/catalog/hang HTTP/1.1\r\nHost: gateway\r\n\r\n"])
            time.sleep(0.1)
            gateway.terminate()
            return {name: _ended(gateway, 1, 5)}


def _ask(gateway: Gateway, target: str, expect: dict[str, object]) -> list[Difference]:
    try:
        return judge(expect, get(gateway.host, gateway.port, target), {})
    except (OSError, NoAnswer, Malformed) as error:
        return [differ("answer", expect["status"], error)]


def _refused(gateway: Gateway) -> list[Difference]:
    try:
        Connection(gateway.host, gateway.port).__exit__(None, None, None)
    except ConnectionRefusedError:
        return []
    return [differ("a new connection", "refused", "accepted")]


def _observed(start: StartWith) -> Found:
    """Check what a gateway tells of itself, with everything on, and end it by the exit fault."""
    with start({"GATEWAY_LOG_LEVEL": "info", "ENABLE_FAULTS": "1"}) as gateway:
        if trouble := wait_ready(gateway):
            return {"telemetry": [trouble]}
        found = telemetry.check(gateway)
        try:
            answer = get(gateway.host, gateway.port, "/__fault/exit?code=7", method="POST")
            found["exit gives no answer"] = [differ("answer", "none", answer.status)]
        except (OSError, NoAnswer, Malformed):
            found["exit gives no answer"] = []
        found["exit ends with the code asked for"] = _ended(gateway, 7)
    return found


def _lives() -> Iterator[Life]:
    yield Life("lifecycle", _drain)
    yield Life("telemetry", _observed)
    yield Life("lifecycle", _drain_timeout)
    yield Life("lifecycle", _idle)
    yield Life("lifecycle", _port_taken)
    yield _refuses("GATEWAY_PORT", "")
    yield _refuses("GATEWAY_ROUTES", "")
    yield _refuses("GATEWAY_PORT", "http")
    yield _refuses("GATEWAY_BODY_LIMIT", "1MB")
    yield _refuses("GATEWAY_JWT_CACHE", "maybe")
    yield _refuses("GATEWAY_LOG_LEVEL", "loud")


LIVES = tuple(_lives())
