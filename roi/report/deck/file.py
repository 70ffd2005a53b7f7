"""The file of a deck: the same slides are the same bytes, and it names nobody."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from lxml import etree
from pptx.presentation import Presentation as Deck

from roi.charts.drawingml.workbook import archive, in_bytes

MAKER = "tipping-point"
_APPLICATION = (
    b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"
    b'<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    b"<Application>Microsoft Office PowerPoint</Application></Properties>"
)
_DROPPED = ("/thumbnail", "/printerSettings")
"""Relations to a picture of the template and to somebody's printer."""


def contents(deck: Deck, title: str, made: datetime) -> bytes:
    """Give the bytes of a presentation.

    Parameters
    ----------
    deck
        Of python-pptx.
    title
        What the file's properties say that it is.
    made
        When the report was: no other time is in the file.
    """
    said = deck.core_properties
    said.author = said.last_modified_by = MAKER
    said.title, said.revision = title, 1
    said.subject = said.keywords = said.comments = said.category = ""
    said.created = said.modified = made.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    whole = io.BytesIO()
    deck.save(whole)
    with zipfile.ZipFile(whole) as read:
        files = {name: read.read(name) for name in read.namelist()}
    return archive(_anonymous(files))


def _anonymous(files: dict[str, bytes]) -> dict[str, bytes]:
    """Leave out what a template tells of the machine that it was made on."""
    kept, dropped = {}, set()
    for name, content in files.items():
        if not name.endswith(".rels"):
            kept[name] = content
            continue
        relations = etree.fromstring(content)
        for relation in list(relations):
            if relation.get("Type").endswith(_DROPPED):
                dropped.add(_target(name, relation.get("Target")))
                relations.remove(relation)
        kept[name] = in_bytes(relations)
    if "docProps/app.xml" in kept:
        kept["docProps/app.xml"] = _APPLICATION
    types = "[Content_Types].xml"
    kept[types] = _without_types(kept[types], dropped)
    return {name: content for name, content in kept.items() if name not in dropped}


def _target(relations: str, target: str) -> str:
    """Give the name of the file that a relation in `folder/_rels/part.rels` points to."""
    if target.startswith("/"):
        return target[1:]
    folder = Path(relations).parent.parent
    parts: list[str] = []
    for part in (folder / target).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _without_types(content: bytes, dropped: set[str]) -> bytes:
    types = etree.fromstring(content)
    for one in list(types):
        if (one.get("PartName") or "").lstrip("/") in dropped:
            types.remove(one)
    return in_bytes(types)
