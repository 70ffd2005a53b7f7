"""An excerpt of a run keeps every table whole but that of the requests."""

import dataclasses
import json

import pyarrow as pa
import pytest

from bench.errors import BenchError
from bench.excerpt import excerpt
from bench.gate import asked
from bench.judge import judge
from bench.store import manifest, writer
from bench.store.manifest import Manifest
from bench.store.schema import CELLS, SCHEMA_VERSION, TABLES
from tests.unit.test_windows import request


def cell(cell_id, scenario, measure_start_ns):
    """Give a row of `cells` that says no more than what is needed; the rest is whatever its type allows."""
    empty = {"string": "", "bool": True, "double": 0.0}
    row = {
        f.name: None if f.nullable else empty.get(str(f.type), [] if pa.types.is_list(f.type) else 0)
        for f in CELLS.schema
    }
    row |= {f.name: "" for f in CELLS.schema if pa.types.is_dictionary(f.type) and not f.nullable}
    window = {
        "measure_start_ns": measure_start_ns,
        "measure_end_ns": measure_start_ns and measure_start_ns + 10_000_000,
    }
    return row | {"cell_id": cell_id, "scenario": scenario} | window


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "whole"
    folder.mkdir()
    cells = [cell("steady", "steady", 5_000_000), cell("full", "saturate", 1), cell("struck", "recovery", None)]
    requests = [request(at) | {"cell_id": name} for name in ("steady", "full", "struck") for at in (1, 5, 9)]
    made = {"cells": writer.from_rows("cells", cells), "requests": writer.from_rows("requests", requests)}
    rows = {}
    for name in TABLES:
        table = made.get(name, TABLES[name].schema.empty_table())
        writer.write(name, table, folder)
        rows[name] = table.num_rows
    Manifest(
        SCHEMA_VERSION, "r", "s", "indicative", "", 1, (), "", "", 0, {}, {}, {}, {}, {}, "", False,
        manifest.describe(folder, rows),
    ).write(folder)  # fmt: skip
    return folder


def test_it_keeps_the_requests_of_measured_windows_but_not_of_saturated_loads(run, tmp_path):
    kept = writer.read("requests", excerpt(run, tmp_path / "small") / "requests.parquet").to_pylist()
    assert [(row["cell_id"], row["intended_ns"] // 1_000_000) for row in kept] == [
        ("steady", 5), ("steady", 9), ("struck", 1), ("struck", 5), ("struck", 9),
    ]  # fmt: skip


def test_it_is_a_run_that_says_what_was_left_behind(run, tmp_path):
    small = manifest.read(excerpt(run, tmp_path / "small"))
    assert "saturate" in small.excerpt
    assert (small.tables["requests"].rows, small.tables["cells"].rows) == (5, 3)
    assert small.run == manifest.read(run).run
    assert manifest.read(run).excerpt is None


def test_it_takes_no_place_that_is_taken(run, tmp_path):
    (tmp_path / "small").mkdir()
    with pytest.raises(BenchError, match="is there already"):
        excerpt(run, tmp_path / "small")


def test_a_damaged_run_leaves_nothing_behind(run, tmp_path):
    path = run / "requests.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(BenchError, match="truncated"):
        excerpt(run, tmp_path / "small")
    assert json.loads((run / "manifest.json").read_text())["run"] == "r"
    assert not (tmp_path / "small").exists()


def test_a_run_is_judged_again_by_the_evidence_that_it_holds(run):
    assert list(judge(run)) == ["steady", "full"], "without rows there was no load in them"
    cells = {row["cell_id"]: row for row in writer.read("cells", run / "cells.parquet").to_pylist()}
    assert cells["steady"]["gate_reasons"] == ["there was no load in the measured window"]
    assert not cells["full"]["gate_passed"]
    assert cells["struck"]["gate_passed"], "a fault has a gate of its own"
    assert manifest.read(run).gate == asked()
    assert judge(run) == {}


def test_a_run_of_several_workers_is_not_judged_again(run):
    dataclasses.replace(manifest.read(run), generator_workers=2).write(run)
    with pytest.raises(BenchError, match="had 2 workers"):
        judge(run)
