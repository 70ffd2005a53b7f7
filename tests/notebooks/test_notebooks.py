"""Every notebook of the catalogue over a small real run: pages, charts, findings, and figures recomputed from the parquet."""

from __future__ import annotations

import html
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pptx import Presentation

from bench.paths import ROOT
from roi.language.languages import language
from roi.language.published import translate
from roi.report import catalog
from roi.report.collect import collect
from tests.accuracy import campaigns
from tests.unit import drawn_charts

RUN = campaigns.RUN
ANALYSES = ("10_gc_pauses", "11_qps_density", "12_latency_tails", "20_recovery", "30_roi_factor")
PAGES = [page.name for page in catalog.choose(catalog.read(), ())]
NS = 1e9

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def runs(measured) -> Path:
    """Give the folder of the small run."""
    return measured


@pytest.fixture(scope="session")
def report(runs, tmp_path_factory) -> Path:
    """Give the report that the command line made of all notebooks; a busy machine fails the gate, so all cells count."""
    folder = tmp_path_factory.mktemp("report") / RUN
    done = subprocess.run(
        [sys.executable, "-c", "from roi.cli import main; main()", "report", RUN, "-p", "all_cells=true", "--out", folder],
        # Images have tests of their own.
        cwd=ROOT, env=os.environ | {"BENCH_RUNS": str(runs), "BROWSER_PATH": "no-such-browser"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (folder / "status.json").is_file(), done.stderr
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def findings(report) -> dict[str, dict[str, object]]:
    """Give the findings of the report by id."""
    return {row["id"]: row for row in pq.read_table(report / "findings.parquet").to_pylist()}


def cell(runs: Path, variant: str, scenario: str) -> dict[str, object]:
    """Give the one cell of a variant under a scenario."""
    rows = pq.read_table(runs / RUN / "cells.parquet").to_pylist()
    (found,) = [row for row in rows if (row["variant"], row["scenario"]) == (variant, scenario)]
    return found


def answered(runs: Path, of: dict[str, object]) -> int:
    """Count the requests of a cell that were intended in its measured window and answered with 2xx."""
    table = pq.read_table(runs / RUN / "requests.parquet", columns=["cell_id", "intended_ns", "outcome"])
    cell_id, intended, outcome = (np.asarray(table[name].to_pylist()) for name in table.column_names)
    inside = (intended >= of["measure_start_ns"]) & (intended < of["measure_end_ns"])
    return int(np.count_nonzero(inside & (cell_id == of["cell_id"]) & (outcome == "ok")))


def text_of(fragment: str) -> str:
    """Give what a reader sees of HTML."""
    seen = re.sub(r"<(script|style)\b.*?</\1>", " ", fragment, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", seen)).split())


def results(report: Path, page: str, mimetype: str) -> list[str]:
    """Give what the cells of an executed notebook gave as their value."""
    cells = json.loads((report / "notebooks" / f"{page}.ipynb").read_text())["cells"]
    outputs = [
        output for cell in cells for output in cell.get("outputs", ()) if output["output_type"] == "execute_result"
    ]
    return ["".join(output["data"][mimetype]) for output in outputs if mimetype in output["data"]]


def unmarked(markdown: str) -> str:
    return re.sub(r"(?m)^- |[*`]", "", markdown)


def squeezed(text: str) -> str:
    """Give text without spaces: a mark-up's end is a space to `text_of` and none to a reader."""
    return "".join(text.split())


def test_every_notebook_of_the_catalogue_is_ok(report) -> None:
    said = json.loads((report / "status.json").read_text())["notebooks"]
    assert {name: (page["status"], page["sentence"]) for name, page in said.items()} == dict.fromkeys(PAGES, ("ok", ""))


def test_a_page_that_is_made_on_request_compares_two_runs(runs, tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from roi.cli import main; main()", "report", RUN, "--only", "16_two_runs", "-p", f"base={RUN}",
         "--out", tmp_path / RUN],
        cwd=ROOT, env=os.environ | {"BENCH_RUNS": str(runs), "BROWSER_PATH": "no-such-browser"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = text_of((tmp_path / RUN / "16_two_runs.html").read_text())
    assert squeezed(f"No change is shown from {RUN} to {RUN}") in squeezed(said)


@pytest.mark.parametrize("page", ANALYSES)
def test_a_page_draws_a_chart_and_records_a_finding(report, page) -> None:
    found = collect(report / "notebooks" / f"{page}.ipynb")
    assert found.charts
    assert found.findings
    written = text_of((report / f"{page}.html").read_text())
    for spec in found.charts.values():
        assert spec.title in written
        assert (report / "charts" / f"{page}-{spec.id}.csv").is_file()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_page_shows_the_verdict_of_its_notebook(report, page) -> None:
    verdicts = [unmarked(said) for said in results(report, page, "text/markdown")]
    assert verdicts, "a notebook says in its first result what it has found"
    written = squeezed(text_of((report / f"{page}.html").read_text()))
    for verdict in verdicts:
        assert squeezed(verdict) in written


@pytest.mark.parametrize(
    "page", ["00_data_quality", "10_gc_pauses", "11_qps_density", "12_latency_tails", "20_recovery"]
)
def test_a_page_shows_every_row_of_its_notebooks_tables(report, page) -> None:
    tables = [table for table in results(report, page, "text/html") if "<tr" in table]
    assert tables, "the notebook shows a table"
    written = squeezed(text_of((report / f"{page}.html").read_text()))
    for table in tables:
        rows = [squeezed(text_of(row)) for row in re.findall(r"<tr\b.*?</tr>", table, flags=re.DOTALL)]
        assert len(rows) > 1, "a heading and a row"
        assert [row for row in rows if row not in written] == []


@pytest.mark.parametrize("variant", ["go", "node"])
def test_capacity_is_the_requests_answered_in_the_window_over_its_length(runs, findings, variant) -> None:
    saturated = cell(runs, variant, "saturate")
    seconds = (saturated["measure_end_ns"] - saturated["measure_start_ns"]) / NS
    found = findings[f"capacity_{variant}"]
    assert found["value"] == pytest.approx(answered(runs, saturated) / seconds, rel=1e-9)
    assert (found["unit"], found["n"], found["lo"], found["hi"]) == ("requests/s", 1, None, None)


@pytest.mark.parametrize("variant", ["go", "node"])
def test_a_request_costs_the_cpu_time_of_the_window_over_its_requests(runs, findings, variant) -> None:
    steady = cell(runs, variant, "steady")
    found = findings[f"cpu_a_request_{variant}_at_300"]
    assert found["value"] == pytest.approx(steady["gateway_cpu_ns"] / 1000 / answered(runs, steady), rel=1e-9)
    assert found["unit"] == "us"


@pytest.mark.parametrize("variant", ["go", "node"])
def test_p99_is_that_of_the_ordered_response_times_of_the_window(runs, findings, variant) -> None:
    steady = cell(runs, variant, "steady")
    columns = ["cell_id", "intended_ns", "schedule_lag_ns", "service_time_ns", "outcome"]
    rows = [
        row
        for row in pq.read_table(runs / RUN / "requests.parquet", columns=columns).to_pylist()
        if row["cell_id"] == steady["cell_id"]
        and steady["measure_start_ns"] <= row["intended_ns"] < steady["measure_end_ns"]
    ]
    assert {row["outcome"] for row in rows} == {"ok"}
    response_ns = sorted(row["schedule_lag_ns"] + row["service_time_ns"] for row in rows)
    found = findings[f"response_p99_{variant}_at_300"]
    assert found["value"] == pytest.approx(response_ns[math.ceil(0.99 * len(rows)) - 1] / 1e6, rel=1e-12)
    assert (found["unit"], found["n"], found["lo"], found["hi"]) == ("ms", 1, None, None)
    lag = findings[f"lag_share_{variant}_at_300"]
    assert lag["value"] == pytest.approx(sum(row["schedule_lag_ns"] for row in rows) / sum(response_ns), rel=1e-12)


def test_the_page_of_tails_hides_p999_and_says_why(report) -> None:
    written = text_of((report / "12_latency_tails.html").read_text())
    assert "p99.9 is hidden for go and node: it takes 100,000 requests of a process" in written
    assert "Proofs of the load generator were not made on the machine of this run" in written
    assert "Closed loops are on none of these axes" in written


@pytest.mark.parametrize("variant", ["go", "node"])
def test_the_ceiling_of_the_day_stands_beside_the_throughput(runs, report, variant) -> None:
    share = cell(runs, variant, "saturate")["ceiling_share"]
    rows = (report / "charts" / "11_qps_density-capacity.csv").read_text().splitlines()
    named = [dict(zip(rows[0].split(","), row.split(","), strict=True)) for row in rows[1:]]
    (headroom,) = [float(row["headroom"]) for row in named if row["variant"] == variant]
    assert headroom == pytest.approx(1 - share, rel=1e-9)


@pytest.mark.parametrize("variant", ["go", "node"])
def test_recovery_runs_from_the_fault_to_the_service_that_lasted(runs, findings, variant) -> None:
    cell_id = cell(runs, variant, "recovery")["cell_id"]
    (fault,) = [row for row in pq.read_table(runs / RUN / "faults.parquet").to_pylist() if row["cell_id"] == cell_id]
    assert not fault["censored"]
    found = findings[f"recovery_sigkill_aggressive_{variant}"]
    assert found["value"] == pytest.approx((fault["sustained_ns"] - fault["inject_ns"]) / NS, rel=1e-9)


def test_the_gate_is_told_as_the_parquet_has_it(runs, findings) -> None:
    passed = pq.read_table(runs / RUN / "cells.parquet")["gate_passed"].to_pylist()
    assert (findings["cells_measured"]["value"], findings["cells_passed_the_gate"]["value"]) == (6, sum(passed))


def test_the_first_page_shows_every_finding_that_answers_a_claim(report, findings) -> None:
    written = text_of((report / "index.html").read_text())
    claimed = [found["claim_says"] for found in findings.values() if found["claim_says"]]
    assert claimed
    assert [says for says in claimed if says.lower() not in written.lower()] == []


def test_a_notebook_runs_from_papermills_own_command_line(runs, findings, tmp_path) -> None:
    out = tmp_path / "out.ipynb"
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/11_qps_density.ipynb", out, "-p", "run", RUN, "-p", "all_cells", "True",
         "--no-progress-bar"],
        cwd=ROOT, env=os.environ | {"BENCH_RUNS": str(runs)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    by_hand = {found.id: found.value for found in collect(out).findings}
    assert by_hand["capacity_go"] == findings["capacity_go"]["value"]


def test_the_notebooks_in_the_repository_stay_as_they_were(report) -> None:
    for notebook in catalog.NOTEBOOKS.glob("*.ipynb"):
        assert '"output_type"' not in notebook.read_text(), notebook.name


def test_every_chart_of_the_deck_holds_the_rows_of_its_csv_and_of_its_notebook(report) -> None:
    drawn = drawn_charts.charts((report / "deck.pptx").read_bytes())
    assert len(drawn) >= 8
    for name, shape in drawn.items():
        page = next(page for page in PAGES if name.startswith(f"{page}-"))
        spec = collect(report / "notebooks" / f"{page}.ipynb").charts[name.removeprefix(f"{page}-")]
        cells = drawn_charts.cells(shape)
        for formula, values in drawn_charts.references(shape):
            assert values == drawn_charts.at(cells, formula), (name, formula)
        in_columns = spec.kind in ("bars", "stacked_bars") and spec.series
        columns = (
            [spec.x, spec.series, spec.y]
            if in_columns
            else [c for c in dict.fromkeys((spec.series, spec.x, spec.y, spec.lo, spec.hi)) if c]
        )
        rows = drawn_charts.sort(drawn_charts.plotted(shape, columns, tuple(columns) if in_columns else None))
        assert rows == drawn_charts.sort(drawn_charts.of_csv(report / "charts" / f"{name}.csv", columns)), name
        told = [
            tuple(None if pd.isna(one) else one for one in row) for row in spec.data[columns].itertuples(index=False)
        ]
        assert rows == drawn_charts.sort(
            [tuple(one if isinstance(one, str | None) else float(one) for one in row) for row in told]
        ), name


def test_the_deck_answers_with_the_headline_of_the_first_page_and_says_where_it_was_measured(runs, report) -> None:
    slides = [drawn_charts.texts(slide) for slide in Presentation(str(report / "deck.pptx")).slides]
    headline = re.search(r"<h1>(.*?)</h1>", (report / "index.html").read_text())[1]
    assert html.unescape(headline) in slides[1]
    assert any(RUN in text for text in slides[0])
    cpu = json.loads((runs / RUN / "manifest.json").read_text())["machine"]["cpu_model"]
    assert any(cpu in text for text in slides[0])


def test_every_text_of_the_report_has_its_chinese(report) -> None:
    chinese = language("zh")
    assert [*translate(report, chinese)] == ["index", *PAGES, "deck"]
    names = (RUN, f"run {RUN}", "'no-such-browser'")
    missing = [text for text in chinese.untranslated if text not in names]
    assert missing == [], "add what `python -m roi.language REPORT` prints to a file of roi/language/zh"
