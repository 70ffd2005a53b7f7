"""The noise floor of a run: what two cells of one variant in the same block differ by, although they differ in nothing.

Which of the two is a and which is b was drawn by lot before they ran, and nothing after that knew it. What the pair differs by is
what this machine, these windows and this many blocks make of no difference at all; no claim below it is made.

Source: Abedi and Brecht, Conducting Repeatable Experiments in Highly Variable Cloud Computing Environments, ICPE 2017: the
same system measured twice under common methods "differed" in 38 of 100 comparisons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi.data import Run
from roi.figures import FIGURES, Figure
from roi.statistics.estimate import Estimate, geometric_mean_of_processes


@dataclass(frozen=True)
class Floor:
    """What the blind pair says of one figure."""

    figure: Figure
    variant: str
    """The variant that is there twice."""
    ratio: Estimate
    """Of a over b, paired by block; 1 is no difference."""

    @property
    def share(self) -> float:
        """The floor: by how much a and b differ, as a share.

        What chance makes of few processes is in every interval already; the floor is what the pair shows beside it.
        """
        return apart(self.ratio.value, 1.0)

    @property
    def differs(self) -> bool:
        """Whether the pair is told apart, which it should not be more often than once in twenty times."""
        return self.ratio.excludes(1.0)


def apart(one: float, other: float) -> float:
    """Give by which share the larger of two figures is above the smaller; infinite where they have no ratio."""
    return max(one / other, other / one) - 1 if one > 0 and other > 0 else math.inf


def floors(run: Run, all_cells: bool = False) -> list[Floor]:
    """Give the floor of every figure of which the run has a blind pair.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    found = []
    for figure in FIGURES:
        cells = figure.cells(run, all_cells).dropna(subset=["blind_label"])
        for variant, part in cells.groupby("variant", observed=True):
            ratios = paired(part, figure.column)
            if len(ratios):
                found.append(Floor(figure, str(variant), geometric_mean_of_processes(ratios)))
    return found


def floor_of(run: Run, name: str, all_cells: bool = False) -> float | None:
    """Give the floor of a figure, by its name, as a share; None where the run has no blind pair of it."""
    return max((found.share for found in floors(run, all_cells) if found.figure.name == name), default=None)


def paired(cells: pd.DataFrame, column: str) -> np.ndarray:
    """Give the ratio of a over b of each block (and rung) that has both, shape (pairs,).

    Parameters
    ----------
    cells
        Columns block, blind_label (a or b) and `column`, positive figures.
    """
    table = cells.pivot_table(index="block", columns="blind_label", values=column, aggfunc="first", observed=True)
    if not {"a", "b"} <= set(table.columns):
        return np.empty(0)
    whole = table.dropna(subset=["a", "b"])
    return (whole["a"] / whole["b"]).to_numpy()
