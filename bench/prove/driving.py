"""A load as the proofs need it: one real Locust load to its end, and its raw rows as arrays."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import paths
from bench.load import spool
from bench.load.generator import START_S, Account, Generator, Order
from bench.load.rows import FIELDS, Outcome, unpack

LOCUSTFILE = paths.SCENARIOS / "_known_server.py"


@dataclass(frozen=True)
class Driven:
    """What one load wrote down, in the order of intended instants; instants in ns of CLOCK_MONOTONIC."""

    intended_ns: np.ndarray
    sent_ns: np.ndarray
    done_ns: np.ndarray
    request: np.ndarray
    """Index of the request among those prepared; for the known server its id."""
    outcome: np.ndarray
    queued: np.ndarray
    """No connection was free when it was due."""
    began_ns: int
    """Instant that the schedule counts from."""
    account: Account

    @property
    def response_ms(self) -> np.ndarray:
        """Response times, from the intended instant, in ms."""
        return (self.done_ns - self.intended_ns) / 1e6

    @property
    def ok(self) -> np.ndarray:
        """Which requests were answered with 2xx."""
        return self.outcome == Outcome.OK

    def after(self, seconds: float) -> np.ndarray:
        """Tell which requests were intended that long after the beginning or later."""
        return self.intended_ns >= self.began_ns + seconds * 1e9


def drive(
    user: str,
    host: str,
    folder: Path,
    cpus: Sequence[int],
    options: dict[str, object],
    *,
    seconds: float,
    workers: int = 1,
    watch: Callable[[Generator], None] | None = None,
) -> Driven:
    """Run one load of the known server's locustfile to its end.

    Parameters
    ----------
    user
        Class in `bench/scenarios/_known_server.py`.
    options
        Locust's and the scenario's, without the leading dashes.
    seconds
        How long the load takes, for the deadline; it is also the scenario's `--duration`.
    watch
        Called again and again while the load runs.

    Raises
    ------
    LoadFailed
        Locust failed or did not end in time.
    """
    order = Order(
        locustfile=LOCUSTFILE,
        host=host,
        user=user,
        workers=workers,
        options=arguments({"duration": seconds, "request-timeout": seconds + START_S} | options),
    )
    with Generator(order, folder, cpus) as generator:
        generator.wait(seconds + START_S, (lambda: watch(generator)) if watch else lambda: None)
        return read(generator)


def read(generator: Generator) -> Driven:
    """Give what the workers of a load wrote down."""
    summaries = spool.read_summaries(generator.samples)
    parts = [np.fromfile(path, np.int64) for path in sorted(generator.samples.glob("*.rows"))]
    rows = np.concatenate([part[: len(part) // FIELDS * FIELDS].reshape(-1, FIELDS) for part in parts])
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    _, outcome, queued, _, request = unpack(rows[:, 3])
    began = min(summary.began_ns for summary in summaries)
    return Driven(rows[:, 0], rows[:, 1], rows[:, 2], request, outcome, queued, began, generator.account())


def arguments(options: dict[str, object]) -> tuple[str, ...]:
    """Write options as Locust's command line wants them; True is a flag."""
    return tuple(
        part
        for name, value in options.items()
        for part in ((f"--{name}",) if value is True else (f"--{name}", str(value)))
    )


def under_way(generator: Generator) -> bool:
    """Tell whether the load has begun to write rows."""
    return any(path.stat().st_size for path in generator.samples.glob("*.rows"))


class Once:
    """Does something once, some time after the load has begun: a `watch` for `drive`.

    Parameters
    ----------
    act
        What to do; its time is not the load's.
    after_s
        How long after it has begun.
    begun
        Tells whether it has; by default when its first rows are there.
    """

    def __init__(
        self, act: Callable[[Generator], None], after_s: float, begun: Callable[[Generator], bool] = under_way
    ) -> None:
        self._act, self._after_s, self._begun = act, after_s, begun
        self._seen: float | None = None
        self._done = False

    def __call__(self, generator: Generator) -> None:
        """Do it when it is time."""
        if self._done or not self._begun(generator):
            return
        self._seen = self._seen or time.monotonic()
        if time.monotonic() - self._seen >= self._after_s:
            self._done = True
            self._act(generator)
