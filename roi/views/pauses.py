"""The view of pauses."""

from __future__ import annotations

import pandas as pd

from roi import claims, pauses
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.statistics.quantiles import observations_needed
from roi.views.words import excluded, footnote, interval, listed, number

ZGC17 = "java17-zgc"
CLAIM_OF_P99 = {ZGC17: "zgc17_pause_p99", "node": "node20_pause_high"}
"""The article's claim that each variant's P99 answers."""


def ecdf_chart(run: Run, scenario: str, all_cells: bool = False) -> ChartSpec | None:
    """Draw the share of pauses by length, one line a variant, beside the article's target; None without any pause."""
    rows = pauses.ecdf(run, scenario, all_cells)
    rows = rows[rows["pause_us"] > 0]
    if rows.empty:
        return None
    table = pauses.distribution(run, scenario, all_cells)
    table = table[table["n"] > 0].sort_values("p50_us")
    shortest, longest = table.iloc[0], table.loc[table["longest_us"].idxmax()]
    target = claims.claim("pause_target")
    return ChartSpec(
        "pause_ecdf", "ecdf", rows, "pause_us", "share", series="variant",
        title=f"Half of {shortest['variant']}'s pauses end within {number(shortest['p50_us'])} µs;"
        f" the longest of all is {longest['variant']}'s, {number(longest['longest_us'] / 1e3)} ms",
        alt="Cumulated share of pauses by length. Medians: "
        + listed(f"{r.variant} {number(r.p50_us)} µs" for r in table.itertuples()) + ".",
        x_title="Pause (µs), upper bound", y_title="Share of pauses that are at most this long", x_log=True,
        subtitle=f"Stop of the application, scenario {scenario}; "
        + ", ".join(f"{r.variant} n = {r.n:,}" for r in table.itertuples()),
        footnote=footnote(run, Compared(scenario, all_cells)),
    ).with_reference(target.value, f"the article's target: {target.value:g} µs", axis="x")  # fmt: skip


def phase_chart(run: Run, scenario: str, all_cells: bool = False) -> ChartSpec | None:
    """Draw for Java what the collector's log line says beside what the application lost; None without Java."""
    table = pauses.phase_against_safepoint(run, scenario, all_cells)
    if table.empty:
        return None
    rows = table.melt(["variant", "n"], ["phase_us", "safepoint_us"], "figure", "median_us")
    rows["figure"] = rows["figure"].map({"phase_us": "collector's log line", "safepoint_us": "application stopped"})
    widest = table.loc[table["ratio"].idxmax()]
    return ChartSpec(
        "phase_against_safepoint", "dots", rows, "variant", "median_us", series="figure", beside=("n",),
        title=f"{widest['variant']} stops the application {number(widest['ratio'])} times as long as its log line says",
        alt="Median pause by variant, by the collector's line and by the safepoint: "
        + listed(f"{r.variant} {number(r.phase_us)} and {number(r.safepoint_us)} µs" for r in table.itertuples()) + ".",
        y_title="Median pause (µs)", y_log=True, horizontal=True,
        subtitle="The same stops, told twice: the collector's phase is a part of the safepoint",
        footnote=footnote(run, Compared(scenario, all_cells)),
    )  # fmt: skip


def table(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """List the pauses of every variant with the bounds of P99."""
    rows = pauses.distribution(run, scenario, all_cells)
    return pd.DataFrame([_row(row) for row in rows.to_dict("records")])


def _row(row: dict[str, object]) -> dict[str, object]:
    head = {"variant": row["variant"], "collector": row["collector"], "pauses": f"{row['n']:,}"}
    if not row["applicable"]:
        return head | {"pauses": "not applicable"}
    if not row["n"]:
        return head | {"pauses": "none seen"}
    ends = [number(row[end]) if pd.notna(row[end]) else "–" for end in ("p99_lo_us", "p99_hi_us")]
    return head | {
        "per minute": number(row["per_minute"]),
        "mean (µs)": number(row["mean_us"]),
        "P50 (µs)": number(row["p50_us"]),
        "P99 (µs) [95 %]": f"{number(row['p99_us'])} [{' to '.join(ends)}]",
        "longest (µs)": number(row["longest_us"]),
        "share of time": f"{row['share_of_time']:.2%}",
        "resolution (µs)": number(row["resolution_us"]),
    }


def against_table(run: Run, scenario: str, all_cells: bool = False) -> pd.DataFrame:
    """List how many times as long each variant's P99 is as the shortest one, or why nobody can say."""
    rows = pauses.p99_against(run, scenario, all_cells)
    return pd.DataFrame({
        "variant": rows["variant"],
        "its P99 over that of": rows["base"],
        "ratio [at least to at most]": [
            "refused" if pd.isna(r.ratio) else interval(r.ratio, r.lo, r.hi) for r in rows.itertuples()
        ],
        "pauses": rows["n"],
        "refused because": rows["refused"],
    })  # fmt: skip


def verdict(run: Run, scenario: str, all_cells: bool = False) -> str:
    """Say what the article's ZGC figure is, as far as this run can tell."""
    rows = pauses.phase_against_safepoint(run, scenario, all_cells)
    rows = rows[rows["variant"] == ZGC17]
    claim = claims.claim("zgc17_pause_mean")
    need = observations_needed(0.99)
    tail = f" A P99 can only be bounded with {need} pauses or more; the article does not say how many it saw."
    if rows.empty:
        return (
            f"The run holds no pause of {ZGC17} under {scenario}: the article's {claim.value:g} µs is not tested here."
            + tail
            + f" {excluded(run, Compared(scenario, all_cells))}".rstrip()
        )
    row = rows.iloc[0]
    return (
        f"The article's {claim.value:g} µs is what ZGC's *log line* says of a pause; here that line's median is"
        f" {number(row['phase_us'])} µs, while the application stood still for **{number(row['safepoint_us'])} µs**,"
        f" {number(row['ratio'])} times as long (n = {row['n']:,})." + tail
    )
