"""What kubelet would decide, and when: events in, actions out, no clock and no process of its own.

Every method takes the instant at which its event happened, so the same decisions run against CLOCK_MONOTONIC
(`bench.faults.supervisor`) and against a virtual clock.

Sources, in kubernetes/kubernetes: probes `pkg/kubelet/prober/worker.go` (`doProbe`), back-off
`pkg/kubelet/kuberuntime/kuberuntime_manager.go` (`doBackOff`) with client-go's `util/flowcontrol/backoff.go`, learning
of an exit `pkg/kubelet/pleg/generic.go` (`Relist`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from bench.faults.policy import Policy, Probe

NS = 1_000_000_000


class Action(StrEnum):
    """What the supervisor is to do now."""

    START = "start"
    TERMINATE = "terminate"
    KILL = "kill"
    PROBE_STARTUP = "probe_startup"
    PROBE_LIVENESS = "probe_liveness"
    PROBE_READINESS = "probe_readiness"


class Step(StrEnum):
    """What the supervisor did or learned, for its record."""

    CREATED = "created"
    LISTENING = "listening"
    EXITED = "exited"
    EXIT_SEEN = "exit_seen"
    STARTUP_FAILED = "startup_failed"
    LIVENESS_FAILED = "liveness_failed"
    READINESS_FAILED = "readiness_failed"
    UNHEALTHY = "unhealthy"
    TERMINATED = "terminated"
    KILLED = "killed"
    RESTART_DECIDED = "restart_decided"
    GAVE_UP = "gave_up"
    STARTED = "started"
    READY = "ready"
    UNREADY = "unready"


_FAILED = {
    Action.PROBE_STARTUP: Step.STARTUP_FAILED,
    Action.PROBE_LIVENESS: Step.LIVENESS_FAILED,
    Action.PROBE_READINESS: Step.READINESS_FAILED,
}


@dataclass(frozen=True)
class Decision:
    """One line of the supervisor's record."""

    time_ns: int
    step: Step
    due_ns: int | None = None
    """When the decided restart is due; None for every other step."""


@dataclass
class _Worker:
    """One kind of probe of one pod. Its ticks outlive the process, so a new one finds them at any phase."""

    probe: Probe
    tick_ns: int
    in_flight: bool = False
    tick_waits: bool = False
    """A tick came while a probe was in flight; the next one follows it at once."""
    on_hold: bool = False
    run: int = 0
    """How often in a row the last result came."""
    last_ok: bool | None = None

    def forget(self) -> None:
        """Forget every result, that of a probe in flight included."""
        self.in_flight = False
        self.tick_waits = False
        self.run = 0
        self.last_ok = None

    def count(self, ok: bool) -> bool:
        """Count a result; true when it has come often enough in a row to be believed."""
        self.in_flight = False
        self.run = self.run + 1 if ok == self.last_ok else 1
        self.last_ok = ok
        return self.run >= (self.probe.success_threshold if ok else self.probe.failure_threshold)

    def next_tick(self, now_ns: int) -> None:
        """Move to the first tick after `now_ns`; one tick that nobody waited for is remembered, the rest dropped."""
        self.tick_waits = self.in_flight
        period_ns = _ns(self.probe.period_s)
        self.tick_ns += ((now_ns - self.tick_ns) // period_ns + 1) * period_ns


class Kubelet:
    """The decisions about one process at a time.

    Parameters
    ----------
    policy
        Its constants.
    seed
        For the phases of the probes and of the relist, uniform over their periods.
    begin_ns
        When it begins to supervise.
    """

    def __init__(self, policy: Policy, seed: int, begin_ns: int) -> None:
        phases = random.Random(seed)
        self.policy = policy
        self.record: list[Decision] = []
        declared = zip(_FAILED, (policy.startup, policy.liveness, policy.readiness), strict=True)
        self.probes = {action: probe for action, probe in declared if probe is not None}
        self._workers = {
            action: _Worker(probe, begin_ns + int(phases.uniform(0, probe.period_s) * NS))
            for action, probe in self.probes.items()
        }
        self._relist_ns = begin_ns + int(phases.uniform(0, policy.relist_s) * NS)
        self._alive = False
        self._ending = False
        self._started = False
        self._ready = False
        self._created_ns = begin_ns
        self._exited_ns: int | None = None
        """When the last process ended, until its restart."""
        self._back_off_ns: int | None = None
        """What the next restart waits; None: it is a first one."""
        self._exit_seen_due: int | None = None
        self._kill_due: int | None = None
        self._start_due: int | None = None

    @property
    def steady(self) -> bool:
        """The process lives, is not being ended, and its last probes did not fail."""
        return self._alive and not self._ending and all(w.last_ok is not False for w in self._workers.values())

    def due_ns(self) -> int | None:
        """Give the instant at which `advance` has something to do; None: only after another event."""
        dues = [due for due in (self._exit_seen_due, self._kill_due, self._start_due) if due is not None]
        return min(dues + [w.tick_ns for w in self._workers.values()], default=None)

    def created(self, now_ns: int) -> None:
        """Take note that the process that it asked for exists; the first one is nobody's restart."""
        if self._exited_ns is not None:
            self._back_off_ns = self._next_back_off()
        self._alive, self._ending, self._ready = True, False, False
        self._started = Action.PROBE_STARTUP not in self.probes
        self._created_ns, self._exited_ns = now_ns, None
        self.forget_results()
        for worker in self._workers.values():
            worker.on_hold = False
        self._note(now_ns, Step.CREATED)

    def forget_results(self) -> None:
        """Count every probe anew."""
        for worker in self._workers.values():
            worker.forget()

    def exited(self, now_ns: int) -> None:
        """Take note that the process ended. What it killed itself it knows at once, the rest by the next relist."""
        self._note(now_ns, Step.EXITED)
        self._alive, self._exited_ns, self._kill_due = False, now_ns, None
        if self._ending or not self.policy.relist_s:
            self._learn_of_exit(now_ns)
        else:
            period_ns = _ns(self.policy.relist_s)
            self._exit_seen_due = now_ns + (self._relist_ns - now_ns) % period_ns

    def probed(self, now_ns: int, action: Action, ok: bool) -> list[Action]:
        """Take note of a probe's result."""
        worker = self._workers[action]
        if not worker.in_flight:
            return []
        if not ok:
            self._note(now_ns, _FAILED[action])
        actions = self._judge(now_ns, action, worker, ok)
        if worker.tick_waits and self._may_probe(action, worker, now_ns):
            worker.tick_waits, worker.in_flight = False, True
            actions.append(action)
        return actions

    def _judge(self, now_ns: int, action: Action, worker: _Worker, ok: bool) -> list[Action]:
        if not worker.count(ok):
            return []
        if action is Action.PROBE_READINESS:
            self._set_ready(now_ns, ok)
        elif not ok:
            worker.on_hold = True
            return self._end(now_ns)
        elif action is Action.PROBE_STARTUP:
            worker.on_hold = True
            self._started = True
            self._note(now_ns, Step.STARTED)
        return []

    def advance(self, now_ns: int) -> list[Action]:
        """Do everything that is due by now."""
        actions: list[Action] = []
        if self._exit_seen_due is not None and self._exit_seen_due <= now_ns:
            self._learn_of_exit(now_ns)
        if self._kill_due is not None and self._kill_due <= now_ns:
            self._kill_due = None
            self._note(now_ns, Step.KILLED)
            actions.append(Action.KILL)
        if self._start_due is not None and self._start_due <= now_ns:
            self._start_due = None
            actions.append(Action.START)
        for action, worker in self._workers.items():
            if worker.tick_ns <= now_ns:
                worker.next_tick(now_ns)
                if self._may_probe(action, worker, now_ns):
                    worker.in_flight = True
                    actions.append(action)
        return actions

    def note_listening(self, now_ns: int) -> None:
        """Put on record that the process took a connection; it decides nothing."""
        self._note(now_ns, Step.LISTENING)

    def _may_probe(self, action: Action, worker: _Worker, now_ns: int) -> bool:
        # Between an exit and the relist that finds it, kubelet takes the process for running and probes it.
        believed_running = self._alive or self._exit_seen_due is not None
        old_enough = now_ns - self._created_ns >= _ns(worker.probe.initial_delay_s)
        its_turn = self._started or action is Action.PROBE_STARTUP
        return believed_running and old_enough and its_turn and not worker.on_hold and not worker.in_flight

    def _end(self, now_ns: int) -> list[Action]:
        """End the process: startup or liveness failed."""
        self._note(now_ns, Step.UNHEALTHY)
        if not self._alive:
            self._learn_of_exit(now_ns)
            return []
        self._ending = True
        self._kill_due = now_ns + _ns(self.policy.grace_s)
        self._note(now_ns, Step.TERMINATED)
        return [Action.TERMINATE]

    def _learn_of_exit(self, now_ns: int) -> None:
        self._exit_seen_due = None
        self.forget_results()
        self._set_ready(now_ns, False)
        self._note(now_ns, Step.EXIT_SEEN)
        if self._exited_ns - self._created_ns > _ns(self.policy.back_off.reset_s):
            self._back_off_ns = None
        wait_ns = _ns(self.policy.back_off.initial_s) if self._back_off_ns is None else self._back_off_ns
        # Counted from the exit itself, as the container's finishing time.
        start_ns = max(now_ns, self._exited_ns + wait_ns)
        if self._too_often(start_ns):
            self._note(now_ns, Step.GAVE_UP)
            return
        self._start_due = start_ns
        self._note(now_ns, Step.RESTART_DECIDED, self._start_due)

    def _too_often(self, start_ns: int) -> bool:
        """Tell whether one more start then would be more than the policy's limit allows."""
        limit = self.policy.start_limit
        if limit is None:
            return False
        recent = [
            said for said in self.record if said.step is Step.CREATED and said.time_ns > start_ns - _ns(limit.within_s)
        ]
        return len(recent) >= limit.starts

    def _set_ready(self, now_ns: int, ready: bool) -> None:
        if ready != self._ready:
            self._ready = ready
            self._note(now_ns, Step.READY if ready else Step.UNREADY)

    def _next_back_off(self) -> int:
        if self._back_off_ns is None:
            return _ns(self.policy.back_off.first_s)
        return min(2 * self._back_off_ns, _ns(self.policy.back_off.cap_s))

    def _note(self, now_ns: int, step: Step, due_ns: int | None = None) -> None:
        self.record.append(Decision(now_ns, step, due_ns))


def _ns(seconds: float) -> int:
    return round(seconds * NS)
