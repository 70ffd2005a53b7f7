"""The folder that JupyterLab works in: copies of the suite's notebooks, which the analyst may change and save at will.

JupyterLab saves by itself, outputs and changed parameters included. In the suite's own notebooks that would change what the next
report says and what is committed, and a hook that strips outputs at each save would throw away what was computed. So it works
on copies, in a folder that git ignores. A copy that was never saved follows the suite's notebook; one that was is the
analyst's and is never written again: a newer one of the suite is put beside it. Who deletes a copy gets the suite's back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from roi.errors import LabNotStarted

STATE = ".roi"
"""What the suite itself keeps within the folder; hidden, so that JupyterLab does not list it."""
_RECORD = "copied.json"


@dataclass(frozen=True)
class Copy:
    """A notebook in the folder."""

    changed: bool
    """It was saved since it was copied: it is the analyst's."""
    newer: str | None = None
    """Name of the file beside it that is the suite's newer notebook; None where there is none."""


def copy_notebooks(folder: Path, notebooks: Iterable[Path]) -> None:
    """Put the suite's notebooks into a folder, which is made if need be, and overwrite nothing that was saved there.

    Raises
    ------
    LabNotStarted
        The folder holds something else, or cannot be written.
    """
    if folder.exists() and not (folder / STATE).is_dir() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabNotStarted(f"{folder} is there and is no folder of `roi lab`: choose another with --folder.")
    try:
        if not (folder / STATE).is_dir():
            (folder / STATE).mkdir(parents=True)
            # It ignores itself, wherever it is; who wants to keep notebooks in git removes the file.
            (folder / ".gitignore").write_text("*\n")
        record = folder / STATE / _RECORD
        known = _read(record)
        for notebook in notebooks:
            _copy(notebook, folder, known)
        record.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    except OSError as error:
        raise LabNotStarted(
            f"The notebooks cannot be copied to {folder}: {error.strerror}. Choose another folder with --folder."
        ) from error


def copies_in(folder: Path, notebooks: Iterable[Path]) -> dict[str, Copy]:
    """Give what became of the copies of some notebooks, by name of file; of one that was deleted nothing."""
    known = _read(folder / STATE / _RECORD)
    found = {}
    for notebook in notebooks:
        path, beside = folder / notebook.name, _beside(folder, notebook)
        if path.is_file():
            changed = _digest(path.read_bytes()) != known.get(path.name)
            found[path.name] = Copy(changed, beside.name if beside.is_file() else None)
    return found


def _copy(notebook: Path, folder: Path, known: dict[str, str]) -> None:
    """Copy a notebook, or put it beside what the analyst made of an earlier one, once for each that is newer."""
    text, beside = notebook.read_bytes(), _beside(folder, notebook)
    if _follow(folder / notebook.name, text, known):
        if beside.is_file() and known.pop(beside.name, None) == _digest(beside.read_bytes()):
            beside.unlink()
    elif known.get(notebook.name) != _digest(text):
        _follow(beside, text, known)
        known[notebook.name] = _digest(text)


def _follow(path: Path, text: bytes, known: dict[str, str]) -> bool:
    """Make a file the suite's notebook unless somebody saved it since; tells whether it is."""
    there = _digest(path.read_bytes()) if path.is_file() else None
    if there not in (None, known.get(path.name), _digest(text)):
        return False
    if there != _digest(text):
        path.write_bytes(text)
    known[path.name] = _digest(text)
    return True


def _beside(folder: Path, notebook: Path) -> Path:
    return folder / f"{notebook.stem}.newer.ipynb"


def _read(record: Path) -> dict[str, str]:
    """Give what was copied, by name; of a record that cannot be read nothing, so that all that is there counts as saved."""
    try:
        return dict(json.loads(record.read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
