"""Which variants are shown to differ, which are shown to be alike, and which groups that leaves: no rank without a proof.

A rank says that the third is slower than the second, whether anything was shown or not. Here a pair is one of four things, and
variants of which none is shown to lead another share a letter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from math import ceil

import numpy as np

from roi.statistics.bootstrap import RatioDraws
from roi.statistics.holm import holm_levels

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Relation(StrEnum):
    """What was shown of the first of two variants against the second."""

    AHEAD = "ahead"
    """Its mean is higher by more than the margin."""
    BEHIND = "behind"
    """The other's mean is higher by more than the margin."""
    EQUIVALENT = "equivalent"
    """The two differ by less than the margin."""
    UNDECIDED = "undecided"
    """Neither was shown: repeat, or say so."""


@dataclass(frozen=True)
class Pair:
    """Two variants, the one with the higher mean first."""

    above: str
    below: str
    ratio: RatioDraws
    """Of the first over the second."""
    p_value: float | None
    """Of their being no further apart than the margin, for this pair alone; None without repetition."""
    relation: Relation
    """Of the first to the second; judged among all pairs."""


@dataclass(frozen=True)
class Groups:
    """Variants, and what was shown of them."""

    variants: tuple[str, ...]
    """In descending order of the mean."""
    pairs: tuple[Pair, ...]
    """Every two, in the order of the variants."""
    groups: tuple[tuple[str, ...], ...]
    """Every largest set of variants of which none is shown to lead another, in the order of the variants."""
    margin: float
    """What difference matters, as a share."""
    confidence: float
    """With which all that are called ahead or behind are so, taken together; and each equivalence by itself."""

    @property
    def letters(self) -> dict[str, str]:
        """The letters of each variant's groups, in the order of the variants: `ab` belongs to the first and the second."""
        return {
            name: "".join(_letter(place) for place, group in enumerate(self.groups) if name in group)
            for name in self.variants
        }

    def relation(self, first: str, second: str) -> Relation:
        """Give what was shown of the first against the second.

        Raises
        ------
        KeyError
            The two are no pair of these variants.
        """
        for pair in self.pairs:
            if (pair.above, pair.below) == (first, second):
                return pair.relation
            if (pair.above, pair.below) == (second, first):
                return _REVERSED.get(pair.relation, pair.relation)
        raise KeyError(f"{first} and {second} are no pair of {', '.join(self.variants)}.")


_REVERSED = {Relation.AHEAD: Relation.BEHIND, Relation.BEHIND: Relation.AHEAD}


def groups(
    means: Mapping[str, float], ratios: Mapping[tuple[str, str], RatioDraws], margin: float, confidence: float = 0.95
) -> Groups:
    """Give what was shown of every pair, and the groups.

    A pair is ahead (or behind) when the interval of its ratio lies beyond the margin: above 1 + margin (or below its inverse). The
    intervals are as wide as Holm's procedure asks for so that all of these words are right together (Scandinavian Journal of
    Statistics 6, 1979). It is equivalent when the interval that leaves out 1 - confidence at either end, 90 % for 95, lies within
    1 / (1 + margin) and 1 + margin: two one-sided tests (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987),
    each pair by itself. Groups are a compact letter display (Piepho, Journal of Computational and Graphical Statistics 13, 2004).

    Parameters
    ----------
    means
        By variant, in any unit; more is ahead. Of costs give the inverse.
    ratios
        Draws of each two variants' ratio, one way round: of the key's first name over its second.
    margin
        What difference matters, as a share: 0.05, say.

    Raises
    ------
    ValueError
        A pair has no ratio, the margin is negative, or there are too few draws for so many pairs.
    """
    if margin < 0:
        raise ValueError(f"The margin is {margin:g}: give a share of 0 or more, 0.05 for 5 %.")
    variants = tuple(sorted(means, key=lambda name: (-means[name], name)))
    found = {(above, below): _of(ratios, above, below) for above, below in combinations(variants, 2)}
    _enough_draws(found, confidence)
    p_values = {pair: _p_value(ratio, margin) for pair, ratio in found.items()}
    apart = _shown(p_values, 1 - confidence)
    pairs = tuple(
        Pair(*pair, ratio, p_values[pair], _relation(ratio, pair in apart, margin, confidence))
        for pair, ratio in found.items()
    )
    return Groups(variants, pairs, letter_groups(variants, apart), margin, confidence)


def letter_groups(variants: Sequence[str], apart: Collection[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Give every largest set of variants of which no two are apart, in the order of the variants.

    Piepho's insert-and-absorb: each pair that is apart splits every set that holds both in two, without the one and without the
    other; a set within another goes.

    Parameters
    ----------
    apart
        Pairs, either way round.
    """
    sets = [frozenset(variants)] if variants else []
    for pair in apart:
        split = [part - {one} for part in sets for one in pair if part.issuperset(pair)]
        kept = [part for part in sets if not part.issuperset(pair)]
        sets = _largest([*kept, *split])
    places = sorted(sorted(map(list(variants).index, part)) for part in sets)
    return tuple(tuple(variants[place] for place in part) for part in places)


def _largest(sets: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    distinct = list(dict.fromkeys(sets))
    return [part for part in distinct if not any(part < other for other in distinct)]


def _of(ratios: Mapping[tuple[str, str], RatioDraws], above: str, below: str) -> RatioDraws:
    if (above, below) in ratios:
        return ratios[above, below]
    if (below, above) in ratios:
        other = ratios[below, above]
        return RatioDraws(1 / other.draws, 1 / other.value, other.processes)
    raise ValueError(f"There is no ratio of {above} and {below}: give one for every two variants.")


def _enough_draws(found: Mapping[tuple[str, str], RatioDraws], confidence: float) -> None:
    """Refuse draws of which not even none beyond the margin would show anything."""
    fewest = min((len(ratio.draws) for ratio in found.values() if len(ratio.draws)), default=None)
    needed = ceil(2 * len(found) / (1 - confidence))
    if fewest is not None and fewest < needed:
        raise ValueError(
            f"{len(found)} pairs need {needed:,} draws or more to tell any apart, and one has {fewest:,}: draw more."
        )


def _p_value(ratio: RatioDraws, margin: float) -> float | None:
    """Give twice the share of draws that do not lie beyond the margin, on the side where more do."""
    if not len(ratio.draws):
        return None
    most = max(int((ratio.draws > 1 + margin).sum()), int((ratio.draws < 1 / (1 + margin)).sum()))
    n = len(ratio.draws)
    return min(2 * (n - most + 1) / (n + 1), 1.0)


def _shown(p_values: Mapping[tuple[str, str], float | None], alarms: float) -> set[tuple[str, str]]:
    """Give the pairs that Holm's procedure rejects: from the smallest on, each with what is left to share among the rest."""
    known = {pair: p for pair, p in p_values.items() if p is not None}
    levels = holm_levels([*known.values()], alarms)
    return {pair for pair, level in zip(known, levels, strict=True) if level is not None}


def _relation(ratio: RatioDraws, apart: bool, margin: float, confidence: float) -> Relation:
    if apart:
        return Relation.AHEAD if np.median(ratio.draws) > 1 else Relation.BEHIND
    lo, hi = ratio.interval(2 * confidence - 1)
    if lo is not None and hi is not None and 1 / (1 + margin) <= lo and hi <= 1 + margin:
        return Relation.EQUIVALENT
    return Relation.UNDECIDED


def _letter(place: int) -> str:
    """Give a, b, ... z, and then a2, b2, ...: the groups' names."""
    turn, letter = divmod(place, len(_LETTERS))
    return _LETTERS[letter] + (str(turn + 1) if turn else "")
