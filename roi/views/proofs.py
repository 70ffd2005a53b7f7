"""The view of the certificates: what was proven of the instruments on the machine that measured."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.views.proof_words import is_count, plain
from roi.views.words import footnote, listed, milliseconds, number

LOAD, PAUSES, OVERHEAD, RECOVERY, STATISTICS = "load", "pauses", "overhead", "recovery", "statistics"


@dataclass(frozen=True)
class Instrument:
    """What one of the certificates is about, in words."""

    named: str
    unproven: str
    """What it means that nobody proved it."""
    doubtful: str
    """What it means that a proof failed."""
    takes: str


INSTRUMENTS = {
    LOAD: Instrument(
        "the load generator", "that its latencies are right rests here on the gate alone", "its figures are in doubt",
        "a quarter of an hour",
    ),
    PAUSES: Instrument(
        "the pause meters", "that they see every pause, and call nothing else one, rests here on their own word",
        "what they say of these variants is in doubt", "ten minutes",
    ),
    OVERHEAD: Instrument(
        "what the pause meters cost", "nobody knows here whether they change what they measure",
        "that the meters cost at most 1 % of CPU time and 2 % of p50 and p99 is not shown for these variants, and their cells"
        " say *perturbed*", "a quarter of an hour",
    ),
    RECOVERY: Instrument(
        "prober and supervisor", "that they see an outage as long as it is rests here on their own word",
        "their recovery times are in doubt", "an hour and a quarter",
    ),
    STATISTICS: Instrument(
        "the statistics", "that their intervals hold the truth as often as they say rests here on their sources",
        "some intervals do not hold what they say", "two minutes",
    ),
}  # fmt: skip
_SHOWN_Q = 0.99


def certificate(run: Run, kind: str = LOAD) -> Mapping[str, Any] | None:
    """Give the certificate of an instrument; None when it was not proven where the run was measured."""
    return run.manifest.certificates.get(kind)


def verdict(run: Run, kind: str = LOAD) -> str:
    """Say whether an instrument was proven on this machine, when, and whether it is still the same."""
    said, instrument, how = certificate(run, kind), INSTRUMENTS[kind], f"`bench prove {kind}` does it"
    if said is None:
        return (
            f"**Proofs of {instrument.named} were not made on the machine of this run**: {instrument.unproven}."
            f" {how} in about {instrument.takes}, and every run after it carries the certificate."
        )
    held, made = held_of_made(run, kind)
    when = f"on this machine, {said['made_at'][:16].replace('T', ' ')} UTC"
    whole = (
        f"**All {made} proofs of {instrument.named} held** {when}."
        if held == made
        else f"**{made - held} of {made} proofs of {instrument.named} failed** {when}: {_doubted(said, instrument)}."
    )
    same = (
        "What measured this run is what was proven."
        if said.get("of_this_code")
        else f"The code has been changed since: the proofs are of an older one. {how} again."
    )
    return f"{whole} {same}"


def _doubted(said: Mapping[str, Any], instrument: Instrument) -> str:
    failed = dict.fromkeys(_variant(proof["name"]) for proof in said["proofs"] if not proof["holds"])
    variants = [name for name in failed if name]
    return instrument.doubtful.replace("these variants", listed(variants)) if variants else instrument.doubtful


def held_of_made(run: Run, kind: str = LOAD) -> tuple[int, int]:
    """Give how many proofs held, and how many were made; none of none without a certificate."""
    proofs = (certificate(run, kind) or {}).get("proofs", ())
    return sum(bool(proof["holds"]) for proof in proofs), len(proofs)


def share_held(run: Run, kind: str = LOAD) -> dict[str, Any]:
    """Give the share of proofs that held as a finding has it: value, unit, n and note; no value without a certificate."""
    (held, made), named = held_of_made(run, kind), INSTRUMENTS[kind].named
    note = f"{held} of {made} proofs of {named}" if made else f"no proof of {named} was made on this machine"
    return {"value": held / made if made else None, "unit": "share", "n": made, "note": note}


def by_proof(run: Run, kind: str) -> pd.DataFrame:
    """List the proofs of an instrument that is proven variant by variant, a row a kind of proof; failed ones first."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for proof in (certificate(run, kind) or {}).get("proofs", ()):
        kinds.setdefault(proof["name"].partition(":")[2], []).append(proof)
    rows = sorted(
        (_over_variants(name, proofs) for name, proofs in kinds.items()), key=lambda row: row["verdict"] != "FAILS"
    )
    return pd.DataFrame(rows, columns=["verdict", "proof", "holds on", "measured", "expected", "fails on"])


def _over_variants(name: str, proofs: list[Mapping[str, Any]]) -> dict[str, object]:
    failed = [proof for proof in proofs if not proof["holds"]]
    return {
        "verdict": "FAILS" if failed else "holds",
        "proof": plain(name),
        "holds on": f"{len(proofs) - len(failed)} of {len(proofs)} variants",
        "measured": _range(proof["measured"] for proof in proofs),
        "expected": f"{_range(proof['expected'] for proof in proofs)} {_tolerance(_telling(proofs)) or ''}".strip(),
        "fails on": listed(f"{_variant(of['name'])} ({_number(of['measured'])})" for of in failed) if failed else None,
    }


def _telling(proofs: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give a proof whose outcome tells on which side of a bound it should be."""
    return next((proof for proof in proofs if proof["measured"] != proof["expected"]), proofs[0])


def _range(values: Iterable[float | None]) -> str:
    known = sorted(value for value in values if value is not None and not math.isnan(value))
    ends = list(dict.fromkeys(_number(value) for value in (known[:1] + known[-1:])))
    return " to ".join(ends) or "unknown"


def _variant(name: str) -> str:
    """Give the variant that a proof is of; empty where it is of none."""
    return name.partition(":")[0] if ":" in name else ""


def table(run: Run, kind: str = LOAD) -> pd.DataFrame:
    """List every proof in plain words: what was expected, what was measured, and whether it holds; failed ones first."""
    proofs = (certificate(run, kind) or {}).get("proofs", ())
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


def _tolerance(proof: Mapping[str, Any]) -> str | None:
    """Write how far from the expectation a measurement may be; of a bound its side, which the outcome tells."""
    expected, measured = proof["expected"], proof["measured"]
    if expected is None:
        return None
    if proof["tolerance"]:
        return f"± {_number(proof['tolerance'])}"
    if is_count(proof["name"]) or measured == expected:
        return "exactly" if is_count(proof["name"]) else None
    return "or more" if (measured > expected) == bool(proof["holds"]) else "or less"


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
