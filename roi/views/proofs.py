"""The view of the certificate: what was proven of the load generator on the machine that measured."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.views.words import footnote, milliseconds, number

HOW = "`bench prove load` does it"
_SHOWN_Q = 0.99

_WORDS = (
    (r"stall_p([\d.]+)_ms", r"A stopped server: p\1 of the response time (ms)"),
    (r"stall_mean_excess_ms", r"A stopped server: by how much the mean response time rises (ms)"),
    (
        r"constant_throughput_misses_stall_p([\d.]+)_by_ms",
        r"The control, Locust's own pacing, must miss the stop: by how much its p\1 is too low (ms)",
    ),
    (r"md1_mean_rho_([\d.]+)_ms", r"Queueing law at \1 of capacity: mean response time (ms)"),
    (r"lindley_mean_rho_([\d.]+)_ms", r"Queue worked out request by request, at \1 of capacity: mean (ms)"),
    (r"lindley_shortest_excess_rho_([\d.]+)_ms", r"No answer before it was due, at \1 of capacity: earliest (ms)"),
    (r"known_delay_joined_requests", r"Known delays: requests found again in the server's log"),
    (r"known_delay_overhead_(p\d+)_ms", r"Known delays: what network and generator add, \1 (ms)"),
    (r"known_delay_shortest_overhead_ms", r"Known delays: the least that network and generator add (ms)"),
    (r"gaps_exponential_p_value_(\d+)_workers?", r"Arrivals are random as ordered (p-value of the test), workers: \1"),
    (r"counts_dispersion_(\d+)_workers?", r"Arrivals scatter as ordered (variance over mean), workers: \1"),
    (
        r"windows_undisturbed_share_(\d+)_workers?",
        r"Windows without an arrival that was a millisecond late (share), workers: \1",
    ),
    (r"rate_error_share_(\d+)_workers?", r"Error of the rate at the server (share), workers: \1"),
    (r"arrivals_seen_(\d+)_workers?", r"Requests that arrived of those scheduled, workers: \1"),
    (r"normal_end_(server|locust)_count", r"A load that ends by itself: requests by the \1's count"),
    (r"hard_stop_(server|locust)_count", r"A load that is stopped: requests by the \1's count"),
    (r"hard_stop_rows_in_flight", r"A load that is stopped: requests in flight that were kept as rows"),
    (r"hard_stop_rows_unsent", r"A load that is stopped: requests not yet sent that were kept as rows"),
    (r"slow_flush_(server|locust)_count", r"Workers that are slow to end: requests by the \1's count"),
    (r"killed_worker_flagged", r"A killed worker: workers that the load calls lost"),
    (r"killed_worker_rows_lost", r"A killed worker: rows lost"),
    (r"killed_worker_rows_invented", r"A killed worker: requests without a row, less rows without a request"),
    (r"frozen_worker_(server|locust)_count", r"A frozen worker: requests by the \1's count"),
    (r"frozen_worker_flagged", r"A frozen worker: changes that the load reports"),
    (r"frozen_worker_longest_lag_s", r"A frozen worker: longest lag of a request that was due meanwhile (s)"),
    (r"vegeta_(p\d+)_at_(\d+)_percent_ms", r"Against the load generator vegeta, at \2 % of capacity: \1 (ms)"),
)
"""What a proof's name says, by the form of the name."""


def certificate(run: Run) -> Mapping[str, Any] | None:
    """Give the certificate of the load generator; None when it was not proven where the run was measured."""
    return run.manifest.certificates.get("load")


def verdict(run: Run) -> str:
    """Say whether the load generator was proven on this machine, when, and whether it is still the same."""
    said = certificate(run)
    if said is None:
        return (
            "**The load generator was not proven on the machine of this run**: that its latencies are right rests here on the"
            f" gate alone. {HOW} in about a quarter of an hour, and every run after it carries the certificate."
        )
    held, made = held_of_made(run)
    when = f"on this machine, {said['made_at'][:16].replace('T', ' ')} UTC"
    whole = (
        f"**All {made} proofs of the load generator held** {when}."
        if held == made
        else f"**{made - held} of {made} proofs of the load generator failed** {when}: its figures are in doubt."
    )
    same = (
        "The load generator that measured this run is the one that was proven."
        if said.get("of_this_code")
        else f"The load generator has been changed since: the proofs are of an older one. {HOW} again."
    )
    return f"{whole} {same}"


def held_of_made(run: Run) -> tuple[int, int]:
    """Give how many proofs held, and how many were made; none of none without a certificate."""
    proofs = (certificate(run) or {}).get("proofs", ())
    return sum(bool(proof["holds"]) for proof in proofs), len(proofs)


def share_held(run: Run) -> dict[str, Any]:
    """Give the share of proofs that held as a finding has it: value, unit, n and note; no value without a certificate."""
    held, made = held_of_made(run)
    note = (
        f"{held} of {made} proofs of the load generator"
        if made
        else "the load generator was not proven on this machine"
    )
    return {"value": held / made if made else None, "unit": "share", "n": made, "note": note}


def table(run: Run) -> pd.DataFrame:
    """List every proof in plain words: what was expected, what was measured, and whether it holds; failed ones first."""
    proofs = (certificate(run) or {}).get("proofs", ())
    rows = [
        {
            "verdict": "reported" if proof["expected"] is None else "holds" if proof["holds"] else "FAILS",
            "proof": plain(proof["name"]),
            "measured": _number(proof["measured"]),
            "expected": _number(proof["expected"]),
            "tolerance": _tolerance(proof),
            "note": f"{proof['note']} ({proof['name']})",
        }
        for proof in sorted(proofs, key=lambda proof: bool(proof["holds"]))
    ]
    return pd.DataFrame(rows, columns=["verdict", "proof", "measured", "expected", "tolerance", "note"])


def plain(name: str) -> str:
    """Give a proof's name in plain words; one that this release does not know loses its underscores."""
    for form, words in _WORDS:
        if found := re.fullmatch(form, name):
            return found.expand(words)
    return name.replace("_", " ")


def _tolerance(proof: Mapping[str, Any]) -> str | None:
    """Write how far from the expectation a measurement may be; of a bound its side, which the outcome tells."""
    expected, measured = proof["expected"], proof["measured"]
    if expected is None:
        return None
    if proof["tolerance"]:
        return f"± {_number(proof['tolerance'])}"
    if _is_count(proof["name"]) or measured == expected:
        return "exactly" if _is_count(proof["name"]) else "none"
    return "or more" if (measured > expected) == bool(proof["holds"]) else "or less"


def _is_count(name: str) -> bool:
    """Tell whether a proof without a tolerance asks for equality and not for a bound."""
    return bool(
        re.fullmatch(r".*_(server|locust)_count|.*_joined_requests|arrivals_seen_.*|killed_worker_flagged", name)
    )


def _number(value: float | None) -> str | None:
    return None if value is None or math.isnan(value) else number(value, 4)


def stall_chart(run: Run) -> ChartSpec | None:
    """Draw what a stopped server does to the tail: theory, the engine, and Locust's own pacing, which misses it.

    None without a certificate that holds the curves.
    """
    curves = ((certificate(run) or {}).get("curves") or {}).get("stall")
    if not curves:
        return None
    lines = {
        "closed_form_ms": "theory",
        "engine_ms": "this suite's engine",
        "constant_throughput_ms": "Locust's own pacing",
    }
    wide = pd.DataFrame(curves)
    rows = wide.assign(one_in=1 / (1 - wide["quantile"])).melt(["quantile", "one_in"], list(lines), "seen_by", "ms")
    rows["seen_by"] = rows["seen_by"].map(lines)
    at = wide.iloc[(wide["quantile"] - _shown_quantile(wide)).abs().idxmin()]
    rare, theory, engine, pacing = 1 / (1 - at["quantile"]), *(milliseconds(at[name]) for name in lines)
    return ChartSpec(
        "stall_proof", "lines", rows, "one_in", "ms", series="seen_by", beside=("quantile",), order=tuple(lines.values()),
        title=f"When a server stops, one request in {number(rare)} waits {theory} by theory: our engine measures {engine},"
        f" Locust's own pacing {pacing}",
        alt=f"Response time by how rare it is, while a server was stopped once. One in {number(rare)}: theory {theory}, engine"
        f" {engine}, Locust's constant_throughput {pacing}.",
        x_title="The slowest one of so many requests (100 is p99, 1,000 is p99.9)", y_title="Response time (ms)", x_log=True,
        subtitle=_stall(run), footnote=f"{footnote(run)} Pacing waits for answers, so it hardly asks while the server stands.",
    )  # fmt: skip


def _shown_quantile(wide: pd.DataFrame) -> float:
    """Give p99 where the stall reaches it, or else the middle of what it reaches."""
    reached = wide.loc[wide["closed_form_ms"] > 0, "quantile"]
    if reached.empty or reached.min() < _SHOWN_Q:
        return _SHOWN_Q
    return float(reached.median())


def _stall(run: Run) -> str:
    """Say how long the server stood still, as the proof's own note does."""
    proofs = certificate(run)["proofs"]
    note = next((proof["note"] for proof in proofs if re.fullmatch(r"stall_p[\d.]+_ms", proof["name"])), "")
    return f"The server was {note}" if note else "The server was stopped once"
