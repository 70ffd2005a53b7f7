"""One load of one process by journeys: its beginning and end, its rows on disk, and the evidence of its own cost."""

from __future__ import annotations

import itertools
import logging
import os
import time
from array import array
from typing import Any

import gevent
from gevent.event import Event
from geventhttpclient.connectionpool import ConnectionPool
from locust.env import Environment

from bench.errors import LoadFailed
from bench.load import samples, statistics
from bench.load.address import address, encrypted, resolve
from bench.load.arguments import LoadArguments
from bench.load.crew import Crew
from bench.load.options import values
from bench.load.probe import find_server
from bench.load.request_events import Anchor, row
from bench.load.spool import Beginning, Spool, Summary
from bench.load.traffic import read_tokens
from bench.load.usage import Usage
from bench.scenario import Scenario

_NS = 1_000_000_000
_FLUSH_EVERY_NS = 250_000_000
_LOOK_S = 0.02
_GRACE_S = 0.5
"""Beyond the request timeout: how long what is in flight at the end may take before it is cut off."""
_STEP_NS = 1_000_000
"""A wall clock that was set by more than this during a load has moved the load's rows."""
_log = logging.getLogger(__name__)


class JourneyLoad:
    """One load of one process.

    Parameters
    ----------
    environment
        Locust's.
    crew
        Those who share the load.
    scenario
        What the users do, for its options.
    """

    def __init__(self, environment: Environment, crew: Crew, scenario: Scenario) -> None:
        self.begun = Event()
        """Set once users may send."""
        self.over = False
        """No more steps are taken."""
        self.in_flight: set[Any] = set()
        """Greenlets that wait for an answer."""
        self.tokens: list[str] = []
        self.think_s = 0.0
        """Mean time between two steps of a user."""
        self.worker = 0
        self._environment = environment
        self._scenario = scenario
        self._crew = crew
        self._numbers = itertools.count()
        self._names: dict[str, int] = {}
        self._rows: array[int] = array("q")
        self._next_flush = 0
        self._connects = 0
        self._usage: list[Usage] = []
        """At the beginning and at the end of the measured window."""
        self._began_ns = 0
        self._ended_ns = 0
        self._finished = False

    def enter(self) -> int:
        """Give a new user its number."""
        return next(self._numbers)

    def start(self) -> None:
        """Begin in a greenlet of its own: messages of a master could not come in the caller's."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """End early: every user is gone, and what was measured until then is whole."""
        self.over = True
        if not self._finished:
            self._leave_the_course()
        if self.begun.is_set():
            self._finish()

    def fail(self, why: str) -> None:
        """End with a sentence, without a summary."""
        if self._finished:
            return
        self._finished = self.over = True
        self.begun.set()
        _log.error("%s", why)
        self._leave_the_course()
        self._crew.fail(why)

    def _leave_the_course(self) -> None:
        if self._greenlet is not gevent.getcurrent():
            self._greenlet.kill()

    # --- the course of it ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._prepare()
            self._begin(self._crew.begin())
        except LoadFailed as error:
            self.fail(str(error))
            return
        self._sleep_until(self._measure_start_ns)
        self._read_usage()
        self._sleep_until(self._planned_end_ns)
        self._read_usage()
        self.over = True
        self._let_land()
        self._finish()

    def _prepare(self) -> None:
        options = self._environment.parsed_options
        self.think_s = float(values(self._scenario, options)["think"])
        self._place = place = self._crew.join(options.tokens)
        self._store = samples.place(options.samples or None, here=place.here)
        self._arguments = said = LoadArguments.of(options)
        if said.http2:
            raise LoadFailed(
                "Users of a journey speak HTTP/1.1 alone. Leave --http2 out, or load with another scenario."
            )
        self._target_pid = said.target_pid if place.here else None
        self.tokens = read_tokens(samples.keep_tokens(self._store, place.tokens) or said.tokens)
        self.worker = place.worker
        self._spool = Spool(self._store.folder, place.worker)
        statistics.prepare()
        host, port = address(self._environment.host)
        find_server(
            *resolve(host, port), host, said.tls() if encrypted(self._environment.host) else None, http2=False,
            timeout_s=said.limits.timeout_s, wait_s=said.wait_for_host_s,
        )  # fmt: skip

    def _begin(self, began_ns: int) -> None:
        self._began_ns = began_ns
        self._announce()
        gevent.sleep(max(began_ns - time.monotonic_ns(), 0) / _NS)
        self._anchor = Anchor.now()
        # The pool's own hook: who made a connection is not in Locust's events.
        ConnectionPool.after_connect = lambda pool, sock: self._count_connection()
        self._environment.events.request.add_listener(self._note)
        self.begun.set()

    def _count_connection(self) -> None:
        self._connects += 1

    @property
    def _measure_start_ns(self) -> int:
        return self._began_ns + int(self._arguments.warm_up_s * _NS)

    @property
    def _planned_end_ns(self) -> int | None:
        duration_s = self._arguments.duration_s
        return None if duration_s is None else self._measure_start_ns + int(duration_s * _NS)

    def _sleep_until(self, instant_ns: int | None) -> None:
        """Sleep until an instant, or until the crew stops; None: only that."""
        while not self._crew.stopping and (instant_ns is None or time.monotonic_ns() < instant_ns):
            left_s = _LOOK_S if instant_ns is None else (instant_ns - time.monotonic_ns()) / _NS
            gevent.sleep(min(_LOOK_S, max(left_s, 0)))

    def _let_land(self) -> None:
        """Wait for the answers that are due; what has none by then is cut off and says so."""
        deadline = time.monotonic() + self._arguments.limits.timeout_s + _GRACE_S
        while self.in_flight and time.monotonic() < deadline:
            gevent.sleep(_LOOK_S / 4)
        gevent.killall(list(self.in_flight))

    # --- its rows -----------------------------------------------------------------------------------------------------

    def _note(self, **event: Any) -> None:
        """Write one request down; a listener of Locust's request event."""
        name = event["name"]
        if name not in self._names:
            self._names[name] = len(self._names)
            self._announce()
        self._rows.extend(row(self._anchor, event, self._names[name], event["context"]["user"]))
        if (now := time.monotonic_ns()) >= self._next_flush:
            self._next_flush = now + _FLUSH_EVERY_NS
            try:
                self._flush()
            except LoadFailed as error:
                self.fail(str(error))

    def _flush(self) -> None:
        self._spool.write(self._rows)
        del self._rows[:]

    def _announce(self) -> None:
        """Say what the rows mean; again with each name that is new, before its first row."""
        place, end = self._place, self._planned_end_ns
        offset = place.clock.offset_ns
        self._spool.begin(
            Beginning(
                worker=place.worker,
                pid=os.getpid(),
                host=place.host,
                names=tuple(self._names),
                name_of=tuple(self._names.values()),
                began_ns=self._began_ns + offset,
                measure_start_ns=self._measure_start_ns + offset,
                measure_end_ns=None if end is None else end + offset,
                late_ns=0,
                clock_offset_ns=offset,
                clock_error_ns=place.clock.error_ns,
            )
        )

    # --- its end ------------------------------------------------------------------------------------------------------

    def _read_usage(self) -> None:
        if len(self._usage) < 2:
            self._usage.append(Usage.now(self._target_pid))

    def _finish(self) -> None:
        if self._finished:
            return
        self._finished = True
        self._ended_ns = time.monotonic_ns()
        self._environment.events.request.remove_listener(self._note)
        while len(self._usage) < 2:
            self._read_usage()
        try:
            self._refuse_a_clock_that_was_set()
            self._flush()
            self._spool.close(self._summary())
            self._store.bring(self._place.worker)
        except LoadFailed as error:
            self._finished = False
            self.fail(str(error))
            return
        self._crew.finish(self._spool.rows)

    def _refuse_a_clock_that_was_set(self) -> None:
        if abs(stepped := self._anchor.stepped_ns(Anchor.now())) > _STEP_NS:
            raise LoadFailed(
                f"The wall clock was set by {stepped / _NS:+.3f} s during the load, and Locust tells by it when requests"
                " were sent. Repeat the load."
            )

    def _summary(self) -> Summary:
        used = self._usage[1].since(self._usage[0])
        clock = self._place.clock
        end = self._ended_ns if self._planned_end_ns is None else min(self._ended_ns, self._planned_end_ns)
        return Summary(
            worker=self._place.worker,
            pid=os.getpid(),
            rows=self._spool.rows,
            names=tuple(self._names),
            name_of=tuple(self._names.values()),
            began_ns=self._began_ns + clock.offset_ns,
            measure_start_ns=min(self._measure_start_ns, end) + clock.offset_ns,
            measure_end_ns=end + clock.offset_ns,
            ended_ns=self._ended_ns + clock.offset_ns,
            connects=self._connects,
            locust_count=self._crew.locust_count(),
            cpu_ns=used.cpu_ns,
            run_delay_ns=used.run_delay_ns,
            target_cpu_ns=used.target_cpu_ns,
            host=self._place.host,
            clock_offset_ns=clock.offset_ns,
            clock_error_ns=self._crew.clock_error_ns(),
        )
