"""What bounds a load: connections, time to answer, and the file descriptors that the system grants."""

from __future__ import annotations

import resource
from dataclasses import dataclass

from bench.errors import LoadFailed

_OTHER_FILES = 256
"""What Python, gevent and Locust have open themselves."""


@dataclass(frozen=True)
class Limits:
    """What bounds the engine."""

    connections: int = 64
    """Most connections, and so most requests in flight, at once."""
    timeout_s: float = 5.0
    """A request unanswered for this long is given up, its connection closed."""
    keep_alive: bool = True
    """False: a new connection for every request."""

    def allow_files(self) -> None:
        """Let this process have as many file descriptors as connections, as far as the system's hard limit permits.

        Raises
        ------
        LoadFailed
            The hard limit is lower.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.connections + _OTHER_FILES
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise LoadFailed(
                f"{self.connections} connections need {wanted} open files, and this process may have {hard}."
                f" Give fewer --connections, or allow more: ulimit -n {wanted}"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
