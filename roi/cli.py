"""The command line of `roi`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from bench.errors import RunUnreadable
from roi import inputs_cli
from roi.errors import RoiError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Makes sense of data: notebooks over a run's parquet become pages, charts and findings.",
)  # fmt: skip
app.add_typer(inputs_cli.app, name="inputs")
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
_INTERRUPTED = 130
_debug = False

# What typer raises for an unknown command or option; it exports only this one's heir.
_UsageError = typer.BadParameter.__base__

_COLOURS = {"ok": "green", "skipped": "yellow"}


@app.callback()
def options(debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False) -> None:
    """Take the options of all commands."""
    global _debug
    _debug = debug


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="A run's name, latest, or reference.")] = "reference",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter of the notebooks that have it."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NOTEBOOK", help="Only this page of the catalogue; may be repeated.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the report; reports/RUN by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of it as JSON.")] = False,
) -> None:
    """Run the catalogue's notebooks over a run and publish the report; exit code 1 when a page is not complete."""
    # Here and not above: pandas, plotly and papermill take seconds to load, which `roi --help` should not.
    from roi import data
    from roi.report import catalog, parameters
    from roi.report.publish import plan, publish

    given = parameters.split(parameter or ())
    pages = catalog.choose(catalog.read(), only or ())
    folder = data.find_run(run)
    about, tables = _about(folder)
    planned = plan(pages, _name(folder, data.DATA), given, tables)
    target = (out or Path("reports") / about.run).absolute()
    with _Live(len(pages), _err) as live:
        made = publish(pages, planned, about, target, live.started, live.ended, folder)
    if as_json:
        print((target / "status.json").read_text(), end="")
    else:
        for notice in made.notices:
            _out.print(f"[yellow]Note:[/] {notice}")
        _out.print(f"{made.charts} charts, {made.findings} findings, {made.seconds['whole']:.0f} s: ", end="")
        _out.print(str((out or Path("reports") / about.run) / "index.html"), markup=False, soft_wrap=True)
    if not made.complete:
        raise typer.Exit(1)


@app.command()
def verify(
    report: Annotated[Path, typer.Argument(help="Folder of the report.")],
    run: Annotated[str, typer.Option(help="The run, where the report's own name for it does not find it.")] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A path that the report could not keep."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
) -> None:
    """Compute every figure of a report again from its run's parquet; exit code 1 when any differs."""
    from roi.report import again, catalog, parameters, stored
    from roi.report.verify import compare
    from roi.views.verdict import as_dict, lines

    given = parameters.split(parameter or ())
    there = stored.read(report)
    folder, name = stored.find_run(there, run)
    stored.check_run(folder)
    with tempfile.TemporaryDirectory(prefix="roi-") as work, _Live(len(there.pages), _err) as live:
        made = again.recompute(
            there, catalog.read(), _about(folder)[0], (folder, name), given, Path(work), live.started, live.ended
        )
        found = compare(there, made)
    if as_json:
        print(json.dumps(as_dict(found), indent=1, ensure_ascii=False))
    else:
        for line in lines(found):
            _out.print(line, markup=False, soft_wrap=True)
    if not found.holds:
        raise typer.Exit(1)


@app.command()
def deck(
    report: Annotated[
        str, typer.Argument(metavar="REPORT|RUN", help="Folder of a report, or the run that it is about.")
    ],
    template: Annotated[
        Path | None, typer.Option(help="A .pptx file whose size, master and layouts are taken.")
    ] = None,
    layout: Annotated[str, typer.Option(help="Name or number of the template's layout for content.")] = "",
    out: Annotated[Path | None, typer.Option(help="The file; REPORT.pptx beside the report by default.")] = None,
) -> None:
    """Make an editable PowerPoint file of a report: a finding a slide, with its chart and its case against."""
    from roi.report import catalog
    from roi.report.deck import make, published

    folder = published.find_report(report)
    content = make.deck(published.published(folder, catalog.read()), template, layout)
    target = out or folder.with_name(f"{folder.name}.pptx")
    make.save(content, target)
    _out.print(str(target), markup=False, soft_wrap=True)


@app.command()
def prove(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What to prove: money.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the proofs as JSON.")] = False,
) -> None:
    """Hold formulas against independent calculations; exit code 1 when one does not hold."""
    from roi.errors import UnknownName
    from roi.prove import SUBJECTS

    if what not in SUBJECTS:
        raise UnknownName("proof", what, SUBJECTS)
    proofs = []
    for proof in SUBJECTS[what]():
        proofs.append(proof)
        word = "holds" if proof.holds else "[red]FAILS[/]"
        known = f"expected {proof.expected:.6g}" + (f" ± {proof.tolerance:.3g}" if proof.tolerance else "")
        _err.print(f"  {word}  {proof.name}: measured {proof.measured:.6g}, {known}", soft_wrap=True)
    holds = all(proof.holds for proof in proofs)
    if as_json:
        print(json.dumps({"holds": holds, "proofs": [asdict(proof) for proof in proofs]}))
    else:
        table = Table(
            "proof", "expected", "measured", "tolerance", "verdict", Column("note", overflow="fold"), box=None
        )
        for proof in proofs:
            word = "holds" if proof.holds else "[red]fails[/]"
            figures = (f"{figure:.6g}" for figure in (proof.expected, proof.measured))
            table.add_row(proof.name, *figures, f"{proof.tolerance:.3g}", word, proof.note)
        _out.print(table)
    if not holds:
        raise typer.Exit(1)


@app.command(name="plan")
def plan_repetitions(
    run: Annotated[str, typer.Argument(help="The run to take as a pilot: its name, latest, or reference.")],
    width: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="Half width of 95 % intervals to reach, as a share.")
    ] = 0.05,
) -> None:
    """Say how many fresh processes of each variant intervals as narrow as asked would take, and how long to measure each."""
    from roi import planning
    from roi.data import open_run
    from roi.views.words import known, number, percent

    table = Table(
        "figure", "variant", "processes", "± now", f"processes for ± {width:.1%}", "seconds each, at best",
        "processes then", "note", box=None, pad_edge=False,
    )  # fmt: skip
    planned = planning.plan(open_run(run), width)
    for row in planned.itertuples():
        told = known(row.best_window_s) is not None
        best = (number(row.best_window_s), f"{row.needed_then:.0f}") if told else ("–", "–")
        note = f"{row.silent} add nothing that was seen" if row.silent else ""
        table.add_row(
            row.figure, row.variant, f"{row.processes}", percent(row.half_width), f"{row.needed}", *best, note
        )
    if planned.empty:
        raise RoiError(f"{run} has no variant with two processes that passed the gate: a pilot needs them. Repeat it.")
    _out.print(table)


@app.command()
def lab(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8888) -> None:
    """Open JupyterLab on the notebooks; it listens on 127.0.0.1 alone and fetches nothing from elsewhere."""
    from roi.report.catalog import NOTEBOOKS

    # JupyterLab asks servers elsewhere for news, for newer versions of itself and for extensions, unless told not to.
    arguments = [
        f"--ServerApp.root_dir={NOTEBOOKS}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    if os.geteuid() == 0:
        arguments.append("--allow-root")
    os.execv(sys.executable, [sys.executable, "-m", "jupyterlab", *arguments])


def _name(folder: Path, data: Path) -> str:
    """Give what opens the run in a notebook: its name among the project's runs, or else its path."""
    return folder.name if folder in (data / "reference", data / "runs" / folder.name) else str(folder.absolute())


def _about(folder: Path) -> tuple:
    """Read the manifest for what a report says of the run, and which tables hold rows."""
    from bench.store import manifest
    from roi.report.contents import About

    said = manifest.read(folder)
    about = About(
        run=said.run, machine=f"{said.machine['cpu_model']}, {said.machine['processors']} processors",
        measured=said.started_at[:10], purpose=said.purpose, synthetic=said.synthetic,
    )  # fmt: skip
    return about, [name for name, table in said.tables.items() if table.rows]


class _Live:
    """Progress in the terminal: a line for every page that ended, and those that run now with their time."""

    def __init__(self, pages: int, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
        )
        self._running: dict[str, int] = {}
        self._left, self._since = pages, time.monotonic()

    def __enter__(self) -> _Live:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.__exit__(*error)

    def started(self, name: str) -> None:
        self._running[name] = self._progress.add_task(name)

    def ended(self, outcome) -> None:
        if name := self._running.pop(outcome.name, None):
            self._progress.remove_task(name)
        colour = _COLOURS.get(outcome.status.value, "red")
        self._progress.console.print(f"[{colour}]{outcome.status.value:14}[/] {outcome.seconds:5.1f} s  {outcome.name}")
        if outcome.sentence:
            self._progress.console.print(f"{'':24}{outcome.sentence}", markup=False)
        self._left -= 1
        if not self._left:
            self._progress.add_task("charts and pages")


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
        _err.print("\nInterrupted. No report was published; an earlier one is as it was.")
        sys.exit(_INTERRUPTED)
    except (RoiError, RunUnreadable) as error:
        if _debug:
            raise
        _err.print("[red]roi:[/] ", end="")
        _err.print(str(error), markup=False)
        sys.exit(1)
