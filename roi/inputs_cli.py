"""`roi inputs`: check an inputs file, and turn a firm's records into quantities of one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from roi.errors import InputsInvalid

app = typer.Typer(no_args_is_help=True, help="Check the inputs of a business case, or import them from records.")
_FILE_WIDTH = 240
"""Letters of a line where it goes into a file, and is not cut to a terminal's."""
_out = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
_SHARES = (0.1, 0.5, 0.9)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="An inputs file, such as data/inputs/article.toml.")],
    run: Annotated[
        str | None, typer.Option(help="Run that measured quantities are drawn from; else the one that the file names.")
    ] = None,
) -> None:
    """List every quantity with what it may be and how it is known, or say by the line what is wrong."""
    import numpy as np

    from roi import inputs
    from roi.data import open_run
    from roi.views.words import number

    name = run or inputs.declared_run(file)
    found = inputs.read(file, open_run(name) if name else None)
    _out.print(f"{found.title}{' (synthetic)' if found.synthetic else ''}", markup=False)
    table = Table(box=None, pad_edge=False)
    for column in ("quantity", "P10", "P50", "P90", "unit", "provenance", "n"):
        table.add_column(column, no_wrap=True, justify="right" if column[0] in "Pn" else "left")
    table.add_column("source", overflow="fold")
    for key, quantity in found.quantities.items():
        deciles = quantity.distribution.quantile(np.array(_SHARES))
        n = "–" if quantity.n is None else f"{quantity.n}"
        table.add_row(key, *map(number, deciles), quantity.unit, quantity.provenance, n, quantity.source)
    _out.print(table)


@app.command(name="import")
def import_records(
    fixes: Annotated[Path | None, typer.Option(help="CSV of fixes: opened, closed, open, hours.")] = None,
    releases: Annotated[Path | None, typer.Option(help="CSV of releases: released, failed, rollback.")] = None,
    config_changes: Annotated[
        Path | None, typer.Option(help="CSV of changes of configuration: changed, minutes.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="First day that the tables cover; else their first row's instant.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Instant until which they cover; else their last row's.")] = None,
    option: Annotated[str, typer.Option(help="Option that the records are of; none: the service as it is.")] = "",
) -> None:
    """Print the quantities of CSV tables as TOML for an inputs file; a row that is wrong is named by its line."""
    from roi import imports

    period = _period(since, until)
    readers = ((fixes, imports.fixes), (releases, imports.releases), (config_changes, imports.config_changes))
    asked = [(path, read) for path, read in readers if path]
    if not asked:
        raise InputsInvalid("There is nothing to import: name a table with --fixes, --releases or --config-changes.")
    # All tables are read before anything is printed: half of an import is easily taken for the whole.
    tables, wrong = [], []
    for path, read in asked:
        try:
            tables.append(read(path, period))
        except InputsInvalid as error:
            wrong.append(str(error))
    if wrong:
        raise InputsInvalid("\n".join(wrong))
    _out.print("\n".join(imports.snippet(table, option) for table in tables), markup=False, soft_wrap=True, end="")


def _period(since: str | None, until: str | None) -> object | None:
    """Give the period that was asked for; None where neither end is said."""
    from roi.imports import Period, instant

    if since is None and until is None:
        return None
    if since is None or until is None:
        raise InputsInvalid("--since and --until go together: say both, or neither.")
    try:
        return Period(instant(since), instant(until))
    except InputsInvalid:
        raise
    except ValueError as error:
        raise InputsInvalid(f"--since {since} --until {until}: {error}.") from error
