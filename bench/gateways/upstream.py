"""The scripted upstream behind a gateway's `/proxy`: it keeps what it saw and does what the path says.

The path is `/{service}/{script}/{arguments…}`; any other path is answered 200 with what was seen, as JSON.
One thread a connection, on plain sockets: several scripts do what no HTTP library would.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

HOST = "127.0.0.1"
_HANG_S = 30.0
_TEXT = ("Content-Type", "text/plain")


@dataclass(frozen=True)
class Seen:
    """One request as it reached the upstream."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Give a header's values joined with a comma, or None when it was not sent."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None


class Upstream:
    """A scripted server on a free port of the loopback, up while its context is open."""

    def __init__(self) -> None:
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self._lock = threading.Lock()
        self._seen: list[Seen] = []
        self._open: set[socket.socket] = set()
        self._stopping = threading.Event()
        self.connections_opened = 0
        self.connections_peak = 0

    def __enter__(self) -> Upstream:
        threading.Thread(target=self._accept, name="upstream", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # A blocked accept() wakes on shutdown, not on close.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://{self.address}"

    @property
    def connections_open(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return len(self._open)

    def take(self) -> list[Seen]:
        """Give the requests seen since the last call, oldest first."""
        with self._lock:
            seen, self._seen = self._seen, []
        return seen

    def forget(self) -> None:
        """Begin counting connections anew; those that are open stay open and count for the peak."""
        with self._lock:
            self._seen = []
            self.connections_opened, self.connections_peak = 0, len(self._open)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self.connections_opened += 1
                self.connections_peak = max(self.connections_peak, len(self._open))
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError), connection.makefile("rb") as reader:
                while (seen := _read(reader)) is not None:
                    with self._lock:
                        self._seen.append(seen)
                    if not _answer(_Exchange(connection, seen, self._stopping)):
                        return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()


def _read(reader: BinaryIO) -> Seen | None:
    """Read one request; None when the connection ended before it was whole."""
    line = reader.readline().decode("latin-1").rstrip("\r\n")
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers = []
    while line := reader.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers.append((name, value.strip(" \t")))
    seen = Seen(method, target, tuple(headers), b"")
    length = int(seen.header("content-length") or 0)
    body = _chunks(reader) if seen.header("transfer-encoding") else _exactly(reader, length)
    return None if body is None else Seen(method, target, tuple(headers), body)


def _exactly(reader: BinaryIO, length: int) -> bytes | None:
    body = reader.read(length)
    return body if len(body) == length else None


def _chunks(reader: BinaryIO) -> bytes | None:
    body = b""
    while line := reader.readline():
        size = int(line.split(b";")[0], 16)
        chunk = _exactly(reader, size)
        if chunk is None:
            return None
        body += chunk
        while reader.readline().strip():  # the line end of a chunk, or the trailers of the last
            pass
        if size == 0:
            return body
    return None


class _Exchange:
    """A request that waits for its script."""

    def __init__(self, connection: socket.socket, seen: Seen, stopping: threading.Event) -> None:
        self.connection = connection
        self.seen = seen
        self.stopping = stopping
        segments = seen.target.partition("?")[0].split("/")
        self.script, self.arguments = (segments[2], segments[3:]) if len(segments) > 2 else ("", [])

    @property
    def keep(self) -> bool:
        """Whether the client lets the connection live."""
        return (self.seen.header("connection") or "").lower() != "close"

    def number(self, place: int = 0) -> int:
        return int(self.arguments[place])

    def send(self, status: int, body: bytes = b"", *headers: tuple[str, str]) -> bool:
        """Send a whole answer; gives whether the connection lives on."""
        bodyless = status in (204, 304)
        fields = list(headers)
        if not bodyless:
            fields.append(("Content-Length", str(len(body))))
        if not self.keep:
            fields.append(("Connection", "close"))
        self.head(status, *fields)
        if not bodyless and self.seen.method != "HEAD":
            self.connection.sendall(body)
        return self.keep

    def head(self, status: int, *headers: tuple[str, str]) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.connection.sendall(f"HTTP/1.1 {status} Scripted\r\n{lines}\r\n".encode("latin-1"))

    def echo(self, status: int = 200, *headers: tuple[str, str]) -> bool:
        seen = self.seen
        said = {"status": status, "method": seen.method, "target": seen.target, "body_bytes": len(seen.body)}
        kind, mark = ("Content-Type", "application/json"), ("X-Upstream", "yes")
        return self.send(status, json.dumps(said).encode(), kind, mark, *headers)


def _answer(exchange: _Exchange) -> bool:
    script = _SCRIPTS.get(exchange.script)
    return script(exchange) if script else exchange.echo()


def _delay(exchange: _Exchange) -> bool:
    exchange.stopping.wait(exchange.number() / 1000)
    return exchange.echo()


def _hang(exchange: _Exchange) -> bool:
    exchange.stopping.wait(_HANG_S)
    return False


def _reset(exchange: _Exchange) -> bool:
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _say(octets: bytes) -> Callable[[_Exchange], bool]:
    def script(exchange: _Exchange) -> bool:
        exchange.connection.sendall(octets)
        return False

    return script


def _bytes(exchange: _Exchange) -> bool:
    count = exchange.number()
    return exchange.send(200, (b"0123456789abcdef" * (count // 16 + 1))[:count], _TEXT)


def _cut(exchange: _Exchange) -> bool:
    exchange.head(200, _TEXT, ("Content-Length", str(2 * exchange.number())))
    exchange.connection.sendall(b"x" * exchange.number())
    return False


def _chunked(exchange: _Exchange) -> bool:
    connection = () if exchange.keep else (("Connection", "close"),)
    exchange.head(200, _TEXT, ("Transfer-Encoding", "chunked"), *connection)
    for number in range(exchange.number()):
        text = f"chunk {number}\n"
        exchange.connection.sendall(f"{len(text):x}\r\n{text}\r\n".encode())
        time.sleep(0.005)
    exchange.connection.sendall(b"0\r\n\r\n")
    return exchange.keep


def _drip(exchange: _Exchange) -> bool:
    count, pause_ms = exchange.number(0), exchange.number(1)
    exchange.head(200, _TEXT, ("Content-Length", str(count)))
    for number in range(count):
        exchange.connection.sendall(str(number % 10).encode())
        time.sleep(pause_ms / 1000)
    return exchange.keep


def _headers(exchange: _Exchange) -> bool:
    return exchange.send(
        200, b"headers", ("Content-Type", "text/x-vector; charset=latin1"), ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2; HttpOnly"), ("X-Kept", "a  b"), ("ETag", '"x"'), ("Cache-Control", "no-store"),
        ("Vary", "Accept"), ("X-Secret", "1"), ("Connection", "x-secret"), ("Proxy-Connection", "keep-alive"),
        ("traceresponse", f"00-{'f' * 32}-{'f' * 16}-00"),
    )  # fmt: skip


_SCRIPTS: dict[str, Callable[[_Exchange], bool]] = {
    "status": lambda e: e.echo(e.number()),
    "redirect": lambda e: e.echo(e.number(), ("Location", "/catalog/elsewhere")),
    "bytes": _bytes,
    "bare": lambda e: e.send(200, b"bare"),
    "gzip": lambda e: e.send(200, gzip.compress(b"hello", mtime=0), _TEXT, ("Content-Encoding", "gzip")),
    "headers": _headers,
    "chunked": _chunked,
    "delay": _delay,
    "drip": _drip,
    "hang": _hang,
    "reset": _reset,
    "close": lambda _: False,
    "cut": _cut,
    "cut-chunked": _say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
    "half-header": _say(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "garbage": _say(b"BANANA BANANA\r\nBANANA\r\n\r\n"),
    "until-close": _say(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nuntil the end"),
}  # fmt: skip
