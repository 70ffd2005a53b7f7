"""Rolling restarts: what is lost while instances are replaced one by one behind a balancer, by how the old ones go.

A request is lost when it got no 2xx answer, whoever is to blame; the balancer's own words say why. None seen in n requests is
not none: the interval says how many there may still be.
"""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pandas as pd

from roi.data import Run
from roi.statistics.counts import poisson_interval

GROUP = ["variant", "runtime", "way"]
WAYS = ("drain", "terminate", "kill")

LOSSES = """
    with replaced as (
        select cell_id, any_value(way) as way, count(*) as restarts, list(reasons) as reasons, sum(refused)::bigint as refused,
               median(in_service_ns - created_ns) / 1e9 as in_service_s, median(exited_ns - signal_ns) / 1e9 as leaves_s,
               count(*) filter (exit_code <> 0) as unclean
        from restarts group by cell_id
    ),
    load as (
        select cell_id, count(*) as requests,
               count(*) filter (outcome not in ('ok', 'unanswered', 'unsent')) as lost,
               count(*) filter (outcome = 'ok' and schedule_lag_ns + service_time_ns > $slo_ms * 1000000) as late
        from requests join cells using (cell_id)
        where cell_id in (select cell_id from restarts)
              and intended_ns >= measure_start_ns and intended_ns < measure_end_ns
        group by cell_id
    )
    select c.cell_id, c.variant, c.runtime, c.rate_per_s, r.* exclude (cell_id), l.requests, l.lost, l.late
    from cells c join replaced r using (cell_id) join load l using (cell_id)
    where c.gate_passed or $all_cells
    order by c.variant, r.way, c.position
"""
"""One row a rolling restart: requests from the first replacement to the last, and those that were lost or late."""


def losses(run: Run, slo_ms: float, all_cells: bool = False) -> pd.DataFrame:
    """Give every rolling restart with what it lost; see `LOSSES`.

    Parameters
    ----------
    slo_ms
        Response time above which an answered request is late.
    all_cells
        Include cells that the gate did not pass.
    """
    return run.query(LOSSES, {"slo_ms": slo_ms, "all_cells": all_cells})


def summary(run: Run, slo_ms: float, all_cells: bool = False) -> pd.DataFrame:
    """Give losses by variant and way, pooled over the rolling restarts.

    Columns: variant, runtime, way; n (rolling restarts), restarts (instances replaced), requests, lost, late, per_restart
    (requests lost for each instance replaced), per_restart_lo, per_restart_hi (exact Poisson interval, Garwood 1936),
    reasons (of server errors, in the balancer's words, with their number), in_service_s and leaves_s (medians: from the new
    process to its first traffic; from the word to go to the old one's end), unclean (old instances that did not exit with 0).
    """
    rows = []
    for key, part in losses(run, slo_ms, all_cells).groupby(GROUP, observed=True):
        restarts, lost = int(part["restarts"].sum()), int(part["lost"].sum())
        lo, hi = poisson_interval(lost)
        why = Counter[str]()
        for text in (text for texts in part["reasons"] for text in texts):
            why.update(json.loads(text))
        rows.append(dict(zip(GROUP, key, strict=True)) | {
            "n": len(part), "restarts": restarts, "requests": int(part["requests"].sum()), "lost": lost,
            "late": int(part["late"].sum()), "per_restart": lost / restarts, "per_restart_lo": lo / restarts,
            "per_restart_hi": hi / restarts, "reasons": ", ".join(f"{what} ({count})" for what, count in why.most_common()),
            "in_service_s": float(part["in_service_s"].median()), "leaves_s": float(part["leaves_s"].median()),
            "unclean": int(part["unclean"].sum()),
        })  # fmt: skip
    table = pd.DataFrame(rows, columns=None if rows else [*GROUP, "n", "restarts", "requests", "lost", "late"])
    return table.sort_values("way", key=lambda ways: ways.map(WAYS.index), kind="stable").sort_values(
        "variant", kind="stable"
    )


TIMELINE = """
    select r.cell_id, c.variant, t.way, (r.intended_ns - t.first_ns) / 1e9 as time_s,
           (r.schedule_lag_ns + coalesce(r.service_time_ns, 0)) / 1e6 as response_ms, r.outcome
    from requests r join cells c using (cell_id)
    join (select cell_id, any_value(way) as way, min(created_ns) as first_ns from restarts group by cell_id) t using (cell_id)
    where (c.gate_passed or $all_cells) and c.repetition = 0
          and r.intended_ns >= c.measure_start_ns and r.intended_ns < c.measure_end_ns
"""
"""The requests of the first rolling restart of each variant and way, by when they were to be sent."""


def slowest_by_time(run: Run, way: str, step_s: float = 0.1, all_cells: bool = False) -> pd.DataFrame:
    """Give the slowest response of each moment of the first rolling restart.

    Parameters
    ----------
    step_s
        Length of a moment in seconds.

    Returns
    -------
    pandas.DataFrame
        Columns variant, time_s (since the first new instance was started, start of the moment), response_ms.
    """
    rows = run.query(TIMELINE, {"all_cells": all_cells})
    rows = rows[rows["way"] == way]
    moments = np.floor(rows["time_s"].to_numpy(float) / step_s) * step_s
    slowest = rows.assign(time_s=moments).groupby(["variant", "time_s"], observed=True)["response_ms"].max()
    return slowest.reset_index()
