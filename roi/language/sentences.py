"""Where the sentences of a text end, and how Chinese ones are put together."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_END = re.compile(r"[.?!][\"”’)*`\]]*(?=\s)")
_NO_END = re.compile(r"(?:\be\.g|\bi\.e|\bcf|\bvs|\bNo|\bapprox|^\d+)\.$")
_CLAUSE = re.compile(r"[:;](?=\s)")
MARKS = {".": "。", "?": "？", "!": "！", ":": "：", ";": "；", ",": "，"}
"""What ends a text in English, and in Chinese."""
_CHINESE = "\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef"
_PUNCTUATION = "，。；：？！（）、"
CHINESE = re.compile(f"[{_CHINESE}]")
_SPACES = re.compile(f"(?<=[{_CHINESE}]) +(?=[{_CHINESE}])|(?<=[{_PUNCTUATION}]) +| +(?=[{_PUNCTUATION}])")


@lru_cache(maxsize=1 << 14)
def sentence_ends(text: str) -> tuple[int, ...]:
    """Give the places behind the sentences of a text that others follow."""
    return tuple(found.end() for found in _END.finditer(text) if not _NO_END.search(text[: found.start() + 1]))


@lru_cache(maxsize=1 << 14)
def breaks(text: str) -> tuple[int, ...]:
    """Give the places behind the sentences and clauses of a text that others follow."""
    return tuple(sorted({*sentence_ends(text), *(found.end() for found in _CLAUSE.finditer(text))}))


def sentences(text: str) -> list[str]:
    """Give the sentences of a text."""
    places = [0, *sentence_ends(text), len(text)]
    return [text[start:end].strip() for start, end in pairwise(places)]


def spaced(text: str) -> str:
    """Give Chinese text without the spaces that English has between words; those beside Latin letters and figures stay."""
    return _SPACES.sub("", text)
