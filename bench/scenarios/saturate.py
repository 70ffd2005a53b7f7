"""Saturation: every connection sends its next request when its last one was answered. Finds capacity, never latency.

By hand, with live figures in Locust's web UI:

    locust -f bench/scenarios/saturate.py --host http://127.0.0.1:8080 --connections 64
"""

from bench.load.arguments import LoadArguments
from bench.load.traffic import Traffic, read_tokens, route_traffic
from bench.load.user import ClosedLoopUser


class SaturatingTraffic(ClosedLoopUser):
    """Requests over the whole routing table."""

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give requests to every route; those that need a token only when there are tokens."""
        return route_traffic(self.host, seed=arguments.seed, tokens=read_tokens(arguments.tokens))
