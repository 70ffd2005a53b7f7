"""A campaign: a suite's cells one after the other, each kept once it is whole, and the run made of them at the end.

While it runs, everything is in a hidden folder beside the runs: `plan.json` says what is to be done, `cells/` holds the
cells that are done (each moved there by one rename), `work/` the one under way. Whatever interrupts it, resuming goes on
with the first cell that is not in `cells/`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import calibrate, contract, gate, paths, scenario, toolchains
from bench import suite as suites
from bench.cell import Context, Tables, failed, measure
from bench.contract import Certificate
from bench.errors import (
    BenchError,
    FaultImpossible,
    GatewayDied,
    LoadFailed,
    RecordsFull,
    RunUnreadable,
    ToolchainMissing,
    UnknownName,
)
from bench.gateways import registry
from bench.gateways.tokens import for_load, keys
from bench.load import samples
from bench.load.generator import Elsewhere
from bench.meters import machine
from bench.precision import Seen
from bench.prove import certificate
from bench.recovery_cell import JOURNAL, recover
from bench.rig import Rig
from bench.rolling_cell import restart
from bench.store import manifest, writer
from bench.store.schema import SCHEMA_VERSION, TABLES
from bench.suite import Cell, Suite

_PLAN = "plan.json"
JOURNALS = "journals"
"""Folder of a run with what was done and seen in each recovery."""


@dataclass(frozen=True)
class Plan:
    """What a campaign is to do; written before the first cell."""

    schema_version: int
    run: str
    suite_text: str
    suite_name: str
    variants: tuple[str, ...]
    left_out: dict[str, str]
    started_at: str
    cells: tuple[Cell, ...]
    workers: int = 1
    """Processes of the load generator."""
    workers_at: str | None = None
    """ADDRESS:PORT at which workers on other machines find their master; None: they are started here."""
    samples: str | None = None
    """URI or path where workers on other machines bring their rows."""
    width: float | None = None
    """Half width of intervals that is enough, where it is not the suite's."""

    @property
    def elsewhere(self) -> Elsewhere | None:
        """Where the workers are, when they are not here; raises `LoadFailed` when that is not well said."""
        return None if self.workers_at is None else Elsewhere.parse(self.workers_at, self.samples)

    @property
    def suite(self) -> Suite:
        """The declared suite, with the plan's width."""
        suite = suites.parse(self.suite_text, self.suite_name)
        return suite if self.width is None else suite.model_copy(update={"width": self.width})


@dataclass(frozen=True)
class Progress:
    """Told before each cell."""

    cell: Cell
    done: int
    total: int


@contextmanager
def alone() -> Iterator[None]:
    """Hold the machine: two campaigns at once would measure each other."""
    paths.RUNS.mkdir(parents=True, exist_ok=True)
    with (paths.RUNS / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError("Another campaign is running on this machine. Wait for it, or stop it.") from None
        yield


def available(names: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Give the variants that can run here, and for the others a sentence that says what to install.

    Raises
    ------
    ToolchainMissing
        None can run.
    """
    left_out = {}
    for name in names:
        if lacking := toolchains.missing(registry.variant(name).needs):
            left_out[name] = " ".join(lacking)
    able = [name for name in names if name not in left_out]
    if not able:
        raise ToolchainMissing("No variant can run here. " + " ".join(dict.fromkeys(left_out.values())))
    return able, left_out


def begin(
    suite_name: str,
    variants: tuple[str, ...] = (),
    name: str | None = None,
    *,
    workers: int = 1,
    workers_at: str | None = None,
    samples_at: str | None = None,
    width: float | None = None,
) -> Path:
    """Write the plan of a new campaign; gives its folder."""
    suite, text = suites.read(suite_name)
    for chosen in variants:
        registry.variant(chosen)
    able, left_out = available(variants or suite.variants)
    now = datetime.now(UTC)
    run = name or f"{suite.name}-{now:%Y%m%d-%H%M%S}"
    folder = _folder(run)
    if folder.exists() or (paths.RUNS / run).exists():
        raise BenchError(f"There is a run named {run} already. Give another --name, or go on with: bench run --resume")
    plan = Plan(
        SCHEMA_VERSION, run, text, suite.name, tuple(able), left_out, now.isoformat(timespec="seconds"),
        tuple(suites.plan(suite, able)), workers, workers_at, samples_at, width,
    )  # fmt: skip
    _check_workers(plan)
    folder.mkdir(parents=True)
    _write_json(folder / _PLAN, asdict(plan))
    return folder


def _check_workers(plan: Plan) -> None:
    """Refuse a plan whose cells cannot be driven by its workers, before the first cell."""
    if plan.workers < 1:
        raise BenchError(f"{plan.workers} workers are none. Give --workers 1 or more.")
    if plan.samples and plan.elsewhere is None:
        raise BenchError("--samples is where workers on other machines bring their rows: give --workers-at as well.")
    if plan.samples:
        samples.check(plan.samples)
    for cell in plan.cells:
        if cell.is_load and plan.workers > 1 and scenario.named(cell.scenario).in_steps:
            raise BenchError(
                f"{cell.cell_id} decides on each step of its load by the last one, which {plan.workers} workers do not see"
                " whole. Run it with one worker."
            )
        if cell.is_load and cell.connections < plan.workers:
            raise BenchError(
                f"{cell.cell_id} has {cell.connections} connections, too few for {plan.workers} workers."
                " Give fewer --workers, or more connections in the suite."
            )


def unfinished(run: str | None = None) -> Path:
    """Give the folder of an unfinished campaign: the named one, or the newest."""
    found = {path.parent.name[1:]: path.parent for path in paths.RUNS.glob(f".*/{_PLAN}")}
    if run is not None and run not in found:
        raise UnknownName("unfinished run", run, found)
    if not found:
        raise BenchError("There is no unfinished run. Start one with: bench run quick")
    return found[run] if run else max(found.values(), key=lambda path: (path / _PLAN).stat().st_mtime)


def read_plan(folder: Path) -> Plan:
    """Give the plan of a campaign."""
    said = json.loads((folder / _PLAN).read_text())
    if said["schema_version"] != SCHEMA_VERSION:
        raise RunUnreadable(
            f"{said['run']} was begun by another release (schema {said['schema_version']}): begin anew."
        )
    cells = tuple(Cell(**cell) for cell in said["cells"])
    return Plan(**said | {"cells": cells, "variants": tuple(said["variants"])})


def run(folder: Path, tell: Callable[[Progress], None], say: Callable[[str], None]) -> Path:
    """Do what is left of a campaign and publish its run; gives the run's folder.

    Raises
    ------
    BenchError
        A build failed, a gateway broke the contract, or the disk is full; what is done stays done. A cell that could not be
        measured is no error: it is published with its reason, and `failures` gives it.
    """
    plan = read_plan(folder)
    published = paths.RUNS / plan.run
    if published.exists():
        shutil.rmtree(folder)
        return published
    with (folder / "attempts").open("a") as attempts:
        attempts.write(datetime.now(UTC).isoformat(timespec="seconds") + "\n")
    certified = contract.prepare(plan.variants, say)
    try:
        spared = _measure_all(plan, folder, tell, say)
        return _publish(plan, folder, certified, spared)
    except OSError as error:
        raise BenchError(f"Writing the run failed: {error}. Make room, then go on with: bench run --resume") from error


def _measure_all(
    plan: Plan, folder: Path, tell: Callable[[Progress], None], say: Callable[[str], None]
) -> dict[str, str]:
    """Measure what is not done yet; gives the cells that need not be measured, and why."""
    done, work = folder / "cells", folder / "work"
    done.mkdir(exist_ok=True)
    suite = plan.suite
    own_keys = keys()
    tokens = folder / "tokens"
    tokens.write_text("\n".join(for_load(own_keys)))
    rig = Rig.split(suite.gateway_cpus)
    context = Context(
        suite, rig, tokens, own_keys.environment(folder), plan.workers, plan.elsewhere,
        None if plan.elsewhere else calibrate.ceiling_today(rig, plan.workers, say),
    )  # fmt: skip
    seen, spared = Seen(suite.width, suite.least_repetitions), {}
    for number, cell in enumerate(plan.cells):
        if (done / cell.cell_id).exists():
            seen.take(cell, *_shown(done / cell.cell_id))
            continue
        if why := seen.enough(cell):
            spared[cell.cell_id] = why
            continue
        tell(Progress(cell, number, len(plan.cells)))
        shutil.rmtree(work, ignore_errors=True)
        tables = work / "tables"
        tables.mkdir(parents=True)
        measured = _measured(cell, context, work, say)
        for name, table in measured.items():
            writer.write(name, table, tables)
        if (work / JOURNAL).is_file():
            (work / JOURNAL).rename(tables / JOURNAL)
        tables.rename(done / cell.cell_id)
        _sync(done)
        seen.take(cell, *_shown(done / cell.cell_id))
    shutil.rmtree(work, ignore_errors=True)
    return spared


def _shown(folder: Path) -> tuple[dict[str, Any], float | None]:
    """Give the row of a cell that is done, and the rate that it found where it searched for one."""
    (row,) = writer.read("cells", folder / "cells.parquet").to_pylist()
    steps = writer.read("steps", folder / "steps.parquet").to_pylist() if (folder / "steps.parquet").is_file() else []
    return row, next((step["rate_per_s"] for step in steps if step["found"]), None)


_HOW = {"recovery": recover, "rolling_restart": restart}


def _measured(cell: Cell, context: Context, work: Path, say: Callable[[str], None]) -> Tables:
    """Give the tables of a cell; of one that failed only the reason, so that the rest of the campaign goes on."""
    try:
        return _HOW.get(cell.scenario, measure)(cell, context, work)
    except (LoadFailed, GatewayDied, FaultImpossible, RecordsFull, ToolchainMissing) as error:
        say(f"{cell.cell_id} could not be measured. {error}")
        return failed(cell, context, str(error))


def failures(run: Path) -> dict[str, str]:
    """Give the cells of a published run that could not be measured, and why."""
    cells = writer.read("cells", run / "cells.parquet")
    told = zip(cells["cell_id"].to_pylist(), cells["failure"].to_pylist(), strict=True)
    return {cell: why for cell, why in told if why is not None}


def not_needed(run: Path) -> dict[str, str]:
    """Give the cells of a published run that were planned and not measured because enough was known, and why."""
    return dict(manifest.read(run).not_needed)


def _publish(plan: Plan, folder: Path, certified: dict[str, Certificate], spared: dict[str, str]) -> Path:
    final = folder / "final"
    shutil.rmtree(final, ignore_errors=True)
    final.mkdir()
    rows = {}
    measured = [cell for cell in plan.cells if cell.cell_id not in spared]
    for name in TABLES:
        parts = [folder / "cells" / cell.cell_id / f"{name}.parquet" for cell in measured]
        rows[name] = writer.join(name, [part for part in parts if part.is_file()], final)
    _gather_journals(plan, folder / "cells", final)
    suite = plan.suite
    manifest.Manifest(
        schema_version=SCHEMA_VERSION,
        run=plan.run,
        suite=suite.name,
        purpose=suite.purpose,
        suite_text=plan.suite_text,
        seed=suite.seed,
        order=tuple(cell.cell_id for cell in measured),
        not_needed=spared,
        started_at=plan.started_at,
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        interruptions=len((folder / "attempts").read_text().split()) - 1,
        machine=machine.fingerprint(),
        toolchains={name: toolchains.find(name).version for name in _needed(plan)},
        variants={name: _flags(name) for name in plan.variants},
        left_out=plan.left_out,
        contract={name: {"cases": c.cases, "failed": c.failed} for name, c in certified.items()},
        code_version=_code_version(),
        synthetic=False,
        tables=manifest.describe(final, rows),
        generator_workers=plan.workers,
        workers_at=plan.workers_at,
        gate=gate.asked(),
        certificates=certificate.all_stored(),
        calibration=calibrate.stored(),
    ).write(final)
    published = paths.RUNS / plan.run
    final.rename(published)
    _sync(paths.RUNS)
    shutil.rmtree(folder)
    return published


def _gather_journals(plan: Plan, cells: Path, final: Path) -> None:
    """Put the journals of recoveries beside the tables, one a cell."""
    written = [cell.cell_id for cell in plan.cells if (cells / cell.cell_id / JOURNAL).is_file()]
    for cell_id in written:
        (final / JOURNALS).mkdir(exist_ok=True)
        shutil.copyfile(cells / cell_id / JOURNAL, final / JOURNALS / f"{cell_id}.json")


def _needed(plan: Plan) -> list[str]:
    needs = {need for name in plan.variants for need in registry.variant(name).needs}
    balanced = any(cell.way for cell in plan.cells)
    return sorted(needs | ({"envoy"} if balanced and not toolchains.missing(["envoy"]) else set()))


def _flags(name: str) -> dict[str, Any]:
    variant = registry.variant(name)
    return {
        "summary": variant.summary,
        "tuning": variant.tuning,
        "collector": variant.collector,
        "flags": list(variant.flags),
        "meter_flags": list(variant.meter_flags),
        "env": dict(variant.env),
    }


def _code_version() -> str:
    """Give the commit of this checkout, with `+` when files differ from it; `unknown` outside of git."""
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12"], cwd=paths.ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return asked.stdout.strip() or "unknown"


def _folder(run: str) -> Path:
    return paths.RUNS / f".{run}"


def _write_json(path: Path, value: Any) -> None:
    unfinished_file = path.with_suffix(".tmp")
    unfinished_file.write_text(json.dumps(value, indent=1))
    unfinished_file.rename(path)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
