"""Processors that do not fall asleep.

A virtual machine whose processor has nothing to do hands it back, and takes 50 µs and more to get it again. Between two
requests that is no part of what client or server take, and at a known delay it would be most of what is measured.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from bench import children

_SPIN = """
import contextlib, os
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:
    group.write("19")
while True:
    pass
"""
"""Any other task takes the processor from it at once: SCHED_IDLE is below any nice. That holds within a session alone where
the kernel groups tasks by session, so the session is made as nice as can be (sched(7), the autogroup feature)."""


@contextmanager
def awake(cpus: Collection[int]) -> Iterator[None]:
    """Keep processors busy with what gives way to everything else, for as long as a `with` block lasts."""
    with ExitStack() as spinning:
        for cpu in cpus:
            process = children.spawn([sys.executable, "-c", _SPIN], cpus=(cpu,), stdout=subprocess.DEVNULL)
            spinning.callback(children.stop, process, 0.0)
        yield
