"""Our own C, compiled when it is older than its source: a program to start, or a library to load."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from bench import paths
from bench.errors import BuildFailed, ToolchainMissing

_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")


def program(source: Path) -> Path:
    """Give the executable of a C file.

    Raises
    ------
    ToolchainMissing
        There is no C compiler.
    BuildFailed
        It does not compile.
    """
    return _compiled(source, paths.BUILD / source.stem, ())


def library(source: Path) -> Path:
    """Give the shared library of a C file, to be loaded by `ctypes`; raises as `program` does."""
    return _compiled(source, paths.BUILD / f"{source.stem}.so", ("-shared", "-fPIC"))


def _compiled(source: Path, target: Path, flags: tuple[str, ...]) -> Path:
    if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
        return target
    compiler = shutil.which("cc")
    if compiler is None:
        raise ToolchainMissing("No C compiler is on this machine. Install one with: apt-get install gcc libc6-dev")
    target.parent.mkdir(parents=True, exist_ok=True)
    # Into place by a rename: whoever uses it meanwhile keeps the old one.
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        fresh = Path(folder) / target.name
        command = [compiler, *_FLAGS, *flags, "-o", fresh, source]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildFailed(f"{source.name} does not compile:\n{done.stderr}")
        fresh.rename(target)
    return target
