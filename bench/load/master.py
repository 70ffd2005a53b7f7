"""The master's side of a load with several workers: numbers, one instant to begin, and an end when all have finished.

Locust's master moves users between workers when one leaves or comes back; an engine cannot be moved, and a load whose
workers changed is invalid anyway. So each worker gets one engine, for good, and every change among them is written down.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import psutil
from locust import User
from locust.dispatch import UsersDispatcher
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner, WorkerNode

from bench.load import crew
from bench.load.account import CHANGES_FILE, MASTER_FILE
from bench.load.clock import clock_id

_LEAD_NS = 250_000_000
"""From the instant at which the last worker is ready to the one at which all begin: the message must be there."""
_LOOK_S = 0.2
_STOP_S = 10.0
"""How long workers may take to stop when the load is cut short."""
_NS = 1_000_000_000
_log = logging.getLogger(__name__)


class OneEach(UsersDispatcher):
    """Gives every worker one user of each class, whatever number is asked for, and never moves one."""

    def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
        super().__init__(worker_nodes, user_classes)
        self._due = False
        self._one_each = {node.id: {cls.__name__: 1 for cls in user_classes} for node in worker_nodes}

    def new_dispatch(
        self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None
    ) -> None:
        """Take the order to spawn."""
        self._due = True

    def __next__(self) -> dict[str, dict[str, int]]:
        """Give all users at once."""
        if not self._due:
            raise StopIteration
        self._due = False
        return {worker: dict(users) for worker, users in self._one_each.items()}

    def add_worker(self, worker_node: WorkerNode) -> None:
        """Leave a worker that comes later without users."""

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """Leave the users of a worker that went where they are: it may come back."""


@dataclass
class _Worker:
    """What the master knows of one worker."""

    number: int
    pid: int | None = None
    """Its process id, where it means the same here."""
    joined: bool = False
    ready: bool = False
    done: bool = False
    """It has finished or failed."""
    gone: bool = False
    """It will not finish."""
    missing_since: float | None = None


class Master:
    """Listens to Locust's master and to the workers' messages; made once a process."""

    def __init__(self, environment: Environment, runner: MasterRunner) -> None:
        self._environment = environment
        self._runner = runner
        self._workers: dict[str, _Worker] = {}
        self._began_ns: int | None = None
        self._ended = True
        options = environment.parsed_options
        if all(getattr(user_class, "one_each", False) for user_class in environment.user_classes):
            environment.dispatcher_class = OneEach
            options.num_users = options.spawn_rate = max(options.expect_workers, 1)
        self._patience_s: float = options.patience
        self._folder = Path(folder) if (folder := options.account or options.samples) else None
        runner.register_message(crew.JOIN, self._on(self._join))
        runner.register_message(crew.CLOCK, self._on(self._tell_time))
        runner.register_message(crew.READY, self._on(self._note_ready))
        runner.register_message(crew.FINISHED, self._on(self._note_finished))
        runner.register_message(crew.FAILED, self._on(self._note_failed))
        environment.events.test_start.add_listener(self._start)
        environment.events.test_stopping.add_listener(self._stop)
        environment.events.worker_connect.add_listener(self._note_connect)

    # --- what workers say ---------------------------------------------------------------------------------------------

    def _on(self, react: Callable[[str, _Worker, dict[str, Any]], None]) -> Callable[..., None]:
        def listen(environment: Environment, msg: Any) -> None:
            # One that came during the load has no part in it, and gets no answer.
            if msg.node_id in self._workers:
                react(msg.node_id, self._workers[msg.node_id], msg.data or {})

        return listen

    def _join(self, client: str, worker: _Worker, said: dict[str, Any]) -> None:
        worker.joined = True
        if said["processes"] == crew.process_space():
            worker.pid = said["pid"]
        order = {
            "worker": worker.number,
            "workers": len(self._workers),
            "clock": clock_id(),
            "processes": crew.process_space(),
            "tokens": self._tokens() if said["wants_tokens"] else None,
        }
        self._runner.send_message(crew.ORDER, order, client)

    def _tokens(self) -> str | None:
        """Give the text of the tokens file; None when it cannot be read here either, of which the worker will complain."""
        try:
            return Path(self._environment.parsed_options.tokens).read_text()
        except OSError:
            return None

    def _tell_time(self, client: str, worker: _Worker, said: dict[str, Any]) -> None:
        self._runner.send_message(crew.CLOCK, {"now_ns": time.monotonic_ns()}, client)

    def _note_ready(self, client: str, worker: _Worker, said: dict[str, Any]) -> None:
        worker.ready = True
        self._begin_if_all_are_ready()

    def _note_finished(self, client: str, worker: _Worker, said: dict[str, Any]) -> None:
        self._note_done(worker)
        self._end_if_all_are_done()

    def _note_failed(self, client: str, worker: _Worker, said: dict[str, Any]) -> None:
        self._note_done(worker)
        self._environment.process_exit_code = 1
        _log.error("Worker %s failed: %s", worker.number, said["why"])
        self._change(f"worker {worker.number} failed: {said['why']}")
        if self._began_ns is None:
            # Without one of them there is no load to begin.
            gevent.spawn(self._end)
        self._end_if_all_are_done()

    def _note_done(self, worker: _Worker) -> None:
        worker.done = True
        if worker.missing_since is not None:
            # It was frozen past its end, and had only this left to say.
            self._note_return(worker)

    # --- beginning and end --------------------------------------------------------------------------------------------

    def _start(self, environment: Environment, **_: object) -> None:
        runner = self._runner
        nodes = [*runner.clients.ready, *runner.clients.running, *runner.clients.spawning]
        nodes.sort(key=lambda node: runner.get_worker_index(node.id))
        self._workers = {node.id: _Worker(number) for number, node in enumerate(nodes)}
        self._began_ns = None
        self._ended = False
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in (CHANGES_FILE, MASTER_FILE):
                (self._folder / left).unlink(missing_ok=True)
        gevent.spawn(self._watch)

    def _begin_if_all_are_ready(self) -> None:
        present = [worker for worker in self._workers.values() if not worker.gone]
        if self._began_ns is None and present and all(worker.ready for worker in present):
            self._began_ns = time.monotonic_ns() + _LEAD_NS
            for client in self._workers:
                self._runner.send_message(crew.BEGIN, {"begin_ns": self._began_ns}, client)

    def _end_if_all_are_done(self) -> None:
        if not self._ended and all(worker.done or worker.gone for worker in self._workers.values()):
            gevent.spawn(self._end)

    def _end(self) -> None:
        """End the test: Locust calls `_stop` first."""
        if self._environment.parsed_options.headless:
            self._runner.quit()
        else:
            self._runner.stop()

    def _stop(self, environment: Environment, **_: object) -> None:
        """Let every worker write down what it has; Locust would kill them, and wait half a second for statistics."""
        if self._ended:
            return
        self._ended = True
        engaged = {client: worker for client, worker in self._workers.items() if worker.joined}
        for client, worker in engaged.items():
            if not worker.done:
                self._runner.send_message(crew.STOP, None, client)
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline and any(not (w.done or w.gone) for w in engaged.values()):
            gevent.sleep(_LOOK_S / 10)
            self._look()
        for worker in engaged.values():
            if not (worker.done or worker.gone):
                self._change(f"worker {worker.number} did not stop within {_STOP_S:g} s when the load was ended")
        if engaged:
            self._write_account()

    def _write_account(self) -> None:
        if self._folder is None:
            return
        said = {
            "locust_count": self._runner.stats.total.num_requests,
            "workers": len(self._workers),
            "finished": [worker.number for worker in self._workers.values() if worker.done],
            "began_ns": self._began_ns,
        }
        unfinished = self._folder / f"{MASTER_FILE}.tmp"
        unfinished.write_text(json.dumps(said))
        unfinished.rename(self._folder / MASTER_FILE)

    # --- changes among the workers ------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._ended:
            gevent.sleep(_LOOK_S)
            self._look()
            self._begin_if_all_are_ready()
            self._end_if_all_are_done()

    def _look(self) -> None:
        for client, worker in self._workers.items():
            if not (worker.done or worker.gone):
                self._look_at(client, worker)

    def _look_at(self, client: str, worker: _Worker) -> None:
        node = self._runner.clients.get(client)
        if worker.pid is not None and not _lives(worker.pid):
            worker.gone = True
            self._change(f"worker {worker.number} ended before it had finished")
        elif node is None:
            worker.gone = True
            self._change(f"worker {worker.number} left before it had finished")
        elif node.state == STATE_MISSING and worker.missing_since is None:
            worker.missing_since = time.monotonic()
            self._change(f"worker {worker.number} went missing: no heartbeat came from it")
        elif node.state == STATE_MISSING and time.monotonic() - worker.missing_since > self._patience_s:
            worker.gone = True
            self._change(f"worker {worker.number} was missing for {self._patience_s:g} s and was given up")
        elif node.state != STATE_MISSING and worker.missing_since is not None:
            self._note_return(worker)

    def _note_return(self, worker: _Worker) -> None:
        worker.missing_since = None
        self._change(f"worker {worker.number} came back")

    def _note_connect(self, client_id: str, **_: object) -> None:
        if not self._ended and client_id not in self._workers:
            self._change("a worker joined during the load and got no part of it")

    def _change(self, what: str) -> None:
        began = self._began_ns
        when = "" if began is None else f" ({(time.monotonic_ns() - began) / _NS:.1f} s after the load began)"
        _log.warning("%s%s", what, when)
        if self._folder is not None:
            with (self._folder / CHANGES_FILE).open("a") as changes:
                changes.write(f"{what}{when}\n")


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
