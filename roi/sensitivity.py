"""What the answer hangs on: shares of its variance, a tornado, and what measuring each input next is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from roi.business_case import Horizon
from roi.decision import NOTHING, leading, reaches, worth
from roi.errors import UnknownName
from roi.inputs import Inputs
from roi.running import Values
from roi.statistics import information, sobol_points, variance_shares
from roi.statistics.estimate import Estimate
from roi.statistics.variance_shares import Share

REPLICATES = 8
"""Samples, each scrambled on its own, that the sampling error is taken from."""
LEAST_DRAWS = 64 * REPLICATES
_FITTED = 2048
"""Draws of each replicate that what measuring is worth is fitted to: more would narrow nothing that a reader sees."""


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What the net present value of one option hangs on, and what the choice among all hangs on."""

    inputs: Inputs
    horizon: Horizon
    seed: int
    draws: int
    option: str
    """Whose net present value it is about."""
    best: str
    """The option with the largest expected net present value, or `nothing`."""
    flips: float
    """Probability that another option than the best pays most, 0 to 1."""
    everything: float
    """Worth of knowing all inputs exactly (EVPI), currency."""
    shares: pd.DataFrame
    """Variance by input, largest total first: key, provenance, alone, alone_lo, alone_hi, total, total_lo, total_hi."""
    classes: pd.DataFrame
    """Variance by provenance, largest first: provenance, inputs (how many), and as above."""
    tornado: pd.DataFrame
    """One at a time, widest first: key, low, high (the input's P10 and P90), at_low, at_high (net present value, currency)."""
    next: pd.DataFrame
    """Worth of measuring, largest first: key, provenance, value, value_lo, value_hi (currency), changes (probability)."""

    @property
    def draws_in_all(self) -> int:
        """How often the model was worked out for the shares."""
        return self.draws * (2 + len(self.shares) + len(self.classes))


def study(inputs: Inputs, horizon: Horizon, draws: int, seed: int, option: str = "") -> Sensitivity:
    """Find what an option's net present value, and the choice, hang on.

    Parameters
    ----------
    draws
        In each of two independent samples; rounded up to a power of two, at least 512.
    option
        Its name; the one that leads if empty, see `roi.decision.leading`.

    Raises
    ------
    UnknownName
        There is no such option.
    """
    draws = max(sobol_points.powers_of_two(draws), LEAST_DRAWS)
    one, other = _samples(inputs, draws, seed)
    names = [found.name for found in inputs.options]
    if option and option not in names:
        raise UnknownName("option", option, names)
    payoffs = np.column_stack([*(np.broadcast_to(worth(one, name, horizon), draws) for name in names), np.zeros(draws)])
    place = int(payoffs.mean(axis=0).argmax())
    chosen = option or names[leading(payoffs)]
    shares, classes = _shares(inputs, horizon, chosen, one, other)
    return Sensitivity(
        inputs, horizon, seed, draws, chosen, [*names, NOTHING][place],
        float(np.mean(payoffs.argmax(axis=1) != place)), information.of_everything(payoffs),
        shares, classes, tornado(inputs, horizon, chosen), _next(inputs, one, payoffs),
    )  # fmt: skip


def tornado(inputs: Inputs, horizon: Horizon, option: str) -> pd.DataFrame:
    """Give an option's net present value with one input at its P10 and at its P90, the others at their means; see `Sensitivity`."""
    means, rows = inputs.means(), []
    for key in _moving(inputs, option):
        low, high = inputs.quantities[key].distribution.quantile(np.array([0.1, 0.9]))
        at_low, at_high = worth(means | {key: np.array([low, high])}, option, horizon)
        rows.append((key, low, high, at_low, at_high))
    found = pd.DataFrame(rows, columns=["key", "low", "high", "at_low", "at_high"])
    widest = (found["at_high"] - found["at_low"]).abs().sort_values(ascending=False, kind="stable").index
    return found.loc[widest].reset_index(drop=True)


def towards_the_turn(found: Sensitivity) -> pd.DataFrame:
    """Give an option's net present value with more and more inputs at that of their P10 and P90 which speaks against it.

    Of an option that is worth less than nothing with all inputs at their means it is the end that speaks for it. The widest of
    the tornado moves first. Columns: key (the input that was moved last, missing in the first row), npv (currency).
    """
    values = found.inputs.means()
    rows = [(None, float(worth(values, found.option, found.horizon)[0]))]
    for r in found.tornado.itertuples():
        down = r.low if r.at_low < r.at_high else r.high
        up = r.high if r.at_low < r.at_high else r.low
        values |= {r.key: down if rows[0][1] > 0 else up}
        rows.append((r.key, float(worth(values, found.option, found.horizon)[0])))
    return pd.DataFrame(rows, columns=["key", "npv"])


def _moving(inputs: Inputs, option: str) -> list[str]:
    return [key for key in inputs.uncertain if reaches(key, option)]


def _samples(inputs: Inputs, draws: int, seed: int) -> tuple[Values, Values]:
    """Draw two independent samples, in blocks that are scrambled each on its own."""
    columns = len(inputs.uncertain)
    seeds = np.random.SeedSequence(seed).spawn(REPLICATES)
    points = np.concatenate([sobol_points.points(draws // REPLICATES, 2 * columns, child) for child in seeds])
    return inputs.draw(points[:, :columns]), inputs.draw(points[:, columns:])


def _shares(
    inputs: Inputs, horizon: Horizon, option: str, one: Values, other: Values
) -> tuple[pd.DataFrame, pd.DataFrame]:
    moving = _moving(inputs, option)
    provenance = {key: inputs.quantities[key].provenance.value for key in moving}
    members = {name: [key for key in moving if provenance[key] == name] for name in dict.fromkeys(provenance.values())}
    found = variance_shares.shares(
        lambda values: worth(values, option, horizon),
        one,
        other,
        {("input", key): [key] for key in moving} | {("class", name): keys for name, keys in members.items()},
        REPLICATES,
    )
    of_inputs = [
        {"key": name, "provenance": provenance[name]} | _said(share)
        for (kind, name), share in found.items()
        if kind == "input"
    ]
    of_classes = [
        {"provenance": name, "inputs": len(members[name])} | _said(share)
        for (kind, name), share in found.items()
        if kind == "class"
    ]
    return _sorted(of_inputs, ["key", "provenance"]), _sorted(of_classes, ["provenance", "inputs"])


def _said(share: Share) -> dict[str, float | None]:
    return _ends("alone", share.alone) | _ends("total", share.total)


def _ends(name: str, found: Estimate) -> dict[str, float | None]:
    return {name: found.value, f"{name}_lo": found.lo, f"{name}_hi": found.hi}


def _sorted(rows: list[dict], names: list[str]) -> pd.DataFrame:
    columns = [*names, *(f"{part}{end}" for part in ("alone", "total") for end in ("", "_lo", "_hi"))]
    return pd.DataFrame(rows, columns=columns).sort_values("total", ascending=False, kind="stable", ignore_index=True)


def _next(inputs: Inputs, one: Values, payoffs: np.ndarray) -> pd.DataFrame:
    fitted, rows = _first(payoffs), []
    for key in inputs.uncertain:
        known = information.of_input(_first(np.asarray(one[key])), fitted, REPLICATES)
        row = {"key": key, "provenance": inputs.quantities[key].provenance.value} | _ends("value", known.value)
        rows.append(row | {"changes": known.changes})
    columns = ["key", "provenance", "value", "value_lo", "value_hi", "changes"]
    return pd.DataFrame(rows, columns=columns).sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _first(values: np.ndarray) -> np.ndarray:
    """Give the first draws of each replicate: the beginning of a Sobol' sequence is one itself."""
    each = len(values) // REPLICATES
    blocks = values.reshape(REPLICATES, each, *values.shape[1:])[:, :_FITTED]
    return blocks.reshape(-1, *values.shape[1:])
