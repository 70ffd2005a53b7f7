"""Every page of a report in a real browser, from the file system: drawn, quiet, and asking nobody for anything."""

import re
import shutil
from pathlib import Path

import pytest

from roi.report import catalog
from roi.report.contents import About
from roi.report.publish import plan, publish

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the PATH; install it: apt-get install chromium"
)

FIXTURES = Path(__file__).resolve().parents[1] / "notebooks" / "fixtures"
NAMES = ["records_and_charts", "shows_text_that_looks_like_markup", "fails_in_second_cell", "declares_no_run"]
PAGES = ["index", *NAMES]
CHARTS = {"records_and_charts": 2, "shows_text_that_looks_like_markup": 1}
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pages = catalog.choose(catalog.read(FIXTURES), NAMES)
    about = About("r7", "Some CPU, 2 cores", "2026-11-20", "indicative")
    return publish(pages, plan(pages, "r7", {}), about, tmp_path_factory.mktemp("reports") / "r7").folder


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Visit:
    """A page opened in a browser, with what it said and what it asked for."""

    def __init__(self, browser, folder, name, scheme, width=1280):
        self.page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})
        self.errors, self.asked = [], []
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto((folder / f"{name}.html").as_uri())
        for figure in self.page.locator("figure.chart").all():
            figure.locator(".main-svg").first.wait_for()


@pytest.fixture(
    params=[(name, scheme) for name in PAGES for scheme in ("light", "dark")],
    ids=lambda param: "-".join(param), scope="module",
)  # fmt: skip
def visit(request, browser, folder):
    """Give a page that is open for all who only look at it."""
    name, scheme = request.param
    visited = Visit(browser, folder, name, scheme)
    visited.name, visited.scheme = name, scheme
    yield visited
    visited.page.close()


def test_a_page_says_no_error_and_asks_for_nothing_outside_of_its_folder(visit, folder):
    assert visit.errors == []
    assert [url for url in visit.asked if not url.startswith((f"{folder.as_uri()}/", "data:"))] == []


def test_every_chart_is_drawn_and_follows_light_and_dark(visit):
    figures = visit.page.locator("figure.chart")
    assert figures.count() == CHARTS.get(visit.name, 0)
    for figure in figures.all():
        assert figure.locator(".trace").count() >= 2
        fill = figure.locator(".xtick text").first.evaluate("element => getComputedStyle(element).fill")
        assert fill == ("rgb(159, 173, 186)" if visit.scheme == "dark" else "rgb(85, 98, 111)")


def test_no_page_offers_to_share_or_upload(visit):
    titles = visit.page.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map(b => b.dataset.title || b.title || '')"
    )
    assert not re.search(r"share|cloud|edit", " ".join(titles), re.IGNORECASE)


def test_links_lead_to_files_of_the_report(visit, folder):
    for link in visit.page.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))"):
        assert (folder / link).is_file(), link


def test_code_is_hidden_until_it_is_asked_for(browser, folder):
    visited = Visit(browser, folder, "records_and_charts", "light")
    code = visited.page.locator("details.code").first
    assert not code.locator("pre").is_visible()
    code.locator("summary").click()
    assert code.locator("pre").is_visible()


def test_charts_change_with_the_scheme_while_the_page_is_open(browser, folder):
    visited = Visit(browser, folder, "records_and_charts", "light")
    visited.page.emulate_media(color_scheme="dark")
    visited.page.wait_for_function(
        "getComputedStyle(document.querySelector('.xtick text')).fill === 'rgb(159, 173, 186)'"
    )
    assert visited.errors == []


def test_a_narrow_page_does_not_scroll_sideways(browser, folder):
    for name in PAGES:
        visited = Visit(browser, folder, name, "light", width=390)
        assert visited.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
