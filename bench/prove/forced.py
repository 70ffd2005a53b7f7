"""Proof: collections of a known number, each timed by the handler that forced it, are all found, and none is invented.

A meter that misses a collection finds none within that collection's span; one that invents finds some outside of all spans.
Where a forced collection stops the world for as long as it takes, what the meter says must fill most of the handler's own
time; where the collector works beside the application, it can only not exceed it.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from bench.prove.certificate import Proof
from bench.prove.subject import Subject, stops, within

COLLECTIONS = 20
_STOPS_FOR_ALL = ("serial", "parallel", "g1", "shenandoah", "shenandoah-generational", "v8")
"""Collectors whose forced collections are one stop from beginning to end."""
_LEAST_SHARE = 0.8
_MOST_SHARE = 1.05
"""A safepoint's total counts the way out of it, when the handler may already run again."""


def prove(name: str, folder: Path, cpus: Collection[int]) -> list[Proof]:
    """Give the proofs for one variant."""
    with Subject(name, folder, cpus) as subject:
        said = subject.ask(f"/__truth/gc?n={COLLECTIONS}")
    log = subject.log()
    rows = log.pauses.to_pandas()
    residue = Proof.near(
        f"{name}:residue_lines", 0.0, float(log.residue.num_rows), 0.0, "lines that the parser could not read"
    )
    if not said["applicable"]:
        found = rows[rows["kind"].isin(("stw_gc", "degenerated", "forced_gc"))]
        return [residue, Proof.near(f"{name}:collections", 0.0, float(len(found)), 0.0, "it has no collector")]
    return [residue, *_of_collections(name, subject.variant.collector, rows, said["collections"])]


def _of_collections(name: str, collector: str, rows: pd.DataFrame, spans: list[dict[str, int]]) -> list[Proof]:
    forced = rows[rows["forced"].eq(True)]
    counted = forced[forced["kind"] == "forced_gc"]["count"].sum()
    found = stops(rows)
    forced_stops = found[found["forced"].eq(True)] if not counted else found
    hit = [within(forced_stops, span["start_ns"], span["end_ns"]) for span in spans]
    outside = forced_stops.drop(pd.concat(hit).index) if hit else forced_stops
    shares = np.array(
        [own["dur_lo_ns"].sum() / (span["end_ns"] - span["start_ns"]) for own, span in zip(hit, spans, strict=True)]
    )
    proofs = [
        Proof.near(
            f"{name}:forced_found", float(len(spans)), float(sum(not own.empty for own in hit)), 0.0,
            "forced collections within whose span the meter has a stop",
        ),
        Proof.at_most(
            f"{name}:forced_stop_share_max", _MOST_SHARE, float(shares.max()),
            "stops within a forced collection over the handler's own time around it; longest of all",
        ),
    ]  # fmt: skip
    if counted:
        proofs.append(
            Proof.near(
                f"{name}:forced_counted", float(len(spans)), float(counted), 0.0, "the runtime's own count of them"
            )
        )
    else:
        proofs.append(
            Proof.near(
                f"{name}:forced_elsewhere", 0.0, float(len(outside)), 0.0,
                "stops that the meter calls forced outside of every span",
            )
        )  # fmt: skip
    if collector in _STOPS_FOR_ALL:
        proofs.append(
            Proof.at_least(
                f"{name}:forced_stop_share_median", _LEAST_SHARE, float(np.median(shares)),
                "a forced collection of this collector stops the world from its beginning to its end",
            )
        )  # fmt: skip
    return proofs
