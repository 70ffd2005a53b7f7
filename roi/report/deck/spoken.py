"""What an executed notebook says in words: its verdict, and the case against it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

AGAINST = "The case against"
"""Heading of the section that says what speaks against a page."""
_HEADING = re.compile(r"#+\s+(.*)")
_MARKUP = re.compile(r"(\*\*|\*|`)(?=\S)(.+?)(?<=\S)\1")


@dataclass(frozen=True)
class Spoken:
    """The words of one page, without mark-up."""

    verdict: str
    """The first that its code says; empty when it says nothing."""
    against: tuple[str, ...]
    """Paragraphs of the section that speaks against it."""


def spoken(path: Path) -> Spoken:
    """Read the words of an executed notebook."""
    cells = nbformat.read(path, as_version=4).cells
    verdict = next((said for cell in cells if cell.cell_type == "code" for said in _results(cell)), "")
    return Spoken(plain(verdict), tuple(map(plain, _section(cells, AGAINST))))


def _section(cells: list[Any], heading: str) -> Iterator[str]:
    """Give the paragraphs below a heading, those that code writes among them, up to the next heading."""
    inside = False
    for cell in cells:
        if cell.cell_type == "code":
            for said in _results(cell) if inside else ():
                yield from _paragraphs(said.splitlines())
            continue
        below: list[str] = []
        for line in cell.source.splitlines():
            if found := _HEADING.fullmatch(line.strip()):
                yield from _paragraphs(below)
                inside, below = found[1].strip() == heading, []
            elif inside:
                below.append(line)
        yield from _paragraphs(below)


def _results(cell: Any) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        if said := output.get("data", {}).get("text/markdown"):
            yield "".join(said)


def _paragraphs(lines: list[str]) -> Iterator[str]:
    """Give paragraphs and items of lists, each in one line."""
    whole = ""
    for line in [*lines, ""]:
        begins = line.lstrip().startswith(("- ", "* "))
        if whole and (begins or not line.strip()):
            yield whole
            whole = ""
        whole = f"{whole} {line.strip()[2:] if begins else line.strip()}".strip()


def plain(markdown: str) -> str:
    """Give text without the marks for emphasis and code."""
    text, before = " ".join(markdown.split()), ""
    while text != before:
        before, text = text, _MARKUP.sub(r"\2", text)
    return re.sub(r"\\([*_`])", r"\1", text)
