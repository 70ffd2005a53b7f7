"""A small HTTP/2 server by h2 whose every answer is scripted, with TLS or without."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError

from tests.unit.scripted_server import ScriptedServer

BODY = b"{}"


class Conversation:
    """One connection of the server: what a script answers through."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self._waiting: dict[int, bytes] = {}
        """What the client gave no window for yet, by stream."""

    def answer(self, stream: int, body: bytes = BODY, status: int = 200) -> None:
        """Answer a request."""
        self.h2.send_headers(stream, [(":status", f"{status}")])
        self._waiting[stream] = body
        self.go_on()

    def go_on(self) -> None:
        """Send of the bodies what the client gives window for."""
        for stream, body in list(self._waiting.items()):
            while body and (
                size := min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            ):
                self.h2.send_data(stream, body[:size], end_stream=size == len(body))
                body = body[size:]
            self._waiting[stream] = body
            if not body:
                del self._waiting[stream]
        self.flush()

    def say(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._connection.sendall(data)

    def flush(self) -> None:
        """Hand everything to the socket."""
        self.say(self.h2.data_to_send())


Script = Callable[[Conversation, int, int], object]
"""Gets the conversation, the stream and the number of the request, from 0."""


@dataclass
class Http2Server(ScriptedServer):
    """A scripted server whose `answer` is a script."""

    answer: Script
    context: ssl.SSLContext | None = None
    on_data: Callable[[Conversation, int], object] = lambda conversation, stream: None
    """Called with every piece of a body, and its stream."""
    fields: list[dict[str, str]] = field(default_factory=list)
    """Header of every request."""
    bodies: list[int] = field(default_factory=list)
    """Bytes of the body of every request."""

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ProtocolError):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        conversation = Conversation(connection)
        conversation.flush()
        heads: dict[int, dict[str, str]] = {}
        sizes: dict[int, int] = {}
        while data := connection.recv(65_536):
            for event in conversation.h2.receive_data(data):
                match event:
                    case events.RequestReceived():
                        heads[event.stream_id], sizes[event.stream_id] = dict(event.headers), 0
                    case events.DataReceived():
                        sizes[event.stream_id] += len(event.data)
                        conversation.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                        self.on_data(conversation, event.stream_id)
                    case events.StreamEnded():
                        stream = event.stream_id
                        number = self._count(heads.pop(stream), sizes.pop(stream))
                        self.answer(conversation, stream, number)
            conversation.go_on()

    def _count(self, fields: dict[str, str], body_bytes: int) -> int:
        with self._lock:
            number, self.requests = self.requests, self.requests + 1
            self.fields.append(fields)
            self.bodies.append(body_bytes)
        return number


def answers(conversation: Conversation, stream: int, number: int) -> None:
    """Answer every request with 200."""
    conversation.answer(stream)


@contextmanager
def serving_http2(
    script: Script = answers, context: ssl.SSLContext | None = None, **more: object
) -> Iterator[Http2Server]:
    """Run a scripted HTTP/2 server."""
    server = Http2Server(script, context=context, **more)
    try:
        yield server
    finally:
        server.close()
