"""HTTP/2 (RFC 9113) on a connection of the engine, by the library h2: one request in flight a connection, stream by stream.

Streams of one connection are not used beside one another, so that the engine's model holds: a connection is busy or free,
`connections` bounds the requests in flight, a row has one connection. What is prepared is HTTP/1.1; its header is translated
once a request. A server that sends GOAWAY or resets the stream is done with: the connection is opened again. (h2 takes no
frame after a GOAWAY, so an answer that would still have come is lost, and its request counts as reset.)

It is slower than HTTP/1.1, whose parser is C: frames and header compression are Python here. On 2026-11-24 a request cost
the engine ten times the processor time (250 µs for 25 µs, small requests, on a machine with other work to do).
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import httptools
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import NoAvailableStreamIDError, ProtocolError
from h2.settings import SettingCodes, Settings

from bench.load.connection import Connection

PROTOCOL = "h2"
"""Its name in TLS (ALPN)."""
_READ_BYTES = 65_536
_STREAM_WINDOW_BYTES = 1 << 20
_CONNECTION_WINDOW_BYTES = 1 << 24
"""What a server may send before we say that we have read it; generous, so that it seldom waits for that."""
_NOT_IN_HTTP2 = frozenset(
    {b"host", b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
"""Fields that HTTP/2 has another place for, or forbids (RFC 9113, section 8.2.2)."""


class Transport(Protocol):
    """What bytes go through: a non-blocking socket, or TLS on one. Either raises BlockingIOError where it has to wait."""

    def send(self, data: memoryview) -> int:
        """Send; gives how many bytes were taken."""

    def recv(self, size: int) -> bytes:
        """Give what has arrived; empty when the other side has ended."""


@dataclass(frozen=True)
class Request:
    """A request as HTTP/2 says it."""

    fields: tuple[tuple[bytes, bytes], ...]
    """Name and value each, those that begin with a colon first."""
    body: bytes


@cache
def translated(request: bytes, scheme: bytes) -> Request:
    """Give a whole HTTP/1.1 request, with a body as long as it says, as HTTP/2 says it."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, path, _ = first.split(b" ", 2)
    parts = (line.partition(b":") for line in lines)
    fields = [(name.strip().lower(), value.strip()) for name, _, value in parts]
    authority = dict(fields)[b"host"]
    own = ((b":method", method), (b":scheme", scheme), (b":authority", authority), (b":path", path))
    return Request((*own, *(field for field in fields if field[0] not in _NOT_IN_HTTP2)), body)


def greets(connected: socket.socket) -> bool:
    """Tell whether a server takes HTTP/2's preface: its own first frame must be SETTINGS (RFC 9113, section 3.4)."""
    opened = _opened()
    try:
        connected.sendall(opened.data_to_send())
        while data := connected.recv(_READ_BYTES):
            if any(isinstance(event, events.RemoteSettingsChanged) for event in opened.receive_data(data)):
                return True
    except (OSError, ProtocolError):
        pass
    return False


class Http2Connection(Connection):
    """A connection of the engine that speaks HTTP/2."""

    __slots__ = ()

    def speak(self, transport: Transport) -> None:
        """Speak HTTP/2 over a transport."""
        self.parser = Exchange(self, transport, b"http" if self.tls is None else b"https")
        self.send, self.recv = self.parser.send, transport.recv
        self.feed, self.status = self.parser.feed, self.parser.get_status_code

    def close(self) -> None:
        """Close the socket, and let go of what was said on it."""
        super().close()
        if self.parser is not None:
            self.parser.forget()


class Exchange:
    """One request and its answer after the other, over a transport; to the engine a parser that sends as well.

    Parameters
    ----------
    connection
        Told when an answer is whole.
    scheme
        Of the requests: http or https.
    """

    def __init__(self, connection: Connection, transport: Transport, scheme: bytes) -> None:
        self._connection = connection
        self._transport = transport
        self._scheme = scheme
        self._h2 = _opened()
        self._stream: int | None = None
        """The stream of the request in flight."""
        self._data: bytes | memoryview = b""
        """The request in flight, as the engine has it."""
        self._unsent = memoryview(b"")
        """What of its body the server gave no window for yet."""
        self._left = memoryview(b"")
        """Frames that the transport did not take yet."""
        self._status = 0
        self._ended = False
        """The answer of the request in flight is whole."""
        self._broken: str | None = None
        """Why nothing more can be sent."""

    def send(self, data: bytes | memoryview) -> int:
        """Send a request; gives how many bytes were taken: all, or none and BlockingIOError until the transport takes more.

        A body for which the server gives no window yet counts as taken; `feed` goes on with it when there is one.
        """
        if self._stream is None:
            self._begin(data)
        self._push()
        return len(data)

    def feed(self, data: bytes) -> None:
        """Take what the server has sent, and answer what has to be answered.

        Raises
        ------
        HttpParserError
            It is not HTTP/2.
        ConnectionResetError
            The server gave up the request, or the connection.
        BlockingIOError
            The request goes on when the transport takes more; until then it is the connection's payload.
        """
        try:
            for event in self._h2.receive_data(data):
                self._take(event)
        except ProtocolError as error:
            raise httptools.HttpParserError(f"not HTTP/2: {error}") from error
        if self._ended:
            self._ended, self._stream = False, None
            self._connection.on_message_complete()
        elif self._broken is not None:
            raise ConnectionResetError(self._broken)
        self._go_on(len(data))

    def get_status_code(self) -> int:
        """Give the status of the last answer."""
        return self._status

    def should_keep_alive(self) -> bool:
        """Tell whether the connection can carry another request."""
        if self._broken is not None or self._unsent:
            return False
        try:
            self._h2.get_next_available_stream_id()
        except NoAvailableStreamIDError:
            return False
        return True

    def forget(self) -> None:
        """Be of no use any more: h2's connection refers to itself, and nobody collects such cycles during a load."""
        vars(self._h2).clear()

    def _begin(self, data: bytes | memoryview) -> None:
        request = translated(bytes(data), self._scheme)
        try:
            self._stream = self._h2.get_next_available_stream_id()
            self._h2.send_headers(self._stream, request.fields, end_stream=not request.body)
        except ProtocolError as error:
            raise ConnectionResetError(f"the server takes no request: {error}") from error
        self._data = data
        self._unsent = memoryview(request.body)
        self._send_body()

    def _send_body(self) -> None:
        """Make frames of as much of the body as the server gives window for."""
        while self._unsent:
            window = self._h2.local_flow_control_window(self._stream)
            size = min(window, self._h2.max_outbound_frame_size, len(self._unsent))
            if size <= 0:
                return
            self._h2.send_data(self._stream, bytes(self._unsent[:size]), end_stream=size == len(self._unsent))
            self._unsent = self._unsent[size:]

    def _push(self) -> None:
        """Hand frames to the transport; raises BlockingIOError when it does not take them all."""
        if fresh := self._h2.data_to_send():
            self._left = memoryview(bytes(self._left) + fresh)
        while self._left:
            self._left = self._left[self._transport.send(self._left) :]

    def _go_on(self, received: int) -> None:
        if self._stream is not None:
            self._send_body()
        try:
            self._push()
        except BlockingIOError:
            if self._stream is not None:
                self._connection.payload = self._data
                # The engine does not come to count them.
                self._connection.received += received
                raise

    def _take(self, event: events.Event) -> None:
        own = getattr(event, "stream_id", None) == self._stream
        match event:
            case events.ResponseReceived() if own:
                self._status = int(dict(event.headers)[b":status"])
            case events.DataReceived():
                self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case events.StreamEnded() if own:
                self._ended = True
            case events.StreamReset() if own:
                self._broken = f"the server reset the stream (error {event.error_code})"
            case events.ConnectionTerminated():
                self._broken = f"the server sent GOAWAY (error {event.error_code})"


def _opened() -> H2Connection:
    """Give a client's side of a connection whose preface is ready to be sent."""
    own = H2Connection(
        H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
    )
    own.local_settings = Settings(
        client=True,
        initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW_BYTES},
    )
    own.initiate_connection()
    own.increment_flow_control_window(_CONNECTION_WINDOW_BYTES)
    return own
