"""A report: notebooks are run, and a folder of pages, charts and findings takes its place by rename."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from roi import user_files
from roi.charts.image import write_images
from roi.charts.spec import ChartSpec
from roi.charts.table import write_csv
from roi.errors import BadParameters, ChromiumMissing, ImagesFailed, ReportNotPublished, RoiError, UnknownName
from roi.report import checksums, findings, origin, parameters, runner
from roi.report.catalog import Page
from roi.report.collect import Collected, collect
from roi.report.contents import About, contents
from roi.report.deck import make as deck
from roi.report.execute import Job, Status
from roi.report.findings import Finding
from roi.report.pages import page as html_page
from roi.report.privacy import without_names
from roi.report.runner import Outcome

ASSETS = Path(__file__).parent / "assets"
STATUS_FILE = "status.json"


@dataclass(frozen=True)
class Plan:
    """What is to be run: pages with their checked parameters, and pages that cannot be run."""

    parameters: Mapping[str, Mapping[str, Any]]
    """By page; a page that cannot be run has none here."""
    refused: Mapping[str, Outcome]


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
    images_ok: bool = True
    """False when Chromium was there and could not draw an image."""
    deck_ok: bool = True
    """False when no deck could be made."""

    @property
    def complete(self) -> bool:
        """Every page is ok, no image failed, and there is a deck."""
        return self.images_ok and self.deck_ok and all(outcome.status is Status.OK for outcome in self.outcomes)


def plan(pages: Sequence[Page], run: str, given: Mapping[str, str], tables: Sequence[str] | None = None) -> Plan:
    """Check every parameter before any kernel starts.

    Parameters
    ----------
    pages
        The pages.
    run
        Value of the parameter `run`, which every notebook has.
    given
        Texts from the command line; each goes to the pages that declare the parameter.
    tables
        Tables that the run holds rows of; None when that is not known.

    Raises
    ------
    UnknownName
        No page declares a parameter that the command line gives.
    BadParameters
        A value from the command line does not fit.

    Notes
    -----
    A fault of the catalogue or of a notebook refuses that page alone.
    """
    checked, refused, known = {}, {}, set()
    for page in pages:
        try:
            declared = parameters.declared(page.notebook)
            if "run" not in declared:
                raise BadParameters(f'{page.notebook.name} declares no parameter run: give it `run = "reference"`.')
            values = parameters.check(declared, {"run": run, **page.parameters}, page.notebook.name)
        except (BadParameters, UnknownName) as error:
            refused[page.name] = Outcome(page.name, Status.BAD_PARAMETERS, str(error))
            continue
        known |= set(declared)
        values |= {name: declared[name].parse(text) for name, text in given.items() if name in declared}
        if lacking := [] if tables is None else sorted(set(page.needs) - set(tables)):
            refused[page.name] = Outcome(page.name, Status.SKIPPED, f"The run holds no {' and no '.join(lacking)}.")
        else:
            checked[page.name] = values
    if "run" in given:
        raise BadParameters("The parameter run is the command's own argument: roi report RUN")
    for name in given:
        if name not in known and known:
            raise UnknownName("parameter of these notebooks", name, known)
    return Plan(checked, refused)


def publish(
    pages: Sequence[Page],
    planned: Plan,
    about: About,
    target: Path,
    started: Callable[[str], None] = lambda name: None,
    ended: Callable[[Outcome], None] = lambda outcome: None,
    run: Path | None = None,
    images: bool = True,
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
    started, ended
        Told as notebooks begin and end.
    run
        Folder of the run, whose digests the report keeps; None keeps none.
    images
        Whether charts are drawn as PNG and SVG, which takes a browser and most of the time.

    Raises
    ------
    ReportNotPublished
        The target is there and is no report, or cannot be written.
    """
    if target.exists() and not (target / STATUS_FILE).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise ReportNotPublished(
            f"{target.name} is there and is no report: choose another folder with --out, or remove it."
        )
    began = datetime.now(UTC)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise ReportNotPublished(f"No report can be written to {target.parent}: {error.strerror}.") from error
    try:
        made_from = origin.here(run, _named_files(pages, planned))
        outcomes, collected = _run(pages, planned, work, started, ended)
        ran = datetime.now(UTC)
        charts = {f"{name}-{spec.id}": spec for name, found in collected.items() for spec in found.charts.values()}
        notices, images_ok = _write_charts(charts, work / "charts", images)
        drew = datetime.now(UTC)
        recorded = [(name, finding) for name, found in collected.items() for finding in found.findings]
        findings.write(recorded, work, _executed_with(pages, planned, work))
        listed = [(page, outcomes[page.name]) for page in pages]
        _write_pages(listed, collected, about, work)
        made = datetime.now(UTC)
        images_word = "failed" if not images_ok else "skipped" if notices else "ok"
        lacking = write_deck(listed, about, made, work, {name: found.charts for name, found in collected.items()})
        notices = [*notices, *lacking]
        write_index(listed, recorded, about, notices, made, work)
        seconds = {"notebooks": (ran - began).total_seconds(), "images": (drew - ran).total_seconds(),
                   "whole": (datetime.now(UTC) - began).total_seconds()}  # fmt: skip
        _write_status(listed, planned, about, notices, images_word, seconds, made, work)
        origin.write(made_from, work)
        checksums.write(work)
        work.chmod(0o755)
        _replace(target, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    results = tuple(replace(one, executed=None) for one in outcomes.values())
    return Report(target, results, len(charts), len(recorded), tuple(notices), seconds, images_ok, not lacking)


def _run(
    pages: Sequence[Page], planned: Plan, work: Path, started: Callable[[str], None], ended: Callable[[Outcome], None]
) -> tuple[dict[str, Outcome], dict[str, Collected]]:
    """Run the notebooks; gives outcomes of all pages in order, and what the pages that are ok hold."""
    (work / "notebooks").mkdir()
    outcomes = dict(planned.refused)
    for outcome in outcomes.values():
        ended(outcome)
    jobs = [
        Job(
            page.name,
            page.notebook,
            work / "notebooks" / f"{page.name}.ipynb",
            planned.parameters[page.name],
            page.deadline_s,
        )
        for page in pages
        if page.name in planned.parameters
    ]
    outcomes |= {outcome.name: outcome for outcome in runner.run(jobs, started, ended)}
    collected = {}
    for name, outcome in outcomes.items():
        if outcome.executed:
            outcome.executed.write_text(without_names(outcome.executed.read_text(), [work]))
        if outcome.status is Status.OK:
            try:
                collected[name] = collect(outcome.executed)
            except RoiError as error:
                outcomes[name] = replace(outcome, status=Status.CELL_ERROR, sentence=str(error))
    return (
        {page.name: _nameless(outcomes[page.name], work) for page in pages},
        {page.name: collected[page.name] for page in pages if page.name in collected},
    )


def _nameless(outcome: Outcome, work: Path) -> Outcome:
    return replace(outcome, sentence=without_names(outcome.sentence, [work]), seconds=round(outcome.seconds, 2))


def _named_files(pages: Sequence[Page], planned: Plan) -> list[Path]:
    """Give the files that parameters name, such as inputs and claims of one's own."""
    values = {value for page in pages for value in planned.parameters.get(page.name, {}).values()}
    return sorted({path for value in values if isinstance(value, str) and (path := user_files.find(value))})


def _executed_with(pages: Sequence[Page], planned: Plan, work: Path) -> dict[str, dict[str, Any]]:
    """Give by page every parameter that it was executed with, those that nobody set among them."""
    with_defaults = {
        page.name: parameters.defaults(page.notebook) | dict(planned.parameters[page.name])
        for page in pages
        if page.name in planned.parameters
    }
    return json.loads(without_names(json.dumps(with_defaults), [work]))


def _write_charts(charts: Mapping[str, ChartSpec], folder: Path, images: bool) -> tuple[list[str], bool]:
    folder.mkdir()
    for name, spec in charts.items():
        write_csv(spec, folder / f"{name}.csv")
    if not images:
        return [], True
    try:
        write_images(charts, folder)
    except ChromiumMissing as error:
        return [str(error)], True
    except ImagesFailed as error:
        return [without_names(str(error), [folder])], False
    return [], True


def _write_pages(
    listed: Sequence[tuple[Page, Outcome]], collected: Mapping[str, Collected], about: About, work: Path
) -> None:
    for page, outcome in listed:
        charts = collected[page.name].charts if page.name in collected else ()
        files = {id_: f"charts/{page.name}-{id_}" for id_ in charts}
        (work / f"{page.name}.html").write_text(
            without_names(html_page(page.title, outcome, files, about.line()), [work])
        )
    (work / "plotly.min.js").write_text(get_plotlyjs())
    for asset in ASSETS.iterdir():
        shutil.copyfile(asset, work / asset.name)


def write_deck(
    listed: Sequence[tuple[Page, Outcome]], about: About, made: datetime, work: Path,
    charts: Mapping[str, Mapping[str, ChartSpec]] | None = None,
) -> list[str]:  # fmt: skip
    """Write the deck of what lies in a folder, and give sentences about why there is none; `made` is when the report was."""
    try:
        content = deck.deck(deck.of_folder(work, about, made, listed, charts))
    except RoiError as error:
        return [f"There is no deck: {error}"]
    (work / deck.FILE).write_bytes(content)
    return []


def write_index(
    listed: Sequence[tuple[Page, Outcome]], recorded: Sequence[tuple[str, Finding]], about: About,
    notices: Sequence[str], made: datetime, work: Path,
) -> None:  # fmt: skip
    """Write the first page; `made` is when the report was."""
    told = contents(about, listed, recorded, made.strftime("%Y-%m-%d %H:%M UTC"), notices)
    (work / "index.html").write_text(without_names(told, [work]))


def _write_status(
    listed: Sequence[tuple[Page, Outcome]], planned: Plan, about: About, notices: Sequence[str], images: str,
    seconds: Mapping[str, float], made: datetime, work: Path,
) -> None:  # fmt: skip
    said = {
        "run": about.run,
        "about": asdict(about),
        "made_at": made.isoformat(timespec="seconds"),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "images": images,
        "notices": list(notices),
        "notebooks": {
            page.name: {
                "notebook": page.notebook.name,
                "title": page.title,
                "status": outcome.status.value,
                "sentence": outcome.sentence,
                "seconds": outcome.seconds,
                "parameters": dict(planned.parameters.get(page.name, {})),
            }
            for page, outcome in listed
        },
    }
    (work / STATUS_FILE).write_text(without_names(json.dumps(said, indent=1, ensure_ascii=False), [work]) + "\n")


def _replace(target: Path, work: Path) -> None:
    """Put the new folder in the old one's place; the old one comes back if that fails."""
    old = target.with_name(f".{target.name}.old-{os.getpid()}")
    try:
        if target.exists():
            target.rename(old)
        try:
            work.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise ReportNotPublished(f"{target.name} could not be put in its place: {error.strerror}.") from error
    shutil.rmtree(old, ignore_errors=True)
