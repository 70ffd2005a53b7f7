"""One small request for ever, by the engine and by Locust's own fastest user: what generators are compared with."""

from locust import FastHttpUser, constant, task

from bench.load.arguments import LoadArguments
from bench.load.traffic import HEADERS, ONE_BODY, Traffic, single_request
from bench.load.user import ClosedLoopUser, EngineUser, OpenLoopUser


class _OneRequest(EngineUser):
    """Sends the one request."""

    abstract = True

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give the one request."""
        return single_request(self.host)


class EngineClosedLoop(_OneRequest, ClosedLoopUser):
    """The engine, every connection busy."""


class EngineOpenLoop(_OneRequest, OpenLoopUser):
    """The engine, independent arrivals."""


class FastHttpClosedLoop(FastHttpUser):
    """Locust's FastHttpUser, one connection a user, without a wait."""

    wait_time = constant(0)

    @task
    def send(self) -> None:
        """Send the one request."""
        self.client.post("/route", data=ONE_BODY, headers=HEADERS)
