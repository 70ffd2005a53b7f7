"""Which inputs a model's variance comes from: Sobol' indices, of single inputs and of groups of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from roi.statistics.estimate import Estimate, mean_of_processes

_MOST = 0.5

Sample = Mapping[str, np.ndarray | float]
"""Values by input: arrays of shape (draws,), or a number where an input is certain."""


@dataclass(frozen=True)
class Share:
    """What a group of inputs, or one, has in the variance of a model's result."""

    alone: Estimate
    """Share that is explained by the group without the others: the closed index, of one input its first order. Sampling may put it
    a little below 0."""
    total: Estimate
    """Share that would be left if all others were known: with all interactions that the group takes part in."""


def shares(
    model: Callable[[Sample], np.ndarray],
    one: Sample,
    other: Sample,
    groups: Mapping[str, Sequence[str]],
    replicates: int,
) -> dict[str, Share]:
    """Give the variance shares of groups of inputs.

    Saltelli's estimator for what a group explains alone (Saltelli et al., Computer Physics Communications 181, 2010, table 2,
    with the mean taken off) and Jansen's for its total (Computer Physics Communications 117, 1999). Both are exact for groups that
    matter little; of one that has most of the variance the same two are asked of all others, whose total and own share are what
    it leaves of 1. Intervals are Student's over replicates, as points of one Sobol' sequence are not independent of each other.

    Parameters
    ----------
    model
        From values to results, shape (draws,) or (1,).
    one, other
        Two independent samples of all inputs, in `replicates` blocks of equal length, each scrambled on its own.
    groups
        Inputs by the name of their group; an input that is in no group stays with the first sample.

    Returns
    -------
    dict
        By group; empty where the result does not vary.
    """
    if not groups:
        return {}
    draws = next(len(values) for values in one.values() if np.ndim(values))
    first, second = (np.broadcast_to(model(sample), draws) for sample in (one, other))
    both = np.concatenate([_blocks(first, replicates), _blocks(second, replicates)], axis=1)
    middle, variance = both.mean(axis=1, keepdims=True), both.var(axis=1)
    if not (variance > 0).all():
        return {}
    found = {}
    for name, members in groups.items():
        mixed = np.broadcast_to(model({**one, **{member: other[member] for member in members}}), draws)
        a, b, ab = (_blocks(values, replicates) - middle for values in (first, second, mixed))
        small = _alone_and_total(a, b, ab, variance)
        if small[1].mean() <= _MOST:
            found[name] = Share(*map(mean_of_processes, small))
        else:
            # To all others the second sample is the first: `mixed` has theirs from it, and the group's from the other.
            others_alone, others_total = _alone_and_total(b, a, ab, variance)
            found[name] = Share(mean_of_processes(1 - others_total), mean_of_processes(1 - others_alone))
    return found


def _alone_and_total(
    a: np.ndarray, b: np.ndarray, ab: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give both shares by replicate, of what `ab` has from `b` and all else from `a`."""
    return (b * (ab - a)).mean(axis=1) / variance, ((a - ab) ** 2).mean(axis=1) / 2 / variance


def _blocks(values: np.ndarray, replicates: int) -> np.ndarray:
    return values.reshape(replicates, -1)
