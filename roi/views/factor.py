"""The view of the ROI factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from roi.charts.spec import ChartSpec
from roi.factor import Autopsy, FactorInputs, autopsy, swap_weight, with_config
from roi.factor_interval import Samples, interval, were_there
from roi.statistics.estimate import Estimate
from roi.views.words import number

SOURCE = (
    "Source: the inputs of this notebook and the article's formula (section 3.2). No sample sizes are stated there."
)
WERE_THERE = (10, 25, 50, 125, 500)
"""Numbers of observations that the interval is shown for, where nobody tells how many there were."""


@dataclass(frozen=True)
class ConfigChange:
    """Configuration changes: measured by the article, and left out of its formula."""

    minutes_before: float
    minutes_after: float
    printed_ratio: float
    """What the article prints for the ratio."""

    @property
    def ratio(self) -> float:
        """Minutes before over minutes after."""
        return self.minutes_before / self.minutes_after


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


def swap_said(first: FactorInputs, second: FactorInputs) -> str:
    """Say at which weight two options swap, by successes and by failures."""
    leads = "the first" if first.factor() > second.factor() else "the second"
    level = first.factor() == second.factor()
    return (
        f"One option fixes in {first.fix_hours_after:g} h and rolls back in {first.rollback_rate_after:.1%} of cases, another in"
        f" {second.fix_hours_after:g} h and {second.rollback_rate_after:.1%}. Their factors are {first.factor():.3f} and"
        f" {second.factor():.3f}, so {'neither' if level else leads} leads at a weight of {first.weight_efficiency:g}."
        f" Counting successes, {_swaps(swap_weight(first, second))}; counting failures,"
        f" {_swaps(swap_weight(first, second, of_failures=True))}. The same releases, two counts:"
        " between the two weights it is the side that is counted which chooses the option."
    )


def _swaps(weight: float | None) -> str:
    return "one of them leads at every weight" if weight is None else f"they swap at a weight of {weight:.3f}"


def swap_chart(first: FactorInputs, second: FactorInputs) -> ChartSpec:
    """Draw the factors of two options over the weight, by successes, and where they swap."""
    weights = np.linspace(0, 1, 101)
    named = {f"{option.fix_hours_after:g} h, {option.rollback_rate_after:.1%}": option for option in (first, second)}
    rows = pd.concat(
        [pd.DataFrame({"option": name, "weight": weights, "factor": [option.factor(w) for w in weights]})
         for name, option in named.items()]
    )  # fmt: skip
    swap = swap_weight(first, second)
    said = "One option leads at every weight" if swap is None else f"The options swap at a weight of {number(swap, 2)}"
    chart = ChartSpec(
        "factor_swap", "lines", rows, "weight", "factor", series="option",
        title=f"{said}, as long as it is successes that are counted",
        alt=f"Two straight lines over the weight. {said}.",
        x_title="Weight of the fix efforts", y_title="Factor (1 = no change)",
        subtitle="Hours to fix a defect and rollback success after the change, by option", footnote=SOURCE,
    )  # fmt: skip
    return chart if swap is None else chart.with_reference(swap, f"swap: {number(swap, 2)}", axis="x")


def interval_said(inputs: FactorInputs, samples: Samples) -> str:
    """Say which interval the factor has, or why it has none."""
    found = interval(inputs, samples)
    if found.lo is None or found.hi is None:
        hundred = were_there(inputs, 100, samples.fix_hours_cv)
        return (
            "**There is no interval: nobody tells over how many fixes and rollbacks the inputs were counted.** The parameters"
            f" `fixes_before`, `fixes_after`, `rollbacks_before` and `rollbacks_after` take the numbers. Had there been 100 of"
            f" each, and did the hours of single fixes vary by {samples.fix_hours_cv:.0%} of their mean, it would run from"
            f" {hundred.lo:.2f} to {hundred.hi:.2f}."
        )
    return (
        f"With {samples.fixes_before} and {samples.fixes_after} fixes, {samples.rollbacks_before} and {samples.rollbacks_after}"
        f" rollbacks, and hours of single fixes that vary by {samples.fix_hours_cv:.0%} of their mean, the factor is"
        f" **{found.value:.3f} [{found.lo:.2f} to {found.hi:.2f}]**. That is the sampling error alone: the article's before and"
        " after are not of two groups that were alike."
    )


def interval_table(inputs: FactorInputs, cv: float) -> pd.DataFrame:
    """List the interval that the factor would have with so many observations of each input."""
    found = {n: were_there(inputs, n, cv) for n in WERE_THERE}
    return pd.DataFrame({
        "if there were of each": list(found),
        "factor [95 %]": [f"{e.value:.2f} [{e.lo:.2f} to {e.hi:.2f}]" for e in found.values()],
        "hours before [95 %]": [_hours(inputs.fix_hours_before, n, cv) for n in found],
        "hours after [95 %]": [_hours(inputs.fix_hours_after, n, cv) for n in found],
    })  # fmt: skip


def _hours(stated: float, n: int, cv: float) -> str:
    half = 1.96 * np.sqrt(np.log1p(cv**2 / n))
    return f"{stated:g} [{number(stated * np.exp(-half))} to {number(stated * np.exp(half))}]"


def config_said(inputs: FactorInputs, change: ConfigChange) -> str:
    """Say what the article prints for configuration changes, and what they would do in the formula."""
    printed = f"{change.ratio:.1f}"
    right = f"{change.printed_ratio:.1f}" == printed
    return (
        f"Configuration changes went from {change.minutes_before:g} to {change.minutes_after:g} minutes, which is {printed} times"
        + ("." if right else f"; **the article prints {change.printed_ratio:g}**.")
        + " They are measured and left out of the formula. With half of the weight of the fix efforts on them the factor is"
        f" {with_config(inputs, change.minutes_before, change.minutes_after):.3f}, and with all of it"
        f" {with_config(inputs, change.minutes_before, change.minutes_after, 1.0):.3f} (as stated {inputs.factor():.3f})."
        " Whether they belong in it nobody can tell: where a fix is shipped as a configuration change, the same hours stand in"
        " both figures, and a formula with both would count them twice."
    )


def findings(
    inputs: FactorInputs, other: FactorInputs, samples: Samples, change: ConfigChange
) -> Iterator[dict[str, Any]]:
    """Give what the page answers for, as `record` takes it."""
    found, sampled = autopsy(inputs), interval(inputs, samples)
    yield _finding("roi_factor", found.factor, "roi.factor.roi_factor", "exact arithmetic on the parameters" + (
        "; no sample" if sampled.lo is None else "; interval of sampling alone"
    )) | {"claim": "roi_factor"} | _sampled(sampled)  # fmt: skip
    yield _finding("roi_factor_reversed", found.reversed, "roi.factor.autopsy", "old and new swapped")
    yield _finding("roi_factor_geometric", found.geometric, "roi.factor.autopsy", "does not depend on the direction")
    yield _finding(
        "roi_factor_of_failures", found.with_failures, "roi.factor.autopsy", "failures in place of successes"
    )
    yield _finding(
        "roi_factor_rollback_cap",
        found.rollback_term_most,
        "roi.factor.autopsy",
        "the most that the rollback term can contribute",
    )
    for name, of_failures in (("successes", False), ("failures", True)):
        weight = swap_weight(inputs, other, of_failures=of_failures)
        note = f"weight of the fix efforts at which the two options swap, counting {name}"
        yield (
            _finding(f"swap_weight_of_{name}", weight, "roi.factor.swap_weight", note)
            | {"unit": "weight"}
            | ({"note": f"{note}: none, one of them leads at every weight"} if weight is None else {})
        )
    note = f"minutes before over minutes after; the article prints {change.printed_ratio:g}"
    yield _finding("config_change_ratio", change.ratio, "roi.views.factor.ConfigChange", note)
    factor = with_config(inputs, change.minutes_before, change.minutes_after)
    yield _finding(
        "roi_factor_with_config", factor, "roi.factor.with_config", "half of the fix efforts' weight on them"
    )


def _finding(name: str, value: float | None, query: str, note: str) -> dict[str, Any]:
    if value is not None and np.isinf(value):
        value, note = None, f"{note}: infinite, as none fails after the change"
    return {"id": name, "value": value, "unit": "ratio", "query": query, "note": note}


def _sampled(found: Estimate) -> dict[str, Any]:
    return {} if found.lo is None else {"lo": found.lo, "hi": found.hi, "n": found.n}
