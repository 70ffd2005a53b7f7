"""A whole report read again: its pages, its findings, and the stated figures beside them. No run is opened."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.store import manifest
from roi import data, user_files
from roi.errors import ReportUnreadable, UnknownName
from roi.report import catalog, findings
from roi.report.contents import About, row
from roi.report.execute import Status
from roi.report.findings import Finding, verdict
from roi.report.place import STATUS_FILE

REPORTS = data.DATA.parent / "reports"
"""Where the project publishes reports."""
_NO_RATIO = ("not comparable", "not answered here", "in another unit")


@dataclass(frozen=True)
class Made:
    """A page that a report can have."""

    name: str
    title: str
    complete: bool
    """Whether its findings are among those of the report; why not is on the first page."""


@dataclass(frozen=True)
class Comparison:
    """A stated figure beside ours."""

    finding: Finding
    verdict: str
    """See `roi.report.findings.verdict`."""
    kind: str
    """within, apart or open, as on the first page."""
    ratio: float | None
    """Claimed over found, 1 is as claimed; None where the two are not of one thing, or have no ratio."""
    lo: float | None
    """Lower end of the ratio's interval, from the upper end of the finding's; None where that is open."""
    hi: float | None

    @property
    def why(self) -> str:
        """Say why there is no ratio."""
        found = self.finding
        if self.verdict == "in another unit":
            return f"found in {found.unit}, and claimed in {found.claim_unit}"
        if self.verdict in _NO_RATIO:
            return found.unlike or found.note or ""
        return "a figure of 0 or less has no ratio"


@dataclass(frozen=True)
class Summary:
    """What a report holds."""

    about: About
    pages: tuple[Made, ...]
    """Those of the report and those that a whole one has beside them, in the catalogue's order; none that reads findings itself."""
    findings: tuple[Finding, ...]

    def of(self, name: str) -> Finding | None:
        """Give the finding of an id that has a value; None where there is none."""
        return self._by_id.get(name)

    def matching(self, ids: str) -> list[tuple[re.Match[str], Finding]]:
        """Give the findings with a value whose whole id matches a pattern, in the report's order."""
        found = [(re.fullmatch(ids, one.id), one) for one in self._by_id.values()]
        return [(match, one) for match, one in found if match]

    @cached_property
    def _by_id(self) -> dict[str, Finding]:
        return {one.id: one for one in self.findings if one.value is not None}

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every stated figure that a finding answers, in the report's order."""
        return tuple(_comparison(found) for found in self.findings if found.claim_value is not None)

    @property
    def tested(self) -> list[Comparison]:
        """The comparisons that say something of the claim."""
        return [one for one in self.comparisons if one.kind != "open"]

    @property
    def contradicted(self) -> list[Comparison]:
        """The comparisons that speak against the claim."""
        return [one for one in self.comparisons if one.kind == "apart"]

    @property
    def option(self) -> str | None:
        """The option that leads the business case, doing nothing left out; None where the report has none."""
        return next((match[1] for match, _ in self.matching(r"(.+)_loses_to_nothing")), None)


def read(report: str, run: str) -> Summary:
    """Read a report.

    Parameters
    ----------
    report
        Its folder; empty takes the newest report of the run in the project's `reports`.
    run
        A run's name, latest or reference.

    Raises
    ------
    ReportUnreadable
        There is no such report, or it is not whole.
    """
    folder = _find(report) if report else _newest(run)
    try:
        said = json.loads((folder / STATUS_FILE).read_text())
        about = About.told(said)
        pages, recorded = said["notebooks"], findings.read(folder)
        titles = {name: page["title"] for name, page in pages.items()}
        complete = {name for name, page in pages.items() if page["status"] == Status.OK}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReportUnreadable(
            f"The report cannot be summed up: it needs {STATUS_FILE} and {findings.FILE}, whole"
            f" ({type(error).__name__}: {error}). Make it again with: roi report {run}"
        ) from error
    catalogue = catalog.read()
    reading = {name for name, page in catalogue.items() if page.reads == "findings"}
    whole = {name: page.title for name, page in catalogue.items() if name in titles or not page.on_request}
    return Summary(
        about,
        tuple(Made(name, title, name in complete) for name, title in (whole | titles).items() if name not in reading),
        tuple(found for page, found in recorded if page not in reading),
    )


def _find(report: str) -> Path:
    status = user_files.find(str(Path(report) / STATUS_FILE))
    if status is None:
        raise ReportUnreadable(
            f"{Path(report).name} is no report: it has no {STATUS_FILE}. Give the folder that roi report wrote."
        )
    return status.parent


def _newest(run: str) -> Path:
    try:
        own = manifest.read(data.find_run(run)).run
    except UnknownName:
        own = run  # A report may outlive its run.
    made = {}
    for status in sorted(REPORTS.glob(f"[!.]*/{STATUS_FILE}")):
        try:
            said = json.loads(status.read_text())
            if said["run"] == own:
                made[status.parent] = said["made_at"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # What is no report any more is not the newest one.
    if not made:
        raise ReportUnreadable(f"The run {own} has no report in {REPORTS.name}. Make it first: roi report {run}")
    return max(made, key=lambda folder: made[folder])


def _comparison(found: Finding) -> Comparison:
    said, claimed = verdict(found), found.claim_value
    ratio = lo = hi = None
    if said not in _NO_RATIO and found.value > 0 and claimed > 0:
        ratio = claimed / found.value
        lo = claimed / found.hi if found.hi is not None else None
        hi = claimed / found.lo if found.lo is not None and found.lo > 0 else None
    return Comparison(found, said, row("", found)["kind"], ratio, lo, hi)
