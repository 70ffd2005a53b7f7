"""What any pause meter gives: pauses, and the lines of its log that it could not read."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from bench.meters import tables


@dataclass(frozen=True)
class PauseLog:
    """The pauses of one process from one source, and what could not be read of it."""

    pauses: pa.Table
    """Columns of the `pauses` table but `cell_id`, in the order of the log."""
    residue: pa.Table
    """Columns of the `residue` table but `cell_id`."""


class PauseRows:
    """Collects the pauses of one process. Every row of every source is made here."""

    def __init__(self, runtime: str, collector: str, pid: int) -> None:
        self._process = {"runtime": runtime, "collector": collector, "pid": pid}
        self._pauses: list[dict[str, object]] = []
        self._residue: list[dict[str, object]] = []

    def add(
        self,
        source: str,
        kind: str,
        scope: str,
        phase: str,
        *,
        dur_lo_ns: int | None,
        dur_hi_ns: int | None,
        resolution_ns: int | None,
        end_ns: int | None,
        alignment_error_ns: int | None,
        window_ns: int | None = 0,
        cause: str | None = None,
        gc_id: int | None = None,
        forced: bool | None = None,
        ttsp_ns: int | None = None,
        count: int = 1,
    ) -> None:
        """Add a pause, or a bucket of a histogram; the columns are those of the `pauses` table."""
        self._pauses.append(
            self._process
            | {
                "source": source,
                "kind": kind,
                "scope": scope,
                "phase": phase,
                "cause": cause,
                "gc_id": gc_id,
                "forced": forced,
                "end_ns": end_ns,
                "alignment_error_ns": alignment_error_ns,
                "window_ns": window_ns,
                "dur_lo_ns": dur_lo_ns,
                "dur_hi_ns": dur_hi_ns,
                "resolution_ns": resolution_ns,
                "ttsp_ns": ttsp_ns,
                "count": count,
            }
        )

    def not_applicable(self) -> None:
        """Say that there is nothing here that could pause: not the same as no pause seen."""
        unknown = dict.fromkeys(
            ("dur_lo_ns", "dur_hi_ns", "resolution_ns", "end_ns", "alignment_error_ns", "window_ns")
        )
        self.add("not_applicable", "not_applicable", "process", "not_applicable", count=0, **unknown)

    def unread(self, source: str, line: int, text: str) -> None:
        """Keep a line that could not be read; `line` counts from 1."""
        self._residue.append({"source": source, "line": line, "text": text})

    def log(self) -> PauseLog:
        """Give what was collected."""
        return PauseLog(tables.from_rows("pauses", self._pauses), tables.from_rows("residue", self._residue))
