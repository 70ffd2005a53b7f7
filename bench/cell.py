"""One load measurement: a fresh gateway, warm-up, load, and what gateway, generator and machine did meanwhile."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import scenario
from bench.control_group import ACCOUNT, control_group
from bench.evidence import load_columns, meter_columns
from bench.gateways import registry
from bench.gateways.process import HOST, GatewayProcess, Settings, free_port
from bench.load import gaps, spool
from bench.load.account import clock_offsets_ns, window, workers_rows
from bench.load.generator import Elsewhere, Generator, Order
from bench.meters import control, hiccups, machine, own_metrics, pauses, process, threads
from bench.prove import certificate
from bench.rig import Rig, as_list
from bench.stalls import stalls_table, stops
from bench.store import writer
from bench.store.histograms import histograms_table
from bench.suite import Cell, Suite
from bench.volume import Volume
from bench.windows import steps_rows, windows_table

_START_S = 40.0
"""How long gateway and generator may take to start, beside the load itself."""
_MIB = 1 << 20
_PADDING = "BENCH_PADDING"
"""A variable that no gateway reads."""


@dataclass(frozen=True)
class Context:
    """What all cells of a campaign share."""

    suite: Suite
    rig: Rig
    tokens: Path
    """Bearer tokens for the traffic, one a line."""
    gateway_env: dict[str, str] = field(default_factory=dict)
    """Variables of the contract that make these tokens hold."""
    workers: int = 1
    """Processes of the load generator."""
    elsewhere: Elsewhere | None = None
    """Where they are, when they are on other machines."""
    ceiling_per_s: float | None = None
    """What the load generator can do at all on this machine today; None: nobody has measured it."""


Tables = dict[str, pa.Table]


def measure(cell: Cell, context: Context, folder: Path) -> Tables:
    """Run one load cell in `folder` and give its tables.

    Raises
    ------
    GatewayDied
        The gateway ended at start or under load.
    LoadFailed
        The load generator did not finish.
    RecordsFull
        The gateway's log and meters wrote more than they may.
    """
    variant = registry.variant(cell.variant)
    settings = gateway_settings(cell, context, folder)
    volume = Volume(folder)
    with (
        control.Control(variant, folder / "control", settings.cpus) as idle,
        control_group(ACCOUNT) as group,
        GatewayProcess(variant, replace(settings, joins=group.joins)) as gateway,
        machine.MachineSampler(group.cpu_ns) as machine_sampler,
        Generator(_order(cell, context, gateway), folder, context.rig.generator_cpus) as generator,
    ):
        gateway.wait_ready()
        info = gateway.info()
        samplers = [process.ProcessSampler(gateway.pid, "gateway")]
        samplers += [process.ProcessSampler(pid, "generator") for pid in generator.pids]
        samplers += [process.ProcessSampler(idle.pid, "control")]
        thread_sampler = threads.ThreadSampler(gateway.pid, "gateway")
        with ExitStack() as sampling:
            for sampler in (*samplers, thread_sampler):
                sampling.enter_context(sampler)
            _wait(generator, cell, gateway, volume)
        pss = process.proportional_set_size(gateway.pid)
        account = own_metrics.read(gateway.get("/metrics")[1].decode())
    requests = spool.read_requests(generator.samples, cell.cell_id)
    record = pauses.read(variant.gateway.runtime, variant.collector, gateway.pid, folder)
    own, beside = hiccups.read(folder / hiccups.FILE), idle.record()
    measured = window(generator.samples)
    tables = {
        "requests": requests,
        "pauses": of_cell(record.pauses, cell),
        "residue": of_cell(record.residue, cell),
        "hiccups": of_cell(
            pa.concat_tables([hiccups.rows(own, "gateway", gateway.pid), hiccups.rows(beside, "control", idle.pid)]),
            cell,
        ),
        "threads": of_cell(thread_sampler.table(), cell),
        "process": of_cell(pa.concat_tables([sampler.table() for sampler in samplers]), cell),
        "machine": of_cell(machine_sampler.table(), cell),
        "windows": windows_table(requests, cell.cell_id),
        "histograms": histograms_table(requests, cell.cell_id, measured, stops(record.pauses)),
        "steps": writer.from_rows("steps", _steps(generator, requests, cell)),
        "workers": writer.from_rows("workers", workers_rows(generator.samples, cell.cell_id)),
        "gaps": gaps.table(
            generator.samples, machine_sampler.table(), cell.cell_id, clock_offsets_ns(generator.samples)
        ),
    }
    tables |= {"stalls": of_cell(stalls_table(tables), cell)}
    row = cell_row(cell, context) | process_columns(gateway, info)
    row |= meter_columns(measured, variant.gateway.runtime, folder, tables, own, beside)
    row |= {"meters_perturb": certificate.fails("overhead", variant.name)}
    row |= load_columns(cell, row, tables, generator, account, context.ceiling_per_s)
    row |= {"gateway_pss_bytes": pss, "records_bytes": volume.bytes()}
    return tables | {"cells": writer.from_rows("cells", [row])}


def failed(cell: Cell, context: Context, why: str) -> Tables:
    """Give the tables of a cell that could not be measured: it is published with its reason, and the rest goes on."""
    row = cell_row(cell, context) | {
        "started_ns": time.monotonic_ns(),
        "rows": 0,
        "rows_answered": 0,
        "rows_censored": 0,
        "gate_passed": False,
        "gate_reasons": [why],
        "failure": why,
    }
    return {"cells": writer.from_rows("cells", [row])}


def gateway_settings(cell: Cell, context: Context, folder: Path) -> Settings:
    """Give what a cell's gateway is started with."""
    return Settings(
        port=free_port(),
        folder=folder,
        cpus=context.rig.gateway_cpus,
        workers=len(context.rig.gateway_cpus),
        memory_budget_mib=cell.memory_budget_mib,
        live_set_mib=cell.live_set_mib,
        env={**context.gateway_env, _PADDING: "x" * cell.environment_bytes},
        host=HOST if context.elsewhere is None else context.elsewhere.address,
    )


def cell_row(cell: Cell, context: Context) -> dict[str, object]:
    """Give the columns of the cells table that are known before a cell is measured."""
    variant = registry.variant(cell.variant)
    return {
        "cell_id": cell.cell_id,
        "block": cell.block,
        "position": cell.position,
        "variant": variant.name,
        "gateway": variant.gateway.name,
        "runtime": variant.gateway.runtime,
        "collector": variant.collector,
        "tuning": variant.tuning,
        "scenario": cell.scenario,
        "traffic_model": cell.traffic_model,
        "rate_per_s": cell.rate_per_s,
        "options": json.dumps(_options(cell), sort_keys=True),
        "connections": cell.connections,
        "repetition": cell.repetition,
        "blind_label": cell.blind_label,
        "environment_bytes": cell.environment_bytes,
        "gateway_cpus": as_list(context.rig.gateway_cpus),
        "generator_cpus": as_list(context.rig.generator_cpus),
        "memory_budget_bytes": cell.memory_budget_mib * _MIB,
        "live_set_bytes": cell.live_set_mib * _MIB,
    }


def _options(cell: Cell) -> dict[str, object]:
    """Give the options in force, those by default included."""
    if not cell.is_load:
        return {}
    asked = scenario.named(cell.scenario)
    return asked.published(asked.values(cell.options))


def process_columns(gateway: GatewayProcess, info: dict[str, object]) -> dict[str, object]:
    """Give what the running process said of itself, and when it came up."""
    return {
        "runtime_version": str(info["runtime_version"]),
        "collector_reported": str(info["collector"]),
        "workers": info["workers"],
        "gateway_cpus_reported": info["processors"],
        "heap_limit_bytes": info["heap_limit_bytes"],
        "started_ns": gateway.started_ns,
        "ready_ns": gateway.ready_ns,
    }


def _order(cell: Cell, context: Context, gateway: GatewayProcess) -> Order:
    """Give what the load generator is to do; it prepares its requests while the gateway starts."""
    options = {
        "--warm-up": f"{cell.warm_up_s}",
        "--duration": f"{cell.duration_s}",
        "--connections": f"{cell.connections}",
        "--seed": f"{cell.seed}",
        "--wait-for-host": f"{_START_S}",
        "--target-pid": f"{gateway.pid}",
        "--tokens": f"{context.tokens}",
        "--loglevel": "WARNING",
    }
    options |= {"--rate": f"{cell.rate_per_s}"} if cell.rate_per_s else {}
    own = scenario.named(cell.scenario).command_line(cell.options, cell.connections)
    flags = ["--warm-up-saturated"] if cell.warm_up_saturated else []
    return Order(
        locustfile=scenario.locustfile(cell.scenario),
        host=f"http://{gateway.host}:{gateway.port}",
        options=(*own, *flags, *(part for option in options.items() for part in option)),
        workers=context.workers,
        elsewhere=context.elsewhere.under(cell.cell_id) if context.elsewhere else None,
    )


def _steps(generator: Generator, requests: pa.Table, cell: Cell) -> list[dict[str, object]]:
    steps = [step for said in spool.read_summaries(generator.samples) for step in said.steps]
    return steps_rows(steps, requests, cell.cell_id)


def _wait(generator: Generator, cell: Cell, gateway: GatewayProcess, volume: Volume) -> None:
    """Wait for the generator, while the gateway lives."""

    def watch() -> None:
        if (code := gateway.process.poll()) is not None:
            raise gateway.died(f"ended under load with exit code {code}")
        volume.check()

    generator.wait(cell.warm_up_s + cell.duration_s + _START_S, watch)


def of_cell(table: pa.Table, cell: Cell) -> pa.Table:
    """Give a meter's table its cell."""
    label = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([cell.cell_id]))
    return table.add_column(0, "cell_id", label)
