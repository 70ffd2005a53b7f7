"""Locust users that host the load engine: a scenario says what to send, Locust starts and stops it."""

from __future__ import annotations

import gc
import logging
import os
import time
from array import array

import gevent
import numpy as np
from locust import User, task
from locust.user.task import LOCUST_STATE_STOPPING

from bench.errors import LoadFailed
from bench.load import statistics
from bench.load.address import address
from bench.load.arguments import LoadArguments
from bench.load.engine import Engine
from bench.load.schedule import Poisson, Schedule
from bench.load.spool import Spool, Summary
from bench.load.traffic import Traffic
from bench.load.usage import Usage

_NS = 1_000_000_000
_LONG_S = 3_600
_NEVER = 1 << 62
_log = logging.getLogger(__name__)


class EngineUser(User):
    """One user is one engine with many connections; `fixed_count` keeps it one, whatever number Locust is asked for."""

    abstract = True
    fixed_count = 1

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give the requests to send; a scenario defines it."""
        raise NotImplementedError

    def run_engine(self, engine: Engine, arguments: LoadArguments) -> None:
        """Run the load to its end."""
        raise NotImplementedError

    @task
    def drive(self) -> None:
        """Run the load, then end the test."""
        arguments = LoadArguments.of(self.environment.parsed_options)
        try:
            _Drive(self, arguments).run()
        except LoadFailed as error:
            _log.error("%s", error)
            self.environment.process_exit_code = 1
        self._end_test()

    def _end_test(self) -> None:
        runner, options = self.environment.runner, self.environment.parsed_options
        # In a greenlet of its own: stopping the test kills this one.
        gevent.spawn(runner.quit if options.headless else runner.stop)
        gevent.sleep(_LONG_S)


class OpenLoopUser(EngineUser):
    """Requests arrive when the schedule says, whether or not earlier ones were answered."""

    abstract = True

    def schedule(self, arguments: LoadArguments) -> Schedule:
        """Give the arrivals: Poisson unless a scenario says otherwise."""
        return Poisson(arguments.rate_per_s, arguments.total_s, arguments.seed)

    def run_engine(self, engine: Engine, arguments: LoadArguments) -> None:
        """Follow the schedule."""
        engine.run_open(self.schedule(arguments))


class ClosedLoopUser(EngineUser):
    """Every connection sends its next request as soon as the last one was answered: finds capacity, not latency."""

    abstract = True

    def run_engine(self, engine: Engine, arguments: LoadArguments) -> None:
        """Keep every connection busy."""
        engine.run_closed(arguments.total_s)


class _Drive:
    """One load of one worker: the engine, its rows on disk, Locust's statistics, and the evidence of its own cost."""

    def __init__(self, user: EngineUser, arguments: LoadArguments) -> None:
        self._user = user
        self._arguments = arguments
        self._traffic = user.traffic(arguments)
        self._name_of = np.asarray(self._traffic.name_of, np.int32)
        self._worker = max(getattr(user.environment.runner, "worker_index", 0), 0)
        self._spool = Spool(arguments.samples, self._worker)
        self._measuring = False
        """The scenario itself runs, and not a warm-up before it."""
        self._usage: list[Usage] = []
        """At the beginning and at the end of the measured window."""
        host, port = address(user.host)
        self._engine = Engine(
            host, port, self._traffic.requests, self._traffic.order,
            limits=arguments.limits, flush=self._flush, give_way=self._give_way,
        )  # fmt: skip

    def run(self) -> None:
        statistics.use_fine_buckets()
        self._engine.open(self._arguments.wait_for_host_s)
        # A collection would stop the schedule; the engine makes no cycles.
        gc.collect()
        gc.freeze()
        gc.disable()
        whole = True
        try:
            if self._arguments.warm_up_saturated and self._arguments.warm_up_s:
                self._engine.run_closed(self._arguments.warm_up_s)
            self._measuring = True
            self._user.run_engine(self._engine, self._arguments)
        except LoadFailed:
            whole = False
            raise
        finally:
            gc.enable()
            gc.unfreeze()
            self._engine.close()
            # Also when Locust kills this greenlet: what was measured until then is whole.
            if whole:
                self._finish()

    @property
    def _measure_start_ns(self) -> int:
        return self._engine.began_ns + int(self._arguments.cold_s * _NS)

    @property
    def _measure_end_ns(self) -> int:
        total = self._arguments.total_s
        stopped = self._engine.ended_ns or _NEVER
        return stopped if total is None else min(stopped, self._engine.began_ns + int(total * _NS))

    def _give_way(self) -> None:
        now = time.monotonic_ns()
        if (
            self._measuring
            and len(self._usage) < 2
            and now >= (self._measure_end_ns if self._usage else self._measure_start_ns)
        ):
            self._usage.append(Usage.now(self._arguments.target_pid))
        if self._user._state == LOCUST_STATE_STOPPING:
            self._engine.stop()
        gevent.sleep(0)

    def _flush(self, rows: array[int]) -> None:
        self._spool.write(rows)
        statistics.publish(self._user.environment.stats, rows, self._traffic, self._name_of)

    def _finish(self) -> None:
        while len(self._usage) < 2:
            self._usage.append(Usage.now(self._arguments.target_pid))
        used = self._usage[1].since(self._usage[0])
        self._spool.close(
            Summary(
                worker=self._worker,
                pid=os.getpid(),
                rows=self._spool.rows,
                names=self._traffic.names,
                name_of=self._traffic.name_of,
                began_ns=self._engine.began_ns,
                measure_start_ns=min(self._measure_start_ns, self._measure_end_ns),
                measure_end_ns=self._measure_end_ns,
                ended_ns=self._engine.ended_ns,
                connects=self._engine.connects,
                locust_count=self._user.environment.stats.total.num_requests,
                cpu_ns=used.cpu_ns,
                run_delay_ns=used.run_delay_ns,
                target_cpu_ns=used.target_cpu_ns,
            )
        )
