"""A control group of this machine with a quota of processor time, made for one test."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.meters import control_groups

_PERIOD_US = 100_000
_ROOT = Path("/sys/fs/cgroup")
_REMOVE_WITHIN_S = 10.0


@dataclass(frozen=True)
class ControlGroup:
    """A group; processes that are in it share its quota."""

    folder: Path

    @property
    def members(self) -> Path:
        """The file that a process writes its id to when it joins, and that lists those who have."""
        return self.folder / "cgroup.procs"

    def limit(self, processors: float | None) -> None:
        """Let its processes use so many processors' worth of time together; None: any."""
        quota_us = None if processors is None else int(processors * _PERIOD_US)
        if control_groups.version() == 2:
            (self.folder / "cpu.max").write_text(f"{'max' if quota_us is None else quota_us} {_PERIOD_US}")
        else:
            (self.folder / "cpu.cfs_quota_us").write_text(f"{-1 if quota_us is None else quota_us}")

    def joined(self, command: list[str]) -> list[str]:
        """Give a command that runs another one in the group."""
        return ["sh", "-c", f'echo $$ > {self.members} && exec "$@"', "sh", *command]


@contextmanager
def control_group(name: str) -> Iterator[ControlGroup]:
    """Make a group, and remove it with all that is left in it; raises OSError where that cannot be."""
    parent = _ROOT if control_groups.version() == 2 else _ROOT / "cpu"
    group = ControlGroup(parent / name)
    group.folder.mkdir()
    try:
        group.limit(None)
        yield group
    finally:
        _remove(group)


def _remove(group: ControlGroup) -> None:
    deadline = time.monotonic() + _REMOVE_WITHIN_S
    with suppress(OSError):
        group.limit(None)
    while True:
        for member in group.members.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(member), signal.SIGKILL)
        try:
            group.folder.rmdir()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
