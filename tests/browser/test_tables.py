"""A click on the head of a column sorts, by number where it holds numbers; two more bring the first order back."""

import shutil

import pytest

from roi.report.edition import ASSETS

COLUMNS = {
    "thousands": ["12,400", "980", "1,000,000", "–", "5"],
    "exponents": ["1.2e-3", "5e-4", "2", "1e3", "0.01"],
    "percent": ["95 %", "7%", "100 %", "", "0.5 %"],
    "ranges": ["1.7 to 1.9", "0.2 to 30", "12 to 13", "–", "1.65 to 8"],
    "intervals": ["30,000 [28,000 to 32,100]", "4,000 [1 to 99,000]", "500", "31,000 [2 to 3]", "–"],
    "signed": ["−5", "3", "-12", "0", "+4"],
    "text": ["node", "go", "java25-zgc", "rust", "java17-zgc"],
    "names": ["0010-go", "0002-rust", "0033-java", "0001-node", "0004-go"],
    "dates": ["2026-11-26", "2025-12-31", "2026-01-02", "2026-11-03", "2024-02-29"],
}
ASCENDING = {
    "thousands": ["5", "980", "12,400", "1,000,000", "–"],
    "exponents": ["5e-4", "1.2e-3", "0.01", "2", "1e3"],
    "percent": ["0.5 %", "7%", "95 %", "100 %", ""],
    "ranges": ["0.2 to 30", "1.65 to 8", "1.7 to 1.9", "12 to 13", "–"],
    "intervals": ["500", "4,000 [1 to 99,000]", "30,000 [28,000 to 32,100]", "31,000 [2 to 3]", "–"],
    "signed": ["-12", "−5", "0", "3", "+4"],
    "text": ["go", "java17-zgc", "java25-zgc", "node", "rust"],
    "names": ["0001-node", "0002-rust", "0004-go", "0010-go", "0033-java"],
    "dates": ["2024-02-29", "2025-12-31", "2026-01-02", "2026-11-03", "2026-11-26"],
}
BLANKS = ("", "–")


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """Give a page with one table that has all columns, and one that has two bodies."""
    into = tmp_path_factory.mktemp("tables")
    shutil.copyfile(ASSETS / "tables.js", into / "tables.js")
    rows = zip(*COLUMNS.values(), strict=True)
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    body = "".join(f"<tr>{''.join(f'<td>{cell}<small>9 note</small></td>' for cell in row)}</tr>" for row in rows)
    parts = "".join(
        f"<tbody><tr><th colspan='2'>{part}</th></tr><tr><td>{part} b</td><td>2</td></tr>"
        f"<tr><td>{part} a</td><td>1</td></tr></tbody>"
        for part in ("one", "two")
    )
    (into / "tables.html").write_text(
        f"<!doctype html><html lang='en'><meta charset='utf-8'><script src='tables.js' defer></script><main>"
        f"<table id='all'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<table id='parts'><thead><tr><th>claim</th><th>n</th></tr></thead>{parts}</table></main>"
    )
    opened = browser.new_page()
    opened.goto((into / "tables.html").as_uri())
    yield opened
    opened.close()


def column(page, name):
    """Give the cells of a column as they stand."""
    place = list(COLUMNS).index(name) + 1
    return page.locator(f"#all tbody td:nth-child({place})").evaluate_all(
        "cells => cells.map(cell => cell.firstChild.nodeName === 'SMALL' ? '' : cell.firstChild.textContent)"
    )


def head(page, name):
    return page.locator("#all th", has_text=name)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_sorts_up_then_down_with_blanks_last_and_then_as_it_came(page, name):
    button, filled = head(page, name).locator("button"), [cell for cell in ASCENDING[name] if cell not in BLANKS]
    blank = [cell for cell in ASCENDING[name] if cell in BLANKS]
    button.click()
    assert column(page, name) == ASCENDING[name]
    assert head(page, name).get_attribute("aria-sort") == "ascending"
    button.click()
    assert column(page, name) == filled[::-1] + blank
    assert head(page, name).get_attribute("aria-sort") == "descending"
    button.click()
    assert column(page, name) == COLUMNS[name]
    assert head(page, name).get_attribute("aria-sort") is None


def test_the_keyboard_sorts_and_one_column_at_a_time_is_marked(page):
    head(page, "text").locator("button").focus()
    page.keyboard.press("Enter")
    assert column(page, "text") == ASCENDING["text"]
    head(page, "signed").locator("button").focus()
    page.keyboard.press("Space")
    assert column(page, "signed") == ASCENDING["signed"]
    assert page.locator("#all [aria-sort]").count() == 1


def test_every_part_of_a_table_is_sorted_under_its_own_heading(page):
    page.locator("#parts thead button").last.click()
    rows = page.locator("#parts tbody tr").evaluate_all("rows => rows.map(row => row.cells[0].textContent)")
    assert rows == ["one", "one a", "one b", "two", "two a", "two b"]
