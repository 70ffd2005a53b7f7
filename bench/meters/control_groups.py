"""The limits that control groups put on this process: its own group's and those above it, version 1 or 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_NO_LIMIT_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest number of pages that fits."""


def version() -> int:
    """Give the version of control groups that holds this machine's limits."""
    return 2 if (_ROOT / "cgroup.controllers").exists() else 1


def cpu_limit() -> float | None:
    """Give how many processors' worth of time this process may use; None: no limit."""
    if version() == 2:
        shares = [_share(*text.split()) for text in _values("", "cpu.max")]
    else:
        quotas, periods = _values("cpu", "cpu.cfs_quota_us"), _values("cpu", "cpu.cfs_period_us")
        shares = [_share(quota, period) for quota, period in zip(quotas, periods, strict=False)]
    return min((share for share in shares if share is not None), default=None)


def memory_limit_bytes() -> int | None:
    """Give how much memory this process' groups may hold; None: no limit."""
    values = _values("", "memory.max") if version() == 2 else _values("memory", "memory.limit_in_bytes")
    limits = [int(value) for value in values if value != "max"]
    return min((limit for limit in limits if limit < _NO_LIMIT_BYTES), default=None)


def throttled_ns() -> int | None:
    """Give for how long, in ns so far, quotas have held this process' groups back; None where no group tells.

    Each of nested groups may hold back, so it is the largest of theirs.
    """
    texts = _values("" if version() == 2 else "cpu", "cpu.stat")
    counts = [dict(line.split() for line in text.splitlines()) for text in texts]
    times = [
        int(c["throttled_usec"]) * 1000 if "throttled_usec" in c else int(c.get("throttled_time", -1)) for c in counts
    ]
    return max((told for told in times if told >= 0), default=None)


def _share(quota: str, period: str) -> float | None:
    return None if quota in ("max", "-1") else int(quota) / int(period)


def _values(controller: str, file: str) -> list[str]:
    """Give a setting of this process' group and of every group above it that has it."""
    found = []
    for group in groups(controller):
        with suppress(OSError):
            found.append((group / file).read_text().strip())
    return found


def groups(controller: str) -> Iterator[Path]:
    """Give this process' group for a controller and every group above it, up to the root; "" is version 2's hierarchy."""
    root = _ROOT / controller
    for line in _OWN.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            group = root / path.lstrip("/")
            # Inside a container the path may be the host's, where only the root is in sight.
            while group != root:
                yield group
                group = group.parent
            yield root
