"""The bench of the suite itself, on a synthetic run that is small."""

from __future__ import annotations

import pytest

from bench.store import manifest
from roi import data, selfbench
from roi.data import open_run
from roi.errors import RoiError
from tests.notebooks.written_run import WrittenCell, write


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    return selfbench.synthetic(data.find_run("reference"), tmp_path_factory.mktemp("made") / "synthetic", 30_000)


def test_a_synthetic_run_has_as_many_requests_as_asked_for_all_in_measured_windows(synthetic):
    run = open_run(str(synthetic))
    assert run.query("select count(*) as n from requests")["n"].item() == 30_000
    assert run.query("select count(*) as n from measured")["n"].item() == 30_000
    assert manifest.read(synthetic).synthetic


def test_a_page_is_timed_beside_an_aggregate_over_the_columns_that_it_reads(synthetic, monkeypatch):
    monkeypatch.setattr(selfbench, "RUNS", 1)
    query = data.Run.query
    timed = selfbench.time_page("12_latency_tails", synthetic)
    assert timed.queries > 2
    assert timed.ratio == timed.ours_s / timed.bare_s > 0
    assert timed.peak_gib > 0.05
    assert data.Run.query is query


def test_the_columns_of_a_query_are_those_that_it_names_and_those_behind_them():
    assert selfbench._columns("select max(response_time_ns) from measured where outcome = 'ok'") == {
        "schedule_lag_ns", "service_time_ns", "outcome", "cell_id", "intended_ns",
    }  # fmt: skip


def test_a_run_without_steady_load_is_no_source(tmp_path):
    source = write(
        tmp_path / "source", [WrittenCell("a", scenario="saturate", traffic_model="closed", rate_per_s=None)]
    )
    with pytest.raises(RoiError, match="no steady load"):
        selfbench.synthetic(source, tmp_path / "made", 10)
