"""The view of sensitivity: what the answer hangs on, how much of it is assumed, and what to measure next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from roi.charts.spec import ChartSpec
from roi.decision import NOTHING
from roi.inputs import Provenance
from roi.sensitivity import Sensitivity, towards_the_turn
from roi.views.money import THOUSAND, amount, chance, footnote, label, money, thousands, words
from roi.views.words import known, listed

_DRAWN = 12
"""Inputs in a chart; the table has all."""
_SHARED = 1e-3
"""Share of the variance, and of the widest swing, below which an input is not listed."""
_WHOLE = 0.1
"""Share of the variance from which on it is written without decimals."""
_NAMED = 3


def verdict(found: Sensitivity) -> str:
    """Say how much of the result is assumed, what drives it, whether the choice may flip, and what to measure next."""
    currency, title = found.inputs.currency, _title(found, found.option)
    best = "doing nothing" if found.best == NOTHING else f"*{_title(found, found.best)}*"
    if found.shares.empty:
        return f"Every input that reaches *{title}* is one certain value: its net present value hangs on none more than another."
    told = _worth_measuring(found)
    measure = (
        f"Worth most to measure next is **{words(told.iloc[0]['key'])}**: knowing it exactly would gain"
        f" {money(told.iloc[0]['value'], currency)} in expectation, of {money(found.everything, currency)} that knowing everything"
        " would."
        if len(told)
        else "Of no single input is it shown that knowing it exactly would help the choice."
    )
    drivers = listed(f"{words(r.key)} ({_of_variance(r.total)})" for r in found.shares.head(_NAMED).itertuples())
    return (
        f"{_assumed(found)} It hangs most on {drivers}. With a probability of **{chance(found.flips)}** another option than {best},"
        f" which has the largest expected value, turns out to pay most. {measure}"
    )


def _assumed(found: Sensitivity) -> str:
    classes, title = found.classes.set_index("provenance"), _title(found, found.option)
    if Provenance.ASSUMED.value not in classes.index:
        return f"**None of the variance of the net present value of *{title}* comes from assumptions.**"
    row = classes.loc[Provenance.ASSUMED.value]
    alone, total = _of_variance(row["alone"]), _of_variance(row["total"])
    more = f", {total} with what they do together with the others" if alone != total else ""
    return (
        f"**{alone} of the variance of this result, the net present value of *{title}*, rests on assumptions**{more}."
    )


def _of_variance(share: float) -> str:
    """Write a share of the variance; sampling may put it a little below nothing or above all."""
    if share < _SHARED:
        return f"under {_SHARED:.1%}"
    return f"{min(share, 1.0):.0%}" if share >= _WHOLE else f"{share:.1%}"


def _worth_measuring(found: Sensitivity) -> pd.DataFrame:
    """Give the inputs of which measuring is worth more than sampling error."""
    return found.next[found.next["value_lo"] > 0]


def classes_chart(found: Sensitivity) -> ChartSpec | None:
    """Draw which provenance the variance comes from; None where nothing varies."""
    if found.classes.empty:
        return None
    rows = found.classes.assign(
        provenance=[f"{r.provenance} ({r.inputs})" for r in found.classes.itertuples()],
        alone=100 * found.classes["alone"], total=100 * found.classes["total"],
    )  # fmt: skip
    parts = pd.concat(
        rows.assign(
            how=how, share=rows[name], lo=100 * found.classes[f"{name}_lo"], hi=100 * found.classes[f"{name}_hi"]
        )
        for how, name in (("alone", "alone"), ("with interactions", "total"))
    )
    first = found.classes.iloc[0]
    return ChartSpec(
        "provenance", "dots", parts, "provenance", "share", series="how", lo="lo", hi="hi", beside=("inputs",), horizontal=True,
        title=f"{_of_variance(first['alone'])} of the variance comes from what is {first['provenance']}",
        alt="Share of the variance by provenance: "
        + listed(f"{r.provenance} {_of_variance(r.alone)}" for r in found.classes.itertuples()) + ".",
        y_title="Share of the variance of the net present value (%)",
        subtitle=f"{_title(found, found.option)}; in brackets how many inputs; Sobol' indices of the groups, with 95 % intervals of"
        " their sampling error", footnote=_note(found),
    )  # fmt: skip


def shares_chart(found: Sensitivity) -> ChartSpec | None:
    """Draw which inputs the variance comes from; None where nothing varies."""
    shares = found.shares.head(_DRAWN)
    if shares.empty:
        return None
    shares = shares.assign(input=[label(key) for key in shares["key"]])
    parts = pd.concat(
        shares.assign(how=how, share=100 * shares[name], lo=100 * shares[f"{name}_lo"], hi=100 * shares[f"{name}_hi"])
        for how, name in (("alone", "alone"), ("with interactions", "total"))
    )
    first = shares.iloc[0]
    return ChartSpec(
        "variance", "dots", parts, "input", "share", series="how", lo="lo", hi="hi", beside=("provenance",), horizontal=True,
        title=f"{_capital(first['input'])} decides most: {_of_variance(first['total'])} of the variance",
        alt="Share of the variance with interactions by input: "
        + listed(f"{r.input} {_of_variance(r.total)}" for r in shares.itertuples()) + ".",
        y_title="Share of the variance of the net present value (%)",
        subtitle=f"{_title(found, found.option)}; first-order and total Sobol' indices, with 95 % intervals of sampling",
        footnote=_note(found),
    )  # fmt: skip


def shares_table(found: Sensitivity) -> pd.DataFrame:
    """List the inputs that the variance comes from, most first, and the rest together."""
    said = found.shares[found.shares["total"] >= _SHARED]
    return pd.DataFrame([
        {
            "input": words(r.key),
            "provenance": r.provenance,
            "alone [95 %]": f"{_of_variance(r.alone)} [{_of_variance(r.alone_lo)} to {_of_variance(r.alone_hi)}]",
            "with interactions [95 %]": f"{_of_variance(r.total)} [{_of_variance(r.total_lo)} to {_of_variance(r.total_hi)}]",
        }
        for r in said.itertuples()
    ])  # fmt: skip


def tornado_chart(found: Sensitivity) -> ChartSpec | None:
    """Draw what one input at a time, at its P10 and at its P90, makes of the net present value; None where nothing varies."""
    widest = found.tornado.head(_DRAWN)
    if widest.empty:
        return None
    widest = widest.assign(input=[label(key) for key in widest["key"]])
    at_means = float(towards_the_turn(found)["npv"].iloc[0])
    low, high = _pieces(widest["at_low"] - at_means, widest["at_high"] - at_means)
    rows = pd.concat(
        widest.assign(end=end, change=piece / THOUSAND, npv=widest[name] / THOUSAND, value=widest[at])
        for end, piece, name, at in (
            ("input at its P10", low, "at_low", "low"), ("input at its P90", high, "at_high", "high"),
        )
    )  # fmt: skip
    first = widest.iloc[0]
    ends = sorted((first["at_low"], first["at_high"]))
    return ChartSpec(
        "tornado", "stacked_bars", rows, "input", "change", series="end", beside=("npv", "value"), horizontal=True,
        title=f"{_capital(first['input'])} alone moves the net present value from {thousands(ends[0])} to"
        f" {thousands(ends[1])} thousand {found.inputs.currency}",
        alt="Net present value in thousands, from the one end of an input to the other: "
        + listed(f"{r.input} {thousands(r.at_low)} to {thousands(r.at_high)}" for r in widest.itertuples()) + ".",
        y_title=f"Change of the net present value (thousand {found.inputs.currency})",
        subtitle=f"{_title(found, found.option)}; one input at a time, all others at their means, where it is"
        f" {thousands(at_means)} thousand", footnote=_note(found),
    )  # fmt: skip


def _pieces(low: pd.Series, high: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Give the pieces of stacked bars that end at two values: of two on one side the farther one goes on from the nearer."""
    together = low * high > 0
    low_is_nearer = low.abs() <= high.abs()
    return low.mask(together & ~low_is_nearer, low - high), high.mask(together & low_is_nearer, high - low)


def tornado_table(found: Sensitivity) -> pd.DataFrame:
    """List the net present value at both ends of each input, in thousands."""
    currency, swings = found.inputs.currency, (found.tornado["at_high"] - found.tornado["at_low"]).abs()
    return pd.DataFrame([
        {
            "input": words(r.key),
            "P10": amount(r.low, r.key, currency),
            "P90": amount(r.high, r.key, currency),
            f"NPV at P10 (thousand {currency})": thousands(r.at_low),
            "NPV at P90": thousands(r.at_high),
        }
        for r in found.tornado[swings >= _SHARED * swings.max()].itertuples()
    ])  # fmt: skip


def next_chart(found: Sensitivity) -> ChartSpec | None:
    """Draw what knowing each input exactly is worth; None where nothing would change the choice."""
    worth = _worth_measuring(found).head(_DRAWN)
    if worth.empty:
        return None
    rows = worth.assign(
        input=[label(key) for key in worth["key"]], worth=worth["value"] / THOUSAND, lo=worth["value_lo"] / THOUSAND,
        hi=worth["value_hi"] / THOUSAND,
    )  # fmt: skip
    first = rows.iloc[0]
    return ChartSpec(
        "measure_next", "dots", rows, "input", "worth", lo="lo", hi="hi", beside=("provenance", "changes"), horizontal=True,
        title=f"Measure next: {first['input']}, worth up to {money(first['value'], found.inputs.currency)} to the choice",
        alt="Worth of knowing each input exactly, in thousands: "
        + listed(f"{r.input} {thousands(r.value)}" for r in worth.assign(input=rows["input"]).itertuples()) + ".",
        y_title=f"Expected gain of knowing it exactly (thousand {found.inputs.currency})",
        subtitle=f"Choice among {len(found.inputs.options) + 1} options, doing nothing among them; with 95 % intervals of the"
        " sampling error", footnote=_note(found),
    )  # fmt: skip


def next_table(found: Sensitivity) -> pd.DataFrame:
    """List what measuring each input is worth, in thousands, and how likely it changes the choice."""
    worth = _worth_measuring(found)
    return pd.DataFrame([
        {
            "input": words(r.key),
            "provenance": r.provenance,
            f"worth of knowing it (thousand {found.inputs.currency})": thousands(r.value),
            "95 % of sampling": f"{thousands(r.value_lo)} to {thousands(r.value_hi)}",
            "changes the choice": chance(r.changes),
        }
        for r in worth.itertuples()
    ])  # fmt: skip


def case_against(found: Sensitivity) -> str:
    """Say how little luck it takes for the option to lose, or to pay where it is not expected to, and what a wrong choice costs."""
    return (
        f"{_luck(found)} Doing what has the largest expected value is wrong in {chance(found.flips)} of draws, and that costs"
        f" {money(found.everything, found.inputs.currency)} in expectation: no measurement is worth more."
    )


def _luck(found: Sensitivity) -> str:
    currency, title, steps = found.inputs.currency, _title(found, found.option), towards_the_turn(found)
    pays = steps["npv"].iloc[0] > 0
    end, now = ("worse", "pays") if pays else ("better", "loses")
    turned = steps[(steps["npv"] < 0) if pays else (steps["npv"] > 0)]
    means = f"With all inputs at their means *{title}* {now}: it is worth {money(steps['npv'].iloc[0], currency)}."
    if turned.empty:
        return f"{means} It still does with every input at the {end} of its P10 and P90 at once."
    many = int(turned.index[0])
    first = listed(words(key) for key in steps["key"].iloc[1 : min(many, _NAMED) + 1])
    moved = first if many <= _NAMED else f"the {many} that move it most, {first} first of all,"
    return (
        f"{means} With no more than {moved} at the {end} of P10 and P90, and the others at their means, it is worth"
        f" {money(turned['npv'].iloc[0], currency)}."
    )


def limits(found: Sensitivity) -> str:
    """Say what the figures rest on."""
    assumed = [one for one in found.inputs.quantities.values() if one.provenance is Provenance.ASSUMED]
    points = sum(one.distribution.certain for one in assumed)
    certain = (
        f" {points} of {len(assumed)} assumed inputs are one value each, so they add nothing to the variance, however little is"
        " known of them: give them a spread." * bool(points)
    )
    return (
        f"Shares of variance are Sobol' indices from {found.draws_in_all:,} evaluations of the model: two samples of"
        f" {found.draws:,} scrambled Sobol' draws, and one more for each input and class; intervals are over"
        " independent scramblings and say nothing of whether the inputs are right. *Alone* is what an input explains by itself,"
        " *with interactions* what would be left if all others were known. The worth of measuring supposes that the"
        " measurement is exact and free, so it is the most that one may cost; inputs are listed where it"
        " is more than sampling error. The tornado moves one input at a time, and sees no"
        " interaction. Inputs are drawn independently: where two move together in truth, all of this is too narrow or too wide."
        f"{certain}"
    )


def findings(found: Sensitivity) -> Iterator[dict[str, Any]]:
    """Give variance by provenance, the drivers, the chance of a flip and the worth of measuring, as `record` takes them."""
    unit, query = f"thousand {found.inputs.currency}", "roi.sensitivity.study"
    about = f"{found.inputs.title}, net present value of {found.option}, {found.horizon.years} years"
    yield {
        "id": "decision_flips", "value": found.flips, "unit": "share", "query": query,
        "note": f"draws in which another option than {found.best} pays most; {found.draws} draws, seed {found.seed}",
    }  # fmt: skip
    yield {
        "id": "worth_of_knowing_everything", "value": found.everything / THOUSAND, "unit": unit, "query": query,
        "note": f"expected value of perfect information; {found.inputs.title}",
    }  # fmt: skip
    for r in found.classes.itertuples():
        yield {
            "id": f"variance_{r.provenance}", "value": r.alone, "unit": "share", "lo": known(r.alone_lo), "hi": known(r.alone_hi),
            "query": query, "note": f"closed Sobol' index of {r.inputs} inputs; interval of sampling; {about}",
        }  # fmt: skip
    for r in found.shares.head(_NAMED).itertuples():
        yield {
            "id": f"variance_total_{r.key.replace('.', '_')}", "value": r.total, "unit": "share", "lo": known(r.total_lo),
            "hi": known(r.total_hi), "query": query, "note": f"total Sobol' index; interval of sampling; {about}",
        }  # fmt: skip
    for r in _worth_measuring(found).head(_NAMED).itertuples():
        yield {
            "id": f"worth_of_knowing_{r.key.replace('.', '_')}", "value": r.value / THOUSAND, "unit": unit,
            "lo": r.value_lo / THOUSAND, "hi": r.value_hi / THOUSAND, "query": query,
            "note": f"expected value of perfect information on it; interval of sampling; {found.inputs.title}",
        }  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _title(found: Sensitivity, name: str) -> str:
    return next(option.title for option in found.inputs.options if option.name == name)


def _note(found: Sensitivity) -> str:
    return footnote(found.inputs, found.draws, found.seed)
