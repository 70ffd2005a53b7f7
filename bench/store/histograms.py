"""How long the requests of a cell took, as histograms: what quantiles of millions of requests need, without their rows.

A bucket is 1/128 of its lower end wide at most, and 1 ns below 256 ns, as those of an HdrHistogram with two significant digits
are (Tene, 2012). It keeps its count and its exact sum, so that means are exact and a quantile, which the mean of its bucket
stands for, is off by less than 0.8 %: a fraction of what two processes of one program differ by.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from bench.intervals import Intervals
from bench.store.schema import TABLES

DIGITS = 7
"""A bucket is as wide as its lower end over two to the power of this."""
_KEY = ["time", "outcome", "queued", "stopped", "at_least_ns"]


def histograms_table(requests: pa.Table, cell_id: str, window_ns: tuple[int, int], stops: Intervals | None) -> pa.Table:
    """Give the `histograms` table of a cell, of the requests that were intended within its measured window.

    Parameters
    ----------
    window_ns
        Its beginning and end.
    stops
        When the whole gateway stood still, disjoint and in order; None where that is not known, or does not apply.
    """
    intended_ns = requests["intended_ns"].to_numpy()
    requests = requests.filter(pa.array((window_ns[0] <= intended_ns) & (intended_ns < window_ns[1])))
    intended_ns, lag_ns = (requests[name].to_numpy() for name in ("intended_ns", "schedule_lag_ns"))
    sent = requests["service_time_ns"].is_valid()
    response_ns = lag_ns + requests["service_time_ns"].fill_null(0).to_numpy()
    met = None if stops is None else stops.covered(intended_ns, intended_ns + response_ns) > 0
    parts = [
        _counted("response", response_ns, requests, met),
        _counted("service", response_ns[sent.to_numpy()] - lag_ns[sent.to_numpy()], requests.filter(sent)),
        _counted("lag", lag_ns, requests),
    ]
    schema = TABLES["histograms"].schema
    whole = pa.concat_tables(parts)
    whole = whole.append_column("cell_id", pa.array([cell_id] * len(whole), pa.string()))
    return whole.select(schema.names).cast(schema)


def at_least_ns(times_ns: np.ndarray) -> np.ndarray:
    """Give the lower end of the bucket that holds each time, ns."""
    _, bits = np.frexp(times_ns.astype(float))
    dropped = np.maximum(bits - DIGITS - 1, 0)
    return times_ns >> dropped << dropped


def _counted(time: str, times_ns: np.ndarray, requests: pa.Table, met: np.ndarray | None = None) -> pa.Table:
    """Give a row for each bucket of one of the three times, ascending."""
    count = len(times_ns)
    rows = pa.table({
        "time": pa.array([time] * count, pa.string()), "outcome": requests["outcome"].cast(pa.string()),
        "queued": requests["queued"], "stopped": pa.nulls(count, pa.bool_()) if met is None else pa.array(met),
        "at_least_ns": at_least_ns(times_ns), "ns": times_ns,
    })  # fmt: skip
    counted = rows.group_by(_KEY).aggregate([("ns", "count"), ("ns", "sum")])
    return counted.rename_columns({"ns_count": "count", "ns_sum": "sum_ns"}).sort_by([(k, "ascending") for k in _KEY])
