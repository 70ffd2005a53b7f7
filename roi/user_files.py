"""Where a file is that the user names: a path counts from where the command was given, also within a notebook."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roi.data import DATA


def find(name: str) -> Path | None:
    """Give the absolute path of a file; None where there is none.

    Parameters
    ----------
    name
        A path, absolute, or from the user's folder, or from the project's.
    """
    # A notebook runs in its own folder; the shell that started it says where the user is.
    places = (Path(), Path(os.environ.get("PWD", ".")), DATA.parent)
    return next(((place / name).resolve() for place in places if (place / name).is_file()), None)


def texts(path: Path) -> list[str]:
    """Give every text in a TOML file, such as names of files and runs; none of what is no TOML."""
    try:
        return list(_texts(tomllib.loads(path.read_text())))
    except (OSError, ValueError):
        return []


def named_by(path: Path) -> list[Path]:
    """Give the files that a TOML file names by their place beside it, such as records in CSV."""
    return [found for text in texts(path) if text and (found := (path.parent / text).resolve()).is_file()]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
