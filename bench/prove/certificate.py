"""What a proof says, and the certificate that keeps it: made by `bench prove`, stored with every later run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import paths
from bench.meters import machine

_FOLDER = paths.RUNS / ".certificates"
_SOURCES = {
    "load": paths.BENCH / "load",
    "pauses": paths.BENCH / "meters",
    "overhead": paths.BENCH / "meters",
    "recovery": paths.BENCH / "faults",
    "statistics": paths.ROOT / "roi" / "statistics",
}
"""The folder that holds each instrument."""
_MACHINE = ("cpu_model", "processors", "processors_allowed", "kernel", "memory_bytes", "hypervisor")
"""What makes two machines the same for a certificate; load and steal change from hour to hour."""


@dataclass(frozen=True)
class Proof:
    """One comparison of what was measured with what is known."""

    name: str
    """With its unit at the end."""
    expected: float | None
    """None: the figure is reported and not judged."""
    measured: float
    tolerance: float | None
    """How far measured may be from expected, in the same unit; for a bound, 0."""
    holds: bool
    note: str
    """Where the expectation comes from, and what else there is to know."""

    @classmethod
    def near(cls, name: str, expected: float, measured: float, tolerance: float, note: str) -> Proof:
        """Hold a measurement against a known value."""
        return cls(name, expected, float(measured), tolerance, bool(abs(measured - expected) <= tolerance), note)

    @classmethod
    def at_most(cls, name: str, bound: float, measured: float, note: str) -> Proof:
        """Hold a measurement against an upper bound."""
        return cls(name, bound, float(measured), 0.0, bool(measured <= bound), note)

    @classmethod
    def at_least(cls, name: str, bound: float, measured: float, note: str) -> Proof:
        """Hold a measurement against a lower bound."""
        return cls(name, bound, float(measured), 0.0, bool(measured >= bound), note)

    @classmethod
    def reported(cls, name: str, measured: float, note: str) -> Proof:
        """Report a figure that nothing is known about beforehand."""
        return cls(name, None, float(measured), None, True, note)


@dataclass(frozen=True)
class Certificate:
    """All proofs of one instrument on one machine."""

    kind: str
    """Which instrument: load, pauses, overhead, recovery, statistics."""
    made_at: str
    """Wall clock, ISO 8601, UTC."""
    machine: Mapping[str, Any]
    code: str
    """SHA-256 over the sources of the instrument."""
    proofs: tuple[Proof, ...]
    curves: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    """By name, columns of equal length that a page can draw."""

    @property
    def holds(self) -> bool:
        """Whether every proof does."""
        return all(proof.holds for proof in self.proofs)

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain values for JSON."""
        return asdict(self)


def certify(kind: str, proofs: Sequence[Proof], curves: Mapping[str, Mapping[str, Sequence[float]]]) -> Certificate:
    """Make a certificate for this machine and code, and keep it for later runs."""
    made = Certificate(
        kind, datetime.now(UTC).isoformat(timespec="seconds"), this_machine(), code(kind), tuple(proofs), curves
    )
    keep(_FOLDER / f"{kind}.json", made.as_dict())
    return made


def stored(kind: str) -> dict[str, Any] | None:
    """Give the newest certificate of an instrument for this machine, as its JSON values; None when there is none.

    `of_this_code` says whether the instrument is still the one that was proven.
    """
    said = kept(_FOLDER / f"{kind}.json")
    if said is None or said["machine"] != this_machine():
        return None
    return said | {"of_this_code": said["code"] == code(kind)}


def all_stored() -> dict[str, dict[str, Any] | None]:
    """Give the newest certificate of every instrument, by its name, as `stored` does."""
    return {kind: stored(kind) for kind in _SOURCES}


def fails(kind: str, variant: str) -> bool | None:
    """Tell whether a proof of this variant does not hold; None when nobody has proven it on this machine with this code."""
    said = stored(kind)
    if said is None or not said["of_this_code"]:
        return None
    own = [proof["holds"] for proof in said["proofs"] if proof["name"].startswith(f"{variant}:")]
    return not all(own) if own else None


def this_machine() -> dict[str, Any]:
    """Give what a certificate or a calibration holds for: this machine and no other."""
    return {name: value for name, value in machine.fingerprint().items() if name in _MACHINE}


def code(kind: str) -> str:
    """Give the SHA-256 over the sources of an instrument."""
    whole = hashlib.sha256()
    sources = (path for path in _SOURCES[kind].rglob("*") if path.suffix in (".py", ".c"))
    for path in sorted(sources):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def keep(path: Path, value: Mapping[str, Any]) -> None:
    """Write values beside the runs, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(value, indent=1) + "\n")
    unfinished.rename(path)


def kept(path: Path) -> dict[str, Any] | None:
    """Give what `keep` wrote; None when there is nothing that can be read."""
    try:
        return json.loads(path.read_text())
    except (OSError, json.JSONDecodeError):
        return None
