"""Verdicts on claims: what an interval, a missing study, an objective and a slip of arithmetic come to."""

import pytest

from bench.paths import ROOT
from roi import claims, density
from roi.claim_verdicts import Answers, Outcome, of_claims
from roi.claims import parse
from roi.data import Run
from roi.errors import ClaimsInvalid
from roi.report import catalog
from roi.views import claims as view
from roi.views import density as density_view
from tests.notebooks.written_run import MS, WrittenCell, served

PAGES = ["11_qps_density", "20_recovery"]
STATED = """\
[rate]
where = "1"
says = "requests a second"
value = 100
unit = "requests/s"
study = "11_qps_density"
"""


def figure(value, lo=None, hi=None, n=None, **more):
    return {"id": "capacity_go", "value": value, "unit": "requests/s", "lo": lo, "hi": hi, "n": n, "query": "q"} | more


def verdicts(text, *figures, own=True, **answers):
    said = Answers(figures, "one core", "r7", **answers)
    return of_claims(parse(text, "mine.toml"), {"11_qps_density": said}.get, PAGES, own=own)


def one(text, *figures, own=True, **answers):
    return verdicts(text, *figures, own=own, **answers)[0]


ASKED = STATED + 'figure = "capacity_go"\n'


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (figure(105.0, 95.0, 115.0, 5), Outcome.SUPPORTED),
        (figure(120.0, 110.0, 130.0, 5), Outcome.CONTRADICTED),
        (figure(80.0, 70.0, 99.9, 5), Outcome.CONTRADICTED),
        # 50 to 150 holds 100 and its half: it supports nothing.
        (figure(100.0, 50.0, 150.0, 5), Outcome.NOT_MEASURABLE),
        (figure(100.0, n=1), Outcome.NOT_MEASURABLE),
        # An end that is open excludes nothing on its side.
        (figure(140.0, 120.0, None, 5), Outcome.CONTRADICTED),
        (figure(140.0, 80.0, None, 5), Outcome.NOT_MEASURABLE),
        (figure(None, note="none seen"), Outcome.NOT_MEASURABLE),
        (figure(100.4), Outcome.SUPPORTED),
        (figure(100.6), Outcome.CONTRADICTED),
    ],
)
def test_a_figure_is_judged_by_its_interval_and_an_exact_one_by_the_digits_printed(found, outcome):
    assert one(ASKED, found).outcome is outcome


@pytest.mark.parametrize(
    ("relation", "found", "outcome"),
    [
        ("at least", figure(120.0, 100.0, 140.0, 5), Outcome.SUPPORTED),
        ("at least", figure(120.0, 90.0, 140.0, 5), Outcome.NOT_MEASURABLE),
        ("at least", figure(80.0, 70.0, 90.0, 5), Outcome.CONTRADICTED),
        ("at most", figure(80.0, 70.0, 90.0, 5), Outcome.SUPPORTED),
        ("at most", figure(80.0, 70.0, None, 5), Outcome.NOT_MEASURABLE),
        ("at most", figure(140.0, 120.0, None, 5), Outcome.CONTRADICTED),
    ],
)
def test_a_limit_is_kept_or_broken_by_the_whole_interval(relation, found, outcome):
    assert one(ASKED + f'relation = "{relation}"\n', found).outcome is outcome


def test_nothing_nearer_than_the_noise_floor_is_told_apart():
    near = figure(104.0, 103.0, 105.0, 5)
    assert one(ASKED, near).outcome is Outcome.CONTRADICTED
    assert one(ASKED, near, floors={"q": 0.05}).outcome is Outcome.SUPPORTED
    assert one(ASKED, near, floors={"q": 0.03}).outcome is Outcome.CONTRADICTED


def test_a_claim_of_ones_own_is_answered_by_the_figure_it_names_and_by_nothing_else():
    answer = figure(100.0, 95.0, 105.0, 5, claim="rate")
    assert one(STATED, answer, own=False).outcome is Outcome.SUPPORTED
    unnamed = one(STATED, answer, own=True)
    assert unnamed.outcome is Outcome.NOT_MEASURABLE
    assert unnamed.reason == "the page 11_qps_density has no figure of its own for it"


def test_why_the_articles_figure_is_of_something_else_is_nothing_to_a_claim_of_ones_own():
    answer = figure(100.0, 95.0, 105.0, 5, claim="rate", unlike="another fault.")
    articles = one(STATED, answer, own=False)
    assert (articles.outcome, articles.reason) == (Outcome.NOT_MEASURABLE, "another fault")
    assert articles.found.value == 100.0
    assert one(ASKED, answer).outcome is Outcome.SUPPORTED


def test_figures_that_disagree_leave_open_what_the_claim_leaves_open():
    ours = [
        figure(100.0, 90.0, 110.0, 5, claim="rate", note="over a"),
        figure(50.0, 45.0, 55.0, 5, claim="rate", note="over b"),
    ]
    found = one(STATED, *ours, own=False)
    assert found.outcome is Outcome.NOT_MEASURABLE
    assert "for it over a it is 100" in found.reason
    assert "against it over b it is 50" in found.reason


def test_of_several_figures_the_kindest_is_shown():
    ours = [figure(value, value - 1, value + 1, 5, claim="rate") for value in (300.0, 120.0, 20.0)]
    found = one(STATED, *ours, own=False)
    assert found.outcome is Outcome.CONTRADICTED
    assert found.found.value == 120.0


def test_what_a_study_has_judged_itself_is_not_judged_again():
    found = one(
        STATED, figure(300.0, 299.0, 301.0, 5, claim="rate"), own=False, judged={"rate": ("supported", "it is said")}
    )
    assert (found.outcome, found.reason) == (Outcome.SUPPORTED, "it is said")


def test_a_unit_that_is_not_the_figures_is_refused_with_the_one_it_should_be():
    with pytest.raises(
        ClaimsInvalid, match="stated in ms, and capacity_go is measured in requests/s: state it in requests/s"
    ):
        one(ASKED.replace("requests/s", "ms"), figure(100.0))


def test_a_figure_that_the_run_does_not_hold_shows_the_near_ones():
    found = one(STATED + 'figure = "capacity_goo"\n', figure(100.0))
    assert found.outcome is Outcome.NOT_MEASURABLE
    assert "Did you mean capacity_go" in found.reason


def test_a_study_that_is_not_in_the_catalogue_reads_so():
    found = one(STATED.replace("11_qps_density", "16_connection_reuse") + 'needs = "sockets counted"\n')
    assert found.outcome is Outcome.NOT_MEASURABLE
    assert found.reason == (
        "the page that would answer for it, 16_connection_reuse, is not in the catalogue; it would take sockets counted"
    )


def test_what_is_no_quantity_is_said_to_be_none_with_the_figure_beside_it():
    found = one(STATED + 'no_quantity = "it is set"\n', figure(100.0, 99.0, 101.0, 5, claim="rate"), own=False)
    assert (found.outcome, found.reason, found.found.value) == (Outcome.NO_QUANTITY, "it is set", 100.0)


HALF = STATED.replace("[rate]", "[half]").replace("value = 100", "value = 60")


def test_a_slip_of_arithmetic_comes_before_every_measurement():
    text = STATED + HALF + 'computed = [{from = "rate / 2", says = "half of it"}]\n'
    found = verdicts(text, figure(60.0, 59.0, 61.0, 5, claim="half"), own=False)[1]
    assert found.outcome is Outcome.ARITHMETIC
    assert found.reason == "half of it: 50, and 60 is printed; no rounding of the figures behind it gives that"


GO, JAVA = (400, 500, 600), (200, 200, 200)


@pytest.fixture
def saturated(run):
    """Give what writes a run of saturated processes that answer so many requests in the second of the window."""

    def cells(variant, runtime, counts):
        return [
            WrittenCell(f"{variant}-{place}", variant, runtime, "saturate", "closed", None, served(*[1.0] * count))
            for place, count in enumerate(counts)
        ]

    def written(go=GO, java=JAVA):
        return run(*cells("go", "go", go), *cells("java25-g1", "java", java))

    return written


def verdict_of(opened: Run, name: str, path: str = "article"):
    ledger = view.judged(opened, path, "saturate")
    return next(judged for judged in ledger.judgements if judged.claim.id == name)


def test_every_figure_of_the_article_has_one_verdict_and_a_reason(saturated):
    ledger = view.judged(saturated(), "article", "saturate")
    assert [judged.claim.id for judged in ledger.judgements] == list(claims.read())
    assert all(judged.reason for judged in ledger.judgements)
    assert {judged.claim.id for judged in ledger.of(Outcome.ARITHMETIC)} == {"config_ratio"}


def test_the_articles_figure_of_a_go_service_stands_beside_the_capacity_of_its_page_and_is_not_tested_by_it(saturated):
    found = verdict_of(saturated(), "qps_per_go_service")
    assert found.outcome is Outcome.NOT_MEASURABLE
    assert "a machine can be chosen to meet it or miss it" in found.reason
    assert found.found.value == pytest.approx((400 * 500 * 600) ** (1 / 3))
    assert found.found.query == density.CAPACITY


@pytest.mark.parametrize(
    ("go", "java", "page_says", "outcome"),
    [
        # About 2.3, 4 and 1.2 times; 2.466 [1.49 to 4.08] is too wide for either word.
        ((460, 460, 470, 450), (200, 200, 210, 190), "cannot be told from it against java25-g1", Outcome.SUPPORTED),
        ((800, 810, 790, 805), (200, 200, 210, 190), "is above it against java25-g1", Outcome.CONTRADICTED),
        ((240, 245, 235, 240), (200, 200, 210, 190), "is below it against java25-g1", Outcome.CONTRADICTED),
        (GO, JAVA, "cannot be told from it against java25-g1", Outcome.NOT_MEASURABLE),
    ],
)
def test_the_articles_ratio_has_the_verdict_of_its_page(saturated, go, java, page_says, outcome):
    opened = saturated(go, java)
    assert page_says in density_view.verdict(opened)
    assert verdict_of(opened, "qps_go_over_java").outcome is outcome


def test_an_analysts_own_file_is_held_against_the_same_run(saturated):
    opened, example = saturated(), str(ROOT / "data" / "claims_example.toml")
    assert verdict_of(opened, "go_gateway_rate", example).outcome is Outcome.CONTRADICTED
    assert verdict_of(opened, "incidents_fewer", example).outcome is Outcome.ARITHMETIC
    assert verdict_of(opened, "developer_happiness", example).outcome is Outcome.NO_QUANTITY


def test_the_page_records_one_count_a_verdict_and_they_add_up_to_all(saturated):
    opened = saturated()
    found = {said["id"]: said for said in view.findings(view.judged(opened, "article", "saturate"))}
    assert sum(said["value"] for name, said in found.items() if said["unit"] == "claims") == 63
    assert found["claim_qps_per_go_service"]["run"] == opened.name
    assert found["claim_config_ratio_computed_1"]["value"] == 3.8


def test_the_table_shows_text_as_text_and_the_verdict_as_a_word(saturated, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(STATED.replace("requests a second", "a <b>bold</b> rate"))
    written = view.table(view.judged(saturated(), str(path), "saturate")).data
    assert "A &lt;b&gt;bold&lt;/b&gt; rate" in written
    assert "<td class='verdict open'>not measurable here</td>" in written


def test_every_study_that_answers_is_a_page_of_the_catalogue():
    from roi.views.claim_answers import STUDIES

    assert set(STUDIES) <= set(catalog.read())


def test_a_run_without_a_load_leaves_everything_open_that_only_a_load_can_tell(run):
    opened = run(WrittenCell("a", "go", requests=served(1.0), columns={"ready_ns": 5 * MS}))
    assert verdict_of(opened, "qps_per_go_service").outcome is Outcome.NOT_MEASURABLE
    assert verdict_of(opened, "zgc17_pause_p99").outcome is Outcome.NOT_MEASURABLE
