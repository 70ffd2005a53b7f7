"""The view of the ROI factor."""

from __future__ import annotations

import numpy as np
import pandas as pd

from roi.charts.spec import ChartSpec
from roi.factor import Autopsy, FactorInputs, autopsy
from roi.views.words import number

SOURCE = (
    "Source: the inputs of this notebook and the article's formula (section 3.2). No sample sizes are stated there."
)


def verdict(inputs: FactorInputs) -> str:
    """Say what the factor is and what it is not."""
    found = autopsy(inputs)
    return (
        f"**The factor is {found.factor:.4f}.** It is an index of improvement and not a return on investment: it holds no"
        " cost, no volume and no time, and is the same for five fixes a year or five thousand. The same inputs, read"
        f" backwards, give {found.reversed:.3f}; their geometric mean, which does not depend on the direction, is"
        f" {found.geometric:.3f}; counted as failures instead of successes, {found.with_failures:.1f}."
    )


def answers_chart(inputs: FactorInputs) -> ChartSpec:
    """Draw the answers that the same inputs give under other, equally defensible readings."""
    found = autopsy(inputs)
    rows = pd.DataFrame(_answers(found), columns=["reading", "factor"]).replace(np.inf, np.nan).dropna()
    return ChartSpec(
        "factor_readings", "dots", rows, "reading", "factor",
        title=f"The same inputs give {number(rows['factor'].min())} to {number(rows['factor'].max())}:"
        " the reading decides, not the data",
        alt="The factor by reading: " + ", ".join(f"{r.reading} {number(r.factor)}" for r in rows.itertuples()) + ".",
        y_title="Factor (1 = no change)", y_log=True, horizontal=True,
        subtitle=f"Fix effort {inputs.fix_hours_before:g} to {inputs.fix_hours_after:g} h; rollback success"
        f" {inputs.rollback_rate_before:.1%} to {inputs.rollback_rate_after:.1%}", footnote=SOURCE,
    ).with_reference(found.factor, "as the article reads it")  # fmt: skip


def weight_chart(inputs: FactorInputs) -> ChartSpec:
    """Draw the factor over its weight, for which the article gives no source."""
    weights = np.linspace(0, 1, 101)
    rows = pd.DataFrame({"weight": weights, "factor": [inputs.factor(weight) for weight in weights]})
    return ChartSpec(
        "factor_weight", "lines", rows, "weight", "factor",
        title=f"Whoever chooses the weight chooses the factor: {number(rows['factor'].min())} to"
        f" {number(rows['factor'].max())}",
        alt=f"A straight line from {rows['factor'].iloc[0]:.2f} at weight 0 to {rows['factor'].iloc[-1]:.2f} at weight 1.",
        x_title="Weight of the fix efforts", y_title="Factor (1 = no change)",
        subtitle="Weighted arithmetic mean of both ratios", footnote=SOURCE,
    ).with_reference(inputs.weight_efficiency, f"weight used: {inputs.weight_efficiency:g}", axis="x")  # fmt: skip


def _answers(found: Autopsy) -> list[tuple[str, float]]:
    return [
        ("as stated", found.factor),
        ("old and new swapped", found.reversed),
        ("geometric mean", found.geometric),
        ("failures, not successes", found.with_failures),
    ]
