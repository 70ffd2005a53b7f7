"""A report that was published, read again for a deck."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.store import manifest
from roi import data
from roi.errors import ReportUnreadable, UnknownName
from roi.language.languages import ENGLISH, language
from roi.report.catalog import Page
from roi.report.contents import About
from roi.report.deck.make import of_folder
from roi.report.deck.story import Report
from roi.report.execute import Status
from roi.report.place import STATUS_FILE
from roi.report.runner import Outcome

REPORTS = Path("reports")
"""Where reports are published by default, by the names of their runs."""


def find_report(name: str) -> Path:
    """Give the folder of a report by its path, or by the run that it is about.

    Raises
    ------
    ReportUnreadable
        There is none.
    """
    folder = Path(name)
    if (folder / STATUS_FILE).is_file():
        return folder.resolve()
    try:
        run = manifest.read(data.find_run(name)).run
    except UnknownName as error:
        raise ReportUnreadable(f"{name} is neither the folder of a report nor a run. {error}") from error
    if not (REPORTS / run / STATUS_FILE).is_file():
        raise ReportUnreadable(f"The run {run} has no report in {REPORTS}. Make it with: roi report {name}")
    return (REPORTS / run).resolve()


def published(folder: Path, catalogue: Mapping[str, Page]) -> Report:
    """Read a published report.

    Raises
    ------
    ReportUnreadable
        The folder holds no whole report.
    """
    try:
        said = json.loads((folder / STATUS_FILE).read_text())
        pages = [listed(name, page, catalogue) for name, page in said["notebooks"].items()]
        spoken = language(said.get("language", ENGLISH.name))
        made = datetime.fromisoformat(said["made_at"])
        return of_folder(folder, About.told(said), made, pages, language=spoken)
    except (OSError, ValueError, KeyError) as error:
        raise ReportUnreadable(
            f"{folder.name} holds no whole report ({error}). Make it again with: roi report"
        ) from error


def listed(name: str, said: Mapping[str, Any], catalogue: Mapping[str, Page]) -> tuple[Page, Outcome]:
    """Give a page of a report and what became of it, from what the report's status file says of it."""
    page = catalogue.get(name) or Page(name, said["title"], Path(said["notebook"]))
    return page, Outcome(name, Status(said["status"]), said["sentence"], said["seconds"])
