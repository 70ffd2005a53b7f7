"""The tables of a load: its requests one by one, in histograms, in tenths of a second and in steps, and who generated them."""

from __future__ import annotations

import pyarrow as pa

from bench.store.table import field, label, table

REQUESTS = table(
    "requests",
    "one request of the load, sent or not; ordered by intended time",
    field("worker", pa.int16(), "load generator process, from 0"),
    field("connection", pa.int32(), "connection of that process", null="never sent"),
    field("name", label, "request name, as in Locust's statistics"),
    field(
        "intended_ns",
        pa.int64(),
        "instant at which the schedule wanted it sent; in a closed loop the instant at which its user was free to send",
        "ns",
    ),
    field(
        "schedule_lag_ns",
        pa.int64(),
        "sent minus intended; for a request never sent: how long it had waited when the load ended",
        "ns",
    ),
    field(
        "queued", pa.bool_(), "no connection was free when it was due: the lag is the gateway's, not the generator's"
    ),
    field(
        "service_time_ns",
        pa.int64(),
        "done minus sent; for a request never answered: how long it had waited when it was given up",
        "ns",
        null="never sent",
    ),
    field("status", pa.int16(), "HTTP status", null="no answer"),
    field(
        "outcome",
        label,
        "ok (2xx), error (another status), timeout, reset, refused, invalid (not HTTP),"
        " unanswered or unsent (at the end of the load)",
    ),
    field("censored", pa.bool_(), "the response time is only a lower bound: timeout, unanswered, unsent"),
    field("received_bytes", pa.int32(), "bytes of the answer, header included", "bytes", null="never sent"),
)

HISTOGRAMS = table(
    "histograms",
    "requests that were intended within the measured window of a load cell and took about equally long",
    field("time", label, "which of their times: response, service, or lag (of the schedule)"),
    field("outcome", label, "as in `requests`"),
    field("queued", pa.bool_(), "as in `requests`"),
    field(
        "stopped",
        pa.bool_(),
        "of response times: from its intended instant to its answer a request shared time with a stop of the whole gateway",
        null="another time, or no record of stops, or there is no collector",
    ),
    field(
        "at_least_ns",
        pa.int64(),
        "lower end of the bucket, which is as wide as 1/128 of it at most; below 256 it is the time itself",
        "ns",
    ),
    field("count", pa.int64(), "requests"),
    field("sum_ns", pa.int64(), "sum of their times", "ns"),
)

WINDOWS = table(
    "windows",
    "a tenth of a second of a load, from its first request on and without a gap; warm-up included",
    field("began_ns", pa.int64(), "its beginning", "ns"),
    field("due", pa.int64(), "requests that were intended in it"),
    field("sent", pa.int64(), "requests that were sent in it"),
    field("answered", pa.int64(), "HTTP answers that came in it"),
    field("good", pa.int64(), "answers with 2xx that came in it"),
)

STEPS = table(
    "steps",
    "one step of a load in steps (scenarios scalability and capacity), in the order in which they ran",
    field("step", pa.int32(), "its number, from 0"),
    field(
        "kind",
        label,
        "closed (so many connections, all busy), search (a rate that may meet the objective), confirm (a rate that met it,"
        " again)",
    ),
    field("connections", pa.int32(), "most connections at once; of a closed step all of them busy"),
    field("rate_per_s", pa.float64(), "offered rate of Poisson arrivals", "1/s", null="a closed step"),
    field("began_ns", pa.int64(), "its requests are intended from here on", "ns"),
    field("ended_ns", pa.int64(), "and until here, exclusive", "ns"),
    field(
        "quantile_ms",
        pa.float64(),
        "response time at the quantile of the objective, as the generator saw it",
        "ms",
        null="a closed step, or too few requests got 2xx",
    ),
    field("met", pa.bool_(), "the quantile was at most the objective", null="a closed step"),
    field("good", pa.int64(), "requests that were intended and answered with 2xx within it"),
    field("found", pa.bool_(), "the last of the repeats of a rate of which all met the objective: it is the capacity"),
)

WORKERS = table(
    "workers",
    "one process of the load generator",
    field("worker", pa.int16(), "its number, from 0"),
    field("host", pa.string(), "address of its machine as the master saw it", null="it never said"),
    field("pid", pa.int32(), "its process"),
    field("finished", pa.bool_(), "it wrote its summary; rows of one that did not may lack the last half second"),
    field("rows", pa.int64(), "rows that it wrote"),
    field("locust_count", pa.int64(), "requests that its own statistics counted", null="it did not finish"),
    field("cpu_ns", pa.int64(), "CPU time within the measured window", "ns", null="it did not finish"),
    field(
        "run_delay_ns",
        pa.int64(),
        "time ready to run and waiting for a processor, within the measured window",
        "ns",
        null="it did not finish, or the kernel does not tell",
    ),
    field("began_ns", pa.int64(), "instant that its schedule counts from", "ns"),
    field("late_ns", pa.int64(), "how late it began after the instant that all workers were told", "ns"),
    field("clock_offset_ns", pa.int64(), "what was added to its instants to put them on the master's clock", "ns"),
    field("clock_error_ns", pa.int64(), "how far that may be off; 0 on the master's own machine", "ns"),
)

GAPS = table(
    "gaps",
    "one time at which the load generator was over a millisecond late although a connection was free",
    field("worker", pa.int16(), "load generator process, from 0"),
    field("due_ns", pa.int64(), "when the late request was due", "ns"),
    field("sent_ns", pa.int64(), "when it was sent", "ns"),
    field(
        "cause",
        label,
        "what filled at least half of it: processor (the thread was ready and waited for its processor), flush (rows were"
        " written and counted), turn (another greenlet held the thread), hypervisor (the machine did not run), batch (the"
        " thread ran: answers and requests before it), unexplained",
    ),
    field("flush_ns", pa.int64(), "part of it spent on writing and counting rows", "ns"),
    field("turn_ns", pa.int64(), "part of it spent in the turn of other greenlets", "ns"),
    field(
        "run_delay_ns", pa.int64(), "part of it spent waiting for a processor", "ns", null="the kernel does not tell"
    ),
    field("cpu_ns", pa.int64(), "part of it in which the thread ran", "ns"),
    field("steal_ns", pa.int64(), "processor time that the hypervisor gave to others meanwhile", "ns", null="unknown"),
)
