import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import children
from bench.errors import GatewayDied, UnknownName
from bench.faults.inject import FAULTS, fault


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = children.spawn([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def state(pid: int) -> str:
    """Give the kernel's letter for what a process does: R, S, T (stopped) or Z."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def becomes(pid: int, stopped: bool) -> bool:
    deadline = time.monotonic() + 10
    while (state(pid) == "T") != stopped and time.monotonic() < deadline:
        time.sleep(0.001)
    return (state(pid) == "T") == stopped


def test_every_fault_is_found_by_its_name() -> None:
    assert sorted(FAULTS) == ["none", "sigkill", "sigstop"]
    assert all(fault(name) is FAULTS[name] for name in FAULTS)


def test_an_unknown_fault_names_the_near_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean sigkill"):
        fault("sigkil")


def test_sigkill_ends_the_process_and_says_when(sleeper: subprocess.Popen[bytes]) -> None:
    ended = os.pidfd_open(sleeper.pid)
    with fault("sigkill")(sleeper.pid) as strike:
        assert select.select([ended], [], [], 10)[0]
        seen_ns = time.monotonic_ns()
    os.close(ended)
    assert sleeper.wait() == -9
    assert (strike.fault, strike.pid) == ("sigkill", sleeper.pid)
    assert strike.before_ns < strike.after_ns < seen_ns


def test_sigstop_holds_the_process_until_it_is_undone(sleeper: subprocess.Popen[bytes]) -> None:
    with fault("sigstop")(sleeper.pid):
        assert becomes(sleeper.pid, stopped=True)
    assert becomes(sleeper.pid, stopped=False)


def test_sigstop_is_undone_when_the_measurement_breaks_off(sleeper: subprocess.Popen[bytes]) -> None:
    def break_off() -> None:
        with fault("sigstop")(sleeper.pid):
            assert becomes(sleeper.pid, stopped=True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert becomes(sleeper.pid, stopped=False)


def test_undoing_sigstop_on_a_process_that_was_killed_meanwhile_is_no_error(sleeper: subprocess.Popen[bytes]) -> None:
    with fault("sigstop")(sleeper.pid):
        sleeper.kill()
        sleeper.wait()


def test_none_leaves_the_process_alone(sleeper: subprocess.Popen[bytes]) -> None:
    with fault("none")(sleeper.pid) as strike:
        assert strike.before_ns == strike.after_ns
        assert state(sleeper.pid) != "T"
    assert sleeper.poll() is None


@pytest.mark.parametrize("name", ["sigkill", "sigstop"])
def test_a_process_that_is_gone_cannot_be_struck(name: str) -> None:
    gone = children.spawn([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(GatewayDied, match="had ended"), fault(name)(gone.pid):
        pass
