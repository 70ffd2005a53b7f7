"""The command line of `bench`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from bench import calibrate, campaign, paths, toolchains
from bench.errors import BenchError, RunUnreadable, UnknownName
from bench.gateways import registry
from bench.gateways.build import build as build_gateway
from bench.gateways.build import is_built, lint
from bench.store import manifest, writer
from bench.store.schema import TABLES

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Makes data: drives reference gateways with load and faults, and writes what happened as parquet.",
)  # fmt: skip
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
_INTERRUPTED = 130
_debug = False
_UsageError = typer.BadParameter.__base__


@app.callback()
def options(debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False) -> None:
    """Take the options of all commands."""
    global _debug
    _debug = debug


@app.command()
def doctor() -> None:
    """Say what is on this machine, what is missing, and the command that installs it."""
    table = Table("toolchain", "version", Column("where", overflow="fold"), box=None, pad_edge=False)
    for name in toolchains.NAMES:
        try:
            found = toolchains.find(name)
            table.add_row(name, found.version, str(found.path))
        except BenchError as error:
            table.add_row(name, "[red]missing[/]", str(error))
    _out.print(table)
    able, left_out = [], {}
    for name, variant in registry.variants().items():
        lacking = toolchains.missing(variant.needs)
        if lacking:
            left_out[name] = lacking
        else:
            able.append(name)
    _out.print(f"\nVariants that can run here: {', '.join(able) or 'none'}")
    for name, lacking in left_out.items():
        _out.print(f"[yellow]{name} cannot run:[/] {' '.join(lacking)}")
    if not able:
        raise typer.Exit(1)


@app.command()
def build(gateways: Annotated[list[str] | None, typer.Argument(help="Which; all by default.")] = None) -> None:
    """Build the gateways whose sources or toolchains have changed, and what the load generator has in C."""
    from bench.load import answers

    answers.build()
    for gateway in _chosen(gateways):
        _out.print(f"{gateway.name}: {'up to date' if is_built(gateway) else 'building'}")
        build_gateway(gateway)


@app.command(name="lint")
def lint_gateways(gateways: Annotated[list[str] | None, typer.Argument(help="Which; all by default.")] = None) -> None:
    """Run each gateway's own formatter check and linter."""
    for gateway in _chosen(gateways):
        build_gateway(gateway)
        lint(gateway)
        _out.print(f"{gateway.name}: clean")


@app.command()
def check(
    gateways: Annotated[list[str] | None, typer.Argument(help="Which; all by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Replay the contract's vectors against each gateway over real HTTP."""
    from bench import contract

    results = {}
    for gateway in _chosen(gateways):
        variant = next(v for v in registry.variants().values() if v.gateway == gateway)
        if lacking := toolchains.missing(variant.needs):
            _err.print(f"{gateway.name} is left out. {' '.join(lacking)}")
            continue
        build_gateway(gateway)
        results[gateway.name] = result = contract.replay(variant)
        if not as_json:
            _out.print(f"{gateway.name}: {len(result)} cases, {sum(not case.passed for case in result)} failed")
        for case in result:
            if not case.passed:
                _err.print(f"  {gateway.name}: {case}", markup=False)
    if as_json:
        counts = {name: {"cases": len(r), "failed": sum(not case.passed for case in r)} for name, r in results.items()}
        print(json.dumps({"gateways": counts}))
    if not results:
        raise BenchError("No gateway could be checked: no toolchain is here. See: bench doctor")
    if any(not case.passed for result in results.values() for case in result):
        raise typer.Exit(1)


@app.command()
def run(
    suite: Annotated[str | None, typer.Argument(help="Name of a suite in bench/suites, or a TOML file.")] = None,
    variant: Annotated[list[str] | None, typer.Option(help="Only this variant; may be given again.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run.")] = None,
    width: Annotated[
        float | None,
        typer.Option(min=0.001, max=1.0, help="Half width of 95 % intervals that is enough, as a share: 0.05 for 5 %."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the newest unfinished run, or with --name.")] = False,
    workers: Annotated[int, typer.Option(help="Processes of the load generator.")] = 1,
    workers_at: Annotated[
        str | None, typer.Option(help="ADDRESS:PORT at which workers on other machines find this one.")
    ] = None,
    samples: Annotated[
        str | None, typer.Option(help="URI or shared path where workers on other machines bring their rows.")
    ] = None,
) -> None:
    """Run a suite: build, check, measure, publish. Prints the folder of the run."""
    if resume == (suite is not None):
        raise BenchError(
            "Say which suite to run (bench run quick), or go on with an unfinished run (bench run --resume)."
        )
    if resume and (workers != 1 or workers_at or samples or width):
        raise BenchError(
            "An unfinished run goes on with the workers and the width that it began with: leave out what says others."
        )
    with campaign.alone():
        folder = (
            campaign.unfinished(name)
            if resume
            else campaign.begin(
                suite,
                tuple(variant or ()),
                name,
                workers=workers,
                workers_at=workers_at,
                samples_at=samples,
                width=width,
            )
        )
        plan = campaign.read_plan(folder)
        if plan.elsewhere:
            _err.print(f"On each of {plan.workers} workers, run: {plan.elsewhere.command}", soft_wrap=True)
        for left_out, why in plan.left_out.items():
            _err.print(f"[yellow]{left_out} is left out.[/] {why}")
        from bench.live import Live

        with Live(_err, plan) as live:
            published = campaign.run(folder, live.cell, live.say)
    _out.print(str(published), markup=False, soft_wrap=True)
    if spared := campaign.not_needed(published):
        _err.print(f"{len(spared)} cells were not needed: {next(iter(spared.values()))}.", soft_wrap=True)
    if lost := campaign.failures(published):
        raise BenchError(
            f"{len(lost)} of {len(plan.cells)} cells could not be measured; the run is published without them. They are: "
            + ", ".join(lost)
        )


@app.command()
def prove(
    instrument: Annotated[str, typer.Argument(help="Which: load, pauses, overhead, recovery or statistics.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Hold an instrument of this suite against what is known, and keep the certificate for later runs."""
    from bench.prove import INSTRUMENTS
    from bench.prove.certificate import Proof

    if instrument not in INSTRUMENTS:
        raise UnknownName("instrument", instrument, INSTRUMENTS)
    proven = INSTRUMENTS[instrument]()

    def show(proof: Proof) -> None:
        verdict = "holds" if proof.holds else "[red]FAILS[/]"
        known = "" if proof.expected is None else f", expected {proof.expected:.4g} ± {proof.tolerance:.3g}"
        _err.print(f"  {verdict}  {proof.name}: measured {proof.measured:.4g}{known}", soft_wrap=True)

    with campaign.alone():
        _err.print(f"Proving {instrument}, about {proven.MINUTES} minutes. Run nothing else meanwhile.")
        made = proven.prove(lambda sentence: _err.print(sentence, markup=False), show)
    if as_json:
        print(json.dumps({"proofs": made.as_dict()["proofs"]}))
    else:
        table = Table(
            "proof", "expected", "measured", "tolerance", "verdict", Column("note", overflow="fold"), box=None
        )
        for proof in made.proofs:
            known = ("", "") if proof.expected is None else (f"{proof.expected:.4g}", f"{proof.tolerance:.3g}")
            verdict = "reported" if proof.expected is None else "holds" if proof.holds else "[red]fails[/]"
            table.add_row(proof.name, known[0], f"{proof.measured:.4g}", known[1], verdict, proof.note)
        _out.print(table)
    if not made.holds:
        raise typer.Exit(1)


@app.command(name="calibrate")
def calibrate_generator(
    runs: Annotated[int, typer.Option(min=1, help="Interleaved runs of each generator.")] = 7,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of each run.")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure what the load generator can do at all here, beside wrk and Locust's own users; kept for today's runs."""
    with campaign.alone():
        made = asdict(calibrate.calibrate(runs, seconds, lambda sentence: _err.print(sentence, markup=False)))
    if as_json:
        print(json.dumps(made))
        return
    _out.print(f"Ceiling against the null server: {made['ceiling_rps']:,.0f} requests/s on one processor")
    for name, against in (("wrk_ratio", "wrk -t1"), ("fasthttp_ratio", "Locust's FastHttpUser")):
        if made[name] is not None:
            _out.print(f"  {made[name]:.3g} times {against}")
    _out.print(f"Schedule lag at {calibrate.LAG_RATE_PER_S:,} requests/s: p99 {made['lag_p99_us']:.0f} µs")
    _out.print(f"  gaps over a millisecond by cause: {made['lag_gaps'] or 'none'}")
    for name, ratio in made["gateways"].items():
        _out.print(
            f"Capacity of {name}: {'no wrk to compare with' if ratio is None else f'{ratio:.3g} times what wrk finds'}"
        )


@app.command(name="gate")
def show_gate() -> None:
    """Print what the gate asks of every cell, within which limit, and why."""
    from bench.gate import CRITERIA

    table = Table(
        "criterion", "asks", "of", "columns of cells", Column("why", overflow="fold"), box=None, pad_edge=False
    )
    for criterion in CRITERIA:
        table.add_row(criterion.name, criterion.said(), criterion.of, ", ".join(criterion.columns), criterion.why)
    _out.print(table)


@app.command()
def runs() -> None:
    """List the runs on this machine, the newest last."""
    table = Table("run", "suite", "variants", "cells", "passed the gate", "finished", box=None, pad_edge=False)
    for folder in sorted(paths.RUNS.glob("[!.]*/"), key=lambda path: path.stat().st_mtime):
        try:
            said = manifest.read(folder)
            passed = writer.read("cells", folder / "cells.parquet")["gate_passed"].to_pylist()
        except RunUnreadable as error:
            table.add_row(folder.name, "[red]unreadable[/]", str(error))
            continue
        table.add_row(
            folder.name, said.suite, str(len(said.variants)), str(len(passed)), str(sum(passed)), said.finished_at
        )
    for folder in sorted(paths.RUNS.glob(".*/plan.json")):
        table.add_row(folder.parent.name[1:], "[yellow]unfinished[/]", "go on with: bench run --resume")
    _out.print(table)


@app.command()
def judge(run: Annotated[str, typer.Argument(help="Name of a run.")]) -> None:
    """Judge a run's loads again by the gate of this release, over the evidence that the run holds; says what changed."""
    from bench.judge import judge as judge_again

    changed = judge_again(_named_run(run))
    for cell, (before, after) in changed.items():
        _out.print(
            f"{cell}: {'; '.join(before) or 'passed'} -> {'; '.join(after) or 'passes'}", markup=False, soft_wrap=True
        )
    _out.print(f"{len(changed)} cells are judged otherwise.")


@app.command()
def compare(
    base: Annotated[str, typer.Argument(help="Name of the run to compare with, or reference.")],
    run: Annotated[str, typer.Argument(help="Name of the run to compare.")],
    unlike: Annotated[
        bool, typer.Option("--unlike", help="Compare runs of unlike machines or conditions as well.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what changed between two runs, variant by variant; runs of unlike machines are refused unless told otherwise."""
    from bench.comparison import compare as compare_runs

    found = compare_runs(base, run, unlike)
    if as_json:
        print(json.dumps(found))
        return
    for difference in found["unlike"]:
        _out.print(f"[yellow]Unlike:[/] {difference}", soft_wrap=True)
    table = Table(
        "by", "variant", found["base"], found["run"], "ratio \\[95 %]", "n", "noise floor", "", box=None, pad_edge=False
    )
    for row in found["changes"]:
        ends = "" if row["lo"] is None else f" \\[{row['lo']:.3g} to {row['hi']:.3g}]"
        floor = "unknown" if row["floor"] is None else f"{row['floor']:.1%}"
        table.add_row(row["figure"], row["variant"], f"{row['base']:,.4g}", f"{row['value']:,.4g}", f"{row['ratio']:.3g}{ends}",
                      str(row["n"]), floor, row["verdict"])  # fmt: skip
    _out.print(table)


@app.command(name="excerpt")
def make_excerpt(
    run: Annotated[str, typer.Argument(help="Name of a run.")],
    target: Annotated[Path, typer.Argument(help="Folder to write, which must not exist.")],
) -> None:
    """Write a run without the single requests of saturated loads and of warm-ups: small enough to be kept with code."""
    from bench.excerpt import excerpt

    _out.print(str(excerpt(_named_run(run), target)), markup=False, soft_wrap=True)


@app.command()
def schema(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Print the data dictionary: every table, column, unit and meaning."""
    dictionary = {
        table.name: {
            "row": table.row,
            "columns": [
                {"name": f.name, "type": str(f.type), **{k.decode(): v.decode() for k, v in f.metadata.items()}}
                if f.metadata
                else {"name": f.name, "type": str(f.type)}
                for f in table.schema
            ],
        }
        for table in TABLES.values()
    }
    if as_json:
        print(json.dumps(dictionary, indent=1))
        return
    for name, table in dictionary.items():
        _out.print(f"\n[bold]{name}[/]: {table['row']}")
        listing = Table("column", "unit", "meaning", "null means", box=None, pad_edge=False)
        for column in table["columns"]:
            listing.add_row(column["name"], column.get("unit", ""), column["meaning"], column.get("null", ""))
        _out.print(listing)


def _named_run(name: str) -> Path:
    """Give the folder of a run; an unknown name raises `UnknownName`."""
    known = {path.name: path for path in paths.RUNS.glob("[!.]*/")}
    if name not in known:
        raise UnknownName("run", name, known)
    return known[name]


def _chosen(names: list[str] | None) -> list[registry.Gateway]:
    known = registry.gateways()
    for name in names or ():
        if name not in known:
            raise UnknownName("gateway", name, known)
    return [known[name] for name in names or known]


def main() -> None:
    """Run the command line; an error is a sentence and exit code 1."""
    try:
        # Not standalone, typer gives the code of `typer.Exit` back in place of raising it; Ctrl-C becomes such a code.
        code = app(standalone_mode=False) or 0
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        sys.exit(code)
    except _UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _err.print("\nInterrupted. What was measured is kept; go on with: bench run --resume")
        sys.exit(_INTERRUPTED)
    except BenchError as error:
        if _debug:
            raise
        _err.print("[red]bench:[/] ", end="")
        _err.print(str(error), markup=False)
        sys.exit(1)
