"""Lines of the JVM's unified logging (JEP 158): decorations, tags, message.

Any subset of decorations in any order will do as long as `tags` is one of them. Only `timenanos` tells an instant of
CLOCK_MONOTONIC; `uptimenanos` counts from the start of the JVM and the other clocks are not monotonic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bench.errors import MeterFailed

_LINE = re.compile(r"((?:\[[^\[\]]*\])+)(?: (.*))?")
_DECORATION = re.compile(r"\[([^\[\]]*)\]")
_NANOSECONDS = re.compile(r"(\d+)ns")
_PAUSE_TAGS = {"gc", "safepoint"}
_FIRST_LINE_WITHIN_NS = 10_000_000_000
"""A JVM writes its first line within milliseconds, so a lone clock that begins below this counts the JVM's uptime."""


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    number: int
    """Counts from 1."""
    text: str
    whole: bool
    """It ends with a line feed; the last line of a killed JVM may not."""
    tags: tuple[str, ...] | None
    """None: the line has no decorations, or not those of the others."""
    clocks_ns: tuple[int, ...]
    """Decorations in nanoseconds."""
    message: str

    @property
    def on_pauses(self) -> bool:
        """Whether it is tagged as one of the collector or of safepoints."""
        return self.tags is not None and not _PAUSE_TAGS.isdisjoint(self.tags)


def read_lines(path: Path) -> list[Line]:
    """Give the lines of a log that are not blank.

    Raises
    ------
    MeterFailed
        There is no such log, or it is empty, which the log of a JVM that started never is.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise MeterFailed(
            f"There is no pause log {path.name}: the JVM was not told to write one, or never started."
        ) from None
    lines = list(_lines(text))
    if not lines:
        raise MeterFailed(f"The pause log {path.name} is empty: the JVM ended before its first line was written.")
    return lines


def monotonic_ns(lines: list[Line]) -> list[int | None]:
    """Give each line's instant on CLOCK_MONOTONIC, null where its decorations do not tell it."""
    first = next((line.clocks_ns for line in lines if line.clocks_ns), ())
    if len(first) == 1 and first[0] < _FIRST_LINE_WITHIN_NS:
        return [None] * len(lines)
    # Uptime never exceeds the machine's clock, so of two clocks the later one is the machine's.
    return [max(line.clocks_ns, default=None) for line in lines]


def _lines(text: str) -> Iterator[Line]:
    lines = text.split("\n")
    expected = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        decorations = _DECORATION.findall(match[1]) if match else []
        expected = expected or len(decorations)
        whole = number < len(lines)
        continues = match is not None and not "".join(decorations).strip()
        if match and (len(decorations) == expected or continues):
            clocks = tuple(int(clock[1]) for d in decorations if (clock := _NANOSECONDS.fullmatch(d)))
            yield Line(number, line, whole, _tags(decorations), clocks, match[2] or "")
        else:
            # Every line of a log has the same decorations, or a blank for all when it continues the one before.
            yield Line(number, line, whole, None, (), line)


def _tags(decorations: list[str]) -> tuple[str, ...]:
    for decoration in decorations:
        if decoration[:1].isalpha() and not _PAUSE_TAGS.isdisjoint(tags := _split(decoration)):
            return tags
    return ()


@lru_cache(maxsize=256)
def _split(decoration: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in decoration.split(","))
