"""Groups of version 2 in a made-up hierarchy, where this machine has version 1; real ones are made by the faults' tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.control_group import control_group
from bench.errors import FaultImpossible
from bench.meters import control_groups


@pytest.fixture
def hierarchy(tmp_path: Path, monkeypatch) -> Path:
    """Give the root of a hierarchy of version 2 in which this process is two levels down."""
    own = tmp_path / "user.slice" / "session.scope"
    own.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("cpu memory")
    said = tmp_path / "own"
    said.write_text("0::/user.slice/session.scope\n")
    monkeypatch.setattr(control_groups, "_ROOT", tmp_path)
    monkeypatch.setattr(control_groups, "_OWN", said)
    return tmp_path


def test_a_group_of_version_2_is_one_folder_with_both_limits(hierarchy: Path) -> None:
    own = hierarchy / "user.slice" / "session.scope"
    with control_group() as group:
        (joins,) = group.joins
        assert joins == own / f"bench-{os.getpid()}" / "cgroup.procs"
        group.limit_processors(0.25)
        group.limit_memory(1 << 20)
        assert (joins.parent / "cpu.max").read_text() == "25000 100000"
        assert (joins.parent / "memory.max").read_text() == "1048576"
        group.limit_processors(None)
        group.limit_memory(None)
        assert (joins.parent / "cpu.max").read_text() == "max 100000"
        assert (joins.parent / "memory.max").read_text() == "max"
        (joins.parent / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
        (joins.parent / "cpu.stat").write_text("usage_usec 9\nthrottled_usec 7\n")
        assert group.oom_kills() == 2
        assert group.throttled_ns() == 7_000


def test_where_the_own_group_lends_no_controller_one_further_up_does(hierarchy: Path) -> None:
    # What cannot be written to, as the kernel refuses it in a group that has processes of its own.
    (hierarchy / "user.slice" / "session.scope" / "cgroup.subtree_control").mkdir()
    with control_group() as group:
        (joins,) = group.joins
        assert joins.parent.parent == hierarchy / "user.slice"


def test_where_no_group_may_be_made_its_methods_say_what_to_do(hierarchy: Path) -> None:
    for place in (hierarchy, hierarchy / "user.slice", hierarchy / "user.slice" / "session.scope"):
        (place / "cgroup.subtree_control").mkdir()
    with control_group() as group:
        assert group.joins == ()
        with pytest.raises(FaultImpossible, match=r"no control group for memory here.*Run as root"):
            group.limit_memory(1)


def test_the_next_group_removes_what_a_dead_process_left(hierarchy: Path) -> None:
    own = hierarchy / "user.slice" / "session.scope"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, used = own / f"bench-{gone.pid}", own / "bench-1"
    left.mkdir()
    used.mkdir()
    with control_group():
        assert not left.exists()
        assert used.exists(), "the group of a process that lives"


KEEPS = """
import os, sys, time
from bench.control_group import control_group
with control_group() as group:
    for file in group.joins:
        file.write_text(str(os.getpid()))
    print(*(file.parent for file in group.joins), flush=True)
    time.sleep(60)
"""


def test_a_group_is_gone_when_its_maker_is_killed_with_all_that_is_in_it() -> None:
    maker = subprocess.Popen([sys.executable, "-c", KEEPS], stdout=subprocess.PIPE, text=True)
    folders = [Path(word) for word in maker.stdout.readline().split()]
    if not folders:
        maker.kill()
        pytest.skip("no control group can be made here")
    assert all(folder.exists() for folder in folders)
    maker.send_signal(signal.SIGKILL)
    maker.communicate()
    deadline = time.monotonic() + 10
    while any(folder.exists() for folder in folders) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [folder for folder in folders if folder.exists()] == []
