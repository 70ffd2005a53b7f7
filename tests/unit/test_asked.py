"""The digest of what was asked: the same for the same questions to the same tables, and another when one of them is another."""

from dataclasses import replace

import pytest

from bench.store.manifest import Manifest, TableFile
from roi.asked import Asked, tables_of

RUN = Manifest(
    schema_version=1, run="r", suite="", purpose="", suite_text="", seed=1, order=(), started_at="", finished_at="",
    interruptions=0, machine={}, toolchains={}, variants={}, left_out={}, contract={}, code_version="", synthetic=True,
    tables={"cells": TableFile(1, 1, "c" * 64), "requests": TableFile(1, 1, "r" * 64), "faults": TableFile(1, 1, "f" * 64)},
)  # fmt: skip


def digest(*questions, run=RUN, only=""):
    asked = Asked()
    for sql, parameters in questions:
        asked.note(run, only, sql, parameters)
    return asked.digest()


def rejudged(table):
    return replace(RUN, tables={**RUN.tables, table: TableFile(1, 1, "0" * 64)})


def test_nothing_asked_has_no_digest():
    assert digest() is None


def test_the_same_questions_have_the_same_digest_whatever_the_order_of_their_parameters():
    first = digest(("select * from cells where a = $a and b = $b", {"a": 1, "b": 2}))
    assert first == digest(("select * from cells where a = $a and b = $b", {"b": 2, "a": 1}))
    assert len(first) == 64


@pytest.mark.parametrize(
    "other",
    [
        digest(("select 1 from cells", {"a": 2})),
        digest(("select 2 from cells", {"a": 1})),
        digest(("select 1 from cells", {"a": 1}), ("select 1 from cells", {"a": 1})),
        digest(("select 1 from cells", {"a": 1}), only="256 MiB"),
        digest(("select 1 from cells", {"a": 1}), run=rejudged("cells")),
    ],
)
def test_another_question_parameter_restriction_or_table_has_another_digest(other):
    assert other != digest(("select 1 from cells", {"a": 1}))


def test_a_table_that_was_not_asked_is_not_in_the_digest():
    assert digest(("select 1 from cells", {})) == digest(("select 1 from cells", {}), run=rejudged("faults"))


def test_a_view_stands_for_the_tables_behind_it():
    assert tables_of("select * from compared") == ["cells", "requests"]
    assert tables_of("select f.x from faults f join cells using (cell_id)") == ["cells", "faults"]
    assert digest(("select 1 from measured", {})) != digest(("select 1 from measured", {}), run=rejudged("cells"))
