"""A report in pieces: how its files are taken apart, and which differences between two of them are told."""

from __future__ import annotations

import pytest

from roi.report import verify
from roi.report.pieces import Piece, of_page, pieces


@pytest.mark.parametrize(
    ("stored", "recomputed", "tolerance", "are_the_same"),
    [
        ("1.0", "1.0000000005", 1e-9, True),
        ("1.0", "1.0000000005", 0.0, False),
        ("1.0", "1.000000002", 1e-9, False),
        ("12,400 requests", "12,400.000001 requests", 1e-9, True),
        ("12 ms", "12 s", 1e-9, False),
        ("p50 of 3", "p99 of 3", 1e-9, False),
        ("-3", "3", 1e-9, False),
        ("", "0", 1e-9, False),
    ],
)
def test_figures_are_the_same_within_the_tolerance_and_words_only_as_they_are(
    stored, recomputed, tolerance, are_the_same
):
    assert verify.same(stored, recomputed, tolerance) is are_the_same


def test_pieces_that_are_there_once_only_are_named_by_their_place():
    one = [Piece("row 1, n", "3"), Piece("row 2, n", "4")]
    assert list(verify.differences(one, one[:1], 0.0)) == [(one[1], "4", "not there")]
    assert list(verify.differences(one[1:], one, 0.0)) == [(one[0], "not there", "3")]


def test_a_text_that_was_put_in_does_not_make_all_that_follow_differ():
    stored = [Piece("text", text) for text in ("In expectation", "(", "Go", ")", "is worth", "(", "229", ")")]
    recomputed = [*stored[:4], Piece("text", "or Rust"), *stored[4:6], Piece("text", "230"), stored[7]]
    assert list(verify.differences(stored, recomputed, 0.0)) == [
        (recomputed[4], "not there", "or Rust"),
        (recomputed[7], "229", "230"),
    ]


def test_a_page_is_taken_apart_into_cells_named_by_row_and_column(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(
        "<h2>Density</h2><table><thead><tr><th>variant</th><th>per core</th></tr></thead>"
        '<tbody><tr><td>go</td><td class="number"><b>9,100</b></td></tr></tbody></table>'
        '<script type="application/json">{"data":[{"y":{"dtype":"f8","bdata":"AAAAAAAA8D8AAAAAAAAAQA=="}}]}</script>'
    )
    found = {piece.where: piece.text for piece in of_page(path)}
    assert found["table under “Density”, row go, per core"] == "9,100"
    # Two doubles in base64: 1.0 and 2.0.
    assert found["chart under “Density”, data[0].y[1]"] == "2.0"


def test_an_image_is_not_taken_apart(tmp_path):
    assert pieces(tmp_path / "chart.png") is None
