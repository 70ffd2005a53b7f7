"""The errors that `bench` tells its user: what happened, where, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def no_such_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Say that there is nothing of this name, with the near names or else all there is."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"There is: {', '.join(known) or 'none at all'}."
    return f"There is no {kind} named {name!r}. {hint}"


class BenchError(Exception):
    """A sentence for the user; the command line prints it without a traceback and ends with exit code 1."""


class UnknownName(BenchError):
    """Something was asked for by a name that does not exist."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(no_such_name(kind, name, known))


class ToolchainMissing(BenchError):
    """A toolchain that a gateway needs is not on this machine."""


class BuildFailed(BenchError):
    """A build step of a gateway ended with an error."""


class GatewayDied(BenchError):
    """A gateway ended, or never answered, when it should have been serving."""


class ContractBroken(BenchError):
    """A gateway answered a case of the contract wrongly."""


class LoadFailed(BenchError):
    """The load generator did not finish its work."""


class FaultImpossible(BenchError):
    """A fault needs what is not here; the message says what that is."""


class DiskFull(BenchError):
    """There is no room left for what is measured: nothing more can be, until there is."""


class RecordsFull(BenchError):
    """A cell's log and its meters' records took more room than they may."""


class MeterFailed(BenchError):
    """A pause log is missing or cannot be what it should be."""


class RunUnreadable(BenchError):
    """A run on disk is truncated, of another schema version, or not a run."""


class SuiteInvalid(BenchError):
    """A suite file does not say what a suite must say."""
