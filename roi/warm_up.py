"""Warm-up under full load: how each process comes to its speed, and whether it was there when it was measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from roi.data import Run
from roi.statistics.steady import Course, Steadiness, course

WINDOW_S = 0.1
_WINDOW_NS = round(WINDOW_S * 1e9)
_A_SECOND = round(1 / WINDOW_S)

WINDOWS = f"""
    with began as (select cell_id, min(began_ns) as began_ns from windows group by cell_id)
    select c.variant, c.runtime, c.cell_id, b.began_ns, c.measure_start_ns, c.measure_end_ns,
           (w.began_ns - b.began_ns) // {_WINDOW_NS} as place, w.good as answered
    from windows w join began b using (cell_id) join cells c using (cell_id)
    where c.scenario = 'saturate' and (c.gate_passed or $all_cells) and w.began_ns + {_WINDOW_NS} <= c.measure_end_ns
    order by c.variant, c.cell_id, place
"""
"""Requests answered with 2xx in each window of a saturated process, by when the answer came."""

BY_SECOND = f"""
    with windows_of as ({WINDOWS}),
    seconds as (
        select variant, runtime, cell_id, place // {_A_SECOND} as second, sum(answered) as answered
        from windows_of where place // {_A_SECOND} < (measure_end_ns - began_ns) // 1000000000
        group by all having sum(answered) > 0
    )
    select variant, runtime, second + 1 as second, exp(avg(ln(answered) order by answered)) as rate_per_s,
           count(*) as n
    from seconds group by all order by variant, second
"""
"""Requests answered in each whole second of saturation from the first request on, geometric mean over processes."""

CPU = """
    select p.cell_id, p.time_ns, p.cpu_ns from process p join cells c using (cell_id)
    where p.role = 'gateway' and c.scenario = 'saturate' and (c.gate_passed or $all_cells) order by p.cell_id, p.time_ns
"""
"""Samples of the CPU time of saturated gateways."""

COLUMNS = ("variant", "runtime", "cell_id", "measured_from_s", "steadiness", "steady_s", "cpu_steadiness", "cpu_steady_s",
           "steady_when_measured")  # fmt: skip


def by_second(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give requests/s by second since the first request: columns variant, runtime, second, rate_per_s, n.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    return run.query(BY_SECOND, {"all_cells": all_cells})


def of_processes(run: Run, all_cells: bool = False) -> pd.DataFrame:
    """Give the course of every saturated process, by throughput and by CPU time a request.

    Columns: variant, runtime, cell_id; measured_from_s (when its measured window began, since the first request); steadiness
    (see `Steadiness`), steady_s (from when on it was steady; missing where it never was); cpu_steadiness and cpu_steady_s, the
    same for CPU time a request; steady_when_measured (its throughput was steady from the window's beginning on). What is
    missing altogether was too short to tell.

    Parameters
    ----------
    all_cells
        Include cells that the gate did not pass.
    """
    asked = {"all_cells": all_cells}
    samples = dict(iter(run.query(CPU, asked).groupby("cell_id", observed=True)))
    windows = run.query(WINDOWS, asked)
    rows = [
        _row(key, part, samples.get(key[2]))
        for key, part in windows.groupby(["variant", "runtime", "cell_id"], observed=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(key: tuple[str, str, str], windows: pd.DataFrame, samples: pd.DataFrame | None) -> dict[str, object]:
    first = windows.iloc[0]
    measured_from_s = (first["measure_start_ns"] - first["began_ns"]) / 1e9
    answered = windows["answered"].to_numpy(float)
    by_rate = course(answered)
    by_cpu = (
        None if samples is None else course(_cpu_a_request(answered, first["began_ns"], samples), more_is_better=False)
    )
    return dict(zip(COLUMNS, (*key, measured_from_s, *_said(by_rate), *_said(by_cpu), _steady_from(by_rate, measured_from_s)),
                    strict=True))  # fmt: skip


def _cpu_a_request(answered: np.ndarray, began_ns: int, samples: pd.DataFrame) -> np.ndarray:
    """Give CPU time a request in each window that has both; windows without an answer are left out."""
    edges = began_ns + _WINDOW_NS * np.arange(len(answered) + 1)
    times = samples["time_ns"].to_numpy()
    used = np.diff(np.interp(edges, times, samples["cpu_ns"].to_numpy(float)))
    known = (edges[:-1] >= times[0]) & (edges[1:] <= times[-1]) & (answered > 0)
    return used[known] / answered[known]


def _said(found: Course | None) -> tuple[str | None, float | None]:
    if found is None:
        return None, None
    return str(found.steadiness), None if found.steady_from is None else found.steady_from * WINDOW_S


def _steady_from(found: Course | None, second: float) -> bool | None:
    if found is None:
        return None
    # The window in which the measured ones begin may hold the change.
    return found.steady_from is not None and found.steady_from * WINDOW_S <= second + WINDOW_S


def unsteady(courses: pd.DataFrame) -> Iterator[tuple[str, int, int]]:
    """Give variants of which processes were measured before they were steady: name, how many, of how many."""
    for variant, part in courses.groupby("variant", observed=True):
        told = part["steady_when_measured"].dropna()
        if count := int((~told.astype(bool)).sum()):
            yield str(variant), count, len(part)


def classes(courses: pd.DataFrame) -> pd.DataFrame:
    """Give by variant how many processes did what, and the median time until they were steady.

    Columns: variant, runtime, processes, one of each class of `Steadiness`, untold (too short to tell), steady_s (median;
    missing where most never were), cpu_steady_s.
    """
    rows = []
    for (variant, runtime), part in courses.groupby(["variant", "runtime"], observed=True):
        counted = part["steadiness"].value_counts()
        rows.append(
            {"variant": variant, "runtime": runtime, "processes": len(part)}
            | {str(kind): int(counted.get(str(kind), 0)) for kind in Steadiness}
            | {"untold": int(part["steadiness"].isna().sum()), "steady_s": _median(part["steady_s"]),
               "cpu_steady_s": _median(part["cpu_steady_s"])}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=None if rows else ["variant", "runtime", "processes", *map(str, Steadiness)])


def _median(times_s: pd.Series) -> float | None:
    """Give the median of times of which those that never came are longer than any."""
    middle = float(times_s.astype(float).fillna(np.inf).median())
    return middle if np.isfinite(middle) else None
