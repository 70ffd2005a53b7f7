"""Scenarios: what kinds of traffic there are, and the options of each.

The one place that suites and Locust's parser both read: a scenario is a locustfile in `bench/scenarios` and its entry here.
Nothing here imports Locust, which patches the process that does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import paths
from bench.errors import LoadFailed, UnknownName, no_such_name
from bench.load import mix, rungs

Value = str | int | float | bool
"""What an option may be in a suite file; which of them, its default says."""
Values = Mapping[str, Value]
_STEP_OVER_OBJECTIVE = 20
"""Length of a step over the objective: a rate that is 5 % too high misses it in one of that length."""


def _accept(value: Value) -> None:
    """Let every value of the right type pass."""


def _positive(value: Value) -> None:
    if not 0 < float(value) < math.inf:
        raise ValueError("must be a positive number")


def _not_negative(value: Value) -> None:
    if not 0 <= float(value) < math.inf:
        raise ValueError("must be a number that is not negative")


def _share(value: Value) -> None:
    if not 0 < float(value) < 1:
        raise ValueError("must lie between 0 and 1")


@dataclass(frozen=True)
class Option:
    """One option of a scenario."""

    name: str
    """As a suite file writes it; on the command line it is `--name` with hyphens."""
    default: str | float
    """Its type is the option's: a number, or text."""
    meaning: str
    check: Callable[[Value], object] = _accept
    """Raises `ValueError` or `LoadFailed` for a value that means nothing."""
    is_file: bool = False
    """Names a file; in a suite, relative to the suite's folder."""

    @property
    def flag(self) -> str:
        """Give it as on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def type(self) -> type:
        """Give the type that Locust's parser makes of its text."""
        return type(self.default)

    def checked(self, value: Value) -> Value:
        """Give a value, as the option's type; raises `LoadFailed` when it means nothing."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number != isinstance(self.default, float):
            kind = "a number" if isinstance(self.default, float) else "text"
            raise LoadFailed(f"The option {self.name} takes {kind}; it was given {value!r}.")
        try:
            self.check(value)
        except ValueError as error:
            raise LoadFailed(f"The option {self.name} {error}; it was given {value!r}.") from error
        return self.type(value)


@dataclass(frozen=True)
class Scenario:
    """A kind of traffic: what a suite may say of it, and what its locustfile asks for."""

    name: str
    """Name of its locustfile."""
    summary: str
    traffic_model: Literal["open", "closed"]
    takes_rate: bool
    """It is measured at rungs, each an offered rate."""
    options: tuple[Option, ...] = ()
    check: Callable[[Values], object] = lambda values: None
    """Raises `ValueError` for options that contradict one another; gets all of them."""
    default_duration_s: float = 0.0
    """Length of the load by hand when nothing is said; 0: until it is stopped."""
    has_users: bool = False
    """Its connections are Locust users, one each, and not those of one engine."""
    saturates: bool = False
    """It keeps every connection busy to find capacity: the gateway must be its limit, and Little's law can be asked."""
    in_steps: bool = False
    """Its load is several loads, one decided on by the last: it has a generator of one worker."""
    overloads: bool = False
    """It offers more than can be served, on purpose: that requests waited for a connection says nothing of the generator."""

    def values(self, given: Values) -> dict[str, Value]:
        """Give the value of every option, the default of those that are not given.

        Raises
        ------
        LoadFailed
            There is no such option, or its value means nothing.
        """
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known:
                raise LoadFailed(no_such_name(f"option of {self.name}", name, known))
        found = {name: option.checked(given.get(name, option.default)) for name, option in known.items()}
        try:
            self.check(found)
        except ValueError as error:
            raise LoadFailed(f"The scenario {self.name} {error}") from error
        return found

    def command_line(self, given: Values, connections: int) -> list[str]:
        """Give what Locust is told on its command line beside what every scenario is told."""
        flags = {option.name: option.flag for option in self.options}
        users = ["--users", f"{connections}", "--spawn-rate", f"{connections}"] if self.has_users else []
        return users + [part for name, value in given.items() for part in (flags[name], f"{value}")]

    def located(self, given: Values, folder: Path) -> dict[str, Value]:
        """Give options whose files are found from a suite's folder; a missing one raises `LoadFailed`."""
        found = dict(given)
        for option in self.options:
            if option.is_file and option.name in given:
                path = (folder / str(given[option.name])).resolve()
                if not path.is_file():
                    raise LoadFailed(f"The {option.name} {given[option.name]} is not there: {path} is no file.")
                found[option.name] = str(path)
        return found

    def published(self, given: Values) -> dict[str, Value]:
        """Give options as a run tells them: of a file its name, and not where it was on this machine."""
        files = {option.name for option in self.options if option.is_file}
        return {name: Path(str(value)).name if name in files else value for name, value in given.items()}


_MIX = Option(
    "mix",
    "",
    "Weights of the kinds of requests, route=8,token=2,large=0.1; without it routes come uniformly",
    mix.parse,
)


def _within_the_load(values: Values) -> None:
    shares = sum(float(values[name]) for name in ("lead", "rise", "hold", "fall"))
    if shares > 1 + 1e-9:
        raise ValueError(f"cannot fit: lead, rise, hold and fall are {shares:g} of its duration. Make them at most 1.")


def _shows_an_overload(values: Values) -> None:
    least_s = _STEP_OVER_OBJECTIVE * float(values["objective_ms"]) / 1e3
    if float(values["step_s"]) < least_s:
        raise ValueError(
            f"cannot tell in steps of {values['step_s']:g} s: the queue of a rate that is a little too high would not reach"
            f" {values['objective_ms']:g} ms in one. Give step_s {least_s:g} or more."
        )


def _needs_a_trace(values: Values) -> None:
    if not values["trace"]:
        raise ValueError("needs a trace. Give a file with one column of instants: --trace FILE")


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("steady", "many independent users at one rate", "open", True, (_MIX,)),
        Scenario(
            "ramp", "a rate that rises linearly", "open", True,
            (Option("to_rate", 5_000.0, "Requests a second at the end, over all workers", _not_negative), _MIX),
            default_duration_s=60.0,
        ),
        Scenario(
            "surge", "a base rate and one peak", "open", True,
            (
                # The article's peak over everyday traffic (data/claims.toml, surge_factor).
                Option("peak", 17.0, "Peak over the base rate", _positive),
                Option("lead", 0.3, "Share of the duration at the base rate before the rise", _not_negative),
                Option("rise", 0.05, "Share of the duration that the rise takes", _not_negative),
                Option("hold", 0.2, "Share of the duration at the peak", _not_negative),
                Option("fall", 0.05, "Share of the duration that the fall takes", _not_negative),
                _MIX,
            ),
            check=_within_the_load, default_duration_s=60.0,
        ),
        Scenario("soak", "one rate for long", "open", True, (_MIX,), default_duration_s=1_800.0),
        Scenario(
            "replay", "arrivals that were recorded", "open", False,
            (
                Option("trace", "", "Parquet or CSV file with a column of instants: intended_ns, time_s, or seconds first",
                       is_file=True),
                Option("trace_cell", "", "Which cell of it, when it is the requests table of a run"),
                Option("speed", 1.0, "How many times as fast as recorded", _positive),
                _MIX,
            ),
            check=_needs_a_trace,
        ),
        Scenario("saturate", "every connection busy", "closed", False, (_MIX,), saturates=True),
        Scenario(
            "scalability", "more and fewer busy connections", "closed", False,
            (Option("rungs", "1,2,4,8,16,32,64", "Numbers of busy connections, each for the same time", rungs.parse), _MIX),
            default_duration_s=7.0, in_steps=True,
        ),
        Scenario(
            "capacity", "the largest rate at an objective", "open", False,
            (
                Option("objective_ms", 50.0, "Response time that the quantile must not exceed", _positive),
                Option("quantile", 0.99, "Share of the requests that must meet it, such as 0.99", _share),
                Option("step_s", 2.5, "Seconds of each step", _positive),
                Option("precision", 0.05, "Width of the bracket at which the search ends, as a share", _share),
                Option("confirmations", 3.0, "Repeats of the rate that was found, which must all meet it", _positive),
                _MIX,
            ),
            check=_shows_an_overload, default_duration_s=30.0, in_steps=True, overloads=True,
        ),
        Scenario(
            "journey", "users who take several steps and think", "closed", False,
            (Option("think", 1.0, "Mean think time between two steps in seconds", _not_negative),),
            has_users=True,
        ),
    )
}  # fmt: skip


def named(name: str) -> Scenario:
    """Give a scenario; an unknown name raises `UnknownName` with the near ones."""
    if name not in SCENARIOS:
        raise UnknownName("scenario", name, SCENARIOS)
    return SCENARIOS[name]


def locustfile(name: str) -> Path:
    """Give the locustfile of a scenario; an unknown name raises as `named` does."""
    return paths.SCENARIOS / f"{named(name).name}.py"
