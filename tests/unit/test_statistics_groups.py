"""Relations of pairs worked out by hand, and groups against every set tried one by one."""

from itertools import chain, combinations

import numpy as np
import pytest
from scipy import stats

from roi.statistics.bootstrap import RatioDraws
from roi.statistics.groups import Relation, groups, letter_groups

AHEAD, BEHIND, EQUIVALENT, UNDECIDED = Relation.AHEAD, Relation.BEHIND, Relation.EQUIVALENT, Relation.UNDECIDED


def normal(ratio: float, error: float, n: int = 3_999) -> RatioDraws:
    """Give draws whose logarithms are the quantiles of a normal distribution."""
    return RatioDraws(np.exp(np.log(ratio) + error * stats.norm.ppf((np.arange(n) + 0.5) / n)), ratio, 5)


def with_p(hundredths: int) -> RatioDraws:
    """Give 1,999 draws of a ratio that is 1.2, but for as many that are 1 as give the p-value: 2 (k + 1) / 2,000."""
    alike = 10 * hundredths - 1
    return RatioDraws(np.repeat([1.0, 1.2], [alike, 1_999 - alike]), 1.2, 5)


def one_pair(ratio: RatioDraws, margin: float = 0.05):
    return groups({"go": ratio.value, "node": 1.0}, {("go", "node"): ratio}, margin)


def test_a_lead_of_20_percent_known_to_3_is_ahead_by_more_than_5():
    found = one_pair(normal(1.2, 0.03))
    assert found.relation("go", "node") is AHEAD
    assert found.relation("node", "go") is BEHIND
    assert found.letters == {"go": "a", "node": "b"}


def test_a_difference_that_is_certain_and_smaller_than_the_margin_is_none_that_matters():
    # 3 % with an error of 0.5 %: far from 1, and wholly within 5 %.
    found = one_pair(normal(1.03, 0.005))
    assert found.relation("go", "node") is EQUIVALENT
    assert found.letters == {"go": "a", "node": "a"}
    assert one_pair(normal(1.03, 0.005), margin=0.0).relation("go", "node") is AHEAD


def test_what_is_not_known_well_enough_is_neither_ahead_nor_equivalent():
    found = one_pair(normal(1.06, 0.04))
    assert found.relation("go", "node") is UNDECIDED
    assert found.letters == {"go": "a", "node": "a"}


def test_equivalence_takes_the_interval_of_90_percent():
    # Two alike: ln 1.05 = 0.04879, over 1.645 is 0.02966, over 1.96 only 0.02489.
    assert one_pair(normal(1.0, 0.0295)).relation("go", "node") is EQUIVALENT
    assert one_pair(normal(1.0, 0.0298)).relation("go", "node") is UNDECIDED


def test_a_lead_takes_the_interval_of_95_percent():
    # 1.96 · 0.03 = 0.0588 above ln 1.05: ln of the ratio at which it is just shown is 0.1076.
    assert one_pair(normal(np.exp(0.1085), 0.03)).relation("go", "node") is AHEAD
    assert one_pair(normal(np.exp(0.1065), 0.03)).relation("go", "node") is UNDECIDED


@pytest.mark.parametrize(
    ("hundredths", "shown"),
    [((1, 2, 5), 3), ((1, 2, 6), 2), ((1, 3, 4), 1), ((2, 2, 2), 0)],
)
def test_three_pairs_share_5_percent_by_holms_procedure(hundredths, shown):
    # The smallest may be 5 / 3, the next 5 / 2, the last 5 hundredths; whoever fails ends it.
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    ratios = {pair: with_p(p) for pair, p in zip(pairs, hundredths, strict=True)}
    found = groups({"a": 3.0, "b": 2.0, "c": 1.0}, ratios, 0.05)
    assert [pair.p_value for pair in found.pairs] == pytest.approx([p / 100 for p in hundredths])
    assert [pair.relation for pair in found.pairs].count(AHEAD) == shown


def test_a_variant_between_two_that_differ_belongs_to_both_groups():
    ratios = {
        ("fast", "middle"): normal(1.06, 0.03),
        ("slow", "fast"): normal(1 / 1.2, 0.03),
        ("middle", "slow"): normal(1.13, 0.04),
    }
    found = groups({"slow": 100.0, "middle": 113.0, "fast": 120.0}, ratios, 0.05)
    assert found.variants == ("fast", "middle", "slow")
    assert found.groups == (("fast", "middle"), ("middle", "slow"))
    assert found.letters == {"fast": "a", "middle": "ab", "slow": "b"}
    assert found.relation("fast", "slow") is AHEAD


def test_a_ratio_is_the_same_either_way_round():
    means = {"go": 1.2, "node": 1.0}
    forward = groups(means, {("go", "node"): normal(1.2, 0.03)}, 0.05)
    backward = groups(means, {("node", "go"): normal(1 / 1.2, 0.03)}, 0.05)
    assert backward.relation("go", "node") is forward.relation("go", "node") is AHEAD
    assert backward.pairs[0].p_value == forward.pairs[0].p_value


def test_without_repetition_everything_is_undecided_and_takes_no_share_from_the_others():
    unknown = RatioDraws(np.empty(0), 2.0, 1)
    ratios = {("a", "b"): with_p(5), ("a", "c"): unknown, ("b", "c"): unknown}
    found = groups({"a": 3.0, "b": 2.0, "c": 1.0}, ratios, 0.05)
    assert [pair.relation for pair in found.pairs] == [AHEAD, UNDECIDED, UNDECIDED]
    assert [pair.p_value for pair in found.pairs] == [pytest.approx(0.05), None, None]


def test_one_variant_is_a_group_of_its_own():
    assert groups({"go": 1.0}, {}, 0.05).letters == {"go": "a"}


def test_the_example_of_multcompview_has_its_letters():
    # dif3: a-b and a-c do not differ, b-c do; its letters are ab, a, b.
    assert letter_groups("abc", [("b", "c")]) == (("a", "b"), ("a", "c"))


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_the_largest_sets_without_a_pair_that_is_apart(seed: int):
    names = "abcdefg"
    random = np.random.default_rng(seed)
    apart = [pair for pair in combinations(names, 2) if random.uniform() < 0.4]
    every = chain.from_iterable(combinations(names, size) for size in range(1, len(names) + 1))
    free = [set(part) for part in every if not any(set(pair) <= set(part) for pair in apart)]
    largest = [part for part in free if not any(part < other for other in free)]
    found = letter_groups(names, apart)
    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))
    assert found == tuple(sorted(found))


def test_too_few_draws_to_show_anything_are_refused():
    ratios = {pair: normal(1.5, 0.01, n=119) for pair in combinations("abc", 2)}
    with pytest.raises(ValueError, match="3 pairs need 120 draws or more"):
        groups({"a": 3.0, "b": 2.0, "c": 1.0}, ratios, 0.05)
    enough = {pair: normal(1.5, 0.01, n=120) for pair in combinations("abc", 2)}
    found = groups({"a": 3.0, "b": 2.0, "c": 1.0}, enough, 0.05)
    assert {pair.relation for pair in found.pairs} == {AHEAD}


def test_a_pair_without_a_ratio_and_a_margin_below_nothing_are_refused():
    with pytest.raises(ValueError, match="no ratio of go and node"):
        groups({"go": 2.0, "node": 1.0}, {}, 0.05)
    with pytest.raises(ValueError, match="share of 0 or more"):
        one_pair(normal(1.2, 0.03), margin=-0.05)


def test_two_that_are_no_pair_have_no_relation():
    with pytest.raises(KeyError, match="rust"):
        one_pair(normal(1.2, 0.03)).relation("go", "rust")
