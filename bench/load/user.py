"""Locust users that host the load engine: a scenario says what to send, Locust starts and stops it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import gevent
from locust import User, task

from bench.load import crew
from bench.load.arguments import LoadArguments
from bench.load.drive import Drive
from bench.load.engine import Engine
from bench.load.schedule import Poisson, Schedule
from bench.load.spool import Step
from bench.load.start import Start
from bench.load.traffic import Traffic

_LONG_S = 3_600


class EngineUser(User):
    """One user is one engine with many connections; there is one a worker, whatever number Locust is asked for."""

    abstract = True
    fixed_count = 1
    one_each = True
    """Locust's master gives each worker one, and moves none."""
    steps: Sequence[Step] = ()
    """The steps of its load that are over, where it has some."""

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give the requests to send; a scenario defines it."""
        raise NotImplementedError

    def run_engine(self, engine: Engine, arguments: LoadArguments, start: Start) -> None:
        """Run this worker's part of the load to its end."""
        raise NotImplementedError

    def saw(self, rows: array[int]) -> None:
        """Take the rows of the load (see `bench.load.rows`), some times a second; they must not be kept."""

    @task
    def drive(self) -> None:
        """Run the load, then let the test be ended."""
        Drive(self, crew.of(self.environment)).run()
        # Ending the test kills this greenlet.
        while True:
            gevent.sleep(_LONG_S)


class OpenLoopUser(EngineUser):
    """Requests arrive when the schedule says, whether or not earlier ones were answered."""

    abstract = True

    def schedule(self, arguments: LoadArguments) -> Schedule:
        """Give the arrivals: Poisson unless a scenario says otherwise."""
        return Poisson(arguments.rate_per_s, arguments.total_s, arguments.seed)

    def run_engine(self, engine: Engine, arguments: LoadArguments, start: Start) -> None:
        """Follow this worker's share of the schedule, which counts from the instant that all workers were told."""
        schedule = self.schedule(arguments)
        engine.run_open(
            start.count_from(schedule if start.alone else schedule.share(start.worker, start.workers), engine)
        )


class ClosedLoopUser(EngineUser):
    """Every connection sends its next request as soon as the last one was answered: finds capacity, not latency."""

    abstract = True

    def run_engine(self, engine: Engine, arguments: LoadArguments, start: Start) -> None:
        """Keep every connection busy, from the instant that all workers were told to the end of their common load."""
        start.wait()
        engine.run_closed(None if arguments.total_s is None else start.seconds_to(arguments.total_s))
