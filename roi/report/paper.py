"""The pages of a report as one document to print: no scripts, charts as the report's SVG files, links within it alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree, html
from markupsafe import Markup

from roi.report.outline import Heading
from roi.report.pages import environment

_FIRST = "index"
_TAGS_LEFT_OUT = ("script", "style", "button", "nav")
_CLASSES_LEFT_OUT = ("code", "data", "query", "sources", "source", "files", "more")
"""What a reader of paper has no use for: code, rows of charts, queries, links to files, and what every page lists itself."""
_MANY, _MOST = 7, 10
"""Columns from which on a table is set smaller, and smaller still."""


@dataclass(frozen=True)
class Chapter:
    """One page of the report."""

    id: str
    """What a link to it names."""
    title: str
    sections: tuple[Heading, ...]
    """Its headings of the second level."""
    body: str
    """HTML."""


def paper(folder: Path, names: Sequence[str], title: str) -> str:
    """Give the document.

    Parameters
    ----------
    folder
        Of the report; it holds `index.html`, the pages, and `charts/`. The document must stand in it.
    names
        Pages, in the order of reading.
    title
        Of the whole, for its footer and its metadata.
    """
    known = (_FIRST, *names)
    first = _chapter(folder, _FIRST, known)
    chapters = [_chapter(folder, name, known) for name in names]
    filling = environment()
    filling.filters["css"] = _in_css
    return filling.get_template("paper.html.j2").render(
        language=_read(folder, _FIRST).get("lang", "en"), title=title, first=_marked(first),
        chapters=[_marked(chapter) for chapter in chapters],
    )  # fmt: skip


def _marked(chapter: Chapter) -> dict[str, Any]:
    return {"id": chapter.id, "title": chapter.title, "sections": chapter.sections, "body": Markup(chapter.body)}


def _read(folder: Path, name: str) -> Any:
    # A chart's drawing is one long text, for which the parser has a limit by default.
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
    return html.document_fromstring((folder / f"{name}.html").read_bytes(), parser=parser)


def _chapter(folder: Path, name: str, known: Sequence[str]) -> Chapter:
    """Take the content of a page, and make of it what can be printed."""
    main = next(_read(folder, name).iter("main"))
    for block in main.find_class("chart-block"):
        _replace(block, _drawing(folder, name, block))
    _leave_out(main)
    for details in list(main.iter("details")):
        _unfold(details)
    for table in main.iter("table"):
        _set_smaller(table)
    for element in main.xpath(".//*[@id]"):
        element.set("id", f"{_id(name)}--{element.get('id')}")
    for link in list(main.iter("a")):
        _turn_inward(link, name, known)
    for element in main.xpath(".//*[@tabindex or @role='alert']"):
        for attribute in ("tabindex", "role", "aria-label"):
            element.attrib.pop(attribute, None)
    title = next((heading.text_content() for heading in main.iter("h1")), name)
    sections = tuple(Heading(h2.get("id"), h2.text_content()) for h2 in main.iter("h2") if h2.get("id"))
    body = "".join(etree.tostring(child, encoding="unicode", method="html") for child in main)
    return Chapter(_id(name), title, sections, body)


def _leave_out(main: Any) -> None:
    for element in list(main.iter(*_TAGS_LEFT_OUT)):
        element.drop_tree()
    for name in _CLASSES_LEFT_OUT:
        for element in main.find_class(name):
            parent = element.getparent()
            element.drop_tree()
            if parent.tag == "section" and all(child.tag == "h2" for child in parent):
                parent.drop_tree()


def _drawing(folder: Path, name: str, block: Any) -> Any:
    """Give the chart's SVG, or what it shows in words where there is no SVG."""
    file = f"charts/{name}-{block.get('id').removeprefix('chart-')}.svg"
    said = "".join(caption.text_content() for caption in block.iter("figcaption"))
    figure = html.Element("figure")
    if (folder / file).is_file():
        figure.append(html.Element("img", src=file, alt=said))
    else:
        titled = "".join(title.text_content() for title in block.find_class("chart-title"))
        for text in (titled, said):
            etree.SubElement(figure, "p").text = text
    return figure


def _unfold(details: Any) -> None:
    """Show what is behind a click, under a heading of its own."""
    for summary in details.iter("summary"):
        summary.tag = "h3"
    details.drop_tag()


def _set_smaller(table: Any) -> None:
    columns = max((len(row) for row in table.xpath("thead/tr")), default=0)
    kind = "most" if columns >= _MOST else "many" if columns >= _MANY else ""
    table.set("class", f"{table.get('class', '')} {kind}".strip())


def _turn_inward(link: Any, name: str, known: Sequence[str]) -> None:
    """Keep a link to what is in the document; any other would name a place on this machine."""
    address, _, place = link.get("href", "").partition("#")
    target = address.removesuffix(".html") or name
    if target in known and (place or address):
        link.attrib.clear()
        link.set("href", f"#{_id(target)}--{place}" if place else f"#{_id(target)}")
    else:
        link.drop_tag()


def _replace(element: Any, other: Any) -> None:
    other.tail = element.tail
    element.getparent().replace(element, other)


def _id(name: str) -> str:
    """Give the id of a page, which may begin with a digit, as CSS can name it."""
    return f"page-{name}"


def _in_css(text: str) -> Markup:
    """Give text as it stands in a CSS string inside of HTML: whatever is no letter, digit or blank as its number."""
    return Markup("".join(c if c.isalnum() or c == " " else f"\\{ord(c):x} " for c in text))
