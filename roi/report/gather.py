"""The notebooks of a plan are run, or taken as an earlier report left them, and what they hold is collected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from roi.errors import RoiError
from roi.report import runner
from roi.report.catalog import Page
from roi.report.collect import Collected, collect
from roi.report.execute import Job, Status
from roi.report.kept import Kept
from roi.report.plan import Plan
from roi.report.privacy import without_names
from roi.report.runner import Outcome

NOTEBOOKS = "notebooks"
"""Folder of the executed notebooks in a report."""


@dataclass(frozen=True)
class Telling:
    """Who is told as notebooks begin and end."""

    started: Callable[[str], None] = lambda name: None
    ended: Callable[[Outcome], None] = lambda outcome: None


NOBODY = Telling()


@dataclass(frozen=True)
class Gathered:
    """What became of pages, and what those hold that are ok."""

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """By page."""
    collected: Mapping[str, Collected] = field(default_factory=dict)
    """By page; none of a page that is not ok."""

    def listed(self, pages: Sequence[Page]) -> list[tuple[Page, Outcome]]:
        """Give pages with what became of each, as far as that is known."""
        return [(page, self.outcomes[page.name]) for page in pages if page.name in self.outcomes]

    def joined(self, other: Gathered, pages: Sequence[Page]) -> Gathered:
        """Give both, in the order of pages."""
        outcomes, collected = {**self.outcomes, **other.outcomes}, {**self.collected, **other.collected}
        names = [page.name for page in pages]
        return Gathered(*({name: of[name] for name in names if name in of} for of in (outcomes, collected)))


def gather(
    pages: Sequence[Page], planned: Plan, work: Path, telling: Telling, until: float,
    kept: Kept | None = None, names: Mapping[str, str] | None = None,
) -> Gathered:  # fmt: skip
    """Run the notebooks of pages, or take those that are kept.

    Parameters
    ----------
    pages, planned
        What is run, and with which parameters.
    work
        Folder of the report.
    telling
        Who is told.
    until
        When all must have ended, by `time.monotonic`.
    kept, names
        Where executed notebooks are kept, and by page under which name.

    Raises
    ------
    ReportNotPublished
        An executed notebook could not be written.
    """
    folder, names = work / NOTEBOOKS, names or {}
    folder.mkdir(exist_ok=True)
    outcomes = {page.name: planned.refused[page.name] for page in pages if page.name in planned.refused}
    jobs = []
    for page in pages:
        target = folder / f"{page.name}.ipynb"
        if page.name not in planned.parameters:
            telling.ended(outcomes[page.name])
        elif kept and page.name in names and kept.take(names[page.name], target):
            telling.started(page.name)
            outcomes[page.name] = Outcome(page.name, Status.OK, executed=target, reused=True)
            telling.ended(outcomes[page.name])
        else:
            jobs.append(Job(page.name, page.notebook, target, planned.parameters[page.name], page.deadline_s))

    def ended(outcome: Outcome) -> None:
        if outcome.executed:
            outcome.executed.write_text(without_names(outcome.executed.read_text(), [work]))
            # At once, so that a report that is cut off later need not run this one again.
            if kept and outcome.status is Status.OK and outcome.name in names:
                kept.keep(names[outcome.name], outcome.executed.read_bytes())
        telling.ended(outcome)

    outcomes |= {outcome.name: outcome for outcome in runner.run(jobs, telling.started, ended, until=until)}
    collected = {}
    for name, outcome in outcomes.items():
        if outcome.status is Status.OK:
            try:
                collected[name] = collect(outcome.executed)
            except RoiError as error:
                outcomes[name] = replace(outcome, status=Status.CELL_ERROR, sentence=str(error))
    nameless = {name: _nameless(outcome, work) for name, outcome in outcomes.items()}
    return Gathered().joined(Gathered(nameless, collected), pages)


def _nameless(outcome: Outcome, work: Path) -> Outcome:
    return replace(outcome, sentence=without_names(outcome.sentence, [work]), seconds=round(outcome.seconds, 2))
