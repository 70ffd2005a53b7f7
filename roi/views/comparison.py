"""The view of variants against each other: groups in place of ranks."""

from __future__ import annotations

import pandas as pd

from roi.comparison import Comparison
from roi.statistics.groups import Pair, Relation
from roi.views.words import interval, percent

_WORDS = {
    Relation.AHEAD: "ahead",
    Relation.BEHIND: "behind",
    Relation.EQUIVALENT: "alike",
    Relation.UNDECIDED: "not shown",
}


def said(compared: list[Comparison]) -> str:
    """Say by which margin a lead counts, and how many pairs are open."""
    if not compared:
        return "The run has no two variants to compare."
    parts = []
    for one in compared:
        pairs = one.groups.pairs
        count = {kind: sum(pair.relation == kind for pair in pairs) for kind in Relation}
        apart = count[Relation.AHEAD] + count[Relation.BEHIND]
        margin = f"{percent(one.groups.margin)}{' (the noise floor)' if one.floor_is_margin else ''}"
        parts.append(
            f"By {one.figure.words}, {apart} of {len(pairs)} pairs differ by more than {margin},"
            f" {count[Relation.EQUIVALENT]} differ by less, and of {count[Relation.UNDECIDED]} neither is shown."
        )
    return " ".join(parts)


def groups_table(compared: list[Comparison]) -> pd.DataFrame:
    """List the variants in descending order, each with the letters of its groups by every figure."""
    names = dict.fromkeys(name for one in compared for name in one.groups.variants)
    return pd.DataFrame(
        {"variant": list(names)}
        | {one.figure.words: [one.groups.letters.get(name) for name in names] for one in compared}
    )


def pairs_table(compared: list[Comparison]) -> pd.DataFrame:
    """List the pairs of which something is shown, with the ratio of the figure, or of its inverse where less is better."""
    rows = [_row(one, pair) for one in compared for pair in one.groups.pairs if pair.relation is not Relation.UNDECIDED]
    return pd.DataFrame(rows, columns=["by", "ahead", "over", "ratio [95 %]", "probability of a lead", "shown"])


def _row(one: Comparison, pair: Pair) -> tuple[object, ...]:
    estimate, lead = pair.ratio.estimate(), pair.ratio.lead(one.groups.margin)
    return (
        one.figure.words, pair.above, pair.below, interval(estimate.value, estimate.lo, estimate.hi), percent(lead),
        _WORDS[pair.relation],
    )  # fmt: skip
