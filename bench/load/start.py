"""The instant at which the schedules of all workers begin, and this worker's part of the load that begins there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import gevent
import numpy as np

from bench.load.engine import Engine
from bench.load.schedule import Schedule

_NS = 1_000_000_000


@dataclass(frozen=True)
class Start:
    """When a load begins, and for which share of it."""

    worker: int
    workers: int
    began_ns: int
    """Instant of the own CLOCK_MONOTONIC that the schedule counts from."""

    @property
    def alone(self) -> bool:
        """Whether this worker has the whole load."""
        return self.workers == 1

    def wait(self) -> None:
        """Wait until then, cooperatively."""
        gevent.sleep(max(self.began_ns - time.monotonic_ns(), 0) / _NS)

    def seconds_to(self, seconds: float) -> float:
        """Give how long it is from now until so many seconds after the beginning; 0 when that has passed."""
        return max(self.began_ns - time.monotonic_ns() + int(seconds * _NS), 0) / _NS

    def count_from(self, schedule: Schedule, engine: Engine) -> Schedule:
        """Give the schedule to an engine that counts from its own beginning: a worker that is late sends late."""
        return _Moved(schedule, engine, self.began_ns)


@dataclass(frozen=True)
class _Moved:
    schedule: Schedule
    engine: Engine
    began_ns: int

    def chunks(self) -> Iterator[np.ndarray]:
        # Read once the engine has begun, which is when it takes the first piece.
        shift = self.began_ns - self.engine.began_ns
        for chunk in self.schedule.chunks():
            yield chunk + shift
