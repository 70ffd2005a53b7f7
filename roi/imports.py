"""From what a firm's systems have written down to quantities of an inputs file: fixes, releases and changes of configuration.

Each table gives how often something happened in the period, and what it took or how it went. A row that is wrong, or out of the
period, is named by its line and nothing is imported: a case that is left out in silence is how a record comes to flatter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from roi import recorded
from roi.errors import InputsInvalid
from roi.quantities import CATALOGUE, named
from roi.recorded import Reading, Row

_YEAR_S = 365.25 * 86_400
_LEAST_DAYS = 28
_ROLLBACKS = ("succeeded", "failed")


@dataclass(frozen=True)
class Period:
    """The time that tables cover."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if (self.until - self.since).days < _LEAST_DAYS:
            raise InputsInvalid(
                f"{self} are fewer than {_LEAST_DAYS} days, which tell nothing of a year. Say --since and --until of what the"
                " tables cover, or export more."
            )

    @property
    def years(self) -> float:
        """How long it is, in years of 365.25 days."""
        return (self.until - self.since).total_seconds() / _YEAR_S

    def __str__(self) -> str:
        return f"{self.since.date()} to {self.until.date()}"


@dataclass(frozen=True)
class Imported:
    """A quantity of the service, or of an option that restates it, as recorded."""

    name: str
    form: str
    """What it is, as TOML."""
    n: int
    """Cases that it rests on."""
    note: str


@dataclass(frozen=True)
class Table:
    """A table that was read, with what it gives."""

    file: str
    period: Period
    quantities: tuple[Imported, ...]


def fixes(path: Path, period: Period | None = None) -> Table:
    """Give how often a defect is fixed, and the work that it takes.

    Columns: opened and closed (ISO 8601; closed is empty while it is open), open (yes or no), hours (person-hours, so far if it
    is open).

    Raises
    ------
    InputsInvalid
        The table cannot be read, or a row is wrong; the message names every one by its line.
    """
    reading = recorded.read(path, ["opened", "closed", "open", "hours"])
    opened = [reading.parsed(row, "opened", instant) for row in reading.rows]
    still_open = [reading.parsed(row, "open", recorded.yes_or_no) for row in reading.rows]
    for row, begun, goes_on in zip(reading.rows, opened, still_open, strict=True):
        reading.parsed(row, "hours", recorded.amount)
        _closing(reading, row, begun, goes_on)
    covered = _covered(reading, opened, period)
    n, going_on = len(opened), sum(map(bool, still_open))
    told = f"{going_on} of {n} still open: they count as taking at least so long" if going_on else "none is open"
    form = f'recorded = {{file = {_text(path.name)}, column = "hours", open = "open"}}'
    return Table(path.name, covered, (_rate("fixes_per_year", n, covered), Imported("fix_hours", form, n, told)))


def releases(path: Path, period: Period | None = None) -> Table:
    """Give how often a release goes out, the share that is rolled back, and the share of rollbacks that succeed.

    Columns: released (ISO 8601), failed (yes or no), rollback (succeeded, failed, or empty where there was none).

    Raises
    ------
    InputsInvalid
        The table cannot be read, or a row is wrong; the message names every one by its line.
    """
    reading = recorded.read(path, ["released", "failed", "rollback"])
    released = [reading.parsed(row, "released", instant) for row in reading.rows]
    failed = [reading.parsed(row, "failed", recorded.yes_or_no) for row in reading.rows]
    rollbacks = [reading.parsed(row, "rollback", _rollback) for row in reading.rows]
    for row, fails, rollback in zip(reading.rows, failed, rollbacks, strict=True):
        if rollback and fails is False:
            reading.bad(
                row.line, f"rollback is {rollback}, and failed says no; a release that was rolled back has failed"
            )
    covered = _covered(reading, released, period)
    n, back, well = len(released), sum(map(bool, rollbacks)), rollbacks.count("succeeded")
    forward = sum(map(bool, failed)) - back
    mended = f"; {forward} more failed and were mended forward, which is not in it" if forward else ""
    rates = [
        _rate("releases_per_year", n, covered),
        Imported("change_failure_rate", _proportion(back, n), n, f"{back} of {n} releases were rolled back{mended}"),
    ]
    if back:
        rates.append(
            Imported("rollback_success", _proportion(well, back), back, f"{well} of {back} rollbacks succeeded")
        )
    return Table(path.name, covered, tuple(rates))


def config_changes(path: Path, period: Period | None = None) -> Table:
    """Give how often a configuration is changed, and the work that it takes.

    Columns: changed (ISO 8601), minutes (person-minutes).

    Raises
    ------
    InputsInvalid
        The table cannot be read, or a row is wrong; the message names every one by its line.
    """
    reading = recorded.read(path, ["changed", "minutes"])
    changed = [reading.parsed(row, "changed", instant) for row in reading.rows]
    for row in reading.rows:
        reading.parsed(row, "minutes", recorded.amount)
    covered = _covered(reading, changed, period)
    form = f'recorded = {{file = {_text(path.name)}, column = "minutes"}}'
    return Table(
        path.name, covered,
        (_rate("config_changes_per_year", len(changed), covered), Imported("config_minutes", form, len(changed), "")),
    )  # fmt: skip


def snippet(table: Table, option: str = "") -> str:
    """Give the quantities of a table as TOML for an inputs file; of an option those alone that an option may restate."""
    head = f"options.{option}.quantities" if option else "quantities"
    parts = []
    for quantity in table.quantities:
        kind = CATALOGUE[quantity.name]
        if option and not kind.of_option:
            parts.append(f"# {quantity.name} is the same for all options: it stands under [quantities] alone.\n")
            continue
        note = f"note = {_text(quantity.note)}\n" if quantity.note else ""
        parts.append(
            f'[{head}.{quantity.name}]\nunit = {_text(named(kind, ""))}\nprovenance = "recorded"\n{quantity.form}\n'
            f"n = {quantity.n}\nsource = {_text(f'{table.file}, {table.period}')}\ndate = {table.period.until.date()}\n{note}"
        )
    return "\n".join(parts)


def instant(text: str) -> datetime:
    """Give an instant in ISO 8601, with its distance from UTC or else in UTC; a day is its midnight."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("write it as 2026-01-31T14:05:00+01:00, or the day alone") from None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _rollback(text: str) -> str:
    if text not in ("", *_ROLLBACKS):
        raise ValueError(f"write {' or '.join(_ROLLBACKS)}, or leave it empty where there was none")
    return text


def _closing(reading: Reading, row: Row, opened: datetime | None, still_open: bool | None) -> None:
    """Note a row whose closing does not go with its opening."""
    closed = reading.parsed(row, "closed", instant) if row.cells["closed"] else None
    if closed and opened and closed < opened:
        reading.bad(row.line, f"closed is {row.cells['closed']}, before it was opened")
    if still_open is not None and still_open == bool(row.cells["closed"]):
        says = "yes, and it has been closed" if still_open else "no, and closed is empty"
        reading.bad(row.line, f"open says {says}")


def _covered(reading: Reading, instants: list[datetime | None], period: Period | None) -> Period:
    """Give the period of a table, and refuse it where a row is wrong or out of the period."""
    if period is not None:
        for row, at in zip(reading.rows, instants, strict=True):
            if at is not None and not period.since <= at <= period.until:
                reading.bad(row.line, f"{at.isoformat()} is out of {period}. Export that period, or say another")
    reading.refuse()
    return period or Period(min(instants), max(instants))


def _rate(name: str, n: int, period: Period) -> Imported:
    return Imported(name, f"events = {n}\nyears = {period.years:.4f}", n, "")


def _proportion(successes: int, trials: int) -> str:
    return f"successes = {successes}\ntrials = {trials}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
