"""One recovery, from a healthy gateway through one fault to service that lasts, or to the horizon."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import pyarrow as pa

from bench.errors import GatewayDied, LoadFailed
from bench.faults import events
from bench.faults.kubelet import NS, Decision, Step
from bench.faults.policy import Policy
from bench.faults.precedence import precedence
from bench.faults.prober import TIMEOUT_NS, ProberProcess, Stream
from bench.faults.supervisor import Process, Supervisor
from bench.faults.target import DEFAULT_PATH, Fault, Strike, Target
from bench.load.rows import Outcome
from bench.load.timer import Timer

_SERVES_WITHIN_S = 30
# How often the probes are looked at while waiting for something to show in them.
_LOOK_NS = 100_000_000
# After the horizon: time for the outcomes of the last probes to arrive.
_LAST_ROWS_NS = 4 * TIMEOUT_NS


@dataclass(frozen=True)
class RecoveryResult:
    """What came of one fault."""

    probes: pa.Table
    """The `probes` table from the start of the baseline, all columns but `cell_id`."""
    fault: dict[str, object]
    """The row of the `faults` table, all columns but `cell_id`."""
    decisions: tuple[Decision, ...]
    """The supervisor's record, from the first start."""
    baseline_p99_ns: int
    """99th percentile of the response time before the fault."""
    strike: Strike
    """The fault with all that is known of it by itself."""


class Load(Protocol):
    """What else asks the gateway meanwhile."""

    def begun(self) -> bool:
        """Tell whether it asks by now."""

    def end(self) -> None:
        """End it, and keep what it saw."""


class NoLoad:
    """Nobody else asks."""

    def begun(self) -> bool:
        """Nothing has to begin."""
        return True

    def end(self) -> None:
        """Nothing has to end."""


def run_fault(
    start: Callable[[], Process],
    target: Target,
    fault: Fault,
    policy: Policy,
    horizon_s: float,
    baseline_s: float = 5.0,
    sustain_s: float = 5.0,
    *,
    warm_up_s: float = 1.0,
    seed: int = 0,
    probed_path: str = DEFAULT_PATH,
    prober_cpus: Collection[int] = (),
    once_served: Callable[[], object] = lambda: None,
    load: Load | None = None,
    steady_within_s: float = 15.0,
) -> RecoveryResult:
    """Start a gateway, break it, and watch it recover.

    It ends as soon as service has lasted `sustain_s`, at the horizon at the latest. Whatever happens, the fault is
    undone and no process is left. Call it from a thread that lives as long as the cell: the kernel ties the processes
    to it.

    Parameters
    ----------
    start
        Creates the gateway's process on the target's port and returns at once; called again for every restart.
    target
        What is around it; the fault finds the process to strike there.
    fault, policy
        From `bench.faults.inject.fault` and `bench.faults.policy.policy`.
    horizon_s
        How long after the fault to watch, decided before the run; a recovery beyond it is censored.
    baseline_s
        How long service must have been good just before the fault, after `warm_up_s` that does not count.
    sustain_s
        How long service must be good to count as sustained; a fault that no client notices in this time is masked.
    seed
        For the phases of the supervisor's probes.
    probed_path
        Path whose answers show the fault.
    prober_cpus
        Processors to pin the prober to, off the gateway's; empty: not pinned.
    once_served
        Called once, when the first process serves and nothing counts yet: the place to ask it about itself.
    load
        Has begun before the baseline does, and ends before the gateway is stopped. None: nobody else asks.
    steady_within_s
        How long to wait for that good service: a runtime that has just started may not keep up with its load.

    Raises
    ------
    GatewayDied
        The gateway was not healthy before the fault.
    LoadFailed
        The prober ended, or the load did not begin.
    FaultImpossible
        The fault needs what this machine or the target has not.
    """
    load = load or NoLoad()
    horizon_ns, sustain_ns = round(horizon_s * NS), round(sustain_s * NS)
    prober = partial(ProberProcess, target.port, probed_path, prober_cpus)
    with precedence(), _watching(start, target.port, policy, seed, prober) as watch:
        watch.until_served()
        watch.supervisor.forget_boot()
        once_served()
        watch.until_loaded(load)
        watch.run(time.monotonic_ns() + round(warm_up_s * NS))
        begin_ns = watch.until_steady(round(baseline_s * NS), round(steady_within_s * NS))
        baseline_p99_ns = events.response_p99_ns(watch.probes(begin_ns))
        limit_ns = events.slow_limit_ns(baseline_p99_ns)
        target.pid = watch.healthy_pid()
        with fault(target) as strike:
            end_ns = strike.after_ns + horizon_ns
            watch.run(end_ns + _LAST_ROWS_NS, lambda: watch.is_over(begin_ns, end_ns, strike, limit_ns, sustain_ns))
        load.end()
        record, probes = watch.supervisor.record, watch.probes(begin_ns, end_ns)
    seen = events.outage(probes, strike, limit_ns, sustain_ns)
    row = events.faults_row(seen, strike, record, probes, policy.name, horizon_ns)
    return RecoveryResult(events.probes_table(probes), row, record, baseline_p99_ns, strike)


@dataclass(frozen=True)
class _Watch:
    """The event loop that supervisor and probes share."""

    supervisor: Supervisor
    prober: ProberProcess
    selector: selectors.BaseSelector
    timer: Timer

    def run(self, until_ns: int, over: Callable[[], bool] = lambda: False) -> None:
        """Run until an instant, or until something is over."""
        look_ns = time.monotonic_ns() + _LOOK_NS
        while (now_ns := time.monotonic_ns()) < until_ns:
            if now_ns >= look_ns:
                if over():
                    return
                look_ns = now_ns + _LOOK_NS
            due_ns = self.supervisor.due_ns()
            wake_ns = min(until_ns, look_ns)
            self.timer.set(wake_ns if due_ns is None else min(due_ns, wake_ns))
            for key, _ in self.selector.select():
                key.data()
            self.supervisor.advance()

    def until_served(self) -> None:
        """Run until both streams have been answered."""
        self.run(time.monotonic_ns() + _SERVES_WITHIN_S * NS, lambda: self._served() or self._has_exited())
        if self._has_exited():
            raise GatewayDied("The gateway ended at start. Its log says why.")
        if not self._served():
            raise GatewayDied(f"The gateway did not answer /healthz within {_SERVES_WITHIN_S} s. Its log may say why.")

    def until_loaded(self, load: Load) -> None:
        """Run until the load has begun, with the supervisor at work meanwhile."""
        self.run(time.monotonic_ns() + _SERVES_WITHIN_S * NS, load.begun)
        if not load.begun():
            raise LoadFailed(f"The load did not begin within {_SERVES_WITHIN_S} s. Its log may say why.")

    def until_steady(self, baseline_ns: int, within_ns: int) -> int:
        """Run until service has been good for the length of a baseline, or for so long; gives when that baseline began."""
        began_ns = time.monotonic_ns()
        self.run(began_ns + baseline_ns)
        self.run(began_ns + max(within_ns, baseline_ns), lambda: self._steady_since(time.monotonic_ns() - baseline_ns))
        return time.monotonic_ns() - baseline_ns

    def _steady_since(self, since_ns: int) -> bool:
        try:
            events.response_p99_ns(self.probes(since_ns))
        except GatewayDied:
            return False
        return self.supervisor.steady

    def healthy_pid(self) -> int:
        """Give the process to strike: the first one, or there was a fault before the fault."""
        if self._has_exited() or self.supervisor.pid is None:
            raise GatewayDied("The gateway ended by itself before the fault. Its log says why.")
        if not self.supervisor.steady:
            raise GatewayDied(
                "The supervisor found the gateway unhealthy before the fault: a probe of /healthz or /readyz failed."
            )
        return self.supervisor.pid

    def probes(self, begin_ns: int, end_ns: int | None = None) -> np.ndarray:
        """Give the probes intended from `begin_ns` to `end_ns`."""
        rows = self.prober.rows()
        until = len(rows) if end_ns is None else np.searchsorted(rows["intended_ns"], end_ns, side="right")
        return rows[np.searchsorted(rows["intended_ns"], begin_ns) : until]

    def is_over(self, begin_ns: int, end_ns: int, strike: Strike, limit_ns: int, sustain_ns: int) -> bool:
        """Tell whether service has lasted and the supervisor is at rest, or the horizon has been watched whole."""
        if time.monotonic_ns() < min(strike.after_ns + sustain_ns, end_ns):
            return False  # It cannot have lasted, and to look at an hour of probes takes a while.
        probes = self.probes(begin_ns)
        if len(probes) and probes["intended_ns"][-1] > end_ns:
            return True
        if strike.acting():
            return False
        seen = events.outage(probes, strike, limit_ns, sustain_ns)
        return seen.good_since_ns is not None and self.supervisor.steady

    def _served(self) -> bool:
        rows = self.prober.rows()
        return set(rows["stream"][rows["outcome"] == Outcome.OK]) == set(Stream)

    def _has_exited(self) -> bool:
        return any(decision.step is Step.EXITED for decision in self.supervisor.record)


@contextmanager
def _watching(
    start: Callable[[], Process], port: int, policy: Policy, seed: int, probe: Callable[[], ProberProcess]
) -> Iterator[_Watch]:
    """Start gateway and prober, and leave neither behind."""
    with selectors.DefaultSelector() as selector, closing(Timer()) as timer:
        supervisor = Supervisor(start, port, policy, seed, selector)
        try:
            supervisor.start()
            prober = probe()
            try:
                selector.register(timer.fd, selectors.EVENT_READ, _woken)
                selector.register(prober, selectors.EVENT_READ, prober.read)
                yield _Watch(supervisor, prober, selector, timer)
            finally:
                prober.stop()
        finally:
            supervisor.stop()


def _woken() -> None:
    """Nothing to do: the timer only ends the wait."""
