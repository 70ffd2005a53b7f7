"""Net present value, return and payback on cases of known answers, and the whole model against the worksheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from scipy import optimize

from roi.break_even import LINEAR, searched, straight
from roi.business_case import Flows, Horizon, Line, Side, When, npv, payback, payback_years, present_costs, roi
from roi.coverage import Held
from roi.decision import cash_of, reaches, worth
from roi.inputs import Inputs, values_of
from roi.prove.judge import EXACT, near, so, within
from roi.prove.worksheet import work_out
from roi.quantities import CATALOGUE

_YEARS = 5
_OF_SIMPSON = 1e-7
"""Share of a figure that Simpson's rule may be off."""
_ROOTS = 1e-9
_BUSY = {"fixes_per_year": 3000.0, "config_changes_per_year": 20_000.0}


def proofs(inputs: Inputs) -> Iterator[Held]:
    """Make the proofs of the cash flows, with the means of some inputs for a case."""
    yield from _textbook()
    yield from _paybacks()
    means = inputs.means()
    for option in (option.name for option in inputs.options):
        yield from _against_the_worksheet(means, option, option, "every input at its mean")
        busy = means | _BUSY
        yield from _against_the_worksheet(
            busy, option, f"{option}_busy", "a service with so much work that changing may pay"
        )
    yield _nothing(inputs)
    yield from _break_evens(inputs)


def cash(spent: float, won: Sequence[float], rate: float) -> Flows:
    """Give the flows of something that is paid at the start, and brings so much at the end of each year."""
    years = len(won)
    due = {When.START: np.eye(1, years + 1), When.YEARLY: np.array([[0.0, *won]])}
    lines = (
        Line("spent", Side.COST, When.START, np.array([spent])),
        Line("won", Side.BENEFIT, When.YEARLY, np.array([1.0])),
    )
    return Flows(lines, due, (1 / (1 + rate)) ** np.arange(years + 1.0)[None, :])


def _textbook() -> Iterator[Held]:
    """Hold a case that textbooks print: 1,000 for 500, 400, 300 and 100 at 10 % (Brigham and Houston, project S)."""
    case, note = cash(1000, (500, 400, 300, 100), 0.10), "1,000 for 500, 400, 300, 100 at 10 %"
    yield within("npv_textbook", 78.82, npv(case)[0], 0.005, f"{note}; as the textbook prints it")
    exact = sum(Decimal(won) / Decimal("1.1") ** year for year, won in enumerate((500, 400, 300, 100), 1)) - 1000
    yield near("npv_textbook_exact", float(exact), npv(case)[0], EXACT, f"{note}; in decimals")
    yield near("roi_textbook", float(exact) / 1000, roi(case)[0], EXACT, "net present value over the 1,000 spent")
    yield near(
        "present_costs_textbook", 1000.0, present_costs(case)[0], EXACT, "what is spent at the start is not discounted"
    )
    yield within("payback_textbook_years", 2.95, payback(case)[0], 0.005, "discounted, as the textbook prints it")
    at_return = npv(cash(1000, (500, 400, 300, 100), 0.1448884))[0]
    yield within("npv_at_the_internal_rate", 0.0, at_return, 1e-3, "its internal rate of return is 14.48884 %")


def _paybacks() -> Iterator[Held]:
    cases = (
        (
            "payback_within_a_year_years",
            2.5,
            (-1000, 400, 400, 400),
            "1,000 for 400 a year: half way through the third",
        ),
        ("payback_at_a_year_end_years", 2.0, (-800, 400, 400, 400), "800 for 400 a year: at the end of the second"),
        ("payback_at_once_years", 0.0, (0, 100, 100, 100), "nothing is spent"),
        ("payback_after_a_relapse_years", 3.5, (-100, 150, -100, 0, 100), "above zero, below again, and then for good"),
    )
    for name, expected, net, note in cases:
        found = payback_years(np.array([net], float))[0]
        yield within(name, expected, found, EXACT, note)
    never = payback_years(np.array([[-1000.0, 100, 100, 100, 100, 100]]))[0]
    yield so("payback_never", math.isinf(never), "1,000 for 100 a year in 5 years: never, and no number of years")


def _against_the_worksheet(values: dict[str, float], option: str, name: str, what: str) -> Iterator[Held]:
    sheet = work_out(values_of(values), values_of(values, option), _YEARS)
    found = cash_of(values, option, Horizon(_YEARS))
    note = f"{what}; {_YEARS} years, year by year in decimals"
    yield near(f"npv_{name}", float(sheet.npv), npv(found)[0], _OF_SIMPSON, note)
    yield near(f"present_costs_{name}", float(sheet.costs), present_costs(found)[0], _OF_SIMPSON, note)
    yield near(f"roi_{name}", float(sheet.npv / sheet.costs), roi(found)[0], _OF_SIMPSON, note)
    years = payback(found)[0]
    if sheet.payback_years is None:
        yield so(f"payback_{name}_never", math.isinf(years), note)
    else:
        yield near(f"payback_{name}_years", float(sheet.payback_years), years, _OF_SIMPSON, note)


def _nothing(inputs: Inputs) -> Held:
    """Hold an option that costs nothing and changes nothing against zero."""
    free = {name: 0.0 for name, kind in CATALOGUE.items() if not kind.of_service}
    values = values_of(inputs.means()) | {f"nothing.{name}": value for name, value in free.items()}
    return within(
        "npv_of_changing_nothing", 0.0, worth(values, "nothing", Horizon(_YEARS))[0], 0.0, "free, and all as it was"
    )


def _break_evens(inputs: Inputs) -> Iterator[Held]:
    """Hold every break-even of every option against the root of the whole model, and each line against the model half way."""
    found = [
        _turn(inputs, option.name, key)
        for option in inputs.options
        for key in sorted(inputs.means())
        if reaches(key, option.name)
    ]
    closed = [turn for turn in found if turn.closed]
    off = max((turn.off for turn in found if turn.off is not None), default=math.inf)
    number = sum(turn.off is not None for turn in found)
    yield Held("break_evens_found", 1.0, float(number), 0.0, number >= 1, "at least one, or nothing is proven below")
    yield within(
        "break_even_off_the_root", 0.0, off, _ROOTS, f"largest of {number}, as a share; brentq on the whole model"
    )
    bend = max(turn.bend for turn in closed)
    yield within(
        "linear_inputs_bend", 0.0, bend, _ROOTS, f"half way between its ends the worth of each of {len(closed)} is half"
    )


@dataclass(frozen=True)
class _Turn:
    """Where one input turns the case of one option."""

    closed: bool
    """Whether the model says it in closed form."""
    bend: float
    """How far the worth half way between the ends is from half, as a share; 0 of an input that is not taken for linear."""
    off: float | None
    """How far the break-even is from the root, as a share; None where the case does not turn within the input's range."""


def _turn(inputs: Inputs, option: str, key: str) -> _Turn:
    means, kind = inputs.means(), CATALOGUE[key.rpartition(".")[2]]

    def of(values: Mapping[str, float]) -> np.ndarray:
        return worth(values, option, Horizon(_YEARS))

    def margin(value: float) -> float:
        return float(of({**means, key: value})[0])

    if kind.name not in LINEAR:
        ours = searched(of, means, key, kind.least, kind.most)
        # No closed form to hold it against: the model itself says whether it is zero there.
        return _Turn(False, 0.0, None if ours is None else abs(margin(ours)) / (abs(margin(means[key])) + 1.0))
    low, middle, high = (margin(value) for value in (kind.least, (kind.least + kind.most) / 2, kind.most))
    bend = abs(middle - (low + high) / 2) / max(abs(low), abs(high), 1.0)
    ours = straight(of, means, key, kind.least, kind.most)
    if low * high >= 0:
        return _Turn(True, bend, None if ours is None else math.inf)
    root = optimize.brentq(margin, kind.least, kind.most, xtol=1e-15, rtol=1e-14)
    return _Turn(True, bend, math.inf if ours is None else abs(ours - root) / max(abs(root), abs(means[key])))
