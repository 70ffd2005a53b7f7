"""What each study has to say to claims: the very figures that its page records, asked for once.

A study answers for the article's figures by naming them (`claim=`) in what its page records, and for a claim of somebody
else's by the id of a figure. A new study is one function here, and one line in `STUDIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from roi import latency, noise, pauses, slo, tails, verdicts
from roi.claim_verdicts import Answers
from roi.data import Run
from roi.factor import FactorInputs
from roi.factor_interval import Samples
from roi.report import catalog, parameters
from roi.surge import Peak, Prices
from roi.views import density, factor, objective, pause_findings, recovery, rolling, surge, surge_check
from roi.views import latency as latency_view
from roi.views import slo as slo_view
from roi.views import tails as tails_view


@dataclass(frozen=True)
class Question:
    """What the studies are asked about."""

    run: Run
    scenario: str
    """Traffic under which pauses were seen."""
    all_cells: bool
    """Cells that the gate did not pass are in it."""

    @property
    def condition(self) -> Run:
        """The run under the condition that pages take when none is named."""
        return self.run.under()


def asked(run: Run, scenario: str, all_cells: bool = False) -> Callable[[str], Answers | None]:
    """Give what answers for a study by its name, once each; None for one that claims cannot be held against."""
    question = Question(run, scenario, all_cells)

    @cache
    def answers(study: str) -> Answers | None:
        return STUDIES[study](question) if study in STUDIES else None

    return answers


def _defaults(page: str) -> dict[str, Any]:
    """Give the values that a page's parameters have when nobody sets them."""
    return parameters.defaults(catalog.NOTEBOOKS / f"{page}.ipynb")


def _of_pauses(question: Question) -> Answers:
    run = question.run.at_rate(question.scenario).under()
    # The verdicts know which variant's figure answers which claim, the article's own release of Node before a newer one.
    recorded = [said | {"claim": None} for said in pause_findings.of_run(run, question.scenario, question.all_cells)]
    behind = _behind_verdicts(run, question, {str(said["id"]): said for said in recorded})
    judged = {
        found.claim.id: (found.outcome, found.reason)
        for found in verdicts.of_run(run, question.scenario, question.all_cells)
    }
    where = f"traffic {run.rung or question.scenario}, {run.condition}"
    return Answers([*recorded, *behind], where, run.name, judged)


def _behind_verdicts(
    run: Run, question: Question, recorded: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Give the figures that the verdicts on pauses rest on, each with its claim."""
    zgc = recorded.get(f"pause_p99_{verdicts.ZGC17}")
    node = next((said for name in verdicts.NODES if (said := recorded.get(f"pause_p99_{name}"))), None)
    p99s = {"pause_target": zgc, "zgc17_pause_p99": zgc, "node20_pause_low": node, "node20_pause_high": node}
    for claim, said in p99s.items():
        if said is not None and said["value"] is not None:
            yield {**said, "claim": claim}
    rows = run.query(pauses.OF_RECORD, {"scenario": question.scenario, "all_cells": question.all_cells})
    lengths = verdicts.lengths_us(rows)
    mean = verdicts.mean_pause(lengths)
    if mean is None:
        return
    common = {"unit": "us", "n": mean.n, "query": pauses.OF_RECORD}
    yield common | {"id": f"pause_mean_{verdicts.ZGC17}", "value": mean.value, "lo": mean.lo, "hi": mean.hi,
                    "claim": "zgc17_pause_mean"}  # fmt: skip
    yield common | {"id": f"pause_longest_{verdicts.ZGC17}", "value": lengths.max(), "lo": lengths.max(),
                    "claim": "zgc17_pause_spike", "note": "the longest seen: longer ones are not excluded"}  # fmt: skip


def _of_density(question: Question) -> Answers:
    run, all_cells = question.condition, question.all_cells
    recorded = [*density.findings(run, all_cells), *objective.findings(run, all_cells)]
    floors = {floor.figure.query: floor.share for floor in noise.floors(run, all_cells)}
    cores = run.query("select max(workers) as cores from cells where scenario = 'saturate'")["cores"].iloc[0]
    on = "" if pd.isna(cores) else "1 core, " if cores == 1 else f"{cores:.0f} cores, "
    return Answers(recorded, f"{on}saturated unless a rate is named, {run.condition}", run.name, floors=floors)


def _of_tails(question: Question) -> Answers:
    scenario = _defaults("12_latency_tails")["scenario"]
    run = question.condition
    recorded = [
        *latency_view.findings(latency.study(run, scenario, question.all_cells)),
        *tails_view.findings(tails.study(run, scenario, question.all_cells)),
    ]
    return Answers(recorded, f"traffic {scenario}, open loop, {run.condition}", run.name)


def _of_surges(question: Question) -> Answers:
    told = _defaults("13_surge_capacity")
    peak = Peak(told["everyday_per_s"], told["peak_factor"], told["utilisation"], told["rise_s"])
    objective_at_peak = slo.ServiceLevelObjective(told["objective_ms"], told["target_percent"] / 100)
    prices = Prices(told["price_per_vcpu_hour"], told["price_per_gib_hour"], told["peak_hours_a_month"])
    run = question.condition
    planned = surge.plan(run, peak, objective_at_peak, prices, question.all_cells)
    recorded = [*surge.findings(planned), *surge_check.findings(surge_check.check(run, question.all_cells))]
    return Answers(recorded, f"planned at {peak.utilisation:.0%} busy, {run.condition}", run.name)


def _of_objectives(question: Question) -> Answers:
    told = _defaults("14_slo_attainment")
    promised = slo.ServiceLevelObjective(told["objective_ms"], told["target_percent"] / 100, told["window_days"])
    run = question.condition
    recorded = list(slo_view.findings(slo.study(run, promised, question.all_cells)))
    return Answers(recorded, f"open loop, {run.condition}", run.name)


def _of_recovery(question: Question) -> Answers:
    told = _defaults("20_recovery")
    recorded = list(recovery.findings(question.run, told["fault"], told["objective_s"], question.all_cells))
    return Answers(recorded, f"fault {told['fault']}, automated restart", question.run.name)


def _of_rolling_restarts(question: Question) -> Answers:
    slo_ms = _defaults("22_rolling_restart")["slo_ms"]
    recorded = list(rolling.findings(question.run, slo_ms, question.all_cells))
    return Answers(recorded, f"rolling restart, late after {slo_ms:g} ms", question.run.name)


def _of_the_factor(question: Question) -> Answers:
    told = _defaults("30_roi_factor")
    common = (told["fix_hours_before"], told["rollback_rate_before"], told["weight_efficiency"])
    one, other = (
        FactorInputs(
            common[0], told[f"{which}fix_hours_after"], common[1], told[f"{which}rollback_rate_after"], common[2]
        )
        for which in ("", "other_")
    )
    change = factor.ConfigChange(
        told["config_minutes_before"], told["config_minutes_after"], told["config_ratio_printed"]
    )
    return Answers(list(factor.findings(one, other, Samples(), change)), "arithmetic on the article's own inputs")


STUDIES: dict[str, Callable[[Question], Answers]] = {
    "10_gc_pauses": _of_pauses,
    "11_qps_density": _of_density,
    "12_latency_tails": _of_tails,
    "13_surge_capacity": _of_surges,
    "14_slo_attainment": _of_objectives,
    "20_recovery": _of_recovery,
    "22_rolling_restart": _of_rolling_restarts,
    "30_roi_factor": _of_the_factor,
}
"""By page, what it answers with. A page that is not here records nothing that a claim is held against."""
