"""The view of the calibration: what the load generator can do at all, and how far below it every load was."""

from __future__ import annotations

import pandas as pd

from roi import quality
from roi.data import Run
from roi.views.words import number, percent

HOW = "`bench calibrate` measures it"


def verdict(run: Run, scenario: str = "") -> str:
    """Say what the generator's ceiling is, and how much of it the loads used.

    Parameters
    ----------
    scenario
        Of one scenario alone; of all by default.
    """
    cells = quality.headroom(run, scenario)
    known = cells.dropna(subset=["ceiling_share"])
    said = run.manifest.calibration
    if said is None and known.empty:
        return (
            "**The generator's ceiling is not known**: nobody calibrated it on the day of the run, so there is no headroom to"
            f" tell. {HOW}."
        )
    parts = []
    if said is not None:
        parts.append(
            f"Against a server that costs next to nothing, the generator reached **{number(said['ceiling_rps'])}"
            f" requests/s** on this machine ({said['made_at'][:10]}).{_peers(said)}"
        )
    if known.empty:
        parts.append("No load here was held against it.")
    else:
        most = known.loc[known["ceiling_share"].idxmax()]
        parts.append(
            f"The highest load here, {most['variant']} under {most['scenario']}, is {most['ceiling_share']:.0%} of the ceiling:"
            f" {1 - most['ceiling_share']:.0%} headroom."
        )
    return " ".join(parts)


def _peers(said: dict) -> str:
    peers = {"wrk": said.get("wrk_ratio"), "Locust's FastHttpUser": said.get("fasthttp_ratio")}
    told = [f"{number(ratio)} times {name}" for name, ratio in peers.items() if ratio is not None]
    return f" That is {' and '.join(told)} in the same minutes." if told else ""


def table(run: Run, scenario: str = "") -> pd.DataFrame:
    """List every load with the generator's ceiling and the headroom below it."""
    cells = quality.headroom(run, scenario)
    return pd.DataFrame({
        "cell": cells["cell_id"],
        "requests/s sent": [None if pd.isna(value) else number(value) for value in cells["sent_per_s"]],
        "ceiling (requests/s)": [None if pd.isna(value) else number(value) for value in cells["ceiling_per_s"]],
        "share of the ceiling": [percent(value) for value in cells["ceiling_share"]],
        "headroom": [percent(1 - value) if pd.notna(value) else None for value in cells["ceiling_share"]],
    })  # fmt: skip
