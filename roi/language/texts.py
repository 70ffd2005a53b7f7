"""A text in another language: whole, or sentence by sentence, or as the parts and lists that it is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from roi.charts.theme import runtime
from roi.language.memory import Memory
from roi.language.pattern import Pattern
from roi.language.sentences import CHINESE, MARKS, sentences, spaced

_OUTSIDE = re.compile(r"(\s*)(.*?)(\s*)", re.DOTALL)
_FOLDED = re.compile(r"[ \t\r\n\f]+")
_LETTER = re.compile(r"[^\W\d_]")
_CODE = re.compile(r"`[^`]*`")
_MARKED = re.compile(r"(\*\*|\*)(?=\S)([^*]+)(?<=\S)(\*\*|\*)|\[([^\]]+)\]\(([^)]*)\)")
_NAME = re.compile(r".*[\d_/].*|[A-Z]{2,}s?|\S+\.\S+|a?b?c?d?e?f?g?h?")
"""Letters in their order are those that groups share."""
_PROPER = re.compile(r"[^a-z]")
"""Begins a word of a proper name, such as a processor's: in sentences and labels of reports small letters follow the first."""
_BRACKETED = re.compile(r"(.*\S) \(([^()]+)\)")
_WORDS_AROUND_CHINESE = 2
_LAST = re.compile(r"(?:,)? (and|or) ")
_JOINED = {"and": "和", "or": "或"}


@dataclass(frozen=True)
class Said:
    """A text as it is said in another language."""

    text: str
    missing: tuple[str, ...] = ()
    """What of it stays English, though it is no name."""


@dataclass(frozen=True)
class Texts:
    """The texts of one language."""

    memory: Memory
    _known: dict[str, Said] = field(default_factory=dict)

    def say(self, text: str) -> Said:
        """Give a text in the language; white space around it stays, and what is in the language already stays too."""
        before, core, behind = _OUTSIDE.fullmatch(text).groups()
        core = _FOLDED.sub(" ", core)
        if not _LETTER.search(core):
            return Said(text)
        if core not in self._known:
            self._known[core] = self._core(core)
        said = self._known[core]
        return Said(text if said.text == core else before + said.text + behind, said.missing)

    def _core(self, core: str) -> Said:
        """Give a text by the first way that leaves nothing English, or else by the one that leaves the fewest letters."""
        if CHINESE.search(core):
            return self._mixed(core)
        best = Said(core, (core,))
        ways = (self._whole, self._messages, self._marked, self._sentences, self._name, self._parts, self._crossing)
        for way in ways:
            for said in way(core):
                if not said.missing:
                    return said
                if _letters(said.missing) < _letters(best.missing):
                    best = said
        return best

    def _mixed(self, core: str) -> Said:
        """Give a text with Chinese in it: an English one with names that a reader gave it, or one that is translated already."""
        found = (said for way in (self._messages, self._sentences) for said in way(core) if not said.missing)
        return next(found, Said(core))

    def _whole(self, core: str) -> Iterator[Said]:
        for text, mark in _ended(core):
            found = self.memory.exact(text)
            if found is not None:
                yield Said(found + mark)

    def _marked(self, core: str) -> Iterator[Said]:
        """Give a text that is emphasised as a whole, or is one link."""
        found = _MARKED.fullmatch(core)
        if found and found[4]:
            said = self.say(found[4])
            yield Said(f"[{said.text}]({found[5]})", said.missing)
        elif found and found[1] == found[3]:
            said = self.say(found[2])
            yield Said(f"{found[1]}{said.text}{found[1]}", said.missing)

    def _messages(self, core: str, crossing: bool = False) -> Iterator[Said]:
        tried = [
            (pattern, text, mark)
            for text, mark in _ended(core)
            for pattern in self.memory.patterns(text)
            # A full stop at the end belongs to the sentence, and not to what stands in its last placeholder.
            if not (pattern.open_ended and not mark and core[-1] in MARKS)
            # Chinese in few English words is a translation that left something English.
            and (len(pattern.words) >= _WORDS_AROUND_CHINESE or not CHINESE.search(text))
        ]
        for pattern, text, mark in sorted(tried, key=lambda one: one[0].rank):
            found = self.memory.match(pattern, text, crossing)
            if found is None:
                continue
            said = self._alike(pattern, core) or self._filled(pattern, found, mark)
            # A message of few words with much English in it is more likely another message.
            if _letters(said.missing) <= pattern.letters:
                yield said

    def _crossing(self, core: str) -> Iterator[Said]:
        yield from self._messages(core, crossing=True)

    def _alike(self, pattern: Pattern, core: str) -> Said | None:
        """Give a list whose items are all of one message; its last placeholder would else swallow the others."""
        for items, joined in _lists(core):
            if all(pattern.match(item) is not None for item in items):
                return self._listed(items, joined)
        return None

    def _filled(self, pattern: Pattern, found: tuple[str, ...], mark: str) -> Said:
        inner = [self.say(one) for one in found]
        text = "".join(inner[one].text if isinstance(one, int) else one for one in pattern.value)
        return Said(spaced(text + mark), tuple(missing for said in inner for missing in said.missing))

    def _sentences(self, core: str) -> Iterator[Said]:
        parts = sentences(core)
        if len(parts) > 1:
            yield _together([self.say(part) for part in parts], " ")

    def _name(self, core: str) -> Iterator[Said]:
        if ", " in core or _BRACKETED.fullmatch(core):
            return
        tokens = _CODE.sub("0", core).split()
        if all(map(self._is_name, tokens)) or (len(tokens) > 1 and all(map(_PROPER.match, tokens))):
            yield Said(core)

    def _is_name(self, token: str) -> bool:
        bare = token.strip("*()[]“”\"',.:;?!…")
        named = not _LETTER.search(bare) or len(bare) == 1 or _NAME.fullmatch(bare) or runtime(bare)
        return bool(named) or self.memory.whole.get(bare) == bare

    def _parts(self, core: str) -> Iterator[Said]:
        """Give a text from its parts, where all of them are known; of a label and what it is of, the label is enough."""
        yield from self._split(core, core.split("; "), "；")
        yield from self._split(core, core.split(": ", 1), "：")
        if found := _BRACKETED.fullmatch(core):
            outer, inner = self.say(found[1]), self.say(found[2])
            if not outer.missing and not inner.missing:
                yield Said(spaced(f"{outer.text}（{inner.text}）"))
        for items, joined in _lists(core):
            said = self._listed(items, joined)
            if not said.missing:
                yield said
        for text, mark in _ended(core)[1:]:
            said = self.say(text)
            if not said.missing:
                yield Said(said.text + mark)

    def _listed(self, items: list[str], joined: str) -> Said:
        *head, last = [self.say(item) for item in items]
        text = "、".join(one.text for one in head) + joined + last.text
        return Said(spaced(text), tuple(missing for one in (*head, last) for missing in one.missing))

    def _split(self, core: str, parts: list[str], joint: str) -> Iterator[Said]:
        if len(parts) == 1:
            return
        said = [self.say(part) for part in parts]
        together = _together(said, joint)
        label_is_known = joint == "：" and not said[0].missing and said[0].text != parts[0]
        if not together.missing or label_is_known:
            yield together
        elif any(not one.missing for one in said):
            yield Said(core, together.missing)


def _ended(core: str) -> list[tuple[str, str]]:
    """Give a text, and it without its last mark where it has one, each with what then ends it in Chinese."""
    return [(core, "")] + ([(core[:-1], MARKS[core[-1]])] if core[-1] in MARKS and len(core) > 1 else [])


def _lists(core: str) -> Iterator[tuple[list[str], str]]:
    """Give the ways in which a text is a list, each as its items and what joins the last of them in Chinese."""
    for found in reversed([*_LAST.finditer(core)]):
        yield [*core[: found.start()].split(", "), core[found.end() :]], f" {_JOINED[found[1]]} "
    if ", " in core:
        yield core.split(", "), "、"


def _together(said: list[Said], joint: str) -> Said:
    return Said(spaced(joint.join(one.text for one in said)), tuple(missing for one in said for missing in one.missing))


def _letters(texts: tuple[str, ...]) -> int:
    return sum(map(len, texts))
