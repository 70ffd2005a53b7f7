"""The command line of `roi`."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
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
"""Exit code after Ctrl-C; after SIGTERM, with which schedulers end their jobs, it is the next."""
_TERMINATED = 143
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
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Names of runs, latest, or reference (the default).")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter of the notebooks that have it."),
    ] = None,
    sets: Annotated[
        Path | None, typer.Option(help="A TOML file of parameter sets, one table a set: a report for each.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NOTEBOOK", help="Only this page of the catalogue; may be repeated.")
    ] = None,
    audience: Annotated[str, typer.Option(help="Only pages for them, such as CTO.")] = "",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report, or of several; reports/RUN and reports by default.")
    ] = None,
    deadline: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Longest time for all notebooks of a report.")
    ] = 1800,
    language: Annotated[str, typer.Option(help="Language of pages, images, deck and PDF: en or zh.")] = "en",
    fresh: Annotated[bool, typer.Option(help="Take nothing from earlier reports: run every notebook.")] = False,
    names: Annotated[bool, typer.Option(help="Leave paths, host and user names of this machine in.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of it as JSON.")] = False,
) -> None:
    """Run the catalogue's notebooks over runs and publish the reports; exit code 1 when a page is not complete."""
    # Here and not above: pandas, plotly and papermill take seconds to load, which `roi --help` should not.
    from roi.language import languages
    from roi.report import batch, catalog, kept, overview, parameters, privacy
    from roi.report import sets as parameter_sets
    from roi.report.publish import Options

    given, spoken = parameters.split(parameter or ()), languages.language(language)
    catalogue = catalog.read()
    pages = catalog.choose(catalogue, only or (), audience)
    runs = list(dict.fromkeys(runs or ["reference"]))
    several = parameter_sets.read(sets) if sets else {"": {}}
    one = len(runs) * len(several) == 1
    home = (out or Path("reports")).absolute()
    wanted = batch.orders(
        runs, several, pages, given,
        lambda run, of: home if one and out else home / "-".join(filter(None, (run, of, spoken.suffix))),
        () if only else [page for page in catalogue.values() if page.over_runs],
    )  # fmt: skip
    options = Options(deadline_s=deadline, language=spoken, kept=None if fresh else kept.here())
    with privacy.showing_names(names):
        made = batch.make(wanted, options, lambda order: _progress(order, one))
        if not one:
            overview.write(made, home, spoken)
    if as_json:
        print((made[0].order.folder / "status.json").read_text() if one else overview.as_json(made, home), end="")
    else:
        _tell(made)
        if not one:
            _print_path(home / overview.FILE)
    if any(report.ending != batch.Ending.COMPLETE for report in made):
        raise typer.Exit(1)


@contextmanager
def _progress(order, alone: bool):
    """Tell of the progress of one report, under its name where there are several."""
    from roi.report.gather import Telling

    if not alone:
        _err.print(f"\n{order.folder.name}", style="bold", markup=False)
    with _Live(len(order.pages), _err) as live:
        yield Telling(live.started, live.ended)


def _tell(made) -> None:
    """Say in a line or two what became of each report."""
    for one in made:
        if one.report is None:
            _out.print(f"[red]Not published:[/] {escape(one.order.run)}: {escape(one.sentence)}")
            continue
        for notice in one.report.notices:
            _out.print("[yellow]Note:[/] ", end="")
            _out.print(notice, markup=False)
        done = one.report
        _out.print(f"{done.charts} charts, {done.findings} findings, {done.seconds['whole']:.0f} s: ", end="")
        _print_path(one.order.folder / "index.html")


def _print_path(path: Path) -> None:
    """Print where a file is, from here if it is below."""
    here = Path.cwd()
    _out.print(str(path.relative_to(here) if path.is_relative_to(here) else path), markup=False, soft_wrap=True)


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
    from roi.report.gather import Telling
    from roi.report.subject import subject
    from roi.report.verify import compare
    from roi.views.verdict import as_dict, lines

    given = parameters.split(parameter or ())
    there = stored.read(report)
    folder, name = stored.find_run(there, run)
    stored.check_run(folder)
    with tempfile.TemporaryDirectory(prefix="roi-") as work, _Live(len(there.pages), _err) as live:
        telling = Telling(live.started, live.ended)
        made = again.recompute(there, catalog.read(), (subject(folder), name), given, Path(work), telling)
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
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What to prove: money or trend.")],
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
def lab(
    folder: Annotated[Path, typer.Option(help="Where it works: on copies of the notebooks, yours to change.")] = Path(
        "lab"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open the browser of this machine.")] = True,
) -> None:
    """Open JupyterLab on a start page; it listens on 127.0.0.1 alone and fetches nothing from elsewhere."""
    from roi.lab.server import open_lab

    open_lab(folder, port, browser)


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
        time_taken = "  before" if outcome.reused else f"{outcome.seconds:6.1f} s"
        self._progress.console.print(f"[{colour}]{outcome.status.value:14}[/]{time_taken}  {outcome.name}")
        if outcome.sentence:
            self._progress.console.print(f"{'':24}{outcome.sentence}", markup=False)
        self._left -= 1
        if not self._left:
            self._progress.add_task("charts and pages")


def main() -> None:
    """Run the command line; an error is a sentence and exit code 1."""
    codes = [_INTERRUPTED]

    def terminate(*_: object) -> None:
        codes.append(_TERMINATED)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, terminate)
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
        _err.print("\nInterrupted. What was not complete is not published; an earlier report is as it was.")
        sys.exit(codes[-1])
    except (RoiError, RunUnreadable) as error:
        if _debug:
            raise
        _err.print("[red]roi:[/] ", end="")
        _err.print(str(error), markup=False)
        sys.exit(1)
