"""One connection of the engine, HTTP/1.1 unless a kind of it says otherwise, and the request that it carries."""

from __future__ import annotations

import errno
import socket as _patched_socket
import ssl
from typing import Any

import httptools
from gevent import monkey

from bench.load.rows import CONNECTION_SHIFT, OF_STATUS
from bench.load.tls import TlsSocket

# Locust patches the socket module for gevent; the engine waits by its own epoll and wants the plain one.
_Socket: type[_patched_socket.socket] = monkey.get_original("socket", "socket")
_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK)
_FINAL = 200
"""Answers of a lower status are followed by another (RFC 9110, section 15.2)."""


class Connection:
    """A non-blocking socket with its parser. Every field is read and written by the engine, per request."""

    __slots__ = (
        "answered",
        "busy",
        "complete",
        "connecting",
        "fd",
        "feed",
        "intended",
        "number",
        "own",
        "packed",
        "parser",
        "payload",
        "plain",
        "received",
        "recv",
        "reusable",
        "send",
        "sent",
        "socket",
        "status",
        "tls",
    )  # fmt: skip

    def __init__(self, number: int) -> None:
        self.number = number
        self.socket: _patched_socket.socket | None = None
        self.fd = -1
        self.connecting = False
        self.own = number << CONNECTION_SHIFT
        """Its part of the packed row."""
        self.busy = False
        """A request is in flight on it."""
        self.complete = False
        self.answered = 0
        """The part of the packed row that the answer's status is and means."""
        self.reusable = False
        self.payload: bytes | memoryview = b""
        """What is still to be sent, while the socket takes no more."""
        self.intended = 0
        self.sent = 0
        self.received = 0
        self.packed = 0
        """The part of the packed row that is known at sending."""
        self.plain = False
        """It speaks HTTP/1.1 without TLS: most answers need no parser, see `bench.load.answers`."""
        self.parser: Any = None
        self.tls: TlsSocket | None = None

    def open(self, address: tuple[Any, ...], family: int, tls: ssl.SSLContext | None = None, host: str = "") -> None:
        """Begin to connect, with TLS to a host of that name if it is given; raises OSError when it is refused at once."""
        self.socket = _Socket(family, _patched_socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(_patched_socket.IPPROTO_TCP, _patched_socket.TCP_NODELAY, 1)
        self.fd = self.socket.fileno()
        self.tls = None if tls is None else TlsSocket(self.socket, tls, host)
        self.speak(self.tls or self.socket)
        self.complete = False
        code = self.socket.connect_ex(address)
        # With TLS it is connecting until hands are shaken, however fast the socket is.
        self.connecting = code in _IN_PROGRESS or (code == 0 and tls is not None)
        if code and not self.connecting:
            self.close()
            raise OSError(code, errno.errorcode.get(code, "connect"))

    def speak(self, transport: _patched_socket.socket | TlsSocket) -> None:
        """Speak HTTP/1.1 over what bytes go through."""
        self.send, self.recv = transport.send, transport.recv
        self.plain = self.tls is None
        self.parser = httptools.HttpResponseParser(self)
        self.feed, self.status = self.parser.feed_data, self.parser.get_status_code

    def finish_connecting(self) -> bool:
        """Go on with connecting, shaking hands included; tells whether it is done. Raises OSError when it failed."""
        if code := self.socket.getsockopt(_patched_socket.SOL_SOCKET, _patched_socket.SO_ERROR):
            raise OSError(code, "connect")
        self.connecting = not (self.tls is None or self.tls.shake_hands())
        return not self.connecting

    def on_message_complete(self) -> None:
        """Note that the answer is whole; only now does the parser, which calls this, know if the connection may stay."""
        status = self.status()
        if status < _FINAL:
            return
        if not self.complete:
            self.answered = OF_STATUS[status]
        # A second answer belongs to no request, and would be taken for that of the next one. Neither may there be an answer
        # before the whole request was sent: what is left of it would stand in the midst of the next one.
        self.reusable = not (self.complete or self.payload) and self.parser.should_keep_alive()
        self.complete = True

    def close(self) -> None:
        """Close the socket; the connection can be opened again."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
            self.tls = None
            self.fd = -1
            self.connecting = False
            self.payload = b""
