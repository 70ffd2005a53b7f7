"""The load engine beside `wrk -t1` and Locust's FastHttpUser on the same gateway: `python -m bench.selfbench`.

Closed loop, the same small request, the same pinned processors, interleaved so that a noisy machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import campaign, children, paths
from bench.errors import BenchError, LoadFailed
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.load import spool
from bench.load.generator import Generator, Order
from bench.load.traffic import ONE_BODY
from bench.rig import Rig

_CONNECTIONS = 64
_START_S = 40.0
"""How long Locust may take to start and to end, beside the load itself."""
_LOCUSTFILE = paths.SCENARIOS / "_one_request.py"
_WRK_SCRIPT = """wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{body}]]
"""


def engine(host: str, rig: Rig, seconds: float, folder: Path) -> float:
    """Give the requests/s of the engine."""
    samples = _locust(
        "EngineClosedLoop", host, rig, folder, seconds, "--duration", seconds, "--connections", _CONNECTIONS
    )
    (summary,) = spool.read_summaries(samples)
    return summary.rows / ((summary.ended_ns - summary.began_ns) / 1e9)


def fasthttp(host: str, rig: Rig, seconds: float, folder: Path) -> float:
    """Give the requests/s of Locust's FastHttpUser, from the second after all its users were there."""
    said = folder / "said"
    _locust(
        "FastHttpClosedLoop", host, rig, folder, seconds, "--users", _CONNECTIONS, "--spawn-rate", 10_000, "--run-time",
        f"{seconds:g}s", "--reset-stats", "--json-file", said,
    )  # fmt: skip
    (entry,) = json.loads(said.with_suffix(".json").read_text())
    return entry["num_requests"] / (entry["last_request_timestamp"] - entry["start_time"])


def wrk(host: str, rig: Rig, seconds: float, folder: Path) -> float:
    """Give the requests/s of `wrk -t1`."""
    script = folder / "one.lua"
    script.write_text(_WRK_SCRIPT.format(body=ONE_BODY.decode()))
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{seconds:g}s", "-s", script, f"{host}/route"]
    process = children.spawn(command, cpus=rig.generator_cpus, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate()[0].decode()
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not found or "Non-2xx" in said:
        raise LoadFailed(f"wrk failed:\n{said}")
    return float(found.group(1))


def _locust(user: str, host: str, rig: Rig, folder: Path, seconds: float, *options: object) -> Path:
    """Run one user class to its end; gives the folder of its samples."""
    order = Order(_LOCUSTFILE, host, tuple(map(str, options)), user=user)
    with Generator(order, folder, rig.generator_cpus) as generator:
        generator.wait(seconds + _START_S)
    return generator.samples


GENERATORS: dict[str, Callable[[str, Rig, float, Path], float]] = {"engine": engine, "wrk": wrk, "fasthttp": fasthttp}


def compare(variant: str, runs: int, seconds: float) -> dict[str, list[float]]:
    """Give the requests/s of every generator on one gateway, run by run."""
    if not shutil.which("wrk"):
        raise BenchError("wrk is not on this machine. Install it with: apt-get install wrk")
    campaign.prepare((variant,), lambda sentence: None)
    rig = Rig.split(1)
    found: dict[str, list[float]] = {name: [] for name in GENERATORS}
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(port=free_port(), folder=Path(folder), cpus=rig.gateway_cpus, meters=False)
        with GatewayProcess(registry.variant(variant), settings) as gateway:
            gateway.wait_ready()
            host = f"http://{gateway.host}:{gateway.port}"
            wrk(host, rig, 3, Path(folder))  # warms the gateway up
            for run in range(runs):
                for name in list(GENERATORS)[run % 3 :] + list(GENERATORS)[: run % 3]:
                    own = Path(folder) / f"{run}-{name}"
                    own.mkdir()
                    time.sleep(0.5)
                    found[name].append(GENERATORS[name](host, rig, seconds, own))
    return found


def main() -> None:
    """Print every run, the medians and the ratios as JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--variant", default="go")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=5.0)
    options = arguments.parse_args()
    found = compare(options.variant, options.runs, options.seconds)
    median = {name: statistics.median(rates) for name, rates in found.items()}
    print(json.dumps({
        "variant": options.variant,
        "requests_per_s": {name: [round(rate) for rate in rates] for name, rates in found.items()},
        "median": {name: round(rate) for name, rate in median.items()},
        "engine_over_wrk": round(median["engine"] / median["wrk"], 3),
        "engine_over_fasthttp": round(median["engine"] / median["fasthttp"], 2),
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
