"""`bench calibrate`: what the load generator can do at all on this machine, and how that stands to its peers.

A throughput says something of a gateway only below the generator's ceiling, so the ceiling is measured on the day against
a server that costs next to nothing, kept beside the runs, and divides every throughput that is measured after it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench import contract, generators, paths
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.load import gaps
from bench.meters.machine import MachineSampler
from bench.prove import certificate
from bench.prove.driving import read
from bench.prove.known_server import KnownServer
from bench.rig import Rig

VARIANTS = ("go", "java25-g1", "node", "rust")
"""One of each gateway."""
LAG_RATE_PER_S = 30_000
_LAG_LEAD_S = 1.0
_BETWEEN_S = 0.3
_SHORT_RUNS, _SHORT_S = 3, 1.5
_WARM_UP_S: Mapping[str, float] = {"java": 15.0}
"""Full load before a gateway is compared, by runtime: a JIT compiler needs it."""
_WARM_UP_OTHERS_S = 3.0
_FILE = paths.RUNS / ".certificates" / "calibration.json"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Calibration:
    """What was found; a field that nobody measured is None."""

    made_at: str
    """Wall clock, ISO 8601, UTC."""
    machine: Mapping[str, Any]
    code: str
    """SHA-256 over the sources of the load generator."""
    workers: int
    """Processes that the ceiling was reached with."""
    ceiling_rps: float
    """Requests/s of the engine against the null server, median over runs."""
    runs: Mapping[str, Mapping[str, list[float]]]
    """By server and generator the requests/s of every run, in the order of running."""
    wrk_ratio: float | None = None
    """The engine's ceiling over that of `wrk -t1`, medians of interleaved runs."""
    fasthttp_ratio: float | None = None
    """The engine's ceiling over that of Locust's FastHttpUser."""
    lag_p99_us: float | None = None
    """Schedule lag at 30 000 requests/s against the null server, median over runs."""
    lag_gaps: Mapping[str, int] | None = None
    """How often the lag exceeded a millisecond in those runs, by cause."""
    gateways: Mapping[str, float | None] | None = None
    """By variant the capacity that the engine finds over what `wrk -t1` finds; None without wrk."""


def calibrate(runs: int, seconds: float, say: Say) -> Calibration:
    """Measure everything, keep it, and give it.

    Parameters
    ----------
    runs
        Interleaved runs of each generator.
    seconds
        Length of each.
    say
        Told what is about to be measured.

    Raises
    ------
    ToolchainMissing
        There is no C compiler for the null server.
    LoadFailed
        A generator failed.
    """
    rig = Rig.split(1)
    peers = ("wrk",) if generators.has_wrk() else ()
    if not peers:
        say("wrk is not on this machine, so there is no ratio to it. Install it with: apt-get install wrk")
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="calibrate-") as name:
        folder = Path(name)
        say(f"Null server: engine, {''.join(f'{peer}, ' for peer in peers)}FastHttpUser, {runs} runs each")
        with KnownServer(cpus=rig.gateway_cpus) as server:
            found["null"] = _interleaved(
                ("engine", *peers, "fasthttp"), server.host, rig, folder / "null", runs, seconds
            )
            say(f"Schedule lag at {LAG_RATE_PER_S} requests/s")
            lag_p99_us, causes = _lag(server.host, rig, folder / "lag", seconds=max(seconds, 3.0))
        for variant in contract.prepare_able(VARIANTS, say):
            say(f"{variant}: engine{''.join(f', {peer}' for peer in peers)}, {runs} runs each")
            with _warm_gateway(variant, rig, folder) as host:
                found[variant] = _interleaved(("engine", *peers), host, rig, folder / variant, runs, seconds)
    return _keep(
        Calibration(
            made_at=_now(), machine=certificate.this_machine(), code=certificate.code("load"), workers=1,
            ceiling_rps=round(statistics.median(found["null"]["engine"]), 1), runs=found,
            wrk_ratio=_ratio(found["null"], "wrk"), fasthttp_ratio=_ratio(found["null"], "fasthttp"),
            lag_p99_us=lag_p99_us, lag_gaps=causes,
            gateways={name: _ratio(of, "wrk") for name, of in found.items() if name != "null"},
        )
    )  # fmt: skip


def ceiling_today(rig: Rig, workers: int, say: Say) -> float:
    """Give the generator's ceiling in requests/s, measured in a few seconds when nobody has measured it today.

    Raises as `calibrate` does.
    """
    known = stored()
    if known is not None and known["workers"] == workers:
        return known["ceiling_rps"]
    say("Measuring what the load generator can do at all on this machine today")
    with tempfile.TemporaryDirectory(prefix="calibrate-") as name, KnownServer(cpus=rig.gateway_cpus) as server:
        rates = []
        for run in range(_SHORT_RUNS):
            own = _own(Path(name), f"{run}")
            rates.append(generators.engine(server.host, rig, _SHORT_S, own, workers))
    made = Calibration(
        made_at=_now(), machine=certificate.this_machine(), code=certificate.code("load"), workers=workers,
        ceiling_rps=round(statistics.median(rates), 1), runs={"null": {"engine": rates}},
    )  # fmt: skip
    return _keep(made).ceiling_rps


def stored() -> dict[str, Any] | None:
    """Give today's calibration of this machine and this code, as its JSON values; None when there is none."""
    said = certificate.kept(_FILE)
    if said is None or said["made_at"][:10] != _now()[:10]:
        return None
    same = said["machine"] == certificate.this_machine() and said["code"] == certificate.code("load")
    return said if same else None


def _keep(made: Calibration) -> Calibration:
    certificate.keep(_FILE, asdict(made))
    return made


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _interleaved(
    names: tuple[str, ...], host: str, rig: Rig, folder: Path, runs: int, seconds: float
) -> dict[str, list[float]]:
    """Give the requests/s of some generators, run by run, each time in another order."""
    folder.mkdir()
    found: dict[str, list[float]] = {name: [] for name in names}
    for run in range(runs):
        turn = run % len(names)
        for name in names[turn:] + names[:turn]:
            time.sleep(_BETWEEN_S)
            saturate: generators.Saturate = getattr(generators, name)
            found[name].append(round(saturate(host, rig, seconds, _own(folder, f"{run}-{name}")), 1))
    return found


def _lag(host: str, rig: Rig, folder: Path, seconds: float, runs: int = 3) -> tuple[float, dict[str, int]]:
    """Give the 99th percentile of the schedule lag in microseconds, median over runs, and the causes of gaps."""
    folder.mkdir()
    lags, causes = [], Counter()
    for run in range(runs):
        own = _own(folder, f"{run}")
        with MachineSampler() as machine:
            generator = generators.drive(
                "EngineOpenLoop",
                host,
                rig,
                own,
                seconds + _LAG_LEAD_S,
                "--rate",
                f"{LAG_RATE_PER_S}",
                "--seed",
                f"{run}",
            )
        driven = read(generator)
        counted = driven.after(_LAG_LEAD_S) & ~driven.queued
        lags.append(float(np.percentile((driven.sent_ns - driven.intended_ns)[counted], 99)) / 1e3)
        told = gaps.table(generator.samples, machine.table(), "lag", {})
        late = told["due_ns"].to_numpy() >= driven.began_ns + _LAG_LEAD_S * 1e9
        causes.update(cause for cause, counts in zip(told["cause"].to_pylist(), late, strict=True) if counts)
    return round(statistics.median(lags), 1), dict(causes)


@contextmanager
def _warm_gateway(name: str, rig: Rig, folder: Path) -> Iterator[str]:
    """Give the address of a gateway that has been under full load for as long as its runtime needs."""
    variant = registry.variant(name)
    settings = Settings(port=free_port(), folder=_own(folder, f"gateway-{name}"), cpus=rig.gateway_cpus, meters=False)
    with GatewayProcess(variant, settings) as gateway:
        gateway.wait_ready()
        host = f"http://{gateway.host}:{gateway.port}"
        seconds = _WARM_UP_S.get(variant.gateway.runtime, _WARM_UP_OTHERS_S)
        generators.engine(host, rig, seconds, _own(folder, f"warm-{name}"))
        yield host


def _ratio(found: Mapping[str, list[float]], peer: str) -> float | None:
    if peer not in found:
        return None
    return round(statistics.median(found["engine"]) / statistics.median(found[peer]), 3)


def _own(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    return path
