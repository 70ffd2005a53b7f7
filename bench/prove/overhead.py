"""`bench prove overhead`: whether the pause meters change what they measure.

Pairs of fresh processes of one variant live at the same time on the same processor, one with its meters and one without. They
are loaded in turn, in random order and in windows so short that whatever else the machine does meets both alike, and who
is not loaded is stopped. A pair gives the median ratio of its windows; judged is the upper end of the interval over pairs,
because two processes of the same program differ as well: a difference that is merely not seen is not one that is not
there. A variant that fails is labelled *perturbed* in every cell measured later.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import stats

from bench import contract
from bench.errors import LoadFailed
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.load.engine import Engine
from bench.load.limits import Limits
from bench.load.rows import FIELDS, Outcome, unpack
from bench.load.schedule import Poisson
from bench.load.traffic import single_request
from bench.meters.process import cpu_time_ns
from bench.prove.certificate import Certificate, Proof, certify
from bench.rig import Rig

KIND = "overhead"
MINUTES = 13
VARIANTS = ("go", "java25-g1", "node", "rust")
"""One of each gateway: the meters of a JVM are the same for every collector."""
PAIRS = 6
WINDOWS = 30
"""Of each process of a pair."""
_WINDOW_S = 0.2
_LOAD = 0.3
"""Of capacity: nearer to it, queueing makes much of any difference, of the machine's as well."""
_CAPACITY_S = 2.0
_WARM_UP_S: Mapping[str, float] = {"java": 15.0}
_WARM_UP_OTHERS_S = 2.0
_WAKE_S = 0.02
"""From the signal to go on until a window begins: what its meters missed is over."""
_CONNECTIONS = 64
_MOST_CPU, _MOST_LATENCY = 1.01, 1.02
_SEED = 3


def prove(say: Callable[[str], None], show: Callable[[Proof], None]) -> Certificate:
    """Measure every variant that this machine can run, and keep the certificate.

    Raises
    ------
    BenchError
        A build, a gateway or a load failed.
    """
    rig = Rig.split(1)
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        for name in contract.prepare_able(VARIANTS, say):
            say(f"{name}: {PAIRS} pairs, meters on and off")
            made = of_variant(name, Path(folder) / name, rig)
            proofs += made
            for proof in made:
                show(proof)
    return certify(KIND, proofs, {})


def of_variant(name: str, folder: Path, rig: Rig) -> list[Proof]:
    """Give the proofs of one variant."""
    folder.mkdir()
    order = random.Random(_SEED)
    ratios = [ratios_of_pair(name, folder / f"{pair}", rig, order) for pair in range(PAIRS)]
    note = f"{PAIRS} pairs of processes, {WINDOWS} windows of {_WINDOW_S:g} s each, at {_LOAD:.0%} of what they can do"
    judged = (("cpu_a_request_ratio", _MOST_CPU), ("p50_ratio", _MOST_LATENCY), ("p99_ratio", _MOST_LATENCY))
    return [
        _bounded(f"{name}:{what}", bound, np.array([pair[place] for pair in ratios]), note)
        for place, (what, bound) in enumerate(judged)
    ]


def _bounded(name: str, bound: float, log_ratios: np.ndarray, note: str) -> Proof:
    lo, hi = stats.ttest_1samp(log_ratios, 0.0).confidence_interval(0.95)
    low, mean, high = np.exp([lo, log_ratios.mean(), hi])
    return Proof.at_most(
        name,
        bound,
        float(high),
        f"upper end of the interval of on over off, {mean:.4f} [{low:.4f} to {high:.4f}]; {note}",
    )


def ratios_of_pair(
    name: str,
    folder: Path,
    rig: Rig,
    order: random.Random,
    *,
    windows: int = WINDOWS,
    metered_env: Mapping[str, str] | None = None,
) -> np.ndarray:
    """Load one pair of processes, and give how much more the one with meters took.

    Parameters
    ----------
    order
        For the order in which the two start and are loaded.
    metered_env
        Environment of the process with meters beside its own, to make them cost more on purpose.

    Returns
    -------
    numpy.ndarray
        Medians over windows of the logarithms of on over off: CPU time a request, p50 and p99 of the response time; shape (3,).

    Raises
    ------
    LoadFailed
        A request was not answered with 2xx.
    """
    folder.mkdir()
    first = order.random() < 0.5
    extra = {True: dict(metered_env or {}), False: {}}
    with (
        _pinned(rig.generator_cpus),
        _side(name, folder / "a", rig, extra[first], metered=first) as one,
        _side(name, folder / "b", rig, extra[not first], metered=not first) as other,
    ):
        metered, bare = (one, other) if first else (other, one)
        for side in order.sample((metered, bare), 2):
            side.saturate(_warm_up_s(name))
        # Both: a runtime that compiles what it runs most is quicker for every second more under load.
        rate_per_s = _LOAD * min(side.saturate(_CAPACITY_S) for side in order.sample((metered, bare), 2))
        logs = []
        for window in range(windows):
            schedule = Poisson(rate_per_s, _WINDOW_S, window)
            costs = {side: side.loaded(schedule) for side in order.sample((metered, bare), 2)}
            logs.append(np.log(costs[metered] / costs[bare]))
    return np.median(logs, axis=0)


@dataclass(eq=False)
class _Side:
    """One process of a pair, and the connections to it. It is stopped unless it is loaded."""

    pid: int
    engine: Engine = field(init=False)
    rows: list[np.ndarray] = field(default_factory=list)

    def connect(self, host: str, port: int) -> None:
        traffic = single_request(f"http://{host}:{port}")
        self.engine = Engine(
            host,
            port,
            traffic.requests,
            traffic.order,
            limits=Limits(_CONNECTIONS),
            flush=self._keep,
            give_way=lambda: None,
        )
        self.engine.open()

    def saturate(self, seconds: float) -> float:
        """Load it as fast as answers come; give requests/s."""
        with self._running():
            self.engine.run_closed(seconds)
        return len(self._taken()) / seconds

    def loaded(self, schedule: Poisson) -> np.ndarray:
        """Give CPU time a request, p50 and p99 of the response time under a load, in ns; shape (3,)."""
        with self._running():
            before_ns = cpu_time_ns(self.pid)
            self.engine.run_open(schedule)
            used_ns = cpu_time_ns(self.pid) - before_ns
        rows = self._taken()
        if (unpack(rows[:, 3])[1] != Outcome.OK).any():
            raise LoadFailed("The gateway did not answer every request of a window with 2xx. Its log may say why.")
        return np.array([used_ns / len(rows), *np.quantile(rows[:, 2] - rows[:, 0], (0.5, 0.99))])

    @contextmanager
    def _running(self) -> Iterator[None]:
        os.kill(self.pid, signal.SIGCONT)
        try:
            time.sleep(_WAKE_S)
            yield
        finally:
            os.kill(self.pid, signal.SIGSTOP)

    def _keep(self, rows: array[int]) -> None:
        self.rows.append(np.array(rows, np.int64))

    def _taken(self) -> np.ndarray:
        rows = np.concatenate(self.rows).reshape(-1, FIELDS)
        self.rows.clear()
        return rows


@contextmanager
def _side(name: str, folder: Path, rig: Rig, env: dict[str, str], *, metered: bool) -> Iterator[_Side]:
    """Run a process that is stopped but while it is loaded."""
    folder.mkdir()
    settings = Settings(port=free_port(), folder=folder, cpus=rig.gateway_cpus, meters=metered, env=env)
    with GatewayProcess(registry.variant(name), settings) as gateway:
        gateway.wait_ready()
        side = _Side(gateway.pid)
        side.connect(gateway.host, gateway.port)
        os.kill(gateway.pid, signal.SIGSTOP)
        try:
            with closing(side.engine):
                yield side
        finally:
            os.kill(gateway.pid, signal.SIGCONT)


@contextmanager
def _pinned(cpus: Collection[int]) -> Iterator[None]:
    """Run this process, which is the load generator, on processors of its own."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _warm_up_s(name: str) -> float:
    return _WARM_UP_S.get(registry.variant(name).gateway.runtime, _WARM_UP_OTHERS_S)
