"""Collections as V8 prints them with `--trace-gc`: the check on the trace events.

It tells the sum of the incremental marking's steps, which Node's own performance observer does not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COLLECTION = re.compile(
    r"\[\d+:0x[0-9a-f]+\] +(?P<at>\d+) ms: (?P<kind>Scavenge|Mark-Compact|Minor [\w-]+)(?: \([^)]*\))? "
    r".*?(?P<pause>\d+\.\d+) / \d+\.\d+ ms +(?P<rest>.*)"
)
_TIMED = re.compile(r"\[\d+:0x[0-9a-f]+\] +\d+ ms: ")
_STEPS = re.compile(r"\(\+ (?P<ms>\d+\.\d+) ms in (?P<steps>\d+) steps since start of marking")
_CAUSE = re.compile(r"\(average mu = [\d.]+, current mu = [\d.]+\) (?P<cause>.*?);? *$")


@dataclass(frozen=True)
class Collection:
    """One collection; times in ms as printed, with two decimals for the pause and one for the steps."""

    at_ms: int
    """Since the isolate began."""
    kind: str
    pause_ms: float
    steps: int
    """Incremental marking steps since the start of marking."""
    steps_ms: float
    cause: str


def collections(text: str) -> list[Collection]:
    """Give the collections in what a Node process printed, in its order."""
    found = []
    for line in text.splitlines():
        if match := _COLLECTION.match(line):
            steps = _STEPS.search(match["rest"])
            cause = _CAUSE.search(match["rest"])
            found.append(
                Collection(
                    int(match["at"]),
                    match["kind"],
                    float(match["pause"]),
                    int(steps["steps"]) if steps else 0,
                    float(steps["ms"]) if steps else 0.0,
                    cause["cause"] if cause else "",
                )
            )
    return found


def unread(text: str) -> list[str]:
    """Give the lines in the form of a collection's that are not those of one: a check that skips any is none."""
    return [line for line in text.splitlines() if _TIMED.match(line) and not _COLLECTION.match(line)]
