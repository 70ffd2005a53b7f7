"""The view of recovery."""

from __future__ import annotations

import pandas as pd

from roi import claims, recovery
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import excluded, footnote, listed, number

PARTS = {
    "detection_s": "detected",
    "policy_s": "restart policy",
    "runtime_s": "runtime starts and answers",
    "warm_up_s": "service settles",
}
UNLIKE = "The article names neither fault nor policy; here {fault} under the policy {policy}."
CLAIM_OF_RECOVERY = {"go": "mttr_go", "node": "mttr_node"}
"""The article's claim that each runtime's recovery time answers."""


def parts_chart(run: Run, fault: str, all_cells: bool = False) -> ChartSpec | None:
    """Draw the parts of the recovery of every variant; None when nothing recovered."""
    table = recovery.parts(run, fault, all_cells).dropna(subset=list(PARTS))
    if table.empty:
        return None
    policy = listed(sorted(set(table["policy"])))
    rows = table.melt(["variant", "policy", "n"], list(PARTS), "part", "seconds")
    rows["part"] = rows["part"].map(PARTS)
    slowest = table.loc[table["recovery_s"].idxmax()]
    share = (table["detection_s"] + table["policy_s"]).sum() / table["recovery_s"].sum()
    return ChartSpec(
        f"recovery_parts_{fault}", "stacked_bars", rows, "variant", "seconds", series="part", beside=("n",),
        order=tuple(PARTS.values()), horizontal=True,
        title=f"After {fault}, {slowest['variant']} takes longest: {number(slowest['recovery_s'], 2)} s;"
        f" detection and policy are {share:.0%} of all",
        alt="Recovery time by variant, in parts: "
        + listed(f"{r.variant} {number(r.recovery_s, 2)} s" for r in table.itertuples()) + ".",
        y_title="Seconds after the fault (medians)",
        subtitle=f"Restart policy: {policy}; n = {int(table['n'].min())} fault"
        f"{'s' if table['n'].min() > 1 else ''} a variant", footnote=footnote(run, Compared("recovery", all_cells, fault=fault)),
    )  # fmt: skip


def parts_table(run: Run, fault: str, all_cells: bool = False) -> pd.DataFrame:
    """List recovery times and their parts in seconds, with what was censored or masked."""
    table = recovery.parts(run, fault, all_cells)
    columns = {name: f"{said} (s)" for name, said in PARTS.items()}
    shown = table.drop(columns="runtime").rename(
        columns=columns | {"recovery_s": "recovery (s)", "shortest_s": "shortest (s)", "longest_s": "longest (s)",
                           "censored": "never recovered", "probes_lost": "probes lost"}
    )  # fmt: skip
    return shown.round(3)


def verdict(run: Run, fault: str, all_cells: bool = False) -> str:
    """Say what the article's recovery times can mean, beside what this run saw."""
    table = recovery.parts(run, fault, all_cells)
    article = claims.claim("mttr_go"), claims.claim("mttr_node")
    said = (
        f"The article gives {article[0].value:g} s for Go and {article[1].value:g} s for Node as if they belonged to the"
        " language. Kubernetes' documented constants alone give such figures: a hang is detected after 20 to 31 s and"
        " killed after another 30 s of grace, and the fifth restart of a crash loop waits until 150 s have passed. "
    )
    if table.empty:
        return (
            said
            + f"The run holds no recovery from {fault} to show. {excluded(run, Compared('recovery', all_cells, fault=fault))}"
        )
    never = int(table["censored"].sum())
    spread = table["runtime_s"].dropna()
    lost = f" {never} fault{'s' if never > 1 else ''} never recovered within the horizon." if never else ""
    return said + (
        f"Under the same policy, what the *runtime* adds after {fault} is **{number(spread.min(), 2)} to"
        f" {number(spread.max(), 2)} s** here, from {table.loc[spread.idxmin(), 'variant']} to"
        f" {table.loc[spread.idxmax(), 'variant']}.{lost}"
    )
