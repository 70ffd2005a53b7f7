"""A source checked against itself: figures that its other figures give, computed from what it prints.

A figure agrees with its print when it rounds to it, half up, to the digits that are printed. What the figures were before
they were rounded nobody knows: the range of what they allow stands beside, and says whether the slip is in the print alone.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from roi.errors import UnknownName

if TYPE_CHECKING:
    from roi.claims import Claim, Reading

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_ALLOWED = (ast.Name, ast.Load, ast.BinOp, ast.UnaryOp, ast.USub, *_OPERATORS)
_MOST_INPUTS = 8


@dataclass(frozen=True)
class Computed:
    """A claim's figure as other figures of the source give it."""

    claim: Claim
    reading: Reading
    value: float
    """From the figures as they are printed, in the claim's unit."""
    rounded: float
    """The value, half up, to the digits that the claim prints."""
    least: float
    """The least that the figures allow before they were rounded."""
    most: float

    @property
    def agrees(self) -> bool:
        """Whether the print is what the value rounds to."""
        return self.rounded == self.claim.value

    @property
    def refutes(self) -> bool:
        """Whether the print is another figure than its own formula gives."""
        return not self.reading.another and not self.agrees


def of_claim(claim: Claim, known: Mapping[str, Claim]) -> tuple[Computed, ...]:
    """Compute a claim from the other claims of its file, in each way that the file names."""
    return tuple(_computed(claim, reading, known) for reading in claim.computed)


def is_refuted(found: tuple[Computed, ...]) -> bool:
    """Tell whether the source's own figures refute a print: no way of computing it gives it, and there is one."""
    own = [one for one in found if not one.reading.another]
    return bool(own) and all(one.refutes for one in own)


def names_in(formula: str) -> list[str]:
    """Give the claims that a formula names.

    Raises
    ------
    ValueError
        It is more than numbers and names with + - * / and brackets, names a claim twice, or too many of them.
    """
    names = [node.id for node in ast.walk(_parsed(formula)) if isinstance(node, ast.Name)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"the formula {formula!r} names {min(twice)} twice: write it so that each claim stands once")
    if len(names) > _MOST_INPUTS:
        raise ValueError(f"the formula {formula!r} names {len(names)} claims; at most {_MOST_INPUTS} can be followed")
    return names


def fault_of(formula: str, known: Mapping[str, Claim]) -> str | None:
    """Say why a formula cannot be computed from these claims; None where it can."""
    try:
        for name in names_in(formula):
            if name not in known:
                raise UnknownName("claim in the formula", name, known)
            if not known[name].value:
                # What rounds to 0 may be of either sign: nothing bounds what is divided by it.
                raise ValueError(
                    f"the formula {formula!r} names {name}, which is 0: it cannot be followed through rounding"
                )
        evaluated(formula, {name: _exact(known[name]) for name in names_in(formula)})
    except ZeroDivisionError:
        return f"the formula {formula!r} divides by nothing"
    except (ValueError, UnknownName) as error:
        return str(error)
    return None


def evaluated(formula: str, values: Mapping[str, Fraction]) -> Fraction:
    """Give what a formula comes to, exactly; `ZeroDivisionError` where it divides by nothing."""
    return _value(_parsed(formula).body, values)


def half_up(value: Fraction | float, decimals: int) -> float:
    """Round half up, away from zero, to some digits after the point, as print does."""
    exact = Fraction(value)
    scaled = Decimal(exact.numerator * 10**decimals) / Decimal(exact.denominator)
    return float(scaled.to_integral_value(ROUND_HALF_UP).scaleb(-decimals))


def _computed(claim: Claim, reading: Reading, known: Mapping[str, Claim]) -> Computed:
    inputs = {name: known[name] for name in names_in(reading.formula)}
    printed = {name: _exact(one) for name, one in inputs.items()}
    value = evaluated(reading.formula, printed)
    # A formula in which each input stands once is monotone in each: the ends of what rounds to the prints give its ends.
    corners = product(*(_ends(one) for one in inputs.values()))
    values = [evaluated(reading.formula, dict(zip(inputs, corner, strict=True))) for corner in corners]
    return Computed(
        claim, reading, float(value), half_up(value, claim.decimals), float(min(values)), float(max(values))
    )


def _exact(claim: Claim) -> Fraction:
    return Fraction(f"{claim.value:.{claim.decimals}f}")


def _ends(claim: Claim) -> tuple[Fraction, Fraction]:
    half = Fraction(1, 2 * 10**claim.decimals)
    return _exact(claim) - half, _exact(claim) + half


def _parsed(formula: str) -> ast.Expression:
    try:
        tree = ast.parse(formula, mode="eval")
    except SyntaxError as error:
        raise ValueError(f"the formula {formula!r} is no arithmetic: {error.msg}") from error
    for node in ast.walk(tree.body):
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if not number and not isinstance(node, _ALLOWED):
            raise ValueError(
                f"the formula {formula!r} may hold ids of claims, numbers, + - * / and brackets, and nothing else"
            )
    return tree


def _value(node: ast.expr, values: Mapping[str, Fraction]) -> Fraction:
    match node:
        case ast.Constant(value=number):
            return Fraction(repr(number))
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=how, right=right):
            return _OPERATORS[type(how)](_value(left, values), _value(right, values))
    raise ValueError(f"{ast.unparse(node)} cannot be computed")
