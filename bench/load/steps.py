"""A load in steps: several loads one after the other against the same process, once it is warm.

Each has a beginning and an end of its own, stored with the run. What one leaves in flight is answered before the next begins.
A step is decided on by what the last one showed, which only a generator of one worker sees whole.
"""

from __future__ import annotations

from array import array

import numpy as np

from bench.errors import LoadFailed
from bench.load.arguments import LoadArguments
from bench.load.engine import Engine
from bench.load.rows import FIELDS, Outcome, outcomes
from bench.load.schedule import Poisson
from bench.load.search import Kind, Search
from bench.load.spool import Step
from bench.load.start import Start
from bench.load.user import EngineUser

_NS = 1_000_000_000
_MS_NS = 1_000_000


class SteppedUser(EngineUser):
    """Drives an engine in steps."""

    abstract = True

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)
        self.steps: list[Step] = []
        """Those that are over."""
        self._rows: list[np.ndarray] = []

    def saw(self, rows: array[int]) -> None:
        """Keep the rows of the step under way."""
        self._rows.append(np.array(rows, np.int64).reshape(-1, FIELDS))

    def run_engine(self, engine: Engine, arguments: LoadArguments, start: Start) -> None:
        """Run the steps one after the other.

        Raises
        ------
        LoadFailed
            There are several workers, or no length.
        """
        if not start.alone:
            raise LoadFailed(
                f"The scenario {self.scenario.name} decides on each step by the last one, which several workers do not see"
                " whole. Give --workers 1."
            )
        if arguments.duration_s is None:
            raise LoadFailed(f"The scenario {self.scenario.name} must know how long it may take. Give --duration.")
        start.wait()
        if arguments.cold_s:
            engine.run_closed(arguments.cold_s)
        self.run_steps(engine, arguments)

    def run_steps(self, engine: Engine, arguments: LoadArguments) -> None:
        """Run the steps; a scenario defines it."""
        raise NotImplementedError

    def closed_step(self, engine: Engine, seconds: float, connections: int) -> float:
        """Keep so many connections busy; gives the requests/s that were answered with 2xx."""
        self._rows.clear()
        engine.run_closed(seconds, connections)
        rows = self._taken()
        began_ns, ended_ns = engine.began_ns, engine.began_ns + int(seconds * _NS)
        self.steps.append(Step(Kind.CLOSED, connections, began_ns, ended_ns))
        return float((_ok(rows) & (rows[:, 0] < ended_ns)).sum() / seconds)

    def search(
        self, engine: Engine, arguments: LoadArguments, *, until_ns: int, seconds: float, search: Search,
        objective_ms: float, quantile: float,
    ) -> None:  # fmt: skip
        """Offer what a search wants to try, as long as a whole step fits before an instant of CLOCK_MONOTONIC."""
        while engine.ended_ns + seconds * _NS <= until_ns and not engine.stopping and (trial := search.trial()):
            self._rows.clear()
            engine.run_open(Poisson(trial.rate_per_s, seconds, arguments.seed + len(self.steps)))
            rows = self._taken()
            response_ms = np.where(_ok(rows), (rows[:, 2] - rows[:, 0]) / _MS_NS, np.inf)
            reached_ms = float(np.quantile(response_ms, quantile, method="inverted_cdf"))
            search.tell(trial, reached_ms <= objective_ms)
            self.steps.append(
                Step(
                    trial.kind, arguments.limits.connections, engine.began_ns, engine.began_ns + int(seconds * _NS),
                    trial.rate_per_s, reached_ms if np.isfinite(reached_ms) else None, reached_ms <= objective_ms,
                    search.found_per_s is not None,
                )
            )  # fmt: skip

    def _taken(self) -> np.ndarray:
        return np.concatenate(self._rows) if self._rows else np.empty((0, FIELDS), np.int64)


def _ok(rows: np.ndarray) -> np.ndarray:
    return outcomes(rows[:, 3]) == Outcome.OK
