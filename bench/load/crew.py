"""What an engine user needs to know of the others that share its load, and has to tell them.

A load of one Locust has one worker and nobody to ask. With Locust's master and workers, a worker asks the master for its
number (`join`), prepares its requests, and says that it is ready; when all are, the master tells one instant at which the
schedule of all begins, so that the arrivals of all together are those of one schedule. At its end a worker says that it
has finished, and the master ends the test when all have: a worker that ended by itself would make Locust's master give
its users to the others.

Each worker first sends its last statistics and then says that it has finished, on one connection, so the master has
counted every request of every finished worker before it ends the test. `LocustCount` keeps the worker's own count, which
Locust sets to zero at every report.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import Any, Protocol

import gevent
from gevent.event import AsyncResult
from gevent.queue import Queue
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from bench.errors import LoadFailed
from bench.load.clock import SAME_CLOCK, Offset, Round, best, boot_id, clock_id

JOIN, ORDER, CLOCK = "bench_join", "bench_order", "bench_clock"
READY, BEGIN, STOP = "bench_ready", "bench_begin", "bench_stop"
FINISHED, FAILED = "bench_finished", "bench_failed"
_LEAD_NS = 10_000_000
"""Between the decision to begin and the beginning, for a worker that waits for nobody."""
_ROUNDS = 16
_ANSWER_S = 2.0
"""How long the master may take to tell its clock once more at the end."""


@dataclass(frozen=True)
class Place:
    """Which part of a load this process has."""

    worker: int
    workers: int
    host: str | None = None
    """Address of this machine towards the master; None without a master."""
    clock: Offset = SAME_CLOCK
    here: bool = True
    """On the master's machine: paths mean the same, and so do process ids."""
    tokens: str | None = None
    """Text of the tokens file, when this machine does not have it."""


class Crew(Protocol):
    """Those who share a load."""

    stopping: bool
    """The load is to end now."""

    def join(self, tokens: str) -> Place:
        """Give this process its part; `tokens` is the path of the file that it needs, or empty."""

    def begin(self) -> int:
        """Wait until all are ready; gives the instant, on the own clock, at which the load of all begins.

        Raises
        ------
        LoadFailed
            The load was ended before it began.
        """

    def locust_count(self) -> int:
        """Give how many requests Locust's statistics of this process have counted."""

    def clock_error_ns(self) -> int:
        """Give how far this clock's offset, told at the joining, may be off by now; asked once, when the load is over."""

    def finish(self, rows: int) -> None:
        """Say that the load is over and everything is on disk."""

    def fail(self, why: str) -> None:
        """Say that this process cannot go on."""


def of(environment: Environment) -> Crew:
    """Give the crew of a process of Locust."""
    return _crews[id(environment)] if id(environment) in _crews else _Alone(environment)


class _Alone:
    """The only one; it ends the test itself."""

    stopping = False

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def join(self, tokens: str) -> Place:
        return Place(0, 1)

    def begin(self) -> int:
        return time.monotonic_ns() + _LEAD_NS

    def locust_count(self) -> int:
        return self._environment.stats.total.num_requests

    def clock_error_ns(self) -> int:
        return 0

    def finish(self, rows: int) -> None:
        self._end()

    def fail(self, why: str) -> None:
        self._environment.process_exit_code = 1
        self._end()

    def _end(self) -> None:
        runner, options = self._environment.runner, self._environment.parsed_options
        # In a greenlet of its own: stopping the test kills the user that calls this.
        gevent.spawn(runner.quit if options.headless else runner.stop)


class _Member:
    """One of several workers, with Locust's master between them."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self.stopping = False
        self._environment = environment
        self._runner = runner
        self._reported = 0
        self._clock: Offset = SAME_CLOCK
        self._order: AsyncResult = AsyncResult()
        self._begin: AsyncResult = AsyncResult()
        self._told: Queue = Queue()
        runner.register_message(ORDER, lambda environment, msg: self._order.set(msg.data))
        runner.register_message(BEGIN, lambda environment, msg: self._begin.set(msg.data["begin_ns"]))
        runner.register_message(CLOCK, lambda environment, msg: self._told.put((msg.data, time.monotonic_ns())))
        runner.register_message(STOP, self._stop)
        environment.events.test_start.add_listener(self._forget)
        environment.events.report_to_master.add_listener(self._count_reported)

    def join(self, tokens: str) -> Place:
        said = {"pid": os.getpid(), "clock": clock_id(), "processes": process_space()}
        self._runner.send_message(JOIN, said | {"wants_tokens": bool(tokens) and not os.path.isfile(tokens)})
        order = self._order.get()
        same_clock = order["clock"] == said["clock"]
        self._clock = SAME_CLOCK if same_clock else self._compare_clocks()
        return Place(
            worker=order["worker"],
            workers=order["workers"],
            host=_own_address(self._runner.master_host, self._runner.master_port),
            clock=self._clock,
            here=same_clock and order["processes"] == said["processes"],
            tokens=order["tokens"],
        )

    def begin(self) -> int:
        self._runner.send_message(READY)
        begin_ns = self._begin.get()
        if begin_ns is None:
            raise LoadFailed("The load was ended before it began.")
        return begin_ns - self._clock.offset_ns

    def locust_count(self) -> int:
        return self._reported + self._environment.stats.total.num_requests

    def clock_error_ns(self) -> int:
        if self._clock == SAME_CLOCK:
            return 0
        try:
            with gevent.Timeout(_ANSWER_S):
                return self._clock.after(self._compare_clocks()).error_ns
        except gevent.Timeout:
            # Cut off, or told to quit: then what was known at the joining is all there is.
            return self._clock.error_ns

    def finish(self, rows: int) -> None:
        count = self.locust_count()
        statistics: dict[str, Any] = {}
        self._environment.events.report_to_master.fire(client_id=self._runner.client_id, data=statistics)
        self._runner.send_message("stats", statistics)
        self._runner.send_message(FINISHED, {"rows": rows, "locust_count": count})

    def fail(self, why: str) -> None:
        self._environment.process_exit_code = 1
        self._runner.send_message(FAILED, {"why": why})

    def _compare_clocks(self) -> Offset:
        rounds = []
        for _ in range(_ROUNDS):
            asked = time.monotonic_ns()
            self._runner.send_message(CLOCK)
            told, answered = self._told.get()
            rounds.append(Round(asked, told["now_ns"], answered))
        return best(rounds)

    def _stop(self, environment: Environment, msg: object) -> None:
        self.stopping = True
        if not self._begin.ready():
            self._begin.set(None)

    def _forget(self, environment: Environment, **_: object) -> None:
        """Begin anew: a worker under a web UI drives one load after the other."""
        self.stopping = False
        self._reported = 0
        self._order, self._begin = AsyncResult(), AsyncResult()

    def _count_reported(self, client_id: str, data: dict[str, Any], **_: object) -> None:
        self._reported += data["stats_total"]["num_requests"]


def process_space() -> str:
    """Give what names the space of process ids: equal for two processes if each sees the other's id as it is."""
    return f"{boot_id()} {os.readlink('/proc/self/ns/pid')}"


def _own_address(host: str, port: int) -> str:
    """Give the address of this machine that packets to another one carry; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((host, port))
        return probe.getsockname()[0]


_crews: dict[int, Crew] = {}


@events.init.add_listener
def _meet(environment: Environment, runner: object, **_: object) -> None:
    from bench.load.master import Master

    if isinstance(runner, WorkerRunner):
        _crews[id(environment)] = _Member(environment, runner)
    elif isinstance(runner, MasterRunner):
        Master(environment, runner)
