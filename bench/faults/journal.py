"""What was done and seen in one recovery, in the shape of a Chaos Toolkit journal.

The shape is that of `journal.json` (chaostoolkit.org, reference of the journal): tools that read one read these too. Its
times are wall clock; the measured ones are in the parquet tables beside it, and what the shape has no place for, the
supervisor's decisions, is a member of its own.
"""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from typing import Any

from bench.faults.inject import fault as fault_named
from bench.faults.kubelet import NS
from bench.faults.recover import RecoveryResult

_VERSION = "1.0.0"


def journal(result: RecoveryResult, subject: str) -> dict[str, Any]:
    """Give the journal of a recovery; `subject` is what was struck, in words."""
    at = _Clock()
    row, strike = result.fault, result.strike
    began_ns, ended_ns = (result.probes["intended_ns"][place].as_py() for place in (0, -1))
    hypothesis = {
        "title": "Service is good",
        "probes": [_probe("service-is-good")],
    }
    action = _action(strike.fault, {"pid": strike.pid})
    experiment = {
        "version": _VERSION,
        "title": f"{subject}: {strike.fault} under the policy {row['policy']}",
        "description": (fault_named(strike.fault).__doc__ or "").strip().splitlines()[0],
        "tags": [str(row["policy"]), strike.fault],
        "steady-state-hypothesis": hypothesis,
        "method": [action],
        "rollbacks": [],
    }
    undone_ns = strike.ended_ns or ended_ns
    return {
        # Written by this suite, and by no Chaos Toolkit.
        "chaoslib-version": None,
        "platform": platform.platform(),
        "node": "localhost",
        "experiment": experiment,
        "start": at.instant(began_ns),
        "end": at.instant(ended_ns),
        "duration": (ended_ns - began_ns) / NS,
        "status": "completed",
        "deviated": bool(row["censored"]),
        "steady_states": {
            "before": _state(at, began_ns, row["inject_ns"], met=True),
            "during": [],
            "after": _state(at, row["inject_ns"], ended_ns, met=not row["censored"]),
        },
        "run": [
            _ran(at, action, strike.before_ns, undone_ns, strike.truth),
            *_recovery(at, row),
        ],
        "rollbacks": [],
        "decisions": [{"time": at.instant(d.time_ns), "step": d.step.value} for d in result.decisions],
    }


class _Clock:
    """Wall clock of monotonic instants, by how the two stand now."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def instant(self, time_ns: int) -> str:
        moment = datetime.fromtimestamp((time_ns + self._offset_ns) / NS, UTC)
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds")


def _provider(module: str, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "python", "module": module, "func": function, "arguments": arguments}


def _action(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    module = fault_named(name).__module__
    return {"type": "action", "name": name, "provider": _provider(module, name, arguments)}


def _probe(name: str) -> dict[str, Any]:
    provider = _provider("bench.faults.events", "outage", {})
    return {"type": "probe", "name": name, "tolerance": True, "provider": provider}


def _ran(at: _Clock, activity: dict[str, Any], start_ns: int, end_ns: int, output: Any) -> dict[str, Any]:
    return {
        "activity": activity,
        "start": at.instant(start_ns),
        "end": at.instant(end_ns),
        "duration": (end_ns - start_ns) / NS,
        "status": "succeeded",
        "output": output,
    }


def _recovery(at: _Clock, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the events of the recovery that came about, as probes of the run."""
    events = ("impact", "detect", "act", "exec", "listen", "first_ok", "sustained")
    since_ns = row["inject_ns"]
    return [
        _ran(at, _probe(name), since_ns, row[f"{name}_ns"], (row[f"{name}_ns"] - since_ns) / NS)
        for name in events
        if row[f"{name}_ns"] is not None
    ]


def _state(at: _Clock, start_ns: int, end_ns: int, *, met: bool) -> dict[str, Any]:
    ran = _ran(at, _probe("service-is-good"), start_ns, end_ns, met)
    return {"steady_state_met": met, "probes": [ran | {"tolerance_met": met}]}
