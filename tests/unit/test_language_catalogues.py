"""The catalogues of the languages: each message is found as itself, and none contradicts another."""

from __future__ import annotations

import re
import tomllib

import pytest

from roi.language import memory
from roi.language.languages import FOLDER
from roi.language.memory import Memory
from roi.language.pattern import compiled
from roi.language.sentences import CHINESE, spaced
from roi.language.texts import Texts


@pytest.fixture(scope="module")
def chinese() -> Memory:
    return memory.read(FOLDER / "zh")


def messages() -> list[tuple[str, str]]:
    tables = (tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / "zh").glob("*.toml")))
    return [message for table in tables for message in table.items()]


def test_every_catalogue_is_sound(chinese: Memory):
    assert len(chinese.whole) > 500


def test_no_two_messages_match_each_other_with_different_translations(chinese: Memory):
    patterns = [one for some in chinese.by_word.values() for one in some]
    for one in patterns:
        for other in chinese.patterns(one.key):
            same = other.value == one.value or other.rank[:2] != one.rank[:2]
            assert same or one.match(other.key) is None or other.match(one.key) is None, (one.key, other.key)


def test_every_message_is_found_as_itself_and_not_as_another(chinese: Memory):
    texts = Texts(chinese)
    wrong = []
    for key, value in messages():
        pattern = compiled(key, value)
        figures = iter(range(101, 200))
        filled = ["s" if drop else str(next(figures)) for drop in pattern.dropped]
        kept = [said for said, drop in zip(filled, pattern.dropped, strict=True) if not drop]
        text = "".join(literal + said for literal, said in zip(pattern.literals, [*filled, ""], strict=True))
        expected = "".join(kept[piece] if isinstance(piece, int) else piece for piece in pattern.value)
        if texts.say(text).text not in (expected, spaced(expected)) and not CHINESE.search(text):
            wrong.append((key, texts.say(text).text))
    assert wrong == []


def test_every_translation_is_chinese_or_keeps_a_name():
    for key, value in messages():
        words = re.findall(r"[a-z]{4,}", value)
        assert CHINESE.search(value) or key.lower() == value.lower() or not words, (key, value)
