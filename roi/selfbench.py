"""How fast the suite itself is: `make selfbench`.

Three things that its users wait for: the load engine (`bench calibrate` has `wrk` and Locust's own users beside it), the tables
behind each notebook on a synthetic run of a hundred million requests (beside one bare DuckDB aggregate over the same columns of the
same parquet, in the same minutes), and the whole report of the reference run.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import nbformat
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from bench.store import manifest, writer
from bench.store.histograms import histograms_table
from bench.store.schema import TABLES
from roi import data
from roi.errors import RoiError
from roi.report import catalog

REQUESTS = 100_000_000
RUNS = 3
"""Times that each page is run; medians count."""
MOST_RATIO, MOST_GIB = 1.5, 2.0
"""What the tables of a page may take at most: times the bare aggregate, and memory."""
_OF_REQUESTS = re.compile(r"\b(requests|measured|compared|histograms)\b")
_IN_HISTOGRAMS = frozenset({"schedule_lag_ns", "service_time_ns", "outcome", "queued"})
"""What the histograms of a run are of."""
_DERIVED = {"response_time_ns": ("schedule_lag_ns", "service_time_ns")}
_SEED = 7
_KIB_A_GIB = 1 << 20


@dataclass(frozen=True)
class Timed:
    """One page on the synthetic run."""

    page: str
    queries: int
    """Of the page that read requests, or their histograms."""
    ours_s: float
    """Sum of their times, median over runs."""
    bare_s: float
    """Time of one aggregate over the same columns of the requests, median over as many runs in between."""
    peak_gib: float
    """Most memory that the process ever held, with all of Python in it."""

    @property
    def ratio(self) -> float:
        """Ours over bare."""
        return self.ours_s / self.bare_s


def synthetic(source: Path, target: Path, requests: int = REQUESTS) -> Path:
    """Write a run that is like another in every table but that of requests, which has so many; gives its folder.

    They are spread evenly over the cells of open loops at a fixed rate, in their measured windows; response times are exponential.
    """
    said = manifest.read(source)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("requests.parquet"))
    cells = [c for c in writer.read("cells", source / "cells.parquet").to_pylist() if c["scenario"] == "steady"]
    if not cells:
        raise RoiError(f"{said.run} has no steady load to make more requests of: give a run that has.")
    shares = np.diff(np.linspace(0, requests, len(cells) + 1).astype(int))
    made = [cell["cell_id"] for cell in cells]
    others = writer.read("histograms", source / "histograms.parquet")
    histograms = [others.filter(pc.invert(pc.is_in(others["cell_id"].cast(pa.string()), pa.array(made))))]
    writer.gather("requests", _written(cells, shares.tolist(), histograms), target)
    writer.gather("histograms", histograms, target)
    manifest.rewrite(target, said, synthetic=True)
    return target


def _written(cells: list[dict[str, Any]], counts: list[int], histograms: list[pa.Table]) -> Iterator[pa.Table]:
    """Give the made-up requests of each cell, and add their histograms to a list."""
    random = np.random.default_rng(_SEED)
    for cell, count in zip(cells, counts, strict=True):
        requests = _requests(cell, count, random)
        window_ns = cell["measure_start_ns"], cell["measure_end_ns"]
        histograms.append(histograms_table(requests, cell["cell_id"], window_ns, stops=None))
        yield requests


def _requests(cell: dict[str, Any], count: int, random: np.random.Generator) -> pa.Table:
    schema = TABLES["requests"].schema
    span_ns = cell["measure_end_ns"] - cell["measure_start_ns"]
    same = {"cell_id": cell["cell_id"], "name": "/route", "outcome": "ok"}
    nothing = pa.array(np.zeros(count, np.int32))
    labels = {name: pa.DictionaryArray.from_arrays(nothing, pa.array([value])) for name, value in same.items()}
    columns = {
        "worker": np.zeros(count, np.int16),
        "connection": random.integers(0, 64, count, np.int32),
        "intended_ns": cell["measure_start_ns"] + np.sort(random.integers(0, span_ns, count)),
        "schedule_lag_ns": random.exponential(30_000, count).astype(np.int64),
        "queued": np.zeros(count, bool),
        "service_time_ns": 50_000 + random.exponential(200_000, count).astype(np.int64),
        "status": np.full(count, 200, np.int16),
        "censored": np.zeros(count, bool),
        "received_bytes": np.full(count, 420, np.int32),
    }
    arrays = labels | {name: pa.array(values) for name, values in columns.items()}
    return pa.table([arrays[name] for name in schema.names], schema=schema)


@contextlib.contextmanager
def _timing() -> Iterator[list[tuple[str, float]]]:
    """Give the queries of runs with the seconds that each took, as long as a `with` block lasts."""
    asked: list[tuple[str, float]] = []
    query = data.Run.query

    def timed(run: data.Run, sql: str, parameters: dict[str, Any] | None = None) -> Any:
        began = time.perf_counter()
        answer = query(run, sql, parameters)
        asked.append((sql, time.perf_counter() - began))
        return answer

    data.Run.query = timed
    try:
        yield asked
    finally:
        data.Run.query = query


def time_page(name: str, run: Path) -> Timed:
    """Run the code of a page again and again, each time beside the bare aggregate."""
    notebook = nbformat.read(catalog.read()[name].notebook, as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    ours, bare, columns, queries = [], [], frozenset(), 0
    for _ in range(RUNS):
        with _timing() as asked, contextlib.redirect_stdout(io.StringIO()):
            namespace: dict[str, Any] = {}
            for number, source in enumerate(code):
                exec(compile(source, name, "exec"), namespace)
                namespace |= {"run": str(run)} if number == 0 else {}
        of_requests = [(sql, seconds) for sql, seconds in asked if _OF_REQUESTS.search(sql)]
        columns, queries = frozenset().union(*(_columns(sql) for sql, _ in of_requests)), len(of_requests)
        ours.append(sum(seconds for _, seconds in of_requests))
        bare.append(_bare(run, columns))
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_A_GIB
    return Timed(name, queries, statistics.median(ours), statistics.median(bare), peak_gib)


def _columns(sql: str) -> frozenset[str]:
    """Give the columns of requests that a query reads, or that its histograms are of, and those of the view's own conditions."""
    words = set(re.findall(r"\w+", sql))
    words |= {part for name, parts in _DERIVED.items() if name in words for part in parts}
    words |= _IN_HISTOGRAMS if "histograms" in words else set()
    return frozenset({*TABLES["requests"].schema.names} & words) | {"cell_id", "intended_ns"}


def _bare(run: Path, columns: frozenset[str]) -> float:
    most = ", ".join(f"max({name})" for name in sorted(columns - {"cell_id"}))
    began = time.perf_counter()
    duckdb.connect().execute(
        f"select cell_id, count(*), {most} from read_parquet('{run / 'requests.parquet'}') group by cell_id"
    ).df()
    return time.perf_counter() - began


def report_s() -> float:
    """Give how long the report of the reference run takes, in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [sys.executable, "-m", "roi", "report", data.REFERENCE, "--out", f"{folder}/report", "--json"],
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
    return float(json.loads(told.stdout)["seconds"]["whole"])


def main() -> None:
    """Measure everything and print it; with `page NAME RUN`, one page alone, as JSON."""
    if sys.argv[1:2] == ["page"]:
        print(json.dumps(asdict(time_page(sys.argv[2], Path(sys.argv[3])))))
        return
    say = Console(stderr=True, highlight=False).print
    say("The load engine beside its peers, six minutes")
    told = subprocess.run([sys.executable, "-m", "bench", "calibrate", "--json"], stdout=subprocess.PIPE, check=True)
    engine = json.loads(told.stdout)
    with tempfile.TemporaryDirectory() as folder:
        say(f"A synthetic run of {REQUESTS:,} requests")
        run = synthetic(data.find_run(data.REFERENCE), Path(folder) / "synthetic")
        pages = [_page(page.name, run, say) for page in catalog.choose(catalog.read(), ())]
    say("The report of the reference run")
    _show(engine, [page for page in pages if page.queries], report_s())


def _page(name: str, run: Path, say: Any) -> Timed:
    """Time a page in a process of its own, whose memory is nobody else's."""
    say(f"  {name}")
    told = subprocess.run(
        [sys.executable, "-m", "roi.selfbench", "page", name, run], stdout=subprocess.PIPE, check=True
    )
    return Timed(**json.loads(told.stdout))


def _show(engine: dict[str, Any], pages: list[Timed], whole_report_s: float) -> None:
    table = Table("what", "measured", "asked for", box=None, pad_edge=False)
    table.add_row("engine over wrk -t1, null server", f"{engine['wrk_ratio'] or float('nan'):.2f}", "0.95 or more")
    table.add_row("engine over FastHttpUser", f"{engine['fasthttp_ratio']:.1f}", "12 or more")
    for name, ratio in engine["gateways"].items():
        table.add_row(f"capacity of {name} over wrk's", "no wrk" if ratio is None else f"{ratio:.2f}", "0.97 or more")
    table.add_row("schedule lag p99 at 30,000/s", f"{engine['lag_p99_us']:.0f} µs", "200 µs or less")
    for page in pages:
        table.add_row(
            f"{page.page}: {page.queries} queries over a bare aggregate",
            f"{page.ratio:.2f} ({page.ours_s:.1f} s over {page.bare_s:.1f} s), {page.peak_gib:.1f} GiB",
            f"{MOST_RATIO:g}, {MOST_GIB:g} GiB",
        )
    table.add_row("report of the reference run", f"{whole_report_s:.0f} s", "75 s")
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
