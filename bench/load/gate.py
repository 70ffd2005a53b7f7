"""The gate: evidence that a cell's figures are the gateway's and not the rig's.

A cell that fails is published with its reasons and left out of comparisons; nothing is dropped silently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_NS_PER_MS = 1e6


@dataclass(frozen=True)
class Thresholds:
    """What the gate asks for. Each default says why it is what it is."""

    lag_p99_ns: int = 1_000_000
    """Schedule lag of requests that found a connection free. On two shared cores the engine keeps 0.1 ms at 1000/s and
    under 1 ms at 15 000/s; above that the generator is late."""
    achieved_share: float = 0.999
    """Least share of the offered requests that were sent."""
    generator_cpu_share: float = 0.95
    """Most of its processor that the generator of an open loop may use: above it, it cannot follow its schedule."""
    generator_run_delay_share: float = 0.02
    """Most of the window that the generator of an open loop may wait for its processor: what it waits is lag."""
    gateway_cpu_share: float = 0.9
    """Least of its processors that the gateway of a closed loop must use. Below it the gateway was not what limited the
    figure, and so the figure is not its capacity."""
    steal_share: float = 0.1
    """Most of the window, over all processors, that the hypervisor may take. On shared virtual machines some percent are
    common; a capacity is low by about as much, CPU time a request is not."""


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Evidence:
    """What is known about a cell after its load."""

    open_loop: bool
    window_ns: int
    processors: int
    lag_free_ns: np.ndarray
    """Schedule lag of the requests in the window that found a connection free."""
    rows: int
    rows_answered: int
    offered_in_window: int
    sent_in_window: int
    locust_count: int
    gateway_count: int | None
    generator_cpu_ns: int
    generator_run_delay_ns: int | None
    gateway_cpu_ns: int | None
    gateway_workers: int
    steal_ns: int | None


def reasons(evidence: Evidence, limits: Thresholds = THRESHOLDS) -> list[str]:
    """Give why a cell does not pass, a sentence each; none when it does."""
    found = []
    window = evidence.window_ns
    if window <= 0 or evidence.rows == 0:
        return ["there was no load in the measured window"]
    found += (_open_loop_reasons if evidence.open_loop else _closed_loop_reasons)(evidence, limits)
    if evidence.locust_count != evidence.rows:
        found.append(f"Locust counted {evidence.locust_count} requests, the rows are {evidence.rows}")
    if evidence.gateway_count is None:
        found.append("the gateway's own count is not known")
    elif not evidence.rows_answered <= evidence.gateway_count <= evidence.rows:
        found.append(f"the gateway counted {evidence.gateway_count} requests, the rows say {evidence.rows_answered}")
    if evidence.steal_ns is not None and evidence.steal_ns > limits.steal_share * window * evidence.processors:
        found.append(f"the hypervisor took {evidence.steal_ns / window / evidence.processors:.1%} of the processors")
    return found


def _open_loop_reasons(evidence: Evidence, limits: Thresholds) -> list[str]:
    found = []
    if len(evidence.lag_free_ns):
        p99 = float(np.percentile(evidence.lag_free_ns, 99))
        if p99 > limits.lag_p99_ns:
            found.append(f"the generator was late: p99 of its schedule lag is {p99 / _NS_PER_MS:.2f} ms")
    if evidence.sent_in_window < limits.achieved_share * evidence.offered_in_window:
        share = evidence.sent_in_window / evidence.offered_in_window
        found.append(f"only {share:.2%} of the offered requests were sent")
    delay = evidence.generator_run_delay_ns
    if delay is not None and delay > limits.generator_run_delay_share * evidence.window_ns:
        found.append(f"the generator waited {delay / evidence.window_ns:.1%} of the time for its processor")
    used = evidence.generator_cpu_ns / evidence.window_ns
    if used > limits.generator_cpu_share:
        found.append(f"the generator used {used:.0%} of its processor")
    return found


def _closed_loop_reasons(evidence: Evidence, limits: Thresholds) -> list[str]:
    if evidence.gateway_cpu_ns is None:
        return ["the gateway's CPU time is not known"]
    used = evidence.gateway_cpu_ns / (evidence.window_ns * evidence.gateway_workers)
    if used < limits.gateway_cpu_share:
        return [f"the gateway used {used:.0%} of its processors: it was not saturated"]
    return []
