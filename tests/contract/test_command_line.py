"""The command lines as a user meets them: an error is a sentence that says what to do next, and never a traceback."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench import campaign, cli, contract, paths, toolchains
from bench.errors import BenchError, ContractBroken, GatewayDied, ToolchainMissing
from bench.gateways import registry
from bench.gateways.build import build
from bench.gateways.check import CaseResult
from bench.gateways.expect import differ
from bench.gateways.process import GatewayProcess, Settings
from bench.store import manifest, writer
from bench.store.schema import SCHEMA_VERSION, TABLES
from tests.accuracy import campaigns
from tests.contract import disks

RUN = "small"
SUITE = '[[load]]\nscenario = "saturate"\nwarm_up_s = 0\nduration_s = 0.2\nconnections = 2\nrepetitions = 1\n'


def typed(runs: Path, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `bench` or `roi` as a user does, in a terminal that is wide enough for a sentence."""
    return subprocess.run(
        [sys.executable, "-c", f"from {program}.cli import main; main()", *map(str, arguments)],
        cwd=runs.parent, env=os.environ | {"BENCH_RUNS": str(runs), "COLUMNS": "400", "BROWSER_PATH": "no-such-browser"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def assert_sentence(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    """Assert that it ended with this code and these words, without a traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for words in said:
        assert words in done.stderr


@pytest.fixture
def runs(tmp_path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def run(runs) -> Path:
    """Give a run whose tables are empty."""
    folder = runs / RUN
    folder.mkdir()
    for name in TABLES:
        writer.write(name, writer.from_rows(name, []), folder)
    manifest.Manifest(
        schema_version=SCHEMA_VERSION, run=RUN, suite="small", purpose="indicative", suite_text="", seed=1, order=(),
        started_at="2026-11-20T10:00:00+00:00", finished_at="2026-11-20T10:01:00+00:00", interruptions=0,
        machine={"cpu_model": "Some CPU", "processors": 2}, toolchains={}, variants={}, left_out={}, contract={},
        code_version="unknown", synthetic=False, tables=manifest.describe(folder, dict.fromkeys(TABLES, 0)),
    ).write(folder)  # fmt: skip
    return folder


@pytest.fixture
def suite(tmp_path) -> Path:
    path = tmp_path / "tiny.toml"
    head = 'name = "tiny"\npurpose = "indicative"\nsummary = "for tests"\nseed = 1\nvariants = ["go", "node"]\nlive_set_mib = 1\n'
    path.write_text(f"{head}\n{SUITE}")
    return path


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("run", "quik"), "Did you mean quick?"),
        (("run", "quick", "--variant", "nod"), "Did you mean node"),
        (("build", "jva"), "Did you mean java?"),
        (("lint", "rst"), "Did you mean rust?"),
        (("check", "nde"), "Did you mean node?"),
        (("run", "--resume", "--name", "smal"), "There is no unfinished run named 'smal'"),
    ],
)
def test_an_unknown_name_of_bench_shows_the_near_one(runs, arguments, near) -> None:
    assert_sentence(typed(runs, "bench", *arguments), 1, near)
    assert [path.name for path in runs.iterdir() if path.name != ".lock"] == []


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("smal",), "Did you mean small?"),
        ((RUN, "--only", "11_qps_densty"), "Did you mean 11_qps_density?"),
        ((RUN, "-p", "all_cell=true"), "Did you mean all_cells?"),
        ((RUN, "-p", "all_cells=maybe"), "The parameter all_cells cannot be 'maybe': it is bool"),
        ((RUN, "-p", "weight_efficiency=two"), "The parameter weight_efficiency cannot be 'two': it is float from 0 to 1"),
        ((RUN, "-p", "weight_efficiency=2"), "The parameter weight_efficiency cannot be 2.0: it is float from 0 to 1"),
        ((RUN, "-p", "all_cells"), "'all_cells' is not name=value"),
    ],
)  # fmt: skip
def test_an_unknown_name_or_wrong_value_of_roi_is_told_before_anything_runs(run, tmp_path, arguments, near) -> None:
    assert_sentence(typed(run.parent, "roi", "report", *arguments, "--out", tmp_path / "made"), 1, near)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("program", "arguments", "near"),
    [
        ("bench", ("rum",), "Did you mean 'run'?"),
        ("bench", ("run", "quick", "--nme", "x"), "--name"),
        ("roi", ("reprt",), "Did you mean 'report'?"),
        ("roi", ("report", "--onyl", "x"), "--only"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_shows_the_near_command(runs, program, arguments, near) -> None:
    assert_sentence(typed(runs, program, *arguments), 2, near)


def test_running_nothing_says_the_two_things_that_can_be_run(runs) -> None:
    assert_sentence(typed(runs, "bench", "run"), 1, "bench run quick", "bench run --resume")


def test_a_suite_with_an_unknown_variant_shows_the_near_one(runs, suite) -> None:
    suite.write_text(suite.read_text().replace('"node"', '"nodee"'))
    assert_sentence(typed(runs, "bench", "run", suite), 1, "There is no variant named 'nodee'", "node")


def test_a_suite_that_is_not_toml_or_has_an_unknown_key_says_where(runs, suite) -> None:
    text = suite.read_text()
    suite.write_text("name = ")
    assert_sentence(typed(runs, "bench", "run", suite), 1, "tiny.toml is not TOML")
    suite.write_text(f"{text}repetition = 3\n")
    assert_sentence(typed(runs, "bench", "run", suite), 1, "tiny.toml does not declare a suite", "load.0.repetition")


def test_a_truncated_table_is_named_by_bench_and_by_roi(run) -> None:
    table = run / "requests.parquet"
    os.truncate(table, table.stat().st_size - 20)
    sentence = "requests.parquet of small is missing or truncated. Restore it, or measure again."
    listed = typed(run.parent, "bench", "runs")
    assert_sentence(listed, 0)
    assert sentence in listed.stdout
    assert_sentence(typed(run.parent, "roi", "report", RUN, "--only", "00_data_quality"), 1, sentence)


def test_a_run_of_another_schema_version_is_refused_by_bench_and_by_roi(run) -> None:
    path = run / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": SCHEMA_VERSION + 1}))
    sentence = f"small has schema version {SCHEMA_VERSION + 1}, this is version {SCHEMA_VERSION}."
    listed = typed(run.parent, "bench", "runs")
    assert_sentence(listed, 0)
    assert sentence in listed.stdout
    assert_sentence(typed(run.parent, "roi", "report", RUN, "--only", "00_data_quality"), 1, sentence)


def test_a_damaged_table_of_the_right_length_hides_no_other_run_from_the_list(run) -> None:
    shutil.copytree(run, run.with_name("sound"))
    table = run / "cells.parquet"
    table.write_bytes(table.read_bytes()[:-4] + b"DUST")
    listed = typed(run.parent, "bench", "runs")
    assert_sentence(listed, 0)
    assert "sound" in listed.stdout
    assert "unreadable" in listed.stdout


def test_runs_lists_runs_and_unfinished_ones(run) -> None:
    (run.parent / ".cut").mkdir()
    (run.parent / ".cut" / "plan.json").write_text("{}")
    listed = typed(run.parent, "bench", "runs")
    assert_sentence(listed, 0)
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert "2026-11-20" in lines[RUN]
    assert "bench run --resume" in lines["cut"]


def test_schema_lists_every_table_and_column(runs) -> None:
    listed = typed(runs, "bench", "schema")
    assert_sentence(listed, 0)
    for name, table in TABLES.items():
        assert f"\n{name}: " in listed.stdout
        assert [column for column in table.schema.names if column not in listed.stdout] == []


def test_schema_as_json_has_a_meaning_for_every_column(runs) -> None:
    asked = typed(runs, "bench", "schema", "--json")
    assert_sentence(asked, 0)
    said = json.loads(asked.stdout)
    assert {name: [column["name"] for column in table["columns"]] for name, table in said.items()} == {
        name: table.schema.names for name, table in TABLES.items()
    }
    assert all(column["meaning"] for table in said.values() for column in table["columns"])


def test_doctor_names_every_toolchain_and_what_can_run(runs) -> None:
    said = typed(runs, "bench", "doctor")
    assert_sentence(said, 0)
    listed = {line.split()[0] for line in said.stdout.splitlines() if line.strip()}
    assert set(toolchains.NAMES) <= listed
    assert "Variants that can run here: " in said.stdout


@pytest.fixture
def lacks(monkeypatch) -> Iterator:
    """Let toolchains be absent from this machine."""

    def lack(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(toolchains._KINDS, name, replace(toolchains._KINDS[name], find=lambda: None))
        toolchains.find.cache_clear()

    yield lack
    monkeypatch.undo()
    toolchains.find.cache_clear()


@pytest.fixture
def bench(monkeypatch, runs, capsys):
    """Call `bench` in this process."""
    monkeypatch.setattr(paths, "RUNS", runs)
    monkeypatch.setenv("COLUMNS", "400")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), *(" ".join(text.split()) for text in printed)

    return call


def test_a_suite_of_which_no_variant_can_run_says_what_to_install(bench, lacks, runs, suite) -> None:
    lacks("go", "node", "npm")
    with pytest.raises(ToolchainMissing, match=r"go is not on this machine\. Install it with: make setup"):
        campaign.available(("go", "node"))
    code, _, err = bench("run", suite)
    assert code == 1
    assert "No variant can run here." in err
    assert "Install it with: make setup" in err
    assert [path.name for path in runs.iterdir() if path.name != ".lock"] == []


def test_a_variant_that_cannot_run_is_left_out_with_a_sentence(bench, lacks, suite, monkeypatch, runs) -> None:
    lacks("node")
    planned = []
    monkeypatch.setattr(campaign, "run", lambda folder, *tell: planned.append(campaign.read_plan(folder)) or folder)
    monkeypatch.setattr(campaign, "failures", lambda published: {})
    monkeypatch.setattr(campaign, "not_needed", lambda published: {})
    code, _, err = bench("run", suite)
    assert code == 0
    assert "node is left out. node is not on this machine. Install it with: make setup" in err
    (plan,) = planned
    assert plan.variants == ("go",)
    assert {cell.variant for cell in plan.cells} == {"go"}
    assert list(plan.left_out) == ["node"]


def test_doctor_says_what_installs_a_missing_toolchain_and_which_variants_it_costs(bench, lacks) -> None:
    lacks("cargo")
    code, out, _ = bench("doctor")
    assert code == 0
    assert "cargo missing cargo is not on this machine. Install it with: apt-get install cargo" in out
    assert "rust cannot run:" in out


def test_a_gateway_that_dies_at_start_shows_what_it_logged_last(tmp_path) -> None:
    variant = registry.variant("go")
    build(variant.gateway)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(port=port, folder=tmp_path, meters=False, live_set_mib=1)
        with GatewayProcess(variant, settings) as gateway, pytest.raises(GatewayDied) as died:
            gateway.wait_ready()
    sentence = str(died.value)
    assert sentence.startswith("go ended at start with exit code 1. Its last log lines:\n")
    assert f"127.0.0.1:{port}" in sentence
    assert "address already in use" in sentence


def test_a_gateway_that_breaks_the_contract_shows_the_case(monkeypatch, tmp_path) -> None:
    gateway = replace(registry.variant("go").gateway, name="broken")
    monkeypatch.setattr(paths, "BUILD", tmp_path)
    variant = replace(registry.variant("go"), gateway=gateway)
    right = CaseResult("answers", "health", "plain", ())
    wrong = [replace(right, name=f"case {n}", differences=(differ("status", 200, 500 + n),)) for n in range(4)]
    monkeypatch.setattr(contract.check, "check", lambda start: [right, *wrong])
    gateway.out.mkdir()
    with pytest.raises(ContractBroken) as broken:
        contract.certify(variant)
    sentence = str(broken.value)
    assert "broken broke 4 of 5 cases of the contract:" in sentence
    assert "case 0" in sentence
    assert "500" in sentence
    assert "and 1 more" in sentence
    assert "bench check broken" in sentence
    assert not (gateway.out / "certificate.json").exists()


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Give a disk of 300 KiB for runs."""
    with disks.small_disk(tmp_path / "disk", "300k") as folder:
        yield folder


def nobody_is_left(runs: Path) -> bool:
    """Give ended children the moment that the kernel needs."""
    deadline = time.monotonic() + 10
    while campaigns.left_behind(runs) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not campaigns.left_behind(runs)


def test_a_disk_that_fills_up_during_a_campaign_is_a_sentence_and_publishes_nothing(small_disk, suite) -> None:
    suite.write_text(suite.read_text().replace("duration_s = 0.2", "duration_s = 3"))
    done = campaigns.bench(small_disk, "run", str(suite), "--variant", "go", "--name", "full")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "No space left on device" in done.stderr
    assert not (small_disk / "full").exists()
    assert list((small_disk / ".full" / "cells").iterdir()) == []
    assert nobody_is_left(small_disk)
    # With room again, it goes on.
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)
    resumed = campaigns.bench(small_disk, "run", "--resume", "--name", "full")
    assert resumed.returncode == 0, resumed.stderr
    assert pq.read_table(small_disk / "full" / "cells.parquet").num_rows == 1


def test_a_full_disk_says_to_make_room(tmp_path) -> None:
    (tmp_path / "cells.parquet").symlink_to("/dev/full")
    with pytest.raises(BenchError, match=r"Writing cells.parquet failed: .*No space left.* Make room on the disk"):
        writer.write("cells", writer.from_rows("cells", []), tmp_path)


def test_a_run_compared_with_itself_shows_no_change(runs) -> None:
    done = typed(runs, "bench", "compare", "reference", "reference", "--json")
    assert_sentence(done, 0)
    found = json.loads(done.stdout)
    assert found["unlike"] == []
    assert len(found["changes"]) > 10
    assert {change["ratio"] for change in found["changes"]} == {1.0}
    assert {change["verdict"] for change in found["changes"]} <= {"no change shown", "not known: one process"}
    shown = typed(runs, "bench", "compare", "reference", "reference")
    assert "requests/s at saturation" in shown.stdout
    assert "[" in shown.stdout


def test_runs_that_are_not_there_or_not_alike_are_not_compared(runs, run) -> None:
    assert_sentence(typed(runs, "bench", "compare", "reference", "refrence"), 1, "Did you mean reference")
    assert_sentence(typed(runs, "bench", "compare", "reference", RUN), 1, "cpu model is", "Some CPU", "--unlike")
    told = typed(runs, "bench", "compare", "reference", RUN, "--unlike")
    assert_sentence(told, 0)
    assert "Unlike: cpu model is" in told.stdout


def test_a_pilot_says_how_many_processes_an_interval_takes(runs) -> None:
    done = typed(runs, "roi", "plan", "reference", "--width", "0.05")
    assert_sentence(done, 0)
    assert "processes for ± 5.0%" in done.stdout
    assert "CPU time a request" in done.stdout


def test_a_run_without_repetitions_is_no_pilot(runs, run) -> None:
    assert_sentence(typed(runs, "roi", "plan", RUN), 1, "a pilot needs them")


def test_an_excerpt_is_made_of_a_run_by_name(runs, run, tmp_path) -> None:
    assert_sentence(typed(runs, "bench", "excerpt", RUN, tmp_path / "small"), 0)
    assert manifest.read(tmp_path / "small").excerpt
    assert_sentence(typed(runs, "bench", "excerpt", RUN, tmp_path / "small"), 1, "is there already")
    assert_sentence(typed(runs, "bench", "excerpt", "smal", tmp_path / "other"), 1, "Did you mean small")
