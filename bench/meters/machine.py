"""The machine: what it does while a cell runs, and what it is."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.meters import control_groups
from bench.meters.sampler import PERIOD_S, Sampler

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_SYSTEM = Path("/sys/devices/system")


class MachineSampler(Sampler):
    """Samples the whole machine for as long as a `with` block lasts.

    `busy_ns` is what processes, kernel and interrupts used; what the hypervisor stole is not in it.

    Parameters
    ----------
    group_cpu_ns
        Gives the CPU time so far of the control group of the gateway; None where there is none.
    """

    table_name = "machine"

    def __init__(self, group_cpu_ns: Callable[[], int | None] = lambda: None, period_s: float = PERIOD_S) -> None:
        super().__init__(period_s)
        self._group_cpu_ns = group_cpu_ns

    def read(self) -> dict[str, object]:
        """Give one row of the `machine` table."""
        now_ns, raw_ns = time.monotonic_ns(), time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        suspended_ns = max(time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns(), 0)
        stat = Path("/proc/stat").read_text()
        user, nice, system, _idle, _iowait, irq, softirq, steal = _ticks(stat)
        return {
            "time_ns": now_ns,
            "busy_ns": (user + nice + system + irq + softirq) * _TICK_NS,
            "steal_ns": steal * _TICK_NS,
            "psi_cpu_some_ns": _pressure_ns(),
            "throttled_ns": control_groups.throttled_ns(),
            "raw_ns": raw_ns,
            "suspended_ns": suspended_ns,
            "gateway_group_cpu_ns": self._group_cpu_ns(),
            "memory_available_bytes": _memory_bytes("MemAvailable"),
            "context_switches": int(_found(r"^ctxt (\d+)", stat)),
        }


def fingerprint() -> dict[str, object]:
    """Give what the machine is, for the manifest: a comparison across different fingerprints is not one.

    Holds no name of a host or a user. A null value is one that the kernel does not tell.
    """
    cpuinfo = Path("/proc/cpuinfo").read_text()
    flags = (_found(r"^flags\s*:\s*(.*)", cpuinfo) or "").split()
    cpus = sorted(os.sched_getaffinity(0))
    return {
        "cpu_model": _found(r"^model name\s*:\s*(.*)", cpuinfo),
        "processors": os.cpu_count(),
        "processors_allowed": cpus,
        "physical_cores": len({_siblings(cpu) for cpu in range(os.cpu_count() or 1)}),
        "smt_siblings": sorted({_siblings(cpu) for cpu in cpus}),
        "governor": _text(_SYSTEM / f"cpu/cpu{cpus[0]}/cpufreq/scaling_governor"),
        "hypervisor": "hypervisor" in flags,
        "steal_share_since_boot": _steal_share(),
        "kernel": os.uname().release,
        "architecture": os.uname().machine,
        "clocksource": _text(_SYSTEM / "clocksource/clocksource0/current_clocksource"),
        "memory_bytes": _memory_bytes("MemTotal"),
        "swap_bytes": _memory_bytes("SwapTotal"),
        "transparent_huge_pages": _chosen(_text(Path("/sys/kernel/mm/transparent_hugepage/enabled"))),
        "cgroup_version": control_groups.version(),
        "cgroup_cpu_limit": control_groups.cpu_limit(),
        "cgroup_memory_limit_bytes": control_groups.memory_limit_bytes(),
    }


def _siblings(cpu: int) -> str:
    """Give the processors that share a core with this one, itself included, as the kernel lists them."""
    return _text(_SYSTEM / f"cpu/cpu{cpu}/topology/thread_siblings_list") or str(cpu)


def _steal_share() -> float:
    ticks = _ticks(Path("/proc/stat").read_text())
    return round(ticks[-1] / sum(ticks), 6)


def _ticks(stat: str) -> list[int]:
    """Give what all processors did since boot, user to steal; time of guests is part of user's (proc_stat(5))."""
    return [int(field) for field in stat.split("\n", 1)[0].split()[1:9]]


def _pressure_ns() -> int | None:
    pressure = _text(Path("/proc/pressure/cpu"))
    total_us = _found(r"^some .*total=(\d+)", pressure or "")
    return int(total_us) * 1000 if total_us else None


def _memory_bytes(name: str) -> int:
    kib = _found(rf"^{name}:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    return int(kib or 0) * 1024


def _chosen(text: str | None) -> str | None:
    return _found(r"\[(\w+)\]", text or "")


def _text(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text().strip()
    return None


def _found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else None
