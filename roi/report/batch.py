"""Several reports in one call: every run with every parameter set, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from bench.errors import RunUnreadable
from roi.errors import BadParameters, RoiError, UnknownName
from roi.report.catalog import Page
from roi.report.gather import Telling
from roi.report.plan import Plan, plan
from roi.report.publish import Options, Report, publish
from roi.report.subject import Subject, subject


class Ending(StrEnum):
    """What became of a report."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """Published, with a page, an image or a deck that is not ok."""
    NOT_PUBLISHED = "not_published"


@dataclass(frozen=True)
class Order:
    """One report that is asked for."""

    run: str
    """As it was asked for."""
    set: str
    """Name of its parameter set; empty for none."""
    folder: Path
    """Where it goes."""
    pages: tuple[Page, ...] = ()
    subject: Subject | None = None
    """None where the run cannot be opened."""
    planned: Plan | None = None
    fault: str = ""
    """Why it cannot be made."""


@dataclass(frozen=True)
class Made:
    """What became of an order."""

    order: Order
    ending: Ending
    sentence: str = ""
    """Why it was not published."""
    report: Report | None = None


def orders(
    runs: Sequence[str], sets: Mapping[str, Mapping[str, Any]], pages: Sequence[Page], given: Mapping[str, str],
    place: Callable[[str, str], Path], over_runs: Sequence[Page] = (),
) -> list[Order]:  # fmt: skip
    """Plan a report for every run and every set; a run that cannot be opened is its own report's fault alone.

    Parameters
    ----------
    runs
        Names of runs.
    sets
        Parameters by the names of their sets; the empty name is that of no set.
    pages
        What each report is made of.
    given
        Texts for parameters from the command line.
    place
        Gives the folder of a report from the run's own name and the set.
    over_runs
        Pages that the newest run's report holds besides, with all runs in their parameter `runs`.

    Raises
    ------
    BadParameters, UnknownName
        A parameter that is given fits no page; two reports would go to one folder; of a single run that it does not exist.
    """
    found: dict[str, Subject | str] = {}
    for run in runs:
        try:
            found[run] = subject(run)
        except (UnknownName, RunUnreadable) as error:
            if len(runs) == 1:
                raise
            found[run] = str(error)
    there = {run: one for run, one in found.items() if isinstance(one, Subject)}
    newest = max(there, key=lambda run: there[run].started_at, default=None) if len(there) > 1 else None
    made = []
    for run, one in found.items():
        for name, values in sets.items():
            if isinstance(one, str):
                made.append(Order(run, name, place(run, name), fault=one))
                continue
            planned = plan(pages, one.opened_by, given, one.tables, values)
            own = tuple(pages)
            if run == newest and over_runs:
                every = [other.opened_by for other in there.values()]
                more = plan(over_runs, one.opened_by, {}, one.tables, {"runs": every})
                planned = Plan({**planned.parameters, **more.parameters}, {**planned.refused, **more.refused})
                own += tuple(page for page in over_runs if page not in pages)
            made.append(Order(run, name, place(one.about.run, name), own, one, planned))
    _check_places(made)
    return made


def _check_places(made: Sequence[Order]) -> None:
    at: dict[Path, Order] = {}
    for order in made:
        if other := at.get(order.folder):
            raise BadParameters(
                f"{other.run} and {order.run} are the run {order.folder.name}, and their reports would go to one folder:"
                " name one of them alone."
            )
        at[order.folder] = order


def make(
    wanted: Sequence[Order], options: Options, progress: Callable[[Order], AbstractContextManager[Telling]]
) -> list[Made]:
    """Make reports one after the other; one that cannot be published does not hold up the others.

    Parameters
    ----------
    wanted
        The reports.
    options
        How each is made.
    progress
        Gives who is told of the progress of one.

    Raises
    ------
    RoiError
        The only report that is wanted cannot be published.
    """
    made = []
    for order in wanted:
        if order.subject is None or order.planned is None:
            made.append(Made(order, Ending.NOT_PUBLISHED, order.fault))
            continue
        about = replace(order.subject.about, set=order.set)
        try:
            with progress(order) as telling:
                report = publish(
                    order.pages, order.planned, about, order.folder, telling, order.subject.folder, options
                )
        except RoiError as error:
            if len(wanted) == 1:
                raise
            made.append(Made(order, Ending.NOT_PUBLISHED, str(error)))
            continue
        made.append(Made(order, Ending.COMPLETE if report.complete else Ending.INCOMPLETE, report=report))
    return made
