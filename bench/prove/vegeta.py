"""Vegeta, an open-loop generator that shares nothing with ours: built from the Go module proxy at pinned digests."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench import children, paths, toolchains
from bench.errors import BuildFailed, LoadFailed

_MODULE = Path(__file__).with_suffix("")
"""Its go.mod and go.sum."""
_PACKAGE = "github.com/tsenart/vegeta/v12"
_BINARY = paths.BUILD / "vegeta"
_STATUS, _LATENCY_NS = 1, 2
"""Columns of `vegeta encode --to csv`."""


def build() -> Path:
    """Give vegeta's executable, built when it is not there.

    Raises
    ------
    ToolchainMissing
        There is no Go.
    BuildFailed
        It could not be fetched or built.
    """
    if _BINARY.is_file() and _BINARY.stat().st_mtime >= (_MODULE / "go.sum").stat().st_mtime:
        return _BINARY
    go = toolchains.find("go").path
    paths.BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.BUILD) as folder:
        fresh = Path(folder) / _BINARY.name
        command = [go, "build", "-mod=readonly", "-o", fresh, _PACKAGE]
        done = subprocess.run(
            command, cwd=_MODULE, env=toolchains.environment() | {"CGO_ENABLED": "0"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise BuildFailed(f"vegeta could not be built:\n{done.stderr}")
        fresh.rename(_BINARY)
    return _BINARY


def attack(
    url: str, rate_per_s: float, seconds: float, connections: int, cpus: Sequence[int], folder: Path
) -> np.ndarray:
    """GET a URL at equal gaps; gives the latency of each request in ms, in the order of sending.

    Vegeta counts from the instant of sending. With workers to spare that is the instant at which the request was due. Its
    garbage is not collected meanwhile, as the engine's is not: a collection would be in its slowest requests.

    Raises
    ------
    LoadFailed
        A request failed, or vegeta did.
    """
    targets, results = folder / "targets", folder / "results.bin"
    targets.write_text(f"GET {url}\n")
    command = [
        build(), "attack", "-format=http", f"-targets={targets}", f"-rate={round(rate_per_s)}/1s", f"-duration={seconds:g}s",
        f"-connections={connections}", f"-workers={connections}", f"-max-workers={connections}", "-max-body=0",
        f"-output={results}",
    ]  # fmt: skip
    env = toolchains.environment() | {"GOMAXPROCS": str(len(cpus)), "GOGC": "off"}
    process = children.spawn(command, cpus=cpus, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate(timeout=seconds + 30)[0].decode(errors="replace")
    if process.returncode:
        raise LoadFailed(f"vegeta failed: {said.strip()}")
    encoded = subprocess.run(
        [build(), "encode", "--to=csv", results], capture_output=True, text=True, check=True
    ).stdout
    status, latency_ns = np.loadtxt(
        encoded.splitlines(), delimiter=",", usecols=(_STATUS, _LATENCY_NS), dtype=np.int64, unpack=True
    )
    if not len(status) or (status != 200).any():
        raise LoadFailed(f"{int((status != 200).sum())} of {len(status)} requests by vegeta got no 200.")
    return latency_ns / 1e6
