"""Inputs by name, with measured quantities from the run that a page is about."""

from __future__ import annotations

from pathlib import Path

from roi import inputs, user_files
from roi.data import DATA, Run, open_run
from roi.errors import InputsInvalid, UnknownName
from roi.inputs import Inputs

INPUTS = DATA / "inputs"
_FILE = "inputs.toml"


def find_inputs(name: str) -> Path:
    """Give the inputs file of a name in `data/inputs`, or of a path, of a file or of its folder, from where the command was given.

    Raises
    ------
    UnknownName
        There is no such file; the message shows those that come with the suite.
    """
    known = {path.stem: path for path in INPUTS.glob("*.toml")}
    known |= {path.parent.name: path for path in INPUTS.glob(f"*/{_FILE}")}
    if name in known:
        return known[name]
    path = user_files.find(name) or user_files.find(f"{name}/{_FILE}")
    if path is None:
        raise UnknownName("inputs file", name, sorted(known))
    return path


def open_inputs(name: str, run: Run) -> Inputs:
    """Give inputs by name; measured ones from this run or, where it lacks what is asked of it, from the run that the file names.

    `Inputs.run` tells which of them it was.

    Raises
    ------
    UnknownName
        There is no such file.
    InputsInvalid
        Something in it is wrong, or neither run holds what is measured.
    """
    path = find_inputs(name)
    try:
        return inputs.read(path, run)
    except InputsInvalid:
        declared = inputs.declared_run(path)
        if declared is None:
            raise
        return inputs.read(path, open_run(declared))
