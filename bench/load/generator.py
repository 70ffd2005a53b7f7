"""The load generator as processes: one Locust, or Locust's master and its workers, started, watched and ended here.

Locust's `--processes` is not used: its parent neither waits for its children nor tells which of them died.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

from bench import children, paths
from bench.errors import DiskFull, LoadFailed
from bench.gateways.process import free_port
from bench.load import account, samples, spool
from bench.load.account import Account

LOG = "locust.log"
START_S = 40.0
"""How long Locust may take to start and to end, beside the load itself: what `Generator.wait` is given on top of it."""
_LOOPBACK = "127.0.0.1"
_LAST_LINES = 15
_LEAST_FREE_BYTES = 1 << 16
_POLL_S = 0.05
"""It runs on a processor of the generator: more often would be lag."""
_GRACE_S = 2.0
"""How long Locust may take to end when it is told to."""
_LINGER_S = 0.5
"""The same for one whose rows are here: it has nothing to say any more."""
_FAREWELL_S = 5.0
"""The same for a master that has workers on other machines to tell that it is over."""
_CONNECT_S = 60
"""How long the master waits for its workers to come."""
_CONNECT_ELSEWHERE_S = 600
"""The same where somebody has to start them on other machines."""
_MARKERS_S = 20.0
"""How long after Locust's master has ended a worker that still lives may take to write its summary."""


@dataclass(frozen=True)
class Elsewhere:
    """Workers on other machines: somebody starts them there, with `command`."""

    address: str
    """Address of this machine that they reach the master at."""
    port: int
    samples: str
    """URI, or path on storage that all share, where they bring their rows."""

    @classmethod
    def parse(cls, said: str, samples: str | None) -> Elsewhere:
        """Read `ADDRESS:PORT`; raises `LoadFailed` when it is none, or when nobody said where rows go."""
        address, _, port = said.rpartition(":")
        if not address or not port.isdigit() or not 0 < int(port) < 65_536:
            raise LoadFailed(
                f"{said!r} is no address for workers. Give --workers-at ADDRESS:PORT, such as 10.0.0.1:5557."
            )
        if not samples:
            raise LoadFailed(
                "Workers elsewhere need a place for their rows that this machine reads too: give --samples, a URI"
                " (s3://bucket/folder, gs://, hdfs://, file://) or a path on shared storage."
            )
        return cls(address, int(port), samples)

    @property
    def command(self) -> str:
        """What to run on every machine that is to be a worker, in a checkout of the same version."""
        return f"python -m bench.load.worker --master-host {self.address} --master-port {self.port}"

    def under(self, name: str) -> Elsewhere:
        """Give the same with a place for rows of its own, that nothing else has written to."""
        base, question, options = self.samples.partition("?")
        return replace(self, samples=f"{base.rstrip('/')}/{name}-{secrets.token_hex(4)}{question}{options}")


@dataclass(frozen=True)
class Order:
    """What a load generator is to do."""

    locustfile: Path
    host: str
    """Address to load, `http://127.0.0.1:8080`."""
    options: tuple[str, ...] = ()
    """Locust's options and the engine's, but those of this class."""
    user: str | None = None
    """User class of the locustfile; None: all."""
    workers: int = 1
    """Processes that share the load: one is a Locust of its own, several have a master."""
    elsewhere: Elsewhere | None = None
    """Where the workers are not started here: the master alone is, and it waits for them."""


class Generator:
    """A started load generator. As a context manager it is killed at the end, whatever happens.

    Parameters
    ----------
    order
        What to do.
    folder
        Where `locust.log` and the folder of the samples go; must exist.
    cpus
        Processors to pin it to: a worker each where there are enough; empty: not pinned.
    """

    def __init__(self, order: Order, folder: Path, cpus: Collection[int] = ()) -> None:
        self.order = order
        self.samples = folder / "samples"
        """Folder with the rows and summaries of the workers."""
        self._log = folder / LOG
        self._cpus = sorted(cpus)
        self.samples.mkdir(exist_ok=True)
        if order.workers < 1:
            raise LoadFailed(f"{order.workers} workers are none. Give --workers 1 or more.")
        self._workers: list[subprocess.Popen[bytes]] = []
        self._master: subprocess.Popen[bytes] | None = None
        self._master_ended: float | None = None
        self._ends_by_itself = False
        try:
            if order.elsewhere is not None:
                self._start_master(order.elsewhere.address, order.elsewhere.port, _CONNECT_ELSEWHERE_S)
            elif order.workers == 1:
                self._workers.append(self._spawn(self._options(), self._cpus))
            else:
                self._start_many()
        except BaseException:
            self.stop()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run on this machine."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def main_pid(self) -> int:
        """Process id of the Locust that a signal to end the load goes to: the master, or the only one."""
        return self._processes()[-1].pid

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def wait(self, within_s: float, watch: Callable[[], None] = lambda: None) -> None:
        """Wait until every worker has written its summary or has ended: for the rows, not for Locust's exit.

        Users that write no rows, Locust's own, are waited for until they exit.

        Parameters
        ----------
        within_s
            How long the load may take; where workers are elsewhere, from the instant at which they could have come.
        watch
            Called between polls; what it raises ends the waiting.

        Raises
        ------
        LoadFailed
            Locust failed, no worker finished, or the load did not end in time. The message holds the log's last lines.
        DiskFull
            The same, because there is no room on the disk.
        """
        deadline = time.monotonic() + within_s + (_CONNECT_ELSEWHERE_S if self.order.elsewhere else 0)
        while not self._complete():
            watch()
            if time.monotonic() > deadline:
                raise self._failure(f"The load generator did not end within {within_s:g} s.")
            time.sleep(_POLL_S)
        self._ends_by_itself = True
        if self.order.elsewhere is not None:
            samples.gather(self.order.elsewhere.samples, self.samples)
        if spool.finished(self.samples):
            return
        codes = [process.poll() for process in self._processes()]
        if any(codes) or spool.read_beginnings(self.samples):
            said = ", ".join(f"exit {code}" for code in codes if code is not None)
            raise self._failure(f"The load generator failed ({said}).")

    def account(self) -> Account:
        """Give who drove the load and what they counted."""
        return account.read_account(self.samples, self.order.workers)

    def stop(self, linger_s: float = _LINGER_S) -> None:
        """End every process of it; those that are about to end by themselves get a moment for it."""
        lingering_s = _FAREWELL_S if self.order.elsewhere else linger_s
        deadline = time.monotonic() + (lingering_s if self._ends_by_itself else 0.0)
        while time.monotonic() < deadline and any(process.poll() is None for process in self._processes()):
            time.sleep(_POLL_S)
        for process in self._processes():
            children.stop(process, 0.0 if self._ends_by_itself else _GRACE_S)

    def _processes(self) -> list[subprocess.Popen[bytes]]:
        return [*self._workers, *([self._master] if self._master else [])]

    def _complete(self) -> bool:
        """Tell whether nothing more is to come."""
        if self._died_at_start():
            return True
        running = [process for process in self._processes() if process.poll() is None]
        if not running:
            return True
        if self._master is not None and not self._master_has_ended():
            return False
        if self.order.elsewhere is not None:
            # Each brought its files before it said that it had finished.
            return True
        return len(spool.finished(self.samples)) == self.order.workers or self._given_up()

    def _died_at_start(self) -> bool:
        """Tell whether a worker ended before any began: its master would wait for it."""
        if not any(worker.poll() for worker in self._workers):
            return False
        return not spool.read_beginnings(self.samples)

    def _master_has_ended(self) -> bool:
        ended = (self.samples / account.MASTER_FILE).is_file() or self._master.poll() is not None
        if ended and self._master_ended is None:
            self._master_ended = time.monotonic()
        return ended

    def _given_up(self) -> bool:
        """Tell whether the workers that are left have had their time since the master ended."""
        return self._master_ended is not None and time.monotonic() - self._master_ended > _MARKERS_S

    def _options(self) -> list[str]:
        order = self.order
        # Requests that got no 2xx answer are results and no failure of Locust.
        options = ["--headless", "--only-summary", "--exit-code-on-error", "0", "--host", order.host]
        rows = str(self.samples) if order.elsewhere is None else order.elsewhere.samples
        return [*options, "--samples", rows, "--account", str(self.samples), *order.options]

    def _start_many(self) -> None:
        port = free_port()
        self._start_master(_LOOPBACK, port, _CONNECT_S)
        worker = ["--worker", "--master-host", _LOOPBACK, "--master-port", str(port)]
        for number in range(self.order.workers):
            self._workers.append(self._spawn(worker, self._cpus_of(number)))

    def _start_master(self, address: str, port: int, patience_s: int) -> None:
        master = ["--master", "--master-bind-host", address, "--master-bind-port", str(port)]
        master += ["--expect-workers", str(self.order.workers), "--expect-workers-max-wait", str(patience_s)]
        self._master = self._spawn([*master, *self._options()], self._cpus)

    def _cpus_of(self, number: int) -> list[int]:
        """Give a worker a processor of its own where there are enough: an engine is one thread."""
        return [self._cpus[number]] if len(self._cpus) >= self.order.workers else self._cpus

    def _spawn(self, options: list[str], cpus: Collection[int]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "locust", "-f", str(self.order.locustfile)]
        command += [self.order.user] if self.order.user else []
        with self._log.open("ab") as log:
            return children.spawn([*command, *options], cpus=cpus, cwd=paths.ROOT, stdout=log, stderr=subprocess.STDOUT)

    def _failure(self, what: str) -> LoadFailed | DiskFull:
        """Give the error for what went wrong: with the log's last lines, unless there was no room to write any."""
        if shutil.disk_usage(self._log.parent).free < _LEAST_FREE_BYTES:
            return DiskFull(f"{what} No space left on device: make room, then go on with: bench run --resume")
        lines = self._log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return LoadFailed("\n  ".join([f"{what} Its last lines:", *lines]))
