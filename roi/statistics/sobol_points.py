"""Scrambled Sobol' points: evenly spread, and the same for the same seed."""

from __future__ import annotations

import numpy as np
from scipy.stats import qmc

_CELL = 2.0**-30
"""Scipy's points are whole multiples of it."""


def powers_of_two(draws: int) -> int:
    """Give the least power of two that is not below a number of draws: Sobol points balance at those alone."""
    return 1 << max(draws - 1, 0).bit_length()


def points(draws: int, columns: int, seed: int | np.random.SeedSequence) -> np.ndarray:
    """Give scrambled points, shape (draws, columns), strictly within 0 and 1 (Owen, Journal of Complexity 14, 1998).

    Parameters
    ----------
    draws
        A power of two.
    """
    if not columns:
        return np.empty((draws, 0))
    sequence = qmc.Sobol(columns, scramble=True, rng=np.random.default_rng(seed))
    return sequence.random_base2(draws.bit_length() - 1) + _CELL / 2
