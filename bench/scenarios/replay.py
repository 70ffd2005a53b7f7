r"""A replay: requests arrive when those of a recorded trace did. Open loop.

By hand, a file with one column of instants in seconds, or a cell of an earlier run, twice as fast:

    locust -f bench/scenarios/replay.py --host http://127.0.0.1:8080 --trace access.csv
    locust -f bench/scenarios/replay.py --host http://127.0.0.1:8080 --speed 2 \
        --trace data/reference/requests.parquet --trace-cell CELL

Only the instants are the trace's: what is sent is the same traffic as in every other scenario.
"""

from pathlib import Path

from bench.load import trace
from bench.load.arguments import LoadArguments
from bench.load.options import declare, values
from bench.load.route_requests import RouteRequests
from bench.load.schedule import Schedule
from bench.load.traffic import Traffic
from bench.load.user import OpenLoopUser


class RecordedTraffic(RouteRequests, OpenLoopUser):
    """Requests over the whole routing table."""

    scenario = declare("replay")

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give the requests, and read the trace: this is asked for before any load, a schedule in the midst of it."""
        given = values(self.scenario, self.environment.parsed_options)
        self._recorded = trace.read(
            Path(given["trace"]), cell=given["trace_cell"], speed=given["speed"], duration_s=arguments.total_s
        )
        return super().traffic(arguments)

    def schedule(self, arguments: LoadArguments) -> Schedule:
        """Give the arrivals of the trace."""
        return self._recorded
