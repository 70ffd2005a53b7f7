"""Makes environment.yml (conda-forge) from pyproject.toml, the master list: `python -m bench.environment_file`."""

from __future__ import annotations

import re
import tomllib

from bench.paths import ROOT

_RENAMED = {"kaleido": "python-kaleido", "duckdb": "python-duckdb", "build": "python-build"}
_TOOLCHAINS = ("go >=1.26", "maven", "nodejs 24.*", "openjdk 17.*", "rust >=1.85")
"""What PyPI carries for the pip path, conda-forge carries itself; and what building Java and Rust needs."""
_NOT_CONDA = frozenset({"uv", "pip", "setuptools"})
"""Only needed to make the lock, or brought by conda anyway."""

_ONLY_ON_PYPI = frozenset({"axe-playwright-python"})
"""Not known to conda-forge: pip installs them into the environment."""

_HEAD = """\
# Made from pyproject.toml by `make lock`; a test fails when the two differ.
# The pip path (requirements.lock, with hashes) is the one that the tests prove.
name: tipping-point
channels:
  - conda-forge
  - nodefaults
dependencies:
"""


def render() -> str:
    """Give the text of environment.yml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [f"python {project['requires-python']}", "pip"]
    lines += sorted(filter(None, map(_conda, [*project["dependencies"], *extras["dev"]])))
    lines += _TOOLCHAINS
    by_pip = sorted(one for one in extras["dev"] if _name(one) in _ONLY_ON_PYPI)
    pip_lines = "".join(f"      - {line}\n" for line in ["-e .", *by_pip])
    return _HEAD + "".join(f"  - {line}\n" for line in lines) + "  - pip:\n" + pip_lines


def _conda(requirement: str) -> str:
    """Give a requirement in conda's words; nothing when conda has no use for it."""
    name, _extras, version = re.fullmatch(
        r"([A-Za-z0-9._-]+)(\[[^]]*])?(.*)", requirement.split(";")[0].strip()
    ).groups()
    return "" if name in _NOT_CONDA | _ONLY_ON_PYPI else f"{_RENAMED.get(name, name)} {version}".strip()


def _name(requirement: str) -> str:
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0]


if __name__ == "__main__":
    print(render(), end="")
