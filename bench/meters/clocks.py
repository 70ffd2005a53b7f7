"""The wall clock and CLOCK_MONOTONIC, read together: what puts a source that tells only the one onto the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Clocks:
    """The two clocks at one instant."""

    monotonic_ns: int
    wall_ns: int
    uncertainty_ns: int
    """How far apart the two readings may be."""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Clocks:
        """Give the clocks that a gateway's record tells."""
        return cls(record["monotonic_ns"], record["wall_ns"], record["uncertainty_ns"])

    @classmethod
    def now(cls) -> Clocks:
        """Read the wall clock between two readings of the monotonic one."""
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        return cls((before + after) // 2, wall, (after - before + 1) // 2)

    @property
    def offset_ns(self) -> int:
        """Wall clock minus monotonic clock."""
        return self.wall_ns - self.monotonic_ns
