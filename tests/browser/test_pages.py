"""Every page of a report in a real browser, from the file system: drawn, quiet, and asking nobody for anything."""

import re
from urllib.parse import unquote

import pytest

from tests.browser.conftest import NAMES, Visit

PAGES = ["index", *NAMES]
CHARTS = {"records_and_charts": 2, "shows_text_that_looks_like_markup": 1}
DARK, LIGHT = "rgb(159, 173, 186)", "rgb(85, 98, 111)"


@pytest.fixture(
    params=[(name, scheme) for name in PAGES for scheme in ("light", "dark")],
    ids=lambda param: "-".join(param), scope="module",
)  # fmt: skip
def visit(request, browser, folder):
    """Give a page that is open for all who only look at it."""
    visited = Visit(browser, folder, *request.param)
    yield visited
    visited.page.close()


@pytest.fixture
def opened(browser, folder):
    """Give what opens a page for one test."""
    visits = []

    def open_page(name="records_and_charts", scheme="light", **options):
        visits.append(Visit(browser, folder, name, scheme, **options))
        return visits[-1]

    yield open_page
    for visited in visits:
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
        assert fill == (DARK if visit.scheme == "dark" else LIGHT)


def test_no_page_offers_to_share_or_upload(visit):
    titles = visit.page.locator(".modebar-btn").evaluate_all(
        "buttons => buttons.map(b => b.dataset.title || b.title || '')"
    )
    assert not re.search(r"share|cloud|edit", " ".join(titles), re.IGNORECASE)


def test_links_lead_to_files_of_the_report_and_to_places_that_are_there(visit, folder):
    links = visit.page.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert links
    for link in links:
        file, _, place = link.partition("#")
        target = folder / (file or f"{visit.name}.html")
        assert target.is_file(), link
        assert not place or re.search(f"""id=["']{re.escape(unquote(place))}["']""", target.read_text()), link


def test_every_chart_links_to_its_rows_its_images_and_its_notebook(visit, folder):
    for block in visit.page.locator(".chart-block").all():
        links = block.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert [link.rsplit(".", 1)[1] for link in links] == ["csv", "svg", "png", "ipynb"]


def test_a_finding_on_the_first_page_leads_to_its_row_and_that_to_its_query(opened):
    page = opened("index").page
    page.locator("main a", has_text="Average QPS that one Go service carries").click()
    page.wait_for_url("**/records_and_charts.html#finding-density_go")
    row = page.locator("tr:target")
    assert "9,100" in row.inner_text()
    assert "run r7" in row.inner_text()


def test_code_is_hidden_until_it_is_asked_for(opened):
    code = opened().page.locator("details.code").first
    assert not code.locator("pre").is_visible()
    code.locator("summary").click()
    assert code.locator("pre").is_visible()


def test_charts_change_with_the_scheme_while_the_page_is_open(opened):
    visited = opened()
    visited.page.emulate_media(color_scheme="dark")
    visited.page.wait_for_function(f"getComputedStyle(document.querySelector('.xtick text')).fill === '{DARK}'")
    assert visited.errors == []


def test_the_reader_chooses_light_or_dark_and_the_choice_is_kept(opened):
    visited = opened()
    button = visited.page.locator("button.theme")
    said = []
    for _ in range(4):
        said.append(button.inner_text())
        button.click()
    assert said == ["Theme: system", "Theme: light", "Theme: dark", "Theme: system"]
    button.click()
    visited.page.wait_for_function(f"getComputedStyle(document.querySelector('.xtick text')).fill === '{DARK}'")
    background = "getComputedStyle(document.body).backgroundColor"
    assert visited.page.evaluate(background) == "rgb(15, 19, 23)"
    visited.page.reload()
    assert visited.page.evaluate(background) == "rgb(15, 19, 23)"
    assert button.inner_text() == "Theme: dark"


def test_where_a_browser_keeps_nothing_for_files_the_choice_holds_for_the_page(opened):
    visited = opened()
    visited.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})"
    )
    visited.page.reload()
    visited.page.locator("button.theme").click()
    visited.page.locator("button.theme").click()
    assert visited.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 23)"
    assert visited.errors == []


def test_the_first_key_leads_to_the_content(opened):
    page = opened().page
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to content"
    assert page.locator(":focus").is_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


OUTLINED = """(() => {
  const style = getComputedStyle(document.activeElement);
  return [document.activeElement.tagName, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1];
})()"""
OPAQUE = """() => {
  let opacity = 1;
  for (let at = document.activeElement; at; at = at.parentElement) opacity *= getComputedStyle(at).opacity;
  return opacity === 1;
}"""


def test_whatever_has_the_focus_shows_it(opened):
    page = opened().page
    seen = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        page.wait_for_function(OPAQUE, timeout=5000)  # plotly's buttons fade in
        tag, outlined = page.evaluate(OUTLINED)
        if tag != "BODY":
            assert outlined, tag
            seen.add(tag)
    assert {"A", "BUTTON", "SUMMARY"} <= seen


def test_without_scripts_a_page_is_read_all_the_same(opened):
    page = opened(java_script_enabled=False).page
    assert page.locator("table.findings tbody tr").count() == 4
    assert page.locator("th button").count() == 0
    assert not page.locator("button.theme").is_visible()
    assert opened("index", java_script_enabled=False).page.locator("nav.toc a").first.is_visible()


def test_on_paper_code_and_rows_of_charts_are_left_out_and_charts_are_whole(opened):
    page = opened(scheme="dark").page
    page.emulate_media(media="print")
    for selector in ("details.code", "details.data", ".top", ".toc", ".bottom", ".modebar-container"):
        assert not page.locator(selector).first.is_visible(), selector
    assert page.locator(".chart-title").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.chart-block')).breakInside") == "avoid"


def test_a_narrow_page_does_not_scroll_sideways(opened):
    for name in PAGES:
        page = opened(name, width=390).page
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
