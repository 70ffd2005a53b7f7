"""Faults of the gateway itself: plain functions that strike, say exactly when, and are undone whatever happens.

A fault is a context manager over a target; what it did is undone on leaving it. A new fault is a function, here or beside
those of the upstream, and its name in `FAULTS`.
"""

from __future__ import annotations

import http
import http.client
import json
import os
import resource
import select
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from bench.errors import FaultImpossible, GatewayDied, UnknownName
from bench.faults import upstream_faults
from bench.faults.exchange import HOST
from bench.faults.target import DEFAULT_PATH, Fault, Strike, Target, ends_after, struck
from bench.faults.upstream_stub import PATH as UPSTREAM_PATH

STOPPED_S = 1.0
BLOCKED_S = 1.0
STARVED_S = 2.0
STARVED_TO = 0.02
"""Processors' worth of time that a starved gateway may use."""
FAILING_STARTS = 2
EXIT_CODE = 3
LEAK_MIB_PER_S = 256
MEMORY_LIMIT_OVER_BUDGET = 1.5
"""A limit leaves room beside the heap, as a container's does."""
_MIB = 1 << 20
_TAKES_S = 1.0
"""How long a gateway that serves may take to accept an order."""


@contextmanager
def none(target: Target) -> Iterator[Strike]:
    """Do nothing: the control, which shows what the instrument sees when there is nothing to see."""
    now_ns = time.monotonic_ns()
    yield Strike("none", target.pid, now_ns, now_ns)


@contextmanager
def sigkill(target: Target) -> Iterator[Strike]:
    """Kill the process: a crash. The truth is that it ended between the two instants; there is nothing to undo."""
    with _pidfd(target.pid) as process:
        yield _signalled("sigkill", target, process, signal.SIGKILL)


@contextmanager
def sigstop(target: Target) -> Iterator[Strike]:
    """Stop the process: a hang. It keeps its port and its connections, and answers nothing."""
    with _pidfd(target.pid) as process:
        try:
            yield _signalled("sigstop", target, process, signal.SIGSTOP)
        finally:
            _continue(process)


@contextmanager
def sigstop_sigcont(target: Target) -> Iterator[Strike]:
    """Stop the process and let it run again after `STOPPED_S`: a hang that heals by itself."""
    with _pidfd(target.pid) as process:
        strike = _signalled("sigstop_sigcont", target, process, signal.SIGSTOP)

        def undo() -> None:
            if _continue(process):
                strike.truth["stopped_ns"] = time.monotonic_ns() - strike.after_ns

        with ends_after(STOPPED_S, strike, undo):
            yield strike


@contextmanager
def blocked_workers(target: Target) -> Iterator[Strike]:
    """Have every worker spin for `BLOCKED_S`. The truth is the handler's own clock, unless the process was ended meanwhile."""
    before_ns = time.monotonic_ns()
    with _ordered(target, f"/__fault/block?ms={BLOCKED_S * 1e3:.0f}&workers={target.workers}") as order:
        strike = struck("blocked_workers", target, before_ns)
        ends_ns = strike.after_ns + round(BLOCKED_S * 1e9)
        strike.acting = lambda: time.monotonic_ns() < ends_ns
        yield strike
        if said := _answer(order):
            strike.ended_ns = max(block["end_ns"] for block in said["blocked"])
            strike.truth["blocked_ns"] = max(block["end_ns"] - block["start_ns"] for block in said["blocked"])


@contextmanager
def exit_under_load(target: Target) -> Iterator[Strike]:
    """Have the process exit by itself, at once and without a word."""
    before_ns = time.monotonic_ns()
    with _pidfd(target.pid) as process, _ordered(target, f"/__fault/exit?code={EXIT_CODE}"):
        strike = struck("exit_under_load", target, before_ns, exit_code=EXIT_CODE)
        strike.acting = lambda: _lives(process)
        yield strike


@contextmanager
def crash_loop(target: Target) -> Iterator[Strike]:
    """Kill the process, and have its next `FAILING_STARTS` starts fail."""
    target.failing_starts = FAILING_STARTS
    try:
        with _pidfd(target.pid) as process:
            strike = _signalled("crash_loop", target, process, signal.SIGKILL)
            yield strike
            strike.truth["failed_starts"] = FAILING_STARTS - target.failing_starts
    finally:
        target.failing_starts = 0


@contextmanager
def out_of_memory(target: Target) -> Iterator[Strike]:
    """Leak until memory is out, under a limit for the whole control group. The truth is the kernel's count of kills.

    Whether the kernel ends the process, the runtime does, or it lives on with a full heap is the runtime's own.
    """
    group = target.in_group()
    limit_bytes = round(target.memory_budget_mib * _MIB * MEMORY_LIMIT_OVER_BUDGET)
    killed_before = group.oom_kills()
    group.limit_memory(limit_bytes)
    try:
        before_ns = time.monotonic_ns()
        with _pidfd(target.pid) as process, _ordered(target, f"/__fault/leak?mib_per_s={LEAK_MIB_PER_S}") as order:
            _answer(order)
            strike = struck("out_of_memory", target, before_ns, limit_bytes=limit_bytes)
            strike.acting = lambda: _lives(process)
            yield strike
            strike.truth |= {
                "oom_kills": group.oom_kills() - killed_before,
                "process_ended": float(not _lives(process)),
            }
    finally:
        group.limit_memory(None)


@contextmanager
def descriptors_exhausted(target: Target) -> Iterator[Strike]:
    """Let the process open no descriptor more: connections that stand go on, and none can be accepted."""
    with _pidfd(target.pid) as process:
        before_ns = time.monotonic_ns()
        try:
            soft, hard = resource.prlimit(target.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(target.pid, resource.RLIMIT_NOFILE, (0, hard))
        except ProcessLookupError as error:
            raise _gone(target.pid) from error
        strike = struck("descriptors_exhausted", target, before_ns, descriptors=0)
        try:
            yield strike
        finally:
            if _lives(process):
                with suppress(ProcessLookupError):
                    resource.prlimit(target.pid, resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def cpu_starved(target: Target) -> Iterator[Strike]:
    """Leave the gateway `STARVED_TO` of a processor for `STARVED_S`. The truth is how long its quota held it back."""
    group = target.in_group()
    throttled_ns = group.throttled_ns()
    before_ns = time.monotonic_ns()
    group.limit_processors(STARVED_TO)
    strike = struck("cpu_starved", target, before_ns, processors=STARVED_TO)
    with ends_after(STARVED_S, strike, lambda: group.limit_processors(None)):
        yield strike
        strike.truth["throttled_ns"] = group.throttled_ns() - throttled_ns


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        none, sigkill, sigstop, sigstop_sigcont, blocked_workers, exit_under_load, crash_loop, out_of_memory,
        descriptors_exhausted, cpu_starved, *upstream_faults.ALL,
    )
}  # fmt: skip
_OF_THE_UPSTREAM = frozenset(fault.__name__ for fault in upstream_faults.ALL)
_OF_A_GROUP = frozenset(fault.__name__ for fault in (out_of_memory, cpu_starved))


def fault(name: str) -> Fault:
    """Give one fault by its name; an unknown name raises `UnknownName` with the near ones."""
    if name not in FAULTS:
        raise UnknownName("fault", name, FAULTS)
    return FAULTS[name]


def needs_upstream(name: str) -> bool:
    """Tell whether a fault strikes the gateway's upstream."""
    return name in _OF_THE_UPSTREAM


def needs_group(name: str) -> bool:
    """Tell whether a fault limits the control group of the gateway."""
    return name in _OF_A_GROUP


def probed_path(name: str) -> str:
    """Give the path whose answers show a fault."""
    return UPSTREAM_PATH if needs_upstream(name) else DEFAULT_PATH


@contextmanager
def _pidfd(pid: int) -> Iterator[int]:
    try:
        opened = os.pidfd_open(pid)
    except ProcessLookupError as error:
        raise _gone(pid) from error
    try:
        yield opened
    finally:
        os.close(opened)


def _signalled(name: str, target: Target, process: int, signal_: signal.Signals) -> Strike:
    before_ns = time.monotonic_ns()
    try:
        signal.pidfd_send_signal(process, signal_)
    except ProcessLookupError as error:
        raise _gone(target.pid) from error
    return struck(name, target, before_ns)


def _continue(process: int) -> bool:
    """Let a process run again; tells whether there still was one."""
    try:
        signal.pidfd_send_signal(process, signal.SIGCONT)
    except ProcessLookupError:
        return False
    return True


def _lives(process: int) -> bool:
    """Tell whether the process of a pidfd has not ended: the descriptor becomes readable when it has."""
    return not select.select([process], [], [], 0)[0]


@contextmanager
def _ordered(target: Target, path: str) -> Iterator[http.client.HTTPConnection]:
    """Order a fault from the gateway itself, and give the connection that its answer comes on, if one does."""
    with closing(http.client.HTTPConnection(HOST, target.port, timeout=_TAKES_S)) as connection:
        try:
            connection.request("POST", path)
        except OSError as error:
            raise GatewayDied(f"The gateway did not take the order {path}: {error}. Its log says why.") from error
        yield connection


def _answer(connection: http.client.HTTPConnection) -> dict[str, Any] | None:
    """Give what a gateway says of an order; None when it ended, or was ended, before it could.

    Raises
    ------
    FaultImpossible
        It refuses.
    """
    try:
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    if answer.status >= http.HTTPStatus.MULTIPLE_CHOICES:
        raise FaultImpossible(f"The gateway refuses the fault ({answer.status} {said.decode(errors='replace')}).")
    return json.loads(said)


def _gone(pid: int) -> GatewayDied:
    return GatewayDied(f"Process {pid} had ended before a fault could strike it: its own log says why.")
