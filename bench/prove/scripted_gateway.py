"""A gateway whose outages are known: a process that serves on a timeline and writes down when its port really opened and closed.

Lest its outages mix with those of a busy machine, it runs before everything else where that is allowed, and answers in
10 ms, beside which a few more are little.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from bench import children
from bench.gateways.process import free_port

_SOURCE = """
import asyncio, json, os, sys, time

try:
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
except PermissionError:
    pass

async def main(port, truth, begin_ns, timeline):
    # timeline: [[from_s, to_s, delay_s] ...]; the port stays open between spans that meet, and for ever after null
    delay, open_connections = 0.0, set()
    answer = b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}"

    async def serve(reader, writer):
        open_connections.add(writer)
        try:
            while await reader.readuntil(b"\\r\\n\\r\\n"):
                await asyncio.sleep(delay)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            open_connections.discard(writer)
            writer.close()

    async def until(second):
        await asyncio.sleep((begin_ns + second * 1e9 - time.monotonic_ns()) / 1e9)

    def note(what):
        with open(truth, "a") as file:
            file.write(json.dumps([what, time.monotonic_ns()]) + "\\n")

    server = None
    following = [span[0] for span in timeline[1:]] + [None]
    for (begins, ends, delay), next_begins in zip(timeline, following):
        await until(begins)
        if server is None:
            server = await asyncio.start_server(serve, "127.0.0.1", port, reuse_address=True)
        note("open")
        await until(1e6 if ends is None else ends)
        if next_begins != ends:
            note("close")
            server.close()
            for writer in list(open_connections):
                writer.transport.abort()
            server = None

asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])))
"""

Timeline = list[tuple[float, float | None, float]]
"""Spans in seconds after the process' creation, [from, to), and how long each answer takes in them; None: for ever."""
QUICK_S, SLOW_S = 0.01, 0.1
ALWAYS: Timeline = [(0, None, QUICK_S)]
NEVER: Timeline = [(1000, None, QUICK_S)]


class ScriptedGateway:
    """Starts processes on one port: the first serves, the next crash at once, the last follows its timeline.

    Parameters
    ----------
    folder
        Where it writes down what its port did.
    after_restart
        What the last process does.
    crashes
        How many processes end at once before it.
    """

    def __init__(self, folder: Path, after_restart: Timeline, crashes: int = 0) -> None:
        self.port = free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        self._truth = folder / "truth.jsonl"
        self._after_restart = after_restart
        self._crashes = crashes

    def start(self) -> subprocess.Popen[bytes]:
        """Create the next process."""
        if 0 < len(self.processes) <= self._crashes:
            command = [sys.executable, "-I", "-S", "-c", "raise SystemExit(1)"]
        else:
            timeline = self._after_restart if self.processes else ALWAYS
            arguments = [str(self.port), str(self._truth), str(time.monotonic_ns()), json.dumps(timeline)]
            command = [sys.executable, "-I", "-S", "-c", _SOURCE, *arguments]
        self.processes.append(children.spawn(command))
        return self.processes[-1]

    def instants(self, what: str) -> list[int]:
        """Give when the port really opened, or closed (`open`, `close`), after the first process' opening; ns."""
        noted = [json.loads(line) for line in self._truth.read_text().splitlines()]
        return [instant for name, instant in noted[1:] if name == what]
