"""Proofs: what this package computes, held against what is known without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from roi.coverage import Held


def _money() -> Iterator[Held]:
    from roi.prove import money

    return money.proofs()


def _trend() -> Iterator[Held]:
    from roi.prove import trend

    return trend.proofs()


SUBJECTS: dict[str, Callable[[], Iterator[Held]]] = {"money": _money, "trend": _trend}
"""By name what makes the proofs, one after another."""
