"""The workbook inside of a chart: one worksheet, written so that numbers keep every digit and text stays text.

XlsxWriter, which python-pptx would write it with, keeps 16 digits of a number, and the last bit of some takes 17. Cells of text
are inline strings, which no program takes for a formula, whatever they begin with.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import zip_longest

from lxml import etree
from lxml.builder import ElementMaker

from roi.charts.drawingml.elements import Element, legible
from roi.charts.drawingml.sheet import NAME, Cell, Sheet, column_letters

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = "application/vnd.openxmlformats-"
_S = ElementMaker(namespace=_MAIN, nsmap={None: _MAIN, "r": _OFFICE})
_R = ElementMaker(namespace=f"{_PACKAGE}/relationships", nsmap={None: f"{_PACKAGE}/relationships"})
_T = ElementMaker(namespace=f"{_PACKAGE}/content-types", nsmap={None: f"{_PACKAGE}/content-types"})
_PRESERVE = {"{http://www.w3.org/XML/1998/namespace}space": "preserve"}
_SHEET_PATH = "xl/worksheets/sheet1.xml"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive, the first that ZIP can tell: the same chart is the same bytes."""


def workbook(sheet: Sheet) -> bytes:
    """Give the workbook (.xlsx) of a sheet."""
    book = _S.workbook(_S.sheets(_S.sheet({f"{{{_OFFICE}}}id": "rId1"}, name=NAME, sheetId="1")))
    types = _T.Types(
        _T.Default(Extension="rels", ContentType=f"{_TYPES}package.relationships+xml"),
        _T.Default(Extension="xml", ContentType="application/xml"),
        _T.Override(PartName="/xl/workbook.xml", ContentType=f"{_TYPES}officedocument.spreadsheetml.sheet.main+xml"),
        _T.Override(PartName=f"/{_SHEET_PATH}", ContentType=f"{_TYPES}officedocument.spreadsheetml.worksheet+xml"),
    )
    parts = {
        "[Content_Types].xml": types,
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        _SHEET_PATH: _S.worksheet(_S.sheetData(*_rows(sheet))),
    }
    return archive({name: in_bytes(part) for name, part in parts.items()})


def in_bytes(part: Element) -> bytes:
    """Give the bytes of a part of an Office file."""
    return etree.tostring(part, xml_declaration=True, encoding="UTF-8", standalone=True)


def archive(files: dict[str, bytes]) -> bytes:
    """Give a ZIP archive of files in their order, without the time of its making."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            written.writestr(info, content)
    return whole.getvalue()


def _relation(kind: str, target: str) -> Element:
    return _R.Relationships(_R.Relationship(Id="rId1", Type=f"{_OFFICE}/{kind}", Target=target))


def _rows(sheet: Sheet) -> Iterator[Element]:
    """Give the rows of the sheet, heads first; empty cells are left out."""
    heads = [column.head for column in sheet.columns.values()]
    body = zip_longest(*(column.cells for column in sheet.columns.values()))
    for number, row in enumerate([heads, *body], 1):
        cells = (_cell(f"{column_letters(place)}{number}", cell) for place, cell in enumerate(row) if cell is not None)
        yield _S.row(*cells, r=str(number))


def _cell(place: str, cell: Cell) -> Element:
    if isinstance(cell, str):
        return _S.c(_S("is", _S.t(legible(cell), _PRESERVE)), r=place, t="inlineStr")
    return _S.c(_S.v(repr(cell)), r=place)


def cells(book: bytes) -> Iterator[tuple[str, str]]:
    """Give every cell of a workbook's sheets with its place, such as `B2`; numbers as they are written, formulas with a `=`.

    Raises
    ------
    ValueError, KeyError
        It is no workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(book)) as read:
            names = sorted(
                name for name in read.namelist() if name.startswith("xl/worksheets/") and name.endswith(".xml")
            )
            shared = read.read("xl/sharedStrings.xml") if "xl/sharedStrings.xml" in read.namelist() else None
            sheets = [etree.fromstring(read.read(name)) for name in names]
    except (zipfile.BadZipFile, etree.XMLSyntaxError) as error:
        raise ValueError(f"no workbook: {error}") from error
    strings = [_text(item) for item in etree.fromstring(shared)] if shared else []
    for sheet in sheets:
        for cell in sheet.iter(f"{{{_MAIN}}}c"):
            formula = cell.find(f"{{{_MAIN}}}f")
            plain = cell.findtext(f"{{{_MAIN}}}v") if cell.get("t") != "inlineStr" else _text(cell)
            said = strings[int(plain)] if cell.get("t") == "s" else plain or ""
            yield cell.get("r"), said if formula is None else f"={formula.text}: {said}"


def _text(item: Element) -> str:
    return "".join(part.text or "" for part in item.iter(f"{{{_MAIN}}}t"))
