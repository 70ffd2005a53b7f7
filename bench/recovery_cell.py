"""One recovery measurement: a fresh gateway under a supervisor, one fault, and what an outside prober and a load saw."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.cell import Context, Tables, cell_row, gateway_settings, of_cell, process_columns
from bench.control_group import control_group
from bench.faults import inject
from bench.faults.events import slow_limit_ns
from bench.faults.journal import journal
from bench.faults.policy import policy as policy_named
from bench.faults.recover import RecoveryResult, run_fault
from bench.faults.target import Target
from bench.faults.upstream_stub import upstream_stub
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings
from bench.load.generator import START_S
from bench.load_beside import LoadBeside, lateness, rows_columns
from bench.meters.machine import MachineSampler
from bench.store import writer
from bench.suite import Cell

JOURNAL = "journal.json"
_NS = 1_000_000_000
_PROBE_LAG_LIMIT_NS = 2_000_000
"""A prober later than this at its 99th percentile did not see the outage as it was."""
_WARM_UP_S = 0.2
"""After the load has begun: its first requests are no baseline."""
_NO_ROUTES = {"GATEWAY_ROUTES": ""}
"""Without a routing table a gateway refuses to start, as its contract says."""


def recover(cell: Cell, context: Context, folder: Path) -> Tables:
    """Run one recovery cell in `folder`, write its journal there, and give its tables.

    Raises
    ------
    GatewayDied
        The gateway was not healthy before the fault.
    LoadFailed
        The prober ended, or the load did.
    FaultImpossible
        The fault needs what this machine has not.
    """
    variant = registry.variant(cell.variant)
    instances: list[GatewayProcess] = []
    info: dict[str, object] = {}
    with ExitStack() as around:
        settings, target = _surroundings(cell, context, folder, around)
        load = None
        if cell.rate_per_s is not None:
            longest_s = cell.baseline_s + cell.horizon_s + START_S
            load = around.enter_context(LoadBeside(cell, context, settings.port, folder, longest_s))

        def start() -> subprocess.Popen[bytes]:
            instances.append(GatewayProcess(variant, _of_this_start(settings, target)))
            return instances[-1].process

        def once_served() -> None:
            instances[0].ready_ns = time.monotonic_ns()
            info.update(instances[0].info())

        machine = around.enter_context(MachineSampler())
        result = run_fault(
            start, target, inject.fault(cell.fault), policy_named(cell.policy), cell.horizon_s,
            cell.baseline_s, cell.sustain_s, warm_up_s=_WARM_UP_S, seed=cell.seed, probed_path=inject.probed_path(cell.fault),
            prober_cpus=context.rig.generator_cpus, once_served=once_served, load=load,
        )  # fmt: skip
    (folder / JOURNAL).write_text(json.dumps(journal(result, variant.name), indent=1))
    tables = {
        "probes": of_cell(result.probes, cell),
        "faults": writer.from_rows("faults", [_fault_row(result, cell)]),
        "machine": of_cell(machine.table(), cell),
    } | (load.tables(cell) if load else {})
    row = cell_row(cell, context) | process_columns(instances[0], info)
    row |= _recovery_columns(result, context, tables)
    return tables | {"cells": writer.from_rows("cells", [row])}


def _surroundings(cell: Cell, context: Context, folder: Path, around: ExitStack) -> tuple[Settings, Target]:
    """Give what the gateway is started with and what a fault may strike around it; both as the fault needs."""
    settings = gateway_settings(cell, context, folder)
    # No more than the endpoints: the flags and variables that truth needs would make it another program.
    settings = replace(settings, env={**settings.env, "ENABLE_FAULTS": "1"})
    target = Target(settings.port, workers=settings.workers, memory_budget_mib=cell.memory_budget_mib)
    if inject.needs_group(cell.fault):
        target.group = around.enter_context(control_group())
        settings = replace(settings, joins=target.group.joins)
    if inject.needs_upstream(cell.fault):
        target.upstream = around.enter_context(upstream_stub(context.rig.generator_cpus))
        settings = replace(settings, env={**settings.env, "GATEWAY_UPSTREAM": target.upstream.url})
    return settings, target


def _of_this_start(settings: Settings, target: Target) -> Settings:
    """Give the settings of the next start: one that is to fail has no routing table."""
    if not target.failing_starts:
        return settings
    target.failing_starts -= 1
    return replace(settings, env={**settings.env, **_NO_ROUTES})


def _fault_row(result: RecoveryResult, cell: Cell) -> dict[str, object]:
    return result.fault | {
        "cell_id": cell.cell_id,
        "sustain_ns": round(cell.sustain_s * _NS),
        "baseline_p99_ns": result.baseline_p99_ns,
        "slow_limit_ns": slow_limit_ns(result.baseline_p99_ns),
    }


def _recovery_columns(result: RecoveryResult, context: Context, tables: Tables) -> dict[str, object]:
    fault = result.fault
    why = []
    if fault["probe_lag_p99_ns"] > _PROBE_LAG_LIMIT_NS:
        why.append(f"the prober was late: p99 of its lag is {fault['probe_lag_p99_ns'] / 1e6:.1f} ms")
    if context.rig.shared:
        why.append("gateway and prober share a processor")
    requests = tables.get("requests")
    start_ns, end_ns = fault["inject_ns"], result.probes["intended_ns"][-1].as_py()
    why += lateness(requests, start_ns, end_ns)
    return rows_columns(requests) | {
        "measure_start_ns": start_ns,
        "measure_end_ns": end_ns,
        "gate_passed": not why,
        "gate_reasons": why,
    }
