"""Requests to `POST /route` by kinds, as tasks that Locust's `--tags` and `--exclude-tags` choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from locust import tag

from bench.load import mix
from bench.load.arguments import LoadArguments
from bench.load.options import values
from bench.load.traffic import Traffic, read_tokens, route_traffic
from bench.scenario import Scenario


def _task(kind: str) -> Callable[[Any], None]:
    """Give a task that stands for a kind of request."""

    def run(user: Any) -> None:
        user.drive()

    run.__name__ = kind
    return tag(kind)(run)


class RouteRequests:
    """For an engine user: what it sends is `--mix`, of the kinds whose tasks Locust's tags leave.

    Locust picks one of the tasks, and that one drives the whole load: the engine mixes the kinds itself.
    """

    scenario: ClassVar[Scenario]
    tasks: ClassVar[list[Callable[[Any], None]]]

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Take a task a kind for the one of the engine user."""
        super().__init_subclass__(**arguments)
        cls.tasks = [_task(kind) for kind in mix.KINDS]

    def on_start(self) -> None:
        """Say so when the tags leave nothing: Locust would ask for a task for ever."""
        if not type(self).tasks:
            self.drive()

    def traffic(self, arguments: LoadArguments) -> Traffic:
        """Give requests to every route of the kinds that are left; those that need a token only when there are tokens."""
        given = values(self.scenario, self.environment.parsed_options)
        return route_traffic(
            self.host,
            seed=arguments.seed,
            tokens=read_tokens(arguments.tokens),
            mix=mix.parse(str(given["mix"])),
            kinds=[task.__name__ for task in type(self).tasks],
        )
