"""What the page of pauses answers for: its figures as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from roi import exposure, pauses, verdicts
from roi.data import Run
from roi.views import proofs
from roi.views.exposure import SHOWN_MS
from roi.views.pauses import CLAIM_OF_P99
from roi.views.words import known


def of_run(run: Run, scenario: str, all_cells: bool = False) -> Iterator[dict[str, Any]]:
    """Give every finding of the page, as `record` takes them."""
    for made in (_p99, _over_phase, _costs, _utilisation, _verdicts):
        yield from made(run, scenario, all_cells)
    for kind in (proofs.PAUSES, proofs.OVERHEAD):
        yield {"id": f"{kind}_proofs_held", "query": "manifest.certificates"} | proofs.share_held(run, kind)


def _p99(run: Run, scenario: str, all_cells: bool) -> Iterator[dict[str, Any]]:
    for row in pauses.distribution(run, scenario, all_cells).to_dict("records"):
        none = "none seen" if row["applicable"] else "no collector: not applicable"
        yield {
            "id": f"pause_p99_{row['variant']}", "value": known(row.get("p99_us")), "unit": "us",
            "lo": known(row.get("p99_lo_us")), "hi": known(row.get("p99_hi_us")), "n": row["n"], "query": pauses.OF_RECORD,
            "claim": CLAIM_OF_P99.get(row["variant"]), "note": None if row["n"] else none,
        }  # fmt: skip


def _over_phase(run: Run, scenario: str, all_cells: bool) -> Iterator[dict[str, Any]]:
    for row in pauses.phase_against_safepoint(run, scenario, all_cells).to_dict("records"):
        yield {
            "id": f"safepoint_over_phase_{row['variant']}", "value": row["ratio"], "unit": "ratio", "n": row["n"],
            "query": pauses.PHASE_AGAINST_SAFEPOINT,
        }  # fmt: skip


def _costs(run: Run, scenario: str, all_cells: bool) -> Iterator[dict[str, Any]]:
    for row in exposure.costs(run, scenario, all_cells).to_dict("records"):
        none = None if row["applicable"] else "no collector: not applicable"
        yield {
            "id": f"pauses_over_1ms_per_million_{row['variant']}", "value": known(row.get("long_per_million")), "unit": "1/million",
            "lo": known(row.get("long_lo")), "hi": known(row.get("long_hi")), "n": row["answered"], "query": exposure.COSTS,
            "note": none or (None if pd.notna(row.get("long_per_million")) else "no request was answered"),
        }  # fmt: skip
        lo, hi = known(row["gc_cpu_lo"]), known(row["gc_cpu_hi"])
        yield {
            "id": f"gc_cpu_share_{row['variant']}", "value": None if lo is None else (lo + hi) / 2, "unit": "share",
            "lo": lo, "hi": hi, "n": row["processes"], "query": exposure.COSTS,
            "note": none or ("not recorded in this run" if lo is None else "the middle of what is certain"),
        }  # fmt: skip


def _utilisation(run: Run, scenario: str, all_cells: bool) -> Iterator[dict[str, Any]]:
    table = exposure.utilisation(run, scenario, all_cells)
    for row in table[table["window_ms"] == SHOWN_MS].to_dict("records"):
        yield {
            "id": f"mutator_utilisation_{SHOWN_MS}ms_{row['variant']}", "value": row["lo"], "unit": "share",
            "lo": row["lo"], "hi": row["hi"], "n": row["stops"], "query": pauses.STOPS, "note": "the lower bound, worst process",
        }  # fmt: skip


def _verdicts(run: Run, scenario: str, all_cells: bool) -> Iterator[dict[str, Any]]:
    for found in verdicts.of_run(run, scenario, all_cells):
        # A verdict is no figure; the stated one is the claim's.
        yield {
            "id": f"verdict_{found.claim.id}", "value": None, "unit": found.claim.unit, "query": pauses.OF_RECORD,
            "note": f"{found.outcome}: {found.reason}",
        }  # fmt: skip
