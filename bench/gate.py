"""The gate: whether a cell's figures are the gateway's and not the rig's, judged by the evidence in its own columns.

`CRITERIA` is the one table of what is asked, of whom, within which limit and why; `bench gate` prints it and the manifest
of a run keeps its limits. A cell that fails is published with its reasons and left out of comparisons; nothing is dropped
silently. Evidence that is null fails nothing, but for the counts, which must be known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Row = Mapping[str, Any]
"""A row of the `cells` table, its `gate_` columns not yet there."""
_LAG_OF_OBJECTIVE = 0.05
"""Lag of a search at most, over its objective."""
_TICKS_NS = 20_000_000
"""Two ticks of the scheduler, one at each end of a window."""


@dataclass(frozen=True)
class Criterion:
    """One thing that the gate asks."""

    name: str
    asks: str
    """What must hold; `{limit}` stands for the limit."""
    limit: float | None
    """In the unit that `asks` names; None where there is nothing to set."""
    of: Literal["open", "closed", "all"]
    """Which traffic model it is asked of."""
    columns: tuple[str, ...]
    """The evidence, columns of `cells`."""
    why: str
    """Why it is asked, and why the limit is what it is."""
    fails: Callable[[Row, float], str | None]
    """Gives the reason, or None when it holds."""

    def said(self) -> str:
        """Give what must hold, with its limit."""
        return self.asks.format(limit=self.limit)


def reasons(row: Row) -> list[str]:
    """Give why a cell does not pass, a sentence each; none when it does."""
    if _window(row) <= 0 or not row["rows"]:
        return ["there was no load in the measured window"]
    asked = (c for c in CRITERIA if c.of in ("all", row["traffic_model"]))
    return [reason for c in asked if (reason := c.fails(row, c.limit or 0.0))]


def asked() -> dict[str, dict[str, Any]]:
    """Give by every criterion's name what it asks, of whom, its limit and why: what the manifest of a run keeps."""
    return {c.name: {"asks": c.said(), "of": c.of, "limit": c.limit, "why": c.why} for c in CRITERIA}


def _window(row: Row) -> int:
    return row["measure_end_ns"] - row["measure_start_ns"]


def _processors(row: Row) -> int:
    return len({*row["gateway_cpus"].split(","), *row["generator_cpus"].split(",")})


def _late(row: Row, limit: float) -> str | None:
    p99 = row["schedule_lag_p99_ns"]
    if p99 is not None and p99 > max(limit, _LAG_OF_OBJECTIVE * (_objective_ms(row) or 0.0)) * 1e6:
        return f"the generator was late: p99 of its schedule lag is {p99 / 1e6:.2f} ms"
    return None


def _objective_ms(row: Row) -> float | None:
    """Give the response time that a search holds its rates against; None where nothing is searched for."""
    return json.loads(row["options"]).get("objective_ms")


def _not_sent(row: Row, limit: float) -> str | None:
    share = row["achieved_share"]
    return f"only {share:.2%} of the offered requests were sent" if share is not None and share < limit else None


def _generator_busy(row: Row, limit: float) -> str | None:
    used = row["generator_cpu_share"]
    return f"the generator used {used:.0%} of its processor" if used > limit else None


def _generator_waited(row: Row, limit: float) -> str | None:
    share = row["generator_run_delay_share"]
    if share is None or share <= limit or _objective_ms(row) is not None:
        return None
    return f"the generator waited {share:.1%} of the time for its processor"


def _near_ceiling(row: Row, limit: float) -> str | None:
    share = row["ceiling_share"]
    if share is None or share <= limit:
        return None
    return f"the load is {share:.0%} of what the generator can do at all ({row['ceiling_per_s']:,.0f}/s)"


def _not_saturated(row: Row, limit: float) -> str | None:
    if row["little_share"] is None:  # its users think between two requests
        return None
    if row["gateway_cpu_ns"] is None:
        return "the gateway's CPU time is not known"
    used = row["gateway_cpu_ns"] / (_window(row) * row["workers"])
    return f"the gateway used {used:.0%} of its processors: it was not saturated" if used < limit else None


def _against_little(row: Row, limit: float) -> str | None:
    share = row["little_share"]
    if share is None or abs(share - 1) <= limit:
        return None
    return f"by Little's law {share:.0%} of the connections were busy: requests are missing, or connections idled"


def _out_of_order(row: Row, _: float) -> str | None:
    return "percentiles or times are out of order" if row["percentiles_in_order"] is False else None


def _unanswered(row: Row, _: float) -> str | None:
    return None if row["rows_answered"] else "not one request was answered"


def _locust_disagrees(row: Row, _: float) -> str | None:
    if row["locust_count"] == row["rows"]:
        return None
    counted = "is not known" if row["locust_count"] is None else f"is {row['locust_count']}"
    return f"Locust's own count {counted}, the rows are {row['rows']}"


def _gateway_disagrees(row: Row, _: float) -> str | None:
    for column, did in (("gateway_count", "counted"), ("gateway_duration_count", "timed")):
        own = row[column]
        if own is None:
            return f"how many requests the gateway itself {did} is not known"
        if not row["rows_answered"] <= own <= row["rows"]:
            return f"the gateway {did} {own} requests, the rows say {row['rows_answered']}"
    return None


def _worked_longer(row: Row, limit: float) -> str | None:
    share = row["gateway_duration_share"]
    if share is None or 0 < share <= 1 + limit:
        return None
    return f"the gateway worked on requests for {share:.0%} of the time that clients waited for them"


def _throttled(row: Row, limit: float) -> str | None:
    held = row["throttled_ns"]
    if held is None or held <= limit * _window(row):
        return None
    return f"a control group's quota held the processes back for {held / _window(row):.1%} of the time"


def _stolen(row: Row, limit: float) -> str | None:
    stolen = row["steal_ns"]
    if stolen is None or stolen <= limit * _window(row) * _processors(row):
        return None
    return f"the hypervisor took {stolen / _window(row) / _processors(row):.1%} of the processors"


def _overused(row: Row, limit: float) -> str | None:
    share = row["utilisation"]
    if share is None or share <= 1 + limit:
        return None
    return f"the gateway used {share:.0%} of its processors: more than there is"


def _accounts_differ(row: Row, limit: float) -> str | None:
    own, group = row["gateway_cpu_ns"], row["gateway_group_cpu_ns"]
    # A reading is up to a tick of the scheduler old.
    if own is None or group is None or abs(group - own) <= limit * own + _TICKS_NS:
        return None
    return f"the gateway's CPU time is {own / 1e9:.3f} s by its own clock and {group / 1e9:.3f} s by its control group"


def _stopped_longer(row: Row, limit: float) -> str | None:
    stopped = row["stopped_ns"]
    if stopped is None or stopped <= limit * _window(row):
        return None
    return f"pauses of {stopped / 1e9:.3f} s do not fit into a window of {_window(row) / 1e9:.3f} s"


def _flow(row: Row, _: float) -> str | None:
    ended = row["rows_answered"] + row["rows_censored"] + row["rows_failed"]
    if ended == row["rows"]:
        return None
    return f"{row['rows']} requests began and {ended} ended"


def _clock(row: Row, limit: float) -> str | None:
    slew = row["clock_slew_share"]
    if slew is None or abs(slew) <= limit:
        return None
    return f"the clock was corrected by {slew * 1e6:.0f} parts in a million while it measured"


def _suspended(row: Row, limit: float) -> str | None:
    slept = row["suspended_ns"]
    return None if slept is None or slept <= limit else f"the machine was suspended for {slept / 1e9:.3f} s"


def _elsewhere(row: Row, _: float) -> str | None:
    allowed = row["gateway_cpus_reported"]
    if allowed == row["gateway_cpus"]:
        return None
    return f"the gateway was to run on processors {row['gateway_cpus']} and may use {allowed}"


def _other_workers(row: Row, _: float) -> str | None:
    asked = len(row["gateway_cpus"].split(","))
    if row["workers"] == asked:
        return None
    return f"the gateway has {row['workers']} workers for {asked} processors"


def _shared(row: Row, _: float) -> str | None:
    common = set(row["gateway_cpus"].split(",")) & set(row["generator_cpus"].split(","))
    return "gateway and load generator share a processor" if common else None


def _unread(row: Row, limit: float) -> str | None:
    lines = row["residue_lines"]
    return f"{lines} lines of the pause log could not be read" if lines is not None and lines > limit else None


def _without_control(row: Row, _: float) -> str | None:
    if row["hiccup_wakes"] is not None and row["control_wakes"] is None:
        return "the control left no record: nothing tells the machine's stalls from the gateway's"
    return None


CRITERIA = (
    Criterion(
        "schedule_lag", "p99 of the schedule lag at most {limit:g} ms; of a search, 5 % of its objective", 1.0, "open",
        ("schedule_lag_p99_ns", "options"),
        "Lag of requests that found a connection free is the generator's own doing and stands in every response time. On two"
        " shared cores the engine keeps 0.1 to 0.4 ms; at a millisecond it would be much of what it measures. A search overloads"
        " on purpose, and what it holds against an objective of 50 ms is not told by one: lag only makes its rate too low.",
        _late,
    ),
    Criterion(
        "achieved", "at least {limit:.1%} of the offered requests sent", 0.999, "open", ("achieved_share",),
        "An open loop that sends less than it offers has closed.", _not_sent,
    ),
    Criterion(
        "generator_cpu", "generator uses at most {limit:.0%} of its processor", 0.95, "open", ("generator_cpu_share",),
        "Above it, it cannot follow its schedule. A closed loop may use all of it.", _generator_busy,
    ),
    Criterion(
        "generator_run_delay", "generator waits at most {limit:.0%} of the time for its processor", 0.02, "open",
        ("generator_run_delay_share",),
        "What it waits is lag. Not asked of a search, which overloads on purpose; its lag is asked.", _generator_waited,
    ),
    Criterion(
        "headroom", "load at most {limit:.0%} of the generator's ceiling", 0.7, "all", ("ceiling_per_s", "ceiling_share"),
        "Nearer to its ceiling the generator's own queueing shows. Asked only where `bench calibrate` has measured it.",
        _near_ceiling,
    ),
    Criterion(
        "saturated", "gateway uses at least {limit:.0%} of its processors", 0.9, "closed", ("gateway_cpu_ns", "workers"),
        "Below it the gateway was not what limited the figure, so the figure is not its capacity.", _not_saturated,
    ),
    Criterion(
        "little", "requests in flight by Little's law within {limit:.0%} of the connections", 0.05, "closed",
        ("little_share",), "Every connection of a closed loop is busy all the time: rate times mean response time must say so"
        " too, or rows are missing.", _against_little,
    ),
    Criterion(
        "in_order", "times and percentiles in order", None, "all", ("percentiles_in_order",),
        "No service time is longer than its response time, no percentile above the maximum.", _out_of_order,
    ),
    Criterion(
        "utilisation", "the gateway uses no more of its processors than there is, within {limit:.0%}", 0.02, "all",
        ("utilisation",), "CPU time cannot be more than time (the utilisation law); a clock tick of 10 ms is allowed for.",
        _overused,
    ),
    Criterion(
        "cpu_accounts", "two accounts of the gateway's CPU time within {limit:.0%}", 0.02, "all",
        ("gateway_cpu_ns", "gateway_group_cpu_ns"),
        "The process' own clock and its control group's are kept apart by the kernel; what a request costs rests on them.",
        _accounts_differ,
    ),
    Criterion(
        "stopped", "pauses fit into the window", 1.0, "all", ("stopped_ns",),
        "A process that stood still for longer than it was watched did not: a log was misread.", _stopped_longer,
    ),
    Criterion(
        "flow", "every request that began has ended", None, "all",
        ("rows", "rows_answered", "rows_censored", "rows_failed"),
        "Answered, failed and given up are all that can become of one (flow balance).", _flow,
    ),
    Criterion(
        "clock", "clock corrected by at most {limit:.2%}", 0.0006, "all", ("clock_slew_share",),
        "The kernel corrects CLOCK_MONOTONIC by 500 parts in a million at most; more is another fault of the clock.", _clock,
    ),
    Criterion(
        "awake", "machine never suspended", 1e6, "all", ("suspended_ns",),
        "CLOCK_MONOTONIC stands still meanwhile. Up to a millisecond is reading two clocks one after the other.", _suspended,
    ),
    Criterion(
        "processors", "the gateway may use the processors that it was given", None, "all",
        ("gateway_cpus", "gateway_cpus_reported"), "What was asked for is not what is: it is read back.", _elsewhere,
    ),
    Criterion(
        "workers", "as many workers as processors", None, "all", ("workers", "gateway_cpus"),
        "Fewer leave processors idle, more are a tuning that the others do not have; as the runtime itself says.",
        _other_workers,
    ),
    Criterion(
        "answered", "requests were answered", None, "all", ("rows_answered",),
        "A gateway that answers nothing agrees with everybody's count.", _unanswered,
    ),
    Criterion(
        "locust_count", "Locust's count equals the rows", None, "all", ("locust_count", "rows"),
        "Statistics and rows take different ways.", _locust_disagrees,
    ),
    Criterion(
        "gateway_count", "the gateway's counts, of requests and of durations, lie between the rows answered and all rows",
        None, "all", ("gateway_count", "gateway_duration_count", "rows_answered", "rows"),
        "It knows nothing of the generator.", _gateway_disagrees,
    ),
    Criterion(
        "gateway_duration", "the gateway worked on requests for no longer than clients waited for them, within {limit:.0%}",
        0.01, "all", ("gateway_duration_share",),
        "By Little's law each sum over the time is a mean number of requests: those in the gateway are among those in flight."
        " A hundredth, because a runtime may read its clock when its client has the answer already: a microsecond in a hundred.",
        _worked_longer,
    ),
    Criterion(
        "throttled", "held back by a quota for at most {limit:.0%} of the time", 0.01, "all", ("throttled_ns",),
        "A quota stops gateway and generator for whole periods of 100 ms, which no schedule survives.", _throttled,
    ),
    Criterion(
        "steal", "the hypervisor takes at most {limit:.0%} of the processors", 0.1, "all", ("steal_ns",),
        "On shared virtual machines some percent are common; a capacity is low by about as much, CPU time a request is"
        " not.", _stolen,
    ),
    Criterion(
        "residue", "every line of the pause log read", 0.0, "all", ("residue_lines",),
        "A line that names a pause and is not understood may be the longest of all.", _unread,
    ),
    Criterion(
        "control", "a control watched the machine", None, "all", ("hiccup_wakes", "control_wakes"),
        "Its P99 is the floor of the hiccup meter; without it there is none.", _without_control,
    ),
    Criterion(
        "own_processors", "gateway and generator have processors of their own", None, "all",
        ("gateway_cpus", "generator_cpus"), "Sharing one, each slows the other down.", _shared,
    ),
)  # fmt: skip
