"""A control group of this machine, version 1 or 2, that limits or accounts for what its processes get.

It is gone with whoever made it.

It is removed by a janitor of its own (`bench.janitor`), which outlives even a process that is killed. What a dead process'
janitor could not remove, because it was killed too, the next group removes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import FaultImpossible
from bench.janitor import janitor
from bench.meters import control_groups

_PERIOD_US = 100_000
LIMITS = ("cpu", "memory")
"""Controllers of a group that limits."""
ACCOUNT = ("cpuacct",)
"""Controllers of one that only counts CPU time; in version 2 every group does."""
_PREFIX = "bench-"
_NO_LIMIT = "-1"


class ControlGroup:
    """Processes that share limits.

    Parameters
    ----------
    folders
        By controller, where the group is; in version 2 they are the same. One that could not be had is not there.
    version
        Of control groups.
    lacking
        Why there is no group for the other controllers; nothing when there is.
    """

    def __init__(self, folders: Mapping[str, Path], version: int, lacking: str = "") -> None:
        self._folders = dict(folders)
        self._version = version
        self._lacking = lacking

    @property
    def joins(self) -> tuple[Path, ...]:
        """Files to which a process writes its id to be in the group (`bench.children.spawn`)."""
        return tuple(dict.fromkeys(folder / "cgroup.procs" for folder in self._folders.values()))

    def limit_processors(self, processors: float | None) -> None:
        """Let its processes use so many processors' worth of time together; None: any. Raises `FaultImpossible`."""
        quota_us = None if processors is None else int(processors * _PERIOD_US)
        if self._version == 2:
            self._write("cpu", "cpu.max", f"{'max' if quota_us is None else quota_us} {_PERIOD_US}")
        else:
            self._write("cpu", "cpu.cfs_quota_us", _NO_LIMIT if quota_us is None else str(quota_us))

    def limit_memory(self, size_bytes: int | None) -> None:
        """Let its processes hold so much memory together; None: any. Raises `FaultImpossible`."""
        if self._version == 2:
            self._write("memory", "memory.max", "max" if size_bytes is None else str(size_bytes))
        else:
            self._write("memory", "memory.limit_in_bytes", _NO_LIMIT if size_bytes is None else str(size_bytes))

    def oom_kills(self) -> int:
        """Give how many of its processes the kernel has killed for want of memory. Raises `FaultImpossible`."""
        file = "memory.events" if self._version == 2 else "memory.oom_control"
        return int(self._counts("memory", file).get("oom_kill", 0))

    def throttled_ns(self) -> int:
        """Give for how long its quota has held it back so far. Raises `FaultImpossible`."""
        counts = self._counts("cpu", "cpu.stat")
        return int(counts.get("throttled_usec", 0)) * 1000 + int(counts.get("throttled_time", 0))

    def cpu_ns(self) -> int | None:
        """Give the CPU time of its processes so far, ended ones included; None where no group counts it."""
        with suppress(FaultImpossible, OSError, KeyError, ValueError):
            if self._version == 2:
                return int(self._counts("cpuacct", "cpu.stat")["usage_usec"]) * 1000
            return int((self._folder("cpuacct") / "cpuacct.usage").read_text())
        return None

    def _counts(self, controller: str, file: str) -> dict[str, str]:
        return dict(line.split() for line in (self._folder(controller) / file).read_text().splitlines())

    def _write(self, controller: str, file: str, value: str) -> None:
        place = self._folder(controller) / file
        try:
            place.write_text(value)
        except OSError as error:
            raise FaultImpossible(f"The kernel takes no {value} in {place}: {error.strerror}.") from error

    def _folder(self, controller: str) -> Path:
        if controller not in self._folders:
            raise FaultImpossible(
                f"There is no control group for {controller} here ({self._lacking}). Run as root, or where control groups"
                " are delegated to you; or leave this fault out of the suite."
            )
        return self._folders[controller]


@contextmanager
def control_group(controllers: Sequence[str] = LIMITS) -> Iterator[ControlGroup]:
    """Make a group below this process' own, and remove it with all that is left in it.

    Where none may be made there is nothing to limit: its methods say so.

    Parameters
    ----------
    controllers
        What it is for: `LIMITS` or `ACCOUNT`.
    """
    name = f"{_PREFIX}{os.getpid()}"
    folders: dict[str, Path] = {}
    parents, lacking = _parents(controllers)
    with janitor() as after_us:
        for controller, parent in parents.items():
            try:
                _sweep(parent)
                after_us.remove_group(parent / name)
                (parent / name).mkdir(exist_ok=True)
                folders[controller] = parent / name
            except OSError as error:
                lacking = error.strerror or str(error)
        yield ControlGroup(folders, control_groups.version(), lacking)


def _parents(controllers: Sequence[str]) -> tuple[dict[str, Path], str]:
    """Give by controller the group to make another one in, and why there is none for the others."""
    if control_groups.version() == 1:
        own = {controller: next(control_groups.groups(controller), None) for controller in controllers}
        found = {controller: group for controller, group in own.items() if group is not None}
        return found, "" if len(found) == len(own) else "no hierarchy has it"
    refused, limits = "no control groups are mounted", [name for name in controllers if name in LIMITS]
    # A process is in one group for all controllers. A group with processes of its own lends none to others below it (but for
    # the root does); one further up may.
    for parent in control_groups.groups(""):
        try:
            if limits:
                (parent / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in limits))
        except OSError as error:
            refused = error.strerror or str(error)
            continue
        return dict.fromkeys(controllers, parent), ""
    return {}, refused


def _sweep(parent: Path) -> None:
    """Remove the empty groups of processes that are no more."""
    for left in parent.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX)
        if owner.isdigit() and not Path("/proc", owner).exists():
            with suppress(OSError):
                left.rmdir()
