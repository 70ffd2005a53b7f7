"""A running gateway: started with its contract's settings, watched while it starts, stopped in order."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench import children, paths, toolchains
from bench.errors import GatewayDied
from bench.gateways.build import expand
from bench.gateways.registry import Variant
from bench.meters import hiccups
from bench.rig import as_list

HOST = "127.0.0.1"
_PORTS = (15_000, 32_000)
_READY_WITHIN_S = 30.0
_LAST_LINES = 12


@dataclass(frozen=True)
class Settings:
    """What a gateway is started with, beside its variant's flags."""

    port: int
    folder: Path
    """Where its log and its meters' records go; must exist."""
    cpus: tuple[int, ...] = ()
    """Processors to pin it to; empty: not pinned."""
    joins: tuple[Path, ...] = ()
    """Control groups to start it in, by their `cgroup.procs`."""
    workers: int = 1
    memory_budget_mib: int = 512
    live_set_mib: int = 64
    meters: bool = True
    faults: bool = False
    control: bool = False
    """Nothing but its hiccup meter runs."""
    env: Mapping[str, str] = field(default_factory=dict)
    """More variables of the contract."""
    host: str = HOST
    """Address to bind to and to be reached at: loopback, unless the load comes from other machines."""


class GatewayProcess:
    """A started gateway. As a context manager it is stopped at the end, whatever happens."""

    def __init__(self, variant: Variant, settings: Settings) -> None:
        self.variant = variant
        self.settings = settings
        self.host = settings.host
        self.port = settings.port
        self.log = settings.folder / "gateway.log"
        self.started_ns = time.monotonic_ns()
        with self.log.open("ab") as out:
            self.process: subprocess.Popen[bytes] = children.spawn(
                _command(variant, settings), cpus=settings.cpus, joins=settings.joins, env=_environment(variant, settings),
                cwd=settings.folder, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.ready_ns = 0

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    def __enter__(self) -> GatewayProcess:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def wait_ready(self, within_s: float = _READY_WITHIN_S) -> None:
        """Wait until `/readyz` answers 200.

        Raises
        ------
        GatewayDied
            It ended, or did not answer in time; the message holds its last log lines.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if (code := self.process.poll()) is not None:
                raise self.died(f"ended at start with exit code {code}")
            if _answers(self.host, self.port):
                self.ready_ns = time.monotonic_ns()
                return
            time.sleep(0.005)
        raise self.died(f"did not answer /readyz on port {self.port} within {within_s:g} s")

    def get(self, path: str, timeout_s: float = 5.0) -> tuple[int, bytes]:
        """Give status and body of a GET."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError as error:
            raise self.died(f"did not answer GET {path}: {error}") from error
        finally:
            connection.close()

    def info(self) -> dict[str, object]:
        """Give what the running process says of itself (`GET /info`), and as `processors` which ones the kernel lets it use."""
        allowed = as_list(tuple(sorted(os.sched_getaffinity(self.pid))))
        return json.loads(self.get("/info")[1]) | {"processors": allowed}

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float | None = None) -> int:
        """Give the exit code once the process has ended."""
        return self.process.wait(timeout)

    def stop(self, grace_s: float = 15.0) -> int:
        """End it: SIGTERM, then SIGKILL; gives the exit code."""
        return children.stop(self.process, grace_s)

    def log_lines(self) -> list[str]:
        """Give the lines that it has logged so far."""
        return self.log.read_text(errors="replace").splitlines()

    def died(self, how: str) -> GatewayDied:
        """Give the error that says how it failed and what it logged last."""
        lines = self.log_lines()[-_LAST_LINES:]
        last = " Its last log lines:\n  " + "\n  ".join(lines) if lines else " It logged nothing."
        return GatewayDied(f"{self.variant.name} {how}.{last}")


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            return connection.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _command(variant: Variant, settings: Settings) -> list[str]:
    flags = variant.flags
    flags += variant.meter_flags if settings.meters else ()
    flags += variant.truth_flags if settings.faults else ()
    command = tuple(part for piece in variant.command for part in (flags if piece == "{flags}" else (piece,)))
    return expand(command, _placeholders(variant, settings))


def _placeholders(variant: Variant, settings: Settings) -> dict[str, str]:
    return {
        "out": str(variant.gateway.out),
        "source": str(variant.gateway.folder),
        "heap_mib": str(settings.memory_budget_mib),
        "workers": str(settings.workers),
        "meters_dir": str(settings.folder),
    }


def _environment(variant: Variant, settings: Settings) -> dict[str, str]:
    placeholders = _placeholders(variant, settings)
    own = {}
    for key, value in (variant.env | (variant.truth_env if settings.faults else {})).items():
        for name, filled in placeholders.items():
            value = value.replace(f"{{{name}}}", filled)
        own[key] = value
    contract = {
        "GATEWAY_HOST": settings.host,
        "GATEWAY_PORT": str(settings.port),
        "GATEWAY_ROUTES": str(paths.CONTRACT / "routes.json"),
        "GATEWAY_WORKERS": str(settings.workers),
        "GATEWAY_LIVE_SET_MIB": str(settings.live_set_mib),
    }
    if settings.meters:
        contract |= {"GATEWAY_METERS_DIR": str(settings.folder), "GATEWAY_HICCUP_US": str(hiccups.PERIOD_US)}
    contract |= {"GATEWAY_CONTROL": "1"} if settings.control else {}
    contract |= {"ENABLE_FAULTS": "1"} if settings.faults else {}
    contract |= settings.env
    # An empty value takes a variable away.
    return toolchains.environment() | own | {name: value for name, value in contract.items() if value}


def free_port() -> int:
    """Give a port that nothing listens on just now, outside of the range from which clients get theirs.

    A client's port could be the gateway's own while the gateway is down, and keep it from coming back.
    """
    while True:
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, random.randrange(*_PORTS)))
            return probe.getsockname()[1]
