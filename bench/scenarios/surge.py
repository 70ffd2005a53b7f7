"""A surge: everyday traffic, and one peak of many times it. Shows what a peak costs, and how long it is felt after. Open loop.

By hand, 300 requests a second and a peak of 5100, in a minute:

    locust -f bench/scenarios/surge.py --host http://127.0.0.1:8080 --rate 300 --peak 17 --duration 60
"""

from bench.load.arguments import LoadArguments
from bench.load.options import declare, values
from bench.load.route_requests import RouteRequests
from bench.load.schedule import Schedule
from bench.load.shapes import surge
from bench.load.user import OpenLoopUser


class SurgingTraffic(RouteRequests, OpenLoopUser):
    """Requests over the whole routing table."""

    scenario = declare("surge")

    def schedule(self, arguments: LoadArguments) -> Schedule:
        """Give arrivals at `--rate`, with a peak of `--peak` times that."""
        given = values(self.scenario, self.environment.parsed_options)
        shape = ("peak", "lead", "rise", "hold", "fall")
        return surge(arguments, **{name: given[name] for name in shape})
