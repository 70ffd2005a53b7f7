"""A report as one PDF, printed by Chromium: outline, page numbers, tags, and nothing of the machine in it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from roi.charts.image import chromium
from roi.errors import ImagesFailed
from roi.language.languages import ENGLISH, Language
from roi.report.paper import paper

FILE = "report.pdf"
_SECONDS = 60
_DOCUMENT = ".paper.html"
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip
_DATES = re.compile(rb"/(CreationDate|ModDate) \(D:[^)]*\)")
_CREATOR = re.compile(rb"/Creator \((?:[^()\\]|\\.)*\)")


def write_pdf(folder: Path, names: Sequence[str], title: str, made: datetime, language: Language = ENGLISH) -> Path:
    """Write `report.pdf` into a report's folder, from the pages in it; gives the file.

    Parameters
    ----------
    folder
        Of the report; it holds `index.html`, the pages, and the charts as SVG.
    names
        Pages to print, in the order of reading.
    title
        Of the whole.
    made
        When the report was made: the PDF says that it was made then.
    language
        What it is given in; its pages are already.

    Raises
    ------
    ChromiumMissing
        There is no Chromium.
    ImagesFailed
        Chromium did not print it, or not in time.
    """
    browser = chromium()
    printed = _printed(browser, folder, language.html(paper(folder, names, language.text(title))))
    (folder / FILE).write_bytes(stamped(printed, made))
    return folder / FILE


def stamped(pdf: bytes, made: datetime) -> bytes:
    """Give a PDF with another date, and without the browser's account of the system; every byte stays in its place."""
    date = made.strftime("D:%Y%m%d%H%M%S+00'00'").encode()
    pdf = _DATES.sub(lambda found: _filled(found[0], b"/" + found[1] + b" (" + date), pdf)
    return _CREATOR.sub(lambda found: _filled(found[0], b"/Creator (roi"), pdf)


def _filled(old: bytes, new: bytes) -> bytes:
    """Give what stands in a PDF in the place of something else: offsets of all that follows stay what they were."""
    return new + b")" + b" " * (len(old) - len(new) - 1)


def _printed(browser: str, folder: Path, document: str) -> bytes:
    """Print a document that stands in the report's folder while it is printed."""
    source = folder / _DOCUMENT
    with tempfile.TemporaryDirectory(prefix="roi-pdf-", ignore_cleanup_errors=True) as own:
        target = Path(own) / FILE
        command = [browser, *_FLAGS, f"--user-data-dir={own}/profile", f"--print-to-pdf={target}", source.as_uri()]
        try:
            source.write_text(document, encoding="utf-8")
            _run(command)
        finally:
            source.unlink(missing_ok=True)
        if not target.is_file() or not target.stat().st_size:
            raise ImagesFailed(f"Chromium printed no PDF of the report. Try it by hand: {browser} --version")
        return target.read_bytes()


def _run(command: list[str]) -> None:
    """Run Chromium with all the processes that it starts, and end all of them when the time is over."""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise ImagesFailed(f"Chromium did not print the report within {_SECONDS} s.") from late
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
