"""What a fault strikes, and what is known of a fault that struck."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from bench.control_group import ControlGroup
from bench.errors import FaultImpossible
from bench.faults.upstream_stub import UpstreamStub

DEFAULT_PATH = "/healthz"


@dataclass
class Target:
    """A supervised gateway and what is around it. A fault finds here what it needs, and says when that is missing."""

    port: int = 0
    pid: int = 0
    """The process that serves now."""
    workers: int = 1
    """Threads of it that run requests."""
    memory_budget_mib: int = 0
    group: ControlGroup | None = None
    """The control group that every instance of it is in."""
    upstream: UpstreamStub | None = None
    failing_starts: int = 0
    """How many of the next starts are to fail; whoever starts it counts them down."""

    def in_group(self) -> ControlGroup:
        """Give its control group; raises `FaultImpossible` where it has none."""
        if self.group is None:
            raise FaultImpossible("The gateway is in no control group that could be limited.")
        return self.group

    def behind(self) -> UpstreamStub:
        """Give its upstream; raises `FaultImpossible` where it has none."""
        if self.upstream is None:
            raise FaultImpossible("The gateway has no upstream that a fault could strike.")
        return self.upstream


@dataclass
class Strike:
    """A fault that was injected, and the instants around what injected it, in CLOCK_MONOTONIC ns."""

    fault: str
    pid: int
    before_ns: int
    """Nothing had happened yet."""
    after_ns: int
    """The kernel, or the gateway, had taken it; it acts within the next scheduling decisions."""
    ended_ns: int | None = None
    """When it ended by itself; None: not yet, or it never does."""
    truth: dict[str, float] = field(default_factory=dict)
    """What is known of it by itself, units in the names; whole once the fault is undone."""
    acting: Callable[[], bool] = lambda: False
    """Tells whether it still is to do what it does, so that good service meanwhile says nothing yet."""


Fault = Callable[[Target], AbstractContextManager[Strike]]


def struck(fault: str, target: Target, before_ns: int, **truth: float) -> Strike:
    """Give the strike of a fault that has just been taken."""
    return Strike(fault, target.pid, before_ns, time.monotonic_ns(), truth=truth)


@contextmanager
def ends_after(seconds: float, strike: Strike, undo: Callable[[], object]) -> Iterator[None]:
    """Undo a fault some time after it struck, or when the block is left, whichever comes first."""

    def end() -> None:
        undo()
        strike.ended_ns = time.monotonic_ns()

    strike.acting = lambda: strike.ended_ns is None
    timer = threading.Timer(seconds - (time.monotonic_ns() - strike.after_ns) / 1e9, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if strike.ended_ns is None:
            undo()
