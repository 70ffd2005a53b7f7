"""Findings carry what a reader needs to judge them, and claims are set beside them by the same words everywhere."""

import dataclasses

import pyarrow.parquet as pq
import pytest

from roi.errors import FindingInvalid, UnknownName
from roi.report import findings
from roi.report.contents import About, headline
from roi.report.findings import MIMETYPE, Finding, figure, record, verdict


def claimed(value, lo=None, hi=None, unit="s", n=None):
    return Finding("f", value, unit, lo, hi, n, claim="c", claim_says="c", claim_value=100.0, claim_unit="s")


def test_a_finding_of_a_claim_carries_the_article_figure():
    found = record("density", 9_100, "requests/s", 8_800, 9_350, n=10, claim="qps_per_go_service")
    assert (found.claim_value, found.claim_unit) == (12_400.0, "requests/s")
    assert found._repr_mimebundle_()[MIMETYPE]["n"] == 10


def test_an_unknown_claim_shows_the_near_ones():
    with pytest.raises(UnknownName, match="qps_per_go_service"):
        record("density", 1, "requests/s", claim="qps_per_go_servce")


@pytest.mark.parametrize(
    "said",
    [
        {"value": None},
        {"value": float("nan")},
        {"value": 5.0, "lo": 6.0},
        {"value": 5.0, "lo": 1.0, "hi": 4.0},
        {"value": 1.0, "unit": ""},
        {"value": 1.0, "n": -1},
    ],
)
def test_a_finding_that_says_too_little_or_contradicts_itself_is_refused(said):
    with pytest.raises(FindingInvalid):
        Finding(**{"id": "f", "unit": "s"} | said)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12_400.0, "12,400"),
        (3.16064, "3.161"),
        (0.0312, "0.0312"),
        (0.0, "0"),
        (None, "–"),
        (-1234.56, "-1,235"),
        (1e6 / 3, "333,300"),
        (99999, "100,000"),
    ],
)
def test_a_figure_has_four_digits_and_its_thousands_apart(value, text):
    assert figure(value) == text


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (claimed(90.0, 80.0, 110.0), "within our interval"),
        (claimed(80.0, 70.0, 90.0), "claim is 25.0% higher"),
        (claimed(10.0, 9.0, 11.0), "claim is 10× as high"),
        (claimed(400.0, 300.0, 500.0), "claim is 4× lower"),
        (claimed(100.2), "the same"),
        (claimed(400.0, n=1), "cannot be told"),
        (claimed(400.0, 300.0, n=12), "claim is 4× lower"),
        (claimed(400.0, 90.0, n=12), "cannot be told"),
        (claimed(90.0, unit="ms"), "in another unit"),
        (Finding("f", 1.0, "s"), ""),
    ],
)
def test_a_verdict_says_how_the_claim_stands_to_the_finding(found, words):
    assert verdict(found) == words


def test_the_headline_counts_only_claims_that_can_be_compared():
    unlike = dataclasses.replace(claimed(10.0, 9.0, 11.0), unlike="another fault")
    found = [
        claimed(90.0, 80.0, 110.0),
        claimed(10.0, 9.0, 11.0),
        claimed(90.0, unit="ms"),
        Finding("f", 1.0, "s"),
        unlike,
    ]
    assert headline(About("r"), found) == "1 of the 2 claimed figures that this run can test is contradicted"
    assert headline(About("r"), found[2:]) == "What the run r shows"
    assert verdict(unlike) == "not comparable"


def test_findings_are_written_with_their_page_and_their_nulls(tmp_path):
    findings.write(
        [("density", claimed(90.0)), ("pauses", Finding("none", None, "ms", note="not applicable"))], tmp_path
    )
    rows = pq.read_table(tmp_path / "findings.parquet").to_pylist()
    assert [(row["notebook"], row["value"], row["n"]) for row in rows] == [
        ("density", 90.0, None),
        ("pauses", None, None),
    ]
