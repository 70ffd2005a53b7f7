"""What a load came to in each tenth of a second, and in each of its steps."""

import pyarrow as pa

from bench.load.search import Kind
from bench.load.spool import Step
from bench.store.loads import REQUESTS
from bench.windows import steps_rows, windows_table

MS = 1_000_000


def request(intended_ms, lag_ms=0, service_ms=1, status=200, outcome="ok"):
    return {
        "cell_id": "c", "worker": 0, "connection": None if outcome == "unsent" else 0, "name": "/a",
        "intended_ns": intended_ms * MS, "schedule_lag_ns": lag_ms * MS, "queued": False,
        "service_time_ns": None if outcome == "unsent" else service_ms * MS, "status": status, "outcome": outcome,
        "censored": status is None, "received_bytes": None if outcome == "unsent" else 10,
    }  # fmt: skip


def table(*rows):
    return pa.Table.from_pylist(list(rows), schema=REQUESTS.schema)


def columns(made):
    return {name: made[name].to_pylist() for name in ("began_ns", "due", "sent", "answered", "good")}


def test_each_instant_counts_in_the_window_that_holds_it():
    made = windows_table(
        table(
            request(1_000),
            request(1_099, service_ms=2),  # answered in the next window
            request(1_150, lag_ms=100),  # sent and answered one later than it was due
            request(1_160, status=500, outcome="error"),
            request(1_170, status=None, outcome="unsent"),
        ),
        "c",
    )
    assert columns(made) == {
        "began_ns": [1_000 * MS, 1_100 * MS, 1_200 * MS],
        "due": [2, 3, 0],
        "sent": [2, 1, 1],
        "answered": [1, 2, 1],
        "good": [1, 1, 1],
    }


def test_a_window_in_which_nothing_happened_is_there():
    assert columns(windows_table(table(request(0), request(350)), "c"))["due"] == [1, 0, 0, 1]


def test_a_load_without_requests_has_no_windows():
    assert windows_table(table(), "c").num_rows == 0


def test_a_step_counts_what_was_intended_and_answered_with_2xx_within_it():
    steps = [Step(Kind.CLOSED, 8, 0, 100 * MS), Step(Kind.SEARCH, 64, 200 * MS, 300 * MS, 50.0, 3.5, True, False)]
    made = steps_rows(
        steps,
        table(
            request(0), request(99, service_ms=5), request(150), request(200), request(250),
            request(260, status=503, outcome="error"),
        ),
        "c",
    )  # fmt: skip
    assert [(row["step"], row["kind"], row["good"]) for row in made] == [(0, "closed", 1), (1, "search", 2)]
    assert (made[1]["rate_per_s"], made[1]["quantile_ms"], made[1]["met"]) == (50.0, 3.5, True)
