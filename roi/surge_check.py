"""The fluid model of a peak against a measured one: what it says would pile up, beside what did.

In a `surge` cell the rate is a trapezium over time. Two things are foreseen from what was measured outside of it alone: how busy
its cores are, from the demand curve (`roi.density`), and what piles up, from the capacity at saturation: what arrives beyond it
waits, and is worked off when the rate has fallen. Every surge can refute either.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import pandas as pd

from roi import density
from roi.data import Run
from roi.density import DemandCurve
from roi.statistics import queueing
from roi.statistics.estimate import Estimate, geometric_mean_of_processes, median_of_processes

PHASES = ("lead", "rise", "hold", "fall", "after")
ALIKE = 0.25
"""Relative error up to which the model counts as held."""
_NO_QUEUE_S = 0.02
"""A backlog of less than this time's arrivals at the peak is what chance and single stalls make."""
_STEP_S = 0.1
_INSTANTS = 101
"""Of a phase, at which its rate is turned into a share of the cores."""
_LEAST_GROWTH_S = 0.2
"""Two samples of CPU time: below it the share that was busy is not known."""
_NS_PER_S = 1e9


class Judgement(StrEnum):
    """What a surge says of the model."""

    HELD = "held"
    """Backlog and its end within `ALIKE`, or no queue foreseen and none seen."""
    FAILED = "failed"
    """What waited is not within what the capacity's interval allows."""
    UNTOLD = "cannot be told"
    """What waited is within that, and not within `ALIKE`: the capacity is not known well enough."""


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

    @cached_property
    def _due_s(self) -> np.ndarray:
        """When requests were due, in order."""
        return np.sort(self.requests["due_s"].to_numpy())

    @cached_property
    def _done_s(self) -> np.ndarray:
        """When they were answered or given up, in order."""
        return np.sort(self.requests["done_s"].dropna().to_numpy())

    def waiting(self, at_s: np.ndarray) -> np.ndarray:
        """Give how many requests were due and not yet answered or given up at some instants, shape of `at_s`."""
        return np.searchsorted(self._due_s, at_s, side="right") - np.searchsorted(self._done_s, at_s, side="right")

    def backlog(self) -> tuple[int, float | None]:
        """Give the most requests that waited at once, and when after the rise's beginning they were worked off, s.

        Worked off is when no more wait than waited at most before the rise; None where that never came within the window.
        """
        due, done = self._due_s, self._done_s
        arrived = self.waiting(due)
        if not len(arrived):
            return 0, None
        top, rise_s = int(arrived.argmax()), self.shape.edges_s[1]
        usual = int(arrived[due < rise_s].max(initial=0))
        end_s = self.shape.edges_s[-1]
        later = done[(done >= due[top]) & (done <= end_s)]
        back = later[self.waiting(later) <= usual]
        return int(arrived[top]), max(float(back[0]) - rise_s, 0.0) if len(back) else None

    def growth(self) -> tuple[float, float] | None:
        """Give from when to when the longest queue grew, s: from as few as wait before the rise to the most; None without one."""
        due = self._due_s
        arrived = self.waiting(due)
        if not len(arrived):
            return None
        top = int(arrived.argmax())
        few = np.flatnonzero(arrived[:top] <= arrived[due < self.shape.edges_s[1]].max(initial=0))
        return (float(due[few[-1]]), float(due[top])) if len(few) and due[top] > due[few[-1]] else None

    def answered_per_s(self, begin_s: float, end_s: float) -> float:
        """Give the answers with 2xx between two instants, requests/s."""
        came = self.requests["ok"] & (self.requests["done_s"] >= begin_s) & (self.requests["done_s"] < end_s)
        return float(came.sum() / (end_s - begin_s))

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
    p99_ms and lower_bound (of the response time of those due in it), busy (share of the cores), processes: medians over
    processes. foreseen with foreseen_lo and foreseen_hi: the share of the cores that the phase's rate takes by the demand curve,
    95 % over curves; by_rung: by the CPU time of a request at equal offered load (over 1 it is more than there is).
    """
    rows = [{name: cell.about[name] for name in KEY} | figures for cell in cells for figures in _phases(cell)]
    measured = ["seconds", "offered_per_s", "answered_per_s", "p99_ms", "busy"]
    table = pd.DataFrame(rows, columns=[*KEY, "phase", *measured, "lower_bound"])
    table = table.astype(dict.fromkeys(measured, float) | {"lower_bound": bool})
    found = table.groupby([*KEY, "phase"], sort=False, dropna=False, as_index=False).agg(
        **{name: (name, "median") for name in measured}, lower_bound=("lower_bound", "any"), processes=("seconds", "size")
    )  # fmt: skip
    curves, rung_us = density.demand_curves(run, all_cells), _rung_us(run, all_cells)
    shapes = {tuple(cell.about[name] for name in KEY): cell for cell in cells}
    foreseen = [
        _foreseen(shapes[key], phase, curves.get(key[0], []), rung_us.get(key[0]))
        for key, phase in zip(found[KEY].itertuples(index=False, name=None), found["phase"], strict=True)
    ]
    columns = ["foreseen", "foreseen_lo", "foreseen_hi", "by_rung"]
    return found.join(pd.DataFrame(foreseen, columns=columns, index=found.index).astype(float))


def _rung_us(run: Run, all_cells: bool) -> dict[str, float]:
    table = density.service_demand(run, all_cells)
    return table.sort_values("rate_per_s").groupby("variant", observed=True)["value"].last().to_dict()


def _foreseen(cell: Cell, phase: str, curves: list[DemandCurve], rung_us: float | None) -> dict[str, float | None]:
    """Give the share of the cores that a phase of a surge should take."""
    place, edges = PHASES.index(phase), cell.shape.edges_s
    times = np.linspace(edges[place], edges[place + 1], _INSTANTS)
    a_core = np.interp(times, edges, cell.shape.rates_per_s) / cell.about["workers"]
    found: dict[str, float | None] = {"by_rung": None if rung_us is None else float(a_core.mean() * rung_us / 1e6)}
    if curves:
        busy = geometric_mean_of_processes([float(curve.busy(a_core).mean()) for curve in curves])
        # The interval of a mean may reach beyond what a share can be.
        found |= {
            "foreseen": busy.value,
            "foreseen_lo": busy.lo,
            "foreseen_hi": None if busy.hi is None else min(busy.hi, 1.0),
        }
    return found


def _phases(cell: Cell) -> list[dict[str, object]]:
    requests, edges, found = cell.requests, cell.shape.edges_s, []
    for phase, begin_s, end_s in zip(PHASES, edges[:-1], edges[1:], strict=True):
        due = requests[(requests["due_s"] >= begin_s) & (requests["due_s"] < end_s)]
        if end_s <= begin_s or due.empty:
            continue
        at_least = np.quantile(due["ms"], 0.99, method="inverted_cdf")
        at_most = np.quantile(due["ms"].mask(due["unanswered"], np.inf), 0.99, method="inverted_cdf")
        found.append({"phase": phase, "seconds": end_s - begin_s, "offered_per_s": len(due) / (end_s - begin_s),
                      "answered_per_s": cell.answered_per_s(begin_s, end_s), "p99_ms": at_least,
                      "lower_bound": at_most > at_least, "busy": cell.busy(begin_s, end_s)})  # fmt: skip
    return found


def compared(run: Run, cells: list[Cell], all_cells: bool = False) -> pd.DataFrame:
    """Set the model's backlog beside the measured one, a row a variant and rate; variants without a saturated cell are left out.

    Columns: variant, runtime, rate_per_s, options, peak_per_s, capacity_per_s with capacity_lo and capacity_hi (at saturation, 95 %
    over processes), predicted with predicted_lo and predicted_hi (most requests waiting, at the capacity and at the ends of its
    interval), predicted_gone_s (when after the rise's beginning they are worked off; missing where that is beyond the window),
    measured with measured_lo and measured_hi, measured_gone_s (medians over processes), error and gone_error (measured over
    predicted, less 1; missing where nothing was predicted), processes, judgement (see `Judgement`), same_mix (saturated and surge
    cells asked for the same mix of requests); of the longest queue of any process worst (its requests), grew_s (how long it grew),
    grew_answered_per_s and grew_busy (what was answered meanwhile, and the share of the cores that was busy, missing where it grew
    for less than 0.2 s).
    """
    capacity = density.capacity(run, all_cells).set_index("variant")
    mixes = _saturated_mixes(run)
    by_key: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        if cell.about["variant"] in capacity.index:
            by_key.setdefault(tuple(cell.about[name] for name in KEY), []).append(cell)
    rows = [
        dict(zip(KEY, key, strict=True))
        | _compared(part, _estimate(capacity.loc[key[0]]))
        | _worst(part)
        | {"same_mix": mixes == {_mix(key[3])}}
        for key, part in by_key.items()
    ]
    floats = ["peak_per_s", "capacity_per_s", "capacity_lo", "capacity_hi", "predicted", "predicted_lo", "predicted_hi",
              "predicted_gone_s", "measured", "measured_lo", "measured_hi", "measured_gone_s", "error", "gone_error", "worst",
              "grew_s", "grew_answered_per_s", "grew_busy"]  # fmt: skip
    table = pd.DataFrame(rows, columns=[*KEY, *floats, "processes", "judgement", "same_mix"])
    return table.astype(dict.fromkeys(floats, float))


def _estimate(row: pd.Series) -> Estimate:
    lo, hi = (None if pd.isna(row[end]) else float(row[end]) for end in ("lo", "hi"))
    return Estimate(float(row["value"]), lo, hi, int(row["n"]))


def _compared(cells: list[Cell], capacity: Estimate) -> dict[str, object]:
    said = cells[0].shape
    edges = np.array(said.edges_s)
    model = queueing.backlog(edges, said.net_per_s(capacity.value))
    # The greater capacity leaves the shorter queue.
    lo, hi = (
        None if end is None else queueing.backlog(edges, said.net_per_s(end)).most for end in (capacity.hi, capacity.lo)
    )
    most, gone = zip(*(cell.backlog() for cell in cells), strict=True)
    seen = median_of_processes(most)
    gone_s = median_of_processes([np.inf if at is None else at for at in gone]).value
    row = {"peak_per_s": said.peak_per_s, "capacity_per_s": capacity.value, "capacity_lo": capacity.lo,
           "capacity_hi": capacity.hi, "predicted": model.most, "predicted_lo": lo, "predicted_hi": hi,
           "measured": seen.value, "measured_lo": seen.lo, "measured_hi": seen.hi,
           "measured_gone_s": None if np.isinf(gone_s) else gone_s, "processes": len(cells)}  # fmt: skip
    slight = _NO_QUEUE_S * said.peak_per_s
    if model.most <= slight:
        return row | {"judgement": _judged(seen.value <= slight, row)}
    predicted_gone_s = None if model.gone_at_s is None else model.gone_at_s - said.edges_s[1]
    error = seen.value / model.most - 1
    if predicted_gone_s is None or np.isinf(gone_s):
        # Neither is gone within the window: as far as it tells, they agree.
        gone_alike, gone_error = (predicted_gone_s is None) == bool(np.isinf(gone_s)), None
    else:
        gone_error = gone_s / predicted_gone_s - 1
        gone_alike = abs(gone_error) <= ALIKE
    return row | {"predicted_gone_s": predicted_gone_s, "error": error, "gone_error": gone_error,
                  "judgement": _judged(abs(error) <= ALIKE and gone_alike, row)}  # fmt: skip


def _judged(alike: bool, row: dict[str, object]) -> Judgement:
    if alike:
        return Judgement.HELD
    ends = [row[name] for name in ("predicted_lo", "predicted_hi", "measured_lo", "measured_hi")]
    if None in ends:
        return Judgement.FAILED
    least, most, seen_least, seen_most = ends
    return Judgement.UNTOLD if seen_least <= most and least <= seen_most and most > 0 else Judgement.FAILED


def _worst(cells: list[Cell]) -> dict[str, float | None]:
    """Give how the longest queue of some surges grew."""
    cell = max(cells, key=lambda one: one.backlog()[0])
    row: dict[str, float | None] = {"worst": cell.backlog()[0]}
    grew = cell.growth()
    if grew is None:
        return row
    grew_s = grew[1] - grew[0]
    busy = cell.busy(*grew) if grew_s >= _LEAST_GROWTH_S else None
    return row | {"grew_s": grew_s, "grew_answered_per_s": cell.answered_per_s(*grew), "grew_busy": busy}


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
