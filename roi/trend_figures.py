"""What is followed from run to run: one figure a process, by variant, of studies that take no more than a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from roi import figures, latency, recovery
from roi.data import Run
from roi.pauses import OF_RECORD
from roi.statistics.estimate import Estimate, geometric_mean_of_processes, median_of_processes
from roi.trend_runs import SCENARIO

STOPPED = f"""
    with stops as ({OF_RECORD})
    select s.variant, s.cell_id,
           sum((s.dur_lo_ns + s.dur_hi_ns) / 2 * s.count) / any_value(c.measure_end_ns - c.measure_start_ns) as share
    from stops s join cells c using (cell_id) group by s.variant, s.cell_id order by s.variant, s.cell_id
"""
"""One row a process that its collector stopped: the share of the measured window in which it was."""

Processes = Mapping[str, list[float]]
"""Positive figures of processes by variant, in the figure's unit."""


@dataclass(frozen=True)
class Followed:
    """A figure that is followed from run to run."""

    name: str
    """Of its chart and its findings."""
    words: str
    """What it is called in a sentence."""
    unit: str
    """Of the figures of processes, and of a run's."""
    more_is_better: bool
    """False for costs and times."""
    processes: Callable[[Run, bool], Processes]
    """Gives the figure of every process of a run; whether cells that the gate did not pass are among them is the second."""
    query: str
    """What gives it."""
    over: Callable[[list[float]], Estimate] = geometric_mean_of_processes
    """Gives the figure of a run from its processes."""


def followed(fault: str) -> tuple[Followed, ...]:
    """Give every figure that is followed, in the order of a page.

    Parameters
    ----------
    fault
        The one whose recovery is followed.
    """
    units = {"saturation": "requests/s", "cpu_a_request": "us", "at_objective": "requests/s"}
    return (
        *(
            Followed(
                figure.name, figure.words, units[figure.name], figure.more_is_better, partial(_compared, figure), figure.query
            )
            for figure in figures.FIGURES
        ),
        Followed(
            "response_p99", "p99 response time at equal load", "ms", False, _p99, latency.HISTOGRAMS, median_of_processes
        ),
        Followed("stopped", "time stopped by collectors at saturation", "share", False, _stopped, STOPPED),
        Followed(
            f"recovery_{fault}", f"recovery time after {fault}", "s", False, partial(_recovered, fault), recovery.RECOVERIES,
            median_of_processes,
        ),
    )  # fmt: skip


def _compared(figure: figures.Figure, run: Run, all_cells: bool) -> Processes:
    """Give a figure that variants are compared by; the run has one rung."""
    return {variant: values for (variant, _), values in figure.processes(run, all_cells).items()}


def _p99(run: Run, all_cells: bool) -> Processes:
    """Give each process's p99 in ms; none of a variant of which one is only known from below."""
    found = latency.of_processes(run.query(latency.HISTOGRAMS, {"scenario": SCENARIO, "all_cells": all_cells}), [0.99])
    responses = found[found["time"] == "response"]
    least, most = (np.array([ends[0] for ends in responses[end]], float) for end in ("at_least_ns", "at_most_ns"))
    return _whole(responses["variant"], least / 1e6, known=most <= least)


def _stopped(run: Run, all_cells: bool) -> Processes:
    cells = run.query(STOPPED, {"scenario": "saturate", "all_cells": all_cells})
    return _whole(cells["variant"], cells["share"].to_numpy(float), known=np.ones(len(cells), bool))


def _recovered(fault: str, run: Run, all_cells: bool) -> Processes:
    """Give seconds to recovery by variant and policy; none where one did not come, or no client noticed the fault."""
    table = recovery.recoveries(run, all_cells)
    table = table[table["fault"] == fault]
    names = table["variant"].astype(str) + ", " + table["policy"].astype(str)
    known = ~(table["censored"] | table["masked"]).to_numpy(bool)
    return _whole(names, table["recovery_s"].to_numpy(float), known)


def _whole(variants: pd.Series, values: np.ndarray, known: np.ndarray) -> Processes:
    """Give the values of variants all of whose processes have one."""
    table = pd.DataFrame({"variant": variants.astype(str).to_numpy(), "value": values, "known": known & (values > 0)})
    return {str(variant): part["value"].tolist() for variant, part in table.groupby("variant") if part["known"].all()}
