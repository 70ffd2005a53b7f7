"""On which line of a TOML file a key stands: what `tomllib` reads it does not say where it read."""

from __future__ import annotations

import re
import tomllib

_HEADER = re.compile(r"^\s*\[(?!\[)\s*([^\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"^\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=")


def lines(text: str) -> dict[tuple[str, ...], int]:
    """Give the line of every table and key that begins one, from 1, by its path."""
    table: tuple[str, ...] = ()
    found: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _path(header[1])
            for parts in range(1, len(table) + 1):
                found.setdefault(table[:parts], number)
        elif key := _KEY.match(line):
            found.setdefault(table + _path(key[1]), number)
    return found


def line_of(path: tuple[str, ...], known: dict[tuple[str, ...], int]) -> int | None:
    """Give the line of a path, or of the nearest that it is part of; None where it is part of none."""
    while path and path not in known:
        path = path[:-1]
    return known.get(path)


def _path(key: str) -> tuple[str, ...]:
    """Give the parts of a dotted key, quoted or not."""
    try:
        said = tomllib.loads(f"{key} = 0")
    except tomllib.TOMLDecodeError:
        return (key,)
    parts = []
    while isinstance(said, dict):
        name, said = next(iter(said.items()))
        parts.append(name)
    return tuple(parts)
