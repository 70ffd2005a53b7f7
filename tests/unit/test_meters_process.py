"""Samples of a process and of the machine, against processes whose consumption is known."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from bench.meters import control_groups, machine, process, tables
from bench.meters.sampler import Gone, Sampler
from bench.store.schema import MACHINE, PROCESS

BURNS_IN_THREADS_THAT_END = """
import threading, time
def burn():
    end = time.thread_time() + 0.1
    while time.thread_time() < end: pass
for _ in range(8):
    thread = threading.Thread(target=burn); thread.start(); thread.join()
print(time.process_time_ns(), flush=True)
input()
"""
HOLDS_64_MIB = "block = bytearray(b'x') * (64 << 20); print(len(block), flush=True); input()"


@contextmanager
def child(program: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a program until it has printed a number."""
    running = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        yield running, int(running.stdout.readline())
    finally:
        running.kill()
        running.communicate()


def test_cpu_time_keeps_what_ended_threads_had_used() -> None:
    with child(BURNS_IN_THREADS_THAT_END) as (running, said_ns):
        used_ns = process.cpu_time_ns(running.pid)
        living = Path(f"/proc/{running.pid}/schedstat").read_text().split()[0]
    assert said_ns > 800_000_000
    # The child only waits since: what it reads of itself is what is read from outside, printing aside.
    assert said_ns <= used_ns <= said_ns * 1.01
    assert int(living) < said_ns / 2


def test_a_process_with_one_busy_thread_uses_no_more_than_the_time_that_passes() -> None:
    with child("print(0, flush=True)\nwhile True: pass") as (running, _):
        begin_ns, used_ns = time.monotonic_ns(), process.cpu_time_ns(running.pid)
        time.sleep(0.5)
        used_ns, end_ns = process.cpu_time_ns(running.pid) - used_ns, time.monotonic_ns()
    assert 0 < used_ns <= end_ns - begin_ns + 10_000_000


def test_the_sampler_gives_rows_of_the_schema_from_beginning_to_end() -> None:
    with child(HOLDS_64_MIB) as (running, _):
        begin_ns = time.monotonic_ns()
        with process.ProcessSampler(running.pid, "gateway", period_s=0.02) as sampler:
            time.sleep(0.2)
            end_ns = time.monotonic_ns()
        pss = process.proportional_set_size(running.pid)
    table = sampler.table()
    assert table.schema.names == PROCESS.schema.names[1:]
    times = table["time_ns"].to_pylist()
    assert times == sorted(times)
    assert begin_ns <= times[0] <= begin_ns + (end_ns - begin_ns) / 2
    assert times[-1] >= end_ns
    assert table.num_rows >= 3
    assert set(table["role"].to_pylist()) == {"gateway"}
    assert set(table["threads"].to_pylist()) == {1}
    assert all(64 << 20 < rss < 128 << 20 for rss in table["rss_bytes"].to_pylist())
    assert pss is not None
    assert 64 << 20 < pss < 128 << 20


def test_a_process_that_ends_ends_its_samples_even_as_a_zombie() -> None:
    with (
        child("print(0, flush=True); input()") as (running, _),
        process.ProcessSampler(running.pid, "gateway", period_s=0.01) as sampler,
    ):
        running.kill()
        os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
        before = sampler.table().num_rows
        time.sleep(0.1)
        assert sampler.table().num_rows - before <= 1
    assert all(rss > 0 for rss in sampler.table()["rss_bytes"].to_pylist())


def test_there_is_no_cpu_time_of_a_process_that_is_gone() -> None:
    with child("print(0, flush=True); input()") as (running, _):
        pass
    with pytest.raises(ProcessLookupError):
        process.cpu_time_ns(running.pid)
    assert process.proportional_set_size(running.pid) is None


def test_a_failing_sampler_tells_its_reader() -> None:
    class Failing(Sampler):
        table_name = "machine"
        reads = 0

        def read(self) -> dict[str, object]:
            self.reads += 1
            if self.reads > 1:
                raise ValueError("the kernel says something else")
            return machine.MachineSampler().read()

    with Failing(period_s=0.001) as sampler:
        time.sleep(0.05)
    with pytest.raises(ValueError, match="something else"):
        sampler.table()


def test_a_sampler_whose_subject_is_gone_reads_no_more() -> None:
    class Brief(Sampler):
        table_name = "machine"
        reads = 0

        def read(self) -> dict[str, object]:
            self.reads += 1
            raise Gone

    with Brief(period_s=0.001) as sampler:
        time.sleep(0.02)
    assert sampler.reads == 1
    assert sampler.table().num_rows == 0


def test_the_machines_counters_never_go_back() -> None:
    with machine.MachineSampler(period_s=0.02) as sampler:
        sum(range(3_000_000))
    table = sampler.table()
    assert table.schema.names == MACHINE.schema.names[1:]
    for column in ("time_ns", "busy_ns", "steal_ns", "context_switches"):
        values = table[column].to_pylist()
        assert values == sorted(values)
        assert values[0] >= 0
    assert table["memory_available_bytes"][0].as_py() < machine.fingerprint()["memory_bytes"]


def test_the_fingerprint_names_neither_host_nor_user() -> None:
    fingerprint = machine.fingerprint()
    said = repr(fingerprint)
    assert os.uname().nodename not in [str(value) for value in fingerprint.values()]
    assert str(Path.home()) not in said
    assert fingerprint["processors"] == os.cpu_count()
    assert fingerprint["processors_allowed"] == sorted(os.sched_getaffinity(0))
    assert fingerprint["memory_bytes"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert fingerprint["cgroup_version"] in (1, 2)


@pytest.mark.parametrize(
    ("files", "groups", "cpus", "memory"),
    [
        ({"cgroup.controllers": "", "a/cpu.max": "150000 100000", "cpu.max": "max 100000"}, "0::/a", 1.5, None),
        ({"cgroup.controllers": "", "a/b/memory.max": "max", "a/memory.max": "4096"}, "0::/a/b", None, 4096),
        ({"cpu/a/cpu.cfs_quota_us": "50000", "cpu/a/cpu.cfs_period_us": "100000"}, "2:cpu,cpuacct:/a\n0::/", 0.5, None),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "2:cpu:/elsewhere", None, None),
        ({"memory/a/memory.limit_in_bytes": "9223372036854771712"}, "4:memory:/a", None, None),
        ({"memory/memory.limit_in_bytes": "8192"}, "4:memory:/not/here", None, 8192),
    ],
)
def test_the_tightest_limit_of_the_control_groups_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    groups: str,
    cpus: float | None,
    memory: int | None,
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    own = tmp_path / "own"
    own.write_text(groups + "\n")
    monkeypatch.setattr(control_groups, "_ROOT", tmp_path)
    monkeypatch.setattr(control_groups, "_OWN", own)
    assert control_groups.cpu_limit() == cpus
    assert control_groups.memory_limit_bytes() == memory


def test_a_row_without_a_required_value_is_refused() -> None:
    row = machine.MachineSampler().read() | {"busy_ns": None}
    with pytest.raises(pa.ArrowInvalid, match=r"machine\.busy_ns"):
        tables.from_rows("machine", [row])
