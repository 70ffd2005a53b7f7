"""The gateways as their gateway.toml files declare them.

A gateway is one folder with a gateway.toml; nothing else registers it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bench import paths
from bench.errors import SuiteInvalid, UnknownName


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Build(_Model):
    needs: tuple[str, ...]
    steps: tuple[tuple[str, ...], ...]


class _Lint(_Model):
    needs: tuple[str, ...] = ()
    steps: tuple[tuple[str, ...], ...]


class _Start(_Model):
    command: tuple[str, ...]
    flags: tuple[str, ...] = ()
    env: dict[str, str] = {}
    meter_flags: tuple[str, ...] = ()
    truth_flags: tuple[str, ...] = ()
    truth_env: dict[str, str] = {}


class _Variant(_Model):
    name: str
    tuning: str
    collector: str
    summary: str
    needs: tuple[str, ...] = ()
    runtime: str = ""
    flags: tuple[str, ...] = ()
    meter_flags: tuple[str, ...] = ()
    env: dict[str, str] = {}


class _Declaration(_Model):
    name: str
    runtime: str
    language: str
    built_on: str
    build: _Build
    lint: _Lint
    start: _Start
    variants: tuple[_Variant, ...]


@dataclass(frozen=True)
class Gateway:
    """A program under test: one folder."""

    name: str
    runtime: str
    """go, java, node or rust: decides which meters read its pauses."""
    language: str
    built_on: str
    folder: Path
    build_needs: tuple[str, ...]
    build_steps: tuple[tuple[str, ...], ...]
    lint_needs: tuple[str, ...]
    lint_steps: tuple[tuple[str, ...], ...]

    @property
    def out(self) -> Path:
        """The folder that holds what the build made."""
        return paths.BUILD / self.name


@dataclass(frozen=True)
class Variant:
    """A gateway with a runtime and flags."""

    name: str
    gateway: Gateway
    tuning: str
    """stock or tuned."""
    collector: str
    summary: str
    needs: tuple[str, ...]
    """Toolchains without which it cannot run."""
    command: tuple[str, ...]
    """With placeholders; the element {flags} stands for all flags."""
    flags: tuple[str, ...]
    meter_flags: tuple[str, ...]
    """Added while pauses are recorded."""
    truth_flags: tuple[str, ...]
    """Added while faults are enabled."""
    env: Mapping[str, str] = field(default_factory=dict)
    truth_env: Mapping[str, str] = field(default_factory=dict)
    """Added to `env` while faults are enabled."""


def _read(path: Path) -> tuple[Gateway, tuple[Variant, ...]]:
    try:
        said = _Declaration.model_validate(tomllib.loads(path.read_text()))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise SuiteInvalid(f"{path.relative_to(paths.ROOT)} is not a valid gateway.toml: {error}") from error
    gateway = Gateway(
        said.name, said.runtime, said.language, said.built_on, path.parent,
        said.build.needs, said.build.steps, said.lint.needs, said.lint.steps,
    )  # fmt: skip
    return gateway, tuple(_variant(gateway, said.start, variant) for variant in said.variants)


def _variant(gateway: Gateway, start: _Start, variant: _Variant) -> Variant:
    runtime = (variant.runtime,) if variant.runtime else ()
    return Variant(
        name=variant.name,
        gateway=gateway,
        tuning=variant.tuning,
        collector=variant.collector,
        summary=variant.summary,
        needs=tuple(dict.fromkeys((*gateway.build_needs, *variant.needs, *runtime))),
        command=tuple(part.replace("{runtime}", f"{{{variant.runtime}}}") for part in start.command),
        flags=start.flags + variant.flags,
        meter_flags=start.meter_flags + variant.meter_flags,
        truth_flags=start.truth_flags,
        env=start.env | variant.env,
        truth_env=start.truth_env,
    )


@cache
def variants() -> dict[str, Variant]:
    """Give every variant by its name, in the order of the folders and of their files.

    Raises
    ------
    SuiteInvalid
        A gateway.toml is malformed, or two variants share a name.
    """
    found: dict[str, Variant] = {}
    for path in sorted(paths.GATEWAYS.glob("*/gateway.toml")):
        for variant in _read(path)[1]:
            if variant.name in found:
                raise SuiteInvalid(f"Two variants are named {variant.name!r}: rename one of them in its gateway.toml.")
            found[variant.name] = variant
    return found


def variant(name: str) -> Variant:
    """Give one variant; an unknown name raises `UnknownName` with the near ones."""
    if name not in variants():
        raise UnknownName("variant", name, variants())
    return variants()[name]


def gateways() -> dict[str, Gateway]:
    """Give every gateway by its name."""
    return {v.gateway.name: v.gateway for v in variants().values()}
