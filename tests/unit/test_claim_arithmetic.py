"""The article against itself: what its figures give for each other, worked out by hand."""

from fractions import Fraction

import pytest

from roi import claims
from roi.claim_arithmetic import evaluated, half_up, is_refuted, names_in, of_claim


def computed(name):
    return of_claim(claims.claim(name), claims.read())


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [(2.5, 0, 3.0), (3.5, 0, 4.0), (Fraction(1, 8), 2, 0.13), (63.79, 0, 64.0), (3.8181818, 1, 3.8), (-2.5, 0, -3.0)],
)
def test_halves_are_rounded_up_and_not_to_the_even_neighbour(value, decimals, printed):
    assert half_up(value, decimals) == printed


def test_38_over_10_is_printed_as_3_7_and_nothing_of_the_article_gives_that():
    (found,) = computed("config_ratio")
    assert (found.value, found.rounded, found.agrees) == (3.8, 3.8, False)
    assert is_refuted((found,))
    # 37.5 over 10.5 to 38.5 over 9.5: before they were rounded the two can have given 3.7.
    assert (found.least, found.most) == pytest.approx((37.5 / 10.5, 38.5 / 9.5))


def test_4_2_over_1_1_is_right_when_rounded():
    (found,) = computed("fix_ratio")
    assert found.value == pytest.approx(42 / 11)
    assert found.agrees


def test_the_63_percent_come_from_the_execve_times_and_not_from_the_cold_starts():
    execve, cold_start = computed("static_start_reduction")
    assert (round(execve.value, 2), execve.rounded, execve.agrees) == (63.31, 63.0, True)
    assert (round(cold_start.value, 2), cold_start.rounded, cold_start.agrees) == (63.79, 64.0, False)
    assert not is_refuted((execve, cold_start))
    assert is_refuted((cold_start,))


def test_the_growth_of_one_year_stands_beside_the_mean_of_five_and_does_not_refute_it():
    (found,) = computed("contributor_growth")
    assert round(found.value, 2) == 36.99
    assert found.rounded == 37.0
    assert not found.agrees
    assert not is_refuted((found,))


def test_the_articles_factor_follows_from_its_own_figures_to_the_last_digit():
    (found,) = computed("roi_factor")
    assert found.value == pytest.approx(0.7 * 4.2 / 1.1 + 0.3 * 0.992 / 0.61)
    assert found.agrees


def test_a_claim_that_nothing_gives_is_not_refuted():
    assert computed("mttr_go") == ()
    assert not is_refuted(())


def test_a_formula_is_computed_exactly():
    assert evaluated("100 * (1 - a / b) + -0.1", {"a": Fraction(1), "b": Fraction(3)}) == Fraction(1997, 30)


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("a ** b", "nothing else"),
        ("__import__('os')", "nothing else"),
        ("a.real", "nothing else"),
        ("a if b else c", "nothing else"),
        ("a /", "no arithmetic"),
        ("a / (a + b)", "names a twice"),
        ("a+b+c+d+e+f+g+h+i", "at most 8"),
    ],
)
def test_a_formula_that_is_more_than_arithmetic_is_refused(formula, said):
    with pytest.raises(ValueError, match=said):
        names_in(formula)
