"""How often a series of runs without a change is said to have one, and how often one with a change is.

Thousands of made-up series each, of noise that the p value knows and of noise that it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy import signal, stats

from roi import coverage
from roi.coverage import EXPERIMENTS, Held
from roi.prove.judge import at_most, so
from roi.statistics.holm import holm_levels
from roi.statistics.trend_changes import ALARMS, NOISES, Noise, shifts, strongest

_SEED = 20261127
"""Another than that of the distributions by chance, so that no series is drawn for both."""
_RUNS = (6, 8, 12, 30)
_SERIES = 30
"""Figures of variants on a page."""
_PROCESSES = 3
_MEMORY = 0.3
_REMEMBERED = 0.2
"""False alarms that runs with this memory may have: stated, so that a reader knows."""

Series = tuple[np.ndarray, float]
"""Logarithms of a figure, one a run, and the standard error that processes leave."""


def proofs(experiments: int = EXPERIMENTS) -> Iterator[Held]:
    """Make the proofs of what is said of a trend."""
    for runs in _RUNS:
        for name, draw in (_MADE | {"processes": None}).items():
            one = partial(_of_processes, runs) if draw is None else partial(_of_noise, draw, runs)
            yield _false_alarms(f"{name}_of_{runs}_runs", one, experiments)
    yield _pages(experiments // 10)
    yield _second_changes(experiments)
    yield _with_memory(experiments)
    found = power(8, 3, 5.0, ALARMS, experiments)
    note = (
        f"a step of five times what runs differ by, in the last 3 of 8, is found in {found:.1%}, which is 95 % or more"
    )
    yield so("trend_step_found", found >= 0.95, note)


def power(runs: int, after: int, step: float, level: float, experiments: int = EXPERIMENTS) -> float:
    """Give how often a step is found between the very runs at which it is, with normal noise.

    Parameters
    ----------
    runs, after
        Runs of the series, and the last of them, which are another.
    step
        In standard deviations of what runs differ by.
    level
        0.05 for one series; 0.0017 where thirty are looked at together and only one has changed.

    Notes
    -----
    From 4,000 series each (`python -m roi.prove.trend` prints it anew):

    | runs | of them after | step | one series | one of 30 |
    |---|---|---|---|---|
    | 6 | 3 | 3 | 0.79 | 0.09 |
    | 6 | 3 | 5 | 0.99 | 0.33 |
    | 6 | 3 | 8 | 1.00 | 0.78 |
    | 8 | 3 | 3 | 0.61 | 0.07 |
    | 8 | 3 | 5 | 0.97 | 0.39 |
    | 8 | 3 | 8 | 1.00 | 0.90 |
    | 12 | 3 | 3 | 0.56 | 0.05 |
    | 12 | 3 | 5 | 0.93 | 0.44 |
    | 12 | 3 | 8 | 0.95 | 0.98 |
    | 12 | 6 | 3 | 0.70 | 0.10 |
    | 12 | 6 | 5 | 0.95 | 0.66 |
    | 12 | 6 | 8 | 0.97 | 1.00 |
    | 30 | 3 | 3 | 0.64 | 0.10 |
    | 30 | 3 | 5 | 0.96 | 0.87 |
    | 30 | 3 | 8 | 0.98 | 1.00 |
    | 30 | 15 | 3 | 0.80 | 0.76 |
    | 30 | 15 | 5 | 0.95 | 0.99 |
    | 30 | 15 | 8 | 0.97 | 1.00 |

    Of one series up to 5 % have a second change by chance, which counts as not found.
    """
    random = np.random.default_rng(_SEED)
    steps = np.where(np.arange(runs) < runs - after, 0.0, step)
    found = [
        tuple(shift.at for shift in shifts(random.normal(size=runs) + steps, level)) == (runs - after,)
        for _ in range(experiments)
    ]
    return float(np.mean(found))


def _laplace(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return random.laplace(size=shape)


def _lognormal(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    return random.lognormal(sigma=0.5, size=shape)


_MADE: dict[str, Noise] = NOISES | {"laplace": _laplace, "lognormal": _lognormal}


def _of_noise(draw: Noise, runs: int, random: np.random.Generator) -> Series:
    return draw(random, (1, runs))[0], 0.0


def _of_processes(runs: int, random: np.random.Generator) -> Series:
    """Draw runs of few processes that are skewed as ours are, and that differ by 2 % beside."""
    logs = np.log(np.stack([coverage.processes(random, _PROCESSES) for _ in range(runs)]))
    error = float(np.sqrt((logs.var(axis=1, ddof=1) / _PROCESSES).mean()))
    return logs.mean(axis=1) + random.normal(0.0, 0.02, runs), error


def _false_alarms(name: str, one: Callable[[np.random.Generator], Series], experiments: int) -> Held:
    """Hold the share of series without a change that are said to have one against 5 %, and what chance may add in a hundredth."""
    random = np.random.default_rng(_SEED)
    told = np.mean([strongest(*one(random)).p_value <= ALARMS for _ in range(experiments)])
    note = f"series of runs without a change; 5 %, and what {experiments:,} experiments may add by chance"
    return at_most(f"trend_{name}_false_alarms", _bound(experiments), float(told), note)


def _pages(experiments: int) -> Held:
    """Hold the share of pages without a change that tell of one against the same."""
    random = np.random.default_rng(_SEED)
    told = [
        any(
            level is not None
            for level in holm_levels([strongest(random.normal(size=12)).p_value for _ in range(_SERIES)], ALARMS)
        )
        for _ in range(experiments)
    ]
    note = f"pages of {_SERIES} series of 12 runs, none with a change; 5 %, and what {experiments:,} pages may add by chance"
    return at_most("trend_pages_false_alarms", _bound(experiments), float(np.mean(told)), note)


def _second_changes(experiments: int) -> Held:
    """Hold the share of series with one change that are said to have more."""
    random = np.random.default_rng(_SEED)
    steps = np.where(np.arange(16) < 8, 0.0, 8.0)
    more = np.mean([len(shifts(random.normal(size=16) + steps, ALARMS)) > 1 for _ in range(experiments)])
    note = (
        f"series of 16 runs with one change, found twice; 5 %, and what {experiments:,} experiments may add by chance"
    )
    return at_most("trend_second_changes", _bound(experiments), float(more), note)


def _with_memory(experiments: int) -> Held:
    """Say how much more often runs that remember the one before are said to change."""
    random = np.random.default_rng(_SEED)

    def one(random: np.random.Generator) -> Series:
        noise = random.normal(size=12)
        noise[0] /= np.sqrt(1 - _MEMORY**2)
        return signal.lfilter([1.0], [1.0, -_MEMORY], noise), 0.0

    told = np.mean([strongest(*one(random)).p_value <= ALARMS for _ in range(experiments)])
    note = (
        f"12 runs of which each keeps {_MEMORY:g} of what the one before differed by: more than 5 %, as the model says"
    )
    return at_most("trend_false_alarms_with_memory", _REMEMBERED, float(told), note)


def _bound(experiments: int) -> float:
    return float(stats.binom.ppf(0.99, experiments, ALARMS) / experiments)


if __name__ == "__main__":
    print("| runs | of them after | step | one series | one of 30 |")
    for runs, after in ((6, 3), (8, 3), (12, 3), (12, 6), (30, 3), (30, 15)):
        for step in (3.0, 5.0, 8.0):
            alone, among = (power(runs, after, step, level) for level in (ALARMS, ALARMS / _SERIES))
            print(f"| {runs} | {after} | {step:g} | {alone:.2f} | {among:.2f} |", flush=True)
