"""Capacity at an objective: the largest rate of Poisson arrivals whose slow requests are still fast enough. Open loop.

A closed loop of a second says about where to look; from there the rate is searched for in steps, and repeated.

By hand, the rate at which 99 of 100 requests take 50 ms at most:

    locust -f bench/scenarios/capacity.py --host http://127.0.0.1:8080 --connections 256 --duration 30 --objective-ms 50
"""

import time

from bench.load.arguments import LoadArguments
from bench.load.engine import Engine
from bench.load.options import declare, values
from bench.load.route_requests import RouteRequests
from bench.load.search import Search
from bench.load.steps import SteppedUser

_CLOSED_S = 1.0
_NS = 1_000_000_000


class SearchingTraffic(RouteRequests, SteppedUser):
    """Requests over the whole routing table."""

    scenario = declare("capacity")

    def run_steps(self, engine: Engine, arguments: LoadArguments) -> None:
        """Search around what a closed loop reaches."""
        given = values(self.scenario, self.environment.parsed_options)
        until_ns = time.monotonic_ns() + int(arguments.duration_s * _NS)
        saturation_per_s = self.closed_step(engine, min(_CLOSED_S, arguments.duration_s), arguments.limits.connections)
        self.search(
            engine, arguments, until_ns=until_ns, seconds=given["step_s"],
            search=Search(saturation_per_s, given["precision"], int(given["confirmations"])),
            objective_ms=given["objective_ms"], quantile=given["quantile"],
        )  # fmt: skip
