"""One rolling restart: each instance replaced by a new one that is in service before the old one has to go."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from bench.gateways.process import GatewayProcess, free_port
from bench.rolling.balancer import NOTICES_WITHIN_S, Balancer

_ENDS_WITHIN_S = 20.0
_MS = 1000


class Way(StrEnum):
    """How an old instance goes."""

    DRAIN = "drain"
    """SIGTERM; it says that it is not ready, goes on serving until the balancer has noticed, and then ends."""
    TERMINATE = "terminate"
    """SIGTERM without that delay: it answers what is in flight, and closes its port at once."""
    KILL = "kill"
    """SIGKILL."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Give the gateway's settings for it, as its contract names them."""
        delay_ms = round(2 * NOTICES_WITHIN_S * _MS) if self is Way.DRAIN else 0
        return {"GATEWAY_DRAIN_DELAY_MS": f"{delay_ms}", "GATEWAY_DRAIN_TIMEOUT_MS": "10000"}


@dataclass(frozen=True)
class Replacement:
    """One instance replaced; instants in CLOCK_MONOTONIC ns."""

    instance: int
    created_ns: int
    """The new process was created."""
    ready_ns: int
    """It answered that it is ready."""
    in_service_ns: int
    """The balancer sends requests to it."""
    signal_ns: int
    """The old one was told to go."""
    exited_ns: int
    """It had ended."""
    exit_code: int
    port: int
    """Of the old one."""


@contextmanager
def instances(count: int, start: Callable[[int], GatewayProcess]) -> Iterator[tuple[list[GatewayProcess], int]]:
    """Start instances, each on a port of its own, and give them with the one port that is left for a new one.

    Whatever is in the list at the end is ended.

    Parameters
    ----------
    start
        Creates the process that listens on a port.
    """
    running: list[GatewayProcess] = []
    ports = [free_port() for _ in range(count + 1)]
    try:
        for port in ports[:count]:
            running.append(start(port))
        for instance in running:
            instance.wait_ready()
        yield running, ports[-1]
    finally:
        for instance in running:
            instance.stop(0.0)


def replace_all(
    running: list[GatewayProcess],
    spare_port: int,
    start: Callable[[int], GatewayProcess],
    way: Way,
    balancer: Balancer,
    settle_s: float,
) -> list[Replacement]:
    """Replace every instance, one after the other; `running` holds the new ones afterwards.

    Parameters
    ----------
    settle_s
        How long to wait between one and the next.

    Raises
    ------
    GatewayDied
        A new instance did not come up, or an old one did not end. What was started is ended.
    LoadFailed
        The balancer did not see it.
    """
    made = []
    for number in range(len(running)):
        old = running[number]
        others = {instance.port for instance in running if instance is not old}
        created_ns = time.monotonic_ns()
        new = start(spare_port)
        running[number] = new
        try:
            new.wait_ready()
            in_service_ns = balancer.wait_for(others | {old.port, new.port})
        except BaseException:
            old.stop(0.0)
            raise
        signal_ns = time.monotonic_ns()
        _tell(old, way)
        code = _ended(old)
        exited_ns = time.monotonic_ns()
        balancer.wait_for(others | {new.port})
        made.append(Replacement(number, created_ns, new.ready_ns, in_service_ns, signal_ns, exited_ns, code, old.port))
        spare_port = old.port
        time.sleep(settle_s)
    return made


def _tell(old: GatewayProcess, way: Way) -> None:
    if way is Way.KILL:
        old.process.kill()
    else:
        old.terminate()


def _ended(old: GatewayProcess) -> int:
    try:
        return old.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        old.stop(0.0)
        raise old.died(f"did not end within {_ENDS_WITHIN_S:g} s of SIGTERM") from None
