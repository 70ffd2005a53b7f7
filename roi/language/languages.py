"""The languages of a report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from roi.charts.spec import ChartSpec
from roi.errors import UnknownName
from roi.language import charts, markup, memory, slides
from roi.language.texts import Said, Texts
from roi.report.deck.slides import Slide

FOLDER = Path(__file__).parent
TAGS: Mapping[str, str] = {"zh": "zh-CN"}
"""Languages that there are catalogues of, with their tags in HTML (BCP 47)."""
_NUMBER = re.compile(r"(?<![^\W_])\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
_NAME = re.compile(r"\b(?:go|java|node|rust)\d*(?:-[a-z0-9]+)+\b|\b(?:java|node)\d+\b|\b[a-z]+-\d{8}[a-z]?\b")
"""Variants and runs."""


@dataclass(frozen=True)
class Language:
    """A language that pages, charts and slides are given in; English is given back as it is."""

    name: str
    texts: Texts | None = None
    """None for English."""
    noted: dict[str, Said] = field(default_factory=dict)
    """Every text that was asked for, with what became of it, in order of appearance."""

    @property
    def untranslated(self) -> tuple[str, ...]:
        """What could not be translated so far, in order of appearance, each once; figures and variants are `{}`, as in a key."""
        return tuple(dict.fromkeys(masked(missing) for said in self.noted.values() for missing in said.missing))

    @property
    def suffix(self) -> str:
        """What the folder of a report in it ends with; nothing for English."""
        return "" if self.texts is None else self.name

    def anew(self) -> Language:
        """Give the same language, which has noted nothing yet."""
        return self if self.texts is None else Language(self.name, self.texts)

    def text(self, text: str) -> str:
        """Give a text in the language."""
        if self.texts is None:
            return text
        said = self.noted[text] = self.texts.say(text)
        return said.text

    def html(self, page: str) -> str:
        """Give an HTML page in the language; outside of its texts it stays byte for byte."""
        return page if self.texts is None else markup.translated(page, self.text, TAGS[self.name])

    def chart(self, spec: ChartSpec) -> ChartSpec:
        """Give a chart in the language; its numbers and the names of its columns stay."""
        return spec if self.texts is None else charts.translated(spec, self.text)

    def slide(self, slide: Slide) -> Slide:
        """Give a slide in the language."""
        return slide if self.texts is None else slides.translated(slide, self)


ENGLISH = Language("en")


def language(name: str) -> Language:
    """Give a language that has noted nothing yet.

    Raises
    ------
    UnknownName
        There is no such language.
    CatalogueInvalid
        Its catalogues are not as they must be.
    """
    return ENGLISH if name == ENGLISH.name else Language(name, _texts(_known(name)))


def in_progress(name: str) -> tuple[Language, list[str]]:
    """Give a language as far as its catalogues are sound, and sentences about what in them is not; raises `UnknownName`."""
    found, faults = memory.checked(FOLDER / _known(name))
    return Language(name, Texts(found)), faults


def _known(name: str) -> str:
    if name not in TAGS:
        raise UnknownName("language", name, [ENGLISH.name, *TAGS])
    return name


@lru_cache
def _texts(name: str) -> Texts:
    return Texts(memory.read(FOLDER / name))


def masked(text: str) -> str:
    """Give a text as a key of a catalogue might be: figures and names of variants as `{}`."""
    braces = text.replace("{", "{{").replace("}", "}}")
    return _NUMBER.sub("{}", _NAME.sub("{}", braces))
