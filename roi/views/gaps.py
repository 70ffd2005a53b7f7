"""The view of the times at which the load generator was late although a connection was free."""

from __future__ import annotations

import pandas as pd

from roi import quality
from roi.data import Run
from roi.views.words import listed, milliseconds

CAUSES = {
    "processor": "its thread was ready and waited for a processor that something else used",
    "flush": "it was writing rows to disk and counting them",
    "turn": "another part of the generator held the thread: heartbeats, statistics, the web page",
    "hypervisor": "the whole machine did not run: its host gave the processors to others",
    "batch": "it was busy with answers and with requests that were due before",
    "unexplained": "nothing that was watched fills half of the gap",
}


def table(run: Run, scenario: str = "") -> pd.DataFrame:
    """List the gaps by cause, those that did not occur too.

    Parameters
    ----------
    scenario
        Of one scenario alone; of all by default.
    """
    found = quality.gaps(run, scenario).set_index("cause")
    rows = []
    for cause, meaning in CAUSES.items():
        seen = found.loc[cause] if cause in found.index else None
        rows.append({
            "cause": cause, "meaning": meaning, "gaps": 0 if seen is None else int(seen["gaps"]),
            "cells": 0 if seen is None else int(seen["cells"]),
            "longest": None if seen is None else milliseconds(seen["longest_ms"]),
            "together": None if seen is None else milliseconds(seen["total_ms"]),
        })  # fmt: skip
    return pd.DataFrame(rows)


def verdict(run: Run, scenario: str = "") -> str:
    """Say how often the generator was late, and what it was doing in most of that time."""
    found = quality.gaps(run, scenario)
    if not quality.open_loops(run, scenario):
        return "No open loop was measured, so there is no schedule that the generator could be late for."
    if found.empty:
        return "The generator was never over a millisecond late while a connection was free."
    count, total = int(found["gaps"].sum()), found["total_ms"].sum()
    first = found.sort_values("total_ms", ascending=False).iloc[0]
    known = listed(sorted(set(found["cause"]) - set(CAUSES))) if set(found["cause"]) - set(CAUSES) else ""
    return (
        f"The generator was over a millisecond late {count:,} time{'s' if count > 1 else ''} while a connection was free,"
        f" {milliseconds(total)} together. {first['total_ms'] / total:.0%} of that is *{first['cause']}*:"
        f" {CAUSES.get(first['cause'], 'a cause that this release does not know')}."
        + (f" Of causes that this release does not know: {known}." if known else "")
    )
