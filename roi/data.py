"""The only place that opens parquet: a run as tables to query.

Beside the tables of `bench.store.schema` a run has two views. `measured` holds the requests intended within the measured
window of each cell that is about a load, with the cell's columns; `compared` leaves out of it the cells that the gate did not pass.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from bench.errors import RunUnreadable
from bench.store import manifest
from bench.store.manifest import Manifest
from bench.store.schema import TABLES
from roi.asked import ASKED
from roi.errors import UnknownName

DATA = Path(__file__).resolve().parent.parent / "data"
RUNS = Path(os.environ.get("BENCH_RUNS") or DATA / "runs")
"""Where `bench` puts its runs; BENCH_RUNS names another place."""
REFERENCE = "reference"
LATEST = "latest"

LOAD_CELLS = "scenario not in ('recovery', 'rolling_restart')"
"""Condition of cells that are about a load; the others have one beside what they are about."""
_MEASURED = f"""
    create view measured as
    select r.*, r.schedule_lag_ns + coalesce(r.service_time_ns, 0) as response_time_ns,
           c.variant, c.runtime, c.scenario, c.rate_per_s, c.repetition, c.traffic_model, c.gate_passed
    from requests r join cells c using (cell_id)
    where r.intended_ns >= c.measure_start_ns and r.intended_ns < c.measure_end_ns and c.{LOAD_CELLS}
"""
_COMPARED = "create view compared as select * from measured where gate_passed"
_MIB = 1 << 20

_RUNGS = """
    select rate_per_s, count(distinct variant) filter (failure is null) as variants
    from cells where scenario = $scenario and rate_per_s is not null group by rate_per_s order by rate_per_s
"""
_CONDITIONS = f"""
    select distinct memory_budget_bytes // {_MIB} as budget, live_set_bytes // {_MIB} as live_set
    from cells where {LOAD_CELLS} order by budget, live_set
"""


@dataclass(frozen=True, order=True)
class Condition:
    """What a gateway was given to live in: cells of two conditions are never pooled."""

    memory_budget_mib: int
    """Memory that its flags allow it."""
    live_set_mib: int
    """Nominal size of what it retains."""

    def __str__(self) -> str:
        return f"{self.memory_budget_mib} MiB of memory, live set {self.live_set_mib} MiB"


def names() -> list[str]:
    """Give the runs that can be opened, oldest first; the reference run is always among them when it is there."""
    runs = [path.parent for path in RUNS.glob(f"[!.]*/{manifest.FILE}")]
    found = [path.name for path in sorted(runs, key=lambda path: (path / manifest.FILE).stat().st_mtime)]
    return ([REFERENCE] if (DATA / REFERENCE / manifest.FILE).is_file() else []) + found


def find_run(name: str) -> Path:
    """Give the folder of a run: `reference`, `latest`, a run's name, or the path of a folder with a manifest.

    Raises
    ------
    UnknownName
        There is no such run; the message shows the near names.
    """
    if (Path(name) / manifest.FILE).is_file():
        return Path(name)
    known = names()
    chosen = known[-1] if name == LATEST and known else name
    if chosen not in known:
        raise UnknownName("run", name, [*known, LATEST])
    return DATA / REFERENCE if chosen == REFERENCE else RUNS / chosen


@dataclass(frozen=True)
class Rung:
    """One of the rates that a scenario was run at: cells of two rungs are never pooled."""

    scenario: str
    rate_per_s: float
    """Requests offered."""

    def __str__(self) -> str:
        return f"{self.scenario} at {self.rate_per_s:g}/s"


@dataclass(frozen=True)
class Run:
    """A run, opened in a DuckDB of its own, in memory."""

    folder: Path
    manifest: Manifest
    _database: duckdb.DuckDBPyConnection = field(repr=False)
    condition: Condition | None = None
    """The one that its cells are restricted to; None where they are all of the run's."""
    rung: Rung | None = None
    """The one that the cells of its scenario are restricted to; None where they are all of the run's."""

    @property
    def name(self) -> str:
        """The run's own name, wherever its folder is."""
        return self.manifest.run

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
        """Give the answer of a query over the run's tables; `$name` takes a parameter."""
        ASKED.note(self.manifest, f"{self.condition} {self.rung}", sql, parameters or {})
        return _execute(self._database, self.name, sql, parameters or {}).df()

    def conditions(self) -> list[Condition]:
        """Give the conditions that the cells ran under, least memory first."""
        return [Condition(row.budget, row.live_set) for row in self.query(_CONDITIONS).itertuples()]

    def under(self, memory_budget_mib: int = 0, live_set_mib: int = 0) -> Run:
        """Give the run with the cells of one condition alone.

        Parameters
        ----------
        memory_budget_mib
            0 takes the largest that the run has (with this live set, if one is asked for).
        live_set_mib
            0 takes the largest that the run has with this budget.

        Raises
        ------
        UnknownName
            The run has no such condition; the message shows those that it has.
        """
        known = self.conditions()
        asked = [
            condition
            for condition in known
            if memory_budget_mib in (0, condition.memory_budget_mib) and live_set_mib in (0, condition.live_set_mib)
        ]
        if known and not asked:
            sought = {
                f"{memory_budget_mib} MiB of memory": memory_budget_mib,
                f"live set {live_set_mib} MiB": live_set_mib,
            }
            named = ", ".join(words for words, asked_for in sought.items() if asked_for)
            raise UnknownName("condition", named, list(map(str, known)))
        return _opened(self.folder, self.manifest, max(asked), self.rung) if asked else self

    def at_rate(self, scenario: str, rate_per_s: float = 0.0) -> Run:
        """Give the run with the cells of one rung alone among those of a scenario; cells of other scenarios stay.

        Parameters
        ----------
        rate_per_s
            0 takes, of the rungs that most variants have, the highest.

        Raises
        ------
        UnknownName
            The scenario has rungs, and no such one; the message shows those that it has.
        """
        known = self.query(_RUNGS, {"scenario": scenario})
        if rate_per_s and len(known) and rate_per_s not in set(known["rate_per_s"]):
            raise UnknownName("rate", f"{rate_per_s:g}/s", [f"{rate:g}/s" for rate in known["rate_per_s"]])
        if len(known) < 2:
            return self
        rung = Rung(scenario, rate_per_s or highest_of_most(known.set_index("rate_per_s")["variants"]))
        return _opened(self.folder, self.manifest, self.condition, rung)

    def description(self) -> str:
        """Say in a line where and when the run was measured, and under which condition if it is restricted to one."""
        machine = self.manifest.machine
        only = "".join(f", {part}" for part in (self.condition, self.rung) if part)
        when = self.manifest.started_at[:10]
        return f"run {self.name}, {machine['cpu_model']}, {machine['processors']} processors, {when}{only}"


def open_run(name: str) -> Run:
    """Open a run.

    Raises
    ------
    UnknownName
        There is no such run.
    RunUnreadable
        Its manifest or a table is missing, truncated, or of another schema version.
    """
    folder = find_run(name)
    return _opened(folder, manifest.read(folder))


def highest_of_most(variants: pd.Series) -> float:
    """Give, of the rates that most variants have, the highest.

    Parameters
    ----------
    variants
        Their number, by rate; not empty.
    """
    return float(variants[variants == variants.max()].index.max())


def _opened(folder: Path, said: Manifest, condition: Condition | None = None, rung: Rung | None = None) -> Run:
    database = duckdb.connect()
    only = f" where {_of_condition(condition)} and {_of_rung(rung)}"
    for table in TABLES:
        path = str(folder / f"{table}.parquet").replace("'", "''")
        restricted = only if table == "cells" else ""
        _execute(database, said.run, f"create view {table} as select * from read_parquet('{path}'){restricted}", {})
    database.execute(_MEASURED)
    database.execute(_COMPARED)
    return Run(folder, said, database, condition, rung)


def _of_condition(condition: Condition | None) -> str:
    if condition is None:
        return "true"
    budget, live_set = condition.memory_budget_mib * _MIB, condition.live_set_mib * _MIB
    return f"memory_budget_bytes = {budget} and live_set_bytes = {live_set}"


def _of_rung(rung: Rung | None) -> str:
    if rung is None:
        return "true"
    scenario = rung.scenario.replace("'", "''")
    return f"(scenario <> '{scenario}' or rate_per_s = {rung.rate_per_s!r})"


def _execute(
    database: duckdb.DuckDBPyConnection, run: str, sql: str, parameters: dict[str, Any]
) -> duckdb.DuckDBPyConnection:
    try:
        return database.execute(sql, parameters)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        damaged = next((f"The table {table}" for table in TABLES if f"{table}.parquet" in str(error)), "A table")
        raise RunUnreadable(f"{damaged} of the run {run} cannot be read. Restore it, or measure again.") from error
