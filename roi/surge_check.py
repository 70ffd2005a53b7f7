"""The fluid model of a peak against a measured one: what it says would pile up, beside what did.

In a `surge` cell the rate is a trapezium over time. What arrives beyond the capacity that the same gateway showed at
saturation should pile up, and be worked off when the rate has fallen: that is the model, and every cell of it can refute it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi import density
from roi.data import Run
from roi.statistics import queueing
from roi.statistics.estimate import median_of_processes

PHASES = ("lead", "rise", "hold", "fall", "after")
ALIKE = 0.25
"""Relative error up to which the model counts as held."""
_NO_QUEUE_S = 0.02
"""A backlog of less than this time's arrivals at the peak is what chance and single stalls make."""
_STEP_S = 0.1
_NS_PER_S = 1e9
KEY = ["variant", "runtime", "rate_per_s", "options"]
"""What processes that are taken together have in common."""

CELLS = """
    select variant, runtime, cell_id, rate_per_s, options, workers, measure_start_ns, measure_end_ns
    from cells where scenario = 'surge' and failure is null and (gate_passed or $all_cells)
    order by rate_per_s, variant, cell_id
"""

REQUESTS = """
    select cell_id, intended_ns, intended_ns + response_time_ns as done_ns, response_time_ns, outcome,
           outcome in ('unsent', 'unanswered') as left_over,
           censored or outcome in ('reset', 'refused', 'invalid') as unanswered
    from measured where scenario = 'surge' and (gate_passed or $all_cells)
"""
"""The requests due in surge cells; one left over was still waiting when the load ended."""

CPU = """
    select p.cell_id, p.time_ns, p.cpu_ns from process p join cells c using (cell_id)
    where p.role = 'gateway' and c.scenario = 'surge' and (c.gate_passed or $all_cells) order by p.cell_id, p.time_ns
"""


@dataclass(frozen=True)
class Shape:
    """The rate of a surge over its measured window."""

    base_per_s: float
    peak_per_s: float
    edges_s: tuple[float, ...]
    """Beginning of each of `PHASES`, and the end; shape (6,)."""

    @property
    def rates_per_s(self) -> np.ndarray:
        """Rate at each edge, shape (6,)."""
        base, peak = self.base_per_s, self.peak_per_s
        return np.array([base, base, peak, peak, base, base])

    def net_per_s(self, capacity_per_s: float) -> np.ndarray:
        """Give the rate less a capacity at each edge."""
        return self.rates_per_s - capacity_per_s


def shape(base_per_s: float, options: str, duration_s: float) -> Shape:
    """Give the shape of a surge cell from its base rate, the options in force as JSON, and the length of its window in s."""
    said = json.loads(options)
    shares = np.array([float(said[name]) for name in PHASES[:-1]])
    edges = np.concatenate([[0.0], np.minimum(np.cumsum(shares), 1.0), [1.0]]) * duration_s
    return Shape(base_per_s, base_per_s * float(said["peak"]), tuple(edges.tolist()))


@dataclass(frozen=True)
class Cell:
    """One surge, measured."""

    about: dict[str, object]
    """Its row of `CELLS`."""
    shape: Shape
    requests: pd.DataFrame
    """Columns due_s, done_s (since the window's beginning; missing for what was left over), ms, ok, unanswered."""
    cpu: pd.DataFrame | None
    """Samples of the gateway's CPU time, columns time_s and cpu_s; None without any."""

    def waiting(self, at_s: np.ndarray) -> np.ndarray:
        """Give how many requests were due and not yet answered or given up at some instants, shape of `at_s`."""
        due = np.sort(self.requests["due_s"].to_numpy())
        done = np.sort(self.requests["done_s"].dropna().to_numpy())
        return np.searchsorted(due, at_s, side="right") - np.searchsorted(done, at_s, side="right")

    def backlog(self) -> tuple[int, float | None]:
        """Give the most requests that waited at once, and when after the rise's beginning they were worked off, s.

        Worked off is when no more wait than waited at most before the rise; None where that never came within the window.
        """
        due = np.sort(self.requests["due_s"].to_numpy())
        done = np.sort(self.requests["done_s"].dropna().to_numpy())
        arrived = self.waiting(due)
        if not len(arrived):
            return 0, None
        top, rise_s = int(arrived.argmax()), self.shape.edges_s[1]
        usual = int(arrived[due < rise_s].max(initial=0))
        end_s = self.shape.edges_s[-1]
        later = done[(done >= due[top]) & (done <= end_s)]
        back = later[self.waiting(later) <= usual]
        return int(arrived[top]), max(float(back[0]) - rise_s, 0.0) if len(back) else None

    def busy(self, begin_s: float, end_s: float) -> float | None:
        """Give the share of the gateway's cores that was busy between two instants; None where samples do not reach."""
        if self.cpu is None or end_s <= begin_s:
            return None
        times = self.cpu["time_s"].to_numpy()
        if not len(times) or times[0] > begin_s or times[-1] < end_s:
            return None
        used = np.diff(np.interp([begin_s, end_s], times, self.cpu["cpu_s"].to_numpy()))[0]
        return float(used / (end_s - begin_s) / self.about["workers"])


def read(run: Run, all_cells: bool = False) -> list[Cell]:
    """Give the surges of a run; none where it holds none.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    asked = {"all_cells": all_cells}
    requests = dict(iter(run.query(REQUESTS, asked).groupby("cell_id", observed=True)))
    cpu = dict(iter(run.query(CPU, asked).groupby("cell_id", observed=True)))
    cells = run.query(CELLS, asked).to_dict("records")
    return [
        _cell(row, requests[row["cell_id"]], cpu.get(row["cell_id"])) for row in cells if row["cell_id"] in requests
    ]


def _cell(row: dict[str, object], requests: pd.DataFrame, cpu: pd.DataFrame | None) -> Cell:
    start = row["measure_start_ns"]
    done_s = (requests["done_ns"] - start) / _NS_PER_S
    table = pd.DataFrame({
        "due_s": (requests["intended_ns"] - start) / _NS_PER_S, "done_s": done_s.mask(requests["left_over"].astype(bool)),
        "ms": requests["response_time_ns"] / 1e6, "ok": requests["outcome"] == "ok",
        "unanswered": requests["unanswered"].astype(bool),
    })  # fmt: skip
    samples = None if cpu is None else pd.DataFrame(
        {"time_s": (cpu["time_ns"] - start) / _NS_PER_S, "cpu_s": cpu["cpu_ns"] / _NS_PER_S}
    )  # fmt: skip
    duration_s = (row["measure_end_ns"] - start) / _NS_PER_S
    return Cell(row, shape(row["rate_per_s"], row["options"], duration_s), table, samples)


def phases(run: Run, cells: list[Cell], all_cells: bool = False) -> pd.DataFrame:
    """Give what happened in each phase of the surges, a row a variant, rate and phase.

    Columns: variant, runtime, rate_per_s, options, phase, seconds, offered_per_s (due in it), answered_per_s (2xx that came in it),
    p99_ms and lower_bound (of the response time of those due in it), busy (share of the cores), busy_predicted (offered rate
    times CPU time of a request at equal offered load; over 1 it is more than there is), processes.
    Figures are medians over processes.
    """
    demand_us = _demand_us(run, all_cells)
    rows = [
        {name: cell.about[name] for name in KEY} | figures
        for cell in cells for figures in _phases(cell, demand_us.get(cell.about["variant"]))
    ]  # fmt: skip
    columns = [
        *KEY,
        "phase",
        "seconds",
        "offered_per_s",
        "answered_per_s",
        "p99_ms",
        "lower_bound",
        "busy",
        "busy_predicted",
    ]
    table = pd.DataFrame(rows, columns=columns)
    numbers = columns[6:9] + columns[10:]
    table = table.astype(dict.fromkeys(numbers, float) | {"lower_bound": bool})
    found = table.groupby([*KEY, "phase"], sort=False, dropna=False, as_index=False).agg(
        seconds=("seconds", "median"), offered_per_s=("offered_per_s", "median"), answered_per_s=("answered_per_s", "median"),
        p99_ms=("p99_ms", "median"), lower_bound=("lower_bound", "any"), busy=("busy", "median"),
        busy_predicted=("busy_predicted", "median"), processes=("seconds", "size"),
    )  # fmt: skip
    return found


def _demand_us(run: Run, all_cells: bool) -> dict[str, float]:
    table = density.service_demand(run, all_cells)
    return table.sort_values("rate_per_s").groupby("variant")["value"].last().to_dict()


def _phases(cell: Cell, demand_us: float | None) -> list[dict[str, object]]:
    requests, edges, found = cell.requests, cell.shape.edges_s, []
    for phase, begin_s, end_s in zip(PHASES, edges[:-1], edges[1:], strict=True):
        seconds = end_s - begin_s
        due = requests[(requests["due_s"] >= begin_s) & (requests["due_s"] < end_s)]
        if seconds <= 0 or due.empty:
            continue
        came = requests["ok"] & (requests["done_s"] >= begin_s) & (requests["done_s"] < end_s)
        at_least = np.quantile(due["ms"], 0.99, method="inverted_cdf")
        at_most = np.quantile(due["ms"].mask(due["unanswered"], np.inf), 0.99, method="inverted_cdf")
        offered = len(due) / seconds
        predicted = None if demand_us is None else offered * demand_us / 1e6 / cell.about["workers"]
        found.append({"phase": phase, "seconds": seconds, "offered_per_s": offered, "answered_per_s": came.sum() / seconds,
                      "p99_ms": at_least, "lower_bound": at_most > at_least, "busy": cell.busy(begin_s, end_s),
                      "busy_predicted": predicted})  # fmt: skip
    return found


def compared(run: Run, cells: list[Cell], all_cells: bool = False) -> pd.DataFrame:
    """Set the model's backlog beside the measured one, a row a variant and rate; variants without a saturated cell are left out.

    Columns: variant, runtime, rate_per_s, options, peak_per_s, capacity_per_s, predicted and predicted_gone_s (most requests
    waiting, and when after the rise's beginning they are worked off; missing where that is beyond the window), measured with
    measured_lo and measured_hi, measured_gone_s (medians over processes), error and gone_error (measured over predicted,
    less 1; missing where nothing was predicted), processes, holds (both within 25 %, or no queue was predicted and
    none seen), same_mix (saturated and surge cells asked for the same mix of requests).
    """
    capacity = density.capacity(run, all_cells).set_index("variant")["value"]
    mixes = _saturated_mixes(run)
    by_key: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        if cell.about["variant"] in capacity.index:
            by_key.setdefault(tuple(cell.about[name] for name in KEY), []).append(cell)
    rows = [
        dict(zip(KEY, key, strict=True))
        | _compared(part, float(capacity[key[0]]))
        | {"same_mix": mixes == {_mix(key[3])}}
        for key, part in by_key.items()
    ]
    floats = ["peak_per_s", "capacity_per_s", "predicted", "predicted_gone_s", "measured", "measured_lo", "measured_hi",
              "measured_gone_s", "error", "gone_error"]  # fmt: skip
    table = pd.DataFrame(rows, columns=[*KEY, *floats, "processes", "holds", "same_mix"])
    return table.astype(dict.fromkeys(floats, float))


def _compared(cells: list[Cell], capacity_per_s: float) -> dict[str, object]:
    said = cells[0].shape
    model = queueing.backlog(np.array(said.edges_s), said.net_per_s(capacity_per_s))
    most, gone = zip(*(cell.backlog() for cell in cells), strict=True)
    seen = median_of_processes(most)
    gone_s = median_of_processes([np.inf if at is None else at for at in gone]).value
    slight = _NO_QUEUE_S * said.peak_per_s
    row = {"peak_per_s": said.peak_per_s, "capacity_per_s": capacity_per_s, "predicted": model.most,
           "measured": seen.value, "measured_lo": seen.lo, "measured_hi": seen.hi,
           "measured_gone_s": None if np.isinf(gone_s) else gone_s, "processes": len(cells)}  # fmt: skip
    if model.most <= slight:
        return row | {"holds": bool(seen.value <= slight)}
    predicted_gone_s = None if model.gone_at_s is None else model.gone_at_s - said.edges_s[1]
    error = seen.value / model.most - 1
    if predicted_gone_s is None or np.isinf(gone_s):
        # Neither is gone within the window: as far as it tells, they agree.
        gone_holds, gone_error = (predicted_gone_s is None) == bool(np.isinf(gone_s)), None
    else:
        gone_error = gone_s / predicted_gone_s - 1
        gone_holds = abs(gone_error) <= ALIKE
    return row | {"predicted_gone_s": predicted_gone_s, "error": error, "gone_error": gone_error,
                  "holds": bool(abs(error) <= ALIKE and gone_holds)}  # fmt: skip


def _saturated_mixes(run: Run) -> set[str]:
    rows = run.query("select distinct options from cells where scenario = 'saturate' and failure is null")
    return set(map(_mix, rows["options"]))


def _mix(options: str) -> str:
    return str(json.loads(options).get("mix", ""))


def courses(cell: Cell, capacity_per_s: float) -> pd.DataFrame:
    """Give what waited over the window of a surge, measured and by the model: columns time_s, waiting, which."""
    edges = np.array(cell.shape.edges_s)
    times = np.arange(0.0, edges[-1] + _STEP_S / 2, _STEP_S)
    model = queueing.waiting(edges, cell.shape.net_per_s(capacity_per_s), times)
    return pd.concat(
        pd.DataFrame({"time_s": times, "waiting": values.astype(float), "which": which})
        for which, values in (("measured", cell.waiting(times)), ("fluid model", model))
    ).reset_index(drop=True)
