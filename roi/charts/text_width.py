"""How wide a text is and into which lines it breaks, where nobody may start a renderer to ask.

The widths are those of Helvetica in Adobe's font metrics, which Arial and Liberation Sans share; what other fonts need beyond
them is in `_SLACK`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ASCII = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
    667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556,
    556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
"""Of the characters from the space to the tilde, in thousandths of the font's size."""
_OTHERS = {"–": 556, "—": 1000, "…": 1000, "·": 278, "’": 222, "‘": 222, "“": 333, "”": 333}
_ELSE, _WIDE = 600, 1000
_CLOSING, _OPENING = "，。、；：？！）》」』】”’…%,.;:?!)", "（《「『【“‘("
"""Marks that begin no line, and marks that end none, where a line may break between any two signs."""
_PIECE = re.compile(rf"[{re.escape(_OPENING)}]*[^{re.escape(_OPENING + _CLOSING)}]?[{re.escape(_CLOSING)}]*")
_BOLD = 1.09
"""Helvetica Bold over Helvetica, for running text."""
_SLACK = 1.05
"""Other fonts, and other renderers' kerning and rounding."""
LINE = 1.2
"""Height of a line over the font's size."""


@dataclass(frozen=True)
class Fitted:
    """A text that has found its size."""

    text: str
    """Cut with an ellipsis where no size was small enough."""
    size_pt: float
    lines: int
    """Lines that it breaks into."""

    @property
    def height_pt(self) -> float:
        """Height of all its lines, in points."""
        return self.lines * self.size_pt * LINE


def width_pt(text: str, size_pt: float, bold: bool = False) -> float:
    """Give the width of a line of text, in points, rather too wide than too narrow."""
    return sum(map(_thousandths, text)) / 1000 * size_pt * (_BOLD if bold else 1.0) * _SLACK


def _thousandths(one: str) -> int:
    if " " <= one <= "~":
        return _ASCII[ord(one) - ord(" ")]
    return _OTHERS.get(one) or (_WIDE if _is_wide(one) else _ELSE)


def wrapped(text: str, size_pt: float, within_pt: float, bold: bool = False) -> list[str]:
    """Give the lines that a text breaks into: between words, and around a Chinese sign, which needs no space.

    A word that is wider than a line is broken as well.
    """
    lines = [""]
    for piece in _pieces(text):
        longer = (lines[-1] + piece).lstrip()
        if width_pt(longer.rstrip(), size_pt, bold) <= within_pt:
            lines[-1] = longer
        else:
            lines += _broken(piece.strip(), size_pt, within_pt, bold)
    return [line.rstrip() for line in lines if line.strip()] or [""]


def _pieces(text: str) -> Iterator[str]:
    """Give what no line may break within; the first piece of a word has the space before it."""
    for place, word in enumerate(text.split()):
        joined = " " if place else ""
        signs = list(filter(None, _PIECE.findall(word))) if any(map(_is_wide, word)) else [word]
        for sign, following in zip(signs, [*signs[1:], ""], strict=True):
            joined += sign
            if not following or _parts(sign, following):
                yield joined
                joined = ""


def _parts(sign: str, following: str) -> bool:
    """Tell whether a line may break between two signs, each with the marks that belong to it."""
    inner = (one.strip(_OPENING + _CLOSING) for one in (sign, following))
    return any(map(_is_wide, (*"".join(inner), sign[-1], following[0])))


def _is_wide(one: str) -> bool:
    return unicodedata.east_asian_width(one) in "WF"


def _broken(word: str, size_pt: float, within_pt: float, bold: bool) -> list[str]:
    parts = [""]
    for one in word:
        if parts[-1] and width_pt(parts[-1] + one, size_pt, bold) > within_pt:
            parts.append("")
        parts[-1] += one
    return parts


def fitted(text: str, sizes_pt: Sequence[float], within_pt: float, most_lines: int, bold: bool = False) -> Fitted:
    """Give a text the first size at which it takes no more than some lines; at the last one it is cut.

    Parameters
    ----------
    text
        One paragraph.
    sizes_pt
        Sizes to try, the most wanted first.
    within_pt
        Width of a line.
    most_lines
        How many lines it may take.
    bold
        Set in bold.
    """
    for size in sizes_pt:
        lines = wrapped(text, size, within_pt, bold)
        if len(lines) <= most_lines:
            return Fitted(text, size, len(lines))
    kept = [*_pieces(text)]
    while len(kept) > 1 and len(wrapped(_cut(kept), size, within_pt, bold)) > most_lines:
        kept.pop()
    return Fitted(_cut(kept), size, most_lines)


def _cut(pieces: Sequence[str]) -> str:
    return "".join(pieces).rstrip(" ,;:，；：、") + "…"
