"""How a proof is judged: near a known figure, within a bound, or so or not."""

from __future__ import annotations

from roi.coverage import Held

EXACT = 1e-12
"""Share of a figure that rounding may add where two ways give the same."""


def near(name: str, expected: float, measured: float, relative: float, note: str) -> Held:
    """Hold a figure against a known one; `relative` is the share of the known figure that it may be off."""
    tolerance = relative * abs(expected)
    return Held(name, expected, float(measured), tolerance, bool(abs(measured - expected) <= tolerance), note)


def within(name: str, expected: float, measured: float, tolerance: float, note: str) -> Held:
    """Hold a figure against a known one, by at most how much it may be off in its own unit."""
    return Held(name, expected, float(measured), tolerance, bool(abs(measured - expected) <= tolerance), note)


def at_most(name: str, bound: float, measured: float, note: str) -> Held:
    """Hold a figure against an upper bound."""
    return Held(name, bound, float(measured), 0.0, bool(measured <= bound), note)


def so(name: str, holds: bool, note: str) -> Held:
    """Hold something that is so or not: 1 where it is."""
    return Held(name, 1.0, float(holds), 0.0, holds, note)
