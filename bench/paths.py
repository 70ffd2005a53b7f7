"""Where things are in a checkout."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"
GATEWAYS = BENCH / "gateways"
CONTRACT = GATEWAYS / "contract"
SCENARIOS = BENCH / "scenarios"
SUITES = BENCH / "suites"
BUILD = ROOT / "build"
DATA = ROOT / "data"
RUNS = Path(os.environ.get("BENCH_RUNS") or DATA / "runs")
"""Where runs are; BENCH_RUNS puts them on another disk."""
