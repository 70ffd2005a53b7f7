"""The runs that are here, in words: what there is to choose from, and what cannot be opened and why."""

from __future__ import annotations

from dataclasses import dataclass

from bench.errors import RunUnreadable
from bench.store import manifest
from roi import data

_UNKNOWN = "–"


@dataclass(frozen=True)
class RunHere:
    """One run among those that are here."""

    name: str
    """What opens it: the value of the parameter `run`."""
    measured: str = _UNKNOWN
    """Date of its measurement, ISO 8601."""
    machine: str = _UNKNOWN
    purpose: str = _UNKNOWN
    """indicative, decision or publication; of made-up data it says so."""
    why_not: str = ""
    """Why it cannot be opened; empty for one that can."""

    @property
    def opens(self) -> bool:
        """Whether it can be opened."""
        return not self.why_not

    def line(self) -> str:
        """Give it in a line."""
        told = (self.name, self.measured, self.machine, self.purpose) if self.opens else (self.name, self.why_not)
        return ", ".join(told)


def runs_here() -> list[RunHere]:
    """Give the runs that are here, the reference first and then the oldest first, as `roi.data.names` does."""
    return [_described(name) for name in data.names()]


def _described(name: str) -> RunHere:
    try:
        said = manifest.read(data.find_run(name))
        machine = f"{said.machine['cpu_model']}, {said.machine['processors']} processors"
        purpose = f"{said.purpose}, synthetic data" if said.synthetic else said.purpose
        return RunHere(name, said.started_at[:10], machine, purpose)
    except RunUnreadable as error:
        return RunHere(name, why_not=str(error))
    except (KeyError, TypeError, AttributeError):
        # JSON, of the right version, and not what a manifest says.
        return RunHere(name, why_not=f"{manifest.FILE} of {name} is damaged. Restore it, or measure again.")
