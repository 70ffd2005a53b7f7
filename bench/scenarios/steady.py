"""Steady traffic: requests of many independent users (Poisson) at one offered rate.

By hand, with live figures in Locust's web UI:

    locust -f bench/scenarios/steady.py --host http://127.0.0.1:8080 --rate 1000
"""

from bench.load.arguments import LoadArguments
from bench.load.traffic import Traffic, read_tokens, route_traffic
from bench.load.user import OpenLoopUser


class SteadyTraffic(OpenLoopUser):
    """Requests over the whole routing table."""

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give requests to every route; those that need a token only when there are tokens."""
        return route_traffic(self.host, seed=arguments.seed, tokens=read_tokens(arguments.tokens))
