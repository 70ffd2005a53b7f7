"""The view of rolling restarts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from roi import rolling
from roi.charts.spec import ChartSpec
from roi.data import Run
from roi.exclusions import Compared
from roi.views.words import excluded, footnote, listed, number, span

WAYS = {
    "drain": "SIGTERM, with a drain delay",
    "terminate": "SIGTERM, at once",
    "kill": "SIGKILL",
}
"""How an old instance goes, in words."""
_SCENARIO = "rolling_restart"


def verdict(run: Run, slo_ms: float, all_cells: bool = False) -> str:
    """Say whether a rolling restart can be had without a loss, for whom, and what it costs otherwise."""
    table = rolling.summary(run, slo_ms, all_cells)
    if table.empty:
        return f"The run holds no rolling restart to show. {excluded(run, Compared(_SCENARIO, all_cells))}"
    drained, abrupt = table[table["way"] == "drain"], table[table["way"] != "drain"]
    said = []
    if len(drained):
        clean = drained[drained["lost"] == 0]
        lossy = drained[drained["lost"] > 0]
        if len(clean):
            said.append(
                f"With readiness and a drain delay, **{listed(clean['variant'])} lost none of"
                f" {int(clean['requests'].sum()):,} requests** in {int(clean['restarts'].sum())} restarts of an instance; at"
                f" most {number(clean['per_restart_hi'].max(), 2)} a restart are still possible at this number of them."
            )
        said += [
            f"{row.variant} lost {row.lost} of {row.requests:,} in spite of it: {row.reasons or 'the client saw it alone'}."
            for row in lossy.itertuples()
        ]
    if len(abrupt):
        worst = abrupt.loc[abrupt["per_restart"].idxmax()]
        said.append(
            f"Without the delay it is up to {number(worst['per_restart'], 2)} requests for each instance"
            f" ({worst['variant']}, {WAYS[worst['way']]})."
        )
    return " ".join(said)


def loss_chart(run: Run, slo_ms: float, all_cells: bool = False) -> ChartSpec | None:
    """Draw the requests lost for each instance replaced; None without a rolling restart."""
    table = rolling.summary(run, slo_ms, all_cells)
    if table.empty:
        return None
    rows = table.assign(way=table["way"].map(WAYS))
    drained, killed = (table[table["way"] == way] for way in ("drain", "kill"))
    none = bool(len(drained)) and not drained["lost"].any()
    of_kill = f", {number(killed['per_restart'].max(), 2)} an instance with SIGKILL" if len(killed) else ""
    return ChartSpec(
        "lost_by_way", "dots", rows, "variant", "per_restart", series="way", lo="per_restart_lo", hi="per_restart_hi",
        beside=("n", "restarts", "requests", "lost"), order=tuple(dict.fromkeys(rows["way"])), horizontal=True,
        title=(f"With a drain delay no request is lost{of_kill}" if none else
               f"A rolling restart loses up to {number(table['per_restart'].max(), 2)} requests for each instance"),
        alt="Requests lost for each instance replaced: "
        + listed(f"{r.variant} by {r.way} {number(r.per_restart, 2)}" for r in rows.itertuples()) + ".",
        y_title="Requests lost for each instance replaced (95 % interval)",
        subtitle=f"{_load(run)} through Envoy, which retries nothing; n = {span(table['restarts'])} instances replaced a dot,"
        " all on the same processors", footnote=footnote(run, Compared(_SCENARIO, all_cells)),
    )  # fmt: skip


def timeline_chart(run: Run, way: str, all_cells: bool = False) -> ChartSpec | None:
    """Draw the slowest response of each tenth of a second of a rolling restart; None where there is none of that way."""
    rows = rolling.slowest_by_time(run, way, all_cells=all_cells)
    if rows.empty:
        return None
    worst = rows.groupby("variant")["response_ms"].max()
    return ChartSpec(
        f"slowest_{way}", "lines", rows, "time_s", "response_ms", series="variant", y_log=True,
        title=f"While instances are replaced, the slowest request takes {number(worst.min(), 2)} ms with {worst.idxmin()}"
        + (f" and {number(worst.max(), 2)} ms with {worst.idxmax()}" if len(worst) > 1 else ""),
        alt="Slowest response by variant: " + listed(f"{name} {number(ms, 2)} ms" for name, ms in worst.items()) + ".",
        x_title="Seconds since the first new instance was started", y_title="Slowest response within 0.1 s (ms)",
        subtitle=f"{WAYS[way]}; one rolling restart of each variant; {_load(run)}",
        footnote=footnote(run, Compared(_SCENARIO, all_cells)),
    )  # fmt: skip


def table(run: Run, slo_ms: float, all_cells: bool = False) -> pd.DataFrame:
    """List what each variant lost, by how its old instances went."""
    rows = rolling.summary(run, slo_ms, all_cells)
    if rows.empty:
        return pd.DataFrame()
    return pd.DataFrame({
        "variant": rows["variant"],
        "old one goes by": rows["way"].map(WAYS),
        "replaced": rows["restarts"],
        "requests": rows["requests"],
        "lost": rows["lost"],
        "lost each time [95 %]": [
            f"{number(r.per_restart, 2)} [{number(r.per_restart_lo, 2)} to {number(r.per_restart_hi, 2)}]"
            for r in rows.itertuples()
        ],
        f"later than {slo_ms:g} ms": rows["late"],
        "why lost": [r.reasons or ("–" if not r.lost else "it saw none") for r in rows.itertuples()],
        "new in service (s)": [number(value, 2) for value in rows["in_service_s"]],
        "old gone (s)": [number(value, 2) for value in rows["leaves_s"]],
    })  # fmt: skip


def findings(run: Run, slo_ms: float, all_cells: bool = False) -> Iterator[dict[str, Any]]:
    """Give what the page answers for, as `record` takes it."""
    for row in rolling.summary(run, slo_ms, all_cells).to_dict("records"):
        yield {
            "id": f"lost_{row['way']}_{row['variant']}", "value": row["per_restart"], "lo": row["per_restart_lo"],
            "hi": row["per_restart_hi"], "unit": "requests", "n": row["restarts"], "query": rolling.LOSSES,
            "note": f"for each instance replaced; {row['lost']} of {row['requests']:,} requests"
            + (f"; {row['reasons']}" if row["reasons"] else ""),
        }  # fmt: skip


def _load(run: Run) -> str:
    rates = run.query("select distinct rate_per_s from cells where scenario = 'rolling_restart' order by 1")[
        "rate_per_s"
    ]
    return f"{listed(f'{rate:g}' for rate in rates)} requests/s, open loop"
