"""Steady traffic: requests of many independent users (Poisson) at one offered rate.

By hand, with live figures in Locust's web UI:

    locust -f bench/scenarios/steady.py --host http://127.0.0.1:8080 --rate 1000
"""

from bench.load.options import declare
from bench.load.route_requests import RouteRequests
from bench.load.user import OpenLoopUser


class SteadyTraffic(RouteRequests, OpenLoopUser):
    """Requests over the whole routing table."""

    scenario = declare("steady")
