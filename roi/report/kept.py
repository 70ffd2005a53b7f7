"""What earlier reports computed, kept by the digest of all that it was computed from, so that it is computed once.

A report that was cut off goes on where it stopped, and one that is asked for again costs no kernel. Nothing that is kept is
needed: whatever cannot be read or written here is computed again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.store import manifest
from bench.store.writer import sha256
from roi import data, user_files
from roi.charts.spec import ChartSpec
from roi.errors import UnknownName
from roi.report import privacy
from roi.report.catalog import Page
from roi.report.origin import Origin, code_version

FOLDER = Path(__file__).resolve().parents[2] / "build" / "kept"
"""Where it lies by default; ROI_KEPT names another folder."""
MOST = 2_000
"""Files that are kept, at most; those that were not used for the longest time go."""


@dataclass(frozen=True)
class Kept:
    """A folder of files, each named by a digest of what it was made from."""

    folder: Path

    def take(self, name: str, target: Path) -> bool:
        """Copy what is kept under a name, and tell whether there was any."""
        own = self.folder / name
        try:
            content = own.read_bytes()
            os.utime(own)
        except OSError:
            return False
        target.write_bytes(content)
        return True

    def keep(self, name: str, content: bytes) -> None:
        """Keep a content under a name; where that cannot be, nothing happens."""
        work = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, work = tempfile.mkstemp(prefix=".", dir=self.folder)
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(work, self.folder / name)
        except OSError:
            if work:
                Path(work).unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the files that were not used for the longest time, and those that were never finished."""
        try:
            files = sorted((path.stat().st_mtime, path) for path in self.folder.iterdir())
            for _, path in files[:-MOST]:
                path.unlink(missing_ok=True)
        except OSError:
            return


def here() -> Kept:
    """Give the folder of this project, or the one that ROI_KEPT names."""
    return Kept(Path(os.environ.get("ROI_KEPT") or FOLDER))


def of_notebook(page: Page, parameters: Mapping[str, Any], origin: Origin, runs: Mapping[str, str]) -> str:
    """Name an executed notebook by all that it is computed from.

    Parameters
    ----------
    page
        The page.
    parameters
        All that the notebook is executed with.
    origin
        Of the report: the run's tables, code, inputs, libraries.
    runs
        Digests of the runs that input files name: see `runs_named`.
    """
    made_from = {
        "notebook": sha256(page.notebook), "parameters": dict(parameters), "code": code_version(), "run": dict(origin.run),
        "inputs": dict(origin.inputs), "machine": dict(origin.machine), "runs": {**runs, **_runs(page, parameters)},
        "names": privacy.names_are_shown(),
    }  # fmt: skip
    return f"{_digest(made_from)}.ipynb"


def of_image(spec: ChartSpec, browser: str, ending: str) -> str:
    """Name an image by its chart, the code that draws it and the browser."""
    program = Path(browser).resolve().stat()
    drawn_by = [code_version(), browser, program.st_size, program.st_mtime_ns]
    return f"{_digest([spec.to_dict(), drawn_by, ending])}.{ending}"


def runs_named(files: Sequence[Path]) -> dict[str, str]:
    """Give the digests of the runs that the project's inputs and some further files name."""
    own = (data.DATA / "inputs").rglob("*.toml")
    return _digests([text for path in (*own, *files) for text in user_files.texts(path)])


def _runs(page: Page, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Give the digests of the runs that a page may open beside its report's own: those that it names, or all that there are."""
    values = [text for value in parameters.values() for text in (value if isinstance(value, list) else [value])]
    texts = [value for value in values if isinstance(value, str) and value]
    return _digests([*texts, *(data.names() if page.reads == "runs" else [])])


def _digests(names: Sequence[str]) -> dict[str, str]:
    """Give the digest of every run among some names, by its name."""
    found = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = sha256(data.find_run(name) / manifest.FILE)
        except (UnknownName, OSError):
            continue
    return found


def _digest(made_from: Any) -> str:
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
