"""The gateway's own account of a load, out of its metrics, and beside what clients saw."""

import pyarrow as pa
import pytest

from bench.evidence import account_columns
from bench.meters.own_metrics import OwnMetrics, read
from bench.store.loads import REQUESTS

MS = 1_000_000
METRICS = """\
# HELP http_server_requests_total Requests answered.
# TYPE http_server_requests_total counter
http_server_requests_total{endpoint="/readyz",status="200"} 7
http_server_requests_total{endpoint="/route",status="200"} 1.2e+03
http_server_requests_total{endpoint="/route",status="404"} 34.0
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{endpoint="/readyz",le="+Inf"} 7
http_server_request_duration_seconds_sum{endpoint="/readyz"} 3.5
http_server_request_duration_seconds_count{endpoint="/readyz"} 7
http_server_request_duration_seconds_bucket{endpoint="/route",le="0.0005"} 1233
http_server_request_duration_seconds_bucket{endpoint="/route",le="+Inf"} 1234
http_server_request_duration_seconds_sum{endpoint="/route"} 8.75e-02
http_server_request_duration_seconds_count{endpoint="/route"} 1234
"""


def requests(*waited_ms, status=200):
    """Give requests that were so long in flight; None: never sent."""
    rows = [
        {
            "cell_id": "c", "worker": 0, "connection": None if ms is None else 0, "name": "/route", "intended_ns": 0,
            "schedule_lag_ns": 0, "queued": False, "service_time_ns": None if ms is None else ms * MS,
            "status": None if ms is None else status, "outcome": "unsent" if ms is None else "ok", "censored": ms is None,
            "received_bytes": None if ms is None else 10,
        }
        for ms in waited_ms
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=REQUESTS.schema)


def test_what_watches_the_gateway_is_no_part_of_the_load():
    assert read(METRICS) == OwnMetrics(counted=1_234, timed=1_234, duration_ns=87_500_000)


def test_a_gateway_that_keeps_no_histogram_of_the_load_has_timed_nobody_knows_how_many():
    without = "".join(line for line in METRICS.splitlines(keepends=True) if "duration" not in line)
    assert read(without) == OwnMetrics(counted=1_234, timed=None, duration_ns=None)


def test_two_milliseconds_in_the_gateway_of_eight_that_clients_waited_are_a_quarter():
    said = account_columns(requests(1, 2, 5), OwnMetrics(counted=3, timed=3, duration_ns=2 * MS))
    assert said == {"gateway_count": 3, "gateway_duration_count": 3, "gateway_duration_share": 0.25}


def test_a_request_that_was_never_sent_took_nobodys_time():
    said = account_columns(requests(1, None, 3), OwnMetrics(counted=2, timed=2, duration_ns=3 * MS))
    assert said["gateway_duration_share"] == 0.75


@pytest.mark.parametrize(
    ("rows", "timed"),
    [
        (pa.concat_tables([requests(1, 2), requests(1_000, status=None)]), 2),  # the client gave up on the third
        (pa.concat_tables([requests(1, 2), requests(1_000, status=None)]), 3),  # and the gateway answered it later
        (requests(1, 2), 3),
        (requests(1, 2), None),
        (requests(), 0),
    ],
)
def test_sums_of_other_requests_are_not_compared(rows, timed):
    own = OwnMetrics(counted=3, timed=timed, duration_ns=None if timed is None else 2_000 * MS)
    assert account_columns(rows, own)["gateway_duration_share"] is None
