"""What the runtimes that were measured would have done under any policy: their own part of a recovery, replayed.

The decisions are the supervisor's own, on a virtual clock (`bench.faults.replay`), so minutes of back-off take no time. What a
runtime took from its new process to sustained service is drawn from what was measured; when the fault comes relative to
the policy's probes is drawn anew each time.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bench.faults.policy import policies
from bench.faults.replay import Life, crash, hang, replay
from roi import recovery
from roi.data import Run

DRAWS = 200
HORIZON_S = 3_600.0
"""Who is not back within an hour is not back."""
_SEED = 11
_NS_PER_S = 1e9
_REPLAYED = {"sigkill": crash, "sigstop": hang}
"""Faults whose whole effect on a process is known: it is gone, or it answers nothing and heeds no SIGTERM."""


def of_run(run: Run, fault: str, all_cells: bool = False, draws: int = DRAWS) -> pd.DataFrame:
    """Give how long each measured variant would have been away under each policy.

    Columns: policy, variant, n (recoveries that the runtime's part is drawn from), back (share that was back within the horizon),
    p10_s, p50_s, p90_s (of those not back the horizon; missing where that is most of them), detection_s (median). Empty for
    a fault that is not replayed.
    """
    columns = ["policy", "variant", "n", "back", "p10_s", "p50_s", "p90_s", "detection_s"]
    strike = _REPLAYED.get(fault)
    measured = recovery.runtime_parts(run, fault, all_cells) if strike else {}
    random = np.random.default_rng(_SEED)
    rows = []
    for name, policy in policies().items():
        for variant, took_s in measured.items():
            drawn_s = random.choice(took_s, draws)
            found = [
                replay(policy, seed, strike, [Life(round(own_s * _NS_PER_S))], round(HORIZON_S * _NS_PER_S))
                for seed, own_s in enumerate(drawn_s)
            ]
            away_s = np.array([np.inf if of.back_ns is None else of.back_ns / _NS_PER_S for of in found])
            detected = [of.detect_ns / _NS_PER_S for of in found if of.detect_ns is not None]
            quantiles = np.quantile(away_s, (0.1, 0.5, 0.9), method="inverted_cdf")
            rows.append((
                name, variant, len(took_s), float(np.isfinite(away_s).mean()),
                *(np.nan if np.isinf(value) else float(value) for value in quantiles),
                float(np.median(detected)) if detected else np.nan,
            ))  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
