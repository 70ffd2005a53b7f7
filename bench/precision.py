"""When a campaign has seen enough of a load: every variant's interval is as narrow as the suite asks for.

The figure is the one that the scenario is run for, one a process; its interval is Student's over the logarithms, the one that
the pages print. To look after every repetition and to stop when it suits makes intervals a little too narrow, the more so
the earlier one begins to look: `bench prove statistics` says by how much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from scipy import stats

from bench.suite import Cell

Row = Mapping[str, Any]
"""A row of the `cells` table."""
_CONFIDENCE = 0.95


def kind(cell: Cell) -> tuple[object, ...]:
    """Give what cells of one load have in common, whatever the variant and the repetition."""
    return (
        cell.scenario, cell.rate_per_s, tuple(sorted(cell.options.items())), cell.connections, cell.memory_budget_mib,
        cell.live_set_mib,
    )  # fmt: skip


def figure(row: Row, found_per_s: float | None = None) -> float | None:
    """Give what a cell was measured for; None where it has no such figure.

    Requests/s answered with 2xx where the gateway was saturated, the rate that was found where one was searched for, CPU time a
    request elsewhere.

    Parameters
    ----------
    found_per_s
        The rate that a search found in it.
    """
    if row["scenario"] == "capacity":
        return found_per_s
    good, window_ns = row["rows_good"], (row["measure_end_ns"] or 0) - (row["measure_start_ns"] or 0)
    if not good or window_ns <= 0:
        return None
    if row["traffic_model"] == "closed":
        return good / window_ns * 1e9
    return row["gateway_cpu_ns"] and row["gateway_cpu_ns"] / good


def half_width(figures: Iterable[float]) -> float | None:
    """Give the half width of the 95 % interval of a geometric mean, as a share of it; None of fewer than two figures.

    The larger of the two sides: the interval is lopsided.
    """
    logs = np.log([*figures])
    if len(logs) < 2:
        return None
    return float(np.expm1(stats.t.ppf((1 + _CONFIDENCE) / 2, len(logs) - 1) * stats.sem(logs)))


class Seen:
    """What a campaign has seen so far.

    Parameters
    ----------
    width
        Half width that is enough; None: nothing is ever enough.
    least
        Repetitions before which nothing is.
    """

    def __init__(self, width: float | None, least: int) -> None:
        self._width = width
        self._least = least
        self._figures: dict[tuple[object, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def take(self, cell: Cell, row: Row, found_per_s: float | None = None) -> None:
        """Take what a cell showed; one that the gate did not pass counts as not measured."""
        figures = self._figures[kind(cell)][cell.variant]
        if row["gate_passed"] and (found := figure(row, found_per_s)):
            figures.append(found)

    def enough(self, cell: Cell) -> str | None:
        """Say why a cell need not be measured any more; None when it has to be."""
        by_variant = self._figures.get(kind(cell))
        if self._width is None or not cell.is_load or not by_variant or cell.repetition < self._least:
            return None
        widths = [half_width(figures) for figures in by_variant.values() if len(figures) >= self._least]
        if len(widths) < len(by_variant) or max(widths) > self._width:
            return None
        return f"every variant is known to {max(widths):.1%} after {cell.repetition} repetitions; {self._width:.1%} was asked for"
