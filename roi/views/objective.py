"""The view of capacity at an objective."""

from __future__ import annotations

import pandas as pd

from roi import objective
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import footnote, interval, known, listed, number, percent

_SCENARIO = "capacity"
_SUBTITLE = (
    "Open loop; searched for and repeated in each process. Dots are geometric means over processes, bars 95 % intervals"
)


def said(run: Run, all_cells: bool = False) -> str:
    """Say what was asked, and who never met it."""
    asked = objective.asked(run)
    if asked is None:
        return "The run searched for no capacity at an objective: `bench run standard` does."
    cells = run.query(objective.AT_OBJECTIVE, {"all_cells": all_cells})
    never = cells[cells["rate_per_s"].isna()].groupby("variant", observed=True).size()
    missed = listed(f"{name} ({count})" for name, count in never.items()) if len(never) else ""
    return f"The objective: **{asked}**, from the instant at which each was due." + (
        f" No rate was found and confirmed in some processes of {missed}." if missed else ""
    )


def chart(run: Run, all_cells: bool = False) -> ChartSpec | None:
    """Draw the largest rate at the objective by variant; None without one."""
    table = objective.capacity(run, all_cells).sort_values("value", ascending=False)
    asked = objective.asked(run)
    if table.empty or asked is None:
        return None
    best = table.iloc[0]
    return ChartSpec(
        "at_objective", "dots", table, "variant", "value", lo="lo", hi="hi",
        beside=("n", "searched", "per_core", "per_gib", "ceiling_share"),
        title=f"{best['variant']} keeps {asked} up to {number(best['value'])} requests/s",
        alt="Largest rate at the objective by variant: "
        + listed(f"{r.variant} {number(r.value)}" for r in table.itertuples()) + ".",
        y_title="Requests/s at the objective", y_log=True, horizontal=True, subtitle=_SUBTITLE,
        footnote=footnote(run, Compared(_SCENARIO, all_cells)),
    )  # fmt: skip


def table(run: Run, price_per_vcpu_hour: float, price_per_gib_hour: float, all_cells: bool = False) -> pd.DataFrame:
    """List density at the objective, and what a million requests cost there at the reader's prices."""
    found = objective.capacity(run, all_cells).sort_values("value", ascending=False)
    cost = objective.cost_a_million(found, price_per_vcpu_hour, price_per_gib_hour)
    return pd.DataFrame({
        "variant": found["variant"],
        "requests/s an instance [95 %]": [
            interval(r.value, r.lo, r.hi) if r.n == r.searched else f"{number(r.value)} (found in {r.n} of {r.searched})"
            for r in found.itertuples()
        ],
        "a core": [number(value) for value in found["per_core"]],
        "cores for 1,000/s": [number(1_000 / value) for value in found["per_core"]],
        "a GiB held": [number(value) for value in found["per_gib"]],
        "GiB held": [number(value) for value in found["pss_gib"]],
        "cost of a million": [number(value) for value in cost],
        "of the generator's ceiling": [percent(share) for share in found["ceiling_share"]],
        "processes": found["n"],
    })  # fmt: skip


def findings(run: Run, all_cells: bool = False) -> list[dict[str, object]]:
    """Give the capacities as findings have them."""
    asked = objective.asked(run)
    return [
        {"id": f"at_objective_{row.variant}", "value": row.value, "unit": "requests/s", "lo": known(row.lo),
         "hi": known(row.hi), "n": row.n, "query": objective.AT_OBJECTIVE, "note": f"{asked}"}
        for row in objective.capacity(run, all_cells).itertuples()
    ]  # fmt: skip
