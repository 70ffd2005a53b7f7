"""One load measurement: a fresh gateway, warm-up, load, and what gateway, generator and machine did meanwhile."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench import children, paths, scenario
from bench.errors import LoadFailed
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.load import gate, spool
from bench.meters import machine, pauses, process
from bench.rig import Rig, as_list
from bench.store import writer
from bench.suite import Cell, Suite

_START_S = 40.0
"""How long gateway and generator may take to start, beside the load itself."""
_MIB = 1 << 20
_LEAST_FREE_BYTES = 1 << 16
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
    samples = _samples(folder)
    samples.mkdir()
    with GatewayProcess(variant, settings) as gateway, machine.MachineSampler() as machine_sampler:
        generator = _start_generator(cell, context, folder, gateway)
        try:
            gateway.wait_ready()
            info = gateway.info()
            with (
                process.ProcessSampler(gateway.pid, "gateway") as gateway_sampler,
                process.ProcessSampler(generator.pid, "generator") as generator_sampler,
            ):
                _wait(generator, cell, folder, gateway)
        finally:
            children.stop(generator, grace_s=2.0)
        pss = process.proportional_set_size(gateway.pid)
        counted = _gateway_count(gateway)
    requests = spool.read_requests(samples, cell.cell_id)
    record = pauses.read(variant.gateway.runtime, variant.collector, gateway.pid, folder)
    tables = {
        "requests": requests,
        "pauses": of_cell(record.pauses, cell),
        "residue": of_cell(record.residue, cell),
        "process": of_cell(pa.concat_tables([gateway_sampler.table(), generator_sampler.table()]), cell),
        "machine": of_cell(machine_sampler.table(), cell),
    }
    row = cell_row(cell, context, gateway, info)
    row |= _load_columns(cell, tables, spool.read_summaries(samples)[0], counted, context.rig, int(row["workers"]))
    row |= {"gateway_pss_bytes": pss}
    return tables | {"cells": writer.from_rows("cells", [row])}


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


def _start_generator(cell: Cell, context: Context, folder: Path, gateway: GatewayProcess) -> subprocess.Popen[bytes]:
    """Start Locust beside the gateway: it prepares its requests while the gateway starts."""
    options = {
        "--host": f"http://{gateway.host}:{gateway.port}",
        "--warm-up": f"{cell.warm_up_s}",
        "--duration": f"{cell.duration_s}",
        "--connections": f"{cell.connections}",
        "--seed": f"{cell.seed}",
        "--wait-for-host": f"{_START_S}",
        "--target-pid": f"{gateway.pid}",
        "--samples": f"{_samples(folder)}",
        "--tokens": f"{context.tokens}",
        "--loglevel": "WARNING",
    }
    flags = ["--warm-up-saturated"] if cell.warm_up_saturated else []
    options |= {"--rate": f"{cell.rate_per_s}"} if cell.rate_per_s else {}
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "-f"]
    command += [str(scenario.locustfile(cell.scenario))]
    command += scenario.named(cell.scenario).command_line(cell.options, cell.connections)
    command += [*flags, *(part for option in options.items() for part in option)]
    with (folder / "locust.log").open("wb") as log:
        return children.spawn(
            command, cpus=context.rig.generator_cpus, cwd=paths.ROOT, stdout=log, stderr=subprocess.STDOUT
        )


def _wait(generator: subprocess.Popen[bytes], cell: Cell, folder: Path, gateway: GatewayProcess) -> None:
    """Wait until the generator has ended, while gateway and generator both live."""
    deadline = time.monotonic() + cell.warm_up_s + cell.duration_s + _START_S
    while generator.poll() is None:
        if (code := gateway.process.poll()) is not None:
            raise gateway.died(f"ended under load with exit code {code}")
        if time.monotonic() > deadline:
            raise LoadFailed(f"The load generator of {cell.cell_id} did not end in time.{_tail(folder)}")
        time.sleep(0.01)
    # Requests that got no 2xx answer are results; Locust's exit code 1 says no more than that.
    if generator.returncode not in (0, 1) or not spool.read_summaries(_samples(folder)):
        raise LoadFailed(f"The load generator of {cell.cell_id} failed (exit {generator.returncode}).{_tail(folder)}")


def _samples(folder: Path) -> Path:
    return folder / "samples"


def _tail(folder: Path) -> str:
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        return " No space left on device: make room, then go on with: bench run --resume"
    lines = (folder / "locust.log").read_text(errors="replace").splitlines()[-15:]
    return " Its last lines:\n  " + "\n  ".join(lines)


def _gateway_count(gateway: GatewayProcess) -> int:
    """Give how many requests to /route the gateway's own counter holds."""
    return int(sum(float(value) for value in _COUNTED.findall(gateway.get("/metrics")[1])))


def of_cell(table: pa.Table, cell: Cell) -> pa.Table:
    """Give a meter's table its cell."""
    label = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([cell.cell_id]))
    return table.add_column(0, "cell_id", label)


def _load_columns(
    cell: Cell, tables: Tables, summary: spool.Summary, counted: int, rig: Rig, workers: int
) -> dict[str, object]:
    """Give the columns that say what the load was, what it cost, and whether it can be trusted."""
    start, end = summary.measure_start_ns, summary.measure_end_ns
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
        locust_count=summary.locust_count,
        gateway_count=counted,
        generator_cpu_ns=summary.cpu_ns,
        generator_run_delay_ns=summary.run_delay_ns,
        gateway_cpu_ns=summary.target_cpu_ns,
        gateway_workers=workers,
        steal_ns=steal,
    )
    why = gate.reasons(evidence)
    if tables["residue"].num_rows:
        why.append(f"{tables['residue'].num_rows} lines of the pause log could not be read")
    if rig.shared:
        why.append("gateway and load generator share a processor")
    return {
        "measure_start_ns": start,
        "measure_end_ns": end,
        "gateway_cpu_ns": summary.target_cpu_ns,
        "generator_cpu_ns": summary.cpu_ns,
        "generator_run_delay_ns": summary.run_delay_ns,
        "steal_ns": steal,
        "schedule_lag_p99_ns": int(np.percentile(evidence.lag_free_ns, 99))
        if open_loop and evidence.lag_free_ns.size
        else None,
        "achieved_share": evidence.sent_in_window / evidence.offered_in_window if open_loop and inside.any() else None,
        "rows": evidence.rows,
        "rows_answered": int(evidence.rows_answered),
        "rows_censored": int(requests["censored"].to_numpy().sum()),
        "locust_count": summary.locust_count,
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
