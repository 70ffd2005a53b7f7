"""HTTP/1.1 as bytes on a plain socket: what is sent is sent as written, what comes back is read strictly.

No HTTP library: they normalise, and the contract is about what stands on the wire.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?")
_READ_BYTES = 1 << 20
_STALLED_S = 0.25
"""How long a send may be stuck once an answer is there, before the rest of the body is given up."""


@dataclass(frozen=True)
class Pause:
    """Send nothing for a while."""

    seconds: float


@dataclass(frozen=True)
class End:
    """Send no more (FIN), but go on reading."""


@dataclass(frozen=True)
class Reset:
    """Break the connection off (RST)."""


Piece = bytes | Pause | End | Reset


@dataclass(frozen=True)
class Answer:
    """A response as it was read."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    whole: bool = True
    """False when the connection ended before the body did."""

    def values(self, name: str) -> list[str]:
        """Give the values of every field of this name, in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Malformed(Exception):
    """What came back is not HTTP/1.1."""


class NoAnswer(Exception):
    """Nothing whole came back in time."""


class Connection:
    """One connection to a gateway."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=5.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._buffer = bytearray()
        self._ended = False

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, pieces: Iterable[Piece]) -> None:
        """Send the pieces, and read meanwhile: a gateway may answer, or close, before it has all."""
        for piece in pieces:
            match piece:
                case Pause(seconds):
                    self._pause(seconds)
                case End():
                    self._end()
                case Reset():
                    self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self._socket.close()
                    self._ended = True
                case _:
                    self._send(piece)
            if self._ended:
                return

    def receive(self, within_s: float, *, head: bool = False) -> Answer | None:
        """Give the next final answer, or None when the connection ended without one.

        Parameters
        ----------
        head
            Whether it answers a HEAD and so has no body.

        Raises
        ------
        NoAnswer
            Time is up, and the connection is still open.
        Malformed
            It is not HTTP/1.1.
        """
        deadline = time.monotonic() + within_s
        while True:
            if (parsed := parse(bytes(self._buffer), self._ended, head)) is not None:
                answer, length = parsed
                del self._buffer[:length]
                if answer.status >= 200:
                    return answer
                continue
            if self._ended:
                return None
            if not self._read(deadline - time.monotonic()):
                raise NoAnswer(f"no answer within {within_s:g} s; came so far: {bytes(self._buffer[:80])!r}")

    def surplus(self, within_s: float) -> bytes:
        """Give what comes beyond the answers that were taken."""
        self._pause(within_s)
        return bytes(self._buffer)

    def ends(self, within_s: float) -> bool:
        """Tell whether the other side closes in time."""
        self._pause(within_s)
        return self._ended

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._ended and (left := deadline - time.monotonic()) > 0:
            self._read(left)

    def _send(self, octets: bytes) -> None:
        left = memoryview(octets)
        while left and not self._ended:
            readable, writable, _ = select.select([self._socket], [self._socket], [], _STALLED_S)
            if readable:
                self._take()
            if writable and not self._ended:
                try:
                    left = left[self._socket.send(left) :]
                except BlockingIOError:
                    continue
                except OSError:
                    # The other side has closed; what it said before that is still to be read.
                    self._pause(_STALLED_S)
                    self._ended = True
            if not readable and not writable and self._buffer:
                return

    def _end(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            self._ended = True

    def _read(self, within_s: float) -> bool:
        if within_s <= 0 or not select.select([self._socket], [], [], within_s)[0]:
            return False
        self._take()
        return True

    def _take(self) -> None:
        try:
            octets = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        self._buffer += octets
        self._ended = not octets


def get(host: str, port: int, target: str, *, method: str = "GET", within_s: float = 5.0) -> Answer:
    """Give the answer to one request without a body, on a connection of its own.

    Raises
    ------
    NoAnswer, Malformed, OSError
        There was none.
    """
    with Connection(host, port) as connection:
        connection.send([f"{method} {target} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\n\r\n".encode()])
        answer = connection.receive(within_s)
    if answer is None:
        raise NoAnswer(f"{method} {target}: the connection was closed")
    return answer


def parse(octets: bytes, ended: bool, head: bool = False) -> tuple[Answer, int] | None:
    """Read one response off the front of `octets`.

    Returns
    -------
    The answer and its length, or None when more is needed. Once the connection has `ended`, a begun body is given
    as an answer that is not whole.
    """
    end = octets.find(b"\r\n\r\n")
    if end < 0:
        if octets[:7] != b"HTTP/1."[: len(octets)]:
            raise Malformed(f"not a status line: {octets[:60]!r}")
        return None
    lines = octets[:end].split(b"\r\n")
    status_line = _STATUS_LINE.fullmatch(lines[0])
    if not status_line:
        raise Malformed(f"not a status line: {lines[0][:60]!r}")
    status = int(status_line[1])
    headers = tuple(_field(line) for line in lines[1:])
    bare = Answer(status, headers, b"")
    begin = end + 4
    if head or status < 200 or status in (204, 304):
        return bare, begin
    body = _body(bare, octets, begin, ended)
    if body is not None:
        return Answer(status, headers, body[0]), body[1]
    return (Answer(status, headers, octets[begin:], whole=False), len(octets)) if ended else None


def _field(line: bytes) -> tuple[str, str]:
    field = _FIELD.fullmatch(line)
    if not field:
        raise Malformed(f"not a header field: {line[:60]!r}")
    return field[1].decode("ascii"), field[2].decode("latin-1")


def _body(answer: Answer, octets: bytes, begin: int, ended: bool) -> tuple[bytes, int] | None:
    """Give the body and where it ends, or None when it is not whole."""
    lengths = answer.values("content-length")
    if answer.values("transfer-encoding"):
        if lengths:
            raise Malformed("both Transfer-Encoding and Content-Length")
        return _chunks(octets, begin)
    if lengths:
        if len(lengths) > 1 or not lengths[0].isdecimal():
            raise Malformed(f"Content-Length {lengths!r}")
        end = begin + int(lengths[0])
        return (octets[begin:end], end) if len(octets) >= end else None
    return (octets[begin:], len(octets)) if ended else None


def _chunks(octets: bytes, place: int) -> tuple[bytes, int] | None:
    body = []
    while (line_end := octets.find(b"\r\n", place)) >= 0:
        size_line = _CHUNK_SIZE.fullmatch(octets[place:line_end])
        if not size_line:
            raise Malformed(f"not a chunk size: {octets[place:line_end][:40]!r}")
        size, place = int(size_line[1], 16), line_end + 2
        if size == 0:
            return _trailers(body, octets, place)
        if len(octets) < place + size + 2:
            return None
        body.append(octets[place : place + size])
        if octets[place + size : place + size + 2] != b"\r\n":
            raise Malformed("a chunk is longer than its size")
        place += size + 2
    return None


def _trailers(body: list[bytes], octets: bytes, place: int) -> tuple[bytes, int] | None:
    while (line_end := octets.find(b"\r\n", place)) >= 0:
        if line_end == place:
            return b"".join(body), place + 2
        _field(octets[place:line_end])
        place = line_end + 2
    return None
