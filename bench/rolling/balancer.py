"""Envoy as the balancer of instances on this machine: it asks each for its readiness, and says which request it could not pass on.

It retries nothing, so that what an instance loses is seen, and sends nothing to an instance that is not ready, however
few are left.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import children, toolchains
from bench.errors import LoadFailed
from bench.gateways.process import HOST, free_port

CHECK_EVERY_S = 0.1
"""Period of its readiness checks."""
CHECK_TIMEOUT_S = 0.5
NOTICES_WITHIN_S = CHECK_EVERY_S + CHECK_TIMEOUT_S
"""How long an instance that is not ready may still get requests."""
REQUEST_TIMEOUT_S = 5.0
_STARTS_WITHIN_S = 20.0
_LOG = "balancer.jsonl"
_OUT = "balancer.log"
_CLUSTER = "gateways"
_FIRST_SERVER_ERROR = 500
FLAGS = {
    "UF": "no connection to the instance came about",
    "UC": "the instance closed the connection with the request on it",
    "UR": "the instance reset the connection with the request on it",
    "UH": "no instance was ready",
    "UT": "the instance did not answer in time",
    "UPE": "what the instance said was not HTTP",
    "UO": "the balancer had too many requests waiting",
    "DC": "the client closed the connection",
}
"""Envoy's response flags, in words."""
BY_ITSELF = "the instance answered so itself"


class Balancer:
    """A running Envoy. As a context manager it is ended at the end.

    Parameters
    ----------
    ports
        Of all instances that there will ever be; one where nobody listens is not ready.
    folder
        Where its configuration and its logs go; must exist.
    cpus
        Processors to pin it to; empty: not pinned.

    Raises
    ------
    ToolchainMissing
        There is no Envoy here.
    LoadFailed
        It did not start.
    """

    def __init__(self, ports: Sequence[int], folder: Path, cpus: Collection[int] = ()) -> None:
        self.port, self._admin = free_port(), free_port()
        self._ports = tuple(ports)
        self._folder = folder
        # Its times are wall clock.
        self._offset_ns = time.time_ns() - time.monotonic_ns()
        config = folder / "envoy.json"
        config.write_text(json.dumps(_config(self.port, self._admin, ports, folder / _LOG), indent=1))
        envoy = toolchains.find("envoy")
        with (folder / _OUT).open("ab") as out:
            self._process = children.spawn(
                [envoy.path, "--config-path", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"],
                cpus=cpus, cwd=folder, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def __enter__(self) -> Balancer:
        return self

    def __exit__(self, *failure: object) -> None:
        children.stop(self._process, 2.0)

    def wait_for(self, ports: Collection[int], within_s: float = _STARTS_WITHIN_S) -> int:
        """Wait until it sends requests to exactly these instances; gives the instant, CLOCK_MONOTONIC ns."""
        wanted = frozenset(ports)
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.serving() == wanted:
                return time.monotonic_ns()
            time.sleep(0.01)
        raise LoadFailed(
            f"The balancer did not find the instances within {within_s:g} s. It said:\n  {self._last_lines()}"
        )

    def serving(self) -> frozenset[int]:
        """Give the ports of the instances that it sends requests to now; none while it starts."""
        if (code := self._process.poll()) is not None:
            raise LoadFailed(f"The balancer ended with exit code {code}. It said:\n  {self._last_lines()}")
        try:
            with closing(http.client.HTTPConnection(HOST, self._admin, timeout=1.0)) as connection:
                connection.request("GET", "/clusters?format=json")
                said = json.load(connection.getresponse())
        except (OSError, ValueError, http.client.HTTPException):
            return frozenset()
        hosts = [host for cluster in said.get("cluster_statuses", ()) for host in cluster.get("host_statuses", ())]
        # A host without any mark against it has its `eds_health_status` alone.
        return frozenset(
            host["address"]["socket_address"]["port_value"]
            for host in hosts
            if not any(value is True for value in host["health_status"].values())
        )

    def refused(self) -> list[dict[str, Any]]:
        """Give the requests that were answered with a server error: instant, port, status and reason. Call it once it ended."""
        return [self._refused(json.loads(line)) for line in (self._folder / _LOG).read_text().splitlines()]

    def _refused(self, line: dict[str, Any]) -> dict[str, Any]:
        flags = [flag for flag in (line["flags"] or "").split(",") if flag not in ("", "-")]
        _, _, port = (line["upstream"] or "").rpartition(":")
        return {
            "time_ns": round(float(line["time"]) * 1e9) - self._offset_ns,
            "port": int(port) if port.isdigit() else None,
            "status": int(line["status"]),
            "reason": "; ".join(FLAGS.get(flag, f"Envoy's response flag {flag}") for flag in flags) or BY_ITSELF,
        }

    def _last_lines(self) -> str:
        return "\n  ".join((self._folder / _OUT).read_text(errors="replace").splitlines()[-12:]) or "nothing"


def _config(port: int, admin: int, ports: Sequence[int], log: Path) -> dict[str, Any]:
    fields = {
        "time": "%START_TIME(%s.%3f)%", "status": "%RESPONSE_CODE%", "flags": "%RESPONSE_FLAGS%", "upstream": "%UPSTREAM_HOST%",
    }  # fmt: skip
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "gateways",
        "route_config": {
            "virtual_hosts": [{
                "name": "all", "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": _CLUSTER, "timeout": f"{REQUEST_TIMEOUT_S}s"}}],
            }],
        },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
        "access_log": [{
            "name": "envoy.access_loggers.file",
            "filter": {"status_code_filter": {"comparison": {
                "op": "GE", "value": {"default_value": _FIRST_SERVER_ERROR, "runtime_key": "none"},
            }}},
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": str(log), "log_format": {"json_format": fields},
            },
        }],
    }  # fmt: skip
    check = {
        "timeout": f"{CHECK_TIMEOUT_S}s", "interval": f"{CHECK_EVERY_S}s", "no_traffic_interval": f"{CHECK_EVERY_S}s",
        "unhealthy_interval": f"{CHECK_EVERY_S}s", "unhealthy_threshold": 1, "healthy_threshold": 1,
        "http_health_check": {"path": "/readyz"},
    }  # fmt: skip
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [{
                "name": "front", "address": _address(port),
                "filter_chains": [{"filters": [{
                    "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
                }]}],
            }],
            "clusters": [{
                "name": _CLUSTER, "type": "STATIC", "connect_timeout": "1s", "lb_policy": "ROUND_ROBIN",
                "health_checks": [check], "common_lb_config": {
                    # By default it gathers changes for a second before it acts on them.
                    "update_merge_window": "0s", "healthy_panic_threshold": {"value": 0},
                },
                "load_assignment": {"cluster_name": _CLUSTER, "endpoints": [{"lb_endpoints": [
                    {"endpoint": {"address": _address(port)}} for port in ports
                ]}]},
            }],
        },
    }  # fmt: skip


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": HOST, "port_value": port}}
