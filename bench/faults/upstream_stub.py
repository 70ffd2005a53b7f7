"""An upstream that can be made slow, mute, broken or unreachable, in a process of its own.

Every mode is in user space, so nothing of it can be left behind. Out of reach it is by a socket filter that takes no
packet: neither a connection nor an acknowledgement comes back, as with a firewall that drops, and what was sent meanwhile
is sent again by the gateway's kernel once the filter is gone.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import StrEnum

from bench import children, paths
from bench.errors import LoadFailed

HOST = "127.0.0.1"
PATH = "/proxy/catalog/probe"
"""What to ask a gateway for, so that it asks its upstream; its contract has the service without a token."""
SLOW_S = 0.4
_BODY = b'{"status":"ok"}'
_ANSWER = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_OK = _ANSWER % (b"200 OK", len(_BODY), _BODY)
_ERROR = _ANSWER % (b"503 Service Unavailable", len(_BODY), _BODY)
_END_OF_HEAD = b"\r\n\r\n"
_LINGER_FOR_NOTHING = struct.pack("ii", 1, 0)
"""To close a connection that lingers for no time is to reset it."""
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_RETURN = 0x06
"""BPF_RET with a constant: how many bytes of a packet to keep."""


class Mode(StrEnum):
    """What it does with a request."""

    OK = "ok"
    SLOW = "slow"
    HUNG = "hung"
    RESET = "reset"
    ERROR = "error"
    BLACK_HOLE = "black_hole"


class _Stub:
    """Its connections, and the mode that holds for all of them."""

    def __init__(self) -> None:
        self.mode = Mode.OK
        self.requests = 0
        """Since the mode was last changed."""
        self.connections: set[asyncio.Transport] = set()
        self.listener: socket.socket | asyncio.trsock.TransportSocket | None = None

    def change(self, mode: Mode) -> int:
        """Change the mode; gives how many requests came under the last one."""
        if Mode.BLACK_HOLE in (mode, self.mode) and mode is not self.mode:
            for own in (self.listener, *(c.get_extra_info("socket") for c in self.connections)):
                _drop_all(own) if mode is Mode.BLACK_HOLE else own.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        self.mode = mode
        seen, self.requests = self.requests, 0
        return seen


class _Connection(asyncio.Protocol):
    def __init__(self, stub: _Stub) -> None:
        self._stub = stub
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._stub.connections.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._stub.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        # The gateways forward GETs without a body: a request is its head.
        self._received += data
        while _END_OF_HEAD in self._received:
            _, _, self._received = self._received.partition(_END_OF_HEAD)
            self._stub.requests += 1
            self._answer()

    def _answer(self) -> None:
        match self._stub.mode:
            case Mode.OK:
                self._transport.write(_OK)
            case Mode.ERROR:
                self._transport.write(_ERROR)
            case Mode.SLOW:
                asyncio.get_running_loop().call_later(SLOW_S, self._transport.write, _OK)
            case Mode.RESET:
                own = self._transport.get_extra_info("socket")
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_FOR_NOTHING)
                self._transport.abort()
            case _:
                """Never answered, not even once it serves again."""


def _drop_all(own: socket.socket) -> None:
    """Have the kernel drop every packet for a socket, before TCP sees it."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", _RETURN, 0, 0, 0))
    own.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(instruction)))


async def _serve() -> None:
    stub = _Stub()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(stub), HOST, 0, backlog=1024)
    stub.listener = server.sockets[0]
    print(stub.listener.getsockname()[1], flush=True)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():
        seen = stub.change(Mode(order.decode().strip()))
        print(time.monotonic_ns(), seen, flush=True)


class UpstreamStub:
    """The upstream's process, seen from its parent."""

    def __init__(self, process: subprocess.Popen[bytes], orders: int, port: int) -> None:
        self._process = process
        self._orders = orders
        self.url = f"http://{HOST}:{port}"

    def change(self, mode: Mode) -> tuple[int, int]:
        """Change what it does.

        Returns
        -------
        instant_ns, requests
            When it did, in CLOCK_MONOTONIC ns, and how many requests had come since the last change.

        Raises
        ------
        LoadFailed
            It has ended.
        """
        try:
            os.write(self._orders, f"{mode}\n".encode())
            said = self._process.stdout.readline()
        except BrokenPipeError:
            said = b""
        if not said:
            raise LoadFailed(
                "The stub of the upstream has ended. Run the cell again; bench doctor says what may be wrong."
            )
        instant_ns, requests = said.split()
        return int(instant_ns), int(requests)


@contextmanager
def upstream_stub(cpus: Collection[int] = ()) -> Iterator[UpstreamStub]:
    """Run an upstream on a free port of the loopback, pinned to processors if any are given."""
    reads, writes = os.pipe()
    with open(reads, "rb") as orders:
        process = children.spawn(
            [sys.executable, "-m", "bench.faults.upstream_stub"], cpus=cpus, cwd=paths.ROOT, stdin=orders,
            stdout=subprocess.PIPE,
        )  # fmt: skip
    try:
        yield UpstreamStub(process, writes, int(process.stdout.readline()))
    finally:
        os.close(writes)
        children.stop(process, 0.0)
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve())
