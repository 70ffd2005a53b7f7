"""A soak: steady traffic for long, to see what only time shows. Open loop, half an hour unless told otherwise.

    locust -f bench/scenarios/soak.py --host http://127.0.0.1:8080 --rate 500

In the run that `bench run` makes of it, drift shows in `process` (resident memory and threads of the gateway that only
rise), in `pauses` (collections that grow longer or more frequent) and in `requests` (percentiles of the response time by
minute). The load generator's own memory is in `process` as well and stays flat: rows go to disk as they come and arrivals
are drawn as they are needed.
"""

from bench.load.options import declare
from bench.load.route_requests import RouteRequests
from bench.load.user import OpenLoopUser


class LastingTraffic(RouteRequests, OpenLoopUser):
    """Requests over the whole routing table."""

    scenario = declare("soak")
