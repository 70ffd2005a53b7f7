"""The options of scenarios on Locust's command line and in its web UI, from the table in `bench.scenario`."""

from __future__ import annotations

from argparse import Namespace

import gevent
from locust import events
from locust.argument_parser import LocustArgumentParser

# Listeners are called in the order of their coming: this one's --duration must be there before its default is changed.
from bench.load import arguments  # noqa: F401
from bench.scenario import Option, Scenario, Value, named

_declared: dict[str, Scenario] = {}


def declare(name: str) -> Scenario:
    """Give a scenario, and let Locust's parser take its options; a locustfile says so of itself."""
    _declared[name] = named(name)
    return _declared[name]


def values(scenario: Scenario, options: Namespace) -> dict[str, Value]:
    """Give a scenario's options out of `environment.parsed_options`; one that means nothing raises `LoadFailed`."""
    return scenario.values({option.name: getattr(options, option.name) for option in scenario.options})


@events.init_command_line_parser.add_listener
def add_options(parser: LocustArgumentParser) -> None:
    """Add the options of the scenarios that were declared, each once: Locust may load several locustfiles."""
    options: dict[str, Option] = {option.name: option for scenario in _declared.values() for option in scenario.options}
    group = parser.add_argument_group(f"Scenario {', '.join(_declared)}")
    for option in options.values():
        group.add_argument(option.flag, type=option.type, default=option.default, help=option.meaning)
    if len(_declared) == 1:
        (scenario,) = _declared.values()
        parser.set_defaults(duration=scenario.default_duration_s)


@events.init.add_listener
def count_run_time_from_now(**_: object) -> None:
    """Set the event loop's clock: it stood still while modules were imported, and that cut `--run-time` short by as much."""
    gevent.get_hub().loop.update_now()
