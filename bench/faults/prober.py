"""An open-loop prober in a process of its own: a GET every 20 ms on each of two streams, come what may.

The stream `new` opens a connection for every probe. The stream `kept` uses one keep-alive connection, as a client with
a pool does: a probe that finds the connection broken fails by reset and the next one reconnects; a probe due while the
connection still waits for an answer opens another, so the schedule never slips. The streams are half an interval apart.

A probe is a row of five little-endian int64, written to standard output in the order of the schedule.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Collection
from enum import IntEnum

import numpy as np

from bench import children, paths
from bench.errors import LoadFailed
from bench.faults.exchange import Exchange
from bench.faults.precedence import precedence
from bench.load.rows import Outcome
from bench.load.timer import Timer

INTERVAL_NS = 20_000_000
TIMEOUT_NS = 250_000_000
ROW = np.dtype([(name, "<i8") for name in ("stream", "intended_ns", "sent_ns", "done_ns", "outcome")])

_PACK = struct.Struct("<5q").pack
# Rows that wait while their reader is busy starting a process: four minutes of them, where a pipe's own buffer takes 16
# s.
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031


class Stream(IntEnum):
    """How a probe comes by its connection."""

    NEW = 0
    KEPT = 1


class _Probe:
    __slots__ = ("done_ns", "exchange", "intended_ns", "outcome", "sent_ns", "stream")

    def __init__(self, stream: Stream, intended_ns: int, exchange: Exchange) -> None:
        self.stream = stream
        self.intended_ns = intended_ns
        self.exchange = exchange
        self.sent_ns = 0
        self.done_ns = 0
        self.outcome: Outcome | None = None


class _Prober:
    def __init__(self, port: int, path: str, out: int) -> None:
        self._port = port
        self._path = path
        self._out = out
        self._epoll = select.epoll()
        self._timer = Timer()
        self._epoll.register(self._timer.fd, select.EPOLLIN)
        self._by_fd: dict[int, _Probe] = {}
        self._unwritten: deque[_Probe] = deque()
        """In the order of the schedule, the first one still under way."""
        self._kept: socket.socket | None = None

    def run(self) -> None:
        """Probe until killed."""
        due_ns = time.monotonic_ns() + INTERVAL_NS
        stream = Stream.NEW
        while True:
            while due_ns <= time.monotonic_ns():
                self._launch(stream, due_ns)
                due_ns += INTERVAL_NS // 2
                stream = Stream(1 - stream)
            self._expire()
            self._write()
            self._timer.set(min(due_ns, self._unwritten[0].sent_ns + TIMEOUT_NS) if self._unwritten else due_ns)
            for fd, _ in self._epoll.poll():
                if probe := self._by_fd.get(fd):
                    self._proceed(fd, probe)

    def _launch(self, stream: Stream, intended_ns: int) -> None:
        kept = None
        if stream is Stream.KEPT:
            kept, self._kept = self._kept, None
        probe = _Probe(stream, intended_ns, Exchange(self._port, self._path, kept))
        self._unwritten.append(probe)
        probe.sent_ns = time.monotonic_ns()
        outcome = probe.exchange.begin()
        if outcome is not None:
            self._finish(probe, outcome)
            return
        fd = probe.exchange.socket.fileno()
        self._by_fd[fd] = probe
        self._epoll.register(fd, select.EPOLLOUT if probe.exchange.connecting else select.EPOLLIN)

    def _proceed(self, fd: int, probe: _Probe) -> None:
        was_connecting = probe.exchange.connecting
        outcome = probe.exchange.proceed()
        if outcome is not None:
            self._forget(fd)
            self._finish(probe, outcome)
        elif was_connecting:
            self._epoll.modify(fd, select.EPOLLIN)

    def _finish(self, probe: _Probe, outcome: Outcome) -> None:
        probe.done_ns = time.monotonic_ns()
        probe.outcome = outcome
        if probe.stream is Stream.KEPT and self._kept is None:
            self._kept = probe.exchange.release()
        else:
            probe.exchange.close()

    def _expire(self) -> None:
        before_ns = time.monotonic_ns() - TIMEOUT_NS
        for probe in self._unwritten:
            if probe.sent_ns > before_ns:
                break
            if probe.outcome is None:
                self._forget(probe.exchange.socket.fileno())
                self._finish(probe, Outcome.TIMEOUT)

    def _forget(self, fd: int) -> None:
        del self._by_fd[fd]
        self._epoll.unregister(fd)

    def _write(self) -> None:
        while self._unwritten and (probe := self._unwritten[0]).outcome is not None:
            os.write(self._out, _PACK(probe.stream, probe.intended_ns, probe.sent_ns, probe.done_ns, probe.outcome))
            self._unwritten.popleft()


class ProberProcess:
    """The prober's process, seen from its parent.

    The kernel ties it to the thread that made this object.

    Parameters
    ----------
    port, path
        What to get, from loopback.
    cpus
        Processors to pin it to; empty: not pinned.
    """

    def __init__(self, port: int, path: str, cpus: Collection[int] = ()) -> None:
        self._process = children.spawn(
            [sys.executable, "-m", "bench.faults.prober", "--port", str(port), "--path", path],
            cpus=cpus, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._received = bytearray()
        fcntl.fcntl(self._process.stdout, _F_SETPIPE_SZ, _PIPE_BYTES)

    def fileno(self) -> int:
        """Give the descriptor that becomes readable when there are rows."""
        return self._process.stdout.fileno()

    def read(self) -> None:
        """Take the rows that are there; call it when `fileno` is readable.

        Raises
        ------
        LoadFailed
            The prober ended, which it never does by itself.
        """
        received = os.read(self.fileno(), _PIPE_BYTES)
        if not received:
            said = self._process.stderr.read().decode(errors="replace").strip()
            raise LoadFailed(f"The prober ended with exit code {self._process.wait()}. It said: {said or 'nothing'}")
        self._received += received

    def rows(self) -> np.ndarray:
        """Give every row so far, a copy, `ROW` by intended instant. What came before its last row is complete."""
        whole = len(self._received) // ROW.itemsize * ROW.itemsize
        return np.frombuffer(bytes(self._received[:whole]), ROW)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.faults.prober", description="Probe a gateway until killed.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    asked = parser.parse_args()
    prober = _Prober(asked.port, asked.path, sys.stdout.fileno())
    # What exists by now lives as long as the process: the collector need not walk it again.
    gc.freeze()
    with precedence():
        prober.run()


if __name__ == "__main__":
    main()
