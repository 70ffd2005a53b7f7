"""Faults of what stands behind the gateway: its upstream is slow, mute, broken or out of reach for a while.

The gateway itself is well, and no supervisor has a reason to act: what differs is how it waits, and what it does with the
connections that it had. The truth is the upstream's own count of the requests that met the fault.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from bench.faults.target import Strike, Target, ends_after, struck
from bench.faults.upstream_stub import Mode

LASTS_S = 1.5


def upstream_slow(target: Target) -> AbstractContextManager[Strike]:
    """Have it answer later than a probe waits."""
    return _changed("upstream_slow", target, Mode.SLOW)


def upstream_hung(target: Target) -> AbstractContextManager[Strike]:
    """Have it take every request, and answer none of them, not even later."""
    return _changed("upstream_hung", target, Mode.HUNG)


def upstream_reset(target: Target) -> AbstractContextManager[Strike]:
    """Have it reset every connection on which a request comes."""
    return _changed("upstream_reset", target, Mode.RESET)


def upstream_5xx(target: Target) -> AbstractContextManager[Strike]:
    """Have it answer every request with 503."""
    return _changed("upstream_5xx", target, Mode.ERROR)


def upstream_black_hole(target: Target) -> AbstractContextManager[Strike]:
    """Have every packet to it be dropped without a word."""
    return _changed("upstream_black_hole", target, Mode.BLACK_HOLE)


ALL = (upstream_slow, upstream_hung, upstream_reset, upstream_5xx, upstream_black_hole)


@contextmanager
def _changed(name: str, target: Target, mode: Mode) -> Iterator[Strike]:
    upstream = target.behind()
    before_ns = time.monotonic_ns()
    upstream.change(mode)
    strike = struck(name, target, before_ns)

    def undo() -> None:
        _, strike.truth["requests_met"] = upstream.change(Mode.OK)

    with ends_after(LASTS_S, strike, undo):
        yield strike
