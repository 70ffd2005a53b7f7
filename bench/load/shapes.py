"""Shapes of load: how the rate of an open loop changes while it runs."""

from __future__ import annotations

from itertools import accumulate

from bench.errors import LoadFailed
from bench.load.arguments import LoadArguments
from bench.load.schedule import VaryingPoisson


def ramp(arguments: LoadArguments, to_rate_per_s: float) -> VaryingPoisson:
    """Give arrivals whose rate rises linearly from `rate_per_s`, which the warm-up holds, to another."""
    duration_s = _duration(arguments, "ramp")
    rates = (arguments.rate_per_s, arguments.rate_per_s, to_rate_per_s)
    return VaryingPoisson((0.0, arguments.cold_s, arguments.cold_s + duration_s), rates, arguments.seed)


def surge(
    arguments: LoadArguments, *, peak: float, lead: float, rise: float, hold: float, fall: float
) -> VaryingPoisson:
    """Give arrivals at a base rate with one peak, a trapezium, in it.

    Parameters
    ----------
    peak
        Rate at the peak over the base rate.
    lead, rise, hold, fall
        Length of each piece as a share of the duration; what is left of it comes after the fall.
    """
    duration_s = _duration(arguments, "surge")
    base, top = arguments.rate_per_s, arguments.rate_per_s * peak
    pieces = (arguments.cold_s, *(share * duration_s for share in (lead, rise, hold, fall)))
    times = (0.0, *accumulate(pieces))
    end = max(arguments.cold_s + duration_s, times[-1])
    return VaryingPoisson((*times, end), (base, base, base, top, top, base, base), arguments.seed)


def _duration(arguments: LoadArguments, shape: str) -> float:
    if arguments.duration_s is None:
        raise LoadFailed(f"A {shape} has an end: say how long it takes with --duration, in seconds.")
    return arguments.duration_s
