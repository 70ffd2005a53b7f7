"""One load measurement: a fresh gateway, warm-up, load, and what gateway, generator and machine did meanwhile."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import scenario
from bench.errors import LoadFailed
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.load import gate, spool
from bench.load.account import window, workers_rows
from bench.load.generator import Elsewhere, Generator, Order
from bench.meters import machine, pauses, process
from bench.rig import Rig, as_list
from bench.store import writer
from bench.suite import Cell, Suite

_START_S = 40.0
"""How long gateway and generator may take to start, beside the load itself."""
_MIB = 1 << 20
_COUNTED = re.compile(rb'^http_server_requests_total\{[^}]*endpoint="/route"[^}]*\} ([0-9.e+]+)', re.MULTILINE)


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


Tables = dict[str, pa.Table]


def measure(cell: Cell, context: Context, folder: Path) -> Tables:
    """Run one load cell in `folder` and give its tables.

    Raises
    ------
    GatewayDied
        The gateway ended at start or under load.
    LoadFailed
        The load generator did not finish.
    """
    variant = registry.variant(cell.variant)
    settings = gateway_settings(cell, context, folder)
    with (
        _start_gateway(variant, settings, context) as gateway,
        machine.MachineSampler() as machine_sampler,
        Generator(_order(cell, context, gateway), folder, context.rig.generator_cpus) as generator,
    ):
        gateway.wait_ready()
        info = gateway.info()
        samplers = [process.ProcessSampler(gateway.pid, "gateway")]
        samplers += [process.ProcessSampler(pid, "generator") for pid in generator.pids]
        with ExitStack() as sampling:
            for sampler in samplers:
                sampling.enter_context(sampler)
            _wait(generator, cell, gateway)
        pss = process.proportional_set_size(gateway.pid)
        counted = _gateway_count(gateway)
    requests = spool.read_requests(generator.samples, cell.cell_id)
    record = pauses.read(variant.gateway.runtime, variant.collector, gateway.pid, folder)
    tables = {
        "requests": requests,
        "pauses": of_cell(record.pauses, cell),
        "residue": of_cell(record.residue, cell),
        "process": of_cell(pa.concat_tables([sampler.table() for sampler in samplers]), cell),
        "machine": of_cell(machine_sampler.table(), cell),
        "workers": writer.from_rows("workers", workers_rows(generator.samples, cell.cell_id)),
    }
    row = cell_row(cell, context, gateway, info)
    row |= _load_columns(cell, tables, generator, counted, context.rig, int(row["workers"]))
    row |= {"gateway_pss_bytes": pss}
    return tables | {"cells": writer.from_rows("cells", [row])}


def _start_gateway(variant: registry.Variant, settings: Settings, context: Context) -> GatewayProcess:
    """Start the gateway; where workers on other machines can reach it, if there are any, and on loopback otherwise."""
    if context.elsewhere is None:
        return GatewayProcess(variant, settings)
    address = context.elsewhere.address
    gateway = GatewayProcess(variant, replace(settings, env={**settings.env, "GATEWAY_HOST": address}))
    gateway.host = address
    return gateway


def gateway_settings(cell: Cell, context: Context, folder: Path) -> Settings:
    """Give what a cell's gateway is started with."""
    return Settings(
        port=free_port(),
        folder=folder,
        cpus=context.rig.gateway_cpus,
        workers=len(context.rig.gateway_cpus),
        memory_budget_mib=context.suite.memory_budget_mib,
        live_set_mib=context.suite.live_set_mib,
        env=context.gateway_env,
    )


def cell_row(cell: Cell, context: Context, gateway: GatewayProcess, info: dict[str, object]) -> dict[str, object]:
    """Give the columns of the cells table that every kind of cell has."""
    variant = gateway.variant
    return {
        "cell_id": cell.cell_id,
        "block": cell.block,
        "position": cell.position,
        "variant": variant.name,
        "gateway": variant.gateway.name,
        "runtime": variant.gateway.runtime,
        "runtime_version": str(info["runtime_version"]),
        "collector": variant.collector,
        "collector_reported": str(info["collector"]),
        "tuning": variant.tuning,
        "scenario": cell.scenario,
        "traffic_model": cell.traffic_model,
        "rate_per_s": cell.rate_per_s,
        "connections": cell.connections,
        "repetition": cell.repetition,
        "workers": info["workers"],
        "gateway_cpus": as_list(context.rig.gateway_cpus),
        "generator_cpus": as_list(context.rig.generator_cpus),
        "memory_budget_bytes": context.suite.memory_budget_mib * _MIB,
        "live_set_bytes": context.suite.live_set_mib * _MIB,
        "started_ns": gateway.started_ns,
        "ready_ns": gateway.ready_ns,
        "gate_passed": True,
        "gate_reasons": [],
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


def _wait(generator: Generator, cell: Cell, gateway: GatewayProcess) -> None:
    """Wait for the generator, while the gateway lives."""

    def watch() -> None:
        if (code := gateway.process.poll()) is not None:
            raise gateway.died(f"ended under load with exit code {code}")

    try:
        generator.wait(cell.warm_up_s + cell.duration_s + _START_S, watch)
    except LoadFailed as error:
        raise LoadFailed(f"{cell.cell_id}: {error}") from error


def _gateway_count(gateway: GatewayProcess) -> int:
    """Give how many requests to /route the gateway's own counter holds."""
    return int(sum(float(value) for value in _COUNTED.findall(gateway.get("/metrics")[1])))


def of_cell(table: pa.Table, cell: Cell) -> pa.Table:
    """Give a meter's table its cell."""
    label = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([cell.cell_id]))
    return table.add_column(0, "cell_id", label)


def _load_columns(
    cell: Cell, tables: Tables, generator: Generator, counted: int, rig: Rig, workers: int
) -> dict[str, object]:
    """Give the columns that say what the load was, what it cost, and whether it can be trusted."""
    start, end = window(generator.samples)
    said, drove = generator.account(), spool.read_summaries(generator.samples)
    waited = [summary.run_delay_ns for summary in drove if summary.run_delay_ns is not None]
    # All read it at the same instants; the first who could tells.
    gateway_cpu_ns = next((s.target_cpu_ns for s in drove if s.target_cpu_ns is not None), None)
    requests = tables["requests"]
    intended = requests["intended_ns"].to_numpy()
    lag = requests["schedule_lag_ns"].to_numpy()
    queued = requests["queued"].to_numpy()
    sent = requests["connection"].is_valid().to_numpy()
    inside = (intended >= start) & (intended < end)
    open_loop = cell.traffic_model == "open"
    steal = _used(tables["machine"], "steal_ns", start, end)
    evidence = gate.Evidence(
        open_loop=open_loop,
        window_ns=end - start,
        processors=len({*rig.gateway_cpus, *rig.generator_cpus}),
        lag_free_ns=lag[inside & ~queued],
        rows=requests.num_rows,
        rows_answered=requests["status"].is_valid().to_numpy().sum(),
        offered_in_window=int(inside.sum()),
        sent_in_window=int((inside & sent).sum()),
        locust_count=said.locust_count,
        gateway_count=counted,
        # A schedule is kept when the busiest worker keeps its share.
        generator_cpu_ns=max(summary.cpu_ns for summary in drove),
        generator_run_delay_ns=max(waited, default=None),
        gateway_cpu_ns=gateway_cpu_ns,
        gateway_workers=workers,
        steal_ns=steal,
    )
    why = [*gate.reasons(evidence), *said.reasons]
    if tables["residue"].num_rows:
        why.append(f"{tables['residue'].num_rows} lines of the pause log could not be read")
    if rig.shared:
        why.append("gateway and load generator share a processor")
    return {
        "measure_start_ns": start,
        "measure_end_ns": end,
        "gateway_cpu_ns": gateway_cpu_ns,
        "generator_cpu_ns": sum(summary.cpu_ns for summary in drove),
        "generator_run_delay_ns": sum(waited) if waited else None,
        "steal_ns": steal,
        "schedule_lag_p99_ns": int(np.percentile(evidence.lag_free_ns, 99))
        if open_loop and evidence.lag_free_ns.size
        else None,
        "achieved_share": evidence.sent_in_window / evidence.offered_in_window if open_loop and inside.any() else None,
        "rows": evidence.rows,
        "rows_answered": int(evidence.rows_answered),
        "rows_censored": int(requests["censored"].to_numpy().sum()),
        "locust_count": said.locust_count,
        "generator_workers": said.expected,
        "workers_lost": len(said.lost),
        "gateway_count": counted,
        "gate_passed": not why,
        "gate_reasons": why,
    }


def _used(samples: pa.Table, column: str, start_ns: int, end_ns: int) -> int | None:
    """Give how much a cumulative counter grew between two instants, interpolated between samples.

    None when the samples do not span the window or the counter is not known.
    """
    known = samples.filter(samples[column].is_valid())
    if known.num_rows < 2:
        return None
    times = known["time_ns"].to_numpy()
    if times[0] > start_ns or times[-1] < end_ns:
        return None
    values = known[column].to_numpy()
    at_start, at_end = np.interp([start_ns, end_ns], times, values)
    return round(at_end - at_start)
