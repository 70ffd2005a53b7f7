"""Journeys: users who take several steps, wait for each answer, and think between them. Closed loop, with Locust's users.

Their requests become rows as those of an engine do, and `intended` is `sent`: a user who waits is nobody's queue. So the
response times hide what arrivals that do not wait would have felt, and reach a fifth of what an engine reaches.
"""

from __future__ import annotations

import random
import time
from functools import partial
from typing import Any, ClassVar

from gevent import GreenletExit, getcurrent, ssl
from locust import FastHttpUser, events
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner
from locust.user.task import LOCUST_STATE_STOPPING

from bench.load import crew
from bench.load.journey_load import JourneyLoad
from bench.load.request_events import CutOff
from bench.load.traffic import route_request
from bench.scenario import Scenario

_loads: dict[int, JourneyLoad] = {}


class JourneyUser(FastHttpUser):
    """One who takes steps; a scenario says which, in tasks of its own."""

    abstract = True
    scenario: ClassVar[Scenario]
    needs_token: ClassVar[bool] = False
    """Steps of it go to routes that ask for a bearer token; without tokens there are none of these users."""

    def __init__(self, environment: Environment) -> None:
        options = environment.parsed_options
        self.network_timeout = self.connection_timeout = options.request_timeout
        # Locust's own default trusts anybody.
        self.insecure = options.insecure
        if options.ca and not options.insecure:
            self.ssl_context_factory = partial(_trusting, options.ca)
        # Without a host the load says so, in a sentence; Locust's own user would raise.
        self.host = self.host or ""
        super().__init__(environment)
        self._load = _loads[id(environment)]
        self._number = self._load.enter()
        self._draw = random.Random(f"{options.seed} {self._load.worker} {self._number}")

    def on_start(self) -> None:
        """Wait until the load of all begins."""
        self._load.begun.wait()
        if self.needs_token and not self._load.tokens:
            kind = type(self).__name__
            self._load.fail(f"Users of the kind {kind} need bearer tokens. Give a file of them as --tokens.")

    def wait_time(self) -> float:
        """Give how long to think, in seconds: uniform between half and one and a half of `--think`."""
        return self._draw.uniform(0.5, 1.5) * self._load.think_s

    def context(self) -> dict[str, int]:
        """Give what each request's event carries of its user."""
        return {"user": self._number}

    def step(self, route_id: str) -> None:
        """Send a request to one route of the contract's table and wait for its answer; its name is the route's.

        Raises
        ------
        StopUser
            The load is over; Locust takes it as the user's end.
        """
        if self._load.over or self._state == LOCUST_STATE_STOPPING:
            raise StopUser
        body, headers = route_request(route_id, self._draw, self._load.tokens)
        if self.environment.parsed_options.new_connections:
            headers["Connection"] = "close"
        # An answer of another length than was sent could not be counted.
        headers["Accept-Encoding"] = "identity"
        began_s = time.time()
        self._load.in_flight.add(getcurrent())
        try:
            self.client.post("/route", data=body, headers=headers, name=route_id)
        except GreenletExit:
            self._cut_off(route_id, began_s)
            raise
        finally:
            self._load.in_flight.discard(getcurrent())

    def _cut_off(self, route_id: str, began_s: float) -> None:
        """Tell Locust, and so the rows, of a request that will have no answer: Locust would forget it."""
        self.environment.events.request.fire(
            request_type="POST", name=route_id, response_time=(time.time() - began_s) * 1e3, response_length=0,
            response=None, context=self.context(), exception=CutOff("the load ended"), start_time=began_s,
            url=f"{self.host}/route",
        )  # fmt: skip


def _trusting(ca: str, **_: object) -> ssl.SSLContext:
    """Give what trusts these certificates, and not those that Locust's client would have."""
    return ssl.create_default_context(cafile=ca)


@events.init.add_listener
def _leave_out_users_without_tokens(environment: Environment, **_: Any) -> None:
    options = environment.parsed_options
    able = [kind for kind in environment.user_classes if not getattr(kind, "needs_token", False)]
    # A worker is told its options later, and by its master which users it has.
    if able and options is not None and not options.tokens and not options.worker:
        environment.user_classes[:] = able


@events.test_start.add_listener
def _begin(environment: Environment, **_: Any) -> None:
    kinds = [kind for kind in environment.user_classes if issubclass(kind, JourneyUser)]
    if kinds and not isinstance(environment.runner, MasterRunner):
        _loads[id(environment)] = load = JourneyLoad(environment, crew.of(environment), kinds[0].scenario)
        load.start()


@events.test_stop.add_listener
def _end(environment: Environment, **_: Any) -> None:
    if load := _loads.get(id(environment)):
        load.stop()
