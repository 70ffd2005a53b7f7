"""Kubelet's decisions against tables worked out by hand from its constants, on a virtual clock."""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import mean

import pytest

from bench.faults.kubelet import NS, Action, Kubelet, Step
from bench.faults.policy import Policy, policy

KUBERNETES = policy("kubernetes")
PROMPT = replace(KUBERNETES, relist_s=0)
"""Learns of an exit at once, so that the back-off stands alone."""


@dataclass(frozen=True)
class Life:
    """What a process does, in seconds after its creation."""

    crashes: float = inf
    hangs: float = inf
    resumes: float = inf
    not_ready_until: float = 0
    dead_to_liveness: bool = False
    drains: float = 0
    """How long it takes to end after SIGTERM."""

    def hung(self, age: float) -> bool:
        return self.hangs <= age < self.resumes


Entry = tuple[float, Step]


def supervise(policy_: Policy, lives: Sequence[Life], until_s: float, seed: int = 0) -> list[Entry]:
    """Run processes with these lives (the last one again and again) and give the record in seconds."""
    kubelet = Kubelet(policy_, seed, 0)
    to_come = itertools.chain(lives, itertools.repeat(lives[-1]))
    pending: list[tuple[int, int, Callable[[int], None]]] = []
    numbers = itertools.count()
    now_ns, created_ns, life, instance = 0, 0, None, 0

    def at(time_ns: float, event: Callable[[int], None]) -> None:
        if time_ns != inf:
            heapq.heappush(pending, (round(time_ns), next(numbers), event))

    def create(now_ns: int) -> None:
        nonlocal life, created_ns, instance
        assert life is None, "two instances on one port"
        life, created_ns, instance = next(to_come), now_ns, instance + 1
        kubelet.created(now_ns)
        at(now_ns + life.crashes * NS, end(instance))

    def end(which: int) -> Callable[[int], None]:
        def ended(now_ns: int) -> None:
            nonlocal life
            if instance == which and life is not None:
                life = None
                kubelet.exited(now_ns)

        return ended

    def probe(action: Action, now_ns: int) -> None:
        def answer(ok: bool) -> Callable[[int], None]:
            return lambda now_ns: carry_out(kubelet.probed(now_ns, action, ok), now_ns)

        age = (now_ns - created_ns) / NS
        if life is None:
            at(now_ns, answer(False))
        elif life.hung(age):
            at(now_ns + kubelet.probes[action].timeout_s * NS, answer(False))
        else:
            live, ready = not life.dead_to_liveness, age >= life.not_ready_until
            at(now_ns, answer(ready if action is Action.PROBE_READINESS else live))

    def carry_out(actions: list[Action], now_ns: int) -> None:
        for action in actions:
            if action is Action.START:
                create(now_ns)
            elif action is Action.KILL:
                at(now_ns, end(instance))
            elif action is Action.TERMINATE and not life.hung((now_ns - created_ns) / NS):
                at(now_ns + life.drains * NS, end(instance))
            elif action in kubelet.probes:
                probe(action, now_ns)

    create(0)
    while True:
        own, others = kubelet.due_ns(), pending[0][0] if pending else None
        now_ns = min((t for t in (own, others) if t is not None), default=inf)
        if now_ns > until_s * NS:
            return [(d.time_ns / NS, d.step) for d in kubelet.record]
        if others == now_ns:
            heapq.heappop(pending)[2](now_ns)
        else:
            carry_out(kubelet.advance(now_ns), now_ns)


def times(record: list[Entry], step: Step) -> list[float]:
    return [time for time, found in record if found is step]


def test_a_crash_loop_waits_0_10_30_70_150_310_s_in_total() -> None:
    record = supervise(PROMPT, [Life(crashes=0)], until_s=400)
    assert times(record, Step.CREATED) == [0, 0, 10, 30, 70, 150, 310]


def test_the_back_off_counts_from_the_exit_and_stops_doubling_at_300_s() -> None:
    record = supervise(PROMPT, [Life(crashes=5)], until_s=3000)
    exits, starts = times(record, Step.EXITED), times(record, Step.CREATED)[1:]
    waits = [start - exit_ for exit_, start in zip(exits, starts, strict=False)]
    assert waits[:9] == [0, 10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(("lived_s", "waits_s"), [(600, 20), (601, 0)])
def test_a_process_that_lived_more_than_600_s_is_forgiven(lived_s: float, waits_s: float) -> None:
    record = supervise(PROMPT, [Life(crashes=1), Life(crashes=1), Life(crashes=lived_s), Life()], until_s=1000)
    assert times(record, Step.CREATED)[3] - times(record, Step.EXITED)[2] == waits_s


def test_after_forgiveness_the_back_off_begins_anew_with_10_s() -> None:
    lives = [Life(crashes=0)] * 4 + [Life(crashes=601), Life(crashes=0), Life(crashes=0), Life()]
    record = supervise(PROMPT, lives, until_s=1000)
    exits, starts = times(record, Step.EXITED), times(record, Step.CREATED)[1:]
    assert [start - exit_ for exit_, start in zip(exits, starts, strict=True)] == [0, 10, 20, 40, 0, 10, 20]


def test_an_exit_is_seen_at_the_next_relist_half_a_period_late_on_average() -> None:
    delays = []
    for seed in range(400):
        record = supervise(KUBERNETES, [Life(crashes=100.3), Life()], until_s=150, seed=seed)
        delays.append(times(record, Step.EXIT_SEEN)[0] - 100.3)
        assert times(record, Step.CREATED)[1] == times(record, Step.EXIT_SEEN)[0]
    # Uniform over [0, 1): the mean of 400 has a standard error of 0.0144.
    assert 0 <= min(delays) < 0.02
    assert 0.98 < max(delays) < 1
    assert mean(delays) == pytest.approx(0.5, abs=0.05)


def test_a_hang_is_found_after_21_to_31_s_and_ended_30_s_later() -> None:
    found = []
    for seed in range(400):
        record = supervise(KUBERNETES, [Life(hangs=100), Life()], until_s=200, seed=seed)
        (unhealthy,) = times(record, Step.UNHEALTHY)
        (killed,) = times(record, Step.KILLED)
        assert times(record, Step.LIVENESS_FAILED) == pytest.approx([unhealthy - 20, unhealthy - 10, unhealthy])
        assert killed == pytest.approx(unhealthy + 30)
        # What it killed itself it restarts without waiting for a relist.
        assert times(record, Step.CREATED)[1] == killed
        found.append(unhealthy - 100)
    # U(0, 10) + 2·10 + 1: the mean of 400 is 26 with a standard error of 0.144.
    assert 21 <= min(found) < 21.2
    assert 30.8 < max(found) < 31
    assert mean(found) == pytest.approx(26, abs=0.5)


@pytest.mark.parametrize(("drains_s", "ends_after_s", "kills"), [(5, 5, 0), (31, 30, 1)])
def test_a_process_has_30_s_to_end_before_it_is_killed(drains_s: float, ends_after_s: float, kills: int) -> None:
    record = supervise(KUBERNETES, [Life(dead_to_liveness=True, drains=drains_s), Life()], until_s=100)
    (terminated,) = times(record, Step.TERMINATED)
    assert times(record, Step.EXITED) == [pytest.approx(terminated + ends_after_s)]
    assert len(times(record, Step.KILLED)) == kills


@pytest.mark.parametrize("seed", range(20))
def test_two_failed_probes_are_forgiven(seed: int) -> None:
    # A hang of 19 s covers at most two ticks of a period of 10 s.
    record = supervise(KUBERNETES, [Life(hangs=50, resumes=69)], until_s=200, seed=seed)
    assert times(record, Step.LIVENESS_FAILED)
    assert times(record, Step.CREATED) == [0]


def test_readiness_never_ends_a_process() -> None:
    record = supervise(KUBERNETES, [Life(not_ready_until=120)], until_s=300)
    (ready,) = times(record, Step.READY)
    assert 120 <= ready < 130
    assert times(record, Step.TERMINATED) == []


def test_a_hang_makes_a_ready_process_unready() -> None:
    record = supervise(KUBERNETES, [Life(hangs=100), Life()], until_s=200)
    assert len(times(record, Step.READY)) == 2
    assert 121 <= times(record, Step.UNREADY)[0] <= 131


def test_a_process_younger_than_the_initial_delay_is_not_probed() -> None:
    slow = replace(KUBERNETES, liveness=replace(KUBERNETES.liveness, initial_delay_s=60), readiness=None)
    record = supervise(slow, [Life(hangs=0)], until_s=200)
    assert 61 <= times(record, Step.LIVENESS_FAILED)[0] <= 71


def test_a_slow_start_is_nothing_to_liveness_while_startup_waits() -> None:
    slow = Life(hangs=0, resumes=9)
    for seed in range(20):
        record = supervise(policy("aggressive"), [slow], until_s=30, seed=seed)
        assert times(record, Step.CREATED) == [0]
        assert 9 <= times(record, Step.STARTED)[0] <= 9.5
        assert times(record, Step.READY)[0] >= times(record, Step.STARTED)[0]
        impatient = supervise(replace(policy("aggressive"), startup=None), [slow], until_s=30, seed=seed)
        # U(0, 1) + 1 + 0.5 s, and 1 s of grace, over and over.
        assert 2.5 <= times(impatient, Step.CREATED)[1] <= 3.5


@pytest.mark.parametrize(("timeout_s", "found_after_s"), [(0.5, 2.5), (1, 3), (1.5, 4.5)])
def test_a_timeout_longer_than_the_period_stretches_it(timeout_s: float, found_after_s: float) -> None:
    # Period 1 s, threshold 3: a probe follows the tick, or the failure of the last one, whichever is later.
    liveness = replace(KUBERNETES.liveness, period_s=1, timeout_s=timeout_s)
    for seed in range(20):
        stretched = replace(KUBERNETES, liveness=liveness, readiness=None)
        record = supervise(stretched, [Life(hangs=10), Life()], until_s=30, seed=seed)
        assert 10 + found_after_s <= times(record, Step.UNHEALTHY)[0] <= 11 + found_after_s


def test_a_start_that_takes_too_long_is_ended() -> None:
    startup = replace(policy("aggressive").startup, period_s=1, failure_threshold=3)
    for seed in range(20):
        record = supervise(
            replace(policy("aggressive"), startup=startup), [Life(hangs=0), Life()], until_s=9, seed=seed
        )
        # U(0, 1) + 2·1 + 0.5 s.
        assert 2.5 <= times(record, Step.UNHEALTHY)[0] <= 3.5
        assert times(record, Step.LIVENESS_FAILED) == []


def test_results_that_were_forgotten_do_not_count() -> None:
    kubelet = Kubelet(replace(PROMPT, readiness=None), 0, 0)
    kubelet.created(0)
    for number in range(5):
        tick_ns = kubelet.due_ns()
        assert kubelet.advance(tick_ns) == [Action.PROBE_LIVENESS]
        # Two failures, forgotten together with the probe in flight, and two more: never three in a row.
        if number == 2:
            kubelet.forget_results()
        assert kubelet.probed(tick_ns + NS, Action.PROBE_LIVENESS, False) == []
    assert kubelet.advance(kubelet.due_ns()) == [Action.PROBE_LIVENESS]
    assert kubelet.probed(tick_ns + 11 * NS, Action.PROBE_LIVENESS, False) == [Action.TERMINATE]


def test_none_restarts_every_crash_at_once_and_leaves_a_hang_alone() -> None:
    crashing = supervise(policy("none"), [Life(crashes=3)], until_s=10)
    assert times(crashing, Step.CREATED) == [0, 3, 6, 9]
    hanging = supervise(policy("none"), [Life(hangs=3)], until_s=1000)
    assert [step for _, step in hanging] == [Step.CREATED]


def test_aggressive_finds_a_hang_within_2_5_s_and_ends_it_1_s_later() -> None:
    for seed in range(50):
        record = supervise(policy("aggressive"), [Life(hangs=10), Life()], until_s=30, seed=seed)
        (unhealthy,) = times(record, Step.UNHEALTHY)
        assert 11.5 <= unhealthy <= 12.5
        assert times(record, Step.CREATED)[1] == pytest.approx(unhealthy + 1)
