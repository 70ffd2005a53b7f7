"""Slides drawn on a template: nothing leaves its slide and nothing lies on anything else, as every text is measured first."""

from __future__ import annotations

from collections.abc import Sequence

from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.slide import Slide as Drawn
from pptx.util import Emu

from roi.charts.deck import add_chart
from roi.charts.drawingml.elements import EMU_A_POINT
from roi.charts.text_width import LINE, fitted, wrapped
from roi.report.deck.slides import Charted, Opening, Slide, Tabled, Told
from roi.report.deck.table import add_table
from roi.report.deck.template import Box, Template, box_of
from roi.report.deck.text import (
    INSET,
    INSET_UP,
    NOTE_SIZES,
    SUBTITLE_SIZES,
    add_paragraphs,
    add_slide,
    add_text,
    fill_paragraphs,
    fit,
    points,
    write,
)

_SUBTITLE_LINES, _NOTE_LINES = 2, 3
_GAP = 9 * EMU_A_POINT
"""Between subtitle, chart and footnote, in EMU."""
_TEXT_SIZES = (20, 18, 16, 14)
_TEXT_GAP = 0.6
"""Gap below a paragraph, in lines."""
_OPENING_SIZES, _OPENING_LINES = (40, 36, 32, 28), 2
_BODIES = (PP_PLACEHOLDER.SUBTITLE, PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT)


def draw(slides: Sequence[Slide], template: Template) -> None:
    """Draw slides in their order."""
    for slide in slides:
        match slide:
            case Opening():
                _opening(slide, template)
            case Charted():
                _charted(slide, template)
            case Tabled():
                _tabled(slide, template)
            case Told():
                _told(slide, template)


def _opening(said: Opening, template: Template) -> None:
    slide = template.deck.slides.add_slide(template.opening)
    title, box = slide.shapes.title, box_of(slide.shapes.title)
    found = fitted(said.title, _OPENING_SIZES, points(box.width - 2 * INSET), _OPENING_LINES, bold=True)
    write(title.text_frame, found.text, found.size_pt)
    below = [one for one in slide.placeholders if one.element is not title.element]
    lines = [*said.warnings, *said.lines]
    body = next((one for one in below if one.placeholder_format.type in _BODIES and one.top >= box.bottom), None)
    for other in below:
        if body is None or other.element is not body.element:
            other.element.getparent().remove(other.element)
    end = template.area.bottom
    if body is None:
        room = Box(box.left, box.bottom + _GAP, box.width, end - box.bottom - _GAP)
        body = slide.shapes.add_textbox(*(Emu(one) for one in (room.left, room.top, room.width, room.height)))
    elif end > box_of(body).bottom:
        body.left, body.top, body.width, body.height = (
            Emu(one) for one in (body.left, body.top, body.width, end - body.top)
        )
    size, _ = _most(lines, box_of(body))
    fill_paragraphs(body, lines, size, size * LINE * _TEXT_GAP)
    body.name = "About"


def _padded(box: Box) -> Box:
    return Box(box.left, box.top + _GAP, box.width, box.height - _GAP)


def _charted(said: Charted, template: Template) -> None:
    spec = said.spec
    slide, room = add_slide(template, spec.title)
    room = _with_note(slide, spec.footnote, room)
    if spec.subtitle:
        found, height = fit(spec.subtitle, SUBTITLE_SIZES, room.width, _SUBTITLE_LINES)
        add_text(slide, found, Box(room.left, room.top, room.width, height), "Subtitle")
        room = Box(room.left, room.top + height + _GAP, room.width, room.height - height - _GAP)
    add_chart(slide, spec, room.left, room.top, room.width, room.height, f"Chart {said.name}")


def _with_note(slide: Drawn, note: str, room: Box) -> Box:
    """Write a footnote at the bottom of the room, and give what is left above it."""
    if not note:
        return room
    found, height = fit(note, NOTE_SIZES, room.width, _NOTE_LINES)
    add_text(slide, found, Box(room.left, room.bottom - height, room.width, height), "Footnote")
    return Box(room.left, room.top, room.width, room.height - height - _GAP)


def _tabled(said: Tabled, template: Template) -> None:
    rows, title = list(said.rows), said.title
    while rows:
        slide, room = add_slide(template, title)
        room = _with_note(slide, said.note, _padded(room))
        drawn = add_table(slide, said, rows, room)
        rows = rows[drawn:]
        title = f"{said.title} {said.continued}"


def _told(said: Told, template: Template) -> None:
    left, title = list(said.paragraphs), said.title
    while left:
        slide, room = add_slide(template, title)
        room = _with_note(slide, said.note, _padded(room))
        size, number = _most(left, room)
        add_paragraphs(slide, left[:number], size, size * LINE * _TEXT_GAP, room, "Text")
        left, title = left[number:], f"{said.title} {said.continued}"


def _most(paragraphs: Sequence[str], room: Box) -> tuple[float, int]:
    """Give the largest size at which all paragraphs have room, or else the smallest with the number that have."""
    within, high = points(room.width - 2 * INSET), points(room.height - 2 * INSET_UP)
    for size in _TEXT_SIZES:
        used, number = 0.0, 0
        for text in paragraphs:
            used += len(wrapped(text, size, within)) * size * LINE
            if used > high:
                break
            used, number = used + size * LINE * _TEXT_GAP, number + 1
        if number == len(paragraphs):
            break
    return size, max(number, 1)
