"""The view of latency tails."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from roi import latency
from roi.charts.spec import ChartSpec
from roi.exclusions import Compared
from roi.latency import REQUESTS_BEYOND, TIMES, Latency
from roi.views.words import excluded, footnote, known, listed, milliseconds, number

NAMES = {
    "response": "response time",
    "service": "service time",
    "lag": "schedule lag",
}
CLOSED = (
    "Closed loops are on none of these axes: their users wait for an answer before they ask again, so they ask least while"
    " the gateway is slow, and their percentiles answer another question."
)
_X_TITLE = "The slowest one of so many requests (100 is p99, 1,000 is p99.9)"


def verdict(found: Latency, variant: str = "") -> str:
    """Say how long one request in 100 takes at the rung that variants can be compared at."""
    if found.figures.empty:
        return _nothing(found)
    unknown = f"The run holds no such cell of {variant}; it holds {listed(found.variants)}. " * (
        bool(variant) and variant not in found.variants
    )
    rung = found.rung(_known(found, variant))
    rows = _p99(found, rung)
    if _known(found, variant):
        rows = rows[rows["variant"] == variant]
    times = listed(f"**{_figure(r)}** on {r.variant}" for r in rows.itertuples())
    return (
        f"{unknown}Under {_load(found, rung)}, one request in 100 takes {times}, or longer: p99 of the *response time*, which"
        f" counts from the instant at which the schedule wanted the request sent. {CLOSED}"
    )


def _nothing(found: Latency) -> str:
    scenario, run = found.scenario, found.run
    models = run.query("select distinct traffic_model from cells where scenario = $scenario", {"scenario": scenario})
    if set(models["traffic_model"]) == {"closed"}:
        return f"The scenario *{scenario}* is a closed loop: there is no tail to show of it. {CLOSED}"
    why = excluded(run, _compared(found))
    return f"The run holds no open-loop cell of *{scenario}* to show. {why} {CLOSED}".replace("  ", " ")


def limits(found: Latency, variant: str = "") -> str:
    """Say what the table cannot show, and why: hidden quantiles, intervals that are missing, lower bounds."""
    rows = _asked(found, variant)
    if rows.empty:
        return ""
    fewest, most = int(rows["requests"].min()), int(rows["requests"].max())
    processes = rows["processes"].min(), rows["processes"].max()
    held = f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}"
    hidden = sorted(set(rows.loc[rows["hidden"], "variant"]))
    sentences = [
        f"p99.9 is hidden for {listed(hidden)}: it takes {REQUESTS_BEYOND * 1000:,} requests of a process, and the windows"
        f" hold {held}." if hidden else "",
        "There is one process a variant and rung, so there is no interval." if processes[1] == 1 else
        f"Figures are medians over processes; the interval in brackets holds the median of processes with"
        f" {_confidence(rows)} confidence, and max is the longest of all.",
        _open_ended(found, variant),
    ]  # fmt: skip
    return " ".join(filter(None, sentences))


def _confidence(rows: pd.DataFrame) -> str:
    """Give the least and the greatest confidence of the intervals."""
    said = rows.loc[rows["processes"] > 1, "confidence"].dropna().astype(float)
    least, most = f"{said.min():.0%}", f"{said.max():.0%}"
    return least if least == most else f"{least} to {most}"


def _open_ended(found: Latency, variant: str) -> str:
    costs = found.costs[found.costs["variant"] == variant] if variant in found.variants else found.costs
    unanswered, errors = int(costs["unanswered"].sum()), int(costs["errors"].sum())
    said = []
    if unanswered:
        said.append(
            f"{_requests(unanswered)} of {int(costs['requests'].sum()):,} got no answer, or were never sent: they count as at"
            " least as long as they waited, and a figure that they could move is a lower bound, written with ≥."
        )
    if errors:
        said.append(f"{_requests(errors)} got an answer other than 2xx and count with its time.")
    return " ".join(said)


def _requests(count: int) -> str:
    return f"{count:,} request{'s' if count > 1 else ''}"


def table(found: Latency, variant: str = "") -> pd.DataFrame:
    """List response time, service time and schedule lag side by side: a row a variant, rung and quantile."""
    rows = _asked(found, variant)
    shown = []
    for (name, rate, quantile), part in rows.groupby(["variant", "rate_per_s", "quantile"], dropna=False, sort=False):
        by_time = {row.time: row for row in part.itertuples()}
        response = by_time["response"]
        head = {"variant": name, "requests/s": None if pd.isna(rate) else f"{rate:,.0f}", "quantile": quantile}
        shown.append(
            head
            | {f"{NAMES[time]}": _cell(by_time.get(time)) for time in TIMES}
            | {"processes": response.processes, "requests a process": response.requests}
        )
    return pd.DataFrame(shown)


def _cell(row: object | None) -> str | None:
    if row is None:
        return None
    return "hidden" if row.hidden else _figure(row)


def _figure(row: object) -> str:
    """Write a figure with its interval, if it has one; a lower bound says so, and an open end is a dash."""
    figure = milliseconds(row.value_ms, row.lower_bound)
    if row.processes < 2 or pd.isna(row.lo_ms):
        return figure
    high = milliseconds(row.hi_ms) if pd.notna(row.hi_ms) else "–"
    return f"{figure} [{milliseconds(row.lo_ms)} to {high}]"


def compare_chart(found: Latency) -> ChartSpec | None:
    """Draw the response times of all variants at the rung that most of them have; None without a cell."""
    rung = found.rung()
    rows = latency.tail(found, rung)
    rows = rows[rows["time"] == "response"]
    if rows.empty:
        return None
    figures = _p99(found, rung).sort_values("value_ms")
    best, worst = figures.iloc[0], figures.iloc[-1]
    times = f"{_longer(best)} on {best['variant']}"
    if len(figures) > 1:
        times += f", and {_plain(worst)} on {worst['variant']}"
    return ChartSpec(
        "response_by_variant", "lines", rows, "one_in", "value_ms", series="variant", beside=("lo_ms", "hi_ms", "processes"),
        order=tuple(dict.fromkeys(figures["variant"])),
        title=f"One request in 100 takes {times}",
        alt="Response time by how rare it is. p99: "
        + listed(f"{r.variant} {milliseconds(r.value_ms, r.lower_bound)}" for r in figures.itertuples()) + ".",
        x_title=_X_TITLE, y_title="Response time (ms)", x_log=True, y_log=True,
        subtitle=f"{_sentence(_load(found, rung))}, open loop; {_processes(rows)}",
        footnote=f"{_bounds(rows)}{footnote(found.run, _compared(found, rung))}",
    )  # fmt: skip


def tail_chart(found: Latency, variant: str = "") -> ChartSpec | None:
    """Draw response time, service time and lag of one variant; by default of the one with the longest p99.

    None without a cell.
    """
    if found.figures.empty:
        return None
    shown = _known(found, variant) or _slowest(found)
    rung = found.rung(shown)
    rows = latency.tail(found, rung, shown)
    rows = rows[rows["time"].isin(TIMES)].assign(time=rows["time"].map(NAMES))
    if rows.empty:
        return None
    response, service = (
        rows_of[rows_of["variant"] == shown].iloc[:1]
        for rows_of in (_p99(found, rung, time) for time in ("response", "service"))
    )
    sent_alone = f"; counted from sending alone, {_plain(service.iloc[0])}" if len(service) else ""
    several = bool((rows["processes"] > 1).all() and rows[["lo_ms", "hi_ms"]].notna().all(axis=None)
                   and (rows["lo_ms"] > 0).all())  # fmt: skip
    return ChartSpec(
        "tail_of_one_variant", "lines", rows, "one_in", "value_ms", series="time",
        **({"lo": "lo_ms", "hi": "hi_ms", "beside": ("processes",)} if several else {"beside": ("processes",)}),
        order=tuple(name for name in NAMES.values() if name in set(rows["time"])),
        title=f"One in 100 requests to {shown} takes {_longer(response.iloc[0])}{sent_alone}",
        alt=f"Response time, service time and schedule lag of {shown} by how rare they are. p99"
        f" {_plain(response.iloc[0])}{sent_alone}.",
        x_title=_X_TITLE, y_title="Time (ms)", x_log=True, y_log=True,
        subtitle=f"{shown}, {_load(found, rung)}, open loop; {_processes(rows)}{'; bands are intervals over them' * several}",
        footnote=f"{_bounds(rows)}{footnote(found.run, _compared(found, rung))}",
    )  # fmt: skip


def added_table(found: Latency, variant: str = "") -> pd.DataFrame:
    """List what passed before sending: the generator's own lag, and its share of all response time."""
    costs = found.costs[found.costs["variant"] == variant] if variant in found.variants else found.costs
    rows = []
    for (name, rate), part in costs.groupby(["variant", "rate_per_s"], dropna=False, sort=False):
        lag = part["generator_lag_p99_ms"].dropna()
        rows.append({
            "variant": name, "requests/s": None if pd.isna(rate) else f"{rate:,.0f}",
            "generator's lag, p99": milliseconds(lag.median()) if len(lag) else None,
            "worst process": milliseconds(lag.max()) if len(lag) else None,
            "share of response time": f"{part['generator_share'].median():.1%}",
            "waiting for a connection": f"{(part['lag_share'] - part['generator_share']).median():.1%}",
            "processes": len(part),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _asked(found: Latency, variant: str) -> pd.DataFrame:
    rows = found.figures
    return rows[rows["variant"] == variant] if variant in found.variants else rows


def _known(found: Latency, variant: str) -> str:
    """Give the variant if the study holds it, or else none."""
    return variant if variant in found.variants else ""


def _slowest(found: Latency) -> str:
    rows = _p99(found, found.rung())
    return str(rows.loc[rows["value_ms"].idxmax(), "variant"])


def _p99(found: Latency, rung: float | None, time: str = "response") -> pd.DataFrame:
    rows = found.at(rung)
    return rows[(rows["time"] == time) & (rows["quantile"] == "p99")]


def _plain(row: pd.Series) -> str:
    return milliseconds(row["value_ms"], bool(row["lower_bound"]))


def _longer(row: pd.Series) -> str:
    """Write how long one in so many takes; of a lower bound nobody knows how much longer."""
    return (
        f"at least {milliseconds(row['value_ms'])}"
        if row["lower_bound"]
        else f"{milliseconds(row['value_ms'])} or longer"
    )


def _load(found: Latency, rung: float | None) -> str:
    return f"{found.scenario} traffic" if rung is None else f"{found.scenario} traffic at {rung:,.0f} requests/s"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _processes(rows: pd.DataFrame) -> str:
    least, most = int(rows["processes"].min()), int(rows["processes"].max())
    if most == 1:
        return "one process a line, so no interval"
    return f"medians over {least if least == most else f'{least} to {most}'} processes"


def _bounds(rows: pd.DataFrame) -> str:
    """Say from where on a chart shows lower bounds."""
    open_ended = rows[rows["lower_bound"].astype(bool)]
    if open_ended.empty:
        return ""
    return (
        f"From one in {number(open_ended['one_in'].min())} on, times are lower bounds: requests were never answered. "
    )


def _compared(found: Latency, rung: float | None = None) -> Compared:
    return Compared(found.scenario, found.all_cells, model="open", rate_per_s=rung)


def finding_name(what: str, row: dict[str, object]) -> str:
    """Name a finding of a variant at its rung."""
    rate = row["rate_per_s"]
    return f"{what}_{row['variant']}" + ("" if pd.isna(rate) else f"_at_{rate:g}")


def p99_rows(found: Latency, variant: str = "") -> Iterable[dict[str, object]]:
    """Give for every variant and rung the p99 of the response time, with a note of what a reader should know."""
    rows = _asked(found, variant)
    for row in rows[(rows["time"] == "response") & (rows["quantile"] == "p99")].to_dict("records"):
        beyond = f"each process' p99 rests on its slowest {_requests(max(1, row['requests'] // 100))}"
        how = "one process: no interval" if row["processes"] < 2 else (
            f"median over processes, {row['confidence']:.0%} interval"
        )  # fmt: skip
        bound = "; a lower bound: requests were never answered" if row["lower_bound"] else ""
        yield row | {"note": f"{how}; {beyond}{bound}"}


def findings(found: Latency, variant: str = "") -> Iterable[dict[str, object]]:
    """Give p99 of the response time and the share that passed before sending, by variant and rung, as `record` takes them."""
    for row in p99_rows(found, variant):
        yield {
            "id": finding_name("response_p99", row), "value": row["value_ms"], "unit": "ms", "lo": known(row["lo_ms"]),
            "hi": known(row["hi_ms"]), "n": row["processes"], "query": latency.HISTOGRAMS, "note": row["note"],
        }  # fmt: skip
    for row in latency.share(found, "lag_share").to_dict("records"):
        yield {
            "id": finding_name("lag_share", row), "value": row["value"], "unit": "share", "lo": known(row["lo"]),
            "hi": known(row["hi"]), "n": row["n"], "query": latency.COSTS,
            "note": "of all response time, what passed before sending",
        }  # fmt: skip
