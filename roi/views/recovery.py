"""The view of recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from roi import claims, recovery, what_if
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import excluded, footnote, known, listed, number, percent, span

PARTS = {
    "detection_s": "detected",
    "policy_s": "restart policy",
    "runtime_s": "runtime starts and answers",
    "warm_up_s": "service settles",
}
UNLIKE = "The article names neither fault nor policy; here {fault} under the policy {policy}."
CLAIM_OF_RECOVERY = {"go": "mttr_go", "node": "mttr_node"}
"""The article's claim that each runtime's recovery time answers."""


def curve_chart(run: Run, fault: str, objective_s: float, all_cells: bool = False) -> ChartSpec | None:
    """Draw the share of faults after which service was back, by time; None when no client noticed any."""
    rows = recovery.curves(run, fault, all_cells)
    rows = rows[rows["time_s"] > 0]
    if rows.empty:
        return None
    table = recovery.summary(run, fault, objective_s, all_cells)
    table = table[table["n"] > 0]
    single = table["policy"].nunique() == 1
    rows = rows.assign(who=rows["variant"] if single else rows["variant"] + ", " + rows["policy"])
    back = int(table["n"].sum() - table["censored"].sum())
    last_s = max(own.loc[own["recovered"].idxmax(), "time_s"] for _, own in rows.groupby("who"))
    return ChartSpec(
        f"recovered_{fault}", "ecdf", rows, "time_s", "recovered", series="who", beside=("policy",),
        title=f"After {fault}, service was back in {back} of {int(table['n'].sum())} runs; the last came back after"
        f" {number(last_s, 2)} s" if back else f"After {fault}, service never came back",
        alt="Share of faults after which service was back. Restricted means: "
        + listed(f"{r.variant} under {r.policy} {number(r.restricted_mean_s, 2)} s" for r in table.itertuples()) + ".",
        x_title="Seconds after the fault", y_title="Share with sustained service again", x_log=True,
        subtitle="Kaplan-Meier; runs that never recovered stay in it; "
        f"n = {span(table['n'])} a line",
        footnote=footnote(run, Compared("recovery", all_cells, fault=fault)),
    ).with_reference(objective_s, f"objective: {objective_s:g} s", axis="x")  # fmt: skip


def parts_chart(run: Run, fault: str, objective_s: float, all_cells: bool = False) -> ChartSpec | None:
    """Draw the parts of the recovery of every variant; None when nothing recovered."""
    table = recovery.summary(run, fault, objective_s, all_cells).dropna(subset=list(PARTS))
    if table.empty:
        return None
    policy = listed(sorted(set(table["policy"])))
    rows = table.melt(["variant", "policy", "n"], list(PARTS), "part", "seconds")
    rows["part"] = rows["part"].map(PARTS)
    if table["policy"].nunique() > 1:
        rows["variant"] = rows["variant"] + ", " + rows["policy"]
    whole = table[list(PARTS)].sum(axis=1)
    share = (table["detection_s"] + table["policy_s"]).sum() / whole.sum()
    slowest = table.loc[whole.idxmax()]
    return ChartSpec(
        f"recovery_parts_{fault}", "stacked_bars", rows, "variant", "seconds", series="part", beside=("policy", "n"),
        order=tuple(PARTS.values()), horizontal=True,
        title=f"After {fault}, {slowest['variant']} takes longest: {number(whole.max(), 2)} s;"
        f" detection and policy are {share:.0%} of all",
        alt="Recovery time by variant, in parts: "
        + listed(f"{r.variant} {number(seconds, 2)} s" for r, seconds in zip(table.itertuples(), whole, strict=True)) + ".",
        y_title="Seconds after the fault (medians)",
        subtitle=f"Restart policy: {policy}; n = {int(table['n'].min())} fault"
        f"{'s' if table['n'].min() > 1 else ''} a variant", footnote=footnote(run, Compared("recovery", all_cells, fault=fault)),
    )  # fmt: skip


def what_if_chart(run: Run, fault: str, replayed: pd.DataFrame, all_cells: bool = False) -> ChartSpec | None:
    """Draw how long each variant would have been away under each policy; None for a fault that is not replayed.

    Parameters
    ----------
    replayed
        From `roi.what_if.of_run`.
    """
    rows = replayed.dropna(subset=["p10_s", "p50_s", "p90_s"])
    if rows.empty:
        return None
    by_policy, by_variant = (rows.groupby(name)["p50_s"].median() for name in ("policy", "variant"))
    return ChartSpec(
        f"what_if_{fault}", "dots", rows, "policy", "p50_s", series="variant", lo="p10_s", hi="p90_s", beside=("n", "back"),
        title=f"The choice of a policy moves the recovery by {number(by_policy.max() / by_policy.min(), 2)} times,"
        f" that of a runtime by {number(by_variant.max() / by_variant.min(), 2)} times",
        alt="Replayed recovery times, medians: "
        + listed(f"{r.variant} under {r.policy} {number(r.p50_s, 2)} s" for r in rows.itertuples()) + ".",
        y_title="Seconds after the fault (median; bars from P10 to P90)", y_log=True, horizontal=True,
        subtitle=f"Replayed: measured runtime parts, the policy's own decisions, {what_if.DRAWS} draws of when {fault} comes",
        footnote=footnote(run, Compared("recovery", all_cells, fault=fault)),
    )  # fmt: skip


def what_if_table(rows: pd.DataFrame) -> pd.DataFrame:
    """List replayed recoveries (`roi.what_if.of_run`); a policy under which a fault is never found says so."""
    return pd.DataFrame({
        "policy": rows["policy"],
        "variant": rows["variant"],
        "detected after (s)": [_seconds(value) for value in rows["detection_s"]],
        "back after (s) [P10 to P90]": [
            "not within an hour" if pd.isna(r.p50_s) else f"{number(r.p50_s, 2)} [{_seconds(r.p10_s)} to {_seconds(r.p90_s)}]"
            for r in rows.itertuples()
        ],
        "back within an hour": [percent(value) for value in rows["back"]],
        "measured parts": rows["n"],
    })  # fmt: skip


def _seconds(value: float) -> str:
    return "–" if pd.isna(value) else number(value, 2)


def table(run: Run, fault: str, objective_s: float, all_cells: bool = False) -> pd.DataFrame:
    """List recoveries by policy and variant, with what was censored or masked and why."""
    return pd.DataFrame(
        [_row(row, objective_s) for row in recovery.summary(run, fault, objective_s, all_cells).to_dict("records")]
    )


def _row(row: dict[str, Any], objective_s: float) -> dict[str, object]:
    head = {"policy": row["policy"], "variant": row["variant"], "faults": row["faults"], "masked": row["masked"]}
    if not row["n"]:
        return head | {"never recovered": "no client noticed"}
    return head | {
        "never recovered": f"{row['censored']}: {row['reasons']}" if row["censored"] else "none",
        "median (s) [95 %]": _interval(row["median_s"], row["median_lo_s"], row["median_hi_s"]),
        f"MTTR: mean up to {row['horizon_s']:g} s [95 %]": _interval(
            row["restricted_mean_s"], row["restricted_lo_s"], row["restricted_hi_s"]
        ),
        f"back within {objective_s:g} s [95 %]": f"{percent(row['within'])} [{percent(row['within_lo'])} to"
        f" {percent(row['within_hi'])}]",
        "lost, as seconds of outage": number(row["outage_s"], 2),
    }


FAULT_WORDS = {
    "none": "none (control)",
    "sigkill": "killed",
    "sigstop": "stopped for good",
    "sigstop_sigcont": "stopped for a while",
    "blocked_workers": "every worker blocked",
    "exit_under_load": "exits by itself",
    "crash_loop": "killed, and starts fail",
    "out_of_memory": "leaks to the limit",
    "descriptors_exhausted": "no descriptors left",
    "cpu_starved": "starved of CPU",
    "upstream_slow": "upstream slow",
    "upstream_hung": "upstream hangs",
    "upstream_reset": "upstream resets",
    "upstream_5xx": "upstream answers 5xx",
    "upstream_black_hole": "upstream out of reach",
}
"""What each fault does to a gateway, or to what is behind it, in the order in which a page lists them."""


def fault_chart(run: Run, by_fault: pd.DataFrame, all_cells: bool = False) -> ChartSpec | None:
    """Draw what each fault cost, as seconds of outage; None for a run with fewer than two.

    Parameters
    ----------
    by_fault
        From `roi.recovery.by_fault`.
    """
    table = _in_words(by_fault)
    faults = list(dict.fromkeys(table["what"]))
    if len(faults) < 2:
        return None
    rows = table[["what", "who", "outage_s", "faults"]].rename(columns={"faults": "n"})
    middle = rows.groupby("what")["outage_s"].median()
    apart = rows.groupby("what")["outage_s"].agg(lambda own: own.max() - own.min())
    widest = rows[rows["what"] == apart.idxmax()]
    least, most = (widest.loc[place] for place in (widest["outage_s"].idxmin(), widest["outage_s"].idxmax()))
    return ChartSpec(
        "outage_by_fault", "dots", rows, "what", "outage_s", series="who", beside=("n",), horizontal=True,
        title=f"Runtimes differ most with “{widest['what'].iloc[0]}”: {least['who']} loses"
        f" {number(least['outage_s'], 2)} s of service, {most['who']} {number(most['outage_s'], 2)} s",
        alt="Seconds of outage by fault, median over variants: "
        + listed(f"{what} {number(seconds, 2)} s" for what, seconds in middle.items()) + ".",
        y_title="What the prober asked for and did not get, as seconds of outage (median of the runs)",
        subtitle=f"n = {span(rows['n'])} runs a dot; failed and slow probes, without a threshold"
        " for when service is back", footnote=footnote(run, Compared("recovery", all_cells)),
    )  # fmt: skip


def fault_table(by_fault: pd.DataFrame) -> pd.DataFrame:
    """List when service was back (from `roi.recovery.by_fault`): a row a fault (and policy), a column a variant."""
    return _wide(by_fault, _back)


def loss_table(by_fault: pd.DataFrame) -> pd.DataFrame:
    """List what was lost, in the same way."""
    return _wide(by_fault, _lost)


def _wide(table: pd.DataFrame, written: Callable[[Any], str]) -> pd.DataFrame:
    table = _in_words(table)
    if table.empty:
        return pd.DataFrame()
    rows = table.assign(said=[written(row) for row in table.itertuples()])
    keys = ["what", "policy"]
    wide = rows.pivot(index=keys, columns="variant", values="said")
    told = rows.groupby(keys).agg({"faults": "min", "lasts": "first"})
    order = list(dict.fromkeys(zip(rows["what"], rows["policy"], strict=True)))
    wide = told.join(wide).loc[order].reset_index().rename_axis(columns=None)
    words = {"what": "fault", "faults": "runs", "lasts": "lasts (s)"}
    return (wide if rows["policy"].nunique() > 1 else wide.drop(columns="policy")).rename(columns=words)


def _in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Add what a fault is in words, who was struck, and how long it lasts; in the order of `FAULT_WORDS`."""
    several = table["policy"].nunique() > 1
    place = {name: number for number, name in enumerate(FAULT_WORDS)}
    lasts = table["fault_s"] if "fault_s" in table else pd.Series(dtype=float)
    return table.assign(
        what=[FAULT_WORDS.get(name, name) for name in table["fault"]],
        who=table["variant"] + (", " + table["policy"] if several else ""),
        lasts=[_lasts(name, value) for name, value in zip(table["fault"], lasts, strict=True)],
        place=[place.get(name, len(place)) for name in table["fault"]],
    ).sort_values(["place", "policy", "variant"], kind="stable")  # fmt: skip


def _lasts(fault: str, seconds: float) -> str:
    if fault == "none":
        return "–"
    return "to the restart" if pd.isna(seconds) else number(seconds, 2)


def _back(row: Any) -> str:
    if not row.n:
        return "not noticed"
    often = f", {row.masked} of {row.faults} not noticed" if row.masked else ""
    never = f", {row.censored} of {row.n} never" if row.censored else ""
    if pd.isna(row.median_s):
        return f"not back within {row.horizon_s:g} s ({row.censored} of {row.n}){often}"
    return f"{number(row.median_s, 2)} s{never}{often}"


def _lost(row: Any) -> str:
    load = "" if pd.isna(row.load_lost) else f", load {number(row.load_outage_s, 2)} s"
    flapped = f"; flapped in {row.flapped} of {row.faults}" if row.flapped else ""
    return f"{number(row.outage_s, 2)} s{load}{flapped}"


def _interval(value: float | None, lo: float | None, hi: float | None) -> str:
    """Write a time with no more digits than its interval carries."""
    if value is None or pd.isna(value):
        return "not reached"
    if pd.isna(lo) and pd.isna(hi):
        return f"{number(value, 2)} (no interval)"
    ends = ["–" if end is None or pd.isna(end) else number(end, 2) for end in (lo, hi)]
    return f"{number(value, 2)} [{ends[0]} to {ends[1]}]"


def log_rank_table(run: Run, fault: str, all_cells: bool = False) -> pd.DataFrame:
    """List which variants recover differently under the same policy."""
    rows = recovery.log_ranks(run, fault, all_cells)
    return pd.DataFrame({
        "policy": rows["policy"], "between": rows["first"] + " and " + rows["second"],
        "p-value (log-rank)": [
            "not to be told: one run of one of them" if min(r.n_first, r.n_second) < 2
            else "–" if pd.isna(r.p_value) else "< 0.001" if r.p_value < 0.001 else number(r.p_value, 2)
            for r in rows.itertuples()
        ],
        "runs": [f"{r.n_first} and {r.n_second}" for r in rows.itertuples()],
    })  # fmt: skip


def verdict(run: Run, fault: str, objective_s: float, all_cells: bool = False) -> str:
    """Say what the article's recovery times can mean, beside what this run saw."""
    table = recovery.summary(run, fault, objective_s, all_cells)
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
    never, masked = int(table["censored"].sum()), int(table["masked"].sum())
    lost = f" {_faults(never)} never recovered within the horizon." if never else ""
    unseen = f" {_faults(masked)} went unnoticed by every client." if masked else ""
    spread = table["runtime_s"].dropna()
    if spread.empty:
        return f"{said}No new process answered after {fault}.{lost}{unseen}"
    return said + (
        f"Under the same policy, what the *runtime* adds after {fault} is **{number(spread.min(), 2)} to"
        f" {number(spread.max(), 2)} s** here, from {table.loc[spread.idxmin(), 'variant']} to"
        f" {table.loc[spread.idxmax(), 'variant']}.{lost}{unseen}"
    )


def _faults(count: int) -> str:
    return f"{count} fault{'s' if count > 1 else ''}"


def findings(run: Run, fault: str, objective_s: float, all_cells: bool = False) -> Iterator[dict[str, Any]]:
    """Give what the page answers for, as `record` takes it."""
    for row in recovery.summary(run, fault, objective_s, all_cells).to_dict("records"):
        name = f"{fault}_{row['policy']}_{row['variant']}"
        told = {"n": row["n"], "query": recovery.RECOVERIES, "unit": "s"}
        if not row["n"]:
            note = "masked: no client noticed"
        elif pd.isna(row["median_s"]):
            note = "half of the runs or more never recovered within the horizon"
        else:
            note = "median; the runtime's part is recorded beside it"
        yield told | {
            "id": f"recovery_{name}", "value": known(row.get("median_s")), "lo": known(row.get("median_lo_s")),
            "hi": known(row.get("median_hi_s")), "claim": CLAIM_OF_RECOVERY.get(row["runtime"]), "note": note,
            "unlike": UNLIKE.format(fault=fault, policy=row["policy"]),
        }  # fmt: skip
        yield told | {
            "id": f"restricted_mean_{name}", "value": known(row.get("restricted_mean_s")), "lo": known(row.get("restricted_lo_s")),
            "hi": known(row.get("restricted_hi_s")), "note": f"nobody counted longer than {row['horizon_s']:g} s"
            if row["n"] else note,
        }  # fmt: skip
        runtime_s = known(row.get("runtime_s"))
        yield told | {
            "id": f"runtime_part_{name}", "value": runtime_s,
            "note": "no new process answered" if runtime_s is None else "from the new process to its first answer",
        }  # fmt: skip
