"""What several unit tests share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from roi.data import Run, open_run
from tests.notebooks.written_run import WrittenCell, write


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Give what writes a run of these cells, with changes to its manifest, and opens it."""
    numbers = itertools.count()

    def written(*cells: WrittenCell, **changes: object) -> Run:
        return open_run(str(write(tmp_path / f"run-{next(numbers)}", cells, **changes)))

    return written
