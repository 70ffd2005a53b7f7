"""Proofs: what an instrument of this suite measures, against what is known."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType


def _module(name: str) -> Callable[[], ModuleType]:
    return lambda: importlib.import_module(f"bench.prove.{name}")


INSTRUMENTS: dict[str, Callable[[], ModuleType]] = {
    **{name: _module(name) for name in ("load", "pauses", "overhead", "recovery")},
    "statistics": _module("coverage"),
}
"""By name what gives the module that proves it: with `prove(say, show)`, and `MINUTES` that it takes."""
