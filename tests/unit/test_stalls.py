"""The stall ledger, on tables made by hand. Instants are ms in the tables' writing, ns in the tables."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.stalls import PRECEDENCE, THRESHOLD_NS, stalls_table
from bench.store.schema import TABLES

MS = 1_000_000
PARTS = tuple(f"{cause}_ns" for cause in PRECEDENCE)


def table(name, rows):
    """Give a table of a cell: of the schema's columns only those that the rows tell, with their types."""
    names = rows[0] if rows else [n for n in TABLES[name].schema.names if n != "cell_id"]
    return pa.Table.from_pylist(rows, schema=pa.schema([TABLES[name].schema.field(n) for n in names]))


def request(sent, done, status=200, lag=0):
    return {
        "intended_ns": int((sent - lag) * MS), "schedule_lag_ns": int(lag * MS),
        "service_time_ns": None if done is None else int((done - sent) * MS), "status": status,
    }  # fmt: skip


def pause(source, kind, begin, end, ttsp=None, window=0):
    return {
        "source": source, "kind": kind, "end_ns": None if end is None else int(end * MS), "window_ns": int(window * MS),
        "dur_hi_ns": None if begin is None else int((end - begin) * MS), "ttsp_ns": None if ttsp is None else int(ttsp * MS),
    }  # fmt: skip


def assists(end, window, spent):
    return pause("go_metrics", "mark_assist", end - spent, end, window=window)


def hiccup(due, late, run_delay, role="gateway"):
    told = None if run_delay is None else int(run_delay * MS)
    return {"role": role, "due_ns": int(due * MS), "late_ns": int(late * MS), "run_delay_ns": told}


def generator_gap(due, sent):
    return {"due_ns": int(due * MS), "sent_ns": int(sent * MS)}


def ledger(requests, pauses=(), hiccups=(), gaps=(), faults=()):
    rows = {"requests": requests, "pauses": list(pauses), "hiccups": list(hiccups), "gaps": list(gaps)}
    instants = [(int(begin * MS), int(end * MS), "sigstop") for begin, end in faults]
    return stalls_table({name: table(name, of) for name, of in rows.items()}, instants).to_pylist()


def parts(stall):
    """Give the parts of a stall that are not nothing, in ms."""
    return {name.removesuffix("_ns"): stall[name] / MS for name in PARTS if stall[name]}


def spans(stalls):
    return [(stall["begin_ns"] / MS, stall["end_ns"] / MS, stall["in_flight"]) for stall in stalls]


TEN = [request(0, 10)]
"""One request, pending for 10 ms."""


# --- gaps -----------------------------------------------------------------------------------------------------------


def test_the_table_is_that_of_the_schema_without_its_cell():
    made = stalls_table({n: table(n, []) for n in ("requests", "pauses", "hiccups", "gaps")})
    schema = TABLES["stalls"].schema
    assert made.schema == schema.remove(schema.get_field_index("cell_id"))
    assert made.num_rows == 0


def test_a_gap_reaches_from_the_sending_or_the_last_answer_to_the_next_answer():
    found = ledger([request(0, 3), request(1, 8), request(2, 9)])
    assert spans(found) == [(0, 3, 3), (3, 8, 2)]
    assert [stall["cause"] for stall in found] == ["unexplained"] * 2


def test_time_without_a_pending_request_is_no_gap():
    assert spans(ledger([request(0, 1), request(50, 51), request(100, 105)])) == [(100, 105, 1)]


def test_two_milliseconds_are_a_gap_and_a_nanosecond_less_is_none():
    short = request(10, 12) | {"service_time_ns": THRESHOLD_NS - 1}
    assert spans(ledger([request(0, 2), short])) == [(0, 2, 1)]


def test_a_request_counts_from_when_it_was_sent_not_from_when_it_was_due():
    assert spans(ledger([request(5, 8, lag=4)])) == [(5, 8, 1)]


def test_giving_up_is_no_answer():
    assert spans(ledger([request(0, 5, status=None), request(1, 9)])) == [(0, 9, 2)]


def test_a_gap_ends_where_the_last_pending_request_was_given_up():
    assert spans(ledger([request(0, 5, status=None), request(7, 8)])) == [(0, 5, 1)]


def test_one_request_sent_as_another_is_given_up_goes_on_with_the_gap():
    assert spans(ledger([request(0, 5, status=None), request(5, 9)])) == [(0, 9, 1)]


def test_a_request_never_sent_is_not_pending():
    assert ledger([request(0, None, status=None)]) == []


def test_an_error_is_an_answer():
    assert spans(ledger([request(0, 4, status=500), request(0, 7)])) == [(0, 4, 2), (4, 7, 1)]


# --- what fills them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "kind", "cause"),
    [
        ("jul_safepoint", "stw_gc", "stw_gc"),
        ("jul_safepoint", "degenerated", "stw_gc"),
        ("jul_safepoint", "stw_other", "stw_other"),
        ("go_gcstats", "stw_gc", "stw_gc"),
        ("node_trace", "stw_gc", "stw_gc"),
        ("node_trace", "incremental_step", "incremental"),
        ("jul_stall", "alloc_stall", "alloc_stall"),
        ("rust_drop", "dealloc", "dealloc"),
    ],
)
def test_a_pause_fills_the_part_of_a_gap_that_it_overlaps(source, kind, cause):
    (stall,) = ledger(TEN, [pause(source, kind, 8, 20)])
    assert parts(stall) == {cause: 2, "unexplained": 8}
    (stall,) = ledger(TEN, [pause(source, kind, 2, 9)])
    assert parts(stall) == {cause: 7, "unexplained": 3}
    assert stall["cause"] == cause


@pytest.mark.parametrize(
    "row",
    [
        pause("jul_phase", "stw_gc", 2, 8),
        pause("go_metrics", "stw_gc", 2, 8, window=10),
        pause("rust_drop", "dealloc", 2, 8, window=10),
        pause("jfr", "stw_gc", 2, 8),
        pause("not_applicable", "not_applicable", None, None),
        pause("go_metrics", "stw_gc", None, 8, window=10),
        pause("jul_safepoint", "stw_gc", -9, 0),
        pause("jul_safepoint", "stw_gc", 10, 19),
    ],
)
def test_what_has_no_instant_or_tells_the_same_stop_again_or_lies_elsewhere_fills_nothing(row):
    (stall,) = ledger(TEN, [row])
    assert parts(stall) == {"unexplained": 10}


def test_the_first_part_of_a_safepoint_is_the_way_to_it():
    (stall,) = ledger(TEN, [pause("jul_safepoint", "stw_gc", 1, 8, ttsp=5)])
    assert parts(stall) == {"ttsp": 5, "stw_gc": 2, "unexplained": 3}
    assert stall["cause"] == "ttsp"


def test_stops_that_overlap_count_once():
    (stall,) = ledger(TEN, [pause("node_trace", "stw_gc", 1, 6), pause("node_trace", "stw_gc", 4, 8)])
    assert parts(stall) == {"stw_gc": 7, "unexplained": 3}


def test_one_stop_over_several_gaps_fills_its_part_of_each():
    found = ledger([request(0, 4), request(0, 9)], [pause("node_trace", "stw_gc", 3, 6)])
    assert [parts(stall) for stall in found] == [{"stw_gc": 1, "unexplained": 3}, {"stw_gc": 2, "unexplained": 3}]


def test_the_wait_for_a_processor_is_the_first_part_of_a_hiccup_of_the_gateway():
    (stall,) = ledger(TEN, hiccups=[hiccup(1, 6, 4), hiccup(8, 2, 2, role="control"), hiccup(8, 1, None)])
    assert parts(stall) == {"scheduling": 4, "unexplained": 6}
    (stall,) = ledger(TEN, hiccups=[hiccup(1, 3, 8)])
    assert parts(stall) == {"scheduling": 3, "unexplained": 7}


def test_every_instant_goes_to_the_first_cause_of_the_order_that_covers_it():
    layers = {
        "pauses": [
            pause("jul_safepoint", "stw_other", 0, 5), pause("jul_safepoint", "stw_gc", 0, 4, ttsp=3),
            pause("jul_stall", "alloc_stall", 0, 6), pause("node_trace", "incremental_step", 0, 7),
            pause("rust_drop", "dealloc", 0, 8), assists(10, 10, 0.25),
        ],
        "hiccups": [hiccup(0, 9, 9)], "gaps": [generator_gap(0, 2)], "faults": [(0, 1)],
    }  # fmt: skip
    (stall,) = ledger(TEN, **layers)
    assert parts(stall) == dict.fromkeys(PRECEDENCE[:9], 1) | {"mark_assist": 0.25, "unexplained": 0.75}
    assert stall["cause"] == "injected"


# --- mark assists -----------------------------------------------------------------------------------------------------


def test_mark_assists_are_shared_by_what_other_causes_left_of_the_gaps():
    requests = [request(0, 10), request(20, 40)]
    found = ledger(requests, [pause("go_gcstats", "stw_gc", 0, 6), assists(100, 100, 12)])
    # 4 ms are left of the first and 20 of the second: 12 ms of assists are half of that.
    assert [parts(stall) for stall in found] == [
        {"stw_gc": 6, "mark_assist": 2, "unexplained": 2},
        {"mark_assist": 10, "unexplained": 10},
    ]


def test_mark_assists_fill_no_more_than_is_left():
    (stall,) = ledger(TEN, [assists(100, 100, 70)])
    assert parts(stall) == {"mark_assist": 10}


def test_mark_assists_of_a_window_fill_only_what_lies_in_it():
    (stall,) = ledger(TEN, [assists(3, 3, 2), assists(6, 3, 30), assists(20, 2, 2)])
    assert parts(stall) == {"mark_assist": 5, "unexplained": 5}


def test_shares_that_do_not_divide_evenly_lose_no_nanosecond():
    found = ledger([request(0, 3), request(5, 8), request(10, 13)], [assists(20, 20, 1)])
    assert sum(stall["mark_assist_ns"] for stall in found) == MS
    assert max(stall["mark_assist_ns"] for stall in found) - min(stall["mark_assist_ns"] for stall in found) <= 1


# --- what holds of every ledger ---------------------------------------------------------------------------------------

instants = st.integers(0, 40)
lengths = st.integers(0, 12)
any_requests = st.lists(
    st.tuples(instants, lengths, st.sampled_from([200, 500, None])).map(lambda r: request(r[0], r[0] + r[1], r[2])),
    min_size=1, max_size=12,
)  # fmt: skip
PLACED = [
    ("jul_safepoint", "stw_gc"), ("jul_safepoint", "stw_other"), ("go_gcstats", "stw_gc"), ("jul_stall", "alloc_stall"),
    ("node_trace", "incremental_step"), ("rust_drop", "dealloc"),
]  # fmt: skip
any_pauses = st.lists(
    st.tuples(st.sampled_from(PLACED), instants, lengths, lengths).map(
        lambda p: pause(*p[0], p[1], p[1] + p[2], ttsp=p[3] if p[0][0] == "jul_safepoint" else None)
    ),
    max_size=8,
)
any_assists = st.lists(lengths, max_size=4).map(
    lambda spent: [assists(10 * (i + 1), 10, most) for i, most in enumerate(spent)]
)
any_hiccups = st.lists(st.builds(hiccup, instants, lengths, lengths), max_size=3)
any_spans = st.lists(st.tuples(instants, lengths).map(lambda s: (s[0], s[0] + s[1])), max_size=3)


def by_the_millisecond(requests):
    """Give the gaps as the definition says, one millisecond after the other."""
    gaps, begin = [], None
    sent = [r["intended_ns"] // MS for r in requests]
    done = [at + r["service_time_ns"] // MS for at, r in zip(sent, requests, strict=True)]
    answers = {at for at, r in zip(done, requests, strict=True) if r["status"]}
    for at in range(max(done) + 2):
        pending = any(s <= at < d for s, d in zip(sent, done, strict=True))
        if begin is not None and (at in answers or not pending):
            gaps.append((begin, at))
            begin = None
        begin = at if begin is None and pending else begin
    return [gap for gap in gaps if gap[1] - gap[0] >= 2]


@given(any_requests)
@settings(max_examples=60, deadline=None)
def test_gaps_are_those_that_going_through_time_finds(requests):
    assert [span[:2] for span in spans(ledger(requests))] == by_the_millisecond(requests)


@given(any_requests, any_pauses, any_assists, any_hiccups, any_spans, any_spans)
@settings(max_examples=80, deadline=None)
def test_parts_are_never_negative_and_add_up_and_the_largest_is_the_cause(
    requests, pauses, assisted, hiccups, gaps, faults
):
    for stall in ledger(requests, pauses + assisted, hiccups, [generator_gap(*gap) for gap in gaps], faults):
        assert min(stall[name] for name in PARTS) >= 0
        assert sum(stall[name] for name in PARTS) == stall["end_ns"] - stall["begin_ns"] >= THRESHOLD_NS
        assert stall[f"{stall['cause']}_ns"] == max(stall[name] for name in PARTS)


@given(any_requests, any_pauses, any_hiccups, any_spans)
@settings(max_examples=25, deadline=None)
def test_a_cause_later_in_the_order_takes_nothing_from_an_earlier_one(requests, pauses, hiccups, faults):
    without = ledger(requests, pauses, faults=faults)
    for before, after in zip(without, ledger(requests, pauses, hiccups, faults=faults), strict=True):
        changed = {name for name in PARTS if before[name] != after[name]}
        assert changed <= {"scheduling_ns", "unexplained_ns"}
