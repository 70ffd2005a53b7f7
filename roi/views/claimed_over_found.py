"""The view of stated figures over ours, where both are of one thing, and of those that cannot be compared."""

from __future__ import annotations

import pandas as pd

from roi.charts.spec import ChartSpec
from roi.report.contents import SYNTHETIC, row
from roi.report.findings import figure as with_hyphen
from roi.summary import Summary
from roi.views.finding_words import amount, plain
from roi.views.words import listed, number


def ratio_chart(summary: Summary) -> ChartSpec | None:
    """Draw each claimed figure over ours, where both are of one thing; None where there is none."""
    drawn = [one for one in summary.comparisons if one.ratio is not None]
    if not drawn:
        return None
    rows = pd.DataFrame({
        "finding": [plain(one.finding.id) for one in drawn],
        "claimed_over_found": [one.ratio for one in drawn],
        "lo": pd.Series([one.lo for one in drawn], dtype="float64"),
        "hi": pd.Series([one.hi for one in drawn], dtype="float64"),
        "claim": [one.finding.claim_says for one in drawn],
        "claimed": [one.finding.claim_value for one in drawn],
        "found": [one.finding.value for one in drawn],
        "unit": [one.finding.unit for one in drawn],
        "verdict": [one.verdict.removeprefix("claim is ") for one in drawn],
    })  # fmt: skip
    rows = rows.sort_values("claimed_over_found", ascending=False, kind="stable")
    untested = sum(one.kind == "open" for one in drawn)
    least, most = number(rows["claimed_over_found"].min(), 2), number(rows["claimed_over_found"].max(), 2)
    title = f"What is claimed is {least} to {most} times what was found"
    synthetic = f" {SYNTHETIC}" if summary.about.synthetic else ""
    return ChartSpec(
        "claimed_over_found", "dots", rows, "finding", "claimed_over_found", lo="lo", hi="hi", y_log=True, horizontal=True,
        beside=("claim", "claimed", "found", "unit", "verdict"),
        title=title if summary.tested else "No claimed figure is told apart from what was found",
        alt="Claimed over found: "
        + listed(f"{r.finding} {with_hyphen(r.claimed_over_found)}" for r in rows.itertuples()) + ".",
        y_title="Claimed over found (ratio); right of 1 the claim is higher than what was found",
        subtitle="Ends of the bars are those of the findings' intervals; where an end is open, none is drawn",
        footnote=f"Source: {summary.about.line()}."
        + f" Of {untested} it cannot be told, as the interval is open." * bool(untested) + synthetic,
    ).with_reference(1.0, "as claimed")  # fmt: skip


def apart_table(summary: Summary) -> pd.DataFrame:
    """List the stated figures that stand beside a finding and are not drawn, and why."""
    rows = [(one, row("", one.finding)) for one in summary.comparisons if one.ratio is None]
    return pd.DataFrame({
        "stated figure": [said["says"] for _, said in rows],
        "claimed": [amount(one.finding.claim_value, one.finding.claim_unit) for one, _ in rows],
        "here": [amount(one.finding.value, one.finding.unit) for one, _ in rows],
        "why": [one.why for one, _ in rows],
        "finding": [one.finding.id for one, _ in rows],
    })  # fmt: skip
