"""The scripted server behind TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.unit.scripted_server import ScriptedServer


class Polite(ssl.SSLSocket):
    """Takes leave with close_notify before it closes, and closes only when the other side has."""

    def close(self) -> None:
        """Take leave, then close."""
        with suppress(OSError, ValueError):
            self.unwrap()
        super().close()


@dataclass
class TlsServer(ScriptedServer):
    """A scripted server that shakes hands first."""

    context: ssl.SSLContext | None = None

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            super()._serve(self.context.wrap_socket(connection, server_side=True))


@contextmanager
def serving_tls(answer: Callable[[int], bytes | None], context: ssl.SSLContext) -> Iterator[TlsServer]:
    """Run a scripted server behind TLS."""
    server = TlsServer(answer, context=context)
    try:
        yield server
    finally:
        server.close()
