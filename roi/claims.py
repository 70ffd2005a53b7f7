"""Figures that somebody else stated, read from a claims file: one table a claim."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from roi.errors import UnknownName

ARTICLE = Path(__file__).resolve().parent.parent / "data" / "claims.toml"


@dataclass(frozen=True)
class Claim:
    """One stated figure."""

    id: str
    where: str
    """Section of the source."""
    says: str
    """What the figure is said to be."""
    value: float
    unit: str
    study: str
    """The notebook that answers for it; `none` where no single machine can."""
    derived: bool = False
    """The source's own figures imply it, the source does not print it."""
    note: str = ""


@cache
def read(path: Path = ARTICLE) -> dict[str, Claim]:
    """Give every claim of a file by its id."""
    return {name: Claim(id=name, **said) for name, said in tomllib.loads(path.read_text()).items()}


def claim(name: str) -> Claim:
    """Give one claim of the article; an unknown id raises `UnknownName` with the near ones."""
    known = read()
    if name not in known:
        raise UnknownName("claim", name, known)
    return known[name]
