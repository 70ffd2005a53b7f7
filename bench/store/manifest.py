"""The manifest of a run: how its tables came about. It is written last, and a folder without one is not a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.errors import RunUnreadable
from bench.store.schema import SCHEMA_VERSION, TABLES
from bench.store.writer import sha256

FILE = "manifest.json"


@dataclass(frozen=True)
class TableFile:
    """One parquet file of a run."""

    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Everything about a run that is not in its tables."""

    schema_version: int
    run: str
    suite: str
    purpose: str
    """indicative, decision or publication."""
    suite_text: str
    """The suite file as it was."""
    seed: int
    order: tuple[str, ...]
    """Ids of the cells that were measured, in the order in which they ran."""
    started_at: str
    """Wall clock, ISO 8601, UTC."""
    finished_at: str
    interruptions: int
    """How often the campaign was taken up again."""
    machine: Mapping[str, Any]
    toolchains: Mapping[str, str]
    variants: Mapping[str, Mapping[str, Any]]
    """For every variant: its flags and environment, and what the running process said of itself."""
    left_out: Mapping[str, str]
    """Variants of the suite that could not run here, and why."""
    contract: Mapping[str, Mapping[str, int]]
    """For every gateway: cases replayed and failed before the campaign."""
    code_version: str
    synthetic: bool
    tables: Mapping[str, TableFile]
    not_needed: Mapping[str, str] = field(default_factory=dict)
    """By id the planned cells that were not measured, because enough was known before."""
    excerpt: str | None = None
    """What was left behind when the run was made smaller; null for a whole one."""
    generator_workers: int = 1
    """Processes of the load generator."""
    workers_at: str | None = None
    """Where workers on other machines found their master; null when they ran here."""
    gate: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By the name of every criterion of the gate: what it `asks`, `of` which loops, its `limit` (null where there is
    nothing to set) and `why`."""
    certificates: Mapping[str, Any] = field(default_factory=dict)
    """For every instrument what `bench prove` found on this machine; null when it was not proven here."""
    calibration: Mapping[str, Any] | None = None
    """What `bench calibrate` found on this machine on the day of the run."""

    def write(self, folder: Path) -> None:
        """Write it into a run's folder."""
        (folder / FILE).write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")


def describe(folder: Path, rows: Mapping[str, int]) -> dict[str, TableFile]:
    """Give sizes and digests of the tables in a folder."""
    found = {}
    for name, count in rows.items():
        path = folder / f"{name}.parquet"
        found[name] = TableFile(count, path.stat().st_size, sha256(path))
    return found


def rewrite(folder: Path, said: Manifest, **changes: Any) -> None:
    """Write the manifest of a run whose tables have changed, with other fields changed as well."""
    rows = {name: pq.read_metadata(folder / f"{name}.parquet").num_rows for name in said.tables}
    replace(said, tables=describe(folder, rows), **changes).write(folder)


def read(folder: Path) -> Manifest:
    """Give the manifest of a run.

    Raises
    ------
    RunUnreadable
        There is none, it is of another schema version, or a table of the run is missing or truncated.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunUnreadable(
            f"{folder.name} is not a run: it has no {FILE}. An unfinished one goes on with: bench run --resume"
        )
    try:
        said = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise RunUnreadable(f"{FILE} of {folder.name} is not JSON: {error}") from error
    if said.get("schema_version") != SCHEMA_VERSION:
        raise RunUnreadable(
            f"{folder.name} has schema version {said.get('schema_version')}, this is version {SCHEMA_VERSION}."
            " Measure again, or read it with the release that wrote it."
        )
    said["tables"] = {name: TableFile(**file) for name, file in said["tables"].items()}
    for name, file in said["tables"].items():
        table = folder / f"{name}.parquet"
        if name not in TABLES or not table.is_file() or table.stat().st_size != file.size_bytes:
            raise RunUnreadable(f"{table.name} of {folder.name} is missing or truncated. Restore it, or measure again.")
    return Manifest(**said | {"order": tuple(said["order"])})
