"""A run of which there is a manifest and nothing to read."""

from __future__ import annotations

from pathlib import Path

from bench.store.manifest import Manifest, describe
from bench.store.schema import SCHEMA_VERSION

TABLES = {"cells": b"three", "faults": b""}


def manifest_of(folder: Path, run: str = "r7", started_at: str = "2026-11-20T10:00:00+00:00") -> None:
    """Write a manifest, and files that only their length speaks for: no notebook of these tests opens them."""
    for name, content in TABLES.items():
        (folder / f"{name}.parquet").write_bytes(content)
    Manifest(
        schema_version=SCHEMA_VERSION, run=run, suite="quick", purpose="indicative", suite_text="", seed=1, order=(),
        started_at=started_at, finished_at="2026-11-20T10:05:00+00:00", interruptions=0,
        machine={"cpu_model": "Some CPU", "processors": 2}, toolchains={}, variants={}, left_out={}, contract={},
        code_version="", synthetic=True, tables=describe(folder, {"cells": 3, "faults": 0}),
    ).write(folder)  # fmt: skip
