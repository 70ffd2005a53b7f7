"""A slide in another language."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roi.report.deck.slides import Charted, Opening, Slide, Tabled, Told

if TYPE_CHECKING:
    from roi.language.languages import Language


def translated(slide: Slide, language: Language) -> Slide:
    """Give a slide in a language; the name of a chart's files stays."""
    say = language.text
    match slide:
        case Opening():
            return Opening(say(slide.title), tuple(map(say, slide.lines)), tuple(map(say, slide.warnings)))
        case Charted():
            return replace(slide, spec=language.chart(slide.spec))
        case Tabled():
            head, rows = tuple(map(say, slide.head)), tuple(tuple(map(say, row)) for row in slide.rows)
            return replace(slide, title=say(slide.title), head=head, rows=rows, note=say(slide.note),
                           continued=say(slide.continued))  # fmt: skip
        case Told():
            return Told(say(slide.title), tuple(map(say, slide.paragraphs)), say(slide.note), say(slide.continued))
