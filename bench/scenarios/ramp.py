"""A ramp: the rate rises linearly from one to another, and what breaks shows at which rate it does. Open loop.

By hand, in a minute from 500 to 5000 requests a second:

    locust -f bench/scenarios/ramp.py --host http://127.0.0.1:8080 --rate 500 --to-rate 5000 --duration 60
"""

from bench.load.arguments import LoadArguments
from bench.load.options import declare, values
from bench.load.route_requests import RouteRequests
from bench.load.schedule import Schedule
from bench.load.shapes import ramp
from bench.load.user import OpenLoopUser


class RisingTraffic(RouteRequests, OpenLoopUser):
    """Requests over the whole routing table."""

    scenario = declare("ramp")

    def schedule(self, arguments: LoadArguments) -> Schedule:
        """Give arrivals from `--rate` to `--to-rate`."""
        return ramp(arguments, values(self.scenario, self.environment.parsed_options)["to_rate"])
