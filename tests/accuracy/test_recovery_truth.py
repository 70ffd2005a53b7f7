"""Outages of known length against the whole instrument: real processes, real sockets, the clock of the machine.

The scripted gateway is a process that serves on a timeline and writes down when it really opened and closed its port.
Lest its outages mix with those of a busy machine, it runs before everything else where that is allowed, and answers in
10 ms, beside which a few more are little.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import children
from bench.errors import GatewayDied
from bench.faults import events
from bench.faults.inject import Fault, fault
from bench.faults.kubelet import NS, Step
from bench.faults.policy import Policy, policy
from bench.faults.recover import RecoveryResult, run_fault

PORTS = iter(range(27100, 27200))
INTERVAL_NS = 20_000_000
RATE_PER_NS = 100 / NS
"""Probes of both streams."""
MACHINE_S = 0.2
"""What starting and signalling processes may take on a busy machine; every wait told apart by it is longer."""

GATEWAY = """
import asyncio, json, os, sys, time

try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except PermissionError:
    pass

async def main(port, truth, begin_ns, timeline):
    # timeline: [[from_s, to_s, delay_s] ...]; the port stays open between spans that meet, and for ever after null
    delay, open_connections = 0.0, set()
    answer = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"

    async def serve(reader, writer):
        open_connections.add(writer)
        try:
            while await reader.readuntil(b"\\r\\n\\r\\n"):
                await asyncio.sleep(delay)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            open_connections.discard(writer)
            writer.close()

    async def until(second):
        await asyncio.sleep((begin_ns + second * 1e9 - time.monotonic_ns()) / 1e9)

    def note(what):
        with open(truth, "a") as file:
            file.write(json.dumps([what, time.monotonic_ns()]) + "\\n")

    server = None
    following = [span[0] for span in timeline[1:]] + [None]
    for (begins, ends, delay), next_begins in zip(timeline, following):
        await until(begins)
        if server is None:
            server = await asyncio.start_server(serve, "127.0.0.1", port, reuse_address=True)
        note("open")
        await until(1e6 if ends is None else ends)
        if next_begins != ends:
            note("close")
            server.close()
            for writer in list(open_connections):
                writer.transport.abort()
            server = None

asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])))
"""
Timeline = list[tuple[float, float | None, float]]
QUICK, SLOW = 0.01, 0.1
ALWAYS: Timeline = [(0, None, QUICK)]
NEVER: Timeline = [(1000, None, QUICK)]
NONE = policy("none")


class ScriptedGateway:
    """Starts processes on one port: the first serves, the next crash at once, the last follows its timeline."""

    def __init__(self, folder: Path, after_restart: Timeline, crashes: int = 0) -> None:
        self.port = next(PORTS)
        self.processes: list[subprocess.Popen[bytes]] = []
        self._truth = folder / "truth.jsonl"
        self._after_restart = after_restart
        self._crashes = crashes

    def start(self) -> subprocess.Popen[bytes]:
        if 0 < len(self.processes) <= self._crashes:
            command = [sys.executable, "-I", "-S", "-c", "raise SystemExit(1)"]
        else:
            timeline = self._after_restart if self.processes else ALWAYS
            arguments = [str(self.port), str(self._truth), str(time.monotonic_ns()), json.dumps(timeline)]
            command = [sys.executable, "-I", "-S", "-c", GATEWAY, *arguments]
        self.processes.append(children.spawn(command))
        return self.processes[-1]

    def instants(self, what: str) -> list[int]:
        """Give when the port really opened, or closed, after the first process's opening."""
        noted = [json.loads(line) for line in self._truth.read_text().splitlines()]
        return [instant for name, instant in noted[1:] if name == what]


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
        gateway.start, gateway.port, fault(fault_), policy_, horizon_s, 1, sustain_s, warm_up_s=0.3, seed=3, **more
    )


def steps(result: RecoveryResult, step: Step) -> list[int]:
    return [d.time_ns for d in result.decisions if d.step is step and d.time_ns >= result.fault["inject_ns"]]


def test_an_outage_of_known_length_is_measured_within_one_probe_interval(gateway: Callable) -> None:
    scripted = gateway([(1.5, None, QUICK)])
    found = recover(scripted).fault
    (opened_ns,) = scripted.instants("open")
    assert 0 <= found["impact_ns"] - found["inject_ns"] <= INTERVAL_NS
    assert abs(found["first_ok_ns"] - opened_ns) <= INTERVAL_NS
    assert abs(found["sustained_ns"] - opened_ns) <= 2 * INTERVAL_NS
    assert found["probes_lost"] == pytest.approx((opened_ns - found["inject_ns"]) * RATE_PER_NS, rel=0.02)
    assert found["inject_ns"] < found["detect_ns"] <= found["act_ns"] <= found["exec_ns"] < found["listen_ns"]
    assert abs(found["listen_ns"] - opened_ns) <= INTERVAL_NS
    assert not found["censored"]


def test_flapping_does_not_pass_for_recovery_and_every_gap_is_lost(gateway: Callable) -> None:
    scripted = gateway([(1, 1.5, QUICK), (2, 2.6, QUICK), (3.2, None, QUICK)])
    found = recover(scripted).fault
    first, second, last = scripted.instants("open")
    gaps_ns = (first - found["inject_ns"]) + (second - scripted.instants("close")[0])
    gaps_ns += last - scripted.instants("close")[1]
    assert abs(found["first_ok_ns"] - first) <= INTERVAL_NS
    assert abs(found["sustained_ns"] - last) <= 2 * INTERVAL_NS
    # Each closing breaks the kept connection, and its reset may come on top of the gap.
    assert found["probes_lost"] == pytest.approx(gaps_ns * RATE_PER_NS, rel=0.02, abs=3)


def test_a_slow_return_answers_early_and_is_sustained_late(gateway: Callable) -> None:
    scripted = gateway([(1, 2.5, SLOW), (2.5, None, QUICK)])
    result = recover(scripted)
    opened_ns, quick_ns = scripted.instants("open")
    assert result.baseline_p99_ns < SLOW / 2 * NS, "this machine is too busy to tell 100 ms from the baseline"
    assert abs(result.fault["first_ok_ns"] - opened_ns) <= INTERVAL_NS
    assert abs(result.fault["sustained_ns"] - quick_ns) <= 2 * INTERVAL_NS
    assert result.fault["probes_lost"] == pytest.approx((opened_ns - result.fault["inject_ns"]) * RATE_PER_NS, rel=0.02)


def test_a_gateway_that_never_returns_is_censored_at_the_horizon(gateway: Callable) -> None:
    result = recover(gateway(NEVER), horizon_s=3)
    found = result.fault
    assert found["censored"]
    assert found["censor_reason"] == events.NEVER_ANSWERED
    assert (found["listen_ns"], found["first_ok_ns"], found["sustained_ns"]) == (None, None, None)
    assert found["exec_ns"] is not None
    assert found["probes_lost"] == pytest.approx(300, rel=0.02)
    last_ns = result.probes["intended_ns"].to_numpy()[-1]
    assert 0 <= found["inject_ns"] + found["horizon_ns"] - last_ns <= INTERVAL_NS


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
    assert abs(found["first_ok_ns"] - opened_ns) <= INTERVAL_NS
    assert found["probes_lost"] == pytest.approx((opened_ns - found["inject_ns"]) * RATE_PER_NS, rel=0.02)


def test_a_hang_that_nobody_ends_is_censored_and_its_process_is_not_left_stopped(gateway: Callable) -> None:
    scripted = gateway(ALWAYS)
    result = recover(scripted, "sigstop", horizon_s=2)
    assert result.fault["censored"]
    assert (result.fault["detect_ns"], result.fault["exec_ns"]) == (None, None)
    lost = np.array(result.probes["outcome"].to_pylist()) == "timeout"
    assert lost.sum() == result.fault["probes_lost"] == pytest.approx(200, rel=0.02)
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
        def strike_and_be_interrupted(pid: int):
            timer = threading.Timer(0.5, signal.raise_signal, (signal.SIGINT,))
            timer.start()
            return fault_(pid)

        return strike_and_be_interrupted

    with pytest.raises(KeyboardInterrupt):
        run_fault(scripted.start, scripted.port, interrupted(fault("sigstop")), NONE, 10, 0.5, warm_up_s=0.2)
    assert [process.poll() for process in scripted.processes] == [-signal.SIGTERM]
