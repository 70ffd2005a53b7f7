"""Saturation: every connection sends its next request when its last one was answered. Finds capacity, never latency.

By hand, with live figures in Locust's web UI:

    locust -f bench/scenarios/saturate.py --host http://127.0.0.1:8080 --connections 64
"""

from bench.load.options import declare
from bench.load.route_requests import RouteRequests
from bench.load.user import ClosedLoopUser


class SaturatingTraffic(RouteRequests, ClosedLoopUser):
    """Requests over the whole routing table."""

    scenario = declare("saturate")
