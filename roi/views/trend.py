"""The view of what changed from run to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pandas as pd

from roi.charts.spec import ChartSpec
from roi.statistics.estimate import median_of_processes
from roi.statistics.trend_changes import LEAST_RUNS, SHORTEST
from roi.trend import Change, Series, Trend
from roi.trend_figures import Followed
from roi.views.words import footnote, interval, listed, number, percent

_NAMED = 2
"""Changes that a title names; more are counted."""
_A_DECADE = 10
"""Largest over smallest figure from which on an axis is logarithmic."""
_DIGITS = 9
"""Of a share, beyond which there is rounding alone."""
_UNITS = {"us": "µs"}


def said(found: Trend) -> str:
    """Say what changed, over how many runs, and how many others are left out."""
    runs, left_out = len(found.runs), len(found.comparable.left_out)
    beside = (
        f" {left_out} {'others are' if left_out > 1 else 'other is'} left out, for the reasons below."
        if left_out
        else ""
    )
    if runs < 2:
        return f"**There is nothing to compare {found.comparable.base.name} with:** no other run is like it.{beside}"
    if not found.told:
        return (
            f"**{runs} runs are too few to tell** a change from what runs differ by anyhow: it takes {LEAST_RUNS}, {SHORTEST} on"
            f" either side. The charts show what was measured.{beside}"
        )
    called = found.called()
    first = (
        f"**{_capital('; '.join(_fell(found, *one) for one in called[:_NAMED]))}.**"
        + (f" {len(called) - _NAMED} more changed." if len(called) > _NAMED else "")
        if called
        else f"**No change is shown** over {runs} runs."
    )
    return f"{first} {len(found.told)} series were looked at together, of {runs} runs.{beside}"


def chart(found: Trend, figure: Followed) -> ChartSpec:
    """Draw a figure of every variant over the runs, with a line at each change that is called."""
    rows = pd.DataFrame([row for series in _of(found, figure) for row in _rows(found, series)])
    means = "Medians" if figure.over is median_of_processes else "Geometric means"
    spec = ChartSpec(
        f"trend_{figure.name}", "lines", rows.astype({"lo": float, "hi": float}), "run", figure.name, series="variant",
        lo="lo", hi="hi", beside=("name", "date", "n", "version"),
        title=_title(found, figure),
        alt=f"{_capital(figure.words)} from the first run to the last: "
        + listed(
            f"{name} from {number(part.iloc[0])} to {number(part.iloc[-1])}"
            for name, part in rows.groupby("variant", sort=False)[figure.name]
        ) + ".",
        x_title="Run, in order of time", y_title=_with_unit(figure),
        y_log=bool(rows[figure.name].max() > _A_DECADE * rows[figure.name].min()),
        subtitle=f"{means} over fresh processes; bands are intervals over processes, and do not hold what runs differ by",
        footnote=_source(found),
    )  # fmt: skip
    return _with_changes(spec, found.called(figure))


def _with_changes(spec: ChartSpec, called: Sequence[tuple[Series, Change]]) -> ChartSpec:
    """Draw a line at each place where something changed; of one variant alone the title has the name."""
    alone = len({series.variant for series, _ in called}) == 1
    in_order = sorted(called, key=lambda one: _between(one[1]))
    for at, ones in groupby(in_order, key=lambda one: _between(one[1])):
        labels = (f"{'' if alone else f'{series.variant} '}{_signed(change)}" for series, change in ones)
        spec = spec.with_reference(at, ", ".join(labels), "x")
    return spec


def changes(found: Trend) -> pd.DataFrame:
    """List every change that chance does not explain, those that are not called among them."""
    rows = [(series, change) for series in found.series for change in series.changes]
    return pd.DataFrame({
        "figure": [series.figure.words for series, _ in rows],
        "variant": [series.variant for series, _ in rows],
        "between": [found.runs[change.before.place].name for _, change in rows],
        "and": [found.runs[change.after.place].name for _, change in rows],
        "ratio [95 %]": [interval(change.ratio.value, change.ratio.lo, change.ratio.hi) for _, change in rows],
        "p": [number(change.p_value, 2) for _, change in rows],
        "noise floor": [percent(change.floor) for _, change in rows],
        "runtime": [_runtimes(change) for _, change in rows],
        "verdict": [str(change.verdict) for _, change in rows],
    })  # fmt: skip


def series(found: Trend) -> pd.DataFrame:
    """List every series: its first and last figure, what runs differ by, and how unlike itself it is."""
    rows = found.series
    return pd.DataFrame({
        "figure": [one.figure.words for one in rows],
        "variant": [one.variant for one in rows],
        "runs": [len(one.points) for one in rows],
        "first": [_estimate(one, 0) for one in rows],
        "last": [_estimate(one, -1) for one in rows],
        "runs differ by": [None if one.spread is None else percent(round(one.spread, _DIGITS)) for one in rows],
        "p of no change": ["too few runs to tell" if one.p_value is None else number(one.p_value, 2) for one in rows],
        "changes": [sum(change.called for change in one.changes) for one in rows],
    })  # fmt: skip


def runs(found: Trend) -> pd.DataFrame:
    """List the runs: those that are compared by their number, the others with the reason."""
    compared = [
        {"run": place, "name": run.name, "date": _date(run.manifest.started_at), "suite": run.manifest.suite,
         "left out because": None}
        for place, run in enumerate(found.runs, start=1)
    ]  # fmt: skip
    others = [{"name": out.name, "left out because": out.reason} for out in found.comparable.left_out]
    return pd.DataFrame([*compared, *others], columns=list(compared[0])).astype({"run": "Int64"})


def findings(found: Trend) -> Iterator[dict[str, Any]]:
    """Give how many runs were compared, how many changes there are, and each of them, as `record` takes it."""
    left_out = found.comparable.left_out
    yield {
        "id": "runs_compared", "value": len(found.runs), "unit": "runs", "n": len(found.runs),
        "query": "roi.trend_runs.comparable",
        "note": f"{listed(run.name for run in found.runs)}; left out: {listed(out.name for out in left_out)}",
    }  # fmt: skip
    yield {
        "id": "changes", "value": len(found.called()) if found.told else None, "unit": "changes", "n": len(found.told),
        "query": "roi.trend.study", "note": _of_all(found),
    }  # fmt: skip
    for one, change in found.called():
        before, after = (found.runs[point.place].name for point in (change.before, change.after))
        yield {
            "id": f"change_{one.figure.name}_{one.variant.replace(', ', '_')}_{after}", "value": change.ratio.value,
            "unit": "ratio", "lo": change.ratio.lo, "hi": change.ratio.hi, "n": change.ratio.n, "query": one.figure.query,
            "note": f"{one.figure.words} of {one.variant} after {before}, from {after} on: {change.verdict}; n is runs of the"
            f" shorter side; p {number(change.p_value, 2)} before Holm over {len(found.told)} series",
        }  # fmt: skip


def _of_all(found: Trend) -> str:
    if len(found.runs) < 2:
        return "not known: no other run is like this one"
    if not found.told:
        return f"not known: {len(found.runs)} runs are too few to tell, {LEAST_RUNS} are needed"
    return f"n is series; beyond chance (5 % for all of them together), the noise floor and a margin of {percent(found.margin)}"


def _title(found: Trend, figure: Followed) -> str:
    told = [one for one in _of(found, figure) if one.p_value is not None]
    if not told:
        most = max(len(one.points) for one in _of(found, figure))
        return f"{_capital(figure.words)}: {most} runs are too few to tell a change from chance"
    called = found.called(figure)
    if not called:
        return f"No change of {figure.words} is shown over {len(found.runs)} runs"
    if len(called) > _NAMED:
        variants = dict.fromkeys(series.variant for series, _ in called)
        return f"{_capital(figure.words)} changed {len(called)} times, of {listed(variants)}"
    (first, change), *rest = called
    again = (("it" if series is first else f"that of {series.variant}", change) for series, change in rest)
    what = "; ".join([_fell(found, first, change), *(f"{who} {_by(one)} {_when(found, one)}" for who, one in again)])
    return f"{_capital(what)}{'; no other change is shown' if len(told) > 1 else ''}"


def _fell(found: Trend, series: Series, change: Change) -> str:
    return f"{series.figure.words} of {series.variant} {_by(change)} {_when(found, change)}"


def _when(found: Trend, change: Change) -> str:
    before, after = (found.runs[point.place].name for point in (change.before, change.after))
    return f"between {before} and {after}"


def _by(change: Change) -> str:
    ratio = change.ratio.value
    return f"{'rose' if ratio > 1 else 'fell'} by {percent(abs(ratio - 1))}"


def _signed(change: Change) -> str:
    ratio = change.ratio.value
    return f"{'+' if ratio > 1 else '−'}{percent(abs(ratio - 1))}"


def _between(change: Change) -> float:
    """Give where on the axis of runs, which counts from 1, a change is."""
    return (change.before.place + change.after.place) / 2 + 1


def _of(found: Trend, figure: Followed) -> list[Series]:
    return [one for one in found.series if one.figure.name == figure.name and len(one.points) > 1]


def _rows(found: Trend, one: Series) -> Iterator[dict[str, object]]:
    for point in one.points:
        run, estimate = found.runs[point.place], point.estimate
        yield {
            "run": point.place + 1, one.figure.name: estimate.value, "lo": estimate.lo, "hi": estimate.hi,
            "variant": one.variant, "name": run.name, "date": _date(run.manifest.started_at), "n": estimate.n,
            "version": point.runtime_version,
        }  # fmt: skip


def _estimate(one: Series, place: int) -> str | None:
    if not one.points:
        return None
    estimate = one.points[place].estimate
    return interval(estimate.value, estimate.lo, estimate.hi)


def _runtimes(change: Change) -> str | None:
    before, after = change.before.runtime_version, change.after.runtime_version
    return after if before == after else f"{before or 'unknown'}, then {after or 'unknown'}"


def _source(found: Trend) -> str:
    dates = [_date(run.manifest.started_at) for run in found.runs]
    return (
        f"{footnote(found.comparable.base)} Beside it {len(found.runs) - 1} others like it, {dates[0]} to {dates[-1]}."
    )


def _with_unit(figure: Followed) -> str:
    unit = _UNITS.get(figure.unit, figure.unit)
    return _capital(figure.words) if unit in figure.words else f"{_capital(figure.words)} ({unit})"


def _date(started_at: str) -> str:
    return started_at[:16].replace("T", " ")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
