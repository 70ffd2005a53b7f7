"""What a language knows: the messages of its catalogues, found by their rarest word."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from roi.language.errors import CatalogueInvalid
from roi.language.pattern import WORD, Pattern, compiled
from roi.report.deck.spoken import plain


@dataclass(frozen=True)
class Memory:
    """Messages, ready to be looked up."""

    whole: Mapping[str, str]
    """Those without placeholders, by their text."""
    by_word: Mapping[str, tuple[Pattern, ...]]
    """Those with placeholders, by the rarest of the words that they have whole; under "" those that have none."""

    def exact(self, text: str) -> str | None:
        """Give the translation of a text that has no placeholders, whatever the size of its first letter."""
        found = self.whole.get(text)
        return self.whole.get(_other_case(text)) if found is None else found

    def patterns(self, text: str) -> list[Pattern]:
        """Give the messages with placeholders that have no word that a text has not."""
        words = set(WORD.findall(text)) | set(WORD.findall(_other_case(text)))
        return [one for word in ("", *words) for one in self.by_word.get(word, ()) if one.words <= words]

    def match(self, pattern: Pattern, text: str, crossing: bool = False) -> tuple[str, ...] | None:
        """Give what stands in the placeholders of a message, whatever the size of a text's first letter; see `Pattern.match`."""
        found = pattern.match(text, crossing)
        return pattern.match(_other_case(text), crossing) if found is None else found


def _other_case(text: str) -> str:
    """Give a text with a small first letter for a capital one, and the other way round."""
    return text[:1].swapcase() + text[1:]


def read(folder: Path) -> Memory:
    """Read the catalogues of a language.

    Raises
    ------
    CatalogueInvalid
        A file cannot be read, a message is not as it must be, or two files give one key different values; all of it is told.
    """
    found, faults = checked(folder)
    if faults:
        raise CatalogueInvalid("\n".join(faults))
    return found


def checked(folder: Path) -> tuple[Memory, list[str]]:
    """Read the catalogues of a language as far as they are sound, and give sentences about what is not."""
    faults: list[str] = []
    tables = {path.name: _table(path, faults) for path in sorted(folder.glob("*.toml"))}
    return remembered(tables, faults), faults


def _table(path: Path, faults: list[str]) -> dict[str, str]:
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        faults.append(f"{path.name} cannot be read: {error}.")
        return {}
    faults += [
        f'{path.name}: {key!r} must be a text, "English" = "中文", in one flat table.'
        for key, value in said.items()
        if not isinstance(value, str)
    ]
    return {key: value for key, value in said.items() if isinstance(value, str)}


def remembered(catalogues: Mapping[str, Mapping[str, str]], faults: list[str]) -> Memory:
    """Give the memory of catalogues by the names of their files; sentences about messages that are not sound join `faults`."""
    patterns: dict[str, Pattern] = {}
    files: dict[str, str] = {}
    for name, table in catalogues.items():
        for key, value in table.items():
            try:
                found = compiled(key, value)
            except ValueError as error:
                faults.append(f"{name}: {key!r} {error}.")
                continue
            if key not in files:
                patterns[key], files[key] = found, name
            elif patterns[key].value != found.value:
                faults.append(f"{files[key]} and {name} translate {key!r} in two ways: leave one of them.")
    for key, found in [*patterns.items()]:
        patterns.setdefault(plain(key), _plainly(found))
    return _indexed(patterns.values())


def _plainly(pattern: Pattern) -> Pattern:
    """Give a message without the marks for emphasis and code, which slides do not have."""
    pieces = (
        one.replace("{", "{{").replace("}", "}}") if isinstance(one, str) else f"{{{one}}}" for one in pattern.value
    )
    return compiled(plain(pattern.key), plain("".join(pieces)))


def _indexed(patterns: Collection[Pattern]) -> Memory:
    with_places = [one for one in patterns if one.dropped]
    often = Counter(word for one in with_places for word in one.words)
    by_word: dict[str, list[Pattern]] = {}
    for one in with_places:
        by_word.setdefault(min(one.words, key=lambda word: (often[word], word), default=""), []).append(one)
    whole = {one.literals[0]: "".join(map(str, one.value)) for one in patterns if not one.dropped}
    return Memory(whole, {word: tuple(some) for word, some in by_word.items()})
