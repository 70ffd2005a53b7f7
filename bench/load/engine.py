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
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import httptools
import numpy as np

from bench.errors import LoadFailed
from bench.load.address import resolve
from bench.load.answers import Answers
from bench.load.connection import Connection
from bench.load.due import NEVER, Due
from bench.load.gaps import GAP_NS, GapWatch
from bench.load.http2 import Http2Connection
from bench.load.limits import Limits
from bench.load.poll import ONCE_AN_EDGE, READABLE, WRITABLE, epoll
from bench.load.probe import find_server
from bench.load.rows import IS_QUEUED, OF_STATUS, OUTCOME_SHIFT, REQUEST_SHIFT, Outcome
from bench.load.schedule import Schedule
from bench.load.timer import Timer

_NS = 1_000_000_000
_READ_BYTES = 65_536
_TURN_EVERY_NS = 10_000_000
_PATIENCE_NS = 10_000_000
"""How much longer than that others wait for a turn while requests are due at short notice."""
_QUIET_NS = 300_000
"""Requests are at short notice when the next one is nearer than this."""
_FLUSH_EVERY_NS = 250_000_000
_REST_NS = 50_000_000
"""How long a closed-loop user waits after its connection failed: it would spin otherwise."""
_BLOCK_MS = 10


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
        self._answers = Answers(self._epoll.fileno())
        self._plainly = self._answers.plainly
        self._timer = Timer()
        # Told once: a timer that has fired stays readable, and the loop would spin.
        self._epoll.register(self._timer.fd, READABLE | ONCE_AN_EDGE)
        self._by_fd: dict[int, Connection] = {}
        self._connections = [(Http2Connection if http2 else Connection)(number) for number in range(limits.connections)]
        self._idle: deque[Connection] = deque()
        self._resting: deque[tuple[int, Connection]] = deque()
        self._rows: array[int] = array("q")
        self._due = Due()
        self._next_flush = 0
        self._closed = False
        self.stopping = False
        """Somebody has ended the load."""
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
        self.stopping = True

    def run_open(self, schedule: Schedule) -> None:
        """Send every request when the schedule says, or late when no connection is free; ends when all are answered."""
        self._run(schedule.chunks(), None)

    def close(self) -> None:
        """Close every connection and give everything back."""
        for connection in self._connections:
            self._close(connection)
        self.gaps.close()
        self._timer.close()
        self._epoll.close()

    def run_closed(self, duration_s: float | None, connections: int | None = None) -> None:
        """Keep all connections busy, or so many: each sends its next request when its last one was answered."""
        self._run((), duration_s, busy=len(self._connections) if connections is None else connections)

    def _run(self, chunks: Iterable[np.ndarray], duration_s: float | None, *, busy: int = 0) -> None:
        clock, take, told = time.monotonic_ns, self._answers.take, self._answers.told
        by_fd, idle = self._by_fd, self._idle
        write_row, dispatch = self._rows.extend, self._dispatch
        keep_alive = self._limits.keep_alive
        free: deque[Connection] = deque()

        self._closed = closed = busy > 0
        self.ended_ns = 0
        self.began_ns = now = clock()
        self._due = due = Due(chunks, now)
        waiting = due.waiting
        end = NEVER if duration_s is None else now + int(duration_s * _NS)
        next_turn = now
        try:
            for _ in range(min(busy, len(idle))):
                dispatch(idle.popleft(), now, now, False)
            while not self.stopping:
                now = clock()
                # 1. Send what is due, and what was due before and found no connection.
                if due.next <= now:
                    self._send_due(now)
                while waiting and idle:
                    dispatch(idle.popleft(), waiting.popleft(), clock(), True)
                # 2. All answered?
                at_end = now >= end if closed else due.next == NEVER and not waiting
                if at_end and not self._in_flight():
                    break
                # 3. Give others a turn while nothing is due, or when they have waited long enough.
                if now >= next_turn and (due.next - now > _QUIET_NS or now - next_turn > _PATIENCE_NS):
                    self._give_turn(now, end)
                    next_turn = clock() + _TURN_EVERY_NS
                    continue
                # 4. Wait for answers, but not past the next request.
                count = take(0, due.next)
                if not count:
                    if due.next != NEVER:
                        self._timer.set(due.next)
                    count = take(_BLOCK_MS, due.next)
                # 5. Take the answers.
                for fd, event, size, status, at in told(count):
                    connection = by_fd.get(fd)
                    if connection is None:  # the timer, or closed earlier in this batch
                        continue
                    if status and connection.busy and at > connection.sent:
                        packed, reusable = connection.packed | OF_STATUS[status], keep_alive
                    elif self._hear(connection, event, size, at):
                        at, size = clock(), connection.received
                        packed, reusable = connection.packed | connection.answered, keep_alive and connection.reusable
                    else:
                        continue
                    write_row((connection.intended, connection.sent, at, packed, size))
                    connection.busy = False
                    if not reusable:
                        self._close(connection)
                    # 6. The connection is free for the next request.
                    if closed:
                        (free if at < end else idle).append(connection)
                        continue
                    now = clock()
                    if waiting:
                        dispatch(connection, waiting.popleft(), now, True)
                    else:
                        idle.append(connection)
                    # A long batch must not make the schedule late.
                    if due.next <= now:
                        self._send_due(now)
                # 7. A closed loop sends in one go: one by one, each would wake a server that has just gone to sleep.
                while free:
                    now = clock()
                    dispatch(free.popleft(), now, now, False)
        finally:
            self._finish()

    def _send_due(self, now: int) -> None:
        """Send what is due on connections that are free; what finds none waits for one."""
        due = self._due
        if now - due.next > GAP_NS and self._idle:
            self.gaps.late(due.next, now)
        while due.next <= now:
            if self._idle:
                self._dispatch(self._idle.popleft(), due.next, time.monotonic_ns(), False)
                due.advance()
            else:
                due.miss()

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
            self._plainly[connection.fd] = 0
            self._epoll.modify(connection.fd, READABLE | WRITABLE)

    def _hear(self, connection: Connection, event: int, size: int, at: int) -> bool:
        """Take what arrived and is no plain answer to the request in flight; tells whether that is answered now."""
        if size > 0 and not (connection.busy and at > connection.sent):  # an answer that nobody asked for
            self._lose(connection, None)
            return False
        if (event != READABLE or connection.connecting) and not self._advance(connection):
            return False
        try:
            data = self._answers.received(size) if size > 0 else connection.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError
            connection.feed(data)
        except BlockingIOError:
            if connection.payload:  # of HTTP/2, whose server has just given window for more of it
                self._epoll.modify(connection.fd, READABLE | WRITABLE)
            return False
        except (OSError, httptools.HttpParserError) as error:
            self._lose(connection, error)
            return False
        connection.received += len(data)
        answered = connection.complete and connection.busy
        self._plainly[connection.fd] = answered and connection.plain
        if not (connection.busy or self._http2):
            self._close(connection)
        return answered

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
        self._expect(connection)
        return True

    def _expect(self, connection: Connection) -> None:
        """Let a plain answer be received at once, where nothing else is under way."""
        under_way = connection.connecting or connection.payload or connection.received
        self._plainly[connection.fd] = connection.plain and not under_way

    def _connect(self, connection: Connection) -> None:
        self.connects += 1
        connection.open(self._address, self._family, self._tls, self._host)
        self._by_fd[connection.fd] = connection
        self._epoll.register(connection.fd, READABLE | WRITABLE if connection.connecting else READABLE)
        self._expect(connection)

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
        while self._due.next <= now:
            self._due.miss()
        self._idle.extend(connection for _, connection in self._resting)
        self._resting.clear()
        for intended in self._due.waiting:
            packed = Outcome.UNSENT << OUTCOME_SHIFT | IS_QUEUED
            self._rows.extend((intended, now, now, packed, 0))
        self._due.waiting.clear()
        self._hand_over()
