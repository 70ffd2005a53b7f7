"""Judging a run again: the gate of this release over the evidence that the run holds.

The evidence is columns of `cells` and stays as it is; what is judged by it may change with a release. The reasons of workers that
were lost are not in those columns, so only runs of one worker can be judged again.
"""

from __future__ import annotations

from pathlib import Path

from bench import gate
from bench.errors import BenchError
from bench.scenario import SCENARIOS
from bench.store import manifest, writer


def judge(run: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Judge the loads of a published run again, in place; gives by cell whose verdict changed the reasons before and after.

    Raises
    ------
    RunUnreadable
        The run cannot be read, or is of another schema version.
    BenchError
        It had several workers.
    """
    said = manifest.read(run)
    if said.generator_workers > 1:
        raise BenchError(
            f"{said.run} had {said.generator_workers} workers, whose losses no column tells: measure again."
        )
    rows = writer.read("cells", run / "cells.parquet").to_pylist()
    changed = {}
    for row in rows:
        if row["scenario"] not in SCENARIOS or row["failure"] is not None:
            continue
        why = gate.reasons(row)
        if why != row["gate_reasons"]:
            changed[row["cell_id"]] = (row["gate_reasons"], why)
        row |= {"gate_passed": not why, "gate_reasons": why}
    if changed:
        writer.write("cells", writer.from_rows("cells", rows), run)
        manifest.rewrite(run, said, gate=gate.asked())
    return changed
