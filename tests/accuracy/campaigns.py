"""Small real campaigns in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.calibrate import Calibration
from bench.paths import ROOT
from bench.prove import certificate

SUITE = """
name = "small"
purpose = "indicative"
summary = "for tests"
seed = 11
variants = [{variants}]
memory_budget_mib = 256
live_set_mib = 4

[[load]]
scenario = "steady"
rates_per_s = [300]
warm_up_s = 0.3
duration_s = 0.5
connections = 16
repetitions = {repetitions}

[[load]]
scenario = "saturate"
warm_up_s = 0.3
duration_s = 0.4
connections = 8
repetitions = {repetitions}
"""

RUN = "small"
"""The run that `measured` gives."""
RECOVERY = """
[[recovery]]
faults = ["sigkill"]
policy = "aggressive"
horizon_s = 15
baseline_s = 1
sustain_s = 1
repetitions = 1
"""


def write_suite(folder: Path, *variants: str, repetitions: int = 1) -> Path:
    """Write a suite of a few cells of about two seconds each."""
    path = folder / "small.toml"
    path.write_text(SUITE.format(variants=", ".join(f'"{v}"' for v in variants), repetitions=repetitions))
    return path


def keep_ceiling(runs: Path, workers: int = 1) -> None:
    """Have a ceiling of the generator stand there for today: to measure it takes longer than what is tested."""
    ceiling = Calibration(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"), machine=certificate.this_machine(),
        code=certificate.code("load"), workers=workers, ceiling_rps=1e6, runs={},
    )  # fmt: skip
    certificate.keep(runs / ".certificates" / "calibration.json", asdict(ceiling))


def environment(runs: Path) -> dict[str, str]:
    """Give an environment whose runs go to a folder of their own; it marks every process of the campaign."""
    if not (runs / ".certificates").exists():
        keep_ceiling(runs)
    return os.environ | {"BENCH_RUNS": str(runs)}


def start(runs: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `bench` as a user does."""
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, env=environment(runs), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def bench(runs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `bench` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments], cwd=ROOT, env=environment(runs), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def published(runs: Path) -> list[str]:
    """Give the names of what campaigns published in this folder, in order."""
    return sorted(path.name for path in runs.iterdir() if not path.name.startswith("."))


def left_behind(runs: Path) -> list[str]:
    """Give the command lines of processes that belong to campaigns of this folder."""
    mark = f"BENCH_RUNS={runs}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found
