"""Locust's command line, with what an engine user needs to know. They show in Locust's web UI as well."""

from __future__ import annotations

import ssl
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from locust import events
from locust.argument_parser import LocustArgumentParser

from bench.errors import LoadFailed
from bench.load.http2 import PROTOCOL
from bench.load.limits import Limits
from bench.load.tls import context

_MOST_PER_S = 10_000_000
"""A hundred times what an engine can do: arrivals are made half a second ahead, and those of more would fill the memory."""


@dataclass(frozen=True)
class LoadArguments:
    """The options of a load, read once from Locust's parsed options."""

    rate_per_s: float
    """Requests a second, over all workers; open loop only."""
    warm_up_s: float
    warm_up_saturated: bool
    """Warm up as fast as answers come, whatever the scenario: a JIT compiler needs requests and not time."""
    duration_s: float | None
    """Length of the measured window after the warm-up; None: until Locust stops the test."""
    seed: int
    limits: Limits
    wait_for_host_s: float
    """How long nothing may listen at the host before that is an error."""
    target_pid: int | None
    """Process under load, when it is on this machine: its CPU time is read at both ends of the measured window."""
    samples: str | None
    """Folder, or URI of one, for the workers' rows; None: they only count."""
    tokens: Path | None
    ca: Path | None
    """Certificates to trust instead of the system's, for a host with https."""
    insecure: bool
    """Trust any certificate."""
    http2: bool
    """Speak HTTP/2, with one request in flight a connection."""

    def tls(self) -> ssl.SSLContext:
        """Give what connections are encrypted with; raises `LoadFailed` when the certificates cannot be read."""
        return context(self.ca, verify=not self.insecure, protocol=PROTOCOL if self.http2 else None)

    @property
    def cold_s(self) -> float:
        """Length of the scenario's own beginning that does not count."""
        return 0.0 if self.warm_up_saturated else self.warm_up_s

    @property
    def total_s(self) -> float | None:
        """Length of the scenario, its own warm-up included."""
        return None if self.duration_s is None else self.cold_s + self.duration_s

    @classmethod
    def of(cls, options: Namespace) -> LoadArguments:
        """Read them from `environment.parsed_options`; raises `LoadFailed` for a rate that nothing can offer."""
        if options.rate > _MOST_PER_S:
            raise LoadFailed(
                f"A rate of {options.rate:g} requests/s is beyond every load generator. Give at most {_MOST_PER_S:g}."
            )
        return cls(
            rate_per_s=options.rate,
            warm_up_s=options.warm_up,
            warm_up_saturated=options.warm_up_saturated,
            duration_s=options.duration or None,
            seed=options.seed,
            limits=Limits(options.connections, options.request_timeout, not options.new_connections),
            wait_for_host_s=options.wait_for_host,
            target_pid=options.target_pid or None,
            samples=options.samples or None,
            tokens=Path(options.tokens) if options.tokens else None,
            ca=Path(options.ca) if options.ca else None,
            insecure=options.insecure,
            http2=options.http2,
        )


@events.init_command_line_parser.add_listener
def add_arguments(parser: LocustArgumentParser) -> None:
    """Add the options of the engine users to Locust's."""
    group = parser.add_argument_group("Open-loop engine")
    group.add_argument("--rate", type=float, default=500.0, help="Requests a second to offer, over all workers")
    group.add_argument("--warm-up", type=float, default=0.0, help="Seconds at the start that do not count")
    group.add_argument("--warm-up-saturated", action="store_true", help="Warm up as fast as answers come")
    group.add_argument("--duration", type=float, default=0.0, help="Seconds that count; 0: until the test is stopped")
    group.add_argument("--connections", type=int, default=64, help="Most connections at once, over all workers")
    group.add_argument("--request-timeout", type=float, default=5.0, help="Seconds after which a request is given up")
    group.add_argument("--wait-for-host", type=float, default=0.0, help="Seconds to wait until something listens there")
    group.add_argument("--new-connections", action="store_true", help="A new connection for every request")
    group.add_argument("--ca", default="", help="File with the certificates to trust, for a host with https")
    group.add_argument("--insecure", action="store_true", help="Trust any certificate of a host with https")
    group.add_argument(
        "--http2", action="store_true",
        help="Speak HTTP/2, one request a connection at a time; it costs the generator much more a request than HTTP/1.1",
    )  # fmt: skip
    group.add_argument("--seed", type=int, default=1, help="Seed of the arrivals and of the order of requests")
    group.add_argument("--target-pid", type=int, default=0, help="Process under load, to read its CPU time")
    group.add_argument("--samples", default="", help="Folder, or URI of one, for a row a request (raw)")
    group.add_argument(
        "--patience", type=float, default=20.0, help="Seconds for which the master waits for a worker that is missing"
    )
    group.add_argument("--account", default="", help="Folder for what the master says; by default that of the samples")
    group.add_argument("--tokens", default="", help="File with one bearer token a line; without it no request has one")
