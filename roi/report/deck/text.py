"""Text on slides, in boxes that are as high as it needs."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from pptx.enum.dml import MSO_THEME_COLOR
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
from pptx.shapes.autoshape import Shape
from pptx.slide import Slide as Drawn
from pptx.text.text import TextFrame, _Paragraph
from pptx.util import Emu, Pt

from roi.charts.drawingml.elements import EMU_A_POINT, legible
from roi.charts.text_width import Fitted, fitted
from roi.report.deck.template import Box, Template, footers

INSET = 91_440
"""Margin on the left and right within a box of text, which Office's own boxes have, in EMU."""
INSET_UP = 45_720
"""The same above and below."""
TITLE_SIZES, SUBTITLE_SIZES, NOTE_SIZES = (28, 26, 24), (18, 16, 14), (12,)
"""In points; a title is never smaller than what the back of a room can read."""
_TITLE_LINES, _MOST_TITLE_LINES = 2, 3
_MUTED = 0.35
"""How much lighter than the text subtitles and footnotes are."""


def add_slide(template: Template, title: str) -> tuple[Drawn, Box]:
    """Add a slide with a title; gives it and the room below the title."""
    slide = template.deck.slides.add_slide(template.content)
    for placeholder in list(slide.placeholders):
        if placeholder.element is not slide.shapes.title.element:
            placeholder.element.getparent().remove(placeholder.element)
    _number(slide, template)
    within = points(template.title.width - 2 * INSET)
    fit = fitted(title, TITLE_SIZES, within, _TITLE_LINES, bold=True)
    if fit.text != title:
        fit = fitted(title, TITLE_SIZES[-1:], within, _MOST_TITLE_LINES, bold=True)
    shape = slide.shapes.title
    write(shape.text_frame, fit.text, fit.size_pt)
    needed = max(template.title.height, _height(fit))
    if needed > template.title.height:
        shape.left, shape.top, shape.width, shape.height = (
            Emu(one) for one in (template.title.left, template.title.top, template.title.width, needed)
        )
    top = template.title.top + needed
    return slide, Box(template.area.left, top, template.area.width, template.area.bottom - top)


def _number(slide: Drawn, template: Template) -> None:
    """Give the slide the number that its layout has a place for: python-pptx leaves it out."""
    for one in footers(template.content):
        if one.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER:
            number = copy.deepcopy(one.element)
            number.nvSpPr.cNvPr.set("id", str(max(shape.shape_id for shape in slide.shapes) + 1))
            slide.shapes.element.append(number)


def points(length: int) -> float:
    """Give a length in points."""
    return length / EMU_A_POINT


def _height(fit: Fitted) -> int:
    return round(fit.height_pt * EMU_A_POINT) + 2 * INSET_UP


def fit(text: str, sizes: Sequence[float], width: int, most_lines: int) -> tuple[Fitted, int]:
    """Give a text the size at which it fits into a box of some width, and the height of that box; lengths in EMU."""
    found = fitted(text, sizes, points(width - 2 * INSET), most_lines)
    return found, _height(found)


def add_text(slide: Drawn, found: Fitted, box: Box, name: str, muted: bool = True) -> None:
    """Put a text that was fitted into a box of its own."""
    shape = slide.shapes.add_textbox(*(Emu(one) for one in (box.left, box.top, box.width, box.height)))
    shape.name = name
    write(shape.text_frame, found.text, found.size_pt, muted)


def write(frame: TextFrame, text: str, size_pt: float, muted: bool = False) -> None:
    """Write one paragraph into a frame, without letting Office change its size."""
    frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
    write_paragraph(frame.paragraphs[0], text, size_pt, muted)


def write_paragraph(
    paragraph: _Paragraph, text: str, size_pt: float, muted: bool = False, bold: bool | None = None
) -> None:
    """Write a paragraph, one run of one size."""
    run = paragraph.add_run()
    run.text = legible(text)
    run.font.size, run.font.bold = Pt(size_pt), bold
    if muted:
        run.font.color.theme_color = MSO_THEME_COLOR.TEXT_1
        run.font.color.brightness = _MUTED


def add_paragraphs(slide: Drawn, paragraphs: Sequence[str], size_pt: float, gap_pt: float, box: Box, name: str) -> None:
    """Put paragraphs into a box of their own, with a gap below each."""
    shape = slide.shapes.add_textbox(*(Emu(one) for one in (box.left, box.top, box.width, box.height)))
    shape.name = name
    fill_paragraphs(shape, paragraphs, size_pt, gap_pt)


def fill_paragraphs(shape: Shape, paragraphs: Sequence[str], size_pt: float, gap_pt: float) -> None:
    """Write paragraphs into a shape."""
    frame = shape.text_frame
    frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, MSO_ANCHOR.TOP
    for place, text in enumerate(paragraphs):
        paragraph = frame.paragraphs[0] if not place else frame.add_paragraph()
        paragraph.space_before, paragraph.space_after = Pt(0), Pt(gap_pt)
        write_paragraph(paragraph, text, size_pt)
