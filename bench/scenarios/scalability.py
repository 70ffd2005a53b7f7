"""Scalability: closed loops of more and fewer connections, in random order, on the same warm gateway. Finds how throughput grows.

By hand, a second each with 1 to 64 connections:

    locust -f bench/scenarios/scalability.py --host http://127.0.0.1:8080 --connections 64 --duration 7
"""

import random

from bench.load import rungs
from bench.load.arguments import LoadArguments
from bench.load.engine import Engine
from bench.load.options import declare, values
from bench.load.route_requests import RouteRequests
from bench.load.steps import SteppedUser


class GrowingTraffic(RouteRequests, SteppedUser):
    """Requests over the whole routing table."""

    scenario = declare("scalability")

    def run_steps(self, engine: Engine, arguments: LoadArguments) -> None:
        """Keep each number of connections busy for the same time."""
        given = values(self.scenario, self.environment.parsed_options)
        wanted = rungs.parse(str(given["rungs"]), arguments.limits.connections)
        for connections in random.Random(arguments.seed).sample(wanted, len(wanted)):
            if not engine.stopping:
                self.closed_step(engine, arguments.duration_s / len(wanted), connections)
