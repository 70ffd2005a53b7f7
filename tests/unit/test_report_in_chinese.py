"""A report in Chinese: its pages and deck are, and its figures, rows and executed notebooks are those of the English one."""

import json
from pathlib import Path

import pytest
from pptx import Presentation

from roi.language.languages import language
from roi.report import catalog, findings
from roi.report.contents import About
from roi.report.plan import plan
from roi.report.publish import Options, publish

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
ABOUT = About("r7", "Some CPU, 2 cores", "2026-11-20", "indicative")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Give the folders of the same report in English and in Chinese."""
    pages = catalog.choose(catalog.read(FIXTURES), ["records_and_charts", "fails_in_second_cell"])
    planned, folder = plan(pages, "r7", {}), tmp_path_factory.mktemp("reports")
    for name in ("en", "zh"):
        publish(pages, planned, ABOUT, folder / name, options=Options(images=False, language=language(name)))
    return folder / "en", folder / "zh"


def test_pages_say_their_language_and_their_words_are_in_it(both):
    for page in ("index", "records_and_charts", "fails_in_second_cell"):
        text = (both[1] / f"{page}.html").read_text()
        assert '<html lang="zh-CN">' in text, page
        assert "跳到正文" in text, page
    index = (both[1] / "index.html").read_text()
    assert "本次运行能够检验的 2 个宣称数字中，有 1 个与实测不符" in index
    assert "contradicted" not in index


def test_what_has_no_translation_stays_in_english_and_is_counted(both):
    said = json.loads((both[1] / "status.json").read_text())
    assert said["language"] == "zh"
    (notice,) = said["notices"]
    assert "no translation yet" in notice
    assert "尚无译文" in (both[1] / "index.html").read_text()
    assert json.loads((both[0] / "status.json").read_text())["notices"] == []


def test_findings_and_rows_of_charts_are_those_of_the_english_report(both):
    assert findings.read(both[0]) == findings.read(both[1])
    names = [path.name for path in (both[0] / "charts").glob("*.csv")]
    assert names
    for name in names:
        assert (both[0] / "charts" / name).read_bytes() == (both[1] / "charts" / name).read_bytes()


def test_the_deck_is_in_chinese_slide_by_slide(both):
    english, chinese = (list(Presentation(folder / "deck.pptx").slides) for folder in both)
    assert len(english) == len(chinese)
    assert [slide.shapes.title.text for slide in chinese][:2] == [
        "运行时迁移：实测", "本次运行能够检验的 2 个宣称数字中，有 1 个与实测不符",
    ]  # fmt: skip
