"""Locust's live statistics, fed in batches.

One histogram for thousands of requests, merged the way Locust's master merges its workers' reports; an event for each
request would cost more than the request. Results never come from here: they come from the rows.
"""

from __future__ import annotations

import time
from array import array

import locust.stats
import numpy as np
from locust.stats import RequestStats, StatsEntry, StatsError

from bench.load.rows import FIELDS, OUTCOME_SHIFT, REQUEST_SHIFT, Outcome, outcomes
from bench.load.traffic import Traffic

_NS_PER_MS = 1e6
_COUNTABLE = 1_000_000
"""Ten seconds, in hundredths of a millisecond: up to here an array of counts is cheaper than sorting."""


def _buckets(milliseconds: np.ndarray) -> np.ndarray:
    """Round to three significant digits, but no finer than 0.01 ms."""
    decimals = np.clip(2 - np.floor(np.log10(np.maximum(milliseconds, 1e-9))), -6, 2)
    scale = 10.0**decimals
    return np.round(milliseconds * scale) / scale


def _histogram(milliseconds: np.ndarray) -> dict[float, int]:
    """Count response times by bucket: first by whole hundredths of a millisecond, which takes no sorting."""
    hundredths = np.round(milliseconds * 100).astype(np.int64)
    if hundredths.max() < _COUNTABLE:
        counts = np.bincount(hundredths)
        values = np.flatnonzero(counts)
        counts = counts[values]
    else:
        values, counts = np.unique(hundredths, return_counts=True)
    found: dict[float, int] = {}
    for bucket, count in zip(_buckets(values / 100).tolist(), counts.tolist(), strict=True):
        found[bucket] = found.get(bucket, 0) + count
    return found


def prepare() -> None:
    """Make ready before a load.

    Lets Locust keep sub-millisecond response times apart, whose own buckets begin at a whole millisecond; and publishes
    once to nobody, because the first time takes 50 ms (NumPy loads what it needs), which would be a gap in the schedule.
    """
    locust.stats.bucket_response_time = lambda milliseconds: float(_buckets(np.asarray(milliseconds)))
    rehearsal = array("q", (0, 0, 1, int(Outcome.ERROR) << OUTCOME_SHIFT, 1))
    publish(RequestStats(), rehearsal, Traffic((b"",), ("",), (0,), (0,)), np.zeros(1, np.int32))


def publish(stats: RequestStats, rows: array[int], traffic: Traffic, name_of: np.ndarray) -> None:
    """Add a batch of rows to Locust's statistics."""
    intended, _, done, packed, received = np.frombuffer(rows, np.int64).reshape(-1, FIELDS).T
    outcome = outcomes(packed)
    milliseconds = (done - intended) / _NS_PER_MS
    name = name_of[packed >> REQUEST_SHIFT]
    for index in np.flatnonzero(np.bincount(name)):
        chosen = name == index
        _publish_name(
            stats, traffic.names[index], traffic.method, milliseconds[chosen], outcome[chosen], received[chosen]
        )


def _publish_name(
    stats: RequestStats, name: str, method: str, milliseconds: np.ndarray, outcome: np.ndarray, received: np.ndarray
) -> None:
    now = time.time()
    failed = outcome[outcome != Outcome.OK]
    entry = StatsEntry(stats, name, method)
    entry.last_request_timestamp = now
    entry.num_requests = len(milliseconds)
    entry.num_failures = len(failed)
    entry.total_response_time = float(milliseconds.sum())
    entry.min_response_time = float(milliseconds.min())
    entry.max_response_time = float(milliseconds.max())
    entry.total_content_length = int(received.sum())
    entry.response_times = _histogram(milliseconds)
    entry.num_reqs_per_sec[int(now)] = len(milliseconds)
    entry.num_fail_per_sec[int(now)] = len(failed)
    stats.entries[(name, method)].extend(entry)
    stats.total.extend(entry)
    for value in np.flatnonzero(np.bincount(failed)):
        error = Outcome(value).name.lower()
        key = StatsError.create_key(method, name, error)
        stats.errors.setdefault(key, StatsError(method, name, error)).occurrences += int((failed == value).sum())
