"""The tables of a run: every column with its unit and meaning.

Time is integer nanoseconds of CLOCK_MONOTONIC of the machine that ran the cell, memory is bytes, and the unit is part
of a column's name. Unknown is null, never 0 and never -1. `bench schema` prints this module as the data dictionary.

History of the format
---------------------
1 : first version.
2 : tables `workers` and `gaps`; the gate's evidence is whole in `cells`: headroom, Little's law, order of percentiles,
    workers, throttling, and cells whose load failed.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 2

_label = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Table:
    """One table: its name, what a row is, and its arrow schema."""

    name: str
    row: str
    """What one row stands for."""
    schema: pa.Schema


def _field(name: str, type_: pa.DataType, meaning: str, unit: str = "", *, null: str = "") -> pa.Field:
    """Describe a column. `null` says what a null means; a column without it never holds one."""
    metadata = {"meaning": meaning} | ({"unit": unit} if unit else {}) | ({"null": null} if null else {})
    return pa.field(name, type_, nullable=bool(null), metadata=metadata)


def _table(name: str, row: str, *fields: pa.Field) -> Table:
    cell = _field("cell_id", _label, "the cell that the row belongs to")
    metadata = {"table": name, "row": row, "schema_version": str(SCHEMA_VERSION)}
    return Table(name, row, pa.schema([cell, *fields], metadata=metadata))


CELLS = _table(
    "cells",
    "one measurement: a variant under a scenario, in a fresh process",
    _field("block", pa.int32(), "block of the campaign; one block holds one cell of each variant, in random order"),
    _field("position", pa.int32(), "place in the order in which the campaign's cells ran"),
    _field("variant", _label, "gateway with a runtime and flags, as named in gateway.toml"),
    _field("gateway", _label, "folder of the gateway"),
    _field("runtime", _label, "go, java, node or rust"),
    _field("runtime_version", _label, "what the running process said of itself", null="the process never answered"),
    _field("collector", _label, "garbage collector by name, as gateway.toml declares it; none where there is none"),
    _field(
        "collector_reported",
        _label,
        "garbage collector as the running process named it",
        null="the process never answered",
    ),
    _field("tuning", _label, "stock or tuned"),
    _field("scenario", _label, "kind of traffic, a locustfile; recovery for cells that inject a fault"),
    _field("traffic_model", _label, "open (arrivals do not wait for answers) or closed (users that do)"),
    _field("rate_per_s", pa.float64(), "offered rate of the rung", "1/s", null="closed loop: no rate is offered"),
    _field("connections", pa.int32(), "most connections of the generator at once"),
    _field("repetition", pa.int32(), "which fresh process of the same variant, scenario and rung, from 0"),
    _field(
        "workers",
        pa.int32(),
        "threads that run requests, as the running process reported them",
        null="the process never answered",
    ),
    _field("gateway_cpus", pa.string(), "processors that the gateway was pinned to, as a list such as 0 or 0,2"),
    _field("generator_cpus", pa.string(), "processors that the load generator was pinned to"),
    _field("memory_budget_bytes", pa.int64(), "memory that the variant's flags allow it", "bytes"),
    _field("live_set_bytes", pa.int64(), "nominal size of the retained live set", "bytes"),
    _field("started_ns", pa.int64(), "the gateway process was created", "ns"),
    _field("ready_ns", pa.int64(), "the gateway first answered /readyz", "ns", null="it never did"),
    _field(
        "measure_start_ns",
        pa.int64(),
        "end of the warm-up: requests intended from here on count",
        "ns",
        null="the cell failed",
    ),
    _field("measure_end_ns", pa.int64(), "end of the load", "ns", null="the cell failed"),
    _field(
        "gateway_cpu_ns",
        pa.int64(),
        "CPU time of the gateway within the measured window",
        "ns",
        null="the process ended inside the window, or the cell injects a fault",
    ),
    _field(
        "gateway_pss_bytes",
        pa.int64(),
        "proportional set size of the gateway at the end of the load",
        "bytes",
        null="the kernel does not tell, or the cell injects a fault",
    ),
    _field(
        "generator_cpu_ns",
        pa.int64(),
        "CPU time of the load generator within the measured window",
        "ns",
        null="no load generator ran",
    ),
    _field(
        "generator_run_delay_ns",
        pa.int64(),
        "time the generator was ready to run and waited for a processor, within the measured window",
        "ns",
        null="no load generator ran, or the kernel does not tell",
    ),
    _field(
        "generator_cpu_share",
        pa.float64(),
        "CPU time of the busiest worker over the measured window",
        null="no load generator ran",
    ),
    _field(
        "generator_run_delay_share",
        pa.float64(),
        "time that the worker which waited longest for a processor waited, over the measured window",
        null="no load generator ran, or the kernel does not tell",
    ),
    _field(
        "schedule_lag_p99_ns",
        pa.int64(),
        "99th percentile of the schedule lag of requests that found a connection free, within the window",
        "ns",
        null="closed loop, or no load generator ran",
    ),
    _field(
        "achieved_share",
        pa.float64(),
        "requests sent over requests offered within the window",
        null="closed loop, or no load generator ran",
    ),
    _field(
        "steal_ns",
        pa.int64(),
        "processor time that the hypervisor gave to others, all processors, within the window",
        "ns",
        null="the kernel does not tell",
    ),
    _field(
        "throttled_ns",
        pa.int64(),
        "time that the quota of their control group held gateway, generator and campaign back, within the window",
        "ns",
        null="no control group with a quota tells",
    ),
    _field(
        "ceiling_per_s",
        pa.float64(),
        "requests/s that the generator reached against a null server on this machine (bench calibrate)",
        "1/s",
        null="not calibrated, or no load generator ran",
    ),
    _field(
        "ceiling_share",
        pa.float64(),
        "requests/s sent within the window over the generator's ceiling; one minus it is the headroom",
        null="not calibrated, or no load generator ran",
    ),
    _field(
        "little_share",
        pa.float64(),
        "mean requests in flight by Little's law (rate times mean response time) over the connections kept busy",
        null="open loop: nothing says how many should be in flight",
    ),
    _field(
        "percentiles_in_order",
        pa.bool_(),
        "no service time is longer than its response time, none is negative, and median, 99th percentile and maximum ascend",
        null="no request was answered within the window",
    ),
    _field("generator_workers", pa.int32(), "processes of the load generator", null="no load generator ran"),
    _field(
        "workers_lost",
        pa.int32(),
        "load generator processes that ended without their summary",
        null="no load generator ran",
    ),
    _field("rows", pa.int64(), "rows in the requests table, warm-up included"),
    _field("rows_answered", pa.int64(), "rows that got an HTTP answer, warm-up included"),
    _field("rows_censored", pa.int64(), "rows never sent or never answered, warm-up included"),
    _field("locust_count", pa.int64(), "requests that Locust's own statistics counted", null="no load generator ran"),
    _field("gateway_count", pa.int64(), "requests that the gateway's own counter counted", null="the gateway was gone"),
    _field("gate_passed", pa.bool_(), "the evidence says that the figures are the gateway's and not the rig's"),
    _field("gate_reasons", pa.list_(pa.string()), "why the gate did not pass; empty when it did"),
    _field(
        "failure",
        pa.string(),
        "what went wrong, when nothing could be measured: the cell has no rows in other tables",
        null="it was measured",
    ),
)

REQUESTS = _table(
    "requests",
    "one request of the load, sent or not; ordered by intended time",
    _field("worker", pa.int16(), "load generator process, from 0"),
    _field("connection", pa.int32(), "connection of that process", null="never sent"),
    _field("name", _label, "request name, as in Locust's statistics"),
    _field(
        "intended_ns",
        pa.int64(),
        "instant at which the schedule wanted it sent; in a closed loop the instant at which its user was free to send",
        "ns",
    ),
    _field(
        "schedule_lag_ns",
        pa.int64(),
        "sent minus intended; for a request never sent: how long it had waited when the load ended",
        "ns",
    ),
    _field(
        "queued", pa.bool_(), "no connection was free when it was due: the lag is the gateway's, not the generator's"
    ),
    _field(
        "service_time_ns",
        pa.int64(),
        "done minus sent; for a request never answered: how long it had waited when it was given up",
        "ns",
        null="never sent",
    ),
    _field("status", pa.int16(), "HTTP status", null="no answer"),
    _field(
        "outcome",
        _label,
        "ok (2xx), error (another status), timeout, reset, refused, invalid (not HTTP),"
        " unanswered or unsent (at the end of the load)",
    ),
    _field("censored", pa.bool_(), "the response time is only a lower bound: timeout, unanswered, unsent"),
    _field("received_bytes", pa.int32(), "bytes of the answer, header included", "bytes", null="never sent"),
)

PAUSES = _table(
    "pauses",
    "one pause, or one bucket of a pause histogram",
    _field("runtime", _label, "go, java, node or rust"),
    _field("collector", _label, "garbage collector by name"),
    _field("pid", pa.int32(), "process"),
    _field(
        "source",
        _label,
        "where the row comes from: go_gcstats, go_metrics, jul_safepoint, jul_phase, jul_stall,"
        " node_trace, not_applicable",
    ),
    _field(
        "kind",
        _label,
        "stw_gc, stw_other, alloc_stall, degenerated, incremental_step, mark_assist, forced_gc, not_applicable",
    ),
    _field("scope", _label, "what stood still: process, isolate or thread"),
    _field("phase", pa.string(), "the source's own name of it"),
    _field("cause", pa.string(), "why, in the source's words", null="the source does not tell"),
    _field("gc_id", pa.int64(), "number of the collection", null="the source does not tell, or no collection"),
    _field("forced", pa.bool_(), "somebody asked for the collection", null="the source does not tell"),
    _field("end_ns", pa.int64(), "end of the pause", "ns", null="not applicable"),
    _field("alignment_error_ns", pa.int64(), "how far end_ns may be off", "ns", null="not applicable"),
    _field(
        "window_ns",
        pa.int64(),
        "the pause ended within this long before end_ns; 0 when end_ns is the instant itself",
        "ns",
        null="not applicable",
    ),
    _field("dur_lo_ns", pa.int64(), "the pause lasted at least this long", "ns", null="not applicable"),
    _field("dur_hi_ns", pa.int64(), "the pause lasted at most this long", "ns", null="not applicable, or unbounded"),
    _field("resolution_ns", pa.int64(), "smallest difference that the source can tell", "ns", null="not applicable"),
    _field(
        "ttsp_ns", pa.int64(), "part of it spent on bringing threads to a stop", "ns", null="the source does not tell"
    ),
    _field("count", pa.int64(), "pauses that the row stands for: 1, or a bucket's count; 0 for not applicable"),
)

WORKERS = _table(
    "workers",
    "one process of the load generator",
    _field("worker", pa.int16(), "its number, from 0"),
    _field("host", pa.string(), "address of its machine as the master saw it", null="it never said"),
    _field("pid", pa.int32(), "its process"),
    _field("finished", pa.bool_(), "it wrote its summary; rows of one that did not may lack the last half second"),
    _field("rows", pa.int64(), "rows that it wrote"),
    _field("locust_count", pa.int64(), "requests that its own statistics counted", null="it did not finish"),
    _field("cpu_ns", pa.int64(), "CPU time within the measured window", "ns", null="it did not finish"),
    _field(
        "run_delay_ns",
        pa.int64(),
        "time ready to run and waiting for a processor, within the measured window",
        "ns",
        null="it did not finish, or the kernel does not tell",
    ),
    _field("began_ns", pa.int64(), "instant that its schedule counts from", "ns"),
    _field("late_ns", pa.int64(), "how late it began after the instant that all workers were told", "ns"),
    _field("clock_offset_ns", pa.int64(), "what was added to its instants to put them on the master's clock", "ns"),
    _field("clock_error_ns", pa.int64(), "how far that may be off; 0 on the master's own machine", "ns"),
)

GAPS = _table(
    "gaps",
    "one time at which the load generator was over a millisecond late although a connection was free",
    _field("worker", pa.int16(), "load generator process, from 0"),
    _field("due_ns", pa.int64(), "when the late request was due", "ns"),
    _field("sent_ns", pa.int64(), "when it was sent", "ns"),
    _field(
        "cause",
        _label,
        "what filled at least half of it: processor (the thread was ready and waited for its processor), flush (rows were"
        " written and counted), turn (another greenlet held the thread), hypervisor (the machine did not run), batch (the"
        " thread ran: answers and requests before it), unexplained",
    ),
    _field("flush_ns", pa.int64(), "part of it spent on writing and counting rows", "ns"),
    _field("turn_ns", pa.int64(), "part of it spent in the turn of other greenlets", "ns"),
    _field(
        "run_delay_ns", pa.int64(), "part of it spent waiting for a processor", "ns", null="the kernel does not tell"
    ),
    _field("cpu_ns", pa.int64(), "part of it in which the thread ran", "ns"),
    _field("steal_ns", pa.int64(), "processor time that the hypervisor gave to others meanwhile", "ns", null="unknown"),
)

PROCESS = _table(
    "process",
    "one sample of one process",
    _field("role", _label, "gateway or generator"),
    _field("pid", pa.int32(), "process"),
    _field("time_ns", pa.int64(), "instant of the sample", "ns"),
    _field("cpu_ns", pa.int64(), "CPU time used since the process began", "ns"),
    _field(
        "run_delay_ns",
        pa.int64(),
        "time spent ready to run and waiting, all threads that live now",
        "ns",
        null="the kernel does not tell",
    ),
    _field("rss_bytes", pa.int64(), "resident set size", "bytes"),
    _field("threads", pa.int32(), "threads"),
    _field("minor_faults", pa.int64(), "minor page faults since the process began"),
    _field("major_faults", pa.int64(), "major page faults since the process began"),
)

MACHINE = _table(
    "machine",
    "one sample of the whole machine",
    _field("time_ns", pa.int64(), "instant of the sample", "ns"),
    _field("busy_ns", pa.int64(), "processor time not idle since boot, all processors", "ns"),
    _field("steal_ns", pa.int64(), "processor time that the hypervisor gave to others since boot", "ns"),
    _field(
        "psi_cpu_some_ns",
        pa.int64(),
        "time since boot in which some task waited for a processor",
        "ns",
        null="the kernel has no pressure information",
    ),
    _field(
        "throttled_ns",
        pa.int64(),
        "time that the quota of this process' control groups has held it back so far",
        "ns",
        null="no control group with a quota tells",
    ),
    _field("memory_available_bytes", pa.int64(), "memory that could be had without swapping", "bytes"),
    _field("context_switches", pa.int64(), "context switches since boot"),
)

PROBES = _table(
    "probes",
    "one probe of a recovery cell",
    _field("stream", _label, "new (a connection each) or kept (one keep-alive connection)"),
    _field("intended_ns", pa.int64(), "instant at which the schedule wanted it sent", "ns"),
    _field("sent_ns", pa.int64(), "instant at which it was sent", "ns"),
    _field("done_ns", pa.int64(), "instant at which its outcome was known", "ns"),
    _field("outcome", _label, "ok, refused, reset, timeout, error (status other than 2xx), invalid"),
)

FAULTS = _table(
    "faults",
    "one injected fault and what came of it",
    _field("fault", _label, "sigkill, sigstop; none for a cell without a fault, the control"),
    _field("policy", _label, "supervisor policy by name"),
    _field("horizon_ns", pa.int64(), "how long after the fault the cell would have watched", "ns"),
    _field("sustain_ns", pa.int64(), "how long service must be good to count as sustained", "ns"),
    _field("baseline_p99_ns", pa.int64(), "99th percentile of the response time before the fault", "ns"),
    _field("inject_ns", pa.int64(), "the fault's system call returned", "ns"),
    _field(
        "impact_ns",
        pa.int64(),
        "first probe that failed: its intended instant",
        "ns",
        null="clients never noticed: the fault was masked",
    ),
    _field(
        "detect_ns",
        pa.int64(),
        "the supervisor knew: exit seen, or the threshold-th failed probe",
        "ns",
        null="never detected",
    ),
    _field("act_ns", pa.int64(), "the supervisor decided to kill or restart", "ns", null="never acted"),
    _field("exec_ns", pa.int64(), "the new process was created", "ns", null="no new process"),
    _field("listen_ns", pa.int64(), "the new process accepted a connection", "ns", null="never listened"),
    _field(
        "first_ok_ns",
        pa.int64(),
        "first good probe of the new service: its intended instant",
        "ns",
        null="never answered within the horizon, or masked",
    ),
    _field(
        "sustained_ns",
        pa.int64(),
        "start of the first stretch of good service that lasted",
        "ns",
        null="never sustained within the horizon, or masked",
    ),
    _field("censored", pa.bool_(), "service was not sustained again within the horizon"),
    _field("censor_reason", pa.string(), "why it is censored", null="it is not"),
    _field("probes_lost", pa.int64(), "probes that failed from the fault to the end, both streams"),
    _field(
        "probe_lag_p99_ns", pa.int64(), "99th percentile of how late probes were sent; over 2 ms the cell is void", "ns"
    ),
)

RESIDUE = _table(
    "residue",
    "one line of a pause log that the parser could not read",
    _field("source", _label, "which log"),
    _field("line", pa.int64(), "line number in it, from 1"),
    _field("text", pa.string(), "the line"),
)

TABLES = {t.name: t for t in (CELLS, REQUESTS, WORKERS, GAPS, PAUSES, PROCESS, MACHINE, PROBES, FAULTS, RESIDUE)}
