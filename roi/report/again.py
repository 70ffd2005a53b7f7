"""A report made again: the same pages, with the same parameters, from the same run, and without images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from roi.language.languages import language
from roi.report import findings, origin, parameters, pdf, privacy, publish
from roi.report.catalog import Page
from roi.report.contents import About
from roi.report.deck import published
from roi.report.edition import Edition, write_deck, write_index
from roi.report.execute import Status
from roi.report.gather import NOBODY, Telling
from roi.report.origin import Origin
from roi.report.pieces import Piece, pieces
from roi.report.plan import Plan
from roi.report.privacy import without_names
from roi.report.publish import Options
from roi.report.runner import Outcome
from roi.report.stored import Stored
from roi.report.subject import Subject


@dataclass(frozen=True)
class Recomputed:
    """The same report, made again."""

    folder: Path
    outcomes: Mapping[str, Outcome]
    """By name what became of every page that was run again."""
    origin: Origin
    pieces: Mapping[str, Sequence[Piece]]
    """By its name in the report what each file that can be taken apart holds."""
    renamed: bool
    """Whether a run or a file was opened by another name than the report's."""


def recompute(
    stored: Stored, catalogue: Mapping[str, Page], run: tuple[Subject, str], given: Mapping[str, str], folder: Path,
    telling: Telling = NOBODY,
) -> Recomputed:  # fmt: skip
    """Make the pages of a report again that were complete, into an empty folder.

    Parameters
    ----------
    stored
        The report.
    catalogue
        Every page that there is, by name.
    run
        The run, and what opens it in a notebook.
    given
        Texts for parameters that a report cannot tell, such as paths; each goes to the pages that have it.
    folder
        Where the report is made again.
    telling
        Told as notebooks begin and end.
    """
    with privacy.showing_names(stored.names):
        return _recompute(stored, catalogue, run, given, folder, telling)


def _recompute(
    stored: Stored, catalogue: Mapping[str, Page], run: tuple[Subject, str], given: Mapping[str, str], folder: Path,
    telling: Telling,
) -> Recomputed:  # fmt: skip
    complete = [name for name, page in stored.pages.items() if page["status"] == Status.OK]
    pages = [catalogue[name] for name in complete if name in catalogue]
    values = {page.name: _values(page, stored.pages[page.name]["parameters"], run[1], given) for page in pages}
    target = folder / stored.folder.name
    about = replace(run[0].about, set=stored.set)
    options = Options(images=False, language=language(stored.language))
    made = publish.publish(pages, Plan(values, {}), about, target, telling, run[0].folder, options)
    outcomes = {outcome.name: outcome for outcome in made.outcomes}
    outcomes |= {
        name: Outcome(name, Status.SKIPPED, "It is not in the catalogue any more.")
        for name in complete if name not in catalogue
    }  # fmt: skip
    renamed = _restore_names(target, stored.pages, values)
    _write_first_page_and_deck(stored, catalogue, about, outcomes, target)
    names = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    apart = {name: found for name in names if (found := pieces(target / name)) is not None}
    return Recomputed(target, outcomes, origin.read(target), apart, renamed)


def _values(page: Page, executed: Mapping[str, Any], run: str, given: Mapping[str, str]) -> dict[str, Any]:
    declared = parameters.declared(page.notebook)
    asked = {name: declared[name].parse(text) for name, text in given.items() if name in declared}
    return {**executed, "run": run, **asked}


def _restore_names(
    folder: Path, pages: Mapping[str, Mapping[str, Any]], values: Mapping[str, Mapping[str, Any]]
) -> bool:
    """Write the report's own names over those that open the same run and files today, and tell whether there were any."""
    any_renamed = False
    for name, now in values.items():
        then = pages[name]["parameters"]
        pairs = {without_names(str(now[key])): str(then[key]) for key in now if key in then}
        renamed = {new: old for new, old in pairs.items() if new != old}
        any_renamed |= bool(renamed)
        for path in (folder / f"{name}.html", folder / "notebooks" / f"{name}.ipynb") if renamed else ():
            text = path.read_text()
            for new, old in renamed.items():
                text = text.replace(new, old)
            path.write_text(text)
    return any_renamed


def _write_first_page_and_deck(
    stored: Stored, catalogue: Mapping[str, Page], about: About, outcomes: Mapping[str, Outcome], folder: Path
) -> None:
    """Write first page and deck as the report would have them: with its time, and with its pages that were not complete."""
    listed = []
    for name, said in stored.pages.items():
        page, outcome = published.listed(name, said, catalogue)
        listed.append((page, replace(outcome, status=outcomes[name].status) if name in outcomes else outcome))
    edition = Edition(folder, about, datetime.fromisoformat(stored.made_at), tuple(listed), language(stored.language))
    write_deck(edition)
    write_index(edition, findings.read(folder), stored.notices, (stored.folder / pdf.FILE).is_file())
