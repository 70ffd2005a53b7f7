"""The view of what slow requests met."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from roi import tails
from roi.charts.spec import ChartSpec
from roi.exclusions import Compared
from roi.tails import Tails
from roi.views.latency import finding_name
from roi.views.ledger import WORDS
from roi.views.words import footnote, known, listed, number, percent

_WANTING = "fewer than 100 requests of a process lie beyond it"


def chart(found: Tails) -> ChartSpec | None:
    """Draw the share of requests beyond p99 that met a stop of their gateway, at the highest rung; None without any."""
    rows = _told(found)
    rows = rows[rows["quantile"] == "p99"]
    if rows.empty:
        return None
    highest = rows["rate_per_s"].max()
    rows = rows if pd.isna(highest) else rows[rows["rate_per_s"] == highest]
    rows = rows.sort_values("met", ascending=False)
    first = rows.iloc[0]
    return ChartSpec(
        "slow_requests_met_a_stop", "dots", rows, "variant", "met", lo="lo", hi="hi", beside=("of_all", "beyond", "blocks"),
        title=f"Of {first['variant']}'s slowest hundredth {percent(first['met'])} met a stop, of all its requests"
        f" {percent(first['of_all'])}",
        alt="Share of requests beyond p99 that met a stop of their gateway: "
        + listed(f"{r.variant} {percent(r.met)}" for r in rows.itertuples()) + ".",
        y_title="Share of the requests beyond p99 that met a stop", horizontal=True,
        subtitle=f"Scenario {found.scenario}{_at(highest)}; bars are 95 % intervals over blocks of a quarter of a second",
        footnote=footnote(found.run, Compared(found.scenario, found.all_cells, model="open")),
    )  # fmt: skip


def table(found: Tails) -> pd.DataFrame:
    """List for every variant and rung what its slow requests met."""
    return pd.DataFrame([_row(row) for row in found.rows.to_dict("records")])


def _row(row: dict[str, object]) -> dict[str, object]:
    head = {
        "variant": row["variant"],
        "requests/s": None if pd.isna(row["rate_per_s"]) else f"{row['rate_per_s']:,.0f}",
        "beyond": row["quantile"],
        "requests": row["beyond"],
    }
    if row["hidden"]:
        return head | {"met a stop [95 %]": f"hidden: {_WANTING}"}
    return head | {
        "met a stop [95 %]": _met(row),
        "of all requests": None if pd.isna(row["of_all"]) else percent(row["of_all"]),
        "waited in a stall": None if pd.isna(row["stalled"]) else percent(row["stalled"]),
        "most of these because of": WORDS.get(row["cause"]) if isinstance(row["cause"], str) else None,
    }


def _met(row: dict[str, object]) -> str:
    if pd.isna(row["met"]):
        return "not applicable"
    if pd.isna(row["lo"]):
        return f"{percent(row['met'])} (no interval)"
    return f"{percent(row['met'])} [{percent(row['lo'])} to {percent(row['hi'])}]"


def said(found: Tails) -> str:
    """Say for which variants slow requests meet stops more often than all do, as far as the intervals tell."""
    rows = _told(found)
    rows = rows[(rows["quantile"] == "p99") & rows["lo"].notna()]
    if rows.empty:
        return "No slow request can be held against stops here: the run holds no open-loop cell of a gateway with a collector."
    more = rows[rows["lo"].astype(float) > rows["of_all"].astype(float)]
    named = (
        f"{r.variant}{_at(r.rate_per_s)} ({percent(r.met)} against {percent(r.of_all)})" for r in more.itertuples()
    )
    return (
        f"Beyond p99, requests met a stop more often than all requests did on {listed(named)}."
        if len(more)
        else "Beyond p99, requests met stops no more often than all requests did, as far as the intervals tell: stops are not what"
        " made them slow."
    )


def _told(found: Tails) -> pd.DataFrame:
    rows = found.rows
    return rows[rows["met"].notna() & ~rows["hidden"].astype(bool)]


def _at(rate_per_s: float | None) -> str:
    return "" if pd.isna(rate_per_s) else f" at {number(rate_per_s)} requests/s"


def findings(found: Tails) -> Iterator[dict[str, Any]]:
    """Give what of the slow requests of each variant and rung met a stop, as `record` takes it."""
    for row in _told(found).to_dict("records"):
        yield {
            "id": finding_name(f"met_a_stop_beyond_{row['quantile']}", row), "value": row["met"], "unit": "share",
            "lo": known(row["lo"]), "hi": known(row["hi"]), "n": row["beyond"], "query": tails.SLOW,
            "note": f"of all requests {percent(row['of_all'])}; interval over {row['blocks']:.0f} blocks of time",
        }  # fmt: skip
