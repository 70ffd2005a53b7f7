"""Proof by a witness outside of the runtime: the kernel's tracer counts the stops that the runtime tells of.

HotSpot carries static probes around every operation of its VM thread; Go's two functions that stop and start the world can
be probed at their entry (never at their return, which corrupts Go's moving stacks). bpftrace prints their instants on
CLOCK_MONOTONIC. It needs root and a kernel with uprobes: where it cannot run, these proofs are left out with the reason.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import children
from bench.errors import MeterFailed
from bench.prove.certificate import Proof
from bench.prove.subject import Subject

COLLECTIONS = 10
_ATTACH_S = 30.0
_END_S = 10.0
_READY = "attached"
_LINE = re.compile(r"(\d+) (begin|end) ?(.*)")
_HANDSHAKE = re.compile(r"Handshake|ZMarkFlush|Rendezvous")
"""Operations of the VM thread that meet one thread at a time: no safepoint."""
_SETTLE_S = 0.3


def unable(runtime: str) -> str | None:
    """Say why the kernel's tracer cannot be the witness here; None when it can."""
    if runtime not in ("go", "java"):
        return f"nothing in {runtime} that stops it can be probed"
    if shutil.which("bpftrace") is None:
        return "bpftrace is not on this machine (apt-get install bpftrace)"
    if os.geteuid() != 0:
        return "bpftrace needs root"
    tried = subprocess.run(["bpftrace", "-e", "BEGIN { exit(); }"], capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"bpftrace fails on this kernel: {tried.stderr.strip()[-200:]}"


def prove(name: str, folder: Path, cpus: Collection[int]) -> list[Proof]:
    """Give the proofs for one variant that `unable` allows.

    Raises
    ------
    MeterFailed
        bpftrace did not attach.
    """
    with Subject(name, folder, cpus) as subject:
        trace = folder / "bpftrace.txt"
        with _traced(subject, trace):
            since_ns = time.monotonic_ns()
            said = subject.ask(f"/__truth/gc?n={COLLECTIONS}")
            time.sleep(_SETTLE_S)
            until_ns = time.monotonic_ns()
    operations = [op for op in _operations(trace) if since_ns <= op[1] <= until_ns]
    if subject.runtime == "go":
        counted = [
            sum(span["start_ns"] <= begin <= span["end_ns"] for begin, _, _ in operations)
            for span in said["collections"]
        ]
        return [
            Proof.at_least(
                f"{name}:kernel_stops_a_collection", 2.0, float(min(counted)),
                "stops of the world that the kernel saw within a forced collection; the fewest of all",
            )
        ]  # fmt: skip
    rows = subject.rows()
    logged = rows[(rows["source"] == "jul_safepoint") & rows["end_ns"].between(since_ns, until_ns)]
    inside = [
        begin >= row.end_ns - row.dur_hi_ns - row.alignment_error_ns and end <= row.end_ns
        for row, (begin, end, _) in zip(logged.itertuples(), operations, strict=False)
    ]
    return [
        Proof.near(
            f"{name}:kernel_safepoints", float(len(operations)), float(len(logged)), 0.0,
            "safepoint operations that HotSpot's own probes told the kernel, and safepoints in the log",
        ),
        Proof.near(
            f"{name}:kernel_operations_within", float(len(operations)), float(sum(inside)), 0.0,
            "operations whose beginning and end, by the kernel, lie within the safepoint that the log tells",
        ),
    ]  # fmt: skip


@contextmanager
def _traced(subject: Subject, into: Path) -> Iterator[None]:
    begin, end = _probes(subject)
    named = '"%lld begin %s\\n", nsecs, str(arg0, arg1)' if subject.runtime == "java" else '"%lld begin\\n", nsecs'
    program = (
        f'{begin} {{ printf({named}); }} {end} {{ printf("%lld end\\n", nsecs); }} BEGIN {{ printf("{_READY}\\n"); }}'
    )
    with into.open("wb") as out:
        tracer = children.spawn(
            ["bpftrace", "-p", f"{subject.pid}", "-e", program], stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait_attached(tracer, into)
        yield
        tracer.send_signal(signal.SIGINT)
        tracer.wait(_END_S)
    finally:
        children.stop(tracer, _END_S)


def _probes(subject: Subject) -> tuple[str, str]:
    if subject.runtime == "go":
        program = Path(f"/proc/{subject.pid}/exe").readlink()
        return f"uprobe:{program}:runtime.stopTheWorldWithSema", f"uprobe:{program}:runtime.startTheWorldWithSema"
    mapped = Path(f"/proc/{subject.pid}/maps").read_text().splitlines()
    library = next(line.split(maxsplit=5)[5] for line in mapped if line.endswith("/libjvm.so"))
    return f"usdt:{library}:hotspot:vmops__begin", f"usdt:{library}:hotspot:vmops__end"


def _wait_attached(tracer: subprocess.Popen[bytes], into: Path) -> None:
    deadline = time.monotonic() + _ATTACH_S
    while time.monotonic() < deadline and tracer.poll() is None:
        if _READY in into.read_text():
            return
        time.sleep(0.05)
    raise MeterFailed(f"bpftrace did not attach: {into.read_text().strip()[-400:]}")


def _operations(trace: Path) -> list[tuple[int, int, str]]:
    """Give beginning, end and name of each operation that stops all threads."""
    found, begun = [], None
    for line in trace.read_text().splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        if match[2] == "begin":
            begun = int(match[1]), match[3]
        elif begun is not None:
            if not _HANDSHAKE.search(begun[1]):
                found.append((begun[0], int(match[1]), begun[1]))
            begun = None
    return found
