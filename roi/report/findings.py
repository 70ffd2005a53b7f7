"""Findings: figures that a notebook answers for, each with unit, interval, n and where it came from."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from roi import claims
from roi.asked import ASKED
from roi.errors import FindingInvalid
from roi.report.origin import code_version

_WRITTEN = {"us": "µs"}
"""Units that a reader writes in another way than a file does."""
MIMETYPE = "application/vnd.roi.finding+json"
FILE = "findings.parquet"
_DIGITS = 8
"""Of a hash, shown on a page; the whole of it is in the file."""

SCHEMA = pa.schema(
    [
        pa.field("notebook", pa.string(), nullable=False, metadata={"meaning": "page of the report that recorded it"}),
        pa.field("id", pa.string(), nullable=False, metadata={"meaning": "name of the finding, unique in a report"}),
        pa.field("value", pa.float64(), metadata={"null": "not applicable or not known; note says which and why"}),
        pa.field("unit", pa.string(), nullable=False, metadata={"meaning": "unit of value, lo and hi"}),
        pa.field("lo", pa.float64(), metadata={"meaning": "lower end of the interval", "null": "no interval"}),
        pa.field("hi", pa.float64(), metadata={"meaning": "upper end of the interval", "null": "no interval"}),
        pa.field("n", pa.int64(), metadata={"meaning": "sample size", "null": "does not rest on a sample"}),
        pa.field("run", pa.string(), metadata={"meaning": "run that it came from", "null": "from no run"}),
        pa.field("query", pa.string(), metadata={"meaning": "query or function that gives it", "null": "not told"}),
        pa.field("claim", pa.string(), metadata={"meaning": "id of the claim it answers", "null": "answers none"}),
        pa.field("note", pa.string(), metadata={"meaning": "what a reader should know", "null": "nothing"}),
        pa.field("claim_says", pa.string(), metadata={"meaning": "the claim in words", "null": "no claim"}),
        pa.field("claim_value", pa.float64(), metadata={"meaning": "the claimed figure", "null": "no claim"}),
        pa.field("claim_unit", pa.string(), metadata={"meaning": "unit of claim_value", "null": "no claim"}),
        pa.field(
            "unlike",
            pa.string(),
            metadata={"meaning": "why finding and claim are not of one thing", "null": "they are"},
        ),
        pa.field(
            "query_hash",
            pa.string(),
            metadata={
                "meaning": "SHA-256 over all queries that the page had asked by then, with the digests of the tables",
                "null": "it had asked none",
            },
        ),
        pa.field(
            "code_version",
            pa.string(),
            metadata={"meaning": "digest of the sources that computed it, and their commit", "null": "not told"},
        ),
        pa.field(
            "parameters",
            pa.string(),
            metadata={"meaning": "parameters of the page as it was executed, as JSON", "null": "not told"},
        ),
    ]
)


@dataclass(frozen=True)
class Finding:
    """One figure.

    Raises
    ------
    FindingInvalid
        A value is missing without a note, not finite, or outside its interval.
    """

    id: str
    value: float | None
    """None is not applicable or not known; `note` says which and why."""
    unit: str
    lo: float | None = None
    hi: float | None = None
    n: int | None = None
    run: str | None = None
    query: str | None = None
    claim: str | None = None
    note: str | None = None
    claim_says: str | None = None
    claim_value: float | None = None
    claim_unit: str | None = None
    unlike: str | None = None
    """Why the claim stands beside it and is not tested by it: another fault, another load."""
    query_hash: str | None = None
    """SHA-256 over all queries that the page had asked by then, with the digests of the tables; None if none."""
    code_version: str | None = None
    """Digest of the sources that computed it, and their commit."""

    def __post_init__(self) -> None:
        if not self.id.strip() or not self.unit.strip():
            raise FindingInvalid(f"The finding {self.id!r} needs an id and a unit.")
        figures = (self.value, self.lo, self.hi)
        if any(figure is not None and not math.isfinite(figure) for figure in figures):
            raise FindingInvalid(f"The finding {self.id} is not finite: record None, with a note that says why.")
        if self.value is None and not self.note:
            raise FindingInvalid(f"The finding {self.id} has no value: say why in its note.")
        lo, hi = (-math.inf if self.lo is None else self.lo), (math.inf if self.hi is None else self.hi)
        if lo > hi or (self.value is not None and not lo <= self.value <= hi):
            raise FindingInvalid(
                f"The finding {self.id} is {self.value}, outside of its interval {self.lo} to {self.hi}."
            )
        if self.n is not None and self.n < 0:
            raise FindingInvalid(f"The finding {self.id} has a sample size of {self.n}.")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {
            MIMETYPE: asdict(self),
            "text/html": table([self]),
            "text/plain": f"{self.id}: {figure(self.value)} {unit(self.unit)}{_interval(self)}",
        }


def record(
    id: str,
    value: float | None,
    unit: str,
    lo: float | None = None,
    hi: float | None = None,
    n: int | None = None,
    run: str | None = None,
    query: str | None = None,
    claim: str | None = None,
    note: str | None = None,
    unlike: str | None = None,
) -> Finding:
    """Record a finding: shows it in the notebook, from where the report collects it.

    Parameters
    ----------
    id
        Unique in a report.
    value
        The figure, in `unit`; None when it is not applicable or not known, and `note` says which.
    unit
        Unit of `value`, `lo` and `hi`.
    lo, hi
        Ends of its interval.
    n
        Sample size.
    run
        Run that it came from.
    query
        Query or function that gives it again.
    claim
        Id of the article's claim that it answers.
    note
        What a reader should know.
    unlike
        Why the claim is not of the same thing, where it is not: it is then shown beside the finding and not tested by it.

    Raises
    ------
    FindingInvalid
        See `Finding`.
    UnknownName
        There is no such claim.
    """
    from IPython.display import display

    said = claims.claim(claim) if claim else None
    finding = Finding(
        id, _real(value), unit, _real(lo), _real(hi), None if n is None else int(n), run, query, claim, note,
        said and said.says, float(said.value) if said else None, said and said.unit, unlike,
        ASKED.digest(), code_version(),
    )  # fmt: skip
    display(finding)
    return finding


def _real(value: Any) -> float | None:
    """Give a number of any library as a float, which JSON can hold."""
    return None if value is None else float(value)


def figure(value: float | None) -> str:
    """Write a figure for a reader: four significant digits, thousands set apart; a dash for none."""
    if value is None:
        return "–"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = 3 - math.floor(math.log10(abs(value)))
    text = f"{round(value, digits):,.{max(digits, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit(name: str | None) -> str:
    """Write a unit for a reader; empty for none."""
    return _WRITTEN.get(name or "", name or "")


def _interval(finding: Finding) -> str:
    if finding.lo is None and finding.hi is None:
        return ""
    return f" [{figure(finding.lo)} to {figure(finding.hi)}]"


def verdict(finding: Finding) -> str:
    """Say how the claim stands to the finding; empty when they cannot be compared."""
    if finding.claim_value is None:
        return ""
    if finding.unlike:
        return "not comparable"
    if finding.value is None:
        return "not answered here"
    if finding.unit != finding.claim_unit:
        return "in another unit"
    if finding.n is None and finding.lo is None and finding.hi is None:  # exact arithmetic, not a sample
        return "the same" if math.isclose(finding.value, finding.claim_value, rel_tol=5e-3) else _times(finding)
    below = finding.lo is not None and finding.claim_value < finding.lo
    above = finding.hi is not None and finding.claim_value > finding.hi
    if below or above:
        return _times(finding)
    # A sample without both ends of an interval contradicts nothing that lies on its open side.
    return "cannot be told" if finding.lo is None or finding.hi is None else "within our interval"


def _times(finding: Finding) -> str:
    if finding.value <= 0 or finding.claim_value <= 0:
        return "claim is higher" if finding.claim_value > finding.value else "claim is lower"
    ratio = finding.claim_value / finding.value
    if 0.5 < ratio < 2:
        return f"claim is {abs(ratio - 1):.1%} {'higher' if ratio > 1 else 'lower'}"
    return f"claim is {figure(ratio)}× as high" if ratio > 1 else f"claim is {figure(1 / ratio)}× lower"


def anchor(id: str) -> str:
    """Give the id of a finding's row on its page, which links lead to."""
    return f"finding-{re.sub(r'[^A-Za-z0-9_.-]+', '-', id)}"


def table(
    findings: Sequence[Finding],
    sources: Callable[[str | None], str | None] | None = None,
    anchored: Collection[str] = (),
) -> str:
    """Give findings as an HTML table for a page or a notebook.

    Parameters
    ----------
    findings
        One a row.
    sources
        Gives the place on the page of a query's text, None for a query that stands in its row; with it the table has two more
        columns: what gives the figure, and the hash of what had been asked by then.
    anchored
        Ids of the findings whose rows can be linked to.
    """
    columns = {"Finding": "", "Value": "number", "Unit": "", "Interval": "", "n": "number", "Claimed": "number"}
    columns |= {"Source": "source", "query_hash": "source"} if sources else {}
    head = "".join(f"<th scope='col'{_class(kind)}>{name}</th>" for name, kind in columns.items())
    rows = "".join(
        f"<tr{_anchor(f) if f.id in anchored else ''}>"
        f"<td><code>{html.escape(f.id)}</code>{f'<br><small>{html.escape(f.note)}</small>' if f.note else ''}</td>"
        f"<td class='number'><b>{figure(f.value)}</b></td><td>{html.escape(unit(f.unit))}</td>"
        f"<td>{_interval(f).strip(' []') or '–'}</td>"
        f"<td class='number'>{'–' if f.n is None else f'{f.n:,}'}</td>"
        f"<td class='number'>{figure(f.claim_value) if f.claim_value is not None else '–'}</td>"
        f"{_source(f, sources(f.query)) if sources else ''}</tr>"
        for f in findings
    )
    return f"<table class='findings'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _class(kind: str) -> str:
    return f" class='{kind}'" if kind else ""


def _anchor(finding: Finding) -> str:
    return f" id='{html.escape(anchor(finding.id))}'"


def _source(finding: Finding, place: str | None) -> str:
    """Give the cells that say what gives a finding: query, run, and the beginning of the hash."""
    query = (
        f"<a href='#{place}'>{place.replace('-', ' ')}</a>" if place
        else f"<code>{html.escape(finding.query)}</code>" if finding.query
        else "–"
    )  # fmt: skip
    run = f"<br><small>run {html.escape(finding.run)}</small>" if finding.run else ""
    digest = f"<code>{finding.query_hash[:_DIGITS]}</code>" if finding.query_hash else "–"
    return f"<td class='source'>{query}{run}</td><td class='source'>{digest}</td>"


def write(
    findings: Sequence[tuple[str, Finding]], folder: Path, parameters: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Write findings, each with the page that recorded it, as `findings.parquet`.

    Parameters
    ----------
    findings
        Pairs of page and finding.
    folder
        Where the file goes.
    parameters
        By page those that it was executed with.
    """
    executed = {page: json.dumps(dict(values), sort_keys=True) for page, values in (parameters or {}).items()}
    rows = [{"notebook": page, "parameters": executed.get(page)} | asdict(finding) for page, finding in findings]
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), folder / FILE)


def read(folder: Path) -> list[tuple[str, Finding]]:
    """Give the findings of a report, each with the page that recorded it."""
    named = {field.name for field in fields(Finding)}
    rows = pq.read_table(folder / FILE).to_pylist()
    return [(row["notebook"], Finding(**{name: row[name] for name in row if name in named})) for row in rows]
