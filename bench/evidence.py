"""The evidence of a load cell: what the load was, what it cost, and whether it can be trusted, as columns of `cells`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench import gate, scenario
from bench.load import gaps, spool
from bench.load.account import Account, window
from bench.load.generator import Generator
from bench.meters import gc_cpu, hiccups
from bench.meters.hiccups import Hiccups
from bench.meters.own_metrics import OwnMetrics
from bench.stalls import STOP_SOURCES, told
from bench.suite import Cell
from bench.windows import got_2xx

Tables = Mapping[str, pa.Table]


def load_columns(
    cell: Cell,
    common: Mapping[str, object],
    tables: Tables,
    generator: Generator,
    account: OwnMetrics,
    ceiling_per_s: float | None,
) -> dict[str, object]:
    """Give the columns of a load cell, those of the gate included.

    Parameters
    ----------
    common
        The columns that every cell has, of which the gate reads some.
    tables
        The cell's `requests`, `pauses`, `steps` and `machine`.
    account
        What the gateway's own metrics held when the load had ended.
    ceiling_per_s
        What the generator can do at all on this machine; None when nobody has measured it today.
    """
    start, end = window(generator.samples)
    columns = _load(cell, tables["requests"], tables["steps"], start, end, ceiling_per_s)
    said = generator.account()
    columns |= _cost(said, spool.read_summaries(generator.samples), end - start)
    columns |= {
        "measure_start_ns": start,
        "measure_end_ns": end,
        "steal_ns": used(tables["machine"], "steal_ns", start, end),
        "throttled_ns": used(tables["machine"], "throttled_ns", start, end),
    }
    columns |= account_columns(tables["requests"], account)
    columns |= _physics(tables, columns["gateway_cpu_ns"], len(str(common["gateway_cpus"]).split(",")), start, end)
    why = [*gate.reasons({**common, **columns}), *said.reasons]
    return columns | {"gate_passed": not why, "gate_reasons": why}


def account_columns(requests: pa.Table, own: OwnMetrics) -> dict[str, object]:
    """Give the gateway's own counts, warm-up included, and the sum of its durations over that of the clients' service times.

    By Little's law, L = λW, each sum over the time is a mean number of requests, in the gateway and in flight; the first are
    among the second (Little 1961; Little and Graves 2008). The sums are of the same requests only if every one was answered.
    """
    sent, answered = (requests[column].is_valid() for column in ("connection", "status"))
    same = own.timed == pc.sum(sent).as_py() == pc.sum(answered).as_py()
    waited_ns = pc.sum(requests["service_time_ns"]).as_py()
    return {
        "gateway_count": own.counted,
        "gateway_duration_count": own.timed,
        "gateway_duration_share": own.duration_ns / waited_ns if same and waited_ns else None,
    }


def meter_columns(
    measured: tuple[int, int],
    runtime: str,
    folder: Path,
    tables: Tables,
    own: Hiccups | None,
    beside: Hiccups | None,
) -> dict[str, object]:
    """Give the columns that say what the meters of pauses saw in the measured window, and what they could not.

    Parameters
    ----------
    measured
        The window's beginning and end in ns.
    folder
        Where the gateway's own records are.
    tables
        The cell's `pauses`, `threads` and `residue`.
    own, beside
        Records of the gateway's hiccup meter and of its control's.
    """
    columns: dict[str, object] = {"residue_lines": tables["residue"].num_rows}
    columns |= gc_cpu.of_cell(runtime, folder, tables["pauses"], tables["threads"], *measured)
    for name, record in (("hiccup", own), ("control", beside)):
        late = record.within(*measured) if record else None
        columns |= {
            f"{name}_wakes": late and late.wakes, f"{name}_p99_ns": late and late.p99_ns, f"{name}_max_ns": late and late.max_ns,
        }  # fmt: skip
    return columns | {"hiccup_period_ns": hiccups.PERIOD_US * 1_000 if own else None}


def _steps_per_s(requests: pa.Table, steps: pa.Table) -> list[float]:
    """Give the requests/s that were sent within each step of a load in steps."""
    sent_ns = (requests["intended_ns"].to_numpy() + requests["schedule_lag_ns"].to_numpy())[
        requests["connection"].is_valid().to_numpy()
    ]
    ordered = np.sort(sent_ns)
    began_ns, ended_ns = steps["began_ns"].to_numpy(), steps["ended_ns"].to_numpy()
    sent = np.searchsorted(ordered, ended_ns) - np.searchsorted(ordered, began_ns)
    return (sent / ((ended_ns - began_ns) / 1e9)).tolist()


def _physics(tables: Tables, gateway_cpu_ns: int | None, processors: int, start: int, end: int) -> dict[str, object]:
    """Give what no measurement can be at odds with: time that was used, stood still, and passed on two clocks."""
    length = max(end - start, 1)
    raw_ns = used(tables["machine"], "raw_ns", start, end)
    return {
        "gateway_group_cpu_ns": used(tables["machine"], "gateway_group_cpu_ns", start, end),
        "utilisation": None if gateway_cpu_ns is None else gateway_cpu_ns / (length * processors),
        "stopped_ns": _stopped_ns(tables["pauses"], start, end),
        "clock_slew_share": None if raw_ns is None else (length - raw_ns) / length,
        "suspended_ns": used(tables["machine"], "suspended_ns", start, end),
    }


def _stopped_ns(pauses: pa.Table, start: int, end: int) -> int | None:
    """Give how long the whole process stood still at least, by pauses that ended in the window; None without a record."""
    if not told(pauses):
        return None
    stops = pauses.filter(pc.is_in(pauses["source"].cast(pa.string()), pa.array(STOP_SOURCES)))
    ended_ns = stops["end_ns"].to_numpy()
    lasted_ns = stops["dur_lo_ns"].to_numpy() * stops["count"].to_numpy()
    return int(lasted_ns[(start <= ended_ns) & (ended_ns < end)].sum())


def _load(
    cell: Cell, requests: pa.Table, steps: pa.Table, start: int, end: int, ceiling_per_s: float | None
) -> dict[str, object]:
    """Give what the rows say of the load."""
    intended = requests["intended_ns"].to_numpy()
    lag = requests["schedule_lag_ns"].to_numpy()
    service = requests["service_time_ns"].to_numpy(zero_copy_only=False)
    sent = requests["connection"].is_valid().to_numpy()
    answered = requests["status"].is_valid().to_numpy()
    inside = (intended >= start) & (intended < end)
    free = lag[inside & ~requests["queued"].to_numpy()]
    censored = requests["censored"].to_numpy()
    asked = scenario.named(cell.scenario)
    open_loop = cell.traffic_model == "open"
    # What waited for a connection until after the window was not sent at the offered rate.
    in_time = inside & sent & (intended + lag < end + gaps.GAP_NS)
    # An open loop's load is what it offers: one that cannot send half of it is not at half of its ceiling.
    load = inside if open_loop else in_time
    load_per_s = float(load.sum()) / ((end - start) / 1e9) if end > start else 0.0
    busiest_per_s = max([load_per_s, *_steps_per_s(requests, steps)])
    busy = float(service[inside & sent].sum()) / (end - start) if end > start else 0.0
    return {
        "schedule_lag_p99_ns": int(np.percentile(free, 99)) if open_loop and free.size else None,
        "achieved_share": float(in_time.sum() / inside.sum())
        if open_loop and inside.any() and not asked.overloads
        else None,
        "ceiling_per_s": ceiling_per_s,
        "ceiling_share": None if ceiling_per_s is None else busiest_per_s / ceiling_per_s,
        "little_share": busy / cell.connections if asked.saturates else None,
        "percentiles_in_order": _in_order(lag[inside & answered], service[inside & answered]),
        "rows": requests.num_rows,
        "rows_answered": int(answered.sum()),
        "rows_censored": int(censored.sum()),
        "rows_failed": int((~answered & ~censored).sum()),
        "rows_good": int((inside & got_2xx(requests)).sum()),
    }


def _in_order(lag_ns: np.ndarray, service_ns: np.ndarray) -> bool | None:
    """Tell whether times are what times can be; None without an answered request."""
    if not lag_ns.size:
        return None
    response = lag_ns + service_ns
    p50, p99, largest = np.percentile(response, (50, 99, 100))
    return bool((lag_ns >= 0).all() and (service_ns > 0).all() and response.min() <= p50 <= p99 <= largest)


def _cost(said: Account, drove: Sequence[spool.Summary], window_ns: int) -> dict[str, object]:
    """Give what the load cost its generator, and the gateway as the generator read it at both ends of the window."""
    waited = [summary.run_delay_ns for summary in drove if summary.run_delay_ns is not None]
    length = max(window_ns, 1)
    return {
        # All read it at the same instants; the first who could tells.
        "gateway_cpu_ns": next((s.target_cpu_ns for s in drove if s.target_cpu_ns is not None), None),
        "generator_cpu_ns": sum(summary.cpu_ns for summary in drove),
        "generator_run_delay_ns": sum(waited) if waited else None,
        # A schedule is kept when the busiest worker keeps its share.
        "generator_cpu_share": max(summary.cpu_ns for summary in drove) / length,
        "generator_run_delay_share": max(waited) / length if waited else None,
        "generator_workers": said.expected,
        "workers_lost": len(said.lost),
        "locust_count": said.locust_count,
    }


def used(samples: pa.Table, column: str, start_ns: int, end_ns: int) -> int | None:
    """Give how much a cumulative counter grew between two instants, interpolated between samples.

    None when the samples do not span the window or the counter is not known.
    """
    known = samples.filter(samples[column].is_valid())
    if known.num_rows < 2:
        return None
    times = known["time_ns"].to_numpy()
    if times[0] > start_ns or times[-1] < end_ns:
        return None
    values = known[column].to_numpy()
    at_start, at_end = np.interp([start_ns, end_ns], times, values)
    return round(at_end - at_start)
