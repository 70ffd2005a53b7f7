"""The checksums of a report's files, as `sha256sum --check` reads them too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.store.writer import sha256

FILE = "SHA256SUMS"


@dataclass(frozen=True)
class Apart:
    """How a folder differs from its list of checksums; names are relative to the folder, in their order."""

    missing: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[str, ...]


def write(folder: Path) -> None:
    """Write the checksum of every file in a folder and below it."""
    (folder / FILE).write_text("".join(f"{sha256(folder / name)}  {name}\n" for name in _files(folder)))


def read(folder: Path) -> dict[str, str]:
    """Give the checksums by name; raises `OSError` or `ValueError` when there is no such list."""
    lines = [line.split("  ", 1) for line in (folder / FILE).read_text().splitlines()]
    return {name: digest for digest, name in lines}


def compare(folder: Path) -> Apart:
    """Hold a folder against its list."""
    listed, there = read(folder), set(_files(folder))
    return Apart(
        tuple(sorted(set(listed) - there)),
        tuple(sorted(there - set(listed))),
        tuple(sorted(name for name in there & set(listed) if sha256(folder / name) != listed[name])),
    )


def _files(folder: Path) -> list[str]:
    own = folder / FILE
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path != own)
