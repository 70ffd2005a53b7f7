"""What a gateway tells of itself: logs, metrics, its clock and its collections, against what was done to it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.gateways.expect import Difference, differ
from bench.gateways.wire import Answer, Connection, get

if TYPE_CHECKING:
    from bench.gateways.check import Gateway

_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5, float("inf"))
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)(?: \S+)?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_SETTLE_WITHIN_S = 2.0
_COUNTED = (
    ("GET /nowhere", "other", 404),
    ("GET /healthz", "/healthz", 200),
    ("GET /readyz", "/readyz", 200),
    ("GET /info", "/info", 200),
    ("GET /route", "/route", 405),
    ("GET /proxy/catalog/items", "/proxy", 200),
    ("GET /proxy/catalog/status/503", "/proxy", 503),
    ("GET /proxy/nobody", "/proxy", 404),
    ("BREW /route", None, 501),
)
_CLOCK_MEMBERS = {"monotonic_ns", "wall_ns", "uncertainty_ns"}
_HEADER_MEMBERS = {"pid", "go_version", "goexperiment", "gomaxprocs", "gogc", "gomemlimit_bytes"} | _CLOCK_MEMBERS
_SAMPLE_MEMBERS = {"num_gc", "pause_total_ns", "pauses", "metrics", "histograms"} | _CLOCK_MEMBERS
_HISTOGRAMS = {
    "/sched/pauses/stopping/gc:seconds", "/sched/pauses/total/gc:seconds", "/sched/pauses/stopping/other:seconds",
    "/sched/pauses/total/other:seconds", "/sched/latencies:seconds",
}  # fmt: skip

Found = dict[str, list[Difference]]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values of metrics by name and labels."""


def records(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Give the log lines that are JSON objects."""
    found = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def info(gateway: Gateway) -> dict[str, Any]:
    """Give what `/info` says."""
    return json.loads(get(gateway.host, gateway.port, "/info").body)


def check(gateway: Gateway) -> Found:
    """Check a gateway that runs with level info and faults enabled."""
    runtime = info(gateway)["runtime"]
    return {
        "info names the process": _equal("pid", gateway.pid, info(gateway)["pid"]),
        "metrics count every request by endpoint and status": _metrics(gateway),
        "histograms have the contract's buckets": _buckets(gateway),
        "the clock is CLOCK_MONOTONIC": _clock(gateway),
        "block tells when it began and ended": _block(gateway),
        "collections are forced as often as asked": _collections(gateway, runtime),
        "a request's log line carries its trace": _request_line(gateway),
        "every log line is a JSON object with ts, level and msg": _lines(gateway),
        "the listening line names host and port": _listening(gateway),
    }


def _equal(what: str, wanted: object, came: object) -> list[Difference]:
    return [] if wanted == came else [differ(what, wanted, came)]


def _ask(gateway: Gateway, line: str, *headers: str) -> Answer | None:
    with Connection(gateway.host, gateway.port) as connection:
        head = "".join(f"{header}\r\n" for header in ("Host: gateway", *headers))
        connection.send([f"{line} HTTP/1.1\r\n{head}\r\n".encode()])
        return connection.receive(5.0)


def _samples(gateway: Gateway) -> Samples:
    """Give every sample of `/metrics` by its name and labels."""
    return samples(get(gateway.host, gateway.port, "/metrics").body.decode())


def samples(text: str) -> Samples:
    """Give every sample of the Prometheus text format by its name and labels."""
    found = (_SAMPLE.fullmatch(line) for line in text.splitlines() if not line.startswith("#"))
    return {(match[1], frozenset(_LABEL.findall(match[2] or ""))): float(match[3]) for match in found if match}


def _total(told: Samples, endpoint: str | None, status: int) -> float:
    """Sum the requests counted for a status, of one endpoint or of all."""
    labels = {("status", str(status))} | ({("endpoint", endpoint)} if endpoint else set())
    counters = ((own, value) for (name, own), value in told.items() if name == "http_server_requests_total")
    return sum(value for own, value in counters if labels <= own)


def _metrics(gateway: Gateway) -> list[Difference]:
    before = _samples(gateway)
    for line, _, _ in _COUNTED:
        for _ in range(3):
            _ask(gateway, line)
    deadline = time.monotonic() + _SETTLE_WITHIN_S
    while True:
        after = _samples(gateway)
        wrong = [
            differ(f"count of {line} ({status})", "3 more", f"{grown:+g}")
            for line, endpoint, status in _COUNTED
            if (grown := _total(after, endpoint, status) - _total(before, endpoint, status)) != 3
            # Readiness and info are also asked for by whoever watches the gateway.
            and not (grown > 3 and endpoint in ("/readyz", "/healthz", "/info"))
        ]
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(0.02)


def _buckets(gateway: Gateway) -> list[Difference]:
    told = _samples(gateway)
    found = []
    for endpoint in ("/route", "/proxy", "/healthz", "other"):
        of_endpoint = {
            (name, dict(labels).get("le")): value
            for (name, labels), value in told.items()
            if ("endpoint", endpoint) in labels and name.startswith("http_server_request_duration_seconds")
        }
        buckets = {float(le): value for (name, le), value in of_endpoint.items() if name.endswith("_bucket") and le}
        if sorted(buckets) != sorted(_BUCKETS):
            found.append(differ(f"buckets of {endpoint}", list(_BUCKETS), sorted(buckets)))
            continue
        counts = [buckets[le] for le in _BUCKETS]
        count = of_endpoint.get(("http_server_request_duration_seconds_count", None))
        if counts != sorted(counts) or counts[-1] != count:
            found.append(differ(f"buckets of {endpoint}", f"cumulative up to the count {count}", counts))
    return found


def _clock(gateway: Gateway) -> list[Difference]:
    before, wall = time.monotonic_ns(), time.time_ns()
    clock = json.loads(_ask(gateway, "GET /__truth/clock").body)
    after, wall_after = time.monotonic_ns(), time.time_ns()
    found = []
    if not before <= clock["monotonic_ns"] <= after:
        found.append(differ("monotonic_ns", f"between {before} and {after}", clock["monotonic_ns"]))
    # Some runtimes read the wall clock in whole microseconds or milliseconds.
    if not wall - 1_000_000 <= clock["wall_ns"] <= wall_after + 1_000_000:
        found.append(differ("wall_ns", f"between {wall} and {wall_after}", clock["wall_ns"]))
    if not 0 <= clock["uncertainty_ns"] <= (after - before):
        found.append(differ("uncertainty_ns", f"between 0 and {after - before}", clock["uncertainty_ns"]))
    return found


def _spans(spans: list[dict[str, int]], count: int, least_ns: int, begin_ns: int) -> list[Difference]:
    """Check intervals on the monotonic clock: so many, each so long, within the time since `begin_ns`."""
    now = time.monotonic_ns()
    if len(spans) != count:
        return [differ("intervals", count, spans)]
    return [
        differ("interval", f"of at least {least_ns} ns, between {begin_ns} and {now}", span)
        for span in spans
        if not (begin_ns <= span["start_ns"] <= span["end_ns"] <= now and span["end_ns"] - span["start_ns"] >= least_ns)
    ]


def _block(gateway: Gateway) -> list[Difference]:
    begin_ns = time.monotonic_ns()
    said = json.loads(get(gateway.host, gateway.port, "/__fault/block?ms=30", method="POST").body)
    return _spans(said["blocked"], 1, 30_000_000, begin_ns)


def _collections(gateway: Gateway, runtime: str) -> list[Difference]:
    begin_ns = time.monotonic_ns()
    answer = get(gateway.host, gateway.port, "/__truth/gc?n=3", method="POST", within_s=20.0)
    if answer.status != 200:
        return [differ("status", 200, f"{answer.status} {answer.body.decode(errors='replace')}")]
    said = json.loads(answer.body)
    applicable = runtime != "rust"
    in_turn = [ns for span in said["collections"] for ns in (span["start_ns"], span["end_ns"])]
    return [
        *_equal("applicable", applicable, said["applicable"]),
        *_spans(said["collections"], 3 if applicable else 0, 1, begin_ns),
        *([] if in_turn == sorted(in_turn) else [differ("collections", "one after the other", said["collections"])]),
    ]


def _request_line(gateway: Gateway) -> list[Difference]:
    answer = _ask(gateway, "GET /nowhere?x=1", f"traceparent: 00-{_TRACE}-00f067aa0ba902b7-01")
    span = answer.values("traceresponse")[0].split("-")[2]
    wanted = {"msg": "request", "level": "info", "method": "GET", "status": 404, "trace_id": _TRACE, "span_id": span}
    deadline = time.monotonic() + _SETTLE_WITHIN_S
    while time.monotonic() < deadline:
        for record in records(gateway.log_lines()):
            if record.get("span_id") == span:
                timed = isinstance(record.get("duration_us"), int | float)
                whole = timed and str(record.get("path", "")).startswith("/nowhere")
                return [] if whole and wanted.items() <= record.items() else [differ("log line", wanted, record)]
        time.sleep(0.02)
    return [differ("log line", wanted, "none with this span_id")]


def _lines(gateway: Gateway) -> list[Difference]:
    lines = [line for line in gateway.log_lines() if line.strip()]
    for line in lines:
        record = next(iter(records([line])), {})
        if not all(isinstance(record.get(name), str) for name in ("ts", "level", "msg")):
            return [differ("log line", "a JSON object with ts, level and msg", line)]
        moment = datetime.fromisoformat(record["ts"])
        if moment.utcoffset() != timedelta(0):
            return [differ("ts", "RFC 3339 in UTC", record["ts"])]
    return []


def _listening(gateway: Gateway) -> list[Difference]:
    wanted = {"level": "info", "msg": "listening", "host": gateway.host, "port": gateway.port}
    said = [record for record in records(gateway.log_lines()) if record.get("msg") == "listening"]
    return [] if len(said) == 1 and wanted.items() <= said[0].items() else [differ("listening", wanted, said)]


def go_runtime(folder: Path) -> list[Difference]:
    """Check the record that a Go gateway left when it ended."""
    path = folder / "go_runtime.jsonl"
    if not path.exists():
        return [differ(path.name, "a file", "none")]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = [line["kind"] for line in lines]
    if kinds[:1] != ["header"] or len(kinds) < 2 or set(kinds[1:]) != {"sample"}:
        return [differ(path.name, "a header and samples, the last on exit", kinds)]
    first, last = lines[0], lines[-1]
    missing = (
        (_HEADER_MEMBERS - first.keys()) | (_SAMPLE_MEMBERS - last.keys()) | (_HISTOGRAMS - last["histograms"].keys())
    )
    return [differ(path.name, f"the members {sorted(missing)}", "absent")] if missing else []
