"""No page breaks a rule of WCAG 2.2 AA that a machine can check: axe-core on every page, light and dark, wide and narrow."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.browser.conftest import NAMES, REAL, Visit

axe_package = pytest.importorskip("axe_playwright_python")
AXE = Path(axe_package.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = [("folder", name) for name in ("index", *NAMES)] + [("real", name) for name in ("index", *REAL)]


def violations(page):
    """Give the rules that are broken, each with the first elements that break it."""
    return page.evaluate(
        "rules => axe.run({runOnly: rules, resultTypes: ['violations']}).then(found => found.violations.map("
        "broken => `${broken.id}: ${broken.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`))",
        RULES,
    )


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
@pytest.mark.parametrize(("report", "name"), PAGES, ids=[f"{report}-{name}" for report, name in PAGES])
def test_a_page_breaks_no_rule(browser, request, report, name, scheme, width):
    visited = Visit(browser, request.getfixturevalue(report), name, scheme, width)
    visited.page.evaluate("document.querySelectorAll('details').forEach(details => (details.open = true))")
    visited.page.add_script_tag(path=AXE)
    assert violations(visited.page) == []
    visited.page.close()


@pytest.mark.parametrize(("report", "name"), PAGES, ids=[f"{report}-{name}" for report, name in PAGES])
def test_a_page_has_one_title_and_skips_no_level(request, browser, report, name):
    visited = Visit(browser, request.getfixturevalue(report), name, java_script_enabled=False)
    levels = visited.page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(heading => +heading.tagName[1])")
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    visited.page.close()
