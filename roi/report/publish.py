"""A report: notebooks are run, and a folder of pages, charts and findings takes its place by rename."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from roi import user_files
from roi.charts.spec import ChartSpec
from roi.charts.table import write_csv
from roi.errors import ChromiumMissing, ImagesFailed
from roi.language import fonts
from roi.language.languages import ENGLISH, Language
from roi.report import checksums, findings, kept, origin, parameters, place, privacy
from roi.report.catalog import Page
from roi.report.contents import About
from roi.report.edition import Edition, write_deck, write_index, write_pages, write_pdf
from roi.report.execute import Status
from roi.report.findings import Finding
from roi.report.gather import NOBODY, Gathered, Telling, gather
from roi.report.images import write_images
from roi.report.kept import Kept
from roi.report.origin import Origin
from roi.report.place import STATUS_FILE
from roi.report.plan import Plan
from roi.report.privacy import without_names
from roi.report.runner import Outcome


@dataclass(frozen=True)
class Options:
    """How a report is made."""

    images: bool = True
    """Whether charts are drawn as PNG and SVG and the report as PDF, which takes a browser and most of the time."""
    deadline_s: float = math.inf
    """Longest time that all of its notebooks may take together, in seconds; after it no image is drawn either."""
    language: Language = ENGLISH
    """What pages, images, deck and PDF are given in; executed notebooks, findings and rows of charts stay as they are."""
    kept: Kept | None = None
    """Where notebooks and images of earlier reports are taken from and left for later ones; None computes all."""


PLAIN = Options()


@dataclass(frozen=True)
class Report:
    """A report that was published."""

    folder: Path
    outcomes: tuple[Outcome, ...]
    charts: int
    findings: int
    notices: tuple[str, ...]
    """Sentences about what is missing from it."""
    seconds: Mapping[str, float]
    """Time of its parts, in seconds."""
    files: Mapping[str, str]
    """What became of images, PDF and deck: ok, skipped, timeout or failed."""

    @property
    def complete(self) -> bool:
        """Every page is ok, and images, PDF and deck are there or were not asked for."""
        ended_well = all(outcome.status is Status.OK for outcome in self.outcomes)
        return ended_well and all(word in ("ok", "skipped") for word in self.files.values())


def publish(
    pages: Sequence[Page],
    planned: Plan,
    about: About,
    target: Path,
    telling: Telling = NOBODY,
    run: Path | None = None,
    options: Options = PLAIN,
) -> Report:
    """Run a plan and put the report in its place; an earlier report stays whole until then.

    Parameters
    ----------
    pages, planned
        What is run, and with which parameters.
    about
        What the report says of its run.
    target
        The report's folder.
    telling
        Told as notebooks begin and end.
    run
        Folder of the run, whose digests the report keeps; None keeps none.
    options
        How it is made.

    Raises
    ------
    ReportNotPublished
        The target is there and is no report, or cannot be written.
    """
    place.check_target(target)
    # What has no translation is counted report by report.
    options = replace(options, language=options.language.anew())
    with place.workplace(target) as work:
        made = _make(pages, planned, about, work, telling, run, options)
    if options.kept:
        options.kept.tidy()
    return replace(made, folder=target)


def _make(
    pages: Sequence[Page], planned: Plan, about: About, work: Path, telling: Telling, run: Path | None, options: Options
) -> Report:
    """Make a report in a folder of its own."""
    began = time.monotonic()
    until = began + options.deadline_s
    named = _named_files(pages, planned)
    made_from = origin.here(run, named)
    gathered = _gather(pages, planned, about, work, telling, until, options.kept, made_from, named)
    ran = time.monotonic()
    listed, recorded = gathered.listed(pages), _recorded(gathered)
    findings.write(recorded, work, _executed_with(pages, planned, work))
    charts = {name: found.charts for name, found in gathered.collected.items()}
    notices, images = _write_charts(charts, work / "charts", options, ran >= until)
    drew = time.monotonic()
    edition = Edition(work, about, datetime.now(UTC), tuple(listed), options.language)
    write_pages(edition, charts)
    no_deck = write_deck(edition, charts)
    notices += [*no_deck, *_untranslated(options.language)]
    write_index(edition, recorded, notices, with_pdf=images == "ok")
    no_pdf, printed = write_pdf(edition) if images == "ok" else ([], "skipped")
    if no_pdf:
        notices += no_pdf
        write_index(edition, recorded, notices, with_pdf=False)
    seconds = {"notebooks": ran - began, "images": drew - ran, "whole": time.monotonic() - began}
    files = {"images": images, "pdf": printed, "deck": "failed" if no_deck else "ok"}
    _write_status(edition, planned, notices, files, seconds)
    origin.write(made_from, work)
    checksums.write(work)
    outcomes = tuple(replace(one, executed=None) for one in gathered.outcomes.values())
    drawn = sum(map(len, charts.values()))
    return Report(work, outcomes, drawn, len(recorded), tuple(notices), seconds, files)


def _untranslated(language: Language) -> list[str]:
    """Say how much of a report in another language stands in English."""
    number = len(language.untranslated)
    return [f"{number} texts of this report have no translation yet and stand in English."] if number else []


def _gather(
    pages: Sequence[Page], planned: Plan, about: About, work: Path, telling: Telling, until: float,
    there: Kept | None, made_from: Origin, named: Sequence[Path],
) -> Gathered:  # fmt: skip
    """Run the pages that read a run, and then those that read what the others found."""
    first = [page for page in pages if page.reads != "findings"]
    runs = kept.runs_named(named) if there else {}
    names = {
        page.name: kept.of_notebook(page, planned.parameters[page.name], made_from, runs)
        for page in first
        if there and page.name in planned.parameters
    }
    gathered = gather(first, planned, work, telling, until, there, names)
    last = [page for page in pages if page.reads == "findings"]
    if last:
        findings.write(_recorded(gathered), work, _executed_with(first, planned, work))
        _write_status(Edition(work, about, datetime.now(UTC), tuple(gathered.listed(first))), planned)
        here = {
            name: {**values, "report": values.get("report") or str(work)} for name, values in planned.parameters.items()
        }
        gathered = gathered.joined(gather(last, replace(planned, parameters=here), work, telling, until), pages)
    return gathered


def _recorded(gathered: Gathered) -> list[tuple[str, Finding]]:
    return [(name, finding) for name, found in gathered.collected.items() for finding in found.findings]


def _named_files(pages: Sequence[Page], planned: Plan) -> list[Path]:
    """Give the files that parameters name, such as inputs and claims of one's own, and those that they name in turn."""
    values = [value for page in pages for value in planned.parameters.get(page.name, {}).values()]
    own = {path for value in values if isinstance(value, str) and (path := user_files.find(value))}
    return sorted(own | {beside for path in own for beside in user_files.named_by(path)})


def _executed_with(pages: Sequence[Page], planned: Plan, work: Path) -> dict[str, dict[str, Any]]:
    """Give by page every parameter that it was executed with, those that nobody set among them."""
    with_defaults = {
        page.name: parameters.defaults(page.notebook) | dict(planned.parameters[page.name])
        for page in pages
        if page.name in planned.parameters
    }
    return json.loads(without_names(json.dumps(with_defaults), [work]))


def _write_charts(
    charts: Mapping[str, Mapping[str, ChartSpec]], folder: Path, options: Options, late: bool
) -> tuple[list[str], str]:
    """Write the rows of charts, and their images if those are wanted; gives notices and a word for the images."""
    folder.mkdir()
    named = {f"{page}-{id_}": spec for page, of_page in charts.items() for id_, spec in of_page.items()}
    for name, spec in named.items():
        write_csv(spec, folder / f"{name}.csv")
    if not options.images:
        return [], "skipped"
    if late:
        return ["No chart is there as an image: the report's deadline had passed before they were drawn."], "timeout"
    try:
        write_images({name: options.language.chart(spec) for name, spec in named.items()}, folder, options.kept)
    except ChromiumMissing as error:
        return [str(error)], "skipped"
    except ImagesFailed as error:
        return [without_names(str(error), [folder])], "failed"
    return list(filter(None, [fonts.notice(options.language)])), "ok"


def _write_status(
    edition: Edition, planned: Plan, notices: Sequence[str] = (), files: Mapping[str, str] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> None:  # fmt: skip
    said = {
        "run": edition.about.run,
        "about": asdict(edition.about),
        "language": edition.language.name,
        "names": privacy.names_are_shown(),
        "made_at": edition.made.isoformat(timespec="seconds"),
        "seconds": {name: round(value, 2) for name, value in (seconds or {}).items()},
        **(files or {}),
        "notices": list(notices),
        "notebooks": {
            page.name: {
                "notebook": page.notebook.name,
                "title": page.title,
                "status": outcome.status.value,
                "sentence": outcome.sentence,
                "seconds": outcome.seconds,
                "reused": outcome.reused,
                "parameters": dict(planned.parameters.get(page.name, {})),
            }
            for page, outcome in edition.listed
        },
    }
    text = json.dumps(said, indent=1, ensure_ascii=False)
    (edition.folder / STATUS_FILE).write_text(without_names(text, [edition.folder]) + "\n")
