"""One message of a catalogue: a text with placeholders, and what it is in the other language.

In a key `{}` stands for any text and `{-}` for a piece of grammar that the other language drops, such as the s of a plural.
In a value `{0}`, `{1}` … are the key's `{}` in order. A literal brace is doubled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from roi.language.sentences import breaks

WORD = re.compile(r"[^\W\d_]+")
_KEY_TOKEN = re.compile(r"(\{\{|\}\}|\{-?\}|[{}])")
_VALUE_TOKEN = re.compile(r"(\{\{|\}\}|\{\d+\}|[{}])")
_BRACES = {"{{": "{", "}}": "}"}
_GRAMMAR = re.compile(r"[a-z']*")


@dataclass(frozen=True)
class Pattern:
    """A message and its translation."""

    key: str
    """As its catalogue has it."""
    literals: tuple[str, ...]
    """What stands before, between and behind the placeholders; one more than there are placeholders."""
    dropped: tuple[bool, ...]
    """By placeholder, whether the other language drops it."""
    value: tuple[str | int, ...]
    """The translation in pieces; a number is that of a placeholder that is kept."""

    @cached_property
    def letters(self) -> int:
        """Number of literal letters."""
        return sum(letter.isalpha() for literal in self.literals for letter in literal)

    @cached_property
    def rank(self) -> tuple[int, int, str]:
        """What messages that fit the same text are sorted by: most literal letters first, then most literal signs."""
        return -self.letters, -sum(map(len, self.literals)), self.key

    @cached_property
    def words(self) -> frozenset[str]:
        """Whole words that every text of this message has; a word that touches a placeholder may be longer in the text."""
        last = len(self.literals) - 1
        return frozenset(
            found[0]
            for place, literal in enumerate(self.literals)
            for found in WORD.finditer(literal)
            if (found.start() > 0 or place == 0) and (found.end() < len(literal) or place == last)
        )

    @property
    def open_ended(self) -> bool:
        """Tell whether it ends with a placeholder."""
        return bool(self.dropped) and not self.literals[-1]

    def match(self, text: str, crossing: bool = False) -> tuple[str, ...] | None:
        """Give what stands in the placeholders that are kept, as short as possible from the left; None for another text.

        Parameters
        ----------
        text
            The whole text.
        crossing
            Whether a placeholder may hold the end of a sentence or clause and what follows it, or one bracket of a pair.
        """
        if not text.startswith(self.literals[0]):
            return None
        found = self._from(0, len(self.literals[0]), text, crossing, set())
        if found is None:
            return None
        return tuple(said for said, drop in zip(found, self.dropped, strict=True) if not drop)

    def _from(
        self, place: int, start: int, text: str, crossing: bool, failed: set[tuple[int, int]]
    ) -> tuple[str, ...] | None:
        """Match from a placeholder on; `failed` holds the places from which it is known that there is no match."""
        if place == len(self.dropped):
            return () if start == len(text) else None
        if (place, start) in failed:
            return None
        literal, drop = self.literals[place + 1], self.dropped[place]
        if drop:
            most = _GRAMMAR.match(text, start).end()
        else:
            ends = () if crossing else breaks(text)
            most = min((one for one in ends if one > start), default=len(text))
        if place == len(self.dropped) - 1:
            tries = [len(text) - len(literal)] if text.endswith(literal) else []
        else:
            tries = _places(text, literal, start + (not drop), most)
        for at in tries:
            if start + (not drop) <= at <= most and (crossing or _balanced(text[start:at])):
                rest = self._from(place + 1, at + len(literal), text, crossing, failed)
                if rest is not None:
                    return text[start:at], *rest
        failed.add((place, start))
        return None


def _places(text: str, literal: str, start: int, most: int) -> list[int]:
    places, at = [], text.find(literal, start)
    while 0 <= at <= most:
        places.append(at)
        at = text.find(literal, at + 1)
    return places


def _balanced(text: str) -> bool:
    """Tell whether a text has both brackets of every pair, and both ends of what is emphasised."""
    return text.count("(") == text.count(")") and text.count("[") == text.count("]") and text.count("**") % 2 == 0


def compiled(key: str, value: str) -> Pattern:
    """Give the message of a key and its value.

    Raises
    ------
    ValueError
        Key or value is empty, a brace is neither a placeholder nor doubled, two placeholders have nothing between them, or key
        and value do not have the same placeholders.
    """
    if not key.strip() or not value.strip():
        raise ValueError(f"is translated by {value!r}: neither may be empty")
    literals, dropped = [""], []
    for token in _KEY_TOKEN.split(key):
        if token in ("{}", "{-}"):
            if dropped and not literals[-1]:
                raise ValueError("has two placeholders with nothing between them")
            dropped.append(token == "{-}")
            literals.append("")
        elif token in ("{", "}"):
            raise ValueError(
                f"has a single {token} in the key: a placeholder is {{}} or {{-}}, a literal brace is doubled"
            )
        else:
            literals[-1] += _BRACES.get(token, token)
    pieces: list[str | int] = []
    for token in _VALUE_TOKEN.split(value):
        if token in ("{", "}"):
            raise ValueError(f"has a single {token} in the value: a placeholder is {{0}}, a literal brace is doubled")
        if token:
            number = re.fullmatch(r"\{(\d+)\}", token)
            pieces.append(int(number[1]) if number else _BRACES.get(token, token))
    _check_numbers({one for one in pieces if isinstance(one, int)}, dropped.count(False))
    return Pattern(key, tuple(literals), tuple(dropped), tuple(pieces))


def _check_numbers(used: set[int], there: int) -> None:
    if beyond := sorted(used - set(range(there))):
        named = ", ".join(f"{{{number}}}" for number in beyond)
        raise ValueError(f"has {named} in the value, and the key has {there} {{}}, which count from {{0}}")
    if lacking := sorted(set(range(there)) - used):
        named = ", ".join(f"{{{number}}}" for number in lacking)
        raise ValueError(f"has no {named} in the value: say it there, or write {{-}} in the key for grammar to drop")
