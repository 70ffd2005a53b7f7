"""Outages of known length against the whole instrument: real processes, real sockets, the clock of the machine."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import children
from bench.errors import GatewayDied
from bench.faults.inject import fault
from bench.faults.kubelet import NS, Step
from bench.faults.policy import Policy, policy
from bench.faults.recover import RecoveryResult, run_fault
from bench.faults.target import Fault, Target
from bench.prove import recovery
from bench.prove.scripted_gateway import ALWAYS, NEVER, ScriptedGateway, Timeline

INTERVAL_NS = 20_000_000
RATE_PER_NS = 100 / NS
"""Probes of both streams."""
MACHINE_S = 0.2
"""What starting and signalling processes may take on a busy machine; every wait told apart by it is longer."""

NONE = policy("none")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Callable[..., ScriptedGateway]]:
    made: list[ScriptedGateway] = []

    def make(after_restart: Timeline, crashes: int = 0) -> ScriptedGateway:
        made.append(ScriptedGateway(tmp_path, after_restart, crashes))
        return made[-1]

    yield make
    left = [p.pid for g in made for p in g.processes if Path(f"/proc/{p.pid}").exists()]
    assert left == [], "a process was left behind"


def recover(
    gateway: ScriptedGateway,
    fault_: str = "sigkill",
    policy_: Policy = NONE,
    horizon_s: float = 15,
    sustain_s: float = 1,
    **more: object,
) -> RecoveryResult:
    return run_fault(
        gateway.start,
        Target(gateway.port),
        fault(fault_),
        policy_,
        horizon_s,
        1,
        sustain_s,
        warm_up_s=0.3,
        seed=3,
        **more,
    )


def steps(result: RecoveryResult, step: Step) -> list[int]:
    return [d.time_ns for d in result.decisions if d.step is step and d.time_ns >= result.fault["inject_ns"]]


def test_scripted_outages_are_seen_as_they_were(tmp_path: Path) -> None:
    """Of a known length, flapping, with a slow return, and one that never ends."""
    made = list(recovery.outages(tmp_path))
    assert [proof for proof in made if not proof.holds] == []
    assert len(made) == 13


def test_without_a_fault_there_is_no_outage(gateway: Callable) -> None:
    result = recover(gateway(ALWAYS), "none", policy("aggressive"), sustain_s=3)
    found = result.fault
    assert (found["impact_ns"], found["detect_ns"], found["exec_ns"], found["first_ok_ns"]) == (None,) * 4
    assert found["probes_lost"] == 0
    assert not found["censored"]
    assert set(result.probes["outcome"].to_pylist()) == {"ok"}


def test_a_hang_takes_detection_grace_and_a_restart(gateway: Callable) -> None:
    scripted = gateway(ALWAYS)
    found = recover(scripted, "sigstop", policy("aggressive")).fault
    (opened_ns,) = scripted.instants("open")
    # Of the aggressive policy: U(0, 1) + 1 + 0.5 s until it is found, 1 s of grace; and what the machine takes.
    assert 1.5 <= (found["detect_ns"] - found["inject_ns"]) / NS <= 2.5 + MACHINE_S
    assert 1 <= (found["exec_ns"] - found["act_ns"]) / NS <= 1 + MACHINE_S
    assert 0 <= found["impact_ns"] - found["inject_ns"] <= INTERVAL_NS
    assert found["inject_ns"] < found["detect_ns"] <= found["act_ns"] <= found["exec_ns"] < found["listen_ns"]
    assert abs(found["listen_ns"] - opened_ns) <= INTERVAL_NS
    assert abs(found["first_ok_ns"] - opened_ns) <= INTERVAL_NS
    assert found["probes_lost"] == pytest.approx((opened_ns - found["inject_ns"]) * RATE_PER_NS, rel=0.02)


def test_a_hang_that_nobody_ends_is_censored_and_its_process_is_not_left_stopped(gateway: Callable) -> None:
    scripted = gateway(ALWAYS)
    result = recover(scripted, "sigstop", horizon_s=2)
    assert result.fault["censored"]
    assert (result.fault["detect_ns"], result.fault["exec_ns"]) == (None, None)
    lost = np.array(result.probes["outcome"].to_pylist()) == "timeout"
    assert lost.sum() == result.fault["probes_lost"] == pytest.approx(200, rel=0.02)
    last_ns = result.probes["intended_ns"].to_numpy()[-1]
    assert 0 <= result.fault["inject_ns"] + result.fault["horizon_ns"] - last_ns <= INTERVAL_NS
    # It was continued and obeyed SIGTERM: had it been left stopped, only SIGKILL would have ended it.
    assert scripted.processes[0].returncode == -signal.SIGTERM


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_crash_at_start_costs_the_back_off(gateway: Callable, crashes: int) -> None:
    scripted = gateway(ALWAYS, crashes)
    result = recover(scripted, "sigkill", policy("aggressive"))
    exits, starts = steps(result, Step.EXITED), steps(result, Step.CREATED)
    waits = [(start - exit_) / NS for exit_, start in zip(exits, starts, strict=True)]
    # The first restart is immediate, the next waits 0.5 s, then twice that.
    assert waits == [pytest.approx(wait, abs=MACHINE_S) for wait in (0, 0.5, 1)[: crashes + 1]]
    assert len(scripted.processes) == crashes + 2
    assert result.fault["exec_ns"] == starts[-1]
    assert abs(result.fault["first_ok_ns"] - scripted.instants("open")[0]) <= INTERVAL_NS


def test_the_relist_delay_comes_from_the_policy_and_not_from_the_exit(gateway: Callable) -> None:
    slow_to_see = replace(NONE, relist_s=1)
    result = recover(gateway(ALWAYS), policy_=slow_to_see)
    (exited_ns,), (seen_ns,) = steps(result, Step.EXITED), steps(result, Step.EXIT_SEEN)
    # The exit itself is seen by pidfd at once.
    assert exited_ns - result.fault["inject_ns"] < MACHINE_S * NS
    assert 0 <= seen_ns - exited_ns <= (1 + MACHINE_S) * NS
    assert result.fault["detect_ns"] == seen_ns


def test_a_gateway_that_ends_at_start_is_an_error_and_not_a_recovery(gateway: Callable) -> None:
    scripted = gateway(ALWAYS)
    scripted.start = lambda: (
        scripted.processes.append(children.spawn([sys.executable, "-c", ""])) or scripted.processes[-1]
    )
    with pytest.raises(GatewayDied, match="ended at start"):
        recover(scripted)


def test_breaking_off_leaves_no_process_behind(gateway: Callable) -> None:
    scripted = gateway(NEVER)

    def interrupted(fault_: Fault) -> Fault:
        def strike_and_be_interrupted(target: Target):
            timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
            timer.start()
            return fault_(target)

        return strike_and_be_interrupted

    with pytest.raises(KeyboardInterrupt):
        run_fault(scripted.start, Target(scripted.port), interrupted(fault("sigstop")), NONE, 10, 0.5, warm_up_s=0.2)
    assert [process.poll() for process in scripted.processes] == [-signal.SIGTERM]


def test_the_proofs_hold_in_short(tmp_path: Path) -> None:
    short = (("aggressive", "sigstop"), ("systemd", "sigkill"))
    made = [*recovery.decisions(), *recovery.replays(tmp_path, short, runs=1), *recovery.quiet(tmp_path, 4.0)]
    assert [proof for proof in made if not proof.holds] == []
    assert len(made) == 17
