"""Child processes that never outlive their parent, pinned to processors."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not take the import lock.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, however the parent dies.

    Parameters
    ----------
    parent
        The parent's process id, to catch a parent that died before this call.
    """
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _prepare(parent: int, cpus: frozenset[int], joins: tuple[Path, ...]) -> Callable[[], None]:
    def in_child() -> None:
        die_with_parent(parent)
        for group in joins:
            # 0 is whoever writes it.
            file = os.open(group, os.O_WRONLY)
            os.write(file, b"0")
            os.close(file)
        if cpus:
            os.sched_setaffinity(0, cpus)

    return in_child


def spawn(
    command: Sequence[str | Path],
    *,
    cpus: Collection[int] = (),
    joins: Collection[Path] = (),
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that is killed when this one dies.

    The kernel ties the child to the *thread* that started it: call this from a thread that lives as long as the child.

    Parameters
    ----------
    cpus
        Processors to pin the child to; empty leaves it where its parent is.
    joins
        Control groups that it joins, by their `cgroup.procs`.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        preexec_fn=_prepare(os.getpid(), frozenset(cpus), tuple(joins)),
        # A group of its own: Ctrl-C reaches the campaign alone, which then stops its children in order.
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes], grace_s: float) -> int:
    """End a process: SIGTERM, then SIGKILL after `grace_s` seconds; gives its exit code."""
    if process.poll() is None:
        process.terminate()
        # A stopped process acts on SIGTERM only once it runs again.
        process.send_signal(signal.SIGCONT)
        try:
            return process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
