"""No file of a report names another host, a place on the machine, or who was at it: text, images, PDF, parquet, deck."""

import getpass
import io
import re
import socket
import tempfile
import zipfile
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.browser.conftest import ROOT
from tests.browser.test_pdf import streams

IDENTIFIERS = re.compile(
    r"http://(?:www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|2001/XMLSchema-instance|XML/1998/namespace)"
    r"|schemas\.openxmlformats\.org/[\w/.-]+|schemas\.microsoft\.com/office/[\w/.-]+|purl\.org/dc/[\w/.-]+)"
)
"""Names of vocabularies: nobody is asked at them."""
ADDRESS = re.compile(r"(?:https?|ftp|wss?|file)://[^\s\"'<>]*")
LIBRARY = "plotly.min.js"
"""The library's own text, which names its makers' hosts; that a page asks none of them is tests/browser/test_pages.py's matter."""
EVERYDAY = {"localhost", "root", "user", "main", "host", "node", "linux", "runner", "admin", "jovyan"}


def png_texts(content):
    """Give the texts of a PNG's chunks (PNG specification, 11.3.4)."""
    at, found = 8, []
    while at < len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind in (b"tEXt", b"iTXt", b"zTXt", b"eXIf"):
            found.append(content[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def parts(name, content):
    """Give the readable parts of a file, each with its name."""
    if name.endswith((".pptx", ".xlsx")):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            for inner in package.namelist():
                yield from parts(f"{name}/{inner}", package.read(inner))
    elif name.endswith(".png"):
        yield from ((name, text) for text in png_texts(content))
    elif name.endswith(".pdf"):
        yield name, content
        yield from ((f"{name}, a stream", stream) for stream in streams(content))
    elif name.endswith(".parquet"):
        table = pq.read_table(io.BytesIO(content))
        yield f"{name}, metadata", repr(pq.read_metadata(io.BytesIO(content)).metadata).encode()
        yield f"{name}, schema", table.schema.to_string(show_field_metadata=True).encode()
        yield f"{name}, rows", repr(table.to_pylist()).encode()
    else:
        yield name, content


@pytest.fixture(scope="module")
def texts(folder, pdf):
    """Give everything that can be read in a report, by where."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != LIBRARY]
    read = [part for path in files for part in parts(str(path.relative_to(folder)), path.read_bytes())]
    return [(name, content.decode("utf-8", "replace")) for name, content in read]


def test_every_kind_of_file_is_looked_into(texts):
    kinds = {name.rsplit("/", 1)[-1].split(",")[0].rsplit(".", 1)[-1] for name, _ in texts}
    assert {"html", "ipynb", "csv", "svg", "pdf", "parquet", "json", "xml", "css", "js"} <= kinds
    assert any(".pptx/" in name and ".xlsx/" in name for name, _ in texts), "the workbooks inside of the deck"


def test_no_text_chunk_of_an_image_is_left(folder):
    assert [path.name for path in folder.rglob("*.png") if png_texts(path.read_bytes())] == []


def test_the_texts_of_a_png_are_found():
    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"tEXt", b"Software\0x") + chunk(b"IEND", b"")
    assert png_texts(png) == [b"Software\0x"]


def test_no_file_names_an_address(texts):
    found = [(name, address) for name, text in texts for address in ADDRESS.findall(IDENTIFIERS.sub("", text))]
    assert found == []


def test_no_file_names_a_place_on_the_machine(texts, folder):
    places = {str(ROOT), str(folder), str(folder.parent), tempfile.gettempdir(), f"{Path.home()}/"}
    found = [
        (name, place) for name, text in texts for place in places if re.search(rf"{re.escape(place)}(?![\w-])", text)
    ]
    assert found == []


def test_no_file_names_the_host_or_the_user(texts):
    names = {name for name in (socket.gethostname(), getpass.getuser()) if len(name) >= 4 and name not in EVERYDAY}
    found = [
        (where, name)
        for where, text in texts
        for name in names
        if re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)
    ]
    assert found == []


def test_no_notebook_or_page_lets_a_chart_be_sent_elsewhere(folder):
    for path in (*folder.glob("*.html"), *folder.glob("notebooks/*.ipynb")):
        text = path.read_text()
        assert len(re.findall(r'"showSendToCloud":\s*false', text)) == len(re.findall(r'"plotlyServerURL":\s*""', text))
        assert "true" not in re.findall(r'"showSendToCloud":\s*(\w+)', text)
