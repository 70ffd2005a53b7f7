"""A deck says what its report says, on slides where nothing overflows, overlaps or names anybody."""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pptx import Presentation
from pptx.util import Inches

from roi import data
from roi.charts.text_width import LINE, wrapped
from roi.errors import TemplateUnusable, UnknownName
from roi.report import catalog
from roi.report.catalog import Page
from roi.report.contents import SYNTHETIC, About
from roi.report.deck.make import deck
from roi.report.deck.pieces import of_deck
from roi.report.deck.spoken import Spoken
from roi.report.deck.story import INDICATIVE, Report, chosen
from roi.report.execute import Status
from roi.report.findings import Finding
from roi.report.runner import Outcome
from tests.unit.drawn_charts import charts, texts
from tests.unit.test_deck_charts import SPECS

EMU_A_POINT = 12_700
LONG = " ".join(["A title that says a great deal about what was found and under which conditions it holds"] * 3)
ABOUT = About("standard-20261126", "Some CPU, 2 processors", "2026-11-26", "indicative", synthetic=True)
MADE = datetime(2026, 11, 26, 12, 30, 15, tzinfo=UTC)
WORDS_AROUND = {"subtitle": LONG, "footnote": f"Source: run 7. {LONG}"}
CHARTS = {name: spec.replace(id=name, title=f"{name} {LONG}", **WORDS_AROUND) for name, spec in SPECS.items()}
FINDINGS = (
    ("11_qps_density", Finding("capacity_go", 27_570.0, "requests/s", 24_910.0, 30_520.0, 6, claim="qps_per_go_service",
                               claim_says="requests a second of a Go service", claim_value=12_400.0, claim_unit="requests/s")),
    ("11_qps_density", Finding("go_over_java", 2.2, "ratio", 1.9, 2.6, 3, claim="qps_go_over_java",
                               claim_says="Go's requests over Java's", claim_value=2.3, claim_unit="ratio")),
    ("90_claims", Finding("claim_mttr_go", 0.11, "s", 0.1, None, 3, note=f"stated 47 s: not measurable here; {LONG}")),
)  # fmt: skip
PAGE = Page("11_qps_density", "How many requests?", Path("11_qps_density.ipynb"), deck=tuple(SPECS))
CLAIMS = Page("90_claims", "Which figures stand?", Path("90_claims.ipynb"))
WORDS = {
    PAGE.name: Spoken("It was measured.", ("One machine.", LONG, *["Another reason."] * 30)),
    CLAIMS.name: Spoken("", ()),
}


def report(**changes):
    pages = ((PAGE, Outcome(PAGE.name, Status.OK)), (CLAIMS, Outcome(CLAIMS.name, Status.OK)))
    said = Report(ABOUT, MADE, pages, {PAGE.name: CHARTS, CLAIMS.name: {}}, WORDS, FINDINGS)
    return dataclasses.replace(said, **changes)


@pytest.fixture(scope="module")
def made():
    return deck(report())


def slides(content):
    return list(Presentation(io.BytesIO(content)).slides)


def said(content):
    return "\n".join(text for slide in slides(content) for text in texts(slide))


def boxes(slide):
    return [
        (shape.name, shape.left, shape.top, shape.left + shape.width, shape.top + shape.height)
        for shape in slide.shapes
    ]


def template(tmp_path, size=(10, 7.5), change=lambda deck: None):
    deck = Presentation()
    deck.slide_width, deck.slide_height = map(Inches, size)
    change(deck)
    path = tmp_path / "corporate.pptx"
    deck.save(str(path))
    return path


def check_geometry(content):
    deck = Presentation(io.BytesIO(content))
    for number, slide in enumerate(deck.slides, 1):
        placed = boxes(slide)
        for name, left, top, right, bottom in placed:
            assert left >= 0 <= top, (number, name)
            assert right <= deck.slide_width, (number, name)
            assert bottom <= deck.slide_height, (number, name)
        for one, other in itertools.combinations(placed, 2):
            apart = one[3] <= other[1] or other[3] <= one[1] or one[4] <= other[2] or other[4] <= one[2]
            assert apart, (number, one[0], other[0])


def check_that_texts_fit(content):
    """Measure every text again: its lines, at its size, are no higher than its box."""
    for number, slide in enumerate(slides(content), 1):
        for shape in [
            shape for shape in slide.shapes if shape.has_text_frame and shape.name != "Slide Number Placeholder 5"
        ]:
            runs = [(p, run) for p in shape.text_frame.paragraphs for run in p.runs]
            within = (shape.width - 2 * 91_440) / EMU_A_POINT
            is_title = shape == slide.shapes.title
            high = sum(
                len(wrapped(run.text, run.font.size.pt, within, is_title)) * run.font.size.pt * LINE
                + (p.space_after.pt if p.space_after and p is not runs[-1][0] else 0)
                for p, run in runs
                if run.font.size
            )
            assert high <= (shape.height - 2 * 45_720) / EMU_A_POINT + 0.01, (number, shape.name)


def test_nothing_leaves_its_slide_and_nothing_lies_on_anything_else(made):
    check_geometry(made)
    check_that_texts_fit(made)


@pytest.mark.parametrize("size", [(10, 7.5), (13.333, 7.5), (16, 9)])
def test_the_same_holds_on_templates_of_other_sizes(tmp_path, size):
    path = template(tmp_path, size)
    if size != (10, 7.5):
        # Layouts of the template are still made for the narrower slide.
        check_geometry(deck(report(), path))
        return
    check_geometry(deck(report(), path))
    check_that_texts_fit(deck(report(), path))


def test_titles_have_24_points_and_more_and_other_text_12(made):
    for slide in slides(made):
        title = slide.shapes.title
        assert min(run.font.size.pt for p in title.text_frame.paragraphs for run in p.runs) >= 24
        frames = [shape.text_frame for shape in slide.shapes if shape.has_text_frame]
        frames += [cell.text_frame for shape in slide.shapes if shape.has_table for cell in shape.table.iter_cells()]
        sizes = [run.font.size.pt for frame in frames for p in frame.paragraphs for run in p.runs if run.font.size]
        assert min(sizes) >= 12


def test_a_title_that_is_too_long_is_cut_and_says_so(made):
    titles = [slide.shapes.title.text_frame.text for slide in slides(made)]
    (cut,) = [title for title in titles if title.startswith("points ")]
    assert cut.endswith("…")


def test_the_first_slide_says_of_what_it_is_and_what_it_is_not_fit_for(made):
    first = "\n".join(texts(slides(made)[0]))
    for text in ("standard-20261126", "Some CPU, 2 processors", "2026-11-26 12:30 UTC", INDICATIVE, SYNTHETIC):
        assert text in first
    firm = deck(report(about=dataclasses.replace(ABOUT, purpose="decision", synthetic=False)))
    assert INDICATIVE not in said(firm)
    assert SYNTHETIC not in said(firm)


def test_the_answer_sets_found_beside_claimed_with_interval_and_verdict(made):
    answer = slides(made)[1]
    assert answer.shapes.title.text_frame.text == "1 of the 2 claimed figures that this run can test is contradicted"
    (table,) = [shape.table for shape in answer.shapes if shape.has_table]
    rows = [[cell.text_frame.text for cell in row.cells] for row in table.rows]
    assert rows[1] == [
        "Requests a second of a Go service", "12,400 requests/s", "27,570 requests/s", "24,910 to 30,520", "6", "2.223× lower",
    ]  # fmt: skip
    assert rows[2][-1] == "within our interval"


def test_each_chart_that_the_catalogue_names_has_a_slide_with_its_title(made):
    assert set(charts(made)) == {f"11_qps_density-{name}" for name in SPECS}
    charted = [slide for slide in slides(made) if any(shape.has_chart for shape in slide.shapes)]
    titles = [slide.shapes.title.text_frame.text for slide in charted]
    assert [title.split()[0] for title in titles] == list(SPECS)


def test_the_case_against_is_that_of_the_money_where_the_report_has_it():
    money = Page("31_business_case", "Does it pay?", Path("31.ipynb"))
    against = said(deck(report()))
    assert "The case against: How many requests?" in against
    pages = (*report().pages, (money, Outcome(money.name, Status.OK)))
    words = WORDS | {money.name: Spoken("", ("It may lose.",))}
    of_money = said(deck(report(pages=pages, words=words, charts=report().charts | {money.name: {}})))
    assert "It may lose." in of_money
    assert "How many requests?" not in of_money


def test_paragraphs_that_have_no_room_go_to_another_slide(made):
    against = [slide for slide in slides(made) if "The case against" in slide.shapes.title.text_frame.text]
    assert len(against) > 1
    assert sum(text.count("Another reason.") for slide in against for text in texts(slide)) == 30


def test_a_long_table_goes_on_and_loses_no_row():
    many = tuple(("90_claims", Finding(f"claim_{n}", float(n), "s", note=f"stated {n}: {LONG}")) for n in range(1, 41))
    content = deck(report(findings=many))
    check_geometry(content)
    rows = [text for slide in slides(content) for text in texts(slide) if re.fullmatch(r"Claim \d+", text)]
    appendix = [row for row in rows if rows.count(row)]
    assert {f"Claim {n}" for n in range(1, 41)} <= set(appendix)


def test_pages_that_are_not_complete_are_told_beside_the_answer():
    failed = Outcome(CLAIMS.name, Status.CELL_ERROR, "Cell 3 failed: KeyError.")
    pages = ((PAGE, Outcome(PAGE.name, Status.OK)), (CLAIMS, failed))
    content = deck(report(pages=pages, charts={PAGE.name: CHARTS}))
    assert "Which figures stand? (Cell 3 failed: KeyError.)" in "\n".join(texts(slides(content)[1]))


def test_a_chart_that_the_run_has_no_data_for_is_told_and_a_slip_in_its_name_is_an_error():
    page = dataclasses.replace(PAGE, deck=("dots", "go_over_rust"))
    specs, missing = chosen(page, CHARTS)
    assert [spec.id for spec in specs] == ["dots"]
    assert missing == ["go_over_rust"]
    content = deck(report(pages=((page, Outcome(page.name, Status.OK)),)))
    assert "11_qps_density: go_over_rust" in said(content)
    with pytest.raises(UnknownName, match=r"chart of the page 11_qps_density.*stacked_bars"):
        chosen(dataclasses.replace(PAGE, deck=("dots", "stacked_bar")), CHARTS)


def test_a_star_in_the_catalogue_takes_what_hangs_on_a_parameter():
    assert [spec.id for spec in chosen(dataclasses.replace(PAGE, deck=("bars_of_*",)), CHARTS)[0]] == ["bars_of_series"]


def test_the_catalogue_names_charts_that_some_view_draws():
    sources = "\n".join(path.read_text() for path in (Path(data.__file__).parent / "views").glob("*.py"))
    for page in catalog.read().values():
        for name in page.deck:
            start = re.escape(name.removesuffix("*"))
            assert re.search(rf'ChartSpec\(\s*f?"{start}', sources), (page.name, name)


def test_every_page_for_a_cto_has_one_or_two_slides():
    slides_of = {name: len(page.deck) for name, page in catalog.read().items() if "CTO" in page.audience}
    assert slides_of
    assert set(slides_of.values()) <= {1, 2}, slides_of


def test_the_same_report_makes_the_same_bytes(made):
    assert deck(report()) == made


def test_a_deck_names_nobody_and_no_address(made):
    with zipfile.ZipFile(io.BytesIO(made)) as read:
        names = read.namelist()
        whole = {name: read.read(name) for name in names}
    assert not [name for name in names if "thumbnail" in name or "printer" in name.lower()]
    for name, content in whole.items():
        if name.endswith((".xml", ".rels")):
            addresses = set(re.findall(rb"https?://[^\s\"'<]+", content))
            names = rb"http://(schemas\.|purl\.org/dc/|www\.w3\.org/)"
            assert [one for one in addresses if not re.match(names, one)] == [], name
            assert b'TargetMode="External"' not in content, name
            assert str(Path.home()).encode() + b"/" not in content, name
    core = whole["docProps/core.xml"].decode()
    assert "Canny" not in core
    assert "2026-11-26T12:30:15Z" in core
    assert {info.date_time for info in zipfile.ZipFile(io.BytesIO(made)).infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_template_keeps_its_size_and_master_and_loses_its_slides(tmp_path):
    def changed(deck):
        deck.slide_master.name = "House of Somebody"
        deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "An example"

    content = deck(report(), template(tmp_path, (10, 7.5), changed))
    read = Presentation(io.BytesIO(content))
    assert (read.slide_width, read.slide_height) == (Inches(10), Inches(7.5))
    assert read.slide_master.name == "House of Somebody"
    assert "An example" not in said(content)


def test_a_layout_is_taken_by_name_or_by_number(tmp_path):
    path = template(tmp_path)
    for asked in ("title only", "6"):
        assert {slide.slide_layout.name for slide in slides(deck(report(), path, asked))[1:]} == {"Title Only"}
    with pytest.raises(TemplateUnusable, match=r"corporate\.pptx has no layout 'Nothing'\. Its layouts: 1 Title Slide"):
        deck(report(), path, "Nothing")
    with pytest.raises(TemplateUnusable, match=r"'Blank' of corporate\.pptx has no title"):
        deck(report(), path, "Blank")


def test_a_template_without_a_title_without_room_or_that_is_none_is_refused(tmp_path):
    def without_titles(deck):
        for layout in deck.slide_layouts:
            for shape in list(layout.placeholders):
                shape.element.getparent().remove(shape.element)

    with pytest.raises(TemplateUnusable, match="has no layout with a title"):
        deck(report(), template(tmp_path, change=without_titles))
    with pytest.raises(TemplateUnusable, match="leaves no room for a chart below its title"):
        deck(report(), template(tmp_path), "Section Header")
    (tmp_path / "notes.pptx").write_text("notes")
    with pytest.raises(TemplateUnusable, match=r"notes\.pptx is no PowerPoint presentation"):
        deck(report(), tmp_path / "notes.pptx")
    with pytest.raises(TemplateUnusable, match=r"There is no template gone\.pptx\."):
        deck(report(), tmp_path / "gone.pptx")


def test_text_that_looks_like_markup_or_a_formula_stays_text():
    findings = (("11_qps_density", dataclasses.replace(FINDINGS[0][1], claim_says="=1+1 <b>&amp;</b> \x07")),)
    assert "=1+1 <b>&amp;</b> " in said(deck(report(findings=findings)))


def changed_in(content, part, old, new):
    """Give a deck with a text of one of its files changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(out, "w") as written:
        for name in read.namelist():
            whole = read.read(name)
            if re.fullmatch(part, name) and old in whole:
                whole, old = whole.replace(old, new, 1), b"\0nothing"
            written.writestr(name, whole)
    assert old == b"\0nothing"
    return out.getvalue()


def taken_apart(tmp_path, content):
    path = tmp_path / "deck.pptx"
    path.write_bytes(content)
    return list(of_deck(path))


@pytest.mark.parametrize(
    ("part", "old", "new", "words"),
    [
        (r"ppt/slides/slide2\.xml", b"27,570", b"27,571", ["slide 2 (", "row 1 (Requests a second", "Found"]),
        (
            r"ppt/charts/.*\.xml",
            b"<c:v>9.1<",
            b"<c:v>9.2<",
            ["slide 3 (", "Chart 11_qps_density-dots", "series “y”", "point 1"],
        ),
        (r"ppt/slides/slide3\.xml", b"Source: run 7", b"Source: run 8", ["slide 3 (", "Footnote"]),
        (r"ppt/slides/slide3\.xml", b"What it shows", b"What it hides", ["slide 3 (", "description"]),
    ],
)
def test_a_changed_digit_is_found_and_named_by_its_slide(made, tmp_path, part, old, new, words):
    before, after = taken_apart(tmp_path, made), taken_apart(tmp_path, changed_in(made, part, old, new))
    assert len(before) == len(after)
    differing = [other for one, other in zip(before, after, strict=True) if one != other]
    assert len(differing) == 1
    assert [word for word in words if word not in differing[0].where] == []


def test_a_changed_cell_of_a_charts_workbook_is_found_and_named(made, tmp_path):
    with zipfile.ZipFile(io.BytesIO(made)) as read:
        name = next(name for name in read.namelist() if name.startswith("ppt/embeddings/"))
        book = read.read(name)
    out = io.BytesIO()
    other = changed_in(book, r"xl/worksheets/sheet1\.xml", b"<v>9.1<", b"<v>9.7<")
    with zipfile.ZipFile(io.BytesIO(made)) as read, zipfile.ZipFile(out, "w") as written:
        for one in read.namelist():
            written.writestr(one, other if one == name else read.read(one))
    before, after = taken_apart(tmp_path, made), taken_apart(tmp_path, out.getvalue())
    (differing,) = [other for one, other in zip(before, after, strict=True) if one != other]
    assert differing.where.endswith("Chart 11_qps_density-dots, workbook, cell B2")
    assert (differing.text, differing.page) == ("9.7", "11_qps_density")
