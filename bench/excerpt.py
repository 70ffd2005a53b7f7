"""An excerpt of a run, small enough to be kept with code: all of its tables, but of its requests those alone that are asked for.

Most rows of a run are of cells that only count them, as fast as answers come, and of warm-ups. What those come to is in the
tables `cells`, `histograms`, `windows` and `steps`; what their single requests were is left behind.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.errors import BenchError
from bench.store import manifest, writer
from bench.store.schema import TABLES

COUNTED = ("saturate", "scalability", "capacity")
"""Scenarios whose single requests nothing asks for."""
SAYS = (
    f"requests of the scenarios {', '.join(COUNTED)}, and those of warm-ups, are not in the table of requests; the tables cells,"
    " histograms, windows and steps count them"
)


def excerpt(run: Path, target: Path) -> Path:
    """Write an excerpt of a published run; gives its folder.

    Raises
    ------
    RunUnreadable
        There is no such run, or a table is damaged.
    BenchError
        The target is there already.
    """
    said = manifest.read(run)
    if target.exists():
        raise BenchError(f"{target} is there already. Give another place, or remove it.")
    unfinished = target.with_name(f".{target.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(run, unfinished, ignore=shutil.ignore_patterns("requests.parquet"))
    cells = writer.read("cells", run / "cells.parquet").select(["cell_id", "scenario", "measure_start_ns"]).to_pylist()
    since_ns = {c["cell_id"]: c["measure_start_ns"] for c in cells if c["scenario"] not in COUNTED}
    writer.gather("requests", _kept(run / "requests.parquet", since_ns), unfinished)
    manifest.rewrite(unfinished, said, excerpt=SAYS)
    unfinished.rename(target)
    return target


def _kept(path: Path, since_ns: dict[str, int | None]) -> Iterator[pa.Table]:
    """Give the rows of some cells from an instant on, a row group at a time; of a cell without a window all rows."""
    file = pq.ParquetFile(path)
    for number in range(file.num_row_groups):
        group = file.read_row_group(number).cast(TABLES["requests"].schema).combine_chunks()
        labels = group["cell_id"].combine_chunks()
        never = np.iinfo(np.int64).max
        from_ns = np.array([since_ns.get(name, never) or 0 for name in labels.dictionary.to_pylist()], np.int64)
        kept = group["intended_ns"].to_numpy() >= from_ns[labels.indices.to_numpy()]
        yield group.filter(pa.array(kept))
