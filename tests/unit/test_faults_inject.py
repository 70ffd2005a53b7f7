import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import children
from bench.control_group import control_group
from bench.errors import FaultImpossible, GatewayDied, UnknownName
from bench.faults import inject
from bench.faults.inject import FAULTS, fault
from bench.faults.target import Target
from bench.faults.upstream_stub import Mode, upstream_stub


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
    assert len(FAULTS) == 15
    assert all(fault(name) is FAULTS[name] for name in FAULTS)


def test_an_unknown_fault_names_the_near_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean sigkill"):
        fault("sigkil")


def test_sigkill_ends_the_process_and_says_when(sleeper: subprocess.Popen[bytes]) -> None:
    ended = os.pidfd_open(sleeper.pid)
    with fault("sigkill")(Target(pid=sleeper.pid)) as strike:
        assert select.select([ended], [], [], 10)[0]
        seen_ns = time.monotonic_ns()
    os.close(ended)
    assert sleeper.wait() == -9
    assert (strike.fault, strike.pid) == ("sigkill", sleeper.pid)
    assert strike.before_ns < strike.after_ns < seen_ns


def test_sigstop_holds_the_process_until_it_is_undone(sleeper: subprocess.Popen[bytes]) -> None:
    with fault("sigstop")(Target(pid=sleeper.pid)):
        assert becomes(sleeper.pid, stopped=True)
    assert becomes(sleeper.pid, stopped=False)


def test_sigstop_is_undone_when_the_measurement_breaks_off(sleeper: subprocess.Popen[bytes]) -> None:
    def break_off() -> None:
        with fault("sigstop")(Target(pid=sleeper.pid)):
            assert becomes(sleeper.pid, stopped=True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert becomes(sleeper.pid, stopped=False)


def test_undoing_sigstop_on_a_process_that_was_killed_meanwhile_is_no_error(sleeper: subprocess.Popen[bytes]) -> None:
    with fault("sigstop")(Target(pid=sleeper.pid)):
        sleeper.kill()
        sleeper.wait()


def test_none_leaves_the_process_alone(sleeper: subprocess.Popen[bytes]) -> None:
    with fault("none")(Target(pid=sleeper.pid)) as strike:
        assert strike.before_ns == strike.after_ns
        assert state(sleeper.pid) != "T"
    assert sleeper.poll() is None


@pytest.mark.parametrize("name", ["sigkill", "sigstop", "sigstop_sigcont", "crash_loop", "descriptors_exhausted"])
def test_a_process_that_is_gone_cannot_be_struck(name: str) -> None:
    gone = children.spawn([sys.executable, "-c", ""])
    gone.wait()
    with pytest.raises(GatewayDied, match="had ended"), fault(name)(Target(pid=gone.pid)):
        pass


def test_a_stop_that_heals_by_itself_lasts_as_long_as_it_says(sleeper: subprocess.Popen[bytes], monkeypatch) -> None:
    monkeypatch.setattr(inject, "STOPPED_S", 0.2)
    with fault("sigstop_sigcont")(Target(pid=sleeper.pid)) as strike:
        assert becomes(sleeper.pid, stopped=True)
        assert strike.acting()
        assert becomes(sleeper.pid, stopped=False)
    assert not strike.acting()
    assert strike.truth["stopped_ns"] == pytest.approx(strike.ended_ns - strike.after_ns, rel=0.05)
    assert strike.truth["stopped_ns"] >= 0.2e9


def test_a_stop_that_heals_by_itself_is_undone_when_the_measurement_breaks_off(sleeper) -> None:
    def break_off() -> None:
        with fault("sigstop_sigcont")(Target(pid=sleeper.pid)):
            assert becomes(sleeper.pid, stopped=True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert becomes(sleeper.pid, stopped=False)


def test_a_crash_loop_says_how_many_starts_are_to_fail_and_forgets_it_when_it_is_over(sleeper) -> None:
    target = Target(pid=sleeper.pid)
    with fault("crash_loop")(target) as strike:
        assert target.failing_starts == inject.FAILING_STARTS == 2
        target.failing_starts -= 1
    assert strike.truth == {"failed_starts": 1}
    assert target.failing_starts == 0


OPENS = """
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    try:
        listener.accept()[0].close()
    except OSError:
        time.sleep(0.005)
"""


def test_a_process_without_descriptors_accepts_nobody_until_it_is_undone() -> None:
    process = children.spawn([sys.executable, "-c", OPENS], stdout=subprocess.PIPE)
    port = int(process.stdout.readline())

    def accepts(within_s: float) -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=within_s) as connection:
            try:
                return connection.recv(1) == b""
            except TimeoutError:
                return False

    try:
        assert accepts(5)
        with fault("descriptors_exhausted")(Target(pid=process.pid)):
            # One that waits in accept(2) has had its descriptor since it began to wait.
            accepts(5)
            assert not accepts(0.3)
        assert accepts(5)
    finally:
        children.stop(process, 0.0)
        process.stdout.close()


@pytest.mark.parametrize("name", ["out_of_memory", "cpu_starved", "upstream_slow", "upstream_black_hole"])
def test_a_fault_of_what_is_not_there_says_so(sleeper, name: str) -> None:
    with pytest.raises(FaultImpossible, match=r"control group|no upstream"), fault(name)(Target(pid=sleeper.pid)):
        pass


SPINS = "import os; print(os.getpid(), flush=True)\nwhile True: pass"


def test_a_starved_process_is_held_back_as_long_as_its_truth_says_and_its_group_is_gone_afterwards(monkeypatch) -> None:
    monkeypatch.setattr(inject, "STARVED_S", 1.0)
    with control_group() as group:
        folders = [file.parent for file in group.joins]
        try:
            group.limit_processors(None)
        except FaultImpossible as error:
            pytest.skip(str(error))
        process = children.spawn([sys.executable, "-c", SPINS], joins=group.joins, stdout=subprocess.PIPE)
        process.stdout.readline()
        with fault("cpu_starved")(Target(pid=process.pid, group=group)) as strike:
            while strike.acting():
                time.sleep(0.01)
        # Left to die with its group.
        process.stdout.close()
    # What wants a whole processor and gets a fiftieth waits nearly all of the time.
    assert 0.8 < strike.truth["throttled_ns"] / (strike.ended_ns - strike.after_ns) < 1.02
    assert process.wait(5) == -9
    assert folders
    assert not any(folder.exists() for folder in folders)


GROWS = """
import time
held = []
print("grows", flush=True)
while True:
    held.append(bytearray(1 << 20))
    time.sleep(0.001)
"""


def test_the_kernel_ends_who_exceeds_the_limit_of_its_group_and_counts_it() -> None:
    with control_group() as group:
        try:
            group.limit_memory(64 << 20)
        except FaultImpossible as error:
            pytest.skip(str(error))
        process = children.spawn([sys.executable, "-c", GROWS], joins=group.joins, stdout=subprocess.DEVNULL)
        assert process.wait(60) == -9
        assert group.oom_kills() == 1


def asked(connection: socket.socket, within_s: float = 5.0) -> bytes | None:
    """Give what the upstream answers on a connection: None when nothing comes, b"" when it closes."""
    connection.settimeout(within_s)
    try:
        connection.sendall(b"GET /catalog/probe HTTP/1.1\r\nHost: u\r\n\r\n")
        return connection.recv(4096)
    except TimeoutError:
        return None
    except ConnectionError:
        return b""


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        (Mode.OK, b"HTTP/1.1 200"), (Mode.ERROR, b"HTTP/1.1 503"), (Mode.RESET, b""), (Mode.HUNG, None),
        (Mode.SLOW, None), (Mode.BLACK_HOLE, None),
    ],
)  # fmt: skip
def test_an_upstream_does_as_it_is_told_and_serves_again_afterwards(mode: Mode, seen: bytes | None) -> None:
    with upstream_stub() as stub:
        address = ("127.0.0.1", int(stub.url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=5) as connection:
            assert asked(connection).startswith(b"HTTP/1.1 200")
            stub.change(mode)
            said = asked(connection, 0.2 if seen is None else 5)
            assert said == seen if not seen else said.startswith(seen)
            _, requests = stub.change(Mode.OK)
            # Dropped packets are no request that was taken.
            assert requests == (0 if mode is Mode.BLACK_HOLE else 1)
        with socket.create_connection(address, timeout=5) as another:
            assert asked(another).startswith(b"HTTP/1.1 200")


def test_nobody_connects_to_an_upstream_that_is_out_of_reach_and_what_was_sent_arrives_once_it_is_back() -> None:
    with upstream_stub() as stub:
        address = ("127.0.0.1", int(stub.url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=5) as kept:
            assert asked(kept).startswith(b"HTTP/1.1 200")
            stub.change(Mode.BLACK_HOLE)
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.2)
            assert asked(kept, 0.2) is None
            stub.change(Mode.OK)
            # The kernel sends again what was never acknowledged.
            kept.settimeout(10)
            assert kept.recv(4096).startswith(b"HTTP/1.1 200")
