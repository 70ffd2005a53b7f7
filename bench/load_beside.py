"""A load of requests to `/route` beside what a cell is about: a recovery, or a rolling restart."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench import scenario
from bench.cell import Context, Tables
from bench.errors import LoadFailed
from bench.gateways.process import HOST
from bench.load import spool
from bench.load.account import workers_rows
from bench.load.generator import START_S, Generator, Order
from bench.store import writer
from bench.suite import Cell

_SCENARIO = "steady"
_POLL_S = 0.02
_REQUEST_TIMEOUT_S = 2.0
_LAG_LIMIT_NS = 2_000_000
"""A load later than this at its 99th percentile, although a connection was free, met something else than was meant."""


class LoadBeside:
    """The load, from the generator's start to its rows. As a context manager it is killed at the end, whatever happens.

    Parameters
    ----------
    cell
        Says how many requests a second, and over how many connections.
    port
        Where to send them, on loopback; it waits until somebody listens there.
    at_most_s
        How long it may go on; `end` ends it before.
    """

    def __init__(self, cell: Cell, context: Context, port: int, folder: Path, at_most_s: float) -> None:
        settings = {
            "--rate": cell.rate_per_s,
            "--duration": at_most_s,
            "--connections": cell.connections,
            "--request-timeout": _REQUEST_TIMEOUT_S,
            "--seed": cell.seed,
            "--wait-for-host": START_S,
            "--tokens": context.tokens,
            "--loglevel": "WARNING",
        }
        options = tuple(str(part) for option in settings.items() for part in option)
        order = Order(scenario.locustfile(_SCENARIO), f"http://{HOST}:{port}", options)
        self._cpus = context.rig.generator_cpus
        # Wherever there is room while it starts, which takes Locust seconds; on its own processors once it sends.
        self._generator = Generator(order, folder)

    def __enter__(self) -> LoadBeside:
        return self

    def __exit__(self, *failure: object) -> None:
        self._generator.stop()

    def begun(self) -> bool:
        """Tell whether its schedule has begun."""
        begun = bool(spool.read_beginnings(self._generator.samples))
        if begun and self._cpus:
            os.sched_setaffinity(self._generator.main_pid, self._cpus)
        return begun

    def wait_begun(self) -> None:
        """Wait until it has; raises `LoadFailed` when it does not."""
        deadline = time.monotonic() + START_S
        while not self.begun():
            if time.monotonic() > deadline:
                raise LoadFailed(f"The load did not begin within {START_S:g} s. Its log may say why.")
            time.sleep(_POLL_S)

    def end(self) -> None:
        """Have it stop, wait for its rows, and end it; raises `LoadFailed` when they do not come.

        A gateway that is to drain waits for a client's connections, so they have to be gone.
        """
        os.kill(self._generator.main_pid, signal.SIGTERM)
        self._generator.wait(START_S)
        self._generator.stop(linger_s=0.0)

    def tables(self, cell: Cell) -> Tables:
        """Give its rows."""
        samples = self._generator.samples
        return {
            "requests": spool.read_requests(samples, cell.cell_id),
            "workers": writer.from_rows("workers", workers_rows(samples, cell.cell_id)),
        }


def rows_columns(requests: pa.Table | None) -> dict[str, int]:
    """Give the columns of `cells` that count a load's rows; None: there was no load."""
    if requests is None:
        return {"rows": 0, "rows_answered": 0, "rows_censored": 0}
    return {
        "rows": requests.num_rows,
        "rows_answered": requests.num_rows - requests["status"].null_count,
        "rows_censored": pc.sum(requests["censored"]).as_py() or 0,
    }


def lateness(requests: pa.Table | None, start_ns: int, end_ns: int) -> list[str]:
    """Give why a load was not the one that was asked for in a window: nothing, or that it was late by itself."""
    if requests is None:
        return []
    own = pc.and_(pc.greater_equal(requests["intended_ns"], start_ns), pc.less(requests["intended_ns"], end_ns))
    lag_ns = requests.filter(pc.and_(own, pc.invert(requests["queued"])))["schedule_lag_ns"].to_numpy()
    late_ns = np.quantile(lag_ns, 0.99, method="inverted_cdf") if len(lag_ns) else 0
    return [] if late_ns <= _LAG_LIMIT_NS else [f"the load was late: p99 of its lag is {late_ns / 1e6:.1f} ms"]
