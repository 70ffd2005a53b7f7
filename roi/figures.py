"""The figures that variants, runs and blind pairs are compared by: one a process."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from roi import density, objective
from roi.data import Run


@dataclass(frozen=True)
class Figure:
    """Something that is compared."""

    name: str
    words: str
    query: str
    """Gives a row a process."""
    column: str
    """Of the query's answer: the figure."""
    more_is_better: bool

    def cells(self, run: Run, all_cells: bool = False) -> pd.DataFrame:
        """Give the query's answer, a row a process that has the figure."""
        return run.query(self.query, {"all_cells": all_cells}).dropna(subset=[self.column])

    def processes(self, run: Run, all_cells: bool = False) -> dict[tuple[str, float], list[float]]:
        """Give the figures of processes by variant and rung, whose rate is 0 where there is none."""
        cells = self.cells(run, all_cells)
        rung = cells["rate_per_s"] if self.column != "rate_per_s" else pd.Series(0.0, cells.index)
        grouped = cells[self.column].groupby([cells["variant"].astype(str), rung])
        return {(str(variant), float(rate)): part.tolist() for (variant, rate), part in grouped}


FIGURES = (
    Figure("saturation", "requests/s at saturation", density.CAPACITY, "rate_per_s", True),
    Figure("cpu_a_request", "CPU time a request at equal load", density.DEMAND, "cpu_us", False),
    Figure("at_objective", "requests/s at the objective", objective.AT_OBJECTIVE, "rate_per_s", True),
)
