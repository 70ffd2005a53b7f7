"""A mini-kubelet: the process handling around the decisions of `bench.faults.kubelet`.

It lives in its caller's event loop: the caller selects on the selector it gave, calls what it finds there, and calls
`advance` when `due_ns` has come. Never more than one instance is on the port, since the next one starts only after the
exit of the last.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from bench import children
from bench.faults.exchange import HOST, Exchange, open_socket
from bench.faults.kubelet import NS, Action, Decision, Kubelet
from bench.faults.policy import Policy
from bench.load.rows import Outcome

# Resolution of the listening instant. A refused connect costs some 30 µs, so this takes about 1.5 % of one processor
# during a start.
_LISTEN_POLL_NS = 2_000_000
_STOP_GRACE_S = 5.0
_REAP_AFTER_NS = 20_000_000
"""How long after its exit a process is reaped. A supervisor with precedence that reaps at once may wait, spinning, for a
process that has exited and needs this very processor to be done: up to a second, which is when the kernel takes it away."""
_EVER_NS = 1 << 62
_PATHS = {
    Action.PROBE_STARTUP: "/healthz",
    Action.PROBE_LIVENESS: "/healthz",
    Action.PROBE_READINESS: "/readyz",
}


class Process(Protocol):
    """What the supervisor needs of a process: a `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """Give the exit code, or None while it lives."""

    def wait(self, timeout: float | None = None) -> int:
        """Reap it and give the exit code."""

    def send_signal(self, sig: int) -> None:
        """Send a signal."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


@dataclass
class _Probe:
    exchange: Exchange
    deadline_ns: int


class Supervisor:
    """Keeps one gateway running, as a policy says.

    Parameters
    ----------
    start
        Creates the gateway's process and returns at once, without waiting until it serves.
    port
        Where the gateway listens.
    policy
        Its constants.
    seed
        For the phases of its probes and its relist.
    selector
        The caller's; every registration's data is a function without arguments, to be called when the file is ready.
    """

    def __init__(
        self, start: Callable[[], Process], port: int, policy: Policy, seed: int, selector: selectors.BaseSelector
    ) -> None:
        self._start = start
        self._port = port
        self._selector = selector
        self._kubelet = Kubelet(policy, seed, time.monotonic_ns())
        self._process: Process | None = None
        self._exits: list[tuple[int, Process]] = []
        """Instances that have exited, and from when on they are reaped."""
        self._pidfd = -1
        self._probes: dict[Action, _Probe] = {}
        self._listen_due: int | None = None
        self._listen_socket: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the instance that lives; None between two."""
        return None if self._process is None else self._process.pid

    @property
    def record(self) -> tuple[Decision, ...]:
        """Everything it did and learned so far, by time."""
        return tuple(self._kubelet.record)

    @property
    def steady(self) -> bool:
        """Nothing is under way: an instance lives, it is not being ended, and its last probes did not fail."""
        return self._kubelet.steady

    def start(self) -> None:
        """Start the first instance."""
        self._create()

    def forget_boot(self) -> None:
        """Count probes anew, now that the first instance serves: those that met it while it started are no fault's."""
        self._kubelet.forget_results()

    def due_ns(self) -> int | None:
        """Give the instant at which `advance` has something to do."""
        dues = [
            self._kubelet.due_ns(), self._listen_due, *(probe.deadline_ns for probe in self._probes.values()),
            *(due_ns for due_ns, _ in self._exits),
        ]  # fmt: skip
        return min((due for due in dues if due is not None), default=None)

    def advance(self) -> None:
        """Do everything that is due."""
        now_ns = time.monotonic_ns()
        for action in [a for a, p in self._probes.items() if p.deadline_ns <= now_ns]:
            self._result(action, ok=False)
        self._carry_out(self._kubelet.advance(now_ns))
        self._reap(now_ns)
        if self._listen_due is not None and self._listen_due <= now_ns:
            self._try_connect(now_ns)

    def stop(self) -> None:
        """End the instance and forget everything under way, a stopped process included."""
        self._cancel_probes()
        self._end_listen_watch()
        self._reap(_EVER_NS)
        if self._process is not None:
            process, self._process = self._process, None
            try:
                children.stop(process, _STOP_GRACE_S)
            finally:
                self._close_pidfd()

    def _create(self) -> None:
        self._cancel_probes()
        self._process = self._start()
        now_ns = time.monotonic_ns()
        self._pidfd = os.pidfd_open(self._process.pid)
        self._selector.register(self._pidfd, selectors.EVENT_READ, self._exited)
        self._listen_due = now_ns
        self._kubelet.created(now_ns)

    def _exited(self) -> None:
        now_ns = time.monotonic_ns()
        if self._process is None:
            return
        self._close_pidfd()
        self._exits.append((now_ns + _REAP_AFTER_NS, self._process))
        self._process = None
        self._end_listen_watch()
        self._kubelet.exited(now_ns)

    def _reap(self, now_ns: int) -> None:
        while self._exits and self._exits[0][0] <= now_ns:
            self._exits.pop(0)[1].wait()

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Action.START:
                    self._create()
                case Action.TERMINATE:
                    self._signal(signal.SIGTERM)
                case Action.KILL:
                    self._signal(signal.SIGKILL)
                case _:
                    self._probe(action)

    def _signal(self, signal_: signal.Signals) -> None:
        # Ended but not yet reaped is no error: its exit is the next event.
        if self._process is not None:
            signal.pidfd_send_signal(self._pidfd, signal_)

    def _probe(self, action: Action) -> None:
        # One whose result is forgotten may still be under way.
        self._cancel_probe(action)
        timeout_ns = round(self._kubelet.probes[action].timeout_s * NS)
        probe = _Probe(Exchange(self._port, _PATHS[action]), time.monotonic_ns() + timeout_ns)
        self._probes[action] = probe
        outcome = probe.exchange.begin()
        if outcome is not None:
            self._result(action, ok=False)
            return
        event = selectors.EVENT_WRITE if probe.exchange.connecting else selectors.EVENT_READ
        self._selector.register(probe.exchange.socket, event, partial(self._proceed, action, probe))

    def _proceed(self, action: Action, probe: _Probe) -> None:
        if self._probes.get(action) is not probe:
            return
        was_connecting = probe.exchange.connecting
        outcome = probe.exchange.proceed()
        if outcome is not None:
            self._result(action, ok=_passes(outcome, probe.exchange.status))
        elif was_connecting:
            self._selector.modify(probe.exchange.socket, selectors.EVENT_READ, partial(self._proceed, action, probe))

    def _result(self, action: Action, *, ok: bool) -> None:
        self._cancel_probe(action)
        self._carry_out(self._kubelet.probed(time.monotonic_ns(), action, ok))

    def _cancel_probes(self) -> None:
        for action in list(self._probes):
            self._cancel_probe(action)

    def _cancel_probe(self, action: Action) -> None:
        if action not in self._probes:
            return
        exchange = self._probes.pop(action).exchange
        if exchange.socket in self._selector.get_map():
            self._selector.unregister(exchange.socket)
        exchange.close()

    def _try_connect(self, now_ns: int) -> None:
        """See whether the instance takes connections yet."""
        if self._listen_socket is None:
            self._listen_socket = open_socket()
        code = self._listen_socket.connect_ex((HOST, self._port))
        if code in (0, errno.EISCONN):
            self._end_listen_watch()
            self._kubelet.note_listening(time.monotonic_ns())
            return
        if code not in (errno.EINPROGRESS, errno.EALREADY):
            self._listen_socket.close()
            self._listen_socket = None
        self._listen_due = now_ns + _LISTEN_POLL_NS

    def _end_listen_watch(self) -> None:
        self._listen_due = None
        if self._listen_socket is not None:
            self._listen_socket.close()
            self._listen_socket = None

    def _close_pidfd(self) -> None:
        self._selector.unregister(self._pidfd)
        os.close(self._pidfd)


def _passes(outcome: Outcome, status: int) -> bool:
    """Tell whether kubelet would take the answer for a success: any status from 200 to 399."""
    return outcome is Outcome.OK or (outcome is Outcome.ERROR and 200 <= status < 400)
