"""What a gateway's own metrics hold of a load: how many requests it answered, and how long it worked on them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.gateways.telemetry import samples

_OF_LOAD = ("endpoint", "/route")
"""The endpoint of every request of a load; whoever watches the gateway asks for others."""
_REQUESTS = "http_server_requests_total"
_DURATION = "http_server_request_duration_seconds"


@dataclass(frozen=True)
class OwnMetrics:
    """The requests of a load as their gateway accounts for them, since it started."""

    counted: int
    """Requests that its counter holds, whatever their status."""
    timed: int | None
    """Requests whose durations its histogram holds; None when it has none."""
    duration_ns: int | None
    """Sum of those durations, each from a request's header to its answer, in ns; None when it has none."""


def read(text: str) -> OwnMetrics:
    """Give the account that a gateway's `/metrics` holds."""
    totals: dict[str, float] = {}
    for (name, labels), value in samples(text).items():
        if _OF_LOAD in labels:
            totals[name] = totals.get(name, 0.0) + value
    timed, seconds = totals.get(f"{_DURATION}_count"), totals.get(f"{_DURATION}_sum")
    return OwnMetrics(
        counted=int(totals.get(_REQUESTS, 0)),
        timed=None if timed is None else int(timed),
        duration_ns=None if seconds is None else round(seconds * 1e9),
    )
