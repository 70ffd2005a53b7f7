"""Several tests at once: which of them reject, so that all rejections are right together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm_levels(p_values: Sequence[float], alarms: float = 0.05) -> tuple[float | None, ...]:
    """Give the level at which Holm's procedure rejects each hypothesis, None where it does not, in the order given.

    All rejections are right together with probability 1 - `alarms` (Holm, Scandinavian Journal of Statistics 6, 1979).
    """
    levels: list[float | None] = [None] * len(p_values)
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        level = alarms / (len(p_values) - rank)
        if p_values[place] > level:
            break
        levels[place] = level
    return tuple(levels)
