"""What several unit tests share."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from roi import cli, inputs
from roi.data import Run, open_run
from tests.notebooks.written_run import WrittenCell, write


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    """Give what writes a run of these cells, with changes to its manifest, and opens it."""
    numbers = itertools.count()

    def written(*cells: WrittenCell, **changes: object) -> Run:
        return open_run(str(write(tmp_path / f"run-{next(numbers)}", cells, **changes)))

    return written


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., inputs.Inputs]:
    """Give what writes an inputs file and reads it, with measured quantities from a run if one is given."""

    def written(text: str, run: Run | None = None) -> inputs.Inputs:
        path = tmp_path / "case.toml"
        path.write_text(text)
        return inputs.read(path, run)

    return written


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple]:
    """Give what calls `roi` with these arguments: its exit code, and what it wrote to either stream."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["roi", *arguments])
        try:
            cli.main()
        except SystemExit as stop:
            return stop.code or 0, *capsys.readouterr()
        return 0, *capsys.readouterr()

    return call
