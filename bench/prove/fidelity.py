"""Proof: what reaches the server is the schedule: Poisson, at the offered rate, from one worker and from several merged.

Three things, because no one load can show them. The law of single gaps is tested at the server where a gap is long against
the microseconds that sending takes. That counts are dispersed as a Poisson process's takes hundreds of thousands of windows
to show within 2 %, so it is shown of the schedule itself; that what arrives is dispersed as what was scheduled, within the
same 2 %, is shown at the server at a high rate, in windows that are long against the generator's lag. A processor that is
taken away for milliseconds moves a hundred arrivals at once, and says nothing of the schedule: windows with an arrival later
than `_ON_TIME_NS` are left out on both sides, and their share is a proof of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bench.load.schedule import Poisson
from bench.prove.certificate import Proof
from bench.prove.driving import Driven, drive
from bench.prove.known_server import KnownServer
from bench.prove.statistics import counts, dispersion, exponential_p_value
from bench.rig import Rig

GAP_RATE_PER_S = 100
COUNT_RATE_PER_S = 5_000
_ARRIVALS_A_WINDOW = 100
_LAW_S, _LAW_ARRIVALS_A_WINDOW = 400.0, 5
_SEED = 11
_LEAST_P_VALUE = 0.01
_DISPERSION_TOLERANCE = 0.02
_ON_TIME_NS = 1_000_000
_LEAST_UNDISTURBED = 0.5
"""Four workers on one processor wait for each other; half of the windows are enough to tell 2 % by."""
_RATE_ERROR = 0.001


def prove(
    folder: Path, rig: Rig, *, gaps_s: float = 60.0, counts_s: float = 30.0, workers: tuple[int, ...] = (1, 4)
) -> list[Proof]:
    """Give the proofs for each number of workers."""
    proofs = [_law(count) for count in workers]
    return proofs + [p for count in workers for p in _with(count, folder / f"workers-{count}", rig, gaps_s, counts_s)]


def counted(
    intended_ns: np.ndarray, arrived_ns: np.ndarray, began_ns: float, window_ns: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the counts of a schedule and of its arrivals in the same windows, and which of these were undisturbed."""
    paired = min(len(arrived_ns), len(intended_ns))
    intended_ns, arrived_ns = intended_ns[:paired], arrived_ns[:paired]
    # The windows begin as much later at the server as a request takes to get there.
    arrived_ns = arrived_ns - np.median(arrived_ns - intended_ns)
    windows = int((intended_ns[-1] - began_ns) // window_ns)
    late = arrived_ns - intended_ns > _ON_TIME_NS
    disturbed = sum(counts(at[late], window_ns, began_ns, windows) for at in (intended_ns, arrived_ns))
    scheduled, seen = (counts(at, window_ns, began_ns, windows) for at in (intended_ns, arrived_ns))
    return scheduled, seen, disturbed == 0


def _law(workers: int) -> Proof:
    """Prove the dispersion of the schedule, its parts merged as at the server; it takes no load."""
    whole = Poisson(COUNT_RATE_PER_S, _LAW_S, _SEED)
    parts = [whole.share(index, workers) for index in range(workers)]
    merged = np.sort(np.concatenate([chunk for part in parts for chunk in part.chunks()]))
    window_ns = 1e9 * _LAW_ARRIVALS_A_WINDOW / COUNT_RATE_PER_S
    index = dispersion(counts(merged, window_ns, 0.0, int(_LAW_S * 1e9 / window_ns)))
    return Proof.near(
        f"schedule_dispersion_{_named(workers)}", 1.0, index, _DISPERSION_TOLERANCE,
        f"variance over mean of the schedule's counts in windows of {_LAW_ARRIVALS_A_WINDOW} arrivals; {len(merged)} arrivals",
    )  # fmt: skip


def _with(workers: int, folder: Path, rig: Rig, gaps_s: float, counts_s: float) -> list[Proof]:
    folder.mkdir()
    of = f"{workers} worker" if workers == 1 else f"{workers} workers merged"
    name = _named(workers)
    _, gaps_at = _arrivals(folder / "gaps", rig, GAP_RATE_PER_S, gaps_s, workers)
    driven, counts_at = _arrivals(folder / "counts", rig, COUNT_RATE_PER_S, counts_s, workers)
    p_value = exponential_p_value(np.diff(gaps_at), 1e9 / GAP_RATE_PER_S)
    window_ns = 1e9 * _ARRIVALS_A_WINDOW / COUNT_RATE_PER_S
    scheduled, seen, undisturbed = counted(driven.intended_ns, counts_at, driven.began_ns, window_ns)
    return [
        Proof.at_least(
            f"gaps_exponential_p_value_{name}", _LEAST_P_VALUE, p_value,
            f"Kolmogorov-Smirnov over {len(gaps_at) - 1} gaps at {GAP_RATE_PER_S}/s, seen at the server; {of}",
        ),
        Proof.near(
            f"counts_dispersion_{name}", dispersion(scheduled[undisturbed]), dispersion(seen[undisturbed]),
            _DISPERSION_TOLERANCE,
            f"variance over mean of counts in {undisturbed.sum()} windows of {window_ns / 1e6:g} ms at {COUNT_RATE_PER_S}/s,"
            f" {len(counts_at)} arrivals: at the server, against the schedule's own; {of}",
        ),
        Proof.at_least(
            f"windows_undisturbed_share_{name}", _LEAST_UNDISTURBED, float(undisturbed.mean()),
            f"windows without an arrival more than {_ON_TIME_NS / 1e6:g} ms late; {of}",
        ),
        Proof.at_most(
            f"rate_error_share_{name}", _RATE_ERROR, abs(_rate(counts_at) / _rate(driven.intended_ns) - 1),
            f"rate at the server against the schedule's own; {of}",
        ),
        Proof.near(
            f"arrivals_seen_{name}", float(len(driven.intended_ns)), float(len(counts_at)), 0.0,
            f"arrivals at the server against those scheduled; {of}",
        ),
    ]  # fmt: skip


def _named(workers: int) -> str:
    return "1_worker" if workers == 1 else f"{workers}_workers"


def _arrivals(folder: Path, rig: Rig, rate: int, seconds: float, workers: int) -> tuple[Driven, np.ndarray]:
    """Give a Poisson load and the instants in ns at which the server read its requests, in order."""
    folder.mkdir()
    with KnownServer(folder, cpus=rig.gateway_cpus) as server:
        driven = drive(
            "PoissonArrivals", server.host, folder, rig.generator_cpus,
            {"rate": rate, "connections": 64, "seed": _SEED}, seconds=seconds, workers=workers,
        )  # fmt: skip
        return driven, np.sort(server.log().read_ns)


def _rate(instants: np.ndarray) -> float:
    return (len(instants) - 1) / float(instants[-1] - instants[0])
