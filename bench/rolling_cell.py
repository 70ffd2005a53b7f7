"""One rolling restart: instances behind a balancer, a load through it, and every instance replaced."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.cell import Context, Tables, cell_row, gateway_settings, of_cell, process_columns
from bench.gateways import registry
from bench.gateways.process import GatewayProcess
from bench.load_beside import LoadBeside, lateness, rows_columns
from bench.meters.machine import MachineSampler
from bench.rolling.balancer import Balancer
from bench.rolling.restart import Replacement, Way, instances, replace_all
from bench.store import writer
from bench.suite import Cell

_A_RESTART_S = 40.0
"""Longer than one instance can take to be replaced."""


def restart(cell: Cell, context: Context, folder: Path) -> Tables:
    """Run one rolling restart in `folder` and give its tables.

    Raises
    ------
    GatewayDied
        An instance did not come up, or did not end.
    LoadFailed
        The balancer or the load did not work.
    ToolchainMissing
        There is no balancer here.
    """
    variant = registry.variant(cell.variant)
    way = Way(cell.way)
    settings = gateway_settings(cell, context, folder)
    settings = replace(settings, env={**settings.env, **way.environment})
    started: list[GatewayProcess] = []

    def start(port: int) -> GatewayProcess:
        own = folder / f"instance-{len(started)}"
        own.mkdir()
        started.append(GatewayProcess(variant, replace(settings, port=port, folder=own)))
        return started[-1]

    longest_s = cell.baseline_s + cell.instances * (_A_RESTART_S + cell.sustain_s)
    with (
        MachineSampler() as machine,
        instances(cell.instances, start) as (running, spare),
        Balancer([*(instance.port for instance in running), spare], folder, context.rig.generator_cpus) as balancer,
    ):
        balancer.wait_for({instance.port for instance in running})
        info = running[0].info()
        with LoadBeside(cell, context, balancer.port, folder, longest_s) as load:
            load.wait_begun()
            time.sleep(cell.baseline_s)
            began_ns = time.monotonic_ns()
            replaced = replace_all(running, spare, start, way, balancer, cell.sustain_s)
            ended_ns = time.monotonic_ns()
            load.end()
    loaded = load.tables(cell)
    why = [
        *lateness(loaded["requests"], began_ns, ended_ns),
        *(["gateway and load share a processor"] if context.rig.shared else []),
    ]
    row = cell_row(cell, context) | process_columns(started[0], info) | rows_columns(loaded["requests"])
    row |= {"measure_start_ns": began_ns, "measure_end_ns": ended_ns, "gate_passed": not why, "gate_reasons": why}
    return loaded | {
        "restarts": writer.from_rows("restarts", _rows(cell, replaced, balancer.refused(), ended_ns)),
        "machine": of_cell(machine.table(), cell),
        "cells": writer.from_rows("cells", [row]),
    }


def _rows(
    cell: Cell, replaced: Sequence[Replacement], refused: Sequence[dict[str, Any]], ended_ns: int
) -> list[dict[str, object]]:
    """Give the rows of the `restarts` table; a server error is put down to the replacement during which it was asked for."""
    ends_ns = [*(one.created_ns for one in replaced[1:]), ended_ns]
    rows = []
    for one, until_ns in zip(replaced, ends_ns, strict=True):
        own = [error["reason"] for error in refused if one.created_ns <= error["time_ns"] < until_ns]
        rows.append({
            "cell_id": cell.cell_id, "way": cell.way, "instance": one.instance, "instances": cell.instances,
            "created_ns": one.created_ns, "ready_ns": one.ready_ns, "in_service_ns": one.in_service_ns,
            "signal_ns": one.signal_ns, "exited_ns": one.exited_ns, "exit_code": one.exit_code,
            "refused": len(own), "reasons": json.dumps(Counter(own), sort_keys=True),
        })  # fmt: skip
    return rows
