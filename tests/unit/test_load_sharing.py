"""What workers of one load need to share it: clocks, one beginning, a place for their rows, and an account."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from array import array
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bench import paths
from bench.errors import LoadFailed
from bench.load import account, samples, spool
from bench.load.clock import Offset, Round, best
from bench.load.generator import Elsewhere, Generator, Order
from bench.load.schedule import Constant
from bench.load.spool import Beginning, Spool, Summary
from bench.load.start import Start

OK_ROW = (10, 12, 20, 200, 99)
BEGINNING = Beginning(
    worker=0, pid=7, host="10.0.0.3", names=("/a",), name_of=(0,), began_ns=5, measure_start_ns=5, measure_end_ns=500,
    late_ns=0, clock_offset_ns=0, clock_error_ns=0,
)  # fmt: skip
SUMMARY = Summary(0, 7, 1, ("/a",), (0,), 5, 5, 500, 500, 1, 1, 40, 3, None, host="10.0.0.3")


def write(folder, worker, rows, *, offset_ns=0, ends=True):
    own = Spool(folder, worker)
    own.begin(replace(BEGINNING, worker=worker, clock_offset_ns=offset_ns))
    for row in rows:
        own.write(array("q", row))
    if ends:
        own.close(replace(SUMMARY, worker=worker, rows=len(rows), locust_count=len(rows), clock_offset_ns=offset_ns))


def test_the_offset_of_a_clock_is_told_by_the_shortest_round_and_is_off_by_half_of_it_at_most():
    # The master is 1000 ahead. The second round took 8 there and 2 back: its middle is 3 too early.
    rounds = [Round(100, 1_150, 300), Round(400, 1_408, 410), Round(500, 1_600, 900)]
    assert best(rounds) == Offset(1_003, 5)


def test_what_two_clocks_drift_during_a_load_is_in_the_error_of_their_offset():
    assert Offset(1_000, 5).after(Offset(970, 4)) == Offset(1_000, 39)


def test_rows_of_another_machine_are_put_onto_the_masters_clock(tmp_path):
    write(tmp_path, 0, [OK_ROW])
    write(tmp_path, 1, [OK_ROW], offset_ns=-4)
    table = spool.read_requests(tmp_path, "c")
    assert table["worker"].to_pylist() == [1, 0]
    assert table["intended_ns"].to_pylist() == [6, 10]
    assert table["schedule_lag_ns"].to_pylist() == [2, 2]


def test_a_worker_that_never_finished_gives_its_whole_rows_and_stands_as_lost(tmp_path):
    write(tmp_path, 0, [OK_ROW])
    write(tmp_path, 1, [OK_ROW, OK_ROW], ends=False)
    (tmp_path / account.MASTER_FILE).write_text(json.dumps({"locust_count": 3}))
    with (tmp_path / "1.rows").open("ab") as torn:
        torn.write(b"\0" * 39)
    assert spool.read_requests(tmp_path, "c").num_rows == 3
    said = account.read_account(tmp_path, expected=3)
    assert (said.finished, said.lost, said.absent, said.rows) == (1, (1, 2), (2,), 3)
    assert said.reasons == (
        "worker 1 ended without its summary: up to half a second of its rows, what it had in flight, and the rest of its"
        " share of the load are missing",
        "worker 2 never brought its rows: its share of the load is missing, but for what is in the folder of its own machine",
    )
    finished, lost = account.workers_rows(tmp_path, "c")
    assert (finished["finished"], finished["rows"], finished["locust_count"], finished["cpu_ns"]) == (True, 1, 1, 40)
    assert (lost["finished"], lost["rows"], lost["locust_count"], lost["cpu_ns"]) == (False, 2, None, None)
    assert lost["host"] == "10.0.0.3"


def test_the_count_of_several_workers_is_the_masters_and_the_sum_stands_beside_it(tmp_path):
    write(tmp_path, 0, [OK_ROW])
    write(tmp_path, 1, [OK_ROW])
    headless = account.read_account(tmp_path, expected=2)
    assert headless.locust_count is None
    assert headless.reasons == ("the master ended before the load did: Locust's count of all workers is not known",)
    (tmp_path / account.MASTER_FILE).write_text(json.dumps({"locust_count": 3}))
    (tmp_path / account.CHANGES_FILE).write_text("worker 1 went missing\nworker 1 came back\n")
    said = account.read_account(tmp_path, expected=2)
    assert (said.locust_count, said.summed_count) == (3, 2)
    assert said.changes == ("worker 1 went missing", "worker 1 came back")


def test_the_window_of_several_workers_is_what_all_of_them_measured(tmp_path):
    for worker, (start, end) in enumerate([(100, 900), (120, 880)]):
        own = Spool(tmp_path, worker)
        own.close(replace(SUMMARY, worker=worker, rows=0, measure_start_ns=start, measure_end_ns=end))
    assert account.window(tmp_path) == (120, 880)


def test_a_worker_that_begins_late_sends_what_was_due_before_at_once():
    @dataclass
    class Begun:
        began_ns: int

    # The schedule counts from 1 000 000 000; the engine began 30 ms later.
    schedule = Start(0, 2, 1_000_000_000).count_from(Constant(100, 0.05), Begun(1_030_000_000))
    assert np.concatenate(list(schedule.chunks())).tolist() == [-30_000_000, -20_000_000, -10_000_000, 0, 10_000_000]


DISPATCH = """
import json
from locust import User
from locust.runners import WorkerNode
from bench.load.master import OneEach

class Some(User):
    pass

nodes = [WorkerNode(f"host_{number}") for number in range(2)]
dispatcher = OneEach(nodes, [Some])
dispatcher.new_dispatch(17, 1.0)
said = [list(dispatcher)]
dispatcher.remove_worker(nodes[0])
dispatcher.add_worker(WorkerNode("host_2"))
dispatcher.new_dispatch(1, 1.0)
print(json.dumps([*said, list(dispatcher)]))
"""


def test_every_worker_gets_one_user_and_keeps_it_when_workers_come_and_go():
    # In a process of its own: importing Locust patches the one that does.
    said = subprocess.run([sys.executable, "-c", DISPATCH], cwd=paths.ROOT, capture_output=True, check=True).stdout
    one_each = {"host_0": {"Some": 1}, "host_1": {"Some": 1}}
    assert json.loads(said) == [[one_each], [one_each]]


def test_a_worker_elsewhere_writes_into_a_folder_of_its_own_and_brings_its_files_to_the_uri(tmp_path, monkeypatch):
    monkeypatch.setenv(samples.SPOOL_VARIABLE, str(tmp_path))
    there, here = tmp_path / "there", tmp_path / "here"
    here.mkdir()
    store = samples.place(there.as_uri(), here=True)
    assert store.folder.parent == tmp_path
    write(store.folder, 3, [OK_ROW])
    (store.folder / "3.gaps").write_bytes(b"")
    store.bring(3)
    samples.gather(there.as_uri(), here)
    assert spool.read_requests(here, "c").num_rows == 1
    assert not list(there.glob("*.tmp"))


def test_on_the_masters_machine_a_plain_path_is_written_to_directly(tmp_path):
    assert samples.place(str(tmp_path), here=True) == samples.Store(tmp_path)
    assert samples.place(str(tmp_path), here=False).uri == str(tmp_path)


def test_rows_that_cannot_be_brought_stay_and_the_sentence_says_where(tmp_path, monkeypatch):
    monkeypatch.setenv(samples.SPOOL_VARIABLE, str(tmp_path))
    (tmp_path / "in the way").write_text("")
    store = samples.place((tmp_path / "in the way" / "deeper").as_uri(), here=False)
    write(store.folder, 0, [OK_ROW])
    with pytest.raises(LoadFailed, match=f"cannot be brought to file://.*They are in {store.folder} on its machine"):
        store.bring(0)
    assert (store.folder / "0.rows").stat().st_size == 40


@pytest.mark.parametrize("said", ["5557", "10.0.0.1", "10.0.0.1:", "10.0.0.1:70000", ":5557"])
def test_an_address_for_workers_without_host_or_port_is_a_sentence(said):
    with pytest.raises(LoadFailed, match="is no address for workers"):
        Elsewhere.parse(said, "s3://bucket/rows")


def test_workers_elsewhere_need_a_place_for_their_rows():
    with pytest.raises(LoadFailed, match="give --samples"):
        Elsewhere.parse("10.0.0.1:5557", None)
    said = Elsewhere.parse("10.0.0.1:5557", "s3://bucket/rows/")
    assert said.command == "python -m bench.load.worker --master-host 10.0.0.1 --master-port 5557"
    assert said.under("c").samples.startswith("s3://bucket/rows/c-")
    assert said.under("c") != said.under("c")
    with_options = Elsewhere.parse("10.0.0.1:5557", "s3://bucket/rows?region=eu-central-1").under("c").samples
    assert with_options.startswith("s3://bucket/rows/c-")
    assert with_options.endswith("?region=eu-central-1")


def test_no_workers_are_a_sentence(tmp_path):
    with pytest.raises(LoadFailed, match="0 workers are none"):
        Generator(Order(tmp_path / "some.py", "http://127.0.0.1:1", workers=0), tmp_path)


def test_a_locust_that_fails_at_its_start_is_a_sentence_with_its_last_lines(tmp_path):
    order = Order(paths.SCENARIOS / "steady.py", "http://127.0.0.1:1", user="NoSuchTraffic")
    with Generator(order, tmp_path) as generator, pytest.raises(LoadFailed, match=r"failed \(exit(?s:.*)NoSuchTraffic"):
        generator.wait(60)


def test_a_folder_for_rows_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "in the way").write_text("")
    with pytest.raises(LoadFailed, match="There is no folder for the rows"):
        samples.place(str(tmp_path / "in the way" / "deeper"), here=True)


@pytest.mark.parametrize("said", ["rows", "nowhere://bucket/rows"])
def test_a_place_for_rows_that_nobody_knows_is_refused_before_the_load(said):
    with pytest.raises(LoadFailed, match=f"'{said}' is no place for rows"):
        samples.check(said)


def test_a_place_for_rows_may_be_a_folder_that_is_still_to_be_made(tmp_path):
    samples.check((tmp_path / "rows").as_uri())
    samples.check(str(tmp_path / "rows"))


def test_rows_that_did_not_fit_on_the_disk_leave_the_engine_free_to_write_down_more(tmp_path):
    own = Spool(tmp_path, 0)
    os.dup2(os.open("/dev/full", os.O_WRONLY), own._fd)
    rows = array("q", OK_ROW)
    with pytest.raises(LoadFailed, match="No space left on device") as failed:
        own.write(rows)
    # The error's traceback holds the frames that had the rows in hand.
    rows.extend(OK_ROW)
    assert (len(rows), failed.tb is not None) == (10, True)
