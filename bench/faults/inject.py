"""Faults: plain functions that strike one process, say exactly when, and are undone whatever happens.

A fault is a context manager over a process id; what it did is undone on leaving it. A new fault is a function here and
its name in `FAULTS`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

from bench.errors import GatewayDied, UnknownName


@dataclass(frozen=True)
class Strike:
    """A fault that was injected, and the instants around its system call."""

    fault: str
    pid: int
    before_ns: int
    """Nothing had happened yet."""
    after_ns: int
    """The kernel had taken it; it acts on every thread within the next scheduling decisions."""


Fault = Callable[[int], AbstractContextManager[Strike]]


@contextmanager
def none(pid: int) -> Iterator[Strike]:
    """Do nothing: the control, which shows what the instrument sees when there is nothing to see."""
    now_ns = time.monotonic_ns()
    yield Strike("none", pid, now_ns, now_ns)


@contextmanager
def sigkill(pid: int) -> Iterator[Strike]:
    """Kill the process: a crash. The truth is that it ended between the two instants; there is nothing to undo."""
    with _pidfd(pid) as process:
        yield _strike("sigkill", pid, process, signal.SIGKILL)


@contextmanager
def sigstop(pid: int) -> Iterator[Strike]:
    """Stop the process: a hang. It keeps its port and its connections, and answers nothing."""
    with _pidfd(pid) as process:
        try:
            yield _strike("sigstop", pid, process, signal.SIGSTOP)
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGCONT)


FAULTS: dict[str, Fault] = {fault.__name__: fault for fault in (none, sigkill, sigstop)}


def fault(name: str) -> Fault:
    """Give one fault; an unknown name raises `UnknownName` with the near ones."""
    if name not in FAULTS:
        raise UnknownName("fault", name, FAULTS)
    return FAULTS[name]


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


def _strike(name: str, pid: int, process: int, signal_: signal.Signals) -> Strike:
    before_ns = time.monotonic_ns()
    try:
        signal.pidfd_send_signal(process, signal_)
    except ProcessLookupError as error:
        raise _gone(pid) from error
    return Strike(name, pid, before_ns, time.monotonic_ns())


def _gone(pid: int) -> GatewayDied:
    return GatewayDied(f"Process {pid} had ended before a fault could strike it: its own log says why.")
