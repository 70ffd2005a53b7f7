"""What is to be sent and when: the instants of a schedule that are still to come, and those that found no connection free."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from bench.errors import LoadFailed

NEVER = 1 << 62
_MOST_WAITING = 5_000_000
"""Requests that were due and found no connection free; more of them would fill the memory."""


class Due:
    """The instants of one load, ns of CLOCK_MONOTONIC.

    Parameters
    ----------
    chunks
        Ascending int64 arrays, in ns after the load began; none for a load without a schedule.
    began_ns
        When it began.
    """

    def __init__(self, chunks: Iterable[np.ndarray] = (), began_ns: int = 0) -> None:
        self._chunks = iter(chunks)
        self._began_ns = began_ns
        self._later: list[int] = []
        """Instants after the next one, the earliest last."""
        self.next = NEVER
        """The next instant, `NEVER` when there is none."""
        self.waiting: deque[int] = deque()
        """Instants that have come and found no connection free."""
        self.advance()

    def advance(self) -> None:
        """Go on to the instant after the next one.

        Raises
        ------
        LoadFailed
            More requests are waiting than a load can mean; nothing is due any more.
        """
        if not self._later:
            if len(self.waiting) > _MOST_WAITING:
                self._chunks, self.next = iter(()), NEVER
                raise LoadFailed(
                    f"{len(self.waiting)} requests were due and found no connection free: far too many. Give a lower --rate."
                )
            chunk = next((chunk for chunk in self._chunks if len(chunk)), ())
            # The earliest last: the next one is popped from the end.
            self._later = (chunk[::-1] + self._began_ns).tolist() if len(chunk) else []
        self.next = self._later.pop() if self._later else NEVER

    def miss(self) -> None:
        """Let the next instant wait for a connection."""
        self.waiting.append(self.next)
        self.advance()
