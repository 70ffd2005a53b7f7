"""Load for the server whose behaviour is known (`bench.prove`): every request carries an id, and what it asks for."""

import time

import numpy as np
from locust import FastHttpUser, constant_throughput, events, task

from bench.load.arguments import LoadArguments
from bench.load.schedule import Constant, Schedule
from bench.load.traffic import Traffic
from bench.load.user import ClosedLoopUser, EngineUser, OpenLoopUser

_CONTROL_USERS_PER_S = 20
"""What each user of the control is paced to; a rate is made of as many users as it takes."""


@events.init_command_line_parser.add_listener
def add_arguments(parser) -> None:
    """Add what the server is asked for."""
    group = parser.add_argument_group("Known server")
    group.add_argument("--ask", default="null", help="delay, queue or null")
    group.add_argument(
        "--microseconds", default="0", help="How long, in microseconds; drawn from a list such as 1000,5000"
    )
    group.add_argument("--distinct", type=int, default=1, help="Ids, counted from 0 and used round and round")
    group.add_argument("--quitting-takes", type=float, default=0.0, help="Seconds that the end of a worker takes")
    group.add_argument(
        "--response-times", default="", help="File for the control's response times in ms, and when they began"
    )


class _Known(EngineUser):
    """Asks the known server."""

    abstract = True

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give a request an id."""
        options = self.environment.parsed_options
        choices = [int(value) for value in options.microseconds.split(",")]
        drawn = np.random.default_rng(arguments.seed).choice(choices, options.distinct)
        paths = (f"/{options.ask}/{wait}/{number}" for number, wait in enumerate(drawn))
        requests = tuple(f"GET {path} HTTP/1.1\r\nHost: known\r\n\r\n".encode() for path in paths)
        everything = tuple(range(options.distinct))
        return Traffic(requests, ("known",), (0,) * options.distinct, everything, method="GET")


class PoissonArrivals(_Known, OpenLoopUser):
    """Independent arrivals."""


class ConstantArrivals(_Known, OpenLoopUser):
    """Arrivals at equal gaps."""

    def schedule(self, arguments: LoadArguments) -> Schedule:
        """Give equal gaps."""
        return Constant(arguments.rate_per_s, arguments.total_s)


class Saturation(_Known, ClosedLoopUser):
    """Every connection busy."""


class ConstantThroughput(FastHttpUser):
    """The control: Locust's own pacing, a closed loop. It waits for answers, and so it cannot see a stall."""

    wait_time = constant_throughput(_CONTROL_USERS_PER_S)
    connection_timeout = network_timeout = 60.0

    @task
    def ask(self) -> None:
        """Ask the known server."""
        options = self.environment.parsed_options
        self.client.get(f"/{options.ask}/{options.microseconds}/0", name="known")


@events.init.add_listener
def keep_response_times(environment, **_: object) -> None:
    """Keep what Locust says of every request of the control, and make a slow end slow."""
    options = environment.parsed_options
    said: list[tuple[float, float]] = []

    @environment.events.request.add_listener
    def keep(response_time: float, start_time: float, **_: object) -> None:
        said.append((start_time, response_time))

    @environment.events.quitting.add_listener
    def write(**_: object) -> None:
        if options.response_times:
            np.save(options.response_times, np.array(said))
        if options.quitting_takes:
            time.sleep(options.quitting_takes)
