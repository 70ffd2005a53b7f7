"""All options beside each other over the same draws: what each is worth, how surely, and which to choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi.business_case import Flows, Horizon, flows, npv, payback, present_costs, roi
from roi.charts.theme import runtime
from roi.errors import UnknownName
from roi.inputs import Inputs, Option, values_of
from roi.running import Values
from roi.statistics import sobol_points

NOTHING = "nothing"
SOON_YEARS = 2.0
"""A payback within 24 months is soon."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one option came to, draw by draw."""

    option: Option
    cash: Flows
    npv: np.ndarray
    """Net present value against doing nothing, currency, shape (draws,)."""
    roi: np.ndarray
    """Net present value over present costs, shape (draws,); NaN where nothing is spent."""
    payback_years: np.ndarray
    """Shape (draws,); infinite where it never pays back within the horizon."""


@dataclass(frozen=True, eq=False)
class Decision:
    """The options, judged over the same draws."""

    inputs: Inputs
    horizon: Horizon
    seed: int
    values: Values
    """What was drawn, by key."""
    outcomes: tuple[Outcome, ...]
    """In the order of the inputs; doing nothing is zero and not among them."""

    @property
    def draws(self) -> int:
        """How many."""
        return len(self.outcomes[0].npv)

    @property
    def best(self) -> str:
        """The option with the largest expected net present value; `nothing` where none is above zero."""
        lead = self.leader
        return lead.option.name if lead.npv.mean() > 0 else NOTHING

    @property
    def leader(self) -> Outcome:
        """The option that leads, see `leading`."""
        return self.outcomes[leading(self.payoffs)]

    @property
    def improvement(self) -> Outcome | None:
        """The option that improves what is there: of the runtime that the service has today; None where there is none."""
        today = runtime(self.inputs.variant)
        return next((found for found in self.outcomes if today and runtime(found.option.name) == today), None)

    @property
    def payoffs(self) -> np.ndarray:
        """Net present values, shape (draws, options + 1); the last column is doing nothing."""
        return np.column_stack([*(outcome.npv for outcome in self.outcomes), np.zeros(self.draws)])

    def of(self, name: str) -> Outcome:
        """Give the outcome of an option; `UnknownName` shows those that there are."""
        for outcome in self.outcomes:
            if outcome.option.name == name:
                return outcome
        raise UnknownName("option", name, [outcome.option.name for outcome in self.outcomes])

    def title(self, name: str) -> str:
        """Give an option's title as text has it."""
        return "doing nothing" if name == NOTHING else self.of(name).option.title


def decide(inputs: Inputs, horizon: Horizon, draws: int, seed: int) -> Decision:
    """Judge the options over scrambled Sobol draws of the inputs.

    Parameters
    ----------
    draws
        Rounded up to a power of two.
    """
    draws = sobol_points.powers_of_two(draws)
    values = inputs.draw(sobol_points.points(draws, len(inputs.uncertain), seed))
    outcomes = tuple(_outcome(values, option, horizon, draws) for option in inputs.options)
    return Decision(inputs, horizon, seed, values, outcomes)


def leading(payoffs: np.ndarray) -> int:
    """Give the place of the option that leads: the largest expected payoff or, where all lose, the one that most often is best.

    Parameters
    ----------
    payoffs
        Shape (draws, options + 1); the last column is doing nothing.
    """
    means = payoffs[:, :-1].mean(axis=0)
    often = np.bincount(payoffs.argmax(axis=1), minlength=payoffs.shape[1])[:-1]
    return int(means.argmax()) if means.max() > 0 else int(np.lexsort((means, often))[-1])


def worth(values: Values, option: str, horizon: Horizon) -> np.ndarray:
    """Give the net present value of an option in currency, shape (draws,), or (1,) where nothing is drawn."""
    return npv(cash_of(values, option, horizon))


def cash_of(values: Values, option: str, horizon: Horizon) -> Flows:
    """Give the cash flows of an option."""
    baseline = {key: value for key, value in values.items() if "." not in key}
    return flows(baseline, values_of(values, option), horizon)


def reaches(key: str, option: str) -> bool:
    """Tell whether an input is the service's or this option's, and not another's."""
    return "." not in key or key.startswith(f"{option}.")


def summary(decision: Decision) -> pd.DataFrame:
    """Give what each option comes to, best first, doing nothing among them.

    Columns: option, title, mean, p10, p50, p90 (net present value, currency), positive (P(NPV > 0)), best (P(no other pays more,
    doing nothing among them)), costs (mean present costs, currency), roi (median), payback_years (median; infinite is never), soon
    (P(payback within 24 months)).
    """
    best = decision.payoffs.argmax(axis=1)
    rows = [
        {
            "option": found.option.name,
            "title": found.option.title,
            "mean": found.npv.mean(),
            **dict(zip(("p10", "p50", "p90"), np.quantile(found.npv, (0.1, 0.5, 0.9)), strict=True)),
            "positive": np.mean(found.npv > 0),
            "best": np.mean(best == place),
            "costs": present_costs(found.cash).mean(),
            "roi": np.nanmedian(found.roi) if np.isfinite(found.roi).any() else np.nan,
            "payback_years": np.quantile(found.payback_years, 0.5, method="inverted_cdf"),
            "soon": np.mean(found.payback_years < SOON_YEARS),
        }
        for place, found in enumerate(decision.outcomes)
    ]
    zero = dict.fromkeys(("mean", "p10", "p50", "p90", "costs"), 0.0)
    none = {"option": NOTHING, "title": "Do nothing", **zero, "best": np.mean(best == len(decision.outcomes))}
    return pd.DataFrame([*rows, none]).sort_values("mean", ascending=False, kind="stable", ignore_index=True)


def against(decision: Decision, name: str) -> pd.DataFrame:
    """Give how an option stands to each other one, draw by draw, doing nothing among them.

    Columns: other, mean, p10, p50, p90 (how much more the option is worth, currency), loses (probability that it is worth less).
    """
    own = decision.of(name).npv
    others = {found.option.name: found.npv for found in decision.outcomes if found.option.name != name}
    rows = []
    for other, value in ({NOTHING: np.zeros(decision.draws)} | others).items():
        p10, p50, p90 = np.quantile(own - value, (0.1, 0.5, 0.9))
        more = (own - value).mean()
        rows.append({"other": other, "mean": more, "p10": p10, "p50": p50, "p90": p90, "loses": np.mean(own < value)})
    return pd.DataFrame(rows)


def _outcome(values: Values, option: Option, horizon: Horizon, draws: int) -> Outcome:
    cash = cash_of(values, option.name, horizon)
    figures = (np.broadcast_to(figure(cash), draws) for figure in (npv, roi, payback))
    return Outcome(option, cash, *figures)
