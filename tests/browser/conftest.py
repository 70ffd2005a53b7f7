"""One report of fixtures and one of real pages, and a browser to look at them."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from roi.report import catalog
from roi.report.contents import About
from roi.report.pdf import FILE, write_pdf
from roi.report.plan import plan
from roi.report.publish import Options, publish

CHROMIUM = shutil.which("chromium")
ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "notebooks" / "fixtures"
NAMES = ["records_and_charts", "shows_text_that_looks_like_markup", "fails_in_second_cell", "declares_no_run"]
REAL = ["00_data_quality", "30_roi_factor"]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Give a report of fixtures, with two charts, findings, text that looks like markup, and pages that failed."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH; install it: apt-get install chromium")
    pages = catalog.choose(catalog.read(FIXTURES), NAMES)
    about = About("r7", "Some CPU, 2 cores", "2026-11-20", "indicative")
    return publish(pages, plan(pages, "r7", {}), about, tmp_path_factory.mktemp("reports") / "r7").folder


@pytest.fixture(scope="session")
def real(tmp_path_factory) -> Path:
    """Give a report of two real pages of the reference run, without images."""
    pages = catalog.choose(catalog.read(ROOT / "notebooks"), REAL)
    target = tmp_path_factory.mktemp("reports") / "real"
    return publish(
        pages, plan(pages, "reference", {}), About("reference"), target, options=Options(images=False)
    ).folder


@pytest.fixture(scope="session")
def pdf(folder) -> bytes:
    """Give the report of fixtures on paper."""
    if not (folder / FILE).is_file():
        said = json.loads((folder / "status.json").read_text())
        complete = [name for name, page in said["notebooks"].items() if page["status"] == "ok"]
        write_pdf(folder, complete, "Runtime migration, measured: run r7", datetime.fromisoformat(said["made_at"]))
    return (folder / FILE).read_bytes()


@pytest.fixture(scope="session")
def browser():
    """Give a browser; tests open pages of their own."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH; install it: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Visit:
    """A page opened in a browser, with what it said and what it asked for."""

    def __init__(self, browser, folder, name, scheme="light", width=1280, **options):
        self.name, self.scheme = name, scheme
        self.page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900}, **options)
        self.errors, self.asked = [], []
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto((folder / f"{name}.html").as_uri())
        if options.get("java_script_enabled", True):
            for figure in self.page.locator("figure.chart").all():
                figure.locator(".main-svg").first.wait_for()
