"""Prints what of a report has no translation yet, as lines for a catalogue: `python -m roi.language FOLDER [PAGE …]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from roi.errors import RoiError
from roi.language.languages import Language, in_progress
from roi.language.published import translate


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of a report in English.")],
    pages: Annotated[list[str] | None, typer.Argument(help="Pages to print, index and deck among them.")] = None,
    name: Annotated[str, typer.Option("--language", help="The language.")] = "zh",
    said: Annotated[bool, typer.Option("--said", help="Print every text and what it is in the language.")] = False,
) -> None:
    """Print what of a report has no translation yet, page by page; what several pages show is printed at the first of them."""
    try:
        spoken, faults = in_progress(name)
        for fault in faults:
            typer.echo(fault, err=True)
        printed: set[str] = set()
        for page in translate(folder, spoken):
            lines = [line for line in (_said(spoken) if said else _lacking(spoken)) if line not in printed]
            printed |= {*lines}
            if lines and (not pages or page in pages):
                typer.echo("\n".join([f"# {page}", *lines, ""]))
    except RoiError as error:
        Console(stderr=True).print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from error


def _lacking(spoken: Language) -> list[str]:
    return [f'{_quoted(text)} = ""' for text in spoken.untranslated]


def _said(spoken: Language) -> list[str]:
    return [f"{text}\n→ {found.text}" for text, found in spoken.noted.items() if found.text != text]


def _quoted(text: str) -> str:
    """Give a text as a TOML string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    typer.run(main)
