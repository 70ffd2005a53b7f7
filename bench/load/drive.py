"""One load of one worker: the engine, its rows on disk, Locust's statistics, and the evidence of its own cost."""

from __future__ import annotations

import gc
import logging
import os
import time
from array import array
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import gevent
import numpy as np
from gevent import GreenletExit
from locust.user.task import LOCUST_STATE_STOPPING

from bench.errors import LoadFailed
from bench.load import samples, statistics
from bench.load.address import address, encrypted
from bench.load.arguments import LoadArguments
from bench.load.crew import Crew
from bench.load.engine import Engine
from bench.load.limits import Limits
from bench.load.rows import Outcome
from bench.load.spool import Beginning, Spool, Step, Summary
from bench.load.start import Start
from bench.load.tally import silence, tally
from bench.load.usage import Usage

if TYPE_CHECKING:
    from bench.load.user import EngineUser

_NS = 1_000_000_000
_NEVER = 1 << 62
_SETTLE_NS = 250_000_000
"""After a saturated warm-up that several workers share: what is in flight at its end is answered by then."""
_log = logging.getLogger(__name__)


class Drive:
    """One load of one worker.

    Parameters
    ----------
    user
        The scenario: what to send, and when.
    crew
        Those who share the load.
    """

    def __init__(self, user: EngineUser, crew: Crew) -> None:
        self._user = user
        self._crew = crew
        self._measuring = False
        """The scenario itself runs, and not a warm-up before it."""
        self._start: Start | None = None
        self._late_ns = 0
        self._usage: list[Usage] = []
        """At the beginning and at the end of the measured window."""
        self._outcomes: Counter[Outcome] = Counter()

    def run(self) -> None:
        """Run it to its end; what goes wrong is told to the crew."""
        try:
            self._prepare()
            self._load()
        except LoadFailed as error:
            _log.error("%s", error)
            self._crew.fail(str(error))
        except Exception as error:
            # Locust would run the whole load again, over the rows of this one.
            _log.exception("The load broke off")
            self._crew.fail(f"The load broke off: {error!r}. The log of Locust has the traceback.")

    def _prepare(self) -> None:
        options = self._user.environment.parsed_options
        self._place = place = self._crew.join(options.tokens)
        self._store = samples.place(options.samples or None, here=place.here)
        said = LoadArguments.of(options)
        self._arguments = replace(
            said,
            tokens=samples.keep_tokens(self._store, place.tokens) or said.tokens,
            limits=_share(said.limits, place.worker, place.workers),
            target_pid=said.target_pid if place.here else None,
        )
        self._traffic = self._user.traffic(self._arguments)
        self._name_of = np.asarray(self._traffic.name_of, np.int32)
        self._spool = Spool(self._store.folder, place.worker)
        host, port = address(self._user.host)
        order = self._traffic.order
        first = len(order) * place.worker // place.workers
        self._engine = Engine(
            host, port, self._traffic.requests, order[first:] + order[:first],
            limits=self._arguments.limits, flush=self._flush, give_way=self._give_way,
            tls=self._arguments.tls() if encrypted(self._user.host) else None, http2=self._arguments.http2,
        )  # fmt: skip
        statistics.prepare()
        self._engine.open(self._arguments.wait_for_host_s)

    def _load(self) -> None:
        # A collection would stop the schedule; the engine makes no cycles.
        gc.collect()
        gc.freeze()
        gc.disable()
        whole = False
        try:
            self._begin(self._crew.begin())
            self._late_ns = max(time.monotonic_ns() - self._start.began_ns, 0)
            self._measuring = True
            self._user.run_engine(self._engine, self._arguments, self._start)
            whole = True
        except (GreenletExit, KeyboardInterrupt, SystemExit):
            # Locust ends the user, or Ctrl-C found this greenlet running: what was measured until then is whole.
            whole = self._measuring
            raise
        finally:
            gc.enable()
            gc.unfreeze()
            self._engine.close()
            if whole:
                self._finish()

    def _begin(self, began_ns: int) -> None:
        """Warm up as fast as answers come, if that is asked for, and say when the schedule begins."""
        self._announce(began_ns)
        if self._arguments.warm_up_saturated and self._arguments.warm_up_s:
            self._start.wait()
            self._engine.run_closed(self._arguments.warm_up_s)
            warm_ns = began_ns + int(self._arguments.warm_up_s * _NS) + _SETTLE_NS
            self._announce(time.monotonic_ns() if self._start.alone else warm_ns)

    def _announce(self, began_ns: int) -> None:
        self._start = Start(self._place.worker, self._place.workers, began_ns)
        self._late_ns = max(time.monotonic_ns() - began_ns, 0)
        total = self._arguments.total_s
        offset = self._place.clock.offset_ns
        self._spool.begin(
            Beginning(
                worker=self._place.worker,
                pid=os.getpid(),
                host=self._place.host,
                names=self._traffic.names,
                name_of=self._traffic.name_of,
                began_ns=began_ns + offset,
                measure_start_ns=self._measure_start_ns + offset,
                measure_end_ns=None if total is None else began_ns + int(total * _NS) + offset,
                late_ns=self._late_ns,
                clock_offset_ns=offset,
                clock_error_ns=self._place.clock.error_ns,
            )
        )

    @property
    def _measure_start_ns(self) -> int:
        return self._start.began_ns + int(self._arguments.cold_s * _NS)

    @property
    def _measure_end_ns(self) -> int:
        total = self._arguments.total_s
        stopped = self._engine.ended_ns or _NEVER
        return stopped if total is None else min(stopped, self._start.began_ns + int(total * _NS))

    def _give_way(self) -> None:
        now = time.monotonic_ns()
        if (
            self._measuring
            and len(self._usage) < 2
            and now >= (self._measure_end_ns if self._usage else self._measure_start_ns)
        ):
            self._usage.append(Usage.now(self._arguments.target_pid))
        if self._crew.stopping or self._user._state == LOCUST_STATE_STOPPING:
            self._engine.stop()
        gevent.sleep(0)

    def _flush(self, rows: array[int]) -> None:
        self._spool.write(rows)
        self._user.saw(rows)
        self._outcomes += tally(rows)
        statistics.publish(self._user.environment.stats, rows, self._traffic, self._name_of)

    def _finish(self) -> None:
        if said := silence(self._outcomes):
            _log.error("%s", said)
        while len(self._usage) < 2:
            self._usage.append(Usage.now(self._arguments.target_pid))
        used = self._usage[1].since(self._usage[0])
        clock = self._place.clock
        if self._store.folder is not None:
            self._engine.gaps.write(self._store.folder / f"{self._place.worker}.gaps")
        self._spool.close(
            Summary(
                worker=self._place.worker,
                pid=os.getpid(),
                rows=self._spool.rows,
                names=self._traffic.names,
                name_of=self._traffic.name_of,
                began_ns=self._start.began_ns + clock.offset_ns,
                measure_start_ns=min(self._measure_start_ns, self._measure_end_ns) + clock.offset_ns,
                measure_end_ns=self._measure_end_ns + clock.offset_ns,
                ended_ns=self._engine.ended_ns + clock.offset_ns,
                connects=self._engine.connects,
                locust_count=self._crew.locust_count(),
                cpu_ns=used.cpu_ns,
                run_delay_ns=used.run_delay_ns,
                target_cpu_ns=used.target_cpu_ns,
                host=self._place.host,
                late_ns=self._late_ns,
                clock_offset_ns=clock.offset_ns,
                clock_error_ns=self._crew.clock_error_ns(),
                steps=tuple(_moved(step, clock.offset_ns) for step in self._user.steps),
            )
        )
        self._store.bring(self._place.worker)
        self._crew.finish(self._spool.rows)


def _moved(step: Step, offset_ns: int) -> Step:
    return replace(step, began_ns=step.began_ns + offset_ns, ended_ns=step.ended_ns + offset_ns)


def _share(limits: Limits, worker: int, workers: int) -> Limits:
    """Divide the connections: the first workers have one more where they do not come out even."""
    own = limits.connections // workers + (worker < limits.connections % workers)
    if own == 0:
        raise LoadFailed(
            f"{limits.connections} connections cannot be shared by {workers} workers."
            " Give --connections at least as many as workers."
        )
    return replace(limits, connections=own)
