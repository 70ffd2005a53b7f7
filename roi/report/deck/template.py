"""The template that a deck is drawn on: our own, or somebody's, whose size, master and layouts are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.presentation import Presentation as Deck
from pptx.shapes.base import BaseShape
from pptx.shapes.placeholder import LayoutPlaceholder
from pptx.slide import SlideLayout
from pptx.util import Emu, Pt

from roi.charts import theme
from roi.errors import TemplateUnusable

_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE)
_FOOTERS = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER)
_EDGE = 0.04
"""Margin that is kept where the layout sets none, as a share of the slide."""
_LEAST_HEIGHT, _LEAST_WIDTH = 0.45, 0.5
"""Shares of the slide that have to be free below the title, and across."""
_FONT, _CHINESE_FONT = "Arial", "Microsoft YaHei"
_WIDTH, _HEIGHT = Emu(12_192_000), Emu(6_858_000)
_OWN_TITLE = Emu(457_200), Emu(301_752), Emu(11_277_600), Emu(530_352)
"""Left, top, width, and height of one line; a title of two moves what is below it."""
TITLE_PT = 28


@dataclass(frozen=True)
class Box:
    """A place on a slide, in EMU."""

    left: int
    top: int
    width: int
    height: int

    @property
    def bottom(self) -> int:
        """Its lower edge."""
        return self.top + self.height


@dataclass(frozen=True)
class Template:
    """A presentation without slides, and the layouts to draw on."""

    deck: Deck
    opening: SlideLayout
    content: SlideLayout
    title: Box
    """Of the title of a content slide."""
    area: Box
    """From the top of that title to the footers: the title, and all below it."""


def open_template(path: Path | None = None, layout: str = "") -> Template:
    """Open a template and choose its layouts.

    Parameters
    ----------
    path
        A .pptx file, whose slides are left out; None takes our own template.
    layout
        Name of the layout for content, or its number from 1 on; empty chooses the one that has a title and least else.

    Raises
    ------
    TemplateUnusable
        It cannot be opened, has no such layout, or its layout has no title or no room.
    """
    deck = _opened(path)
    where = path.name if path else "the own template"
    if path:
        _drop_slides(deck)
    else:
        _widen(deck)
    titled = [one for one in deck.slide_layouts if title_of(one) is not None]
    if not titled:
        raise TemplateUnusable(
            f"{where} has no layout with a title. {_layouts(deck)} Add a title placeholder to one of them."
        )
    content = _named(deck, layout, where) if layout else min(titled, key=_rank)
    opening = min(titled, key=lambda one: one.element.get("type") != "title")
    if opening.element.get("type") != "title":
        opening = content
    title = box_of(title_of(content))
    return Template(deck, opening, content, title, _area(deck, content, title, where))


def title_of(layout: SlideLayout) -> LayoutPlaceholder | None:
    """Give the placeholder of a layout's title."""
    return next((one for one in layout.placeholders if one.placeholder_format.type in _TITLES), None)


def footers(layout: SlideLayout) -> list[LayoutPlaceholder]:
    """Give the placeholders of date, footer and slide number."""
    return [one for one in layout.placeholders if one.placeholder_format.type in _FOOTERS]


def _opened(path: Path | None) -> Deck:
    if path and not path.is_file():
        raise TemplateUnusable(f"There is no template {path.name}.")
    try:
        return Presentation(str(path) if path else None)
    except (OSError, ValueError, KeyError, BadZipFile, PythonPptxError) as error:
        raise TemplateUnusable(
            f"{path.name} is no PowerPoint presentation. Save it as .pptx: a template of the type .potx is not read."
        ) from error


def _named(deck: Deck, layout: str, where: str) -> SlideLayout:
    there = list(deck.slide_layouts)
    found = [one for one in there if one.name.casefold() == layout.strip().casefold()]
    if not found and layout.isdecimal() and 1 <= int(layout) <= len(there):
        found = [there[int(layout) - 1]]
    if not found:
        raise TemplateUnusable(f"{where} has no layout {layout!r}. {_layouts(deck)}")
    if title_of(found[0]) is None:
        raise TemplateUnusable(f"The layout {found[0].name!r} of {where} has no title. {_layouts(deck)}")
    return found[0]


def _layouts(deck: Deck) -> str:
    named = (
        f"{place} {one.name}{'' if title_of(one) else ' (no title)'}" for place, one in enumerate(deck.slide_layouts, 1)
    )
    return f"Its layouts: {', '.join(named)}."


def _rank(layout: SlideLayout) -> tuple[bool, int]:
    """Rank a layout: made for a title alone, and else with few other placeholders."""
    return layout.element.get("type") != "titleOnly", len(layout.placeholders) - len(footers(layout))


def box_of(shape: BaseShape) -> Box:
    """Give the place of a shape, which it may inherit."""
    return Box(shape.left, shape.top, shape.width, shape.height)


def _area(deck: Deck, layout: SlideLayout, title: Box, where: str) -> Box:
    width, height = deck.slide_width, deck.slide_height
    # Footers at the bottom stay free; a date on top takes nothing from below.
    ends = [one.top for one in footers(layout) if one.top > height / 2]
    bottom = min([*ends, round(height * (1 - _EDGE))])
    area = Box(title.left, title.top, title.width, bottom - title.top)
    if bottom - title.bottom < _LEAST_HEIGHT * height or title.width < _LEAST_WIDTH * width:
        raise TemplateUnusable(
            f"The layout {layout.name!r} of {where} leaves no room for a chart below its title."
            f" Choose another with --layout. {_layouts(deck)}"
        )
    return area


def _drop_slides(deck: Deck) -> None:
    listed = deck.slides.element
    for slide in list(listed):
        deck.part.drop_rel(slide.rId)
        listed.remove(slide)


def _widen(deck: Deck) -> None:
    """Make python-pptx's own template, which is 4:3 and centred, wide, flush left and of a font whose widths are known."""
    ratio = _WIDTH / deck.slide_width
    deck.slide_width, deck.slide_height = _WIDTH, _HEIGHT
    for shape in _placed(deck):
        shape.left, shape.width = round(shape.left * ratio), round(shape.width * ratio)
    title = next(one for one in deck.slide_master.placeholders if one.placeholder_format.type in _TITLES)
    title.left, title.top, title.width, title.height = _OWN_TITLE
    title.element.txBody.bodyPr.set("anchor", "t")
    style = deck.slide_master.element.find(".//{*}titleStyle/{*}lvl1pPr")
    style.set("algn", "l")
    for name, said in {"sz": str(Pt(TITLE_PT).centipoints), "b": "1"}.items():
        style.find("{*}defRPr").set(name, said)
    for shape in next(one for one in deck.slide_layouts if one.element.get("type") == "title").placeholders:
        if shape.placeholder_format.type not in _FOOTERS:
            shape.left, shape.width = title.left, title.width
            for level in shape.element.iter("{*}lvl1pPr"):
                level.set("algn", "l")
    theme_part = deck.slide_master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    theme_part.blob = _themed(theme_part.blob)


def _placed(deck: Deck) -> Iterator[LayoutPlaceholder]:
    """Give the shapes that have a place of their own, and do not inherit it."""
    for owner in (deck.slide_master, *deck.slide_layouts):
        yield from (shape for shape in owner.shapes if shape.element.find("./{*}spPr/{*}xfrm") is not None)


def _themed(blob: bytes) -> bytes:
    """Put our fonts and our ink into a theme."""
    text = re.sub(r'(<a:(?:major|minor)Font>\s*<a:latin typeface=")[^"]*', rf"\g<1>{_FONT}", blob.decode())
    text = re.sub(r'(<a:(?:major|minor)Font>.*?<a:ea typeface=")[^"]*', rf"\g<1>{_CHINESE_FONT}", text, flags=re.DOTALL)
    ink = f'<a:dk1><a:srgbClr val="{theme.LIGHT.ink.lstrip("#").upper()}"/></a:dk1>'
    return re.sub(r"<a:dk1>.*?</a:dk1>", ink, text, flags=re.DOTALL).encode()
