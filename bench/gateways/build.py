"""Building and linting gateways, each only when something it is made of has changed."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from bench import paths, toolchains
from bench.errors import BuildFailed
from bench.gateways.registry import Gateway

_NOT_SOURCE = {"node_modules", "target", "__pycache__"}
_LAST_LINES = 25


def expand(step: tuple[str, ...], values: dict[str, str]) -> list[str]:
    """Fill the placeholders of a command: {out}, {source} and the toolchains by name."""
    named = {t: str(toolchains.find(t).path) for t in toolchains.NAMES if any(f"{{{t}}}" in part for part in step)}
    filled = list(step)
    for key, value in (named | values).items():
        filled = [part.replace(f"{{{key}}}", value) for part in filled]
    return filled


def digest(gateway: Gateway) -> str:
    """Give a SHA-256 of all that decides what a build makes: its sources and the versions of its toolchains."""
    whole = hashlib.sha256()
    for path in sorted(gateway.folder.rglob("*")):
        if path.is_file() and not _NOT_SOURCE.intersection(path.parts):
            whole.update(f"{path.relative_to(gateway.folder)}\0".encode())
            whole.update(path.read_bytes())
    for name in gateway.build_needs:
        whole.update(f"{name} {toolchains.find(name).version}\0".encode())
    return whole.hexdigest()


def is_built(gateway: Gateway) -> bool:
    """Tell whether what stands in the build folder was made from the sources as they are now."""
    stamp = _stamp(gateway)
    return stamp.is_file() and stamp.read_text() == digest(gateway)


def build(gateway: Gateway) -> None:
    """Build a gateway unless it is built already.

    Raises
    ------
    ToolchainMissing
        A toolchain that it needs is not on this machine.
    BuildFailed
        A step ended with an error; the message holds the last lines that it printed.
    """
    if is_built(gateway):
        return
    _stamp(gateway).unlink(missing_ok=True)
    gateway.out.mkdir(parents=True, exist_ok=True)
    (gateway.out / "build.log").write_bytes(b"")
    for step in gateway.build_steps:
        _run(gateway, step, "building")
    _stamp(gateway).write_text(digest(gateway))


def lint(gateway: Gateway) -> None:
    """Run the formatter's check and the linter of the gateway's community; raises `BuildFailed` as `build` does."""
    gateway.out.mkdir(parents=True, exist_ok=True)
    for step in gateway.lint_steps:
        printed = _run(gateway, step, "linting")
        # A listing of badly formatted files succeeds and prints their names.
        if "-l" in step and printed.strip():
            raise BuildFailed(f"{gateway.name}: these files are not formatted: {printed.split()}")


def _run(gateway: Gateway, step: tuple[str, ...], doing: str) -> str:
    command = expand(step, {"out": str(gateway.out), "source": str(gateway.folder)})
    done = subprocess.run(
        command, cwd=gateway.folder, env=toolchains.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
    )  # fmt: skip
    log = gateway.out / "build.log"
    with log.open("a") as out:
        out.write(f"$ {' '.join(step)}\n{done.stdout}")
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
        raise BuildFailed(
            f"{doing} {gateway.name} failed at `{' '.join(step)}` (exit code {done.returncode}):\n{tail}\n"
            f"The whole output is in {_shown(log)}."
        )
    return done.stdout


def _stamp(gateway: Gateway) -> Path:
    return gateway.out / ".built"


def _shown(path: Path) -> str:
    return str(path.relative_to(paths.ROOT))
