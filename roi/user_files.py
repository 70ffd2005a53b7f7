"""Where a file is that the user names: a path counts from where the command was given, also within a notebook."""

from __future__ import annotations

import os
from pathlib import Path

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
