"""The load engine: many HTTP connections on one private epoll, following a schedule or as fast as answers come.

It knows nothing of Locust. Between batches of events it calls `give_way`, so that whoever shares its thread (Locust's
heartbeats and web UI) gets a turn; the turn is taken while no request is due, if there is such a moment.

The loop below is the instrument: it is written for few bytecodes a request, and each step says why it is there.
"""

from __future__ import annotations

import itertools
import ssl
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import httptools
import numpy as np

from bench.errors import LoadFailed
from bench.load.address import resolve
from bench.load.connection import Connection
from bench.load.gaps import GAP_NS, GapWatch
from bench.load.http2 import Http2Connection
from bench.load.limits import Limits
from bench.load.poll import ONCE_AN_EDGE, READABLE, WRITABLE, epoll
from bench.load.probe import find_server
from bench.load.rows import IS_QUEUED, OUTCOME_SHIFT, REQUEST_SHIFT, Outcome
from bench.load.schedule import Schedule
from bench.load.timer import Timer

_NS = 1_000_000_000
_NEVER = 1 << 62
_READ_BYTES = 65_536
_TURN_EVERY_NS = 10_000_000
_PATIENCE_NS = 10_000_000
"""How much longer than that others wait for a turn while requests are due at short notice."""
_QUIET_NS = 300_000
"""Requests are at short notice when the next one is nearer than this."""
_FLUSH_EVERY_NS = 250_000_000
_REST_NS = 50_000_000
"""How long a closed-loop user waits after its connection failed: it would spin otherwise."""
_BLOCK_S = 0.01
_MOST_WAITING = 5_000_000
"""Requests that were due and found no connection free; more of them would fill the memory."""


class Engine:
    """Sends requests to one address and writes down what became of each.

    Parameters
    ----------
    host, port
        The server; the name is resolved once.
    requests
        Whole HTTP/1.1 requests, header and body.
    order
        Which request comes when, as indices into `requests`; used round and round.
    flush
        Called about four times a second with an `array("q")` of whole rows (see `bench.load.rows`), which it must
        not keep: the engine empties it.
    give_way
        Called about a hundred times a second; may raise to end the load.
    tls
        What to encrypt with; None: plain.
    http2
        Speak HTTP/2, which TLS must have agreed on, and a server without TLS must be known to speak.

    Raises
    ------
    LoadFailed
        The server's name does not resolve, or the process may not have as many connections.
    """

    def __init__(
        self,
        host: str,
        port: int,
        requests: Sequence[bytes],
        order: Sequence[int],
        *,
        limits: Limits,
        flush: Callable[[array[int]], None],
        give_way: Callable[[], object],
        tls: ssl.SSLContext | None = None,
        http2: bool = False,
    ) -> None:
        self._address, self._family = resolve(host, port)
        limits.allow_files()
        self._host = host
        self._tls = tls
        self._http2 = http2
        # Round and round in the prepared order: the bytes of a request, and its part of the packed row.
        self._prepared = itertools.cycle([(requests[index], index << REQUEST_SHIFT) for index in order])
        self._limits = limits
        self._flush = flush
        self._give_way = give_way
        self._timeout_ns = int(limits.timeout_s * _NS)
        self._epoll = epoll()
        self._timer = Timer()
        # Told once: a timer that has fired stays readable, and the loop would spin.
        self._epoll.register(self._timer.fd, READABLE | ONCE_AN_EDGE)
        self._by_fd: dict[int, Connection] = {}
        self._connections = [(Http2Connection if http2 else Connection)(number) for number in range(limits.connections)]
        self._idle: deque[Connection] = deque()
        self._resting: deque[tuple[int, Connection]] = deque()
        self._backlog: deque[int] = deque()
        """Intended instants of requests that found no connection free."""
        self._rows: array[int] = array("q")
        self._chunks: Iterator[np.ndarray] = iter(())
        self._due: list[int] = []
        """Instants to come, the next one last; the very next is `_next_due`."""
        self._next_due = _NEVER
        self._next_flush = 0
        self._closed = False
        self._stopping = False
        self.connects = 0
        """Connections opened since the beginning."""
        self.began_ns = 0
        """Instant that the schedule of the current load counts from."""
        self.ended_ns = 0
        """Instant at which the last load ended; 0 while one runs."""
        self.gaps = GapWatch()
        """When it was late although a connection was free, and why."""

    def open(self, wait_s: float = 0.0) -> None:
        """Open every connection before the load, so that the first requests do not pay for it.

        Parameters
        ----------
        wait_s
            How long nothing may listen there before that is an error.

        Raises
        ------
        LoadFailed
            Nothing listens there, no secure connection comes about, or this machine cannot open as many connections.
        """
        find_server(self._address, self._family, self._host, self._tls, http2=self._http2,
                    timeout_s=self._limits.timeout_s, wait_s=wait_s)  # fmt: skip
        self._idle.extend(self._connections)
        try:
            for connection in self._connections if self._limits.keep_alive else ():
                with suppress(ConnectionResetError):  # It is opened again for its first request.
                    self._connect(connection)
        except OSError as error:
            raise LoadFailed(
                f"Connection {self.connects} of {len(self._connections)} to {self._host}: {error}. Give fewer --connections."
            ) from error

    def stop(self) -> None:
        """End the load after the current batch; what is in flight is written down as unanswered."""
        self._stopping = True

    def run_open(self, schedule: Schedule) -> None:
        """Send every request when the schedule says, or late when no connection is free; ends when all are answered."""
        self._run(schedule.chunks(), None, closed=False)

    def close(self) -> None:
        """Close every connection and give everything back."""
        for connection in self._connections:
            self._close(connection)
        self.gaps.close()
        self._timer.close()
        self._epoll.close()

    def run_closed(self, duration_s: float | None) -> None:
        """Keep every connection busy: each sends its next request when its last one was answered."""
        self._run(iter(()), duration_s, closed=True)

    # --- the loop -----------------------------------------------------------------------------------------------------

    def _run(self, chunks: Iterator[np.ndarray], duration_s: float | None, *, closed: bool) -> None:
        clock, poll = time.monotonic_ns, self._epoll.poll
        by_fd, idle, backlog = self._by_fd, self._idle, self._backlog
        write_row, dispatch = self._rows.extend, self._dispatch
        reconnect = not self._limits.keep_alive
        free: deque[Connection] = deque()

        self._closed = closed
        self.ended_ns = 0
        self._chunks = chunks
        self.began_ns = now = clock()
        end = _NEVER if duration_s is None else now + int(duration_s * _NS)
        self._refill()
        next_turn = now
        try:
            while closed and idle:
                dispatch(idle.popleft(), now, now, False)
            while not self._stopping:
                now = clock()
                # 1. Send what is due, and what was due before and found no connection.
                if self._next_due <= now:
                    self._send_due(now)
                while backlog and idle:
                    dispatch(idle.popleft(), backlog.popleft(), clock(), True)
                # 2. All answered?
                at_end = now >= end if closed else self._next_due == _NEVER and not backlog
                if at_end and not self._in_flight():
                    break
                # 3. Give others a turn while nothing is due, or when they have waited long enough.
                if now >= next_turn and (self._next_due - now > _QUIET_NS or now - next_turn > _PATIENCE_NS):
                    self._give_turn(now, end)
                    next_turn = clock() + _TURN_EVERY_NS
                    continue
                # 4. Wait for answers, but not past the next request.
                events = poll(0)
                if not events:
                    if self._next_due != _NEVER:
                        self._timer.set(self._next_due)
                    events = poll(_BLOCK_S)
                # 5. Take the answers.
                for fd, event in events:
                    connection = by_fd.get(fd)
                    if connection is None:  # the timer, or closed earlier in this batch
                        continue
                    if (event != READABLE or connection.connecting) and not self._advance(connection):
                        continue
                    try:
                        data = connection.recv(_READ_BYTES)
                        if data:
                            connection.feed(data)
                    except BlockingIOError:
                        if connection.payload:  # of HTTP/2, whose server has just given window for more of it
                            self._epoll.modify(fd, READABLE | WRITABLE)
                        continue
                    except (OSError, httptools.HttpParserError) as error:
                        self._lose(connection, error)
                        continue
                    if not data:
                        self._lose(connection, None)
                        continue
                    connection.received += len(data)
                    if not (connection.complete and connection.busy):
                        if not (connection.busy or self._http2):  # an answer that nobody asked for
                            self._close(connection)
                        continue
                    now = clock()
                    packed = connection.packed | connection.answered
                    write_row((connection.intended, connection.sent, now, packed, connection.received))
                    connection.busy = False
                    if reconnect or not connection.reusable:
                        self._close(connection)
                    # 6. The connection is free for the next request.
                    if closed and now < end:
                        free.append(connection)
                    elif backlog:
                        dispatch(connection, backlog.popleft(), now, True)
                    else:
                        idle.append(connection)
                    # A long batch must not make the schedule late.
                    if self._next_due <= now:
                        self._send_due(now)
                # 7. A closed loop sends in one go: one by one, each would wake a server that has just gone to sleep.
                while free:
                    now = clock()
                    dispatch(free.popleft(), now, now, False)
        finally:
            self._finish()

    def _refill(self) -> None:
        """Take the next piece of the schedule, last instant first so that the next one is popped from the end."""
        if not self._due:
            if len(self._backlog) > _MOST_WAITING:
                self._chunks, self._next_due = iter(()), _NEVER
                raise LoadFailed(
                    f"{len(self._backlog)} requests were due and found no connection free: far too many. Give a lower --rate."
                )
            chunk = next(self._chunks, None)
            while chunk is not None and not len(chunk):
                chunk = next(self._chunks, None)
            self._due = [] if chunk is None else (chunk[::-1] + self.began_ns).tolist()
        self._next_due = self._due.pop() if self._due else _NEVER

    def _send_due(self, now: int) -> None:
        if now - self._next_due > GAP_NS and self._idle:
            self.gaps.late(self._next_due, now)
        while self._next_due <= now:
            if self._idle:
                self._dispatch(self._idle.popleft(), self._next_due, time.monotonic_ns(), False)
            else:
                self._backlog.append(self._next_due)
            self._refill()

    def _dispatch(self, connection: Connection, intended: int, sent: int, queued: bool) -> None:
        """Send the next request on a free connection."""
        payload, packed = next(self._prepared)
        connection.intended = intended
        connection.sent = sent
        connection.received = 0
        connection.complete = False
        connection.busy = True
        connection.packed = packed | connection.own | (IS_QUEUED if queued else 0)
        try:
            if connection.socket is None:
                self._connect(connection)
            sent_bytes = 0 if connection.connecting else connection.send(payload)
        except BlockingIOError:
            sent_bytes = 0
        except OSError as error:
            self._lose(connection, error)
            return
        if sent_bytes < len(payload):
            connection.payload = memoryview(payload)[sent_bytes:]
            self._epoll.modify(connection.fd, READABLE | WRITABLE)

    def _advance(self, connection: Connection) -> bool:
        """Finish connecting and send what is left; tells whether the connection still stands."""
        try:
            if connection.connecting and not connection.finish_connecting():
                # Hands are shaken at the pace of what the server says.
                self._epoll.modify(connection.fd, READABLE)
                return False
            if connection.payload:
                connection.payload = connection.payload[connection.send(connection.payload) :]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(connection, error)
            return False
        self._epoll.modify(connection.fd, READABLE | WRITABLE if connection.payload else READABLE)
        return True

    def _connect(self, connection: Connection) -> None:
        self.connects += 1
        connection.open(self._address, self._family, self._tls, self._host)
        self._by_fd[connection.fd] = connection
        self._epoll.register(connection.fd, READABLE | WRITABLE if connection.connecting else READABLE)

    def _close(self, connection: Connection) -> None:
        self._by_fd.pop(connection.fd, None)
        connection.close()

    def _lose(self, connection: Connection, error: Exception | None) -> None:
        """Close a connection that broke, and write down the request that was on it, if any."""
        refused = connection.connecting or isinstance(error, ConnectionRefusedError)
        self._close(connection)
        if not connection.busy:
            return
        invalid = isinstance(error, httptools.HttpParserError)
        self._write_off(connection, Outcome.REFUSED if refused else Outcome.INVALID if invalid else Outcome.RESET)

    def _write_off(self, connection: Connection, outcome: Outcome) -> None:
        now = time.monotonic_ns()
        packed = connection.packed | outcome << OUTCOME_SHIFT
        self._rows.extend((connection.intended, connection.sent, now, packed, connection.received))
        connection.busy = False
        if self._closed:
            self._resting.append((now + _REST_NS, connection))
        else:
            self._idle.append(connection)

    def _give_turn(self, now: int, end: int) -> None:
        began = time.monotonic_ns()
        if now >= self._next_flush:
            self._hand_over()
            self._give_up(now)
            self._next_flush = now + _FLUSH_EVERY_NS
        while self._resting and self._resting[0][0] <= now:
            connection = self._resting.popleft()[1]
            if now < end:
                self._dispatch(connection, now, now, False)
        flushed = time.monotonic_ns()
        self._give_way()
        self.gaps.turn_taken(began, flushed, time.monotonic_ns())

    def _give_up(self, now: int) -> None:
        for connection in self._in_flight():
            if now - connection.sent >= self._timeout_ns:
                self._close(connection)
                self._write_off(connection, Outcome.TIMEOUT)

    def _in_flight(self) -> list[Connection]:
        return [connection for connection in self._connections if connection.busy]

    def _hand_over(self) -> None:
        if self._rows:
            self._flush(self._rows)
            del self._rows[:]

    def _finish(self) -> None:
        """Write down what is in flight and what was never sent."""
        self.ended_ns = now = time.monotonic_ns()
        for connection in self._in_flight():
            self._close(connection)
            self._write_off(connection, Outcome.UNANSWERED)
        while self._next_due <= now:
            self._backlog.append(self._next_due)
            self._refill()
        self._idle.extend(connection for _, connection in self._resting)
        self._resting.clear()
        for intended in self._backlog:
            packed = Outcome.UNSENT << OUTCOME_SHIFT | IS_QUEUED
            self._rows.extend((intended, now, now, packed, 0))
        self._backlog.clear()
        self._hand_over()
