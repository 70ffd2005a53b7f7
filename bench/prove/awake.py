"""Processors that do not fall asleep.

A virtual machine whose processor has nothing to do hands it back, and takes 50 µs and more to get it again. Between two
requests that is no part of what client or server take, and at a known delay it would be most of what is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from bench import children

_LOWEST_NICE = "19"


@contextmanager
def awake(cpus: Collection[int]) -> Iterator[None]:
    """Keep processors busy with what gives way to everything else, for as long as a `with` block lasts."""
    with ExitStack() as spinning:
        for cpu in cpus:
            process = children.spawn([sys.executable, "-c", "while True: pass"], cpus=(cpu,), stdout=subprocess.DEVNULL)
            spinning.callback(children.stop, process, 0.0)
            give_way(process.pid)
        yield


def give_way(pid: int) -> None:
    """Let a process run only while nobody else wants its processor.

    SCHED_IDLE is below any nice, but only within a session where the kernel groups tasks by session, so the session is made
    as nice as can be as well (sched(7), the autogroup feature).
    """
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(_LOWEST_NICE)
