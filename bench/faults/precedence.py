"""Running before everything of ordinary priority, so that instants are those of the event and not of a busy machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def precedence() -> Iterator[None]:
    """Give this thread precedence, but none of the processes that it starts.

    Where the user may not ask for that nothing changes, and the lag of the probes tells how much it is missed.
    """
    policy, priority = os.sched_getscheduler(0), os.sched_getparam(0)
    first_in_line = os.sched_param(os.sched_get_priority_min(os.SCHED_FIFO))
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, first_in_line)
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.sched_setscheduler(0, policy, priority)
