"""Machines on a network of their own: network namespaces joined by a bridge, made by a test and gone after it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_PREFIX, _SWITCH = "bench", "switch"
# RFC 2544 sets this network aside for benchmarks of network devices.
_NETWORK = "198.18.0"


@dataclass(frozen=True)
class Machine:
    """One network namespace with an address of its own."""

    namespace: str
    address: str

    @property
    def inside(self) -> list[str]:
        """What to put before a command so that it runs there."""
        return ["ip", "netns", "exec", self.namespace]

    def with_clock_ahead(self, seconds: int) -> list[str]:
        """Give the same, with a CLOCK_MONOTONIC that is ahead of this machine's."""
        return [*self.inside, "unshare", "--time", "--monotonic", str(seconds)]

    def cut_off(self) -> None:
        """Take its network away."""
        _ip("-n", self.namespace, "link", "set", "eth0", "down")

    def connect(self) -> None:
        """Give it back."""
        _ip("-n", self.namespace, "link", "set", "eth0", "up")


def unavailable() -> str | None:
    """Say why there can be no such network here; None when there can."""
    if not shutil.which("ip"):
        return "ip is missing: install iproute2"
    probe = f"probe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no right to make network namespaces: {made.stderr.strip()}"
    _ip("netns", "del", probe)
    if subprocess.run(["unshare", "--time", "true"], capture_output=True, check=False).returncode:
        return "no right to make time namespaces"
    return None


@contextmanager
def network(names: Sequence[str]) -> Iterator[list[Machine]]:
    """Give machines on one network, each of which reaches the others and nothing else."""
    _clear_left_behind()
    prefix = f"{_PREFIX}-{os.getpid()}"
    switch = f"{prefix}-{_SWITCH}"
    machines = [Machine(f"{prefix}-{name}", f"{_NETWORK}.{number}") for number, name in enumerate(names, 1)]
    try:
        # The bridge has a namespace too: the machine's own network is not touched.
        _ip("netns", "add", switch)
        _ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", switch, "link", "set", "bridge", "up")
        for number, machine in enumerate(machines):
            _plug_in(machine, switch, f"port{number}")
        yield machines
    finally:
        for namespace in (*(machine.namespace for machine in machines), switch):
            with suppress(subprocess.CalledProcessError):
                _ip("netns", "del", namespace)


def _clear_left_behind() -> None:
    """Remove what a test left that was killed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        prefix, _, rest = name.partition("-")
        owner = rest.partition("-")[0]
        if prefix == _PREFIX and owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            _ip("netns", "del", name)


def _plug_in(machine: Machine, switch: str, port: str) -> None:
    inside = ("-n", machine.namespace)
    _ip("netns", "add", machine.namespace)
    _ip("-n", switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", machine.namespace)
    _ip("-n", switch, "link", "set", port, "master", "bridge")
    _ip("-n", switch, "link", "set", port, "up")
    _ip(*inside, "addr", "add", f"{machine.address}/24", "dev", "eth0")
    _ip(*inside, "link", "set", "lo", "up")
    _ip(*inside, "link", "set", "eth0", "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
