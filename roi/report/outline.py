"""The headings of a page: each has an id to link to, no level is skipped, and those of the second level are its contents."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Heading:
    """A heading of the second level."""

    id: str
    """What a link to it names; unique on its page."""
    text: str
    """Without markup."""


@dataclass(frozen=True)
class Outlined:
    """A piece of HTML whose headings can be linked to."""

    body: str
    headings: tuple[Heading, ...]
    """Those of the second level, in their order."""
    titled: bool
    """Whether it has a heading of the first level."""


def outlined(body: str) -> Outlined:
    """Give headings their ids; one that is more than a level below the one before it moves up."""
    taken: set[str] = set()
    headings: list[Heading] = []
    above = 0

    def marked(found: re.Match[str]) -> str:
        nonlocal above
        above = min(int(found[1]), above + 1) if above else int(found[1])
        text = html.unescape(_TAG.sub("", found[2])).strip()
        name = _unique("-".join(["section", *_WORD.findall(text.lower())]), taken)
        if above == 2:
            headings.append(Heading(name, text))
        return f'<h{above} id="{name}">{found[2]}</h{above}>'

    return Outlined(_HEADING.sub(marked, body), tuple(headings), "<h1>" in body)


def _unique(name: str, taken: set[str]) -> str:
    """Give a name that nothing else has, and take it."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate)
    return candidate
