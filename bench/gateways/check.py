"""Replaying the contract against a gateway: every vector, and what only a whole life of a process can show."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from bench.gateways import lifecycle, tokens, vectors
from bench.gateways.expect import Difference, differ, judge, judge_upstream
from bench.gateways.upstream import HOST, Upstream
from bench.gateways.vectors import Case, Setup, Step
from bench.gateways.wire import Answer, Connection, Malformed, NoAnswer, Reset

_ANSWER_WITHIN_S = 10.0
_SURPLUS_WITHIN_S = 0.1
_SETTLE_WITHIN_S = 1.0
_HEALTH = {"status": 200, "json": {"status": "ok"}}


class Gateway(Protocol):
    """A started gateway, as the harness gives it."""

    host: str
    port: int

    @property
    def pid(self) -> int:
        """The process id."""

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""

    def wait(self, timeout: float | None = None) -> int:
        """Give the exit code once the process has ended; raises `subprocess.TimeoutExpired` while it lives."""

    def log_lines(self) -> list[str]:
        """Give what it has logged so far."""


Start = Callable[[dict[str, str]], AbstractContextManager[Gateway]]
"""Starts a gateway with these variables over the harness's own and gives it at once, listening or not:
some of the checks want it to fail. An empty value stands for a variable that is missing. With `ENABLE_FAULTS=1`
the variant's `truth_flags` belong to its command. Called from several threads."""


@dataclass(frozen=True)
class CaseResult:
    """What came of one case."""

    name: str
    group: str
    """The concept: the vector file's name, or `lifecycle` or `telemetry`."""
    setup: str
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        """Whether the gateway did as the contract says."""
        return not self.differences

    def __str__(self) -> str:
        verdict = "; ".join(map(str, self.differences)) or "as the contract says"
        return f"{self.group}: {self.name} [{self.setup}]: {verdict}"


def check(start: Start, *, groups: Collection[str] = (), parallel: int = 3) -> list[CaseResult]:
    """Replay the contract against one gateway.

    Parameters
    ----------
    start
        Starts it; see `Start`.
    groups
        Only these; empty: all.
    parallel
        How many gateways may run at the same time, one a setup.

    Returns
    -------
    Every case's result, setup by setup; a gateway that does not start fails all cases of its setup.
    """
    chosen = [case for case in vectors.cases() if not groups or case.group in groups]
    with TemporaryDirectory(prefix="contract-") as folder:
        keys = tokens.keys().environment(Path(folder))
        jobs: list[Callable[[], list[CaseResult]]] = []
        for setup in vectors.setups().values():
            if own := [case for case in chosen if case.setup == setup.name]:
                jobs.append(lambda setup=setup, own=own: _replay(start, keys, setup, own))
        for life in lifecycle.LIVES:
            if not groups or life.group in groups:
                jobs.append(lambda life=life: _live(start, keys, life))
        # The longest first; a worker thread outlives its gateways, which die with the thread that started them.
        with ThreadPoolExecutor(parallel) as workers:
            return [result for results in workers.map(lambda job: job(), jobs) for result in results]


def _live(start: Start, keys: Mapping[str, str], life: lifecycle.Life) -> list[CaseResult]:
    with Upstream() as upstream:
        environment = {"GATEWAY_LIVE_SET_MIB": "1", **keys, "GATEWAY_UPSTREAM": upstream.url}
        found = life.check(lambda env: start(environment | env))
    return [CaseResult(name, life.group, "own", tuple(differences)) for name, differences in found.items()]


def _replay(start: Start, keys: Mapping[str, str], setup: Setup, cases: Collection[Case]) -> list[CaseResult]:
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        refusing = stack.enter_context(_refusing())
        url = upstream.url if setup.upstream == "scripted" else f"http://{refusing}"
        environment = {"GATEWAY_LIVE_SET_MIB": "1", **keys, "GATEWAY_UPSTREAM": url, **setup.env}
        gateway = stack.enter_context(start({k: v for k, v in environment.items() if k not in setup.without}))
        if trouble := lifecycle.wait_ready(gateway):
            return [CaseResult(case.name, case.group, setup.name, (trouble,)) for case in cases]
        return [
            CaseResult(case.name, case.group, setup.name, tuple(_Replay(gateway, upstream, case).run()))
            for case in cases
        ]


@contextmanager
def _refusing() -> Iterator[str]:
    """Hold a port that refuses every connection: bound, but nobody listens."""
    with socket.socket() as holder:
        holder.bind((HOST, 0))
        yield f"{HOST}:{holder.getsockname()[1]}"


class _Replay:
    """One case against one running gateway."""

    def __init__(self, gateway: Gateway, upstream: Upstream, case: Case) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.case = case
        self._minted: dict[str, str] = {}

    def run(self) -> list[Difference]:
        """Give the differences of the first exchange that has any."""
        self.upstream.forget()
        with ExitStack() as stack:
            shared = stack.enter_context(self._connect()) if self.case.same_connection else None
            for step in self.case.steps:
                for _ in range(step.times):
                    time.sleep(step.after_s)
                    if differences := self._step(step, shared):
                        return differences
        return self._health()

    def _connect(self) -> Connection:
        return Connection(self.gateway.host, self.gateway.port)

    def _step(self, step: Step, shared: Connection | None) -> list[Difference]:
        self.upstream.take()
        if step.at_once == 1:
            found = self._guarded(step, shared)
        else:
            with ThreadPoolExecutor(step.at_once) as clients:
                each = list(clients.map(lambda _: self._guarded(step, None), range(step.at_once)))
            found = next((differences for differences in each if differences), [])
        return found or self._connections(step.expect.get("upstream", {}))

    def _guarded(self, step: Step, shared: Connection | None) -> list[Difference]:
        try:
            if shared is not None:
                return self._exchange(step, shared)
            with self._connect() as own:
                return self._exchange(step, own)
        except (Malformed, NoAnswer, OSError) as error:
            return [differ("answer", step.expect.get("status", "answers"), f"{type(error).__name__}: {error}")]

    def _exchange(self, step: Step, connection: Connection) -> list[Difference]:
        expect = step.expect
        filled = {"upstream": self.upstream.address}
        if step.token is not None:
            filled["token"] = self._token(step.token)
        sent = vectors.pieces(step, filled)
        begun = time.monotonic()
        connection.send(sent)
        if any(isinstance(piece, Reset) for piece in sent):
            return []
        for wanted in expect.get("answers", (expect,)):
            answer = connection.receive(_ANSWER_WITHIN_S, head=step.is_head)
            took_ms = (time.monotonic() - begun) * 1000
            filled["traceresponse"] = ", ".join(answer.values("traceresponse")) if answer else ""
            if differences := judge(wanted, answer, filled, step.is_head) or _timing(wanted, took_ms):
                return differences
            if differences := self._after(wanted, answer, connection):
                return differences
        if step.at_once > 1 or "upstream" not in expect:
            return []
        return judge_upstream(expect["upstream"], self.upstream.take(), filled)

    def _token(self, description: Mapping[str, object]) -> str:
        """Mint once: the same description within a case is the same token."""
        if (key := repr(description)) not in self._minted:
            self._minted[key] = tokens.forge(tokens.keys(), description)
        return self._minted[key]

    def _after(self, expect: Mapping[str, object], answer: Answer | None, connection: Connection) -> list[Difference]:
        if expect.get("alone") and (surplus := connection.surplus(_SURPLUS_WITHIN_S)):
            return [differ("after the answer", "nothing", surplus)]
        if expect.get("closes") and not connection.ends(_SETTLE_WITHIN_S):
            return [differ("connection", "closed", "open")]
        body_less = answer is not None and answer.whole and not answer.body
        if body_less and (surplus := connection.surplus(0)) and not surplus.startswith(b"HTTP/1.1 "):
            return [differ("after an answer without a body", "nothing", surplus)]
        return []

    def _connections(self, wanted: Mapping[str, object]) -> list[Difference]:
        counts = {
            "connections_opened": lambda: self.upstream.connections_opened,
            "connections_peak": lambda: self.upstream.connections_peak,
            "connections_left": lambda: self.upstream.connections_open,
        }
        for name in counts.keys() & wanted.keys():
            low, high = wanted[name] if isinstance(wanted[name], list) else (wanted[name], wanted[name])
            deadline = time.monotonic() + _SETTLE_WITHIN_S
            while not low <= (came := counts[name]()) <= high:
                if time.monotonic() > deadline:
                    return [differ(name.replace("_", " "), wanted[name], came)]
                time.sleep(0.005)
        return []

    def _health(self) -> list[Difference]:
        """Check that the gateway still serves a new connection: no case may take it down."""
        try:
            with self._connect() as connection:
                connection.send([b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"])
                found = judge(_HEALTH, connection.receive(_ANSWER_WITHIN_S), {})
        except (Malformed, NoAnswer, OSError) as error:
            found = [differ("answer", 200, error)]
        return [Difference(f"/healthz afterwards, {one.what}", one.expected, one.came) for one in found]


def _timing(expect: Mapping[str, object], took_ms: float) -> list[Difference]:
    if took_ms > expect.get("within_ms", float("inf")):
        return [differ("time", f"at most {expect['within_ms']} ms", f"{took_ms:.0f} ms")]
    if took_ms < expect.get("after_at_least_ms", 0):
        return [differ("time", f"at least {expect['after_at_least_ms']} ms", f"{took_ms:.0f} ms")]
    return []
