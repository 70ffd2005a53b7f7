"""Faults and rolling restarts on a real gateway, as a campaign runs them: what they did, what was kept, and what is left."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from bench import toolchains
from bench.faults import inject
from bench.faults.prober import TIMEOUT_NS
from bench.gateways import registry
from bench.meters import control_groups
from bench.store import writer
from tests.accuracy.campaigns import bench, left_behind, start

SUITE = """
name = "struck"
purpose = "indicative"
summary = "for tests"
seed = 5
variants = ["go"]
memory_budget_mib = 64
live_set_mib = 4
"""
FAULTS = """
[[recovery]]
faults = [{faults}]
policy = "aggressive"
rate_per_s = 100
horizon_s = 12
baseline_s = 0.5
sustain_s = 0.5
repetitions = 1
"""
ROLLING = """
[[rolling_restart]]
ways = ["drain", "kill"]
instances = 1
rate_per_s = 200
baseline_s = 0.3
sustain_s = 0.3
repetitions = 1
"""
if lacking := toolchains.missing([*registry.variant("go").needs, "envoy"]):
    pytest.skip(" ".join(lacking), allow_module_level=True)


def suite(folder: Path, *faults: str, rolling: str = "") -> str:
    path = folder / "struck.toml"
    path.write_text(SUITE + FAULTS.format(faults=", ".join(f'"{name}"' for name in faults)) + rolling)
    return str(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Give the run of a small campaign."""
    folder = tmp_path_factory.mktemp("struck")
    declared = suite(folder, "out_of_memory", "crash_loop", "upstream_hung", rolling=ROLLING)
    done = bench(folder / "runs", "run", declared, "--name", "struck")
    assert done.returncode == 0, done.stderr
    assert left_behind(folder / "runs") == []
    return folder / "runs" / "struck"


@pytest.fixture(scope="module")
def struck(run: Path) -> dict[str, dict]:
    return {
        row["fault"]: row | {"truth": json.loads(row["truth"])}
        for row in writer.read("faults", run / "faults.parquet").to_pylist()
    }


def test_every_fault_was_noticed_and_service_came_back(struck: dict[str, dict]) -> None:
    assert sorted(struck) == ["crash_loop", "out_of_memory", "upstream_hung"]
    for fault in struck.values():
        assert fault["impact_ns"] is not None, fault
        assert not fault["censored"], fault
        assert fault["probes_lost"] > 0


def test_a_crash_loop_waits_as_its_policy_says(struck: dict[str, dict]) -> None:
    found = struck["crash_loop"]
    assert found["truth"] == {"failed_starts": inject.FAILING_STARTS}
    # The first start at once, the second after 0.5 s, the third after 1 s, each counted from the end of the last.
    assert (found["exec_ns"] - found["inject_ns"]) / 1e9 == pytest.approx(1.5, rel=0.3)


def test_a_leak_ends_at_the_limit_and_the_kernel_says_so(struck: dict[str, dict]) -> None:
    found = struck["out_of_memory"]
    if not found["truth"]:
        pytest.skip("no control group here")
    assert found["truth"]["limit_bytes"] == 96 << 20
    assert found["truth"]["oom_kills"] == found["truth"]["process_ended"] == 1
    assert found["exec_ns"] > found["inject_ns"]


def test_an_upstream_that_hangs_is_nobodys_reason_to_restart(struck: dict[str, dict]) -> None:
    found = struck["upstream_hung"]
    assert found["exec_ns"] is found["act_ns"] is found["detect_ns"] is None
    assert found["truth"]["requests_met"] > 0
    # Service is away for as long as the fault lasts; a probe may wait in the gateway for its end.
    assert found["first_ok_ns"] >= found["ended_ns"] - TIMEOUT_NS


def test_the_load_goes_on_meanwhile_and_every_request_of_it_is_a_row(run: Path) -> None:
    cells = {row["cell_id"]: row for row in writer.read("cells", run / "cells.parquet").to_pylist()}
    requests = writer.read("requests", run / "requests.parquet")
    rows = {entry["values"]: entry["counts"] for entry in requests["cell_id"].value_counts().to_pylist()}
    assert rows == {name: cell["rows"] for name, cell in cells.items()}
    assert all(cell["rows"] > 100 for cell in cells.values())
    outcomes = requests.to_pandas().groupby("cell_id", observed=True)["outcome"].value_counts()
    (killed,) = (name for name in cells if "out_of_memory" in name)
    # What struck the gateway struck its clients; an upstream that hangs leaves /route alone.
    assert outcomes[killed].drop("ok").sum() > 0
    (hung,) = (name for name in cells if "upstream_hung" in name)
    assert outcomes[hung]["ok"] > 0.95 * outcomes[hung].sum()


def test_each_recovery_has_a_journal_in_the_shape_of_chaos_toolkits(run: Path, struck: dict[str, dict]) -> None:
    journals = [json.loads(path.read_text()) for path in sorted((run / "journals").iterdir())]
    assert len(journals) == len(struck)
    for said in journals:
        assert {"experiment", "start", "end", "status", "deviated", "steady_states", "run", "rollbacks"} <= set(said)
        name = said["experiment"]["method"][0]["name"]
        assert said["status"] == "completed"
        assert not said["deviated"]
        assert said["run"][0]["output"] == struck[name]["truth"]
        assert said["steady_states"]["before"]["steady_state_met"]
        recovered_s = (struck[name]["first_ok_ns"] - struck[name]["inject_ns"]) / 1e9
        assert next(done["output"] for done in said["run"] if done["activity"]["name"] == "first_ok") == recovered_s


def test_draining_loses_nothing_and_the_balancer_accounts_for_what_killing_loses(run: Path) -> None:
    replaced = {row["way"]: row for row in writer.read("restarts", run / "restarts.parquet").to_pylist()}
    requests = writer.read("requests", run / "requests.parquet").to_pandas()
    lost = {
        way: int(
            (~requests[requests["cell_id"] == row["cell_id"]]["outcome"].isin(["ok", "unanswered", "unsent"])).sum()
        )
        for way, row in replaced.items()
    }
    assert lost["drain"] == replaced["drain"]["refused"] == 0
    assert (replaced["drain"]["exit_code"], replaced["kill"]["exit_code"]) == (0, -signal.SIGKILL)
    # Until the balancer has noticed, requests go to the one that is gone; it may notice before the next one comes.
    assert lost["kill"] == replaced["kill"]["refused"]
    assert sum(json.loads(replaced["kill"]["reasons"]).values()) == lost["kill"]
    for row in replaced.values():
        assert row["created_ns"] < row["ready_ns"] <= row["in_service_ns"] <= row["signal_ns"] < row["exited_ns"]


def groups() -> set[Path]:
    """Give the control groups that campaigns have made and that still are."""
    parents = {parent for controller in ("cpu", "memory", "") for parent in control_groups.groups(controller)}
    return {group for parent in parents for group in parent.glob("bench-*")}


def test_a_campaign_that_is_killed_in_a_fault_leaves_no_process_and_no_group(tmp_path: Path) -> None:
    before = groups()
    runs = tmp_path / "runs"
    cut_off = start(runs, "run", suite(tmp_path, "cpu_starved"), "--name", "cut")
    deadline = time.monotonic() + 60
    while not groups() - before and cut_off.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if not groups() - before:
        cut_off.kill()
        pytest.skip("no control group can be made here")
    time.sleep(3)
    cut_off.send_signal(signal.SIGKILL)
    cut_off.communicate()
    deadline = time.monotonic() + 20
    while (left_behind(runs) or groups() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_behind(runs) == []
    assert groups() - before == set()
