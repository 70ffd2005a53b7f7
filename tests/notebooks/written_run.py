"""Runs whose every request is written down by a test, through the store's own writer, so that each figure is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import gate
from bench.stalls import stops
from bench.store import manifest, writer
from bench.store.histograms import histograms_table
from bench.store.schema import SCHEMA_VERSION, TABLES
from bench.windows import windows_table
from roi.ledger import CAUSES

MS = 1_000_000
START_NS, END_NS = 10_000 * MS, 11_000 * MS
"""The measured window of every cell: one second."""


@dataclass(frozen=True)
class Request:
    """One request; the times are in ms."""

    lag_ms: float = 0.0
    service_ms: float | None = 1.0
    outcome: str = "ok"
    queued: bool = False
    intended_ns: int = START_NS


def served(*service_ms: float, lag_ms: float = 0.0) -> list[Request]:
    """Give requests that were answered after so many ms, all as late as `lag_ms`."""
    return [Request(lag_ms, time) for time in service_ms]


@dataclass(frozen=True)
class WrittenCell:
    """One cell with its requests and gaps."""

    cell_id: str
    variant: str = "go"
    runtime: str = "go"
    scenario: str = "steady"
    traffic_model: str = "open"
    rate_per_s: float | None = 1000.0
    requests: Sequence[Request] = ()
    gaps_ms: Sequence[tuple[str, float]] = ()
    """Cause and length."""
    pauses: Sequence[Mapping[str, Any]] = ()
    """What is told of each pause beside what all have; all end within the measured window."""
    stalls: Sequence[Mapping[str, int]] = ()
    """Parts by cause in ns; each stall is their sum."""
    reasons: Sequence[str] = ()
    """Why the gate did not pass it."""
    failure: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    """Other columns of `cells`."""
    rows: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """By table, rows of it beside their cell."""

    def row(self, position: int) -> dict[str, Any]:
        """Give its row of `cells`."""
        measured = {
            "started_ns": 0, "measure_start_ns": START_NS, "measure_end_ns": END_NS, "workers": 1,
            "gateway_cpu_ns": 500 * MS, "generator_cpu_ns": 100 * MS, "schedule_lag_p99_ns": MS // 10,
            "generator_workers": 1, "workers_lost": 0, "locust_count": len(self.requests),
            "gateway_count": len(self.requests), "gateway_duration_count": len(self.requests),
            "gateway_duration_share": 0.25 if self.requests else None, "gateway_pss_bytes": 1 << 26,
        }  # fmt: skip
        good = sum(r.outcome == "ok" and START_NS <= r.intended_ns < END_NS for r in self.requests)
        known = {"started_ns": 0} if self.failure else measured | {"rows_good": good, "rows_failed": 0}
        return {
            "cell_id": self.cell_id, "block": 0, "position": position, "variant": self.variant, "gateway": self.runtime,
            "runtime": self.runtime, "collector": self.runtime, "tuning": "stock", "scenario": self.scenario,
            "traffic_model": self.traffic_model, "rate_per_s": self.rate_per_s, "connections": 4, "repetition": 0,
            "options": "{}", "environment_bytes": 0, "gateway_cpus": "0", "generator_cpus": "1",
            "memory_budget_bytes": 1 << 28, "live_set_bytes": 1 << 20,
            "rows": len(self.requests), "rows_answered": len(self.requests), "rows_censored": 0,
            "gate_passed": not self.reasons and self.failure is None,
            "gate_reasons": [self.failure] if self.failure else list(self.reasons), "failure": self.failure,
        } | known | self.columns  # fmt: skip


def write(folder: Path, cells: Sequence[WrittenCell], **changes: Any) -> Path:
    """Write a run; gives its folder.

    Parameters
    ----------
    changes
        Fields of the manifest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    for position, cell in enumerate(cells):
        rows["cells"].append(cell.row(position))
        rows["requests"] += [_request(cell, request) for request in cell.requests]
        rows["gaps"] += [_gap(cell, *gap) for gap in cell.gaps_ms]
        rows["pauses"] += [_pause(cell, pause) for pause in cell.pauses]
        rows["stalls"] += [_stall(cell, parts) for parts in cell.stalls]
        for name, own in cell.rows.items():
            rows[name] += [{"cell_id": cell.cell_id, **row} for row in own]
    for cell in cells:
        own = writer.from_rows("requests", [_request(cell, request) for request in cell.requests])
        rows["windows"] += windows_table(own, cell.cell_id).to_pylist()
        if cell.failure is None:
            pauses = writer.from_rows("pauses", [_pause(cell, pause) for pause in cell.pauses])
            made = histograms_table(own, cell.cell_id, (START_NS, END_NS), stops(pauses))
            rows["histograms"] += made.to_pylist()
    for name in TABLES:
        writer.write(name, writer.from_rows(name, rows[name]), folder)
    said: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION, "run": "written", "suite": "written", "purpose": "decision", "suite_text": "",
        "seed": 1, "order": tuple(cell.cell_id for cell in cells), "started_at": "2026-11-24T10:00:00+00:00",
        "finished_at": "2026-11-24T10:05:00+00:00", "interruptions": 0,
        "machine": {"cpu_model": "Some CPU", "processors": 2}, "toolchains": {}, "variants": {}, "left_out": {},
        "contract": {}, "code_version": "", "synthetic": True, "gate": gate.asked(), "certificates": {"load": None},
        "calibration": None, "tables": manifest.describe(folder, {name: len(of) for name, of in rows.items()}),
    }  # fmt: skip
    manifest.Manifest(**said | changes).write(folder)
    return folder


def _request(cell: WrittenCell, request: Request) -> dict[str, Any]:
    sent = request.service_ms is not None
    return {
        "cell_id": cell.cell_id, "worker": 0, "connection": 0 if sent else None, "name": "route",
        "intended_ns": request.intended_ns, "schedule_lag_ns": round(request.lag_ms * MS), "queued": request.queued,
        "service_time_ns": round(request.service_ms * MS) if sent else None,
        "status": {"ok": 200, "error": 503}.get(request.outcome), "outcome": request.outcome,
        "censored": request.outcome in ("timeout", "unanswered", "unsent"), "received_bytes": 100 if sent else None,
    }  # fmt: skip


def _gap(cell: WrittenCell, cause: str, length_ms: float) -> dict[str, Any]:
    return {
        "cell_id": cell.cell_id, "worker": 0, "due_ns": START_NS, "sent_ns": START_NS + round(length_ms * MS),
        "cause": cause, "flush_ns": 0, "turn_ns": 0, "cpu_ns": 0,
    }  # fmt: skip


def _pause(cell: WrittenCell, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cell_id": cell.cell_id, "runtime": cell.runtime, "collector": cell.runtime, "pid": 1, "kind": "stw_gc", "scope": "process",
        "phase": "pause", "cause": None, "gc_id": None, "forced": None, "end_ns": START_NS + 500 * MS, "alignment_error_ns": 0,
        "window_ns": 0, "resolution_ns": 1, "ttsp_ns": None, "count": 1,
    } | said  # fmt: skip


def _stall(cell: WrittenCell, parts: Mapping[str, int]) -> dict[str, Any]:
    filled = dict.fromkeys((f"{cause}_ns" for cause in CAUSES), 0) | parts
    return {
        "cell_id": cell.cell_id, "begin_ns": START_NS + 100 * MS, "end_ns": START_NS + 100 * MS + sum(parts.values()),
        "in_flight": 1, "cause": max(parts, key=parts.__getitem__).removesuffix("_ns"),
    } | filled  # fmt: skip
