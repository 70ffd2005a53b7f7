"""The view of the ledger of stalls, and of the verdicts on the article's figures about pauses."""

from __future__ import annotations

import pandas as pd

from roi import ledger, verdicts
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import footnote, listed, number

WORDS = {
    "injected": "injected fault", "stw_gc": "collector stopped the world", "ttsp": "on the way to a stop",
    "stw_other": "another stop of the world", "alloc_stall": "waiting for memory", "mark_assist": "mark assist, at most",
    "incremental": "incremental marking", "dealloc": "freeing memory", "scheduling": "another had the processor",
    "generator": "the load generator itself", "unexplained": "unexplained",
}  # fmt: skip

_METERS = {None: "not proven", True: "yes", False: "no"}
"""Whether a variant's meters may cost over 1 % of CPU or 2 % of p50 or p99, by the overhead proof."""


def chart(run: Run, scenario: str, all_cells: bool = False) -> ChartSpec | None:
    """Draw what each variant's stalls are put down to; None without any stall."""
    table = ledger.of_stalls(run, scenario, all_cells)
    if table.empty:
        return None
    rows = table.melt(["variant", "stalls"], [f"{cause}_ms" for cause in ledger.CAUSES], "cause", "filled_ms")
    rows["cause"] = rows["cause"].str.removesuffix("_ms").map(WORDS)
    rows = rows[rows["filled_ms"] > 0]
    explained = 1 - table["unexplained_ms"].sum() / table["stalled_ms"].sum()
    return ChartSpec(
        "stall_ledger", "dots", rows, "variant", "filled_ms", series="cause", beside=("stalls",),
        title=f"{explained:.0%} of the time in which clients waited for 2 ms or longer has a known cause",
        alt="Stalled time by variant: "
        + listed(f"{r.variant} {number(r.stalled_ms)} ms in {r.stalls:,} stalls" for r in table.itertuples()) + ".",
        y_title="Time in stalls (ms)", y_log=True, horizontal=True,
        subtitle=f"Stalls: requests were pending and no answer came for 2 ms or longer; scenario {scenario}",
        footnote=footnote(run, Compared(scenario, all_cells)),
    )  # fmt: skip


def said(run: Run, scenario: str, all_cells: bool = False) -> str:
    """Say what the ledger holds, and from where on the hiccup meters claim anything."""
    table, floors = ledger.of_stalls(run, scenario, all_cells), ledger.floors(run, scenario, all_cells)
    if floors.empty:
        return (
            f"Nothing is put down to a cause here: no cell under {scenario} that can be compared has hiccup meters and a ledger."
            " Runs of this version have them: `bench run quick`."
        )
    floor = (
        f"Hiccup meters claim nothing below their floor, {number(floors['floor_ms'].max())} ms at worst in this run."
    )
    if table.empty:
        return f"Clients never waited for 2 ms or longer without an answer. {floor}"
    worst = table.loc[table["stalled_ms"].idxmax()]
    return (
        f"**{worst['variant']}** kept clients waiting most: {number(worst['stalled_ms'])} ms in {worst['stalls']:,} stalls,"
        f" of which {number(worst['unexplained_ms'])} ms stay unexplained. {floor}"
    )


def floor_table(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """List what the hiccup meters saw, beside the floor below which they claim nothing."""
    rows = ledger.floors(run, scenario, all_cells)
    return pd.DataFrame({
        "variant": rows["variant"],
        "floor (ms)": [number(value) for value in rows["floor_ms"]],
        "gateway's P99 (ms)": [number(r.p99_ms) if r.p99_ms > r.floor_ms else "at or below the floor" for r in rows.itertuples()],
        "its longest (ms)": [number(value) for value in rows["hiccup_ms"]],
        "control's longest (ms)": [number(value) for value in rows["control_ms"]],
        "wakes": rows["wakes"],
        "written (MiB a minute)": [number(value) for value in rows["written_mib_per_min"]],
        "meters perturb": [_METERS[None if pd.isna(value) else bool(value)] for value in rows["perturbed"]],
    })  # fmt: skip


def verdict_table(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """List the article's eight figures about pauses with their verdicts."""
    found = verdicts.of_run(run, scenario, all_cells)
    return pd.DataFrame(
        {
            "the article says": [verdict.claim.says for verdict in found],
            "stated": [f"{verdict.claim.value:g} {verdict.claim.unit.replace('us', 'µs')}" for verdict in found],
            "verdict": [verdict.outcome for verdict in found],
            "because": [verdict.reason for verdict in found],
        }
    )
