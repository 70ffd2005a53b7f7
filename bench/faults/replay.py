"""A policy on a virtual clock: when a gateway that behaves in a known way would have been back.

The decisions are those of `bench.faults.kubelet`, which has no clock of its own; here time goes from event to event, so that
hours of back-off take no time. What a runtime does is told as lives: how long after its creation a process serves, how
long it lives, and whether it heeds SIGTERM.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.faults.kubelet import NS, Action, Decision, Kubelet, Step
from bench.faults.policy import Policy

_STEADY_NS = 60 * NS
"""How long the first process has served when the fault strikes, beyond what its back-off is remembered for."""


@dataclass(frozen=True)
class Life:
    """How one process behaves, in ns after its creation."""

    serves_ns: int | None
    """It answers probes from then on; None: never."""
    ends_ns: int | None = None
    """It exits by itself then; None: it does not."""
    hangs_ns: int | None = None
    """It answers nothing from then on and heeds no SIGTERM; None: it does not hang."""
    drains_ns: int = 0
    """How long after SIGTERM it exits."""

    def hung(self, age_ns: int) -> bool:
        """Tell whether it hangs at this age."""
        return self.hangs_ns is not None and age_ns >= self.hangs_ns

    def answers(self, age_ns: int) -> bool:
        """Tell whether a probe that comes at this age is answered."""
        return self.serves_ns is not None and age_ns >= self.serves_ns and not self.hung(age_ns)


@dataclass(frozen=True)
class Recovery:
    """What came of a fault under a policy; instants in ns after the fault, None where it did not come."""

    detect_ns: int | None
    """The supervisor knew: exit seen, or the threshold-th failed probe."""
    exec_ns: int | None
    """The process was created that served in the end, or the last that was."""
    back_ns: int | None
    """Service was back; None: not within the horizon."""
    restarts: int
    record: tuple[Decision, ...]


Fault = Callable[[int], Life]
"""Gives the life of a process that serves for so many ns until the fault strikes it."""


def crash(after_ns: int) -> Life:
    """Give the life of a process that is killed."""
    return Life(0, ends_ns=after_ns)


def hang(after_ns: int) -> Life:
    """Give the life of a process that stops answering."""
    return Life(0, hangs_ns=after_ns)


def replay(policy: Policy, seed: int, fault: Fault, later: Iterable[Life], horizon_ns: int) -> Recovery:
    """Run a policy over one fault, and give what a client would have seen.

    Parameters
    ----------
    seed
        For the phases of the policy's probes and of its relist.
    fault
        What strikes the first process, once it has served for longer than the policy remembers back-offs: `crash` or `hang`.
    later
        How the processes after it behave. The last one is lived again and again.
    horizon_ns
        How long after the fault to watch.
    """
    struck_ns = round(policy.back_off.reset_s * NS) + _STEADY_NS
    return _Replay(policy, seed, itertools.chain([fault(struck_ns)], later), struck_ns).run(horizon_ns)


class _Replay:
    def __init__(self, policy: Policy, seed: int, lives: Iterable[Life], struck_ns: int) -> None:
        self._kubelet = Kubelet(policy, seed, 0)
        self._lives = iter(lives)
        self._struck_ns = struck_ns
        self._life = Life(None)
        self._created_ns = 0
        self._alive = False
        self._events: list[tuple[int, int, str, int | Action]] = []
        self._order = itertools.count()
        self._generation = 0
        """Which process lives: what was planned for an earlier one comes to nothing."""
        self._probed: dict[Action, int] = {}
        """When each probe under way was sent."""

    def run(self, horizon_ns: int) -> Recovery:
        end_ns = self._struck_ns + horizon_ns
        self._create(0)
        while True:
            dues = (self._kubelet.due_ns(), self._events[0][0] if self._events else None)
            # Who waits for nothing looks once more at the end: a process may have come to serve meanwhile.
            due_ns = min((at for at in dues if at is not None), default=end_ns)
            back_ns = self._back_by(min(due_ns, end_ns))
            if back_ns is not None or due_ns >= end_ns:
                return self._recovery(back_ns)
            while self._events and self._events[0][0] <= due_ns:
                _, _, what, of = heapq.heappop(self._events)
                self._happens(due_ns, what, of)
            self._carry_out(due_ns, self._kubelet.advance(due_ns))

    def _back_by(self, now_ns: int) -> int | None:
        """Give when the process that lives came to serve after the fault; None while none does that stays."""
        if not self._alive or self._life.serves_ns is None or self._generation == 1:
            return None
        since_ns = self._created_ns + self._life.serves_ns
        stays = self._life.ends_ns is None and self._life.hangs_ns is None
        return since_ns if stays and since_ns <= now_ns else None

    def _create(self, now_ns: int) -> None:
        self._life = next(self._lives, self._life)
        self._created_ns, self._alive = now_ns, True
        self._generation += 1
        self._probed.clear()
        self._kubelet.created(now_ns)
        if self._life.ends_ns is not None:
            self._plan(now_ns + self._life.ends_ns, "ends", self._generation)

    def _plan(self, at_ns: int, what: str, of: int | Action) -> None:
        heapq.heappush(self._events, (at_ns, next(self._order), what, of))

    def _happens(self, now_ns: int, what: str, of: int | Action) -> None:
        if what == "ends":
            if of == self._generation and self._alive:
                self._alive = False
                self._kubelet.exited(now_ns)
            return
        sent_ns = self._probed.pop(of, None)
        if sent_ns is not None:
            ok = self._alive and self._life.answers(sent_ns - self._created_ns)
            self._carry_out(now_ns, self._kubelet.probed(now_ns, of, ok))

    def _carry_out(self, now_ns: int, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Action.START:
                    self._create(now_ns)
                case Action.TERMINATE:
                    if not self._life.hung(now_ns - self._created_ns):
                        self._plan(now_ns + self._life.drains_ns, "ends", self._generation)
                case Action.KILL:
                    self._plan(now_ns, "ends", self._generation)
                case _:
                    self._probe(now_ns, action)

    def _probe(self, now_ns: int, action: Action) -> None:
        """Send a probe: it is answered or refused at once, and a hung process lets it wait until its timeout."""
        self._probed[action] = now_ns
        hung = self._alive and self._life.hung(now_ns - self._created_ns)
        timeout_ns = round(self._kubelet.probes[action].timeout_s * NS)
        self._plan(now_ns + (timeout_ns if hung else 0), "probed", action)

    def _recovery(self, back_ns: int | None) -> Recovery:
        since = [said for said in self._kubelet.record if said.time_ns >= self._struck_ns]
        detected = next((said.time_ns for said in since if said.step in (Step.EXIT_SEEN, Step.UNHEALTHY)), None)
        created = [said.time_ns for said in since if said.step is Step.CREATED]
        return Recovery(
            None if detected is None else detected - self._struck_ns,
            created[-1] - self._struck_ns if created else None,
            None if back_ns is None else back_ns - self._struck_ns,
            len(created),
            tuple(since),
        )
