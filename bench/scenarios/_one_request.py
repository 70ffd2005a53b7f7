"""One small request for ever, by the engine and by Locust's own fastest user: what generators are compared with."""

from locust import FastHttpUser, constant, task

from bench.load.arguments import LoadArguments
from bench.load.traffic import ONE_BODY, Traffic, single_request
from bench.load.user import ClosedLoopUser


class EngineClosedLoop(ClosedLoopUser):
    """The engine, every connection busy."""

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give the one request."""
        return single_request(self.host)


class FastHttpClosedLoop(FastHttpUser):
    """Locust's FastHttpUser, one connection a user, without a wait."""

    wait_time = constant(0)

    @task
    def send(self) -> None:
        """Send the one request."""
        self.client.post("/route", data=ONE_BODY, headers={"Content-Type": "application/json"})
