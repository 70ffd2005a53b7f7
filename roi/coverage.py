"""Whether the intervals that pages print hold what they say: each estimator on many made-up experiments of known truth.

An interval is right when it holds the truth as often as it says. That is a matter of the data: here they are like ours,
few processes, skewed between them and autocorrelated within, few faults, few blocks of time. `python -m roi.coverage` prints
one JSON object a proof, from as many experiments each as its argument says; `bench prove statistics` reads them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial

import numpy as np
from scipy import signal, stats

from roi.statistics import bootstrap
from roi.statistics.counts import poisson_interval
from roi.statistics.estimate import (
    Estimate,
    geometric_mean_of_processes,
    mean_of_processes,
    median_of_processes,
    ratio_of_processes,
)
from roi.statistics.overlap import share_of_blocks
from roi.statistics.quantiles import quantile
from roi.statistics.survival import log_rank, median, restricted_mean, share, survival

EXPERIMENTS = 4_000
"""A share of so many that is 95 % is known to 0.35 %."""
_SEED = 20261126
_TOLERANCE = 0.02
"""How far the share of intervals that hold the truth may be from what they say."""
_ALARMS = 0.05

_WINDOWS = 20
_UNLIKE = 3.0
"""Times as much as the one varies the other, where two variants are not alike."""
_TRUTH_FROM = 400_000
"""Processes whose mean stands for the truth, known from them to a thousandth of the spread between processes."""

_LEAST, _MOST, _WIDTH = 4, 10, 0.04
"""Repetitions before which a campaign does not look, after which it stops, and the relative half width that is enough for it."""
_LOOKS = range(_LEAST, _MOST)

Interval = tuple[float, float, float]
"""Lower end, upper end, and how often it says that it holds the truth."""


@dataclass(frozen=True)
class Held:
    """One comparison of what was found with what should be, in the shape of every `prove` command."""

    name: str
    expected: float
    measured: float
    tolerance: float
    """How far measured may be from expected; 0 where expected is a bound."""
    holds: bool
    note: str


@dataclass(frozen=True)
class Case:
    """An estimator on experiments of one kind."""

    name: str
    one: Callable[[np.random.Generator], tuple[float, Interval | None]]
    """Makes one experiment; gives the truth and the interval, None where the estimator refuses one."""
    data: str
    """What the experiments are like."""
    in_steps: bool = False
    """Its interval ends only where a run did: of few runs it holds more often than it says, and may."""


def windows(random: np.random.Generator, count: int, spread: float = 1.0) -> np.ndarray:
    """Draw windows that follow one another, of so many processes, shape (count, windows).

    A process is now and then slower than the others and never faster (gamma with shape 2, spread of 4 %); its windows vary
    by 5 % and remember the one before (first-order autoregression, 0.7). All of it is `spread` times as much.
    """
    slower = random.gamma(2.0, 0.03, size=(count, 1))
    steps = random.normal(0.0, 0.05 * np.sqrt(1 - 0.7**2), size=(count, _WINDOWS))
    steps[:, 0] /= np.sqrt(1 - 0.7**2)
    return np.exp(spread * (signal.lfilter([1.0], [1.0, -0.7], steps, axis=1) - slower))


def processes(random: np.random.Generator, count: int, spread: float = 1.0) -> np.ndarray:
    """Draw one figure a process, shape (count,): the mean of its `windows`."""
    return windows(random, count, spread).mean(axis=1)


def stopped(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw one figure a process of two variants alike, of a campaign that stops once both intervals are narrow enough.

    It looks after every repetition from the least on; the intervals are Student's, of the logarithms.
    """
    both = np.stack([processes(random, _MOST), processes(random, _MOST)])
    for n, reach in zip(_LOOKS, _reaches(), strict=True):
        if np.expm1(reach * np.log(both[:, :n]).std(axis=1, ddof=1)).max() <= _WIDTH:
            return both[0, :n], both[1, :n]
    return both[0], both[1]


@cache
def _reaches() -> tuple[float, ...]:
    """Give half of the interval's width at each look, in standard deviations."""
    return tuple(float(stats.t.ppf(0.975, n - 1) / np.sqrt(n)) for n in _LOOKS)


def recoveries(random: np.random.Generator, count: int) -> np.ndarray:
    """Draw times to recovery in seconds, shape (count,): a probe's phase, and a start that is skewed (lognormal)."""
    return random.uniform(0.0, 0.5, count) + random.lognormal(-0.7, 0.5, count)


def clustered(random: np.random.Generator, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw which slow requests met a pause, and the block of time of each: those of one block mostly share their fate."""
    sizes = 1 + random.poisson(6.0, blocks)
    fate = random.beta(0.6, 0.6, blocks)
    place = np.repeat(np.arange(blocks), sizes)
    return random.uniform(size=len(place)) < fate[place], place


def cases() -> tuple[Case, ...]:
    """Give every estimator whose interval a page prints, with the experiments it is held against."""
    random = np.random.default_rng(_SEED)
    many = processes(random, _TRUTH_FROM)
    geometric, arithmetic, middle = float(np.exp(np.log(many).mean())), float(many.mean()), float(np.median(many))
    slow = recoveries(random, _TRUTH_FROM)
    horizon_s = 3.0
    restricted, halfway = float(np.minimum(slow, horizon_s).mean()), float(np.median(slow))
    shares = "processes skewed, their windows autocorrelated"
    made = []
    for n in (3, 5, 10):
        made += [
            Case(f"mean_of_{n}", partial(_processes, mean_of_processes, arithmetic, n), shares),
            Case(f"geometric_mean_of_{n}", partial(_processes, geometric_mean_of_processes, geometric, n), shares),
            Case(f"ratio_of_{n}", partial(_ratio, n), f"two variants alike, {shares}"),
            Case(f"median_of_{n}", partial(_processes, median_of_processes, middle, n), shares),
        ]
    for n in (5, 10, 20):
        made += [
            Case(
                f"restricted_mean_of_{n}", partial(_restricted, n, restricted, horizon_s), "times to recovery, skewed"
            ),
            Case(
                f"median_recovery_of_{n}", partial(_halfway, n, halfway, horizon_s), "times to recovery", in_steps=True
            ),
            Case(f"recovered_by_of_{n}", partial(_curve, n, slow, horizon_s), "times to recovery", in_steps=True),
            Case(f"share_of_{n}", partial(_share, n), "any share"),
        ]
    made += [Case(f"share_of_{n}_blocks", partial(_blocks, n), "hits clustered in blocks of time") for n in (15, 60)]
    made += [
        Case(f"quantile_{q:g}_of_{n}", partial(_quantile, q, n), "skewed (lognormal)")
        for q, n in ((0.5, 200), (0.99, 1_000))
    ]
    made.append(Case("count", _count, "Poisson counts with any mean up to 30"))
    unlike = float(np.exp(np.log(processes(random, _TRUTH_FROM, _UNLIKE)).mean()))
    made += [*_of_ratios(shares, geometric / unlike), *_of_stops(shares, geometric)]
    return tuple(made)


def _of_ratios(data: str, unlike: float) -> Iterator[Case]:
    """Give the cases of drawn ratios; `unlike` is the ratio of a variant over one that varies more."""
    for above, below in ((3, 3), (5, 5), (10, 10), (3, 10)):
        alike = partial(_drawn, above, below, 1.0, 1.0)
        yield Case(f"bootstrap_ratio_of_{above}_and_{below}", alike, f"two variants alike, {data}")
    for above, below in ((5, 5), (10, 5)):
        varies = partial(_drawn, above, below, _UNLIKE, unlike)
        note = f"the second varies {_UNLIKE:g} times as much as the first, {data}"
        yield Case(f"bootstrap_ratio_of_{above}_and_{below}_unlike", varies, note)


def _of_stops(data: str, geometric: float) -> Iterator[Case]:
    """Give the cases of campaigns that stop early: about half of them before the last repetition."""
    data = f"stopped between {_LEAST} and {_MOST} processes once either is known to {_WIDTH:.0%}, {data}"
    yield Case(f"geometric_mean_stopped_from_{_LEAST}", partial(_stopped_mean, geometric), data)
    yield Case(f"bootstrap_ratio_stopped_from_{_LEAST}", _stopped_ratio, data)


def coverage(case: Case, experiments: int = EXPERIMENTS) -> Held:
    """Hold the share of intervals that hold the truth against what they say."""
    random = np.random.default_rng(_SEED)
    held, said = [], []
    for _ in range(experiments):
        truth, interval = case.one(random)
        if interval is not None:
            held.append(interval[0] <= truth <= interval[1])
            said.append(interval[2])
    refused = experiments - len(held)
    note = f"{case.data}; {experiments:,} experiments" + (
        f", in {refused:,} of them it gives no interval" if refused else ""
    )
    name, expected, measured = f"{case.name}_coverage", float(np.mean(said)), float(np.mean(held))
    if case.in_steps:
        bound = expected - _TOLERANCE
        return Held(name, bound, measured, 0.0, measured >= bound, f"{note}; it ends in steps, and may hold more often")
    return Held(name, expected, measured, _TOLERANCE, abs(measured - expected) <= _TOLERANCE, note)


def false_alarms(experiments: int = EXPERIMENTS) -> Iterator[Held]:
    """Hold the share of comparisons of a thing with itself that tell them apart against the 5 % that they may.

    The bound is what so many experiments of a test with 5 % exceed by chance once in a hundred times.
    """
    bound = float(stats.binom.ppf(0.99, experiments, _ALARMS) / experiments)
    ratios = (("ratio", ratio_of_processes), ("bootstrap_ratio", _of_draws))
    tests = [
        (f"{name}_of_{n}", partial(_ratio_tells, estimator, n), "a variant")
        for name, estimator in ratios
        for n in (3, 5, 10)
    ]
    tests += [(f"log_rank_of_{n}", partial(_log_rank_tells, n), "a runtime") for n in (5, 10)]
    for name, tells, one in tests:
        random = np.random.default_rng(_SEED)
        told = float(np.mean([tells(random) for _ in range(experiments)]))
        note = f"{one} against itself; 5 %, and what {experiments:,} experiments may add by chance"
        yield Held(f"{name}_false_alarms", bound, told, 0.0, told <= bound, note)


def proofs(experiments: int = EXPERIMENTS) -> Iterator[Held]:
    """Make every proof, one after another."""
    for case in cases():
        yield coverage(case, experiments)
    yield from false_alarms(experiments)


def _processes(
    estimator: Callable[[np.ndarray], Estimate], truth: float, n: int, random: np.random.Generator
) -> tuple[float, Interval]:
    made = estimator(processes(random, n))
    return truth, _said(made)


def _said(made: Estimate) -> Interval:
    return made.lo, made.hi, made.confidence


def _ratio(n: int, random: np.random.Generator) -> tuple[float, Interval]:
    made = ratio_of_processes(processes(random, n), processes(random, n))
    return 1.0, _said(made)


def _drawn(above: int, below: int, spread: float, truth: float, random: np.random.Generator) -> tuple[float, Interval]:
    return truth, _said(_of_draws(windows(random, above), windows(random, below, spread)))


def _of_draws(above: np.ndarray, below: np.ndarray) -> Estimate:
    return bootstrap.ratio(above, below).estimate()


def _ratio_tells(estimator: Callable[[np.ndarray, np.ndarray], Estimate], n: int, random: np.random.Generator) -> bool:
    return estimator(processes(random, n), processes(random, n)).excludes(1.0)


def _log_rank_tells(n: int, random: np.random.Generator) -> bool:
    none = np.zeros(n, bool)
    value = log_rank(recoveries(random, n), none, recoveries(random, n), none)
    return value is not None and value < _ALARMS


def _stopped_mean(truth: float, random: np.random.Generator) -> tuple[float, Interval]:
    first, _ = stopped(random)
    return truth, _said(geometric_mean_of_processes(first))


def _stopped_ratio(random: np.random.Generator) -> tuple[float, Interval]:
    return 1.0, _said(_of_draws(*stopped(random)))


def _restricted(n: int, truth: float, horizon_s: float, random: np.random.Generator) -> tuple[float, Interval]:
    times = recoveries(random, n)
    made = restricted_mean(np.minimum(times, horizon_s), times > horizon_s, horizon_s)
    return truth, _said(made)


def _halfway(n: int, truth: float, horizon_s: float, random: np.random.Generator) -> tuple[float, Interval | None]:
    times = recoveries(random, n)
    _, lo, hi = median(survival(np.minimum(times, horizon_s), times > horizon_s, horizon_s))
    # An open end is one: the interval says that the median may be anything beyond.
    return truth, (0.0 if lo is None else lo, np.inf if hi is None else hi, 0.95)


def _curve(n: int, every: np.ndarray, horizon_s: float, random: np.random.Generator) -> tuple[float, Interval | None]:
    times = recoveries(random, n)
    curve = survival(np.minimum(times, horizon_s), times > horizon_s, horizon_s)
    at = float(random.choice(every))
    step = int(np.searchsorted(curve.time_s, at, side="right")) - 1
    if step < 0 or not (np.isfinite(curve.lo[step]) and np.isfinite(curve.hi[step])):
        return 0.0, None
    return float((every > at).mean()), (float(curve.lo[step]), float(curve.hi[step]), 0.95)


def _share(n: int, random: np.random.Generator) -> tuple[float, Interval]:
    truth = random.uniform()
    made = share(int(random.binomial(n, truth)), n)
    return truth, _said(made)


def _blocks(n: int, random: np.random.Generator) -> tuple[float, Interval]:
    made = share_of_blocks(*clustered(random, n))
    return 0.5, _said(made)


def _quantile(q: float, n: int, random: np.random.Generator) -> tuple[float, Interval]:
    made = quantile(random.lognormal(0.0, 1.0, n), q)
    return float(np.exp(stats.norm.ppf(q))), (made.lo, made.hi, 0.95)


def _count(random: np.random.Generator) -> tuple[float, Interval]:
    truth = random.uniform(0.0, 30.0)
    lo, hi = poisson_interval(int(random.poisson(truth)))
    return truth, (lo, hi, 0.95)


if __name__ == "__main__":
    for proof in proofs(*map(int, sys.argv[1:])):
        print(json.dumps(asdict(proof)), flush=True)
