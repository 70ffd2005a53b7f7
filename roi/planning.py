"""How often to repeat what: a run as the pilot of the next one.

Where a figure varies, between windows of a process or between processes, decides what is worth repeating; how wide an interval may
be decides how often.

Source: Kalibera and Jones, Rigorous benchmarking in reasonable time, ISMM 2013 (`roi.statistics.nested`).
"""

from __future__ import annotations

from math import isfinite

import numpy as np
import pandas as pd

from roi import density, objective
from roi.data import Run
from roi.statistics.estimate import mean_of_processes
from roi.statistics.nested import optimal_repetitions, processes_needed, variance_of_process_means, variation

WINDOW_S = 0.5
_TENTHS = round(WINDOW_S * 10)

WINDOWS = """
    select c.variant, c.cell_id, c.rows_good, (c.measure_start_ns - c.started_ns) / 1e9 as start_s,
           row_number() over (partition by c.cell_id order by w.began_ns) - 1 as tenth, w.good
    from cells c join windows w using (cell_id)
    where c.scenario = 'saturate' and c.gate_passed and w.began_ns >= c.measure_start_ns
          and w.began_ns + 100000000 <= c.measure_end_ns
    order by c.variant, c.cell_id, tenth
"""
"""Answers with 2xx in each tenth of a second that counts of a saturated process, and how long it took until it counted."""

COLUMNS = ("figure", "variant", "processes", "half_width", "needed", "best_window_s", "needed_then", "silent")


def plan(run: Run, width: float) -> pd.DataFrame:
    """Give what intervals of a half width would take, from what the cells that passed the gate vary by.

    Columns: figure, variant, processes (there are), half_width (of their 95 % interval, as a share), needed (processes, each
    measured as long as these), best_window_s (how long to measure each for the least time in all; missing where the run does
    not tell), needed_then (processes with windows of that length), silent (levels whose variance came out below 0 and counts as
    none).

    Parameters
    ----------
    width
        Half width asked for, as a share of the mean.
    """
    rows = [_saturated(str(variant), part, width) for variant, part in _balanced(run.query(WINDOWS))]
    for figure, query, column in (
        ("CPU time a request", density.DEMAND, "cpu_us"),
        ("requests/s at the objective", objective.AT_OBJECTIVE, "rate_per_s"),
    ):
        cells = run.query(query, {"all_cells": False}).dropna(subset=[column])
        rows += [
            _of_processes(figure, str(variant), part.to_numpy(), width)
            for variant, part in cells.groupby("variant", observed=True)[column]
            if len(part) > 1
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _balanced(tenths: pd.DataFrame) -> list[tuple[str, tuple[np.ndarray, float]]]:
    """Give by variant requests/s of the processes' windows, as many of each, shape (processes, windows), and what a start costs."""
    found = []
    for variant, part in tenths.groupby("variant", observed=True):
        part = part.assign(window=part["tenth"] // _TENTHS)
        table = part.groupby(["cell_id", "window"], observed=True)["good"].agg(["sum", "size"])
        whole = table.loc[table["size"] == _TENTHS, "sum"].unstack("window").dropna(axis="columns")
        if min(whole.shape) > 1:
            start_s = float(part.groupby("cell_id", observed=True)["start_s"].first().mean())
            found.append((variant, (whole.to_numpy(float) / WINDOW_S, start_s)))
    return found


def _saturated(variant: str, measured: tuple[np.ndarray, float], width: float) -> tuple[object, ...]:
    rates, start_s = measured
    found = variation(rates)
    (windows,) = optimal_repetitions(found, (WINDOW_S, start_s))
    # Where processes do not differ, the longer each is measured the better; where windows do not, one is enough.
    best = max(round(windows), 1) if isfinite(windows) else None
    then = None if best is None else processes_needed(found.mean, variance_of_process_means(found, (best,)), width)
    silent = ", ".join("windows" if level == 1 else "processes" for level in found.silent)
    return (
        "requests/s at saturation", variant, len(rates), _half_width(rates.mean(axis=1)),
        processes_needed(found.mean, found.seen[-1], width), None if best is None else best * WINDOW_S, then, silent,
    )  # fmt: skip


def _of_processes(figure: str, variant: str, values: np.ndarray, width: float) -> tuple[object, ...]:
    found = variation(values)
    needed = processes_needed(found.mean, found.seen[-1], width)
    return figure, variant, len(values), _half_width(values), needed, None, None, ""


def _half_width(values: np.ndarray) -> float:
    """Give the half width of the 95 % interval of a mean of processes, as a share of it."""
    mean = mean_of_processes(values)
    return (mean.hi - mean.value) / mean.value
