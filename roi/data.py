"""The only place that opens parquet: a run as tables to query.

Beside the tables of `bench.store.schema` a run has two views. `measured` holds the requests intended within each cell's
measured window, with the cell's columns; `compared` leaves out of it the cells that the gate did not pass.
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
from roi.errors import UnknownName

DATA = Path(__file__).resolve().parent.parent / "data"
RUNS = Path(os.environ.get("BENCH_RUNS") or DATA / "runs")
"""Where `bench` puts its runs; BENCH_RUNS names another place."""
REFERENCE = "reference"
LATEST = "latest"

_MEASURED = """
    create view measured as
    select r.*, r.schedule_lag_ns + coalesce(r.service_time_ns, 0) as response_time_ns,
           c.variant, c.runtime, c.scenario, c.rate_per_s, c.repetition, c.traffic_model, c.gate_passed
    from requests r join cells c using (cell_id)
    where r.intended_ns >= c.measure_start_ns and r.intended_ns < c.measure_end_ns
"""
_COMPARED = "create view compared as select * from measured where gate_passed"


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
class Run:
    """A run, opened in a DuckDB of its own, in memory."""

    folder: Path
    manifest: Manifest
    _database: duckdb.DuckDBPyConnection = field(repr=False)

    @property
    def name(self) -> str:
        """The run's own name, wherever its folder is."""
        return self.manifest.run

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> pd.DataFrame:
        """Give the answer of a query over the run's tables; `$name` takes a parameter."""
        return _execute(self._database, self.name, sql, parameters or {}).df()

    def description(self) -> str:
        """Say in a line where and when the run was measured."""
        machine = self.manifest.machine
        return f"run {self.name}, {machine['cpu_model']}, {machine['processors']} processors, {self.manifest.started_at[:10]}"


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
    said = manifest.read(folder)
    database = duckdb.connect()
    for table in TABLES:
        path = str(folder / f"{table}.parquet").replace("'", "''")
        _execute(database, said.run, f"create view {table} as select * from read_parquet('{path}')", {})
    database.execute(_MEASURED)
    database.execute(_COMPARED)
    return Run(folder, said, database)


def _execute(
    database: duckdb.DuckDBPyConnection, run: str, sql: str, parameters: dict[str, Any]
) -> duckdb.DuckDBPyConnection:
    try:
        return database.execute(sql, parameters)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        damaged = next((f"The table {table}" for table in TABLES if f"{table}.parquet" in str(error)), "A table")
        raise RunUnreadable(f"{damaged} of the run {run} cannot be read. Restore it, or measure again.") from error
