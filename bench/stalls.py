"""The stall ledger: every gap that clients saw, put down to what filled it.

A gap is a maximal time in which at least one request was pending and no answer came. What meters know of that time are
intervals on the same clock; where several cover one instant the first of `PRECEDENCE` has it, so that nothing is counted
twice. What none covers is *unexplained*, and stands there as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.intervals import Intervals
from bench.store.schema import STALLS

THRESHOLD_NS = 2_000_000
"""A gap shorter than this is not in the ledger."""
PRECEDENCE = (
    "injected", "generator", "ttsp", "stw_gc", "stw_other", "alloc_stall", "incremental", "dealloc", "scheduling",
    "mark_assist", "unexplained",
)  # fmt: skip
"""The causes; an instant that several cover belongs to the first. Of equal parts the first names the gap."""

_SCHEMA = STALLS.schema.remove(STALLS.schema.get_field_index("cell_id"))
STOP_SOURCES = ("jul_safepoint", "go_gcstats", "node_trace")
"""Sources whose rows are stops with an instant. `jul_phase` lies within `jul_safepoint`."""
STOP_KINDS = ("stw_gc", "stw_other", "degenerated", "incremental_step")
"""What a whole application stands still for, collections and others."""
_WINDOW = ("end_ns", "window_ns", "dur_hi_ns")
_EMPTY = np.empty(0, np.int64)


def stalls_table(tables: Mapping[str, pa.Table], faults: Sequence[tuple[int, int, str]] = ()) -> pa.Table:
    """Give the stalls of a cell: its gaps of `THRESHOLD_NS` or longer, and the parts that add up to each.

    A request is pending from its sending to its answer, of any status. One without an answer is pending until it was
    given up, which is no answer. A stop is taken to end at its row's `end_ns`, which may be off by its
    `alignment_error_ns`, and to last as long as it may have (`dur_hi_ns`).

    What the sources bound from above only:

    - Go's `go_gcstats` rows are the sum of the two or more stops of a collection, put at the end of the last: the stop at
      the collection's beginning is missing where it was and counted where it was not.
    - Of mark assists Go tells only the CPU time in a second or so. Of what is left of the gaps in such a window at most
      that time is put down to them, shared among these gaps in proportion to what is left of each. Assists outside of the
      gaps are counted as if within: an upper bound.
    - With several generator workers a gap of one (`generator`) does not say that the others did not read.
    - `alloc_stall` and `dealloc` stop a thread; others may have gone on.

    And from below: `scheduling` is what the hiccup meter's own thread waited for a processor. In Go another thread polls, waits
    first and then wakes it, so there most of such a wait stays unexplained.

    Histograms of `go_metrics` have no instants and are left out.

    Parameters
    ----------
    tables
        `requests`, `pauses`, `hiccups` and `gaps` of one cell (`bench.store.schema`).
    faults
        Begin and end in ns of CLOCK_MONOTONIC, and name, of what was injected on purpose.

    Returns
    -------
    pa.Table
        Columns of the `stalls` table but `cell_id`, in order of time.
    """
    begin, end, in_flight = _gaps(tables["requests"])
    placed = _placed(tables, faults)
    parts: dict[str, np.ndarray] = {}
    covering, covered = Intervals(_EMPTY, _EMPTY), np.zeros(len(begin), np.int64)
    for cause in (cause for cause in PRECEDENCE if cause in placed):
        covering = Intervals.union([covering, placed[cause]])
        so_far = covering.covered(begin, end)
        parts[cause] = so_far - covered
        covered = so_far
    parts["mark_assist"] = _assists(tables["pauses"], begin, end, covering)
    parts["unexplained"] = end - begin - covered - parts["mark_assist"]
    largest = np.argmax([parts[cause] for cause in PRECEDENCE], axis=0).astype(np.int32)
    columns = {f"{cause}_ns": pa.array(part) for cause, part in parts.items()} | {
        "begin_ns": pa.array(begin),
        "end_ns": pa.array(end),
        "in_flight": pa.array(in_flight.astype(np.int32)),
        "cause": pa.DictionaryArray.from_arrays(pa.array(largest), pa.array(PRECEDENCE)),
    }
    return pa.table({name: columns[name] for name in _SCHEMA.names}, schema=_SCHEMA)


def stops(pauses: pa.Table) -> Intervals | None:
    """Give when the whole gateway stood still for its runtime, disjoint and in order; None without a record or a collector."""
    if not told(pauses):
        return None
    whole = _of(_placed_pauses(pauses), "source", *STOP_SOURCES)
    return Intervals.union([_lasting(whole, *STOP_KINDS)])


def told(pauses: pa.Table) -> bool:
    """Tell whether pauses are on record, or none were while they could have been."""
    return bool(pauses.num_rows) and not pc.all(pc.equal(pauses["kind"].cast(pa.string()), "not_applicable")).as_py()


def _gaps(requests: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give beginnings, ends and most pending requests of the gaps."""
    was_sent = requests.filter(requests["service_time_ns"].is_valid())
    sent = _int64(was_sent["intended_ns"]) + _int64(was_sent["schedule_lag_ns"])
    done = sent + _int64(was_sent["service_time_ns"])
    answered = was_sent["status"].is_valid().to_numpy()
    instants, at = np.unique(np.concatenate([sent, done]), return_inverse=True)
    sendings, endings = at[: len(sent)], at[len(sent) :]
    count = len(instants)
    pending = np.cumsum(np.bincount(sendings, minlength=count) - np.bincount(endings, minlength=count))
    # A gap reaches from one answer, or from the end of idleness, to the next answer or to the beginning of idleness.
    busy = pending > 0
    bounds = busy != np.concatenate([[False], busy[:-1]])
    bounds[endings[answered]] = True
    (bound,) = np.nonzero(bounds)
    if not len(bound):
        return _EMPTY, _EMPTY, _EMPTY
    begin, end = instants[bound[:-1]], instants[bound[1:]]
    kept = busy[bound[:-1]] & (end - begin >= THRESHOLD_NS)
    return begin[kept], end[kept], np.maximum.reduceat(pending, bound)[:-1][kept]


def _placed(tables: Mapping[str, pa.Table], faults: Sequence[tuple[int, int, str]]) -> dict[str, Intervals]:
    """Give the intervals of every cause that has instants."""
    pauses = _placed_pauses(tables["pauses"])
    stops = _of(pauses, "source", *STOP_SOURCES)
    return {
        "injected": Intervals(*(np.array([fault[side] for fault in faults], np.int64) for side in (0, 1))),
        "generator": Intervals(_int64(tables["gaps"]["due_ns"]), _int64(tables["gaps"]["sent_ns"])),
        "ttsp": _ways_to_a_stop(stops),
        "stw_gc": _lasting(stops, "stw_gc", "degenerated"),
        "stw_other": _lasting(stops, "stw_other"),
        "alloc_stall": _lasting(pauses, "alloc_stall"),
        "incremental": _lasting(pauses, "incremental_step"),
        "dealloc": _lasting(pauses, "dealloc"),
        "scheduling": _waits_for_a_processor(tables["hiccups"]),
    }


def _placed_pauses(pauses: pa.Table) -> pa.Table:
    """Give the pauses whose instant and length are known."""
    lasted = pc.and_(pauses["end_ns"].is_valid(), pauses["dur_hi_ns"].is_valid())
    return pauses.filter(pc.and_(lasted, pc.equal(pauses["window_ns"], 0)))


def _lasting(pauses: pa.Table, *kinds: str) -> Intervals:
    rows = _of(pauses, "kind", *kinds)
    end = _int64(rows["end_ns"])
    return Intervals(end - _int64(rows["dur_hi_ns"]), end)


def _ways_to_a_stop(stops: pa.Table) -> Intervals:
    """Give the first part of every stop that tells how long its threads took to get there."""
    rows = stops.filter(stops["ttsp_ns"].is_valid())
    duration = _int64(rows["dur_hi_ns"])
    begin = _int64(rows["end_ns"]) - duration
    return Intervals(begin, begin + np.minimum(_int64(rows["ttsp_ns"]), duration))


def _waits_for_a_processor(hiccups: pa.Table) -> Intervals:
    """Give the first part of every hiccup of the gateway: the meter's thread was ready, and another had the processor."""
    rows = _of(hiccups.filter(hiccups["run_delay_ns"].is_valid()), "role", "gateway")
    due = _int64(rows["due_ns"])
    return Intervals(due, due + np.minimum(_int64(rows["run_delay_ns"]), _int64(rows["late_ns"])))


def _assists(pauses: pa.Table, begin: np.ndarray, end: np.ndarray, covering: Intervals) -> np.ndarray:
    """Share the mark assists of every window among the gaps in it, by what other causes have left of them.

    Windows of one process follow one another, so that no instant is given twice.
    """
    assists = np.zeros(len(begin), np.int64)
    rows = _of(_of(pauses, "source", "go_metrics"), "kind", "mark_assist")
    for window_end, window, spent in zip(*(rows[name].to_pylist() for name in _WINDOW), strict=True):
        first, beyond = np.searchsorted(end, window_end - window, "right"), np.searchsorted(begin, window_end)
        from_ns = np.maximum(begin[first:beyond], window_end - window)
        to_ns = np.minimum(end[first:beyond], window_end)
        left = to_ns - from_ns - covering.covered(from_ns, to_ns)
        assists[first:beyond] += _shared(spent, left)
    return assists


def _shared(amount: int, left: np.ndarray) -> np.ndarray:
    """Share at most `amount` in proportion to `left`, never more than it; the shares add up exactly."""
    total = int(left.sum())
    if not total:
        return np.zeros(len(left), np.int64)
    # Products of two times in ns may pass 64 bits: Python's own integers do not.
    running = np.cumsum(left).astype(object) * min(amount, total) // total
    return np.diff(np.concatenate([[0], running])).astype(np.int64)


def _of(table: pa.Table, column: str, *names: str) -> pa.Table:
    return table.filter(pc.is_in(table[column].cast(pa.string()), pa.array(names)))


def _int64(column: pa.ChunkedArray) -> np.ndarray:
    return column.to_numpy().astype(np.int64, copy=False)
