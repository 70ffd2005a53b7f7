"""From probes and the supervisor's record to the events of one recovery: pure functions on arrays.

How the two streams count. A client is hit when *any* stream fails, so the impact is the first failed probe of either.
Service is back when *every* stream that failed answers again, so a recovery is that of the last one. A connection that
the fault broke costs the kept stream one probe, its reset, on top of those that fell into the outage.

A recovery is interval-censored: it happened between the last failed probe and the first good one, one interval of a
stream apart at most. A hang that ends by itself answers what was waiting, so its first good probe may have been
intended as much as a probe's timeout before the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from bench.errors import GatewayDied
from bench.faults.kubelet import Decision, Step
from bench.faults.prober import Stream
from bench.faults.target import Strike
from bench.load.rows import Outcome
from bench.store.schema import PROBES

GOOD_SHARE = 0.99
"""Of a good stretch: probes that are ok, and ok probes that are not slow."""
SLOW_FACTOR = 2
"""An ok probe is slow above this many times the 99th percentile before the fault …"""
LAG_LIMIT_NS = 2_000_000
"""… and more than this above it: probes may be sent so late, and a difference below that is not the gateway's."""

NEVER_ANSWERED = "no good probe on every stream within the horizon"
NOT_SUSTAINED = "good probes within the horizon, but no stretch of good service that lasted"


@dataclass(frozen=True)
class Outage:
    """What the clients saw of a fault; instants in CLOCK_MONOTONIC ns."""

    impact_ns: int | None
    """First failed probe; None: the fault was masked."""
    first_ok_ns: int | None
    """Intended instant of the first good probe of the stream that came back last."""
    first_ok_done_ns: int | None
    """When that probe was answered."""
    good_since_ns: int | None
    """Start of the first stretch of good service that lasted: from the first good probe on, or, of a masked fault, from
    the fault on. One that begins before a fault has ended by itself lasts if it is good until then as well."""
    lost: int
    """Failed probes of both streams."""
    spells: int
    """How often service went away: unbroken rows of failed probes, the most of either stream."""


def response_p99_ns(probes: np.ndarray) -> int:
    """Give the 99th percentile of done minus intended, over the ok probes of a stretch before the fault.

    Raises
    ------
    GatewayDied
        Fewer than 99 % of a stream's probes were ok, so there is no good service that a recovery could be compared
        with.
    """
    ok = probes["outcome"] == Outcome.OK
    for stream in Stream:
        own = ok[probes["stream"] == stream]
        if own.sum() < GOOD_SHARE * max(len(own), 1):
            raise GatewayDied(
                f"The gateway did not serve steadily before the fault: {len(own) - own.sum()} of {len(own)} probes of"
                f" the stream {stream.name.lower()!r} failed. See its log, or give it a longer warm-up."
            )
    good = probes[ok]
    return int(np.quantile(good["done_ns"] - good["intended_ns"], 0.99, method="inverted_cdf"))


def slow_limit_ns(baseline_p99_ns: int) -> int:
    """Give the response time above which an ok probe is slow."""
    return max(SLOW_FACTOR * baseline_p99_ns, baseline_p99_ns + LAG_LIMIT_NS)


def outage(probes: np.ndarray, strike: Strike, limit_ns: int, sustain_ns: int) -> Outage:
    """Find what the clients saw.

    Parameters
    ----------
    probes
        `bench.faults.prober.ROW` in the order of the schedule, up to the end of the horizon at most.
    strike
        The fault. A probe in flight when it struck counts, and was hit at the instant of the fault.
    limit_ns
        Response time above which an ok probe is slow.
    sustain_ns
        How long service must be good to have lasted. The stretch lies within the probes.
    """
    failed = (probes["outcome"] != Outcome.OK) & (probes["done_ns"] >= strike.before_ns)
    intended = probes["intended_ns"]
    if not failed.any():
        return Outage(None, None, None, _good_since(probes, strike.after_ns, strike, limit_ns, sustain_ns), 0, 0)
    impact_ns = max(int(intended[failed].min()), strike.after_ns)
    lost, spells = int(failed.sum()), _spells(probes, failed)
    back = _first_ok(probes, failed)
    if back is None:
        return Outage(impact_ns, None, None, None, lost, spells)
    first_ok_ns = int(intended[back])
    good_since_ns = _good_since(probes, first_ok_ns, strike, limit_ns, sustain_ns)
    return Outage(impact_ns, first_ok_ns, int(probes["done_ns"][back]), good_since_ns, lost, spells)


def _spells(probes: np.ndarray, failed: np.ndarray) -> int:
    """Count the unbroken rows of failed probes of each stream, and give the larger number."""
    return max(int((np.diff(failed[probes["stream"] == stream].astype(int), prepend=0) > 0).sum()) for stream in Stream)


def _first_ok(probes: np.ndarray, failed: np.ndarray) -> int | None:
    """Give the index of the first good probe of the stream that came back last."""
    last = -1
    for stream in Stream:
        own = probes["stream"] == stream
        hit = np.flatnonzero(own & failed)
        if not len(hit):
            continue
        good = np.flatnonzero(own & (probes["outcome"] == Outcome.OK))
        good = good[good > hit[0]]
        if not len(good):
            return None
        last = max(last, int(good[0]))
    return last


def _good_since(probes: np.ndarray, from_ns: int, strike: Strike, limit_ns: int, sustain_ns: int) -> int | None:
    """Give the intended instant of the first good probe that begins a stretch of good service.

    In such a stretch 99 % of each stream's probes are ok, and 99 % of the ok ones (both streams) are not slow, which is
    to say that their 99th percentile is within the limit.
    """
    intended = probes["intended_ns"]
    ok = probes["outcome"] == Outcome.OK
    slow = ok & (probes["done_ns"] - intended > limit_ns)
    begins = np.flatnonzero(ok & ~slow & (intended >= from_ns))
    until_ns = np.maximum(intended[begins] + sustain_ns, strike.ended_ns or 0)
    # Only a stretch that is over has been seen whole.
    whole = until_ns <= intended[-1] if len(begins) else np.zeros(0, bool)
    begins, ends = begins[whole], np.searchsorted(intended, until_ns[whole])

    def count(what: np.ndarray) -> np.ndarray:
        sums = np.concatenate(([0], np.cumsum(what)))
        return sums[ends] - sums[begins]

    good = count(slow) <= (1 - GOOD_SHARE) * count(ok)
    for stream in Stream:
        own = probes["stream"] == stream
        good &= count(own & ~ok) <= (1 - GOOD_SHARE) * count(own)
    return int(intended[begins[good][0]]) if good.any() else None


def faults_row(
    outage: Outage, strike: Strike, record: Sequence[Decision], probes: np.ndarray, policy: str, horizon_ns: int
) -> dict[str, object]:
    """Give the row of the `faults` table, all columns but `cell_id`.

    The new process is the one that gave the first good probe; when none did, the last that was created.
    """
    since = [d for d in record if d.time_ns >= strike.before_ns]
    served_ns = outage.first_ok_done_ns
    created = [d for d in since if d.step is Step.CREATED and (served_ns is None or d.time_ns <= served_ns)]
    exec_ns = created[-1].time_ns if created else None
    reason = _censor_reason(outage)
    lag = probes["sent_ns"] - probes["intended_ns"]
    return {
        "fault": strike.fault,
        "policy": policy,
        "truth": json.dumps(strike.truth, sort_keys=True),
        "horizon_ns": horizon_ns,
        "inject_ns": strike.after_ns,
        "ended_ns": strike.ended_ns,
        "impact_ns": outage.impact_ns,
        "detect_ns": _first(since, Step.EXIT_SEEN, Step.UNHEALTHY),
        "act_ns": _first(since, Step.TERMINATED, Step.RESTART_DECIDED),
        "exec_ns": exec_ns,
        "listen_ns": None if exec_ns is None else _first((d for d in since if d.time_ns >= exec_ns), Step.LISTENING),
        "first_ok_ns": outage.first_ok_ns,
        "sustained_ns": None if outage.impact_ns is None else outage.good_since_ns,
        "censored": reason is not None,
        "censor_reason": reason,
        "probes_lost": outage.lost,
        "spells": outage.spells,
        "probe_lag_p99_ns": int(np.quantile(lag, 0.99, method="inverted_cdf")),
    }


def _first(record: Iterable[Decision], *steps: Step) -> int | None:
    return next((d.time_ns for d in record if d.step in steps), None)


def _censor_reason(outage: Outage) -> str | None:
    if outage.good_since_ns is not None:
        return None
    if outage.impact_ns is not None and outage.first_ok_ns is None:
        return NEVER_ANSWERED
    return NOT_SUSTAINED


def probes_table(probes: np.ndarray) -> pa.Table:
    """Give the `probes` table, all columns but `cell_id`."""
    schema = PROBES.schema.remove(PROBES.schema.get_field_index("cell_id"))
    columns = {name: pa.array(probes[name]) for name in ("intended_ns", "sent_ns", "done_ns")}
    columns |= {name: _labels(probes[name], words) for name, words in (("stream", Stream), ("outcome", Outcome))}
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _labels(values: np.ndarray, words: type[Stream] | type[Outcome]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(values, pa.int32()), [word.name.lower() for word in words])
