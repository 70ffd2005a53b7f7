"""What a report was made from: the run's files, the code, the inputs and the machine, each by its digest."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import machine, python_version

from bench.store import manifest
from bench.store.schema import TABLES
from bench.store.writer import sha256
from roi.data import DATA

FILE = "origin.json"
_ROOT = Path(__file__).resolve().parents[2]
_CODE = ("roi", "bench/store", "bench/faults", "bench/errors.py", "notebooks")
"""What a figure is computed by: folders and files of the project."""
_CODE_SUFFIXES = {".py", ".j2", ".json", ".css", ".js", ".toml", ".ipynb"}
_LIBRARIES = ("numpy", "scipy", "pandas", "duckdb", "pyarrow", "plotly", "nbconvert")
_SHOWN = 16
"""Hexadecimal digits of a digest that are shown."""


@dataclass(frozen=True)
class Origin:
    """What a report was made from. Every mapping goes from a file's name to its SHA-256, but for the machine's."""

    run: Mapping[str, str]
    """The run's manifest and tables; empty for a report of no run."""
    code: Mapping[str, str]
    commit: str | None
    """Of the checkout; None outside of git."""
    inputs: Mapping[str, str]
    """Claims and inputs of the project."""
    machine: Mapping[str, str]
    """What may make the last digits of a computation other ones: processor, their number, and the libraries' versions."""

    def changes(self, now: Origin) -> list[str]:
        """Say in sentences what is another now."""
        said = []
        if files := _changed(self.run, now.run):
            said.append(f"The run was judged again or changed after the report was made; other now: {files}.")
        if files := _changed(self.code, now.code):
            commits = f", commit {self.commit or 'unknown'} then and {now.commit or 'unknown'} now"
            said.append(f"The report was made by another version of the code{commits}; other now: {files}.")
        if files := _changed(self.inputs, now.inputs):
            said.append(f"Claims or inputs were changed after the report was made; other now: {files}.")
        if parts := _changed(self.machine, now.machine):
            said.append(f"The report was made on another machine or with other libraries; other now: {parts}.")
        return said


def _changed(then: Mapping[str, str], now: Mapping[str, str], most: int = 12) -> str:
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def here(run: Path | None, inputs: Iterable[Path] = ()) -> Origin:
    """Give the origin of a report that is made now.

    Parameters
    ----------
    run
        Folder of the run; None for none.
    inputs
        Files beside the project's own that a parameter names.
    """
    return Origin(_run(run) if run else {}, code(), commit(), _inputs(inputs), _machine())


def write(origin: Origin, folder: Path) -> None:
    """Write it into a report's folder."""
    (folder / FILE).write_text(json.dumps(asdict(origin), indent=1, ensure_ascii=False) + "\n")


def read(folder: Path) -> Origin:
    """Give the origin of a report; raises `OSError` or `ValueError` when it cannot be read."""
    try:
        return Origin(**json.loads((folder / FILE).read_text()))
    except TypeError as error:
        raise ValueError(str(error)) from error


def code_version() -> str:
    """Give the version of the code: a digest of its sources and, in a git checkout, the commit."""
    whole = hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in code().items()).encode()).hexdigest()
    return whole[:_SHOWN] + (f" at commit {commit()}" if commit() else "")


@cache
def code() -> Mapping[str, str]:
    """Give the digest of every source, by its path in the project."""
    found = [_ROOT / part for part in _CODE]
    files = [path for part in found for path in ([part] if part.is_file() else part.rglob("*"))]
    sources = [path for path in files if path.suffix in _CODE_SUFFIXES and ".ipynb_checkpoints" not in path.parts]
    return {str(path.relative_to(_ROOT)): sha256(path) for path in sorted(sources)}


@cache
def commit() -> str | None:
    """Give the commit of the checkout; None outside of git."""
    if not (_ROOT / ".git").exists():
        return None
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return asked.stdout.strip() or None


def _run(folder: Path) -> dict[str, str]:
    files = [folder / manifest.FILE, *(folder / f"{table}.parquet" for table in TABLES)]
    return {path.name: sha256(path) for path in files if path.is_file()}


def _inputs(named: Iterable[Path]) -> dict[str, str]:
    own = [*DATA.glob("*.toml"), *(path for path in (DATA / "inputs").rglob("*") if path.is_file())]
    return {str(path.relative_to(DATA)): sha256(path) for path in sorted(own)} | {p.name: sha256(p) for p in named}


def _machine() -> dict[str, str]:
    # Sums of many threads come together in the order of their number.
    own = {"processor": _processor(), "processors": str(len(os.sched_getaffinity(0))), "python": python_version()}
    return own | {f"library {name}": _version(name) for name in _LIBRARIES}


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else machine() or "not told"


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not told"
