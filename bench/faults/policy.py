"""Supervisor policies: how long a supervisor takes to notice, to kill and to restart, whatever runtime it supervises.

The constants are kubelet's (kubernetes/kubernetes, `pkg/kubelet/kubelet.go` and `pkg/kubelet/prober/worker.go`). A
policy is one file in `policies/`; nothing else registers it.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bench import paths
from bench.errors import SuiteInvalid, UnknownName

POLICIES = paths.BENCH / "faults" / "policies"


@dataclass(frozen=True)
class Probe:
    """An HTTP probe, as a pod declares it."""

    period_s: float
    timeout_s: float
    """Probes of one kind never overlap: with a timeout longer than the period, one begins when the last has failed."""
    failure_threshold: int
    """Failures in a row after which it counts as failed."""
    success_threshold: int
    """Successes in a row after which it counts as passed."""
    initial_delay_s: float
    """Time after the process began in which it is not probed."""

    def __post_init__(self) -> None:
        _positive("period_s", self.period_s)
        _positive("timeout_s", self.timeout_s)
        _not_negative("initial_delay_s", self.initial_delay_s)
        _count("failure_threshold", self.failure_threshold)
        _count("success_threshold", self.success_threshold)


@dataclass(frozen=True)
class BackOff:
    """How long a restart waits after an exit: the first `initial_s`, then `first_s`, doubled each time up to `cap_s`."""

    first_s: float
    cap_s: float
    reset_s: float
    """A process that lived longer than this is forgiven: its next restart is a first one."""
    initial_s: float = 0.0

    def __post_init__(self) -> None:
        _not_negative("back_off.initial_s", self.initial_s)
        _not_negative("back_off.first_s", self.first_s)
        _not_negative("back_off.cap_s", self.cap_s)
        _not_negative("back_off.reset_s", self.reset_s)
        if self.first_s > self.cap_s:
            raise SuiteInvalid(
                f"back_off.first_s of {self.first_s:g} is above back_off.cap_s of {self.cap_s:g}: raise the cap."
            )


@dataclass(frozen=True)
class StartLimit:
    """How often a process may be started before its supervisor gives it up."""

    starts: int
    within_s: float

    def __post_init__(self) -> None:
        _count("start_limit.starts", self.starts)
        _positive("start_limit.within_s", self.within_s)


@dataclass(frozen=True)
class Policy:
    """What a supervisor does about a process that fails."""

    name: str
    summary: str
    grace_s: float
    """From SIGTERM to SIGKILL."""
    relist_s: float
    """Period at which it lists processes, and so learns of an exit that it did not cause; 0: it learns at once."""
    back_off: BackOff
    startup: Probe | None = None
    """Until it has passed, the other two wait; failed: the process is ended and restarted. None: they do not wait."""
    liveness: Probe | None = None
    """Failed: the process is ended and restarted. None: never probed."""
    readiness: Probe | None = None
    """Passed: the process is ready for traffic. None: never probed."""
    start_limit: StartLimit | None = None
    """None: it never gives up."""

    def __post_init__(self) -> None:
        _not_negative("grace_s", self.grace_s)
        _not_negative("relist_s", self.relist_s)


def _number(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise SuiteInvalid(f"{name} is {value!r}: give a number of seconds.")


def _positive(name: str, value: float) -> None:
    _number(name, value)
    if value <= 0:
        raise SuiteInvalid(f"{name} is {value:g}: give more than 0 seconds.")


def _not_negative(name: str, value: float) -> None:
    _number(name, value)
    if value < 0:
        raise SuiteInvalid(f"{name} is {value:g}: give 0 seconds or more.")


def _count(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SuiteInvalid(f"{name} is {value!r}: give a whole number from 1 on.")


def read_policy(path: Path) -> Policy:
    """Read a policy file; the policy is named as the file.

    Raises
    ------
    SuiteInvalid
        The file is not TOML, lacks a key, has one too many, or holds a value that cannot be.
    """
    try:
        said = tomllib.loads(path.read_text())
        return Policy(name=path.stem, **said | {key: _part(said, key, type_) for key, type_ in _PARTS if key in said})
    except (tomllib.TOMLDecodeError, TypeError, SuiteInvalid) as error:
        reason = str(error).replace(".__init__()", "")
        raise SuiteInvalid(f"{path.name} is not a valid policy. {reason}") from error


_Part = BackOff | Probe | StartLimit
_PARTS = (
    ("back_off", BackOff), ("startup", Probe), ("liveness", Probe), ("readiness", Probe), ("start_limit", StartLimit),
)  # fmt: skip


def _part(said: dict[str, Any], key: str, type_: type[_Part]) -> _Part:
    if not isinstance(said[key], dict):
        raise SuiteInvalid(f"{key} is {said[key]!r}: make it a table, [{key}].")
    return type_(**said[key])


@cache
def policies() -> dict[str, Policy]:
    """Give every policy by its name."""
    return {path.stem: read_policy(path) for path in sorted(POLICIES.glob("*.toml"))}


def policy(name: str) -> Policy:
    """Give one policy; an unknown name raises `UnknownName` with the near ones."""
    if name not in policies():
        raise UnknownName("policy", name, policies())
    return policies()[name]
