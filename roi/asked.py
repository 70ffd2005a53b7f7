"""What this process has asked of runs, as one digest: every finding carries the one of its moment.

A notebook runs in a process of its own, so the digest says which questions to which tables stand behind a finding. It is
the same wherever the same notebook is run with the same parameters over the same tables, and another when any of these is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from bench.store.manifest import Manifest
from bench.store.schema import TABLES

_BEHIND_VIEWS = {"measured": ("requests", "cells"), "compared": ("requests", "cells")}
_WORD = re.compile(r"\w+")


class Asked:
    """A digest that goes on with every question, and names none before the first."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._questions = 0

    def note(self, run: Manifest, restrictions: str, sql: str, parameters: Mapping[str, Any]) -> None:
        """Take a question to a run: its text, its parameters, what the run was restricted to, and the tables it reads."""
        said = sorted((name, repr(value)) for name, value in parameters.items())
        files = [f"{table} {run.tables[table].sha256}" for table in tables_of(sql) if table in run.tables]
        self._whole.update("\0".join([sql, repr(said), restrictions, *files, ""]).encode())
        self._questions += 1

    def digest(self) -> str | None:
        """Give the SHA-256 over all that was asked until now, in its order; None when nothing was."""
        return self._whole.hexdigest() if self._questions else None


def tables_of(sql: str) -> list[str]:
    """Give the tables of a run that a query names, those behind a view among them, in the order of their names."""
    words = set(_WORD.findall(sql))
    return sorted({table for word in words for table in _BEHIND_VIEWS.get(word, (word,))} & set(TABLES))


ASKED = Asked()
"""What this process asked."""
