"""Whether a run's figures can be trusted: gates, counts that must agree, and the machine's own noise."""

from __future__ import annotations

import pandas as pd

from roi.data import LOAD_CELLS, Run

GATES = """
    select cell_id, variant, scenario, rate_per_s, gate_passed, gate_reasons,
           array_to_string(gate_reasons, '; ') as reasons, failure
    from cells order by position
"""

COUNTS = f"""
    select scenario, variant, sum(rows)::bigint as "rows", sum(locust_count)::bigint as locust,
           sum(gateway_count)::bigint as gateway, sum(rows_censored)::bigint as censored,
           bool_and(coalesce(locust_count = rows and gateway_count = rows_answered, false)) as agree
    from cells where {LOAD_CELLS} and failure is null group by scenario, variant order by scenario, variant
"""
"""Requests as the parquet, Locust and the gateway counted them; a count that is not known does not agree."""

DURATIONS = f"""
    select scenario, variant, count(gateway_duration_share) as cells, min(gateway_duration_share) as least,
           max(gateway_duration_share) as most, avg(little_share) as busy
    from cells where {LOAD_CELLS} and failure is null group by scenario, variant order by scenario, variant
"""
"""The gateway's own sum of durations over the clients' service times, and connections that were busy by Little's law."""

GENERATOR = f"""
    select cell_id, variant, scenario, schedule_lag_p99_ns / 1e6 as lag_p99_ms, achieved_share,
           generator_cpu_ns / (measure_end_ns - measure_start_ns) as generator_cpu,
           generator_run_delay_ns / (measure_end_ns - measure_start_ns) as generator_waited,
           steal_ns / (measure_end_ns - measure_start_ns) as steal
    from cells where {LOAD_CELLS} and failure is null order by position
"""


def gates(run: Run) -> pd.DataFrame:
    """Give for every cell whether it passed the gate, why not, and what went wrong if nothing could be measured."""
    return run.query(GATES)


def counts(run: Run) -> pd.DataFrame:
    """Give the three counts of requests for each scenario and variant, and whether they agree in every cell."""
    return run.query(COUNTS)


def durations(run: Run) -> pd.DataFrame:
    """Give how long gateways worked on requests by their own account, over how long clients waited for the same ones.

    Returns
    -------
    Columns scenario, variant, cells (in which both are known), least and most (shares), busy (share of the connections of a
    closed loop, by Little's law; NaN of an open one).
    """
    return run.query(DURATIONS)


def generator(run: Run) -> pd.DataFrame:
    """Give for every load cell how the generator fared: lag in ms, shares of the measured window."""
    return run.query(GENERATOR)


def left_out(run: Run) -> pd.DataFrame:
    """Give the variants that could not run, and the measured cells that the gate failed, each with its reason."""
    cells = gates(run)
    failed = cells.loc[~cells["gate_passed"].astype(bool) & cells["failure"].isna(), ["cell_id", "reasons"]]
    variants = [{"what": name, "why": why} for name, why in run.manifest.left_out.items()]
    return pd.DataFrame(
        [*variants, *({"what": row.cell_id, "why": row.reasons} for row in failed.itertuples())],
        columns=["what", "why"],
    )


def failures(run: Run) -> pd.DataFrame:
    """Give the cells in which nothing could be measured: columns cell_id, failure."""
    cells = gates(run)
    return cells.loc[cells["failure"].notna(), ["cell_id", "failure"]].reset_index(drop=True)


WORKERS = """
    select w.cell_id, w.worker, w.host, w.finished, w.rows, w.locust_count,
           w.cpu_ns / (c.measure_end_ns - c.measure_start_ns) as cpu_share,
           w.run_delay_ns / (c.measure_end_ns - c.measure_start_ns) as waited_share,
           w.late_ns / 1e6 as late_ms, w.clock_offset_ns / 1e6 as clock_offset_ms, w.clock_error_ns / 1e6 as clock_error_ms
    from workers w join cells c using (cell_id) order by c.position, w.worker
"""
"""Every process of the load generator, with shares of its cell's measured window."""


def workers(run: Run) -> pd.DataFrame:
    """Give the processes of the load generator, one row a cell and worker."""
    return run.query(WORKERS)


GAPS = """
    select g.cause, count(*) as gaps, count(distinct g.cell_id) as cells, max(g.sent_ns - g.due_ns) / 1e6 as longest_ms,
           sum(g.sent_ns - g.due_ns) / 1e6 as total_ms
    from gaps g join cells c using (cell_id)
    where ($scenario = '' or c.scenario = $scenario)
          and g.due_ns >= c.measure_start_ns and g.due_ns < c.measure_end_ns
    group by g.cause order by total_ms desc
"""
"""Gaps of the generator within the measured windows, by cause."""


def open_loops(run: Run, scenario: str = "") -> int:
    """Give the number of load cells with a schedule that were measured; of one scenario, or of all."""
    cells = run.query(HEADROOM, {"scenario": scenario})
    return int((cells["traffic_model"] == "open").sum())


def gaps(run: Run, scenario: str = "") -> pd.DataFrame:
    """Give the generator's gaps by cause: columns cause, gaps, cells, longest_ms, total_ms; of one scenario, or of all."""
    return run.query(GAPS, {"scenario": scenario})


HEADROOM = f"""
    select c.cell_id, c.variant, c.scenario, c.traffic_model, c.ceiling_per_s, c.ceiling_share,
           (select sum(w.sent) * 10.0 / ((c.measure_end_ns - min(w.began_ns)) // 100000000) from windows w
            where w.cell_id = c.cell_id and w.began_ns >= c.measure_start_ns
                  and w.began_ns + 100000000 <= c.measure_end_ns) as sent_per_s
    from cells c
    where c.{LOAD_CELLS} and c.failure is null and ($scenario = '' or c.scenario = $scenario)
    order by c.position
"""
"""Requests/s sent within each load's window, by its whole tenths of a second, beside what the generator can do at all."""


def headroom(run: Run, scenario: str = "") -> pd.DataFrame:
    """Give every load beside the generator's ceiling.

    Columns: cell_id, variant, scenario, traffic_model, ceiling_per_s, ceiling_share, sent_per_s.
    """
    return run.query(HEADROOM, {"scenario": scenario})
