"""What has arrived on the engine's connections, taken by one call into C (answers.c) for all of them.

A request costs the engine two system calls, which a batch cannot share, and Python between them, which it can: receiving,
reading the clock and reading a plain answer's header are done in C, a tenth of the time that they take one by one. What is
not plain (several pieces, chunks, an end of the connection, TLS, HTTP/2) is handed over for httptools or h2 to read.
"""

from __future__ import annotations

import ctypes
import resource
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench import compiled

_SOURCE = Path(__file__).with_suffix(".c")
_BUFFER_BYTES = 1 << 16
_MOST_EVENTS = 256  # EVENTS in answers.c
_FIELDS = 5
_MOST_FILES = 1 << 20
"""Descriptors beyond it are received one by one; the kernel gives the lowest that is free."""

Taken = tuple[int, int, int, int, int]
"""File descriptor; events of epoll; bytes received, -1 where the caller must receive; status of a plain answer, or 0; instant
after receiving, ns of CLOCK_MONOTONIC."""


def build() -> Path:
    """Give the library, compiled when it is older than its source; raises as `bench.compiled.library` does."""
    return compiled.library(_SOURCE)


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(build()))
    address, size = ctypes.c_void_p, ctypes.c_size_t
    library.take.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, address, size, address, size, address)
    library.plain.argtypes = (ctypes.c_char_p, size)
    return library


def plain(answer: bytes) -> int:
    """Give the status when the bytes are one plain answer and nothing more, else 0."""
    return _library().plain(answer, len(answer))


class Answers:
    """Takes what arrives on the descriptors of one epoll.

    Parameters
    ----------
    epoll_fd
        Its descriptors are told as they were registered.

    Raises
    ------
    ToolchainMissing, BuildFailed
        What is C in it cannot be compiled.
    """

    def __init__(self, epoll_fd: int) -> None:
        self._take = _library().take
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.plainly = (
            ctypes.c_uint8 * (_MOST_FILES if files == resource.RLIM_INFINITY else min(files, _MOST_FILES))
        )()
        """By descriptor: 1 where only a plain answer is to be expected, so that what arrives may be received at once."""
        self._buffer = ctypes.create_string_buffer(_BUFFER_BYTES)
        self._told = (ctypes.c_int64 * (_FIELDS * _MOST_EVENTS))()
        self._epoll_fd = epoll_fd
        plainly, buffer, told = map(ctypes.addressof, (self.plainly, self._buffer, self._told))
        self._where = (plainly, len(self.plainly), buffer, _BUFFER_BYTES, told)

    def take(self, wait_ms: int, due_ns: int) -> int:
        """Wait for events, end the round early at an instant or when `received` has bytes to give; gives their number."""
        return self._take(self._epoll_fd, wait_ms, due_ns, *self._where)

    def told(self, count: int) -> Iterator[Taken]:
        """Give the events of the round just taken."""
        fields = iter(self._told[: _FIELDS * count])
        return zip(fields, fields, fields, fields, fields, strict=True)

    def received(self, size: int) -> bytes:
        """Give the bytes of the last event of the round, where it has any and is no plain answer."""
        return self._buffer[:size]
