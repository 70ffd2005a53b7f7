"""A small HTTP server whose every answer is scripted: the ground truth of the load engine's tests."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class ScriptedServer:
    """Listens on loopback; `answer` gets the number of the request, from 0, and gives bytes, or None to close."""

    answer: Callable[[int], bytes | None]
    requests: int = 0
    connections: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while _request(connection):
                with self._lock:
                    number, self.requests = self.requests, self.requests + 1
                answer = self.answer(number)
                if answer is None:
                    return
                connection.sendall(answer)
                if b"Connection: close" in answer:
                    return

    def say(self, answer: bytes, connections: int) -> None:
        """Say what nobody asked for, on every connection, as soon as there are so many."""
        while self.connections < connections:
            time.sleep(0.001)
        for connection in self._open:
            with suppress(OSError):  # closed since
                connection.sendall(answer)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        # A listener that a thread waits in accept on is only woken by a shutdown.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.close()


def _request(connection: socket.socket) -> bool:
    """Read one request with a body of a stated length; tells whether there was one."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return False
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = connection.recv(65_536)
        if not piece:
            return False
        body += piece
    return True


@contextmanager
def serving(answer: Callable[[int], bytes | None]) -> Iterator[ScriptedServer]:
    """Run a scripted server."""
    server = ScriptedServer(answer)
    try:
        yield server
    finally:
        server.close()
