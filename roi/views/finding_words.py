"""How findings are written in the sentences of a summary, and how a sentence names those that it rests on."""

from __future__ import annotations

import html
from collections.abc import Iterable

from roi.claim_verdicts import unit_of
from roi.quantities import CATALOGUE
from roi.report.findings import Finding
from roi.report.findings import figure as with_hyphen
from roi.views.money import chance, words

_NAMED = 2
"""Findings that a sentence names; one more where that is all."""


def items(*said: str) -> str:
    """Give sentences as a list for a notebook; empty ones are left out."""
    return "\n".join(f"- {one.strip()}" for one in said if one)


def sources(found: Iterable[Finding | None]) -> str:
    """Name the findings that a sentence rests on; empty where there is none."""
    ids = list(dict.fromkeys(one.id for one in found if one is not None))
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED + 1 else ""
    shown = ids[:_NAMED] if more else ids
    return f"({', '.join(f'`{name}`' for name in shown)}{more})" if ids else ""


def figure(value: float) -> str:
    """Write a figure as the tables of findings do, with a true minus."""
    return with_hyphen(value).replace("-", "−")


def reach(found: Finding) -> str:
    """Write the ends of a finding's interval; one that is not known is open."""
    lo, hi = ("open" if end is None else figure(end) for end in (found.lo, found.hi))
    return f"{lo} to {hi}"


def interval(found: Finding) -> str:
    """Write a finding with its interval, if it has one."""
    return figure(found.value) if found.lo is None and found.hi is None else f"{figure(found.value)} [{reach(found)}]"


def amount(value: float | None, unit: str | None) -> str:
    """Write a figure with its unit; a dash for none."""
    return "–" if value is None else f"{figure(value)} {unit_words(unit or '')}".strip()


def unit_words(unit: str) -> str:
    """Give a unit as a reader wants it; empty for what has none."""
    return "" if unit in ("share", "ratio") else unit_of(unit)


def share(value: float) -> str:
    """Write a share that was found by sampling, which may put it a little below nothing or above all."""
    return chance(min(max(value, 0.0), 1.0))


def literal(text: str) -> str:
    """Give text that is shown as it is, whatever marks of HTML it holds."""
    return html.escape(text, quote=False)


def input_words(key: str) -> str:
    """Give an input in words by its key in an id, where the point before the quantity's name is `_`."""
    name = max((name for name in CATALOGUE if key == name or key.endswith(f"_{name}")), key=len, default="")
    option = key.removesuffix(name).rstrip("_")
    return words(f"{option}.{name}" if option else name) if name else plain(key)


def plain(name: str) -> str:
    """Give a name without its underscores."""
    return name.replace("_", " ")


def capital(text: str) -> str:
    """Give a text with a large letter first."""
    return text[:1].upper() + text[1:]


def many(count: int | str, one: str, more: str = "") -> str:
    """Write how many there are: `1 page`, `2 pages`."""
    return f"{count} {one if str(count) == '1' else more or f'{one}s'}"
