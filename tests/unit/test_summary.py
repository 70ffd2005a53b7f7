"""A report is summed up from its findings alone, and in the same words whenever and wherever it was made."""

import json
from dataclasses import replace
from itertools import count

import pytest

from roi import summary
from roi.errors import ReportUnreadable
from roi.go_beside_java import ahead, weighed
from roi.report import catalog, findings, runner
from roi.report.collect import collect
from roi.report.contents import SYNTHETIC, About
from roi.report.execute import Job, Status
from roi.report.findings import Finding
from roi.views import summary as view
from roi.views.claimed_over_found import apart_table, ratio_chart
from roi.views.summary_against import case_against, weighed_table
from tests.unit.found_findings import EXACT, GATED, HANGING, LOSING, OPEN_END, OTHER_LOAD, SLOWER, claimed, ratio

ABOUT = About("r7", "Some CPU, 2 cores", "2026-11-20", "decision")
DENSITY, PAUSES, MONEY, HANGS, QUALITY = (
    "11_qps_density",
    "10_gc_pauses",
    "31_business_case",
    "32_sensitivity",
    "00_data_quality",
)


@pytest.fixture
def report(tmp_path):
    """Give what writes a report of pages with their findings, and gives its folder."""
    numbers = count()

    def written(pages, about=ABOUT, statuses=None, made_at="2026-11-20T10:00:00+00:00", seconds=1.5, folder=None):
        folder = folder or tmp_path / f"report-{next(numbers)}"
        folder.mkdir(parents=True)
        titles = {name: page.title for name, page in catalog.read().items()}
        became = dict.fromkeys(pages, "ok") | (statuses or {})
        notebooks = {
            name: {"notebook": f"{name}.ipynb", "title": titles.get(name, name), "status": status, "seconds": seconds,
                   "sentence": "" if status == "ok" else "Cell 3 failed.", "parameters": {"run": about.run}}
            for name, status in became.items()
        }  # fmt: skip
        said = {"run": about.run, "about": vars(about), "made_at": made_at, "notices": [], "notebooks": notebooks}
        (folder / "status.json").write_text(json.dumps(said))
        findings.write([(name, found) for name, recorded in pages.items() for found in recorded], folder)
        return folder

    return written


@pytest.fixture
def whole(report):
    """Give what reads a report of these findings, all of one page."""
    return lambda *found, **about: summary.read(str(report({DENSITY: found}, replace(ABOUT, **about))), "r7")


def texts(read):
    """Give all that the page shows of a report."""
    chart = ratio_chart(read)
    return [
        view.answer(read), view.decisions(read), case_against(read), view.missing(read), chart and json.dumps(chart.to_dict()),
        apart_table(read).to_csv(), weighed_table(read).to_csv(), list(view.findings(read)),
    ]  # fmt: skip


def test_a_claim_of_2_3_over_a_finding_of_0_5_is_4_6_with_ends_3_68_and_5_75(whole):
    (one,) = whole(SLOWER[0]).comparisons
    assert (one.ratio, one.lo, one.hi) == (pytest.approx(4.6), pytest.approx(2.3 / 0.625), pytest.approx(2.3 / 0.4))
    assert (one.kind, one.verdict) == ("apart", "claim is 4.6× as high")


def test_an_open_end_of_a_finding_is_an_open_end_of_the_ratio(whole):
    (one,) = whole(OPEN_END).comparisons
    assert (one.ratio, one.lo, one.hi) == (pytest.approx(0.1), None, pytest.approx(0.5))
    assert ratio_chart(whole(OPEN_END)).to_dict()["data"]["lo"] == [None]


def test_an_exact_figure_has_a_ratio_without_an_interval(whole):
    (one,) = whole(EXACT).comparisons
    assert (one.ratio, one.lo, one.hi, one.kind) == (1.0, None, None, "within")


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (OTHER_LOAD, "another machine"),
        (claimed("f", 4.0, "ms", 3.0, lo=3.0, hi=5.0, claim_unit="s"), "found in ms, and claimed in s"),
        (claimed("f", None, "s", 3.0, note="no fault was injected"), "no fault was injected"),
        (claimed("f", 0.0, "s", 3.0, lo=0.0, hi=1.0, n=4), "a figure of 0 or less has no ratio"),
    ],
)
def test_what_has_no_ratio_is_listed_with_the_reason_and_not_drawn(whole, found, why):
    read = whole(found)
    assert ratio_chart(read) is None
    assert apart_table(read)["why"].tolist() == [why]


def test_the_chart_runs_from_the_highest_claim_to_the_lowest_and_marks_1(whole):
    chart = ratio_chart(whole(EXACT, OPEN_END, *SLOWER, OTHER_LOAD))
    assert chart.data["claimed_over_found"].tolist() == [pytest.approx(one) for one in (4.6, 2.875, 1.0, 0.1)]
    assert [line.value for line in chart.references] == [1.0]
    assert chart.title == "What is claimed is 0.1 to 4.6 times what was found"


def test_the_answer_counts_comparisons_and_stated_figures_apart(whole):
    said = view.answer(whole(EXACT, OPEN_END, *SLOWER, OTHER_LOAD))
    assert (
        "3 of the 4 claimed figures that this run can test are contradicted (4 comparisons of 3 stated figures)" in said
    )


def test_the_answer_tells_the_page_of_claims_count_of_stated_figures(whole):
    counts = {"supported": 2, "contradicted": 7, "not_measurable": 42, "no_quantity": 0, "arithmetic": 1}
    said = view.answer(whole(*(Finding(f"claims_{name}", many, "claims") for name, many in counts.items())))
    assert (
        "judges each of 52 stated figures once: 2 supported, 7 contradicted, 42 not measurable here and 1 arithmetic"
        in said
    )


def test_the_answer_says_how_go_stands_to_every_java_variant(whole):
    said = view.answer(whole(*SLOWER, ratio("java17-zgc", 1.0, 0.9, 1.1)))
    assert (
        "**0.5 to 1 times** what Java serves, fewer than 2 of 3 Java variants and not told apart from 1 of 3 Java variants:"
        " java25-g1 0.5 [0.4 to 0.625], java25-zgc 0.8 [0.7 to 0.9] and java17-zgc 1 [0.9 to 1.1]; 3 processes of each."
        in said
    )


def test_a_go_that_is_faster_is_said_to_be_so(whole):
    read = whole(ratio("java25-g1", 2.0, 1.5, 2.5))
    assert ahead(read) == "go"
    assert "**2 times** what Java serves, more than the one Java variant" in view.answer(read)


def test_two_are_told_apart_where_intervals_do_not_overlap_and_the_better_is_by_what_is_measured(whole):
    read = whole(
        Finding("capacity_go", 30.0, "requests/s", 28.0, 32.0), Finding("capacity_java25-g1", 50.0, "requests/s", 45.0, 55.0),
        Finding("response_p99_go_at_1000", 1.0, "ms", 0.7, 1.2), Finding("response_p99_java25-g1_at_1000", 2.0, "ms", 1.7, 2.2),
        Finding("response_p99_java17-zgc_at_1000", 1.5, "ms", 1.1, 1.9),
        Finding("response_p99_java25-g1_at_50", 9.0, "ms", 8.0, 10.0),
    )  # fmt: skip
    found = {one.words: (one.for_go, one.for_java) for one in weighed(read)}
    assert found == {
        "requests/s at saturation": ((), ("java25-g1",)),
        "P99 of the response time at 1000 requests/s": (("java25-g1",), ()),
    }


def test_what_is_nearer_than_the_noise_floor_is_not_told_apart(whole):
    pair = Finding("blind_pair_saturation", 1.25, "ratio", 0.9, 1.7, note="go over itself, requests/s at saturation")
    go = Finding("capacity_go", 30.0, "requests/s", 29.0, 31.0)
    near, far = (Finding(f"capacity_java{at}", at, "requests/s", at - 1, at + 1) for at in (37.0, 38.0))
    assert [one.for_java for one in weighed(whole(go, near, far, pair))] == [("java38.0",)]
    assert [one.for_java for one in weighed(whole(go, near, far))] == [("java37.0", "java38.0")]


def test_an_end_that_is_not_known_tells_nothing_apart(whole):
    go, java = Finding("scale_up_lag_go", 0.1, "s", 0.05), Finding("scale_up_lag_java25-g1", 8.0, "s", 7.0, 9.0)
    (one,) = weighed(whole(go, java))
    assert not one.told_apart


def test_a_case_that_is_not_expected_to_pay_says_so_and_the_case_against_says_what_would_make_it(report):
    read = summary.read(str(report({MONEY: LOSING, HANGS: HANGING})), "r7")
    said = view.answer(read)
    assert "**No option is expected to pay.** Of those that change something *go* leads" in said
    assert "**−660 to 130** thousand USD in 8 of 10 draws, −280 in the median (A firm's migration)" in said
    assert "above zero with a probability of **16%** and doing nothing pays most in 83% of draws" in said
    assert "hangs on work to build it (go) (25%)" in said
    against = case_against(read)
    assert "***go* pays after all** in 16% of draws. (`npv_above_zero_go`)" in against
    assert "It would pay with one of these" in against
    assert "cost of an hour out of service at 25,000 USD/hour (mean 10,000)" in against


def test_against_a_case_that_pays_stands_how_often_it_loses_and_its_largest_benefit(report):
    paying = [replace(one, value=200.0) if one.id == "npv_expected_go" else one for one in LOSING]
    read = summary.read(str(report({MONEY: paying})), "r7")
    assert "**The money.** The option that leads is *go*" in view.answer(read)
    against = case_against(read)
    assert "**is worth less than doing nothing** in 84% of draws" in against.replace("***go* is", "**is")
    assert "without savings on outages it is worth −440 thousand USD in expectation" in against
    assert "It would lose with one of these" in against


def test_what_is_decided_on_rests_on_gate_noise_floor_and_assumptions(report):
    pair = Finding("blind_pair_saturation", 0.8, "ratio", 0.7, 0.9, note="go over itself, requests/s at saturation")
    said = view.decisions(summary.read(str(report({QUALITY: GATED, DENSITY: [pair], HANGS: HANGING})), "r7"))
    assert "**The run is made for decisions**" in said
    assert (
        "**38 of 42 cells** passed the gate, which asks whether the generator was the bottleneck. 2 cells could" in said
    )
    assert "25% in requests/s at saturation" in said
    assert "told apart in requests/s at saturation, and should not be:** distrust those" in said
    assert (
        "not for a measurement**: 90% of the variance of its net present value rests on what is assumed and 10%" in said
    )
    assert (
        "**Measure next: cost of an hour out of service.** Knowing it exactly is worth at most 4.1 thousand USD" in said
    )


@pytest.mark.parametrize("purpose", ["indicative", "not told"])
def test_nothing_is_decided_on_a_run_that_is_not_made_for_it(whole, purpose):
    assert view.decisions(whole(*SLOWER, purpose=purpose)).startswith("- **Decide nothing on it but what to measure.**")


def test_a_synthetic_run_says_so_first_and_on_the_chart(whole):
    read = whole(*SLOWER, synthetic=True)
    assert view.answer(read).startswith(f"**{SYNTHETIC}**")
    assert SYNTHETIC in ratio_chart(read).footnote
    assert view.decisions(read).startswith("- **Decide nothing on it: the data are synthetic.**")


def test_the_case_against_a_report_that_contradicts_most_is_what_it_does_not_contradict(whole):
    read = whole(
        EXACT,
        OPEN_END,
        *SLOWER,
        Finding("overhead_proofs_held", 0.25, "share", n=4, note="1 of 4 proofs of what meters cost"),
    )
    against = case_against(read)
    assert (
        "**Not contradicted**: what roi_factor says, claimed 3.16 and here 3.16 (the same). (`roi_factor`)" in against
    )
    assert "**Not all proofs hold.** What does: 1 of 4 proofs of what meters cost" in against


def test_the_case_against_a_report_that_contradicts_little_is_what_it_contradicts(whole):
    within = (claimed(f"f{n}", 100.0, "s", 101.0, lo=90.0, hi=110.0, n=5, claim=f"c{n}") for n in range(3))
    assert "**Contradicted**: what zgc17_pause_p99 says, claimed 89 µs and here 890 µs (10× lower)" in case_against(
        whole(OPEN_END, *within)
    )


def test_the_one_who_serves_less_is_spoken_for_by_what_it_is_better_at(whole):
    p99 = (
        Finding("response_p99_go_at_1000", 1.0, "ms", 0.7, 1.2),
        Finding("response_p99_java25-g1_at_1000", 2.0, "ms", 1.7, 2.2),
    )
    against = case_against(whole(*SLOWER, *p99))
    assert (
        "**By 1 of 1 measure Go is better** than some variant, told apart; Java by 0; by 0 nothing is told apart."
        in against
    )
    table = weighed_table(whole(*SLOWER, *p99))
    assert table.iloc[0].tolist()[:4] == [
        "P99 of the response time at 1000 requests/s",
        "1 [0.7 to 1.2] ms",
        "2",
        "java25-g1",
    ]


def test_pages_that_failed_or_were_not_asked_for_are_named(report):
    folder = report({DENSITY: SLOWER}, statuses={"20_recovery": "skipped", "16_two_runs": "cell_error"})
    read = summary.read(str(folder), "r7")
    lacking = {page.name for page in read.pages if not page.complete}
    assert {"20_recovery", "16_two_runs", PAUSES, MONEY} <= lacking
    assert DENSITY not in lacking
    assert f"**1 of {len(read.pages)} pages is complete.**" in view.missing(read)
    assert "*How long until service is back?* (`20_recovery`)" in view.missing(read)


def test_a_page_that_is_made_on_request_is_missing_from_no_report_that_was_not_asked_for_it(report):
    on_request = {name for name, page in catalog.read().items() if page.on_request}
    read = summary.read(str(report({DENSITY: SLOWER})), "r7")
    assert on_request
    assert not on_request & {page.name for page in read.pages}


def test_a_report_of_nothing_says_that_it_holds_nothing(report):
    read = summary.read(str(report({})), "r7")
    assert ratio_chart(read) is None
    said = view.answer(read)
    assert "No finding of this report tests a claimed figure" in said
    assert "no finding of Go's requests/s over Java's" in said
    assert "no finding of what a migration is worth" in said
    assert "No finding of this report speaks against its answer" in case_against(read)
    assert all(found["value"] == 0 for found in view.findings(read))


def test_a_finding_without_a_value_is_as_good_as_none(report):
    unknown = [
        replace(one, value=None, lo=None, hi=None, note="not known") for one in (*LOSING, *HANGING, *GATED, *SLOWER)
    ]
    read = summary.read(str(report({MONEY: unknown})), "r7")
    said = " ".join(texts(read)[:4])
    assert "no finding of what a migration is worth" in said
    assert "How many cells passed the gate is not told" in said
    assert "None" not in said
    assert "nan" not in said
    assert apart_table(read)["why"].tolist() == ["not known", "not known"]


def test_marks_of_html_in_a_note_are_shown_as_text(report):
    noted = [replace(one, note="median; <script>") if one.id == "npv_go" else one for one in LOSING]
    said = view.answer(summary.read(str(report({MONEY: noted})), "r7"))
    assert "&lt;script>" in said.replace("&gt;", ">")
    assert "<script" not in said


def test_what_is_shown_depends_neither_on_time_nor_on_the_folder_nor_on_the_summary_itself(report, tmp_path):
    pages = {QUALITY: GATED, DENSITY: [*SLOWER, OTHER_LOAD], MONEY: LOSING, HANGS: HANGING}
    once = texts(summary.read(str(report(pages)), "r7"))
    own = [Finding(found["id"], 99.0, found["unit"]) for found in once[-1]]
    later = report(
        pages | {"91_executive_summary": own},
        made_at="2030-01-01T00:00:00+00:00",
        seconds=77.0,
        folder=tmp_path / "else" / "where",
    )
    assert texts(summary.read(str(later), "r8")) == once


def test_what_it_records_has_ids_of_its_own(report):
    ids = [found["id"] for found in view.findings(summary.read(str(report({DENSITY: SLOWER})), "r7"))]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith("summary_") for name in ids)


def test_without_a_folder_the_newest_report_of_the_run_is_taken(report, tmp_path, monkeypatch):
    reports = tmp_path / "reports"
    monkeypatch.setattr(summary, "REPORTS", reports)
    report({DENSITY: SLOWER}, made_at="2026-11-22T00:00:00+00:00", folder=reports / "a")
    report({DENSITY: [EXACT]}, made_at="2026-11-23T00:00:00+00:00", folder=reports / "b")
    report({DENSITY: []}, replace(ABOUT, run="r8"), made_at="2026-11-24T00:00:00+00:00", folder=reports / "c")
    (reports / "d").mkdir()
    (reports / "d" / "status.json").write_text("{")
    assert [one.id for one in summary.read("", "r7").findings] == ["roi_factor"]


def test_a_run_without_a_report_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "REPORTS", tmp_path / "reports")
    with pytest.raises(ReportUnreadable, match="Make it first: roi report r7"):
        summary.read("", "r7")


def test_a_folder_that_is_no_report_is_named_without_its_path(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReportUnreadable, match=r"^empty is no report"):
        summary.read(str(tmp_path / "empty"), "r7")


def test_a_report_that_says_nothing_of_its_run_is_read_and_fit_for_no_decision(report):
    folder = report({DENSITY: SLOWER})
    said = json.loads((folder / "status.json").read_text())
    del said["about"]
    (folder / "status.json").write_text(json.dumps(said))
    read = summary.read(str(folder), "r7")
    assert (read.about.run, read.about.purpose) == ("r7", "not told")
    assert "What the run is fit for is not told" in view.decisions(read)


def test_a_report_that_is_not_whole_is_refused(report):
    folder = report({DENSITY: SLOWER})
    (folder / "findings.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReportUnreadable, match=r"needs status\.json and findings\.parquet, whole"):
        summary.read(str(folder), "r7")


def test_the_notebook_sums_up_a_report_through_papermill(report, tmp_path):
    folder = report({QUALITY: GATED, DENSITY: [*SLOWER, EXACT, OTHER_LOAD], MONEY: LOSING, HANGS: HANGING})
    notebook = catalog.NOTEBOOKS / "91_executive_summary.ipynb"
    values = {"run": "r7", "report": str(folder)}
    (outcome,) = runner.run([Job("sum", notebook, tmp_path / "sum.ipynb", values, 120)])
    assert (outcome.status, outcome.sentence) == (Status.OK, "")
    found = collect(outcome.executed)
    recorded = {one.id: one.value for one in found.findings}
    assert recorded["summary_comparisons_tested"] == 3
    assert recorded["summary_comparisons_contradicted"] == 2
    assert recorded["summary_pages_complete"] == 4
    assert list(found.charts) == ["claimed_over_found"]
    assert all(one.query_hash is None for one in found.findings), "no run is opened"
