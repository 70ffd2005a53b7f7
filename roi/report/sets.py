"""Parameter sets: a TOML file with one table a set, each of which makes a report of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roi.errors import BadParameters

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_EXAMPLE = "[strict]\nmargin = 0.02"


def read(path: Path) -> dict[str, Mapping[str, Any]]:
    """Give the parameters of every set in a file, by the set's name and in the order of the file.

    Raises
    ------
    BadParameters
        The file is missing, is not TOML, or holds something that is no set.
    """
    try:
        said = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadParameters(f"The parameter sets {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadParameters(f"{path.name} is not TOML: {error}") from error
    if not said:
        raise BadParameters(f"{path.name} holds no parameter set. Give it one table a set, such as:\n{_EXAMPLE}")
    for name, values in said.items():
        if not isinstance(values, dict):
            raise BadParameters(
                f"{path.name} sets {name} outside of any set. Give it one table a set, such as:\n{_EXAMPLE}"
            )
        if not _NAME.fullmatch(name):
            raise BadParameters(
                f"The set {name!r} of {path.name} names a folder: use small letters, digits, '_' and '-' alone."
            )
    return said
