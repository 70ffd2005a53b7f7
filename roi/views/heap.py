"""The view of pauses against memory."""

from __future__ import annotations

import pandas as pd

from roi import heap
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import footnote, listed, number

HOW = "`bench run pauses` varies it"
_X_TITLE = "Memory, multiples of the least in which the variant ran"


def pause_chart(run: Run, scenario: str, live_set_mib: int = 0, all_cells: bool = False) -> ChartSpec | None:
    """Draw P99 of the pauses by memory; None where the run has one budget alone."""
    table = _varied(run, scenario, live_set_mib, all_cells)
    rows = table[table["p99_us"].notna()] if len(table) else table
    if rows.empty:
        return None
    change = _change(rows, "p99_us")
    name = change.idxmax()
    return ChartSpec(
        "pause_against_memory", "lines", _with_ends(rows), "multiple", "p99_us", series="variant", lo="p99_lo_us", hi="p99_hi_us",
        beside=("budget_mib", "n"),
        title=f"{name}'s P99 changes most with memory: {number(change[name], 2)} times from its longest to its shortest",
        alt="P99 of the pauses, longest over shortest of any budget: "
        + listed(f"{variant} {number(value, 2)}" for variant, value in change.items()) + ".",
        x_title=_X_TITLE, y_title="P99 of the pauses (µs)", x_log=True, y_log=True,
        subtitle=f"Scenario {scenario}, {_live_set(table)}; bands hold resolution and sampling",
        footnote=footnote(run, Compared(scenario, all_cells)),
    )  # fmt: skip


def cost_chart(run: Run, scenario: str, live_set_mib: int = 0, all_cells: bool = False) -> ChartSpec | None:
    """Draw CPU time a request by memory, over the lowest of the runtime; None where the run has one budget alone."""
    table = _varied(run, scenario, live_set_mib, all_cells)
    rows = table[table["cpu_over_lowest"].notna()] if len(table) else table
    if rows.empty:
        return None
    dearest = rows.loc[rows["cpu_over_lowest"].idxmax()]
    return ChartSpec(
        "cost_against_memory", "lines", rows, "multiple", "cpu_over_lowest", series="variant",
        beside=("budget_mib", "cpu_us", "processes"),
        title=f"At {number(dearest['multiple'], 2)} times its least memory {dearest['variant']} needs"
        f" {number(dearest['cpu_over_lowest'])} times the CPU time that its runtime needs at best",
        alt="CPU time a request over the lowest of the same runtime, at the least and at the most memory: "
        + listed(f"{name} {number(ratios.iloc[0])} and {number(ratios.iloc[-1])}" for name, ratios in _costs(rows)) + ".",
        x_title=_X_TITLE, y_title="CPU time a request, over the lowest seen (ratio)", x_log=True,
        subtitle=f"Scenario {scenario}, {_live_set(table)}; the lowest is that of any collector of the runtime",
        footnote=footnote(run, Compared(scenario, all_cells)),
    )  # fmt: skip


def said(run: Run, scenario: str, live_set_mib: int = 0, all_cells: bool = False) -> str:
    """Say which budgets the run has, and which variants did not run in the smallest."""
    table = heap.against_memory(run, scenario, live_set_mib, all_cells)
    budgets = sorted(set(table["budget_mib"]))
    if len(budgets) < 2:
        held = f"{budgets[0]:,} MiB" if budgets else "none that can be compared"
        return f"The run has one memory budget, {held}: how pauses depend on the room that a collector has is not told here. {HOW}."
    least = table.groupby("variant")["budget_mib"].min()
    wanting = [f"{name} ({budget:,} MiB)" for name, budget in least.items() if budget > budgets[0]]
    short = (
        f" In the smallest did not run, or not well enough to be compared: {listed(wanting)}, each with the least in which it did."
        if wanting
        else ""
    )
    return f"Budgets of {listed(f'{budget:,}' for budget in budgets)} MiB around one {_live_set(table)}.{short}"


def _varied(run: Run, scenario: str, live_set_mib: int, all_cells: bool) -> pd.DataFrame:
    """Give the table of a run that has several budgets, and an empty one of another."""
    table = heap.against_memory(run, scenario, live_set_mib, all_cells)
    return table if table["budget_mib"].nunique() > 1 else table.iloc[:0]


def _with_ends(rows: pd.DataFrame) -> pd.DataFrame:
    """Leave an interval out where one of its ends is missing: half of one cannot be drawn."""
    both = rows[["p99_lo_us", "p99_hi_us"]].notna().all(axis=1)
    return rows.assign(**{end: rows[end].where(both) for end in ("p99_lo_us", "p99_hi_us")})


def _change(rows: pd.DataFrame, column: str) -> pd.Series:
    grouped = rows.groupby("variant")[column]
    return grouped.max() / grouped.min()


def _costs(rows: pd.DataFrame) -> list[tuple[str, pd.Series]]:
    """Give each variant's costs, from the least memory to the most."""
    return [(name, part["cpu_over_lowest"]) for name, part in rows.sort_values("multiple").groupby("variant")]


def _live_set(table: pd.DataFrame) -> str:
    return f"live set of {table['live_set_mib'].iloc[0]:,} MiB"
