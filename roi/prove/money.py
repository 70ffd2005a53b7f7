"""The proof of the money: every formula of factor, case and sensitivity against an independent calculation."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator

import numpy as np

from roi import sensitivity
from roi.business_case import Horizon
from roi.coverage import Held
from roi.decision import decide
from roi.errors import InputsInvalid
from roi.inputs import Inputs
from roi.prove import cash, example, factor, uncertainty
from roi.prove.judge import at_most, so

_DRAWS = 100_000
_SEED = 1
_MOST_SECONDS = 10.0
_FEW = 1 << 10
_ORDERS = 5


def proofs() -> Iterator[Held]:
    """Make every proof, one after another."""
    yield from timeless()
    yield _time(example.inputs())


def timeless() -> Iterator[Held]:
    """Make every proof but the one against the clock."""
    inputs = example.inputs()
    yield from factor.proofs()
    yield from cash.proofs(inputs)
    yield from uncertainty.proofs()
    yield from _order(inputs)
    yield from _units()


def _order(inputs: Inputs) -> Iterator[Held]:
    """Hold results of files that say the same in another order against each other, bit for bit."""
    ours = decide(inputs, Horizon(), _FEW, _SEED)
    shuffled = [decide(example.inputs(shuffled=seed), Horizon(), _FEW, _SEED) for seed in range(_ORDERS)]
    same = all(
        np.array_equal(ours.of(found.option.name).npv, found.npv) for other in shuffled for found in other.outcomes
    )
    yield so(
        "order_of_inputs_does_not_matter",
        same,
        f"{_ORDERS} files with tables and keys shuffled: every draw the same bits",
    )
    again = decide(inputs, Horizon(), _FEW, _SEED)
    repeats = np.array_equal(ours.payoffs, again.payoffs)
    yield so("a_seed_repeats_its_draws", repeats, "every draw the same bits")
    other = decide(inputs, Horizon(), _FEW, _SEED + 1)
    yield so(
        "another_seed_draws_others", not np.array_equal(ours.payoffs, other.payoffs), "or the seed would do nothing"
    )


def _units() -> Iterator[Held]:
    """Hold the schema to what it must catch: each time one quantity is wrong, and the message must name line and remedy."""
    cases = (
        ("minutes_for_hours", "fix_hours", {"value": 252.0}, "minutes", "4.2 hours, typed in minutes"),
        ("another_unit_of_time", "fix_hours", {"unit": "person-minutes"}, "person-hours", "a unit of the same dimension"),
        ("percent_for_share", "change_failure_rate", {"pert": [2, 12, 40]}, "percent", "12 % typed as 12"),
        ("per_month_for_per_year", "releases_per_year", {"unit": "1/month"}, "multiply by 12", "a unit of the same dimension"),
        ("money_for_hours", "fix_hours", {"unit": "USD"}, "person-hours", "a unit of something else"),
    )  # fmt: skip
    for name, key, wrong, remedy, note in cases:
        said = copy.deepcopy(example.declared())
        said["quantities"][key] |= wrong
        text = example.text(said)
        yield so(f"caught_{name}", refused(text, key, remedy), f"{note}; named with its line and {remedy!r}")


def refused(text: str, key: str, remedy: str) -> bool:
    """Tell whether a file's text is refused with a line of a quantity of the service, and with words for what to do."""
    head = text.splitlines().index(f"[quantities.{key}]") + 1
    within = range(head, head + 12)
    try:
        example.reckoned(text)
    except InputsInvalid as error:
        said = str(error)
        return remedy in said and any(f"line {line}," in said for line in within)
    return False


def _time(inputs: Inputs) -> Held:
    """Hold the whole study to its time on one processor, which neighbours do not change; the clock's is in the note."""
    begun, worked = time.perf_counter(), time.process_time()
    found = sensitivity.study(inputs, Horizon(), _DRAWS, _SEED)
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    note = (
        f"{found.draws:,} draws (a power of two) of {len(inputs.uncertain)} inputs for {len(inputs.options)} options, with indices"
        f" of {len(found.shares)} inputs and by provenance, and what each is worth to know; {seconds:.1f} s by the clock"
    )
    return at_most("draws_with_indices_processor_s", _MOST_SECONDS, worked, note)
