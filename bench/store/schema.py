"""The tables of a run: every column with its unit and meaning.

Time is integer nanoseconds of CLOCK_MONOTONIC of the machine that ran the cell, memory is bytes, and the unit is part
of a column's name. Unknown is null, never 0 and never -1. `bench schema` prints this module as the data dictionary.
`bench.store.table` has the history of the format.
"""

from __future__ import annotations

import pyarrow as pa

from bench.store.cells import CELLS
from bench.store.loads import GAPS, HISTOGRAMS, REQUESTS, STEPS, WINDOWS, WORKERS
from bench.store.table import SCHEMA_VERSION, Table, field, label, table

__all__ = ["CELLS", "SCHEMA_VERSION", "TABLES", "Table"]

PAUSES = table(
    "pauses",
    "one pause, or one bucket of a pause histogram",
    field("runtime", label, "go, java, node or rust"),
    field("collector", label, "garbage collector by name"),
    field("pid", pa.int32(), "process"),
    field(
        "source",
        label,
        "where the row comes from: go_gcstats, go_metrics, jul_safepoint, jul_phase, jul_stall, jfr (a second source, in"
        " proofs), node_trace, rust_drop, not_applicable",
    ),
    field(
        "kind",
        label,
        "stw_gc, stw_other, alloc_stall, degenerated, incremental_step, mark_assist, forced_gc, dealloc (memory was freed on"
        " the request path), sched_delay (ready to run, no processor), not_applicable",
    ),
    field("scope", label, "what stood still: process, isolate or thread"),
    field("phase", pa.string(), "the source's own name of it"),
    field("cause", pa.string(), "why, in the source's words", null="the source does not tell"),
    field("gc_id", pa.int64(), "number of the collection", null="the source does not tell, or no collection"),
    field("forced", pa.bool_(), "somebody asked for the collection", null="the source does not tell"),
    field("end_ns", pa.int64(), "end of the pause", "ns", null="not applicable"),
    field("alignment_error_ns", pa.int64(), "how far end_ns may be off", "ns", null="not applicable"),
    field(
        "window_ns",
        pa.int64(),
        "the pause ended within this long before end_ns; 0 when end_ns is the instant itself",
        "ns",
        null="not applicable",
    ),
    field("dur_lo_ns", pa.int64(), "the pause lasted at least this long", "ns", null="not applicable"),
    field("dur_hi_ns", pa.int64(), "the pause lasted at most this long", "ns", null="not applicable, or unbounded"),
    field("resolution_ns", pa.int64(), "smallest difference that the source can tell", "ns", null="not applicable"),
    field(
        "ttsp_ns", pa.int64(), "part of it spent on bringing threads to a stop", "ns", null="the source does not tell"
    ),
    field("count", pa.int64(), "pauses that the row stands for: 1, or a bucket's count; 0 for not applicable"),
)

PROCESS = table(
    "process",
    "one sample of one process",
    field("role", label, "gateway, generator or control"),
    field("pid", pa.int32(), "process"),
    field("time_ns", pa.int64(), "instant of the sample", "ns"),
    field("cpu_ns", pa.int64(), "CPU time used since the process began", "ns"),
    field(
        "run_delay_ns",
        pa.int64(),
        "time spent ready to run and waiting, all threads that live now",
        "ns",
        null="the kernel does not tell",
    ),
    field("rss_bytes", pa.int64(), "resident set size", "bytes"),
    field("threads", pa.int32(), "threads"),
    field("minor_faults", pa.int64(), "minor page faults since the process began"),
    field("major_faults", pa.int64(), "major page faults since the process began"),
)

THREADS = table(
    "threads",
    "one sample of one thread of the gateway",
    field("role", label, "gateway"),
    field("pid", pa.int32(), "process"),
    field("tid", pa.int32(), "thread"),
    field("name", label, "its name as the kernel keeps it, 15 bytes at most"),
    field("time_ns", pa.int64(), "instant of the sample", "ns"),
    field("cpu_ns", pa.int64(), "CPU time used since the thread began", "ns"),
    field("run_delay_ns", pa.int64(), "time spent ready to run and waiting", "ns", null="the kernel does not tell"),
)

HICCUPS = table(
    "hiccups",
    "one wake of a hiccup meter that was 500 µs late or later",
    field("role", label, "gateway, or control: the same program idle on the same processors"),
    field("pid", pa.int32(), "process"),
    field("due_ns", pa.int64(), "instant at which its thread should have woken", "ns"),
    field("late_ns", pa.int64(), "how much later it did", "ns"),
    field(
        "run_delay_ns",
        pa.int64(),
        "time since its last wake that the meter's own thread was ready to run and waited for a processor",
        "ns",
        null="the kernel does not tell",
    ),
)

STALLS = table(
    "stalls",
    "one time in which requests were pending and no answer came for 2 ms or longer, and what filled it",
    field("begin_ns", pa.int64(), "its beginning", "ns"),
    field("end_ns", pa.int64(), "its end", "ns"),
    field("in_flight", pa.int32(), "most requests that were pending in it"),
    field("cause", label, "the largest of its parts"),
    field("injected_ns", pa.int64(), "part of it that was a fault injected on purpose", "ns"),
    field("stw_gc_ns", pa.int64(), "part of it in which a collection stopped the world", "ns"),
    field("ttsp_ns", pa.int64(), "part of it spent on bringing threads to a stop", "ns"),
    field("stw_other_ns", pa.int64(), "part of it in which the runtime stopped the world for something else", "ns"),
    field("alloc_stall_ns", pa.int64(), "part of it in which threads waited for memory", "ns"),
    field("mark_assist_ns", pa.int64(), "part of it in which requests did the collector's marking", "ns"),
    field("incremental_ns", pa.int64(), "part of it spent in steps of incremental marking", "ns"),
    field("dealloc_ns", pa.int64(), "part of it spent on freeing memory", "ns"),
    field("scheduling_ns", pa.int64(), "part of it in which threads waited for a processor", "ns"),
    field("generator_ns", pa.int64(), "part of it in which the load generator was late", "ns"),
    field("unexplained_ns", pa.int64(), "what is left", "ns"),
)

MACHINE = table(
    "machine",
    "one sample of the whole machine",
    field("time_ns", pa.int64(), "instant of the sample", "ns"),
    field("busy_ns", pa.int64(), "processor time not idle since boot, all processors", "ns"),
    field("steal_ns", pa.int64(), "processor time that the hypervisor gave to others since boot", "ns"),
    field(
        "psi_cpu_some_ns",
        pa.int64(),
        "time since boot in which some task waited for a processor",
        "ns",
        null="the kernel has no pressure information",
    ),
    field(
        "throttled_ns",
        pa.int64(),
        "time that the quota of this process' control groups has held it back so far",
        "ns",
        null="no control group with a quota tells",
    ),
    field(
        "raw_ns",
        pa.int64(),
        "CLOCK_MONOTONIC_RAW at the same instant: the hardware's clock, which nobody corrects",
        "ns",
    ),
    field("suspended_ns", pa.int64(), "time since boot that the machine was suspended", "ns"),
    field(
        "gateway_group_cpu_ns",
        pa.int64(),
        "CPU time so far of the control group that holds the gateway alone",
        "ns",
        null="there is none",
    ),
    field("memory_available_bytes", pa.int64(), "memory that could be had without swapping", "bytes"),
    field("context_switches", pa.int64(), "context switches since boot"),
)

PROBES = table(
    "probes",
    "one probe of a recovery cell",
    field("stream", label, "new (a connection each) or kept (one keep-alive connection)"),
    field("intended_ns", pa.int64(), "instant at which the schedule wanted it sent", "ns"),
    field("sent_ns", pa.int64(), "instant at which it was sent", "ns"),
    field("done_ns", pa.int64(), "instant at which its outcome was known", "ns"),
    field("outcome", label, "ok, refused, reset, timeout, error (status other than 2xx), invalid"),
)

FAULTS = table(
    "faults",
    "one injected fault and what came of it",
    field(
        "fault",
        label,
        "which one, as a suite names it (sigkill, sigstop, out_of_memory, upstream_hung …); none for a cell without a"
        " fault, the control",
    ),
    field("policy", label, "supervisor policy by name"),
    field("truth", pa.string(), "what is known of the fault by itself, as JSON with units in the names"),
    field("horizon_ns", pa.int64(), "how long after the fault the cell would have watched", "ns"),
    field("sustain_ns", pa.int64(), "how long service must be good to count as sustained", "ns"),
    field("baseline_p99_ns", pa.int64(), "99th percentile of the response time before the fault", "ns"),
    field(
        "slow_limit_ns",
        pa.int64(),
        "response time above which an answer counts as slow, from that before the fault",
        "ns",
    ),
    field("inject_ns", pa.int64(), "the fault was taken: its system call returned, or its order was sent", "ns"),
    field("ended_ns", pa.int64(), "the fault ended by itself", "ns", null="it does not end by itself"),
    field(
        "impact_ns",
        pa.int64(),
        "first probe that failed: its intended instant",
        "ns",
        null="clients never noticed: the fault was masked",
    ),
    field(
        "detect_ns",
        pa.int64(),
        "the supervisor knew: exit seen, or the threshold-th failed probe",
        "ns",
        null="never detected",
    ),
    field("act_ns", pa.int64(), "the supervisor decided to kill or restart", "ns", null="never acted"),
    field("exec_ns", pa.int64(), "the new process was created", "ns", null="no new process"),
    field("listen_ns", pa.int64(), "the new process accepted a connection", "ns", null="never listened"),
    field(
        "first_ok_ns",
        pa.int64(),
        "first good probe of the new service: its intended instant",
        "ns",
        null="never answered within the horizon, or masked",
    ),
    field(
        "sustained_ns",
        pa.int64(),
        "start of the first stretch of good service that lasted",
        "ns",
        null="never sustained within the horizon, or masked",
    ),
    field("censored", pa.bool_(), "service was not sustained again within the horizon"),
    field("censor_reason", pa.string(), "why it is censored", null="it is not"),
    field("probes_lost", pa.int64(), "probes that failed from the fault to the end, both streams"),
    field(
        "spells",
        pa.int64(),
        "how often service went away: unbroken rows of failed probes, the most of either stream; over 1 it flapped",
    ),
    field(
        "probe_lag_p99_ns", pa.int64(), "99th percentile of how late probes were sent; over 2 ms the cell is void", "ns"
    ),
)

RESTARTS = table(
    "restarts",
    "one instance replaced in a rolling restart, behind a balancer and under load",
    field("way", label, "how the old instance went: drain, terminate (SIGTERM without a drain delay) or kill"),
    field("instance", pa.int16(), "which, from 0"),
    field("instances", pa.int16(), "how many there are"),
    field("created_ns", pa.int64(), "the new process was created", "ns"),
    field("ready_ns", pa.int64(), "it answered that it is ready", "ns"),
    field("in_service_ns", pa.int64(), "the balancer sends requests to it", "ns"),
    field("signal_ns", pa.int64(), "the old process was told to go", "ns"),
    field("exited_ns", pa.int64(), "it had ended", "ns"),
    field("exit_code", pa.int16(), "how; minus the signal's number when a signal ended it"),
    field("refused", pa.int64(), "requests that got a server error while it was being replaced"),
    field("reasons", pa.string(), "why, as the balancer says, with their number, as JSON"),
)

RESIDUE = table(
    "residue",
    "one line of a pause log that the parser could not read",
    field("source", label, "which log"),
    field("line", pa.int64(), "line number in it, from 1"),
    field("text", pa.string(), "the line"),
)

TABLES = {
    t.name: t
    for t in (
        CELLS, REQUESTS, HISTOGRAMS, WINDOWS, STEPS, WORKERS, GAPS, STALLS, PAUSES, HICCUPS, PROCESS, THREADS, MACHINE, PROBES,
        FAULTS, RESTARTS, RESIDUE,
    )
}  # fmt: skip
