"""The run that a report is about: what opens it in a notebook, what a report says of it, and which tables it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.store import manifest
from roi import data
from roi.report.contents import About


@dataclass(frozen=True)
class Subject:
    """A run that a report is about."""

    folder: Path
    opened_by: str
    """What opens it in a notebook: its name among the project's runs, or else its path."""
    about: About
    started_at: str
    """When its measurement began, ISO 8601."""
    tables: tuple[str, ...]
    """Those that hold rows."""


def subject(run: str | Path) -> Subject:
    """Find a run by its name or folder.

    Raises
    ------
    UnknownName
        There is no such run.
    RunUnreadable
        Its manifest is missing, truncated, or of another schema version.
    """
    folder = data.find_run(str(run))
    said = manifest.read(folder)
    about = About(
        run=said.run, machine=f"{said.machine['cpu_model']}, {said.machine['processors']} processors",
        measured=said.started_at[:10], purpose=said.purpose, synthetic=said.synthetic,
    )  # fmt: skip
    tables = tuple(name for name, table in said.tables.items() if table.rows)
    return Subject(folder, _opened_by(folder), about, said.started_at, tables)


def _opened_by(folder: Path) -> str:
    own = (data.DATA / data.REFERENCE, data.RUNS / folder.name)
    return folder.name if folder in own else str(folder.absolute())
