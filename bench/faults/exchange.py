"""One GET on a non-blocking socket: what the prober and the supervisor's probes have in common."""

from __future__ import annotations

import errno
import socket

import httptools

from bench.load.rows import Outcome

HOST = "127.0.0.1"
# Loopback too, but not the gateway's address: a client that connects to a port where nobody listens can be given that
# very port as its own, connect to itself, and keep the port from the gateway that wants it back.
_SOURCE = ("127.0.0.2", 0)
_IP_BIND_ADDRESS_NO_PORT = 24
_BROKEN = (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED)
_RECEIVE_BYTES = 65536


class Exchange:
    """One GET under way. `begin` and `proceed` give its outcome once it is known, and None before.

    Parameters
    ----------
    port, path
        What to get, from 127.0.0.1.
    kept
        An open connection to send it on; None: it opens one of its own.

    Raises
    ------
    OSError
        This side could not open a connection: out of descriptors or ports. That is no outcome of the gateway.
    """

    __slots__ = ("_complete", "_parser", "_request", "connecting", "port", "socket", "status")

    def __init__(self, port: int, path: str, kept: socket.socket | None = None) -> None:
        self.port = port
        self.socket = kept
        self.connecting = False
        self.status = 0
        self._request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
        self._complete = False
        self._parser = httptools.HttpResponseParser(self)

    def begin(self) -> Outcome | None:
        """Connect, when there is no connection yet, and send."""
        if self.socket is not None:
            return self._send()
        self.socket = open_socket()
        return self._connected(self.socket.connect_ex((HOST, self.port)))

    def proceed(self) -> Outcome | None:
        """Go on after the socket became writable (while `connecting`) or readable."""
        if self.connecting:
            self.connecting = False
            return self._connected(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        try:
            received = self.socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            return _broken(error)
        if not received:
            return Outcome.RESET
        try:
            self._parser.feed_data(received)
        except httptools.HttpParserError:
            return Outcome.INVALID
        if not self._complete:
            return None
        self.status = self._parser.get_status_code()
        return Outcome.OK if 200 <= self.status < 300 else Outcome.ERROR

    def release(self) -> socket.socket | None:
        """Give the connection away when it can carry another request; close it otherwise."""
        if self._complete and self._parser.should_keep_alive():
            connection, self.socket = self.socket, None
        else:
            connection = None
        self.close()
        return connection

    def close(self) -> None:
        """Close the connection and break the cycle with the parser."""
        self._parser = None
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def on_message_complete(self) -> None:
        """Note that the answer is whole (called by the parser)."""
        self._complete = True

    def _connected(self, code: int) -> Outcome | None:
        if code == errno.EINPROGRESS:
            self.connecting = True
            return None
        if code == errno.ECONNREFUSED:
            return Outcome.REFUSED
        if code:
            return _broken(OSError(code, "connect"))
        return self._send()

    def _send(self) -> Outcome | None:
        try:
            # A request this short is taken whole by the empty buffer of a connection that waits for nothing.
            self.socket.send(self._request)
        except OSError as error:
            return _broken(error)
        return None


def open_socket() -> socket.socket:
    """Give a non-blocking socket that is ready to connect to a gateway."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    opened.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.bind(_SOURCE)
    return opened


def _broken(error: OSError) -> Outcome:
    if error.errno in _BROKEN:
        return Outcome.RESET
    raise error
