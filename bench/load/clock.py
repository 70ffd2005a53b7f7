"""CLOCK_MONOTONIC of two machines: the same on one, set against each other by messages between several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_NAMESPACE = "/proc/self/ns/time"


@dataclass(frozen=True)
class Offset:
    """What this machine's instants need added to be on the master's clock."""

    offset_ns: int
    error_ns: int
    """How far the offset may be off."""

    def after(self, later: Offset) -> Offset:
        """Give this offset with what two clocks have drifted until a later comparison in its error."""
        return Offset(self.offset_ns, self.error_ns + abs(later.offset_ns - self.offset_ns) + later.error_ns)


SAME_CLOCK = Offset(0, 0)
"""On one machine there is one CLOCK_MONOTONIC, whatever containers divide it, but for time namespaces."""


@dataclass(frozen=True)
class Round:
    """One question to the master about its clock."""

    asked_ns: int
    """Own instant of the question."""
    told_ns: int
    """Instant that the master told."""
    answered_ns: int
    """Own instant at which the answer was here."""


def boot_id() -> str:
    """Give what names the running kernel."""
    return _BOOT_ID.read_text().strip()


def clock_id() -> str:
    """Give what names this CLOCK_MONOTONIC: two processes with the same read the same clock (time_namespaces(7))."""
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink(_TIME_NAMESPACE)
    return f"{boot_id()} {namespace}"


def best(rounds: Sequence[Round]) -> Offset:
    """Give the offset by the round with the shortest way there and back.

    The master told its instant somewhere between question and answer. Taken to be in the middle, it is wrong by half of
    the round trip at most (NTP, RFC 5905, section 8), plus what the clocks drift during the load: see `Offset.after`.
    """
    shortest = min(rounds, key=lambda r: r.answered_ns - r.asked_ns)
    middle = (shortest.asked_ns + shortest.answered_ns) // 2
    return Offset(shortest.told_ns - middle, (shortest.answered_ns - shortest.asked_ns + 1) // 2)
