"""The store: schemas that explain themselves, parquet that is whole or refused."""

import json
from array import array

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.errors import BenchError, LoadFailed, RunUnreadable
from bench.load.rows import CONNECTION_SHIFT, OUTCOME_SHIFT, QUEUED_SHIFT, REQUEST_SHIFT, Outcome
from bench.load.spool import Spool, Summary, read_requests
from bench.store import manifest, writer
from bench.store.schema import SCHEMA_VERSION, TABLES


def machine_rows(n=3):
    return [
        {"cell_id": "c", "time_ns": t, "busy_ns": 5 * t, "steal_ns": 0, "psi_cpu_some_ns": None, "raw_ns": t, "suspended_ns": 0,
         "memory_available_bytes": 1 << 33, "context_switches": t}
        for t in range(n)
    ]  # fmt: skip


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_column_says_what_it_means_and_times_and_sizes_name_their_unit(table):
    for column in table.schema:
        if column.name == "cell_id":
            continue
        assert column.metadata[b"meaning"]
        if column.name.endswith("_ns"):
            assert column.metadata[b"unit"] == b"ns"
            assert column.type == pa.int64()
        if column.name.endswith("_bytes"):
            assert column.metadata[b"unit"] == b"bytes"
        assert column.nullable == (b"null" in column.metadata)


def test_a_table_comes_back_as_it_was_written(tmp_path):
    table = writer.from_rows("machine", machine_rows())
    writer.write("machine", table, tmp_path)
    assert writer.read("machine", tmp_path / "machine.parquet").equals(table)


def test_joining_cells_keeps_every_row_in_order(tmp_path):
    parts = []
    for name, n in (("a", 2), ("b", 3)):
        (tmp_path / name).mkdir()
        rows = [row | {"cell_id": name} for row in machine_rows(n)]
        writer.write("machine", writer.from_rows("machine", rows), tmp_path / name)
        parts.append(tmp_path / name / "machine.parquet")
    assert writer.join("machine", parts, tmp_path) == 5
    assert writer.read("machine", tmp_path / "machine.parquet")["cell_id"].to_pylist() == list("aabbb")


def test_a_truncated_file_is_refused_by_name(tmp_path):
    writer.write("machine", writer.from_rows("machine", machine_rows(1_000)), tmp_path)
    path = tmp_path / "machine.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RunUnreadable, match=r"machine\.parquet"):
        writer.read("machine", path)


def test_a_table_that_does_not_fit_its_schema_is_not_written(tmp_path):
    with pytest.raises(BenchError, match="does not fit"):
        writer.write("machine", pa.table({"time_ns": [1]}), tmp_path)


def test_a_full_disk_is_a_sentence(tmp_path):
    with pytest.raises(BenchError, match="Make room"):
        writer.write("machine", writer.from_rows("machine", machine_rows(1_000)), FullDisk(tmp_path))


class FullDisk:
    """A folder on /dev/full: every write fails with ENOSPC."""

    def __init__(self, folder):
        (folder / "machine.parquet").symlink_to("/dev/full")
        self._folder = folder

    def __truediv__(self, name):
        return self._folder / name


def stored(tmp_path, **changes):
    writer.write("machine", writer.from_rows("machine", machine_rows()), tmp_path)
    said = {
        "schema_version": SCHEMA_VERSION, "run": "r", "suite": "quick", "purpose": "indicative", "suite_text": "",
        "seed": 1, "order": [], "started_at": "", "finished_at": "", "interruptions": 0, "machine": {},
        "toolchains": {}, "variants": {}, "left_out": {}, "contract": {}, "code_version": "", "synthetic": True,
        "tables": {n: vars(f) for n, f in manifest.describe(tmp_path, {"machine": 3}).items()},
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(said | changes))
    return tmp_path


def test_a_manifest_comes_back_with_its_tables(tmp_path):
    assert manifest.read(stored(tmp_path)).tables["machine"].rows == 3


def test_a_folder_without_a_manifest_is_not_a_run(tmp_path):
    with pytest.raises(RunUnreadable, match="bench run --resume"):
        manifest.read(tmp_path)


def test_small_cells_share_a_row_group_and_a_large_one_has_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_LEAST_ROWS_A_GROUP", 10)
    parts = []
    for number, rows in enumerate((4, 4, 4, 10, 1)):
        (folder := tmp_path / str(number)).mkdir()
        writer.write("machine", writer.from_rows("machine", machine_rows(rows)), folder)
        parts.append(folder / "machine.parquet")
    assert writer.join("machine", parts, tmp_path) == 23
    told = pq.ParquetFile(tmp_path / "machine.parquet").metadata
    assert [told.row_group(group).num_rows for group in range(told.num_row_groups)] == [12, 10, 1]


def test_a_run_of_another_schema_version_is_refused(tmp_path):
    with pytest.raises(RunUnreadable, match="schema version 99"):
        manifest.read(stored(tmp_path, schema_version=99))


def test_a_run_whose_table_is_truncated_is_refused(tmp_path):
    path = stored(tmp_path) / "machine.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(RunUnreadable, match=r"machine\.parquet of .* is missing or truncated"):
        manifest.read(tmp_path)


def summary(rows):
    return Summary(0, 1, rows, ("/a", "/b"), (0, 1), 0, 0, 0, 0, 1, rows, 0, 0, None)


def test_raw_rows_become_the_requests_table(tmp_path):
    spool = Spool(tmp_path, 0)
    ok = 200 | 3 << CONNECTION_SHIFT | 1 << REQUEST_SHIFT
    unsent = Outcome.UNSENT << OUTCOME_SHIFT | 1 << QUEUED_SHIFT
    spool.write(array("q", (50, 60, 90, unsent, 0)))
    spool.write(array("q", (10, 12, 20, ok, 99)))
    spool.close(summary(2))
    first, second = read_requests(tmp_path, "cell").to_pylist()
    assert first == {
        "cell_id": "cell", "worker": 0, "connection": 3, "name": "/b", "intended_ns": 10, "schedule_lag_ns": 2,
        "queued": False, "service_time_ns": 8, "status": 200, "outcome": "ok", "censored": False, "received_bytes": 99,
    }  # fmt: skip
    assert (second["outcome"], second["censored"], second["queued"]) == ("unsent", True, True)
    assert [second[c] for c in ("connection", "service_time_ns", "status", "received_bytes")] == [None] * 4


def test_rows_that_are_not_all_there_are_refused(tmp_path):
    spool = Spool(tmp_path, 0)
    spool.write(array("q", (10, 12, 20, 200, 99)))
    spool.close(summary(2))
    with pytest.raises(LoadFailed, match="counted 2 rows"):
        read_requests(tmp_path, "cell")


def test_a_worker_that_did_not_finish_is_noticed(tmp_path):
    Spool(tmp_path, 0).write(array("q", (10, 12, 20, 200, 99)))
    with pytest.raises(LoadFailed, match="did not finish"):
        read_requests(tmp_path, "cell")


def test_a_request_takes_few_bytes_on_disk(tmp_path):
    draw = np.random.default_rng(1)
    n = 200_000
    intended = np.cumsum(draw.exponential(100_000, n)).astype(np.int64)
    sent = intended + draw.exponential(30_000, n).astype(np.int64)
    done = sent + draw.lognormal(12, 0.4, n).astype(np.int64)
    packed = 200 | draw.integers(0, 64, n) << CONNECTION_SHIFT | draw.integers(0, 2, n) << REQUEST_SHIFT
    spool = Spool(tmp_path, 0)
    spool.write(array("q", np.stack([intended, sent, done, packed, np.full(n, 420)], 1).ravel().tolist()))
    spool.close(summary(n))
    writer.write("requests", read_requests(tmp_path, "cell"), tmp_path)
    assert (tmp_path / "requests.parquet").stat().st_size / n <= 12
    assert pq.read_metadata(tmp_path / "requests.parquet").num_rows == n
