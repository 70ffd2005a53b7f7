"""The server whose behaviour is known: built from C at first use, started, and its own log of instants read back.

It is C because it is the ground truth to a few microseconds, and because as a null server it must cost next to nothing.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import children, compiled
from bench.errors import LoadFailed
from bench.gateways.process import HOST, free_port

_SOURCE = Path(__file__).with_suffix(".c")
_START_S = 5.0
_STOP_S = 10.0


@dataclass(frozen=True)
class Log:
    """What the server wrote down, a request each, in the order of answering."""

    id: np.ndarray
    """The id in the request's path; -1 when it had none."""
    read_ns: np.ndarray
    """Instant at which the request was read."""
    sent_ns: np.ndarray
    """Instant at which its answer was sent."""


class KnownServer:
    """A running server; as a context manager it is ended whatever happens.

    Parameters
    ----------
    folder
        Where its log goes; None: it counts and keeps no log.
    cpus
        Processors to pin it to.
    """

    def __init__(self, folder: Path | None = None, cpus: Collection[int] = ()) -> None:
        self.port = free_port()
        self._log = folder / f"known-{self.port}.log" if folder else None
        command = [compiled.program(_SOURCE), str(self.port), *([self._log] if self._log else [])]
        self._process = children.spawn(command, cpus=cpus, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._count: int | None = None
        self._wait_ready()

    @property
    def host(self) -> str:
        """Its address as a URL."""
        return f"http://{HOST}:{self.port}"

    def freeze_for(self, seconds: float) -> float:
        """Stop the whole process for some seconds; gives for how long it really was stopped."""
        self._process.send_signal(signal.SIGSTOP)
        frozen = time.monotonic()
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)
        return time.monotonic() - frozen

    def end(self) -> int:
        """End it; gives how many requests it has read."""
        if self._count is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)
            try:
                said, _ = self._process.communicate(timeout=_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise LoadFailed("The known server did not end when it was asked to.") from None
            if self._process.returncode:
                raise LoadFailed(f"The known server failed: {said.decode(errors='replace').strip()}")
            self._count = int(said)
        return self._count

    def log(self) -> Log:
        """End it and give what it wrote down."""
        self.end()
        return Log(*np.fromfile(self._log, np.int64).reshape(-1, 3).T)

    def __enter__(self) -> KnownServer:
        return self

    def __exit__(self, *failure: object) -> None:
        children.stop(self._process, 1.0)
        self._process.stdout.close()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1.0):
                return
            time.sleep(0.005)
        self._process.kill()
        raise LoadFailed(f"The known server did not start: {self._process.communicate()[0].decode(errors='replace')}")
