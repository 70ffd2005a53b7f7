"""The view of the noise floor."""

from __future__ import annotations

import pandas as pd

from roi import noise
from roi.data import Run
from roi.noise import Floor
from roi.views.words import interval, listed, percent


def said(floors: list[Floor]) -> str:
    """Say what the blind pair shows."""
    if not floors:
        return (
            "The run has no blind pair, so nothing says what it makes of no difference at all: name a `blind_pair` in the"
            " suite."
        )
    apart = [floor.figure.words for floor in floors if floor.differs]
    first = (
        f"**The pair is told apart by {listed(apart)}, and it should not be:** distrust what this run says of it."
        if apart
        else f"**The blind pair of {listed(dict.fromkeys(floor.variant for floor in floors))} is not told apart.**"
    )
    known = listed(f"{percent(floor.share)} for {floor.figure.words}" for floor in floors)
    return f"{first} It differs by {known}: that is the noise floor, and no claim below it is made."


def table(floors: list[Floor]) -> pd.DataFrame:
    """List what the pair differs by."""
    return pd.DataFrame({
        "figure": [floor.figure.words for floor in floors],
        "twice": [floor.variant for floor in floors],
        "a over b [95 %]": [interval(floor.ratio.value, floor.ratio.lo, floor.ratio.hi) for floor in floors],
        "pairs": [floor.ratio.n for floor in floors],
        "told apart": [floor.differs for floor in floors],
        "noise floor": [percent(floor.share) for floor in floors],
    })  # fmt: skip


def findings(run: Run, all_cells: bool = False) -> list[dict[str, object]]:
    """Give the floors as findings have them."""
    return [
        {"id": f"blind_pair_{floor.figure.name}", "value": floor.ratio.value, "unit": "ratio", "lo": floor.ratio.lo,
         "hi": floor.ratio.hi, "n": floor.ratio.n, "query": floor.figure.query,
         "note": f"{floor.variant} over itself, {floor.figure.words}"}
        for floor in noise.floors(run, all_cells)
    ]  # fmt: skip
