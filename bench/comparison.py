"""Two runs against each other. The statistics are `roi`'s, which `bench` knows nothing of: a process of its own compares."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench.errors import BenchError


def compare(base: str, run: str, unlike: bool) -> dict[str, Any]:
    """Give what changed from one run to another, as `python -m roi.two_runs` says it.

    Raises
    ------
    BenchError
        There is no such run, it cannot be read, or the two are not alike and nobody insists.
    """
    command = [sys.executable, "-m", "roi.two_runs", base, run, *(["--unlike"] if unlike else [])]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode:
        raise BenchError(f"The comparison failed with exit code {told.returncode}; what it said stands above.")
    found = json.loads(told.stdout)
    if "error" in found:
        raise BenchError(found["error"])
    return found
