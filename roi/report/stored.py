"""A report as it lies there, and the run that it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.store import manifest
from bench.store.writer import sha256
from roi import data
from roi.errors import ReportUnreadable, RunChanged, UnknownName
from roi.report import checksums, origin
from roi.report.origin import Origin
from roi.report.place import STATUS_FILE


@dataclass(frozen=True)
class Stored:
    """A report as it lies there."""

    folder: Path
    """Absolute."""
    run: str
    made_at: str
    notices: tuple[str, ...]
    pages: Mapping[str, Mapping[str, Any]]
    """By name what its status file says of a page."""
    origin: Origin
    language: str = "en"
    set: str = ""
    """Name of its parameter set."""
    names: bool = False
    """Whether paths and names of the machine were left in."""


def read(folder: Path) -> Stored:
    """Give a report; raises `ReportUnreadable` when the folder holds none that can be checked."""
    folder = folder.resolve()
    status = folder / STATUS_FILE
    if not status.is_file():
        raise ReportUnreadable(
            f"{folder.name} is no report: it has no {status.name}."
            " Give the folder that roi report wrote, such as reports/reference."
        )
    try:
        said = json.loads(status.read_text())
        checksums.read(folder)
        return Stored(
            folder, said["run"], said["made_at"], tuple(said["notices"]), said["notebooks"], origin.read(folder),
            said["language"], said["about"]["set"], said["names"],
        )  # fmt: skip
    except (OSError, ValueError, KeyError) as error:
        needed = f"{status.name}, {origin.FILE} and {checksums.FILE}"
        raise ReportUnreadable(
            f"{folder.name} cannot be checked: it needs {needed}, whole ({error}). Make it again with: roi report"
        ) from error


def find_run(stored: Stored, given: str = "") -> tuple[Path, str]:
    """Give the folder of the run that a report is about, and what opens it in a notebook.

    Parameters
    ----------
    stored
        The report.
    given
        A run's name or folder to take; empty takes what the report's pages were run with, or else a run of the report's name.

    Raises
    ------
    RunChanged
        The run is not there any more, or what is there under its name is another one.
    """
    named = [str(page["parameters"]["run"]) for page in stored.pages.values() if "run" in page["parameters"]]
    found, others = [], []
    for name in [given] if given else dict.fromkeys([*named, stored.run]):
        try:
            folder = data.find_run(name)
        except UnknownName:
            continue
        own = manifest.read(folder).run
        if own == stored.run:
            found.append((folder, name if name in named else str(folder.absolute())))
        else:
            others.append(f"{name} is the run {own}")
    if found:
        # An excerpt has the name of its whole: the one that the report was made from comes first.
        return min(found, key=lambda run: sha256(run[0] / manifest.FILE) != stored.origin.run.get(manifest.FILE))
    if others:
        raise RunChanged(
            f"The report is about the run {stored.run}, and {' and '.join(others)}."
            f" Put {stored.run} back, or name its folder: --run FOLDER"
        )
    raise RunChanged(
        f"The run {stored.run} that the report is about is not there any more, so nothing can be computed again."
        " Put it back, or name its folder: --run FOLDER"
    )


def check_run(folder: Path) -> None:
    """Hold the tables of a run against the checksums of its manifest; raises `RunChanged` with those that are not the same."""
    said = manifest.read(folder)
    changed = [
        f"{name}.parquet" for name, file in said.tables.items() if sha256(folder / f"{name}.parquet") != file.sha256
    ]
    if changed:
        raise RunChanged(
            f"{', '.join(changed)} of the run {said.run} {'is' if len(changed) == 1 else 'are'} not what its manifest says:"
            " the file was changed after the measurement. Restore it, or measure again."
        )
