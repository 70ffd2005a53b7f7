"""Variants against each other: who is shown to be ahead, who is shown to be alike, and what is left open.

A lead counts only beyond a margin: the one that the reader asks for, or the run's noise floor where that is wider.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from roi import noise
from roi.data import Run
from roi.figures import FIGURES, Figure
from roi.statistics.bootstrap import ratio
from roi.statistics.estimate import geometric_mean_of_processes
from roi.statistics.groups import Groups, groups


@dataclass(frozen=True)
class Comparison:
    """Variants compared by one figure."""

    figure: Figure
    groups: Groups
    """Of the figure, or of its inverse where less is better."""
    floor: float | None
    """The noise floor as a share; None where the run has no blind pair."""
    floor_is_margin: bool
    """Whether it is wider than the margin that was asked for, and took its place."""


def compare(run: Run, figure: Figure, margin: float = 0.05, all_cells: bool = False) -> Comparison | None:
    """Compare all variants of a run by a figure; None where fewer than two have it.

    Parameters
    ----------
    margin
        What difference matters, as a share.
    all_cells
        Include cells that the gate did not pass.
    """
    processes = _processes(run, figure, all_cells)
    if len(processes) < 2:
        return None
    floor = noise.floor_of(run, figure.name, all_cells)
    wide = floor is not None and floor > margin
    means = {name: geometric_mean_of_processes(values).value for name, values in processes.items()}
    ratios = {pair: ratio(processes[pair[0]], processes[pair[1]]) for pair in combinations(processes, 2)}
    return Comparison(figure, groups(means, ratios, floor if wide else margin), floor, wide)


def all_of(run: Run, margin: float = 0.05, all_cells: bool = False) -> list[Comparison]:
    """Give the comparison by every figure that two variants have."""
    found = (compare(run, figure, margin, all_cells) for figure in FIGURES)
    return [one for one in found if one is not None]


def _processes(run: Run, figure: Figure, all_cells: bool) -> dict[str, list[float]]:
    """Give the figures of every variant's processes, the more the better; of several rates those at the highest alone."""
    found = figure.processes(run, all_cells)
    highest = max((rate for _, rate in found), default=0.0)
    return {
        variant: values if figure.more_is_better else [1 / value for value in values]
        for (variant, rate), values in found.items()
        if rate == highest
    }
