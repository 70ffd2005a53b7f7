"""Verdicts on the article's figures about pauses, and the ledger of stalls, over runs that are written down."""

from __future__ import annotations

from roi import ledger, verdicts
from roi.data import Run
from roi.verdicts import CONTRADICTED, NOT_MEASURABLE, SUPPORTED
from roi.views import ledger as view
from tests.notebooks.written_run import MS, WrittenCell

US = 1_000


def stopped(*lengths_us: int, source: str = "jul_safepoint") -> list[dict[str, object]]:
    return [{"source": source, "dur_lo_ns": us * US, "dur_hi_ns": us * US} for us in lengths_us]


def zgc(*lengths_us: int, scenario: str = "steady") -> WrittenCell:
    return WrittenCell("z", "java17-zgc", "java", scenario, pauses=stopped(*lengths_us))


def outcomes(run: Run, scenario: str = "steady") -> dict[str, tuple[str, str]]:
    return {found.claim.id: (found.outcome, found.reason) for found in verdicts.of_run(run, scenario)}


def test_short_pauses_in_plenty_support_what_the_article_states(run):
    found = outcomes(
        run(zgc(*([28] * 600)), WrittenCell("n", "node", "node", pauses=stopped(*([200] * 600), source="node_trace")))
    )
    assert found["zgc17_pause_mean"][0] == SUPPORTED
    assert found["pause_target"][0] == SUPPORTED
    assert found["node20_pause_low"][0] == found["node20_pause_high"][0] == SUPPORTED
    # A P99 of 28 µs is not one of 89.
    assert found["zgc17_pause_p99"] == (CONTRADICTED, "P99 lies between 28 and 28 µs (n = 600)")


def test_long_pauses_contradict_it(run):
    found = outcomes(
        run(zgc(*([400] * 600)), WrittenCell("n", "node", "node", pauses=stopped(*([5000] * 600), source="node_trace")))
    )
    assert {
        found[name][0] for name in ("zgc17_pause_mean", "pause_target", "zgc17_pause_p99", "zgc17_pause_spike")
    } == {CONTRADICTED}
    assert found["node20_pause_high"] == (
        CONTRADICTED, "P99 of all stops of node, steps included, is 5,000 µs or more (n = 600)",
    )  # fmt: skip


def test_too_few_pauses_decide_nothing_but_that_more_are_needed(run):
    found = outcomes(run(zgc(*([50] * 60))))
    # Sixty in the one second of the window: 368 take six seconds.
    assert found["zgc17_pause_p99"] == (
        NOT_MEASURABLE, "60 pauses seen: an interval of P99 needs 368 or more, 0.1 minutes at this rate of pauses",
    )  # fmt: skip
    assert found["zgc17_gc_rate"][0] == NOT_MEASURABLE
    assert found["zgc17_pause_spike"][0] == NOT_MEASURABLE
    assert found["node20_pause_low"] == (NOT_MEASURABLE, "the run holds no pause of node20 or node under this load")
    assert found["rust_pause"] == (NOT_MEASURABLE, "the run holds no Rust gateway under this load")


def test_rust_has_no_collector_and_frees_memory_nevertheless(run):
    drops = [{"source": "rust_drop", "kind": "dealloc", "dur_lo_ns": 90 * US, "dur_hi_ns": 90 * US}]
    outcome, reason = outcomes(run(WrittenCell("r", "rust", "rust", pauses=drops)))["rust_pause"]
    assert outcome == SUPPORTED
    assert "took up to 90 µs (1 times 20 µs or longer)" in reason


def test_the_ledger_adds_up_by_variant_and_leaves_out_the_warm_up(run):
    early = {"begin_ns": 1, "end_ns": 9 * MS}
    opened = run(
        WrittenCell(
            "a", "go", stalls=[{"stw_gc_ns": 3 * MS, "unexplained_ns": MS}, {"scheduling_ns": 2 * MS}, {"ttsp_ns": MS} | early],
            columns={"hiccup_wakes": 100, "control_p99_ns": 3 * MS, "hiccup_max_ns": 4 * MS, "control_max_ns": MS},
        )
    )  # fmt: skip
    (row,) = ledger.of_stalls(opened, "steady").to_dict("records")
    assert (row["stalls"], row["stalled_ms"], row["longest_ms"]) == (2, 6.0, 4.0)
    assert (row["stw_gc_ms"], row["scheduling_ms"], row["unexplained_ms"], row["ttsp_ms"]) == (3.0, 2.0, 1.0, 0.0)
    assert view.chart(opened, "steady").title.startswith("83% of the time")
    assert "their floor, 3 ms at worst" in view.said(opened, "steady")


def test_a_run_without_hiccup_meters_says_so(run):
    opened = run(zgc(50))
    assert view.chart(opened, "steady") is None
    assert "no cell under steady that can be compared has hiccup meters" in view.said(opened, "steady")
