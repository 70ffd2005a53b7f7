"""Where the rows of a worker go: a folder that the campaign reads, or a local one whose files are brought to it later.

A worker on the master's machine writes where the campaign reads. One elsewhere, or one that was given a URI (file, s3,
gs, hdfs: what `pyarrow.fs` knows), writes into a folder of its own and brings the files there when its load is over.
"""

from __future__ import annotations

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gevent
from pyarrow import fs

from bench.errors import LoadFailed

SPOOL_VARIABLE = "BENCH_SPOOL"
"""Environment variable: the folder under which a worker elsewhere keeps its rows."""
_COPY_BYTES = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Store:
    """Where one worker writes, and where its files belong."""

    folder: Path | None
    """None: it only counts."""
    uri: str | None = None
    """Where its files are brought at the end; None: they are there already."""

    def bring(self, worker: int) -> None:
        """Bring a worker's files to where they belong, the summary last.

        Raises
        ------
        LoadFailed
            It cannot be done; the files stay where they are, and the message says where.
        """
        if self.uri is None:
            return
        names = (f"{worker}.begin.json", f"{worker}.rows", f"{worker}.gaps", f"{worker}.json")
        try:
            # In a thread: Locust's heartbeats go on meanwhile.
            gevent.get_hub().threadpool.apply(_copy, (self.folder, self.uri, names))
        except (OSError, ValueError) as error:
            raise LoadFailed(
                f"The samples of worker {worker} cannot be brought to {self.uri}: {error}."
                f" They are in {self.folder} on its machine."
            ) from error


def place(samples: str | None, *, here: bool) -> Store:
    """Give where a worker writes; `here`: it is on the master's machine.

    Raises
    ------
    LoadFailed
        The folder cannot be made.
    """
    if samples is None:
        return Store(None)
    try:
        if here and not is_uri(samples):
            Path(samples).mkdir(parents=True, exist_ok=True)
            return Store(Path(samples))
        return Store(Path(tempfile.mkdtemp(prefix="load-", dir=os.environ.get(SPOOL_VARIABLE))), samples)
    except OSError as error:
        raise LoadFailed(f"There is no folder for the rows: {error}. Check --samples and {SPOOL_VARIABLE}.") from error


def is_uri(samples: str) -> bool:
    """Tell whether samples go to a URI and not to a plain path."""
    return "://" in samples


def keep_tokens(store: Store, tokens: str | None) -> Path | None:
    """Write the tokens that the master sent beside the rows; None when it sent none."""
    if tokens is None:
        return None
    folder = store.folder or Path(tempfile.mkdtemp(prefix="load-"))
    path = folder / "tokens"
    path.write_text(tokens)
    return path


def check(uri: str) -> None:
    """Refuse a place that workers cannot bring rows to, before there are any; raises `LoadFailed`."""
    try:
        there, base = fs.FileSystem.from_uri(uri)
        there.get_file_info(base)
    except (OSError, ValueError) as error:
        raise LoadFailed(
            f"{uri!r} is no place for rows: {error}. Give --samples a URI that pyarrow knows (s3://bucket/folder, gs://,"
            " hdfs://, file://), or a whole path on shared storage."
        ) from error


def gather(uri: str, folder: Path) -> None:
    """Copy every worker's files from a URI into a folder, summaries last; what is not there yet is not an error.

    Raises
    ------
    LoadFailed
        The place cannot be read.
    """
    try:
        there, base = fs.FileSystem.from_uri(uri)
        found = there.get_file_info(fs.FileSelector(base, allow_not_found=True))
        named = sorted((info for info in found if info.is_file), key=lambda info: info.base_name.endswith(".json"))
        for info in named:
            _copy_file(there, info.path, fs.LocalFileSystem(), str(folder / info.base_name))
    except (OSError, ValueError) as error:
        raise LoadFailed(f"The samples at {uri} cannot be read: {error}. Check --samples.") from error


def put(folder: Path, uri: str, names: tuple[str, ...]) -> None:
    """Copy files of a folder to a URI or a plain path; raises `LoadFailed` when that cannot be done."""
    try:
        _copy(folder, uri, names)
    except (OSError, ValueError) as error:
        raise LoadFailed(f"Nothing can be written to {uri}: {error}. Check --samples.") from error


def _copy(folder: Path, uri: str, names: tuple[str, ...]) -> None:
    there, base = fs.FileSystem.from_uri(uri)
    there.create_dir(base, recursive=True)
    for name in names:
        _copy_file(fs.LocalFileSystem(), str(folder / name), there, f"{base}/{name}")


def _copy_file(source: fs.FileSystem, source_path: str, target: fs.FileSystem, target_path: str) -> None:
    """Copy under a name of its own first where that can be renamed: what has its name is whole."""
    unfinished = f"{target_path}.tmp"
    with source.open_input_stream(source_path) as read, target.open_output_stream(unfinished) as write:
        while piece := read.read(_COPY_BYTES):
            write.write(piece)
    target.move(unfinished, target_path)
