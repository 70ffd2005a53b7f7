"""Where the variation of a nested experiment comes from, and how often to repeat what for an interval as narrow as asked.

An experiment is repeated at levels: windows within a process, processes of a build. Repetition is worth its cost at the level
that varies, which is mostly the process.

Source: Kalibera and Jones, Rigorous benchmarking in reasonable time, ISMM 2013. Levels are numbered from the
lowest, 1 being the windows. The printed paper takes T²ᵢ₋₁ / rᵢ₋₁ off S²ᵢ; its authors' correction, which is what stands here,
takes off S²ᵢ₋₁ / rᵢ₋₁: the mean of rᵢ₋₁ things varies by what is seen between them, and not by a part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, sqrt

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Variation:
    """How much a figure varies at each level of an experiment. Every sequence begins with the lowest level."""

    mean: float
    """In the unit of the figure."""
    repetitions: tuple[int, ...]
    """Of a level, within one of the level above."""
    seen: tuple[float, ...]
    """S²: variance between the means of a level, which holds what the levels below add; unit of the figure, squared."""
    own: tuple[float, ...]
    """T²: variance that a level adds itself, unbiased and so negative now and then; unit of the figure, squared."""

    @property
    def components(self) -> tuple[float, ...]:
        """T² with 0 for a negative one: the level adds nothing that was seen."""
        return tuple(max(of_level, 0.0) for of_level in self.own)

    @property
    def silent(self) -> tuple[int, ...]:
        """Levels, 1 being the lowest, whose T² is negative and counts as 0."""
        return tuple(level for level, of_level in enumerate(self.own, start=1) if of_level < 0)


def variation(data: Sequence | np.ndarray) -> Variation:
    """Give the variance at each level.

    T²₁ = S²₁ and T²ᵢ = S²ᵢ - S²ᵢ₋₁ / rᵢ₋₁, the corrected form.

    Parameters
    ----------
    data
        A nested sequence, the highest level outermost, or an array of shape (rₙ, ..., r₁), in any unit: a row a process and a
        column a window, say.

    Raises
    ------
    ValueError
        It is not balanced, a level has fewer than two repetitions, or a value is not finite.
    """
    means = _balanced(data)
    repetitions, seen = tuple(reversed(means.shape)), []
    for _ in repetitions:
        seen.append(float(means.var(axis=-1, ddof=1).mean()))
        means = means.mean(axis=-1)
    below = [0.0, *(of_level / r for of_level, r in zip(seen, repetitions, strict=True))]
    own = tuple(of_level - noise for of_level, noise in zip(seen, below, strict=False))
    return Variation(float(means), repetitions, tuple(seen), own)


def optimal_repetitions(found: Variation, costs: Sequence[float]) -> tuple[float, ...]:
    """Give how often to repeat each level but the highest within one of the next, for the narrowest interval at a cost.

    rᵢ = sqrt(cᵢ₊₁ / cᵢ · T²ᵢ / T²ᵢ₊₁), not rounded. A negative T² counts as 0: a level that adds nothing
    is worth no repetition (0, so once), and one below such a level all that can be had (infinite). Where neither adds
    anything, no count is better than another: 0 as well.

    Parameters
    ----------
    costs
        Of one repetition of each level without the levels below it, the highest level's last, in any one unit: a window's
        seconds, then those of starting and warming up a process.

    Raises
    ------
    ValueError
        There is not one positive cost a level.
    """
    if len(costs) != len(found.own) or min(costs) <= 0:
        raise ValueError(
            f"The costs are {tuple(costs)}, and the experiment has {len(found.own)} levels: give a positive one for each, the"
            " highest level's last."
        )
    parts = found.components
    return tuple(
        sqrt(costs[level + 1] / costs[level] * _quotient(parts[level], parts[level + 1]))
        for level in range(len(parts) - 1)
    )


def variance_of_process_means(found: Variation, repetitions: Sequence[int]) -> float:
    """Give the variance between means of the highest level to be expected with other repetitions below it.

    Each level's own variance is divided by the repetitions of it and of all levels above it but the highest; a negative one counts
    as 0.

    Parameters
    ----------
    repetitions
        Of each level but the highest, the lowest first: one number, the windows a process, where there are two levels.

    Raises
    ------
    ValueError
        There is not one repetition or more a level.
    """
    if len(repetitions) != len(found.own) - 1 or min(repetitions, default=1) < 1:
        raise ValueError(
            f"The repetitions are {tuple(repetitions)}, and {len(found.own) - 1} levels lie below the highest: give one or"
            " more for each, the lowest first."
        )
    variance = 0.0
    for part, within in zip(found.components, [*repetitions, 1], strict=True):
        variance = (variance + part) / within
    return variance


def processes_needed(mean: float, variance: float, half_width: float, confidence: float = 0.95) -> int:
    """Give how many of the highest level make the mean's interval as narrow as asked: the smallest n of Student's t, 2 or more.

    t depends on n itself, so n is taken from the normal quantile, which asks for fewer, and counted up from there.

    Parameters
    ----------
    mean
        Of the figure, in any unit.
    variance
        Between process means, in that unit squared: the last of `Variation.seen`, or `variance_of_process_means` for other
        windows a process than the pilot had.
    half_width
        Half of the interval's width, as a share of the mean.

    Raises
    ------
    ValueError
        The half-width is not positive, the mean is 0, or the variance is negative or not finite.
    """
    if half_width <= 0 or mean == 0 or not 0 <= variance < inf:
        raise ValueError(
            f"A half-width of {half_width:g} of a mean of {mean:g} with a variance of {variance:g} has no count of"
            " processes: ask for more than 0, of a mean that is not 0."
        )
    within, tail = half_width * abs(mean), (1 + confidence) / 2
    n = max(2, ceil(variance * (stats.norm.ppf(tail) / within) ** 2))
    while stats.t.ppf(tail, n - 1) * sqrt(variance / n) > within:
        n += 1
    return n


def _quotient(part: float, above: float) -> float:
    if above > 0:
        return part / above
    return inf if part > 0 else 0.0


def _balanced(data: Sequence | np.ndarray) -> np.ndarray:
    try:
        array = np.asarray(data, float)
    except ValueError as error:
        raise ValueError(
            "The experiment is not balanced: give every process the same number of windows, the first so many of each, say."
        ) from error
    if array.ndim == 0 or min(array.shape) < 2:
        raise ValueError(
            f"The experiment has the shape {array.shape}: a level repeated fewer than two times tells nothing of its"
            " variance; repeat it, or leave the level out."
        )
    if not np.isfinite(array).all():
        raise ValueError("A value is not a finite number: leave its process out, and say so.")
    return array
