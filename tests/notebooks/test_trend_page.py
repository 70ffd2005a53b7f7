"""The page over the runs of one machine, made by the command line from eight runs that are written down."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bench.paths import ROOT
from roi.report.collect import collect
from tests.notebooks.written_run import write
from tests.unit.test_comparison_studies import saturated, steady

PAGE = "17_trend"


@pytest.fixture(scope="module")
def nights(tmp_path_factory) -> Path:
    """Give the folder of eight runs that differ by 1 %, in the last three of which go answers 15 % fewer; one has no like."""
    folder, drawn = tmp_path_factory.mktemp("nights"), random.Random(7)
    for night in range(1, 9):
        cells = []
        for variant, rate in (("go", 1_000 if night < 6 else 850), ("rust", 2_000)):
            level = rate * drawn.gauss(1.0, 0.01)
            cells += [saturated(f"s-{variant}-{k}", variant, round(level * drawn.gauss(1.0, 0.005))) for k in range(3)]
            cells += [steady(f"t-{variant}-{k}", variant, round(40 * drawn.gauss(1.0, 0.02))) for k in range(3)]
        write(
            folder / f"night-{night}",
            cells,
            run=f"night-{night}",
            started_at=f"2026-11-{night:02d}T01:00:00+00:00",
            seed=night,
        )
    elsewhere = {"machine": {"cpu_model": "Another CPU", "processors": 2}}
    write(folder / "elsewhere", cells, run="elsewhere", started_at="2026-11-09T01:00:00+00:00", **elsewhere)
    return folder


def roi(nights: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from roi.cli import main; main()", *map(str, arguments)],
        cwd=ROOT, env=os.environ | {"BENCH_RUNS": str(nights), "BROWSER_PATH": "no-such-browser", "ROI_KEPT": str(nights / "kept")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(nights, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "night-8"
    done = roi(nights, "report", "night-8", "--only", PAGE, "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_page_tells_the_one_step_in_its_chart_and_its_findings(report) -> None:
    charts = collect(report / "notebooks" / f"{PAGE}.ipynb").charts
    assert [spec.title for spec in charts.values()] == [
        "Requests/s at saturation of go fell by 15% between night-5 and night-6; no other change is shown",
        "No change of CPU time a request at equal load is shown over 8 runs",
        "No change of p99 response time at equal load is shown over 8 runs",
    ]
    found = {row["id"]: row for row in pq.read_table(report / "findings.parquet").to_pylist()}
    assert (found["runs_compared"]["value"], found["changes"]["value"]) == (8, 1)
    change = found["change_saturation_go_night-6"]
    assert change["lo"] < 0.85 < change["hi"]
    assert change["run"] == "night-8"


def test_a_run_of_another_machine_is_on_the_page_with_the_reason_and_in_no_chart(report) -> None:
    assert "cpu model is Some CPU and Another CPU" in (report / f"{PAGE}.html").read_text()
    assert all("elsewhere" not in path.read_text() for path in (report / "charts").glob("*.csv"))


def test_what_the_page_says_is_what_its_runs_give_again(nights, report) -> None:
    done = roi(nights, "verify", report)
    assert done.returncode == 0, done.stdout + done.stderr


def test_of_runs_that_are_named_no_others_are_compared(nights, tmp_path) -> None:
    done = roi(nights, "report", "night-3", "--only", PAGE, "-p", "runs=night-1,night-2", "--out", tmp_path / "few")
    assert done.returncode == 0, done.stderr
    found = {row["id"]: row for row in pq.read_table(tmp_path / "few" / "findings.parquet").to_pylist()}
    assert (found["runs_compared"]["value"], found["changes"]["value"]) == (3, None)
    assert found["changes"]["note"] == "not known: 3 runs are too few to tell, 6 are needed"
