"""Campaigns that are cut off: nothing half-published, nothing lost, nobody left behind."""

from __future__ import annotations

import json
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq
import pytest

from tests.accuracy.campaigns import bench, left_behind, start, write_suite

KILLS = 20


@pytest.fixture(scope="module", autouse=True)
def _ready_to_measure(measured):
    """Build, certify and measure once: what is cut off later are measurements, and not the first start of anything."""


def wait_until_measuring(process):
    """Read what a campaign says until its first cell begins."""
    for line in process.stderr:
        if line.startswith(b"["):
            return
    raise AssertionError("the campaign ended before its first cell")


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def published(runs):
    """Give the cells that are done, each with the rows of its tables; every file must be readable."""
    return {
        cell.name: {path.stem: pq.read_table(path).num_rows for path in cell.glob("*.parquet")}
        for cell in runs.glob(".cut/cells/*")
    }


def wait_until_nobody_is_left(runs):
    """Give killed children the moment that the kernel needs to end them."""
    deadline = time.monotonic() + 5
    while left_behind(runs) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left_behind(runs)


def moments():
    """Give whether a kill waits for the cells, and then how long: one in four falls into the preparation."""
    draw = random.Random(4)
    return [(waits := attempt % 4 > 0, draw.uniform(0.1, 8.0 if waits else 2.0)) for attempt in range(KILLS)]


@pytest.mark.timeout(900)
def test_twenty_kills_at_random_moments_lose_nothing_and_leave_nothing(tmp_path):
    """Of two campaigns side by side, each in a folder of its own and killed ten times: they mostly wait."""
    suite = write_suite(tmp_path, "go", "node", repetitions=3)
    halves = moments()[: KILLS // 2], moments()[KILLS // 2 :]
    with ThreadPoolExecutor(len(halves)) as side_by_side:
        kept = list(side_by_side.map(_kept_between, (suite, suite), (tmp_path / "one", tmp_path / "two"), halves))
    assert sum(kept) >= 3, "the campaigns must get somewhere between the kills"


def _kept_between(suite, runs, kills):
    """Kill a campaign at these moments and let it end; give how many of its cells were done by the last kill."""
    kept = {}
    for attempt, (waits, moment_s) in enumerate(kills):
        arguments = (
            ("run", "--resume", "--name", "cut") if (runs / ".cut").exists() else ("run", str(suite), "--name", "cut")
        )
        cut_off = start(runs, *arguments)
        if waits:
            wait_until_measuring(cut_off)
        time.sleep(moment_s)
        cut_off.send_signal(signal.SIGKILL)
        cut_off.communicate()
        assert wait_until_nobody_is_left(runs) == [], f"after kill {attempt}"
        if (runs / "cut").exists():
            break
        now = published(runs)
        assert kept.items() <= now.items(), f"a published cell changed at kill {attempt}"
        kept = now
    if not (runs / "cut").exists():
        done = bench(runs, "run", "--resume", "--name", "cut")
        assert done.returncode == 0, done.stderr
    manifest = json.loads((runs / "cut" / "manifest.json").read_text())
    cells = pq.read_table(runs / "cut" / "cells.parquet").to_pylist()
    assert [cell["cell_id"] for cell in cells] == manifest["order"]
    assert {cell: tables["requests"] for cell, tables in kept.items()}.items() <= {
        c["cell_id"]: c["rows"] for c in cells
    }.items()
    assert manifest["interruptions"] >= 3
    assert [path.name for path in runs.iterdir() if path.name not in (".lock", ".certificates")] == ["cut"]
    return len(kept)


def test_ctrl_c_ends_with_a_sentence_and_resume_goes_on(runs, tmp_path):
    cut_off = start(runs, "run", str(write_suite(tmp_path, "go")), "--name", "cut")
    wait_until_measuring(cut_off)
    time.sleep(1)
    cut_off.send_signal(signal.SIGINT)
    _, said = cut_off.communicate(timeout=30)
    assert cut_off.returncode == 130
    assert b"bench run --resume" in said
    assert b"Traceback" not in said
    assert wait_until_nobody_is_left(runs) == []
    assert not (runs / "cut").exists()
    assert bench(runs, "run", "--resume").returncode == 0
    assert (runs / "cut" / "manifest.json").exists()


def test_a_second_campaign_on_the_same_machine_is_refused(runs, tmp_path):
    suite = write_suite(tmp_path, "go")
    first = start(runs, "run", str(suite), "--name", "first")
    wait_until_measuring(first)
    second = bench(runs, "run", str(suite), "--name", "second")
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=30)
    assert second.returncode == 1
    assert "Another campaign is running" in second.stderr
