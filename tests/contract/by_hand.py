"""Scenarios as a user runs them: plain Locust on the command line, or its web UI, against a real gateway."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import children
from bench.gateways.process import GatewayProcess
from bench.paths import ROOT, SCENARIOS

PORTS = range(29_000, 29_400)


def free_port() -> int:
    for port in PORTS:
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no port of {PORTS} is free")


def served(gateway: GatewayProcess) -> int:
    """Give how many requests to /route the gateway itself has counted."""
    lines = gateway.get("/metrics")[1].decode().splitlines()
    counted = [line for line in lines if line.startswith("http_server_requests_total{") and 'endpoint="/route"' in line]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in counted))


def locust(port: int, scenario: str, *options: object) -> list[str]:
    """Give the command that a user types."""
    command = [sys.executable, "-m", "locust", "-f", SCENARIOS / f"{scenario}.py", "--host", f"http://127.0.0.1:{port}"]
    return [str(part) for part in (*command, *options)]


def headless(port: int, scenario: str, *options: object) -> subprocess.CompletedProcess[str]:
    """Run a scenario without a UI to its end."""
    return subprocess.run(
        locust(port, scenario, "--headless", *options),
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip


def entries(folder: Path, port: int, scenario: str, *options: object) -> dict[str, dict[str, object]]:
    """Run a scenario without a UI to its end; give Locust's own statistics by the names of requests."""
    done = headless(port, scenario, "--exit-code-on-error", 0, "--json-file", folder / "said", *options)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return {entry["name"]: entry for entry in json.loads((folder / "said.json").read_text())}


def by_hand(folder: Path, gateway: GatewayProcess, scenario: str, *options: object) -> dict[str, object]:
    """Run a scenario without a UI to its end; give Locust's own statistics of all requests, which have one name."""
    (entry,) = entries(folder, gateway.port, scenario, *options).values()
    return entry


@contextmanager
def web_ui(gateway: GatewayProcess, log: Path, *options: object, scenario: str = "steady") -> Iterator[str]:
    """Start a scenario with the web UI; give its address."""
    port = free_port()
    with log.open("wb") as out:
        ui = children.spawn(
            locust(gateway.port, scenario, "--web-host", "127.0.0.1", "--web-port", port, *options),
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        children.stop(ui, 10)


def asked(address: str, form: bytes | None = None) -> dict[str, object]:
    """Give the JSON of an address; with a form, of what posting it answers."""
    with urllib.request.urlopen(address, form, timeout=5) as answer:
        return json.load(answer)


def once(address: str, holds) -> dict[str, object]:
    """Ask for statistics until they are as wanted."""
    deadline = time.monotonic() + 30
    said: dict[str, object] = {}
    while time.monotonic() < deadline:
        with suppress(OSError):
            said = asked(f"{address}/stats/requests")
            if holds(said):
                return said
        time.sleep(0.1)
    raise AssertionError(f"the web UI never got there; it said {said} last")


def total(said: dict[str, object]) -> dict[str, object]:
    (aggregated,) = [entry for entry in said["stats"] if entry["name"] == "Aggregated"]
    return aggregated


def assert_counted(gateway: GatewayProcess, said: dict[str, object], before: int = 0, *, in_flight: int = 0) -> None:
    """Locust and the gateway counted the same, but for what may be in flight when a load is stopped."""
    requests, unanswered = said["num_requests"], said["num_failures"]
    assert unanswered <= in_flight
    assert requests - unanswered <= served(gateway) - before <= requests
