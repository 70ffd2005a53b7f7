"""Which cells a comparison leaves out, or takes in although the gate failed them, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roi.data import Run

_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_DETAIL = re.compile(r":\s.*$|\s\([^()]*\)$", re.DOTALL)
"""What follows a colon, or stands in brackets at the end: the figures behind a reason."""

CELLS = """
    select c.cell_id, c.variant, c.gate_passed, c.gate_reasons, c.failure
    from cells c left join faults f using (cell_id)
    where c.scenario = $scenario
          and ($model is null or c.traffic_model = $model)
          and ($rate_per_s is null or c.rate_per_s = $rate_per_s)
          and ($fault is null or f.fault = $fault or (f.fault is null and contains(c.cell_id, '-' || $fault || '-')))
    order by c.position
"""
"""The cells that a comparison asks for, whatever became of them; one that failed holds no fault, but its id names it."""


@dataclass(frozen=True)
class Compared:
    """The cells that a comparison asks for; None asks for any."""

    scenario: str
    all_cells: bool = False
    """Those that the gate did not pass are in it."""
    model: str | None = None
    """Traffic model: open or closed."""
    rate_per_s: float | None = None
    """The rung."""
    fault: str | None = None


@dataclass(frozen=True)
class Exclusions:
    """What became of the cells that a comparison asks for."""

    cells: int
    """Cells asked for."""
    ungated: int
    """Of them those that were measured and that the gate did not pass."""
    reasons: Mapping[str, int]
    """Why, in a few words, with the number of cells that say so, most frequent first; a cell can have several."""
    failures: Mapping[str, str]
    """By cell id what went wrong where nothing could be measured."""


def exclusions(run: Run, compared: Compared) -> Exclusions:
    """Give what a comparison leaves out, or, with `all_cells`, takes in in spite of the gate."""
    cells = run.query(
        CELLS,
        {"scenario": compared.scenario, "model": compared.model, "rate_per_s": compared.rate_per_s,
         "fault": compared.fault},
    )  # fmt: skip
    failed = cells[cells["failure"].notna()]
    ungated = cells[~cells["gate_passed"].astype(bool) & cells["failure"].isna()]
    return Exclusions(
        len(cells), len(ungated), frequent(ungated["gate_reasons"]), dict(zip(failed["cell_id"], failed["failure"], strict=True))
    )  # fmt: skip


def frequent(reasons_of_cells: Iterable[Iterable[str]]) -> dict[str, int]:
    """Give reasons in a few words with the number of cells that say so, most frequent first.

    Reasons that differ in their numbers alone are one, with the least and the greatest number in it.
    """
    alike: dict[str, list[str]] = {}
    count: Counter[str] = Counter()
    for reasons in reasons_of_cells:
        short = {_NUMBER.sub("#", words): words for words in map(_in_a_few_words, reasons)}
        for form, words in short.items():
            alike.setdefault(form, []).append(words)
            count[form] += 1
    return {_one(form, alike[form]): cells for form, cells in count.most_common()}


def _in_a_few_words(reason: str) -> str:
    return _DETAIL.sub("", reason.strip()).rstrip(".")


def _one(form: str, words: list[str]) -> str:
    """Write reasons of one form as one: `#` becomes the number, or the range of the numbers."""
    columns = zip(*(_NUMBER.findall(text) for text in words), strict=True)
    ranges = iter([_range(numbers) for numbers in columns])
    return re.sub("#", lambda _: next(ranges), form)


def _range(numbers: tuple[str, ...]) -> str:
    ordered = sorted(numbers, key=lambda text: float(text.replace(",", "")))
    return ordered[0] if ordered[0] == ordered[-1] else f"{ordered[0]} to {ordered[-1]}"
