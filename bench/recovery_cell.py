"""One recovery measurement: a fresh gateway under a supervisor, one fault, and what an outside prober saw."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bench.cell import Context, Tables, cell_row, gateway_settings, of_cell, process_columns
from bench.faults.inject import fault as fault_named
from bench.faults.policy import policy as policy_named
from bench.faults.recover import RecoveryResult, run_fault
from bench.gateways import registry
from bench.gateways.process import GatewayProcess
from bench.meters.machine import MachineSampler
from bench.store import writer
from bench.suite import Cell

_NS = 1_000_000_000
_PROBE_LAG_LIMIT_NS = 2_000_000
"""A prober later than this at its 99th percentile did not see the outage as it was."""


def recover(cell: Cell, context: Context, folder: Path) -> Tables:
    """Run one recovery cell in `folder` and give its tables.

    Raises
    ------
    GatewayDied
        The gateway was not healthy before the fault.
    LoadFailed
        The prober ended.
    """
    variant = registry.variant(cell.variant)
    settings = gateway_settings(cell, context, folder)
    instances: list[GatewayProcess] = []
    info: dict[str, object] = {}

    def start() -> subprocess.Popen[bytes]:
        instances.append(GatewayProcess(variant, settings))
        return instances[-1].process

    def once_served() -> None:
        instances[0].ready_ns = time.monotonic_ns()
        info.update(instances[0].info())

    with MachineSampler() as machine:
        result = run_fault(
            start, settings.port, fault_named(cell.fault), policy_named(cell.policy), cell.horizon_s,
            cell.baseline_s, cell.sustain_s, seed=cell.seed, prober_cpus=context.rig.generator_cpus,
            once_served=once_served,
        )  # fmt: skip
    row = cell_row(cell, context) | process_columns(instances[0], info)
    row |= _recovery_columns(result, context)
    return {
        "probes": of_cell(result.probes, cell),
        "faults": writer.from_rows("faults", [_fault_row(result, cell)]),
        "machine": of_cell(machine.table(), cell),
        "cells": writer.from_rows("cells", [row]),
    }


def _fault_row(result: RecoveryResult, cell: Cell) -> dict[str, object]:
    return result.fault | {
        "cell_id": cell.cell_id,
        "sustain_ns": round(cell.sustain_s * _NS),
        "baseline_p99_ns": result.baseline_p99_ns,
    }


def _recovery_columns(result: RecoveryResult, context: Context) -> dict[str, object]:
    fault = result.fault
    why = []
    if fault["probe_lag_p99_ns"] > _PROBE_LAG_LIMIT_NS:
        why.append(f"the prober was late: p99 of its lag is {fault['probe_lag_p99_ns'] / 1e6:.1f} ms")
    if context.rig.shared:
        why.append("gateway and prober share a processor")
    return {
        "measure_start_ns": fault["inject_ns"],
        "measure_end_ns": result.probes["intended_ns"][-1].as_py(),
        "rows": 0,
        "rows_answered": 0,
        "rows_censored": 0,
        "gate_passed": not why,
        "gate_reasons": why,
    }
