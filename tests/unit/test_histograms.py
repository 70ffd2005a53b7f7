"""Histograms of how long requests took: what is in a bucket, and which quantiles come of it."""

import numpy as np
import pyarrow as pa
import pytest

from bench.intervals import Intervals
from bench.store.histograms import DIGITS, at_least_ns, histograms_table
from bench.store.loads import REQUESTS
from roi.statistics.quantiles import quantiles_of_buckets

MS = 1_000_000
WINDOW = (1_000 * MS, 2_000 * MS)


def request(intended_ms, service_ms=1.0, lag_ms=0.0, outcome="ok", queued=False):
    sent = service_ms is not None
    return {
        "cell_id": "c", "worker": 0, "connection": 0 if sent else None, "name": "/a", "intended_ns": round(intended_ms * MS),
        "schedule_lag_ns": round(lag_ms * MS), "queued": queued, "service_time_ns": round(service_ms * MS) if sent else None,
        "status": 200 if outcome == "ok" else None, "outcome": outcome, "censored": outcome in ("timeout", "unsent"),
        "received_bytes": 10 if sent else None,
    }  # fmt: skip


def histogram(*rows, stops=None):
    made = histograms_table(pa.Table.from_pylist(list(rows), schema=REQUESTS.schema), "c", WINDOW, stops)
    return made.to_pandas()


def test_small_times_have_a_bucket_each_and_large_ones_share_buckets_of_the_same_relative_width():
    assert at_least_ns(np.arange(256)).tolist() == list(range(256))
    assert at_least_ns(np.array([256, 257, 258, 1_000_000, 1_003_519, 1_003_520])).tolist() == [
        256, 256, 258, 999_424, 999_424, 1_003_520,
    ]  # fmt: skip


def test_a_bucket_is_never_wider_than_its_share_of_its_lower_end():
    times = np.unique(np.geomspace(1, 1e15, 100_000).astype(np.int64))
    low = at_least_ns(times)
    assert (low <= times).all()
    assert (times - low < np.maximum(low / 2**DIGITS, 1)).all()
    assert (at_least_ns(low) == low).all()


def test_each_request_of_the_window_is_counted_once_by_each_of_its_times():
    found = histogram(
        request(999.9),  # warm-up
        request(1_000, service_ms=2, lag_ms=3),
        request(1_500, service_ms=2, lag_ms=3),
        request(1_600, service_ms=None, lag_ms=400, outcome="unsent", queued=True),
        request(2_000),  # after the window
    )
    key = ["time", "outcome", "queued"]
    assert {tuple(row[key]): (row["count"], row["sum_ns"] / MS) for _, row in found.iterrows()} == {
        ("response", "ok", False): (2, 10.0),
        ("response", "unsent", True): (1, 400.0),
        ("service", "ok", False): (2, 4.0),
        ("lag", "ok", False): (2, 6.0),
        ("lag", "unsent", True): (1, 400.0),
    }


def test_a_request_met_a_stop_when_the_time_from_its_intended_instant_to_its_answer_shares_some_with_it():
    stops = Intervals(np.array([1_100 * MS]), np.array([1_110 * MS]))
    found = histogram(
        request(1_099, service_ms=2),  # into it
        request(1_105, service_ms=1),  # within it
        request(1_090, service_ms=5, lag_ms=6),  # sent before it and late
        request(1_095, service_ms=5),  # answered as it begins
        request(1_110, service_ms=5),  # due as it ends
        stops=stops,
    )
    response = found[found["time"] == "response"]
    assert response.groupby("stopped")["count"].sum().to_dict() == {True: 3, False: 2}
    assert found.loc[found["time"] != "response", "stopped"].isna().all()


def test_without_a_record_of_stops_it_is_not_known_who_met_one():
    assert histogram(request(1_500))["stopped"].isna().all()


def test_a_load_without_requests_has_no_histogram():
    assert len(histogram()) == 0


def test_quantiles_of_buckets_are_those_of_their_members():
    random = np.random.default_rng(1)
    times = (random.lognormal(13, 1, 10_000)).astype(np.int64)
    low = at_least_ns(times)
    buckets = np.unique(low)
    means, counts = [times[low == b].mean() for b in buckets], [(low == b).sum() for b in buckets]
    quantiles = [0.001, 0.5, 0.9, 0.99, 0.999, 1.0]
    least, most = quantiles_of_buckets(means, counts, np.zeros(len(buckets)), quantiles)
    exact = np.quantile(times, quantiles, method="inverted_cdf")
    assert least == pytest.approx(exact, rel=2.0**-DIGITS)
    assert (least == most).all()


def test_what_is_open_ended_makes_a_quantile_a_bound():
    # 1, 2, 3 and 4 ms; the one of 2 ms was given up and may be anything above it.
    least, most = quantiles_of_buckets([1, 2, 3, 4], [1, 1, 1, 1], [0, 1, 0, 0], [0.25, 0.5, 0.75, 1.0])
    assert least.tolist() == [1, 2, 3, 4]
    assert most.tolist() == [1, 3, 4, np.inf]


def test_a_share_of_a_number_that_a_float_cannot_hold_is_the_whole_number_that_it_is():
    values = np.arange(1, 101)
    least, _ = quantiles_of_buckets(values, np.ones(100), np.zeros(100), [0.07, 0.29, 0.99])
    assert least.tolist() == [7, 29, 99]
