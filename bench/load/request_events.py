"""Locust's request events as rows: what its own HTTP users say of a request, in the five integers of `bench.load.rows`.

An event tells when a request was sent as a wall-clock time, a double of seconds since 1970, which resolves 0.24 µs, and how
long it took as a difference of `perf_counter`, which resolves nanoseconds. `Anchor` puts the first onto CLOCK_MONOTONIC.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import gevent
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from locust.contrib.fasthttp import LocustBadStatusCode

from bench.load.rows import CONNECTION_SHIFT, OUTCOME_SHIFT, REQUEST_SHIFT, Outcome

_NS = 1_000_000_000
_NS_PER_MS = 1_000_000
_CONNECTIONS = 1 << 16


class CutOff(Exception):
    """A request was in flight when its load ended."""


_OUTCOMES: tuple[tuple[tuple[type[BaseException], ...], Outcome], ...] = (
    ((CutOff,), Outcome.UNANSWERED),
    ((LocustBadStatusCode,), Outcome.ERROR),
    ((TimeoutError, gevent.Timeout), Outcome.TIMEOUT),
    ((ConnectionRefusedError,), Outcome.REFUSED),
    ((HTTPConnectionClosed, OSError), Outcome.RESET),
    ((HTTPParseError,), Outcome.INVALID),
)
"""What an exception means; the first that fits, since most are kinds of a later one."""


@dataclass(frozen=True)
class Anchor:
    """One instant on both clocks."""

    wall_ns: int
    monotonic_ns: int
    uncertainty_ns: int
    """How far apart the two readings may be."""

    @classmethod
    def now(cls) -> Anchor:
        """Read the wall clock between two readings of the monotonic one."""
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        return cls(wall, (before + after) // 2, (after - before + 1) // 2)

    def monotonic(self, wall_s: float) -> int:
        """Give the instant of CLOCK_MONOTONIC in ns at which the wall clock, had nobody set it since, showed a time."""
        return self.monotonic_ns + round(wall_s * _NS) - self.wall_ns

    def stepped_ns(self, later: Anchor) -> int:
        """Give by how much the wall clock was set between two anchors; a few µs are their uncertainty."""
        return (later.wall_ns - self.wall_ns) - (later.monotonic_ns - self.monotonic_ns)


def outcome_of(exception: BaseException | None, status: int) -> Outcome:
    """Give what became of a request."""
    if exception is None:
        return Outcome.OK if 200 <= status < 300 else Outcome.ERROR
    # A timeout comes wrapped, as if it had been tried again.
    cause = getattr(exception, "original", None) or exception
    return next((outcome for kinds, outcome in _OUTCOMES if isinstance(cause, kinds)), Outcome.ERROR)


def row(anchor: Anchor, event: Mapping[str, Any], name: int, connection: int) -> tuple[int, int, int, int, int]:
    """Give the row of one request event.

    Parameters
    ----------
    event
        The arguments of `events.request`.
    name
        Index of the request's name, which stands where an engine puts the index of the request.
    connection
        Number of the user; its low 16 bits are kept.
    """
    response = event["response"]
    outcome = outcome_of(event["exception"], status := getattr(response, "status_code", 0) or 0)
    answered = outcome in (Outcome.OK, Outcome.ERROR)
    sent = anchor.monotonic(event["start_time"])
    packed = (status if answered else 0) | outcome << OUTCOME_SHIFT
    packed |= connection % _CONNECTIONS << CONNECTION_SHIFT | name << REQUEST_SHIFT
    received = _header_bytes(status, response.headers) + event["response_length"] if answered and status else 0
    return sent, sent, sent + round(event["response_time"] * _NS_PER_MS), packed, received


def _header_bytes(status: int, headers: Any) -> int:
    """Give the length of an answer's header as servers commonly write it: `HTTP/1.1 200 OK`, `Name: value`."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items()), ""]
    return sum(len(line) + len("\r\n") for line in lines)
