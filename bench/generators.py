"""Load generators side by side: ours, `wrk -t1` and Locust's FastHttpUser, each saturating a server with the same request.

Closed loop, the same connections, the same pinned processor; what they are compared on is requests a second.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from bench import children, paths
from bench.errors import LoadFailed
from bench.load import spool
from bench.load.generator import START_S, Generator, Order
from bench.load.traffic import HEADERS, ONE_BODY
from bench.rig import Rig

CONNECTIONS = 64
LOCUSTFILE = paths.SCENARIOS / "_one_request.py"
_WRK_SCRIPT = """wrk.method = "POST"
{headers}
wrk.body = [[{body}]]
"""

Saturate = Callable[[str, Rig, float, Path], float]
"""Gets host, rig, seconds and a folder of its own; gives requests/s."""


def engine(host: str, rig: Rig, seconds: float, folder: Path, workers: int = 1) -> float:
    """Give the requests/s of our engine."""
    samples = drive("EngineClosedLoop", host, rig, folder, seconds, workers=workers).samples
    said = spool.read_summaries(samples)
    return sum(summary.rows / ((summary.ended_ns - summary.began_ns) / 1e9) for summary in said)


def fasthttp(host: str, rig: Rig, seconds: float, folder: Path) -> float:
    """Give the requests/s of Locust's FastHttpUser, from the second after all its users were there."""
    said = folder / "said"
    order = Order(
        LOCUSTFILE, host, user="FastHttpClosedLoop",
        options=("--users", f"{CONNECTIONS}", "--spawn-rate", "10000", "--run-time", f"{seconds:g}s", "--reset-stats",
                 "--json-file", f"{said}"),
    )  # fmt: skip
    with Generator(order, folder, rig.generator_cpus) as generator:
        generator.wait(seconds + START_S)
    (entry,) = json.loads(said.with_suffix(".json").read_text())
    return entry["num_requests"] / (entry["last_request_timestamp"] - entry["start_time"])


def wrk(host: str, rig: Rig, seconds: float, folder: Path) -> float:
    """Give the requests/s of `wrk -t1`."""
    script = folder / "one.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in HEADERS.items())
    script.write_text(_WRK_SCRIPT.format(headers=headers, body=ONE_BODY.decode()))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "-s", script, f"{host}/route"]
    process = children.spawn(command, cpus=rig.generator_cpus, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate()[0].decode()
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not found or "Non-2xx" in said:
        raise LoadFailed(f"wrk failed:\n{said}")
    return float(found.group(1))


def has_wrk() -> bool:
    """Tell whether wrk is on this machine."""
    return shutil.which("wrk") is not None


def drive(user: str, host: str, rig: Rig, folder: Path, seconds: float, *options: str, workers: int = 1) -> Generator:
    """Run a user class of ours with the one request to its end; gives its generator, which has ended."""
    order = Order(
        LOCUSTFILE, host, user=user, workers=workers,
        options=("--duration", f"{seconds:g}", "--connections", f"{CONNECTIONS}", *options),
    )  # fmt: skip
    with Generator(order, folder, rig.generator_cpus) as generator:
        generator.wait(seconds + START_S)
    return generator
