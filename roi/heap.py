"""Pauses against memory: what a collector does when it has more room or less, and what that costs in CPU time.

Any collector is fast in a heap that never fills. So a variant is measured with several budgets around one live set, each a
multiple of the smallest in which it ran, and its CPU time a request is held against the lowest that any variant needed
anywhere: what is above that is what memory management cost at least (Cai, Blackburn, Bond and Maas, Distilling the Real Cost of
Production Garbage Collectors, ISPASS 2022, hold a collector against the cheapest of all in the same way).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from roi import exposure, pauses
from roi.data import Condition, Run
from roi.errors import UnknownName

_COLUMNS = ["variant", "runtime", "applicable", "budget_mib", "live_set_mib", "multiple", "cpu_over_lowest", "p99_us"]
"""Columns of a table that holds no variant."""
_TAKEN = ["n", "p50_us", "p99_us", "p99_lo_us", "p99_hi_us", "longest_us"]


def against_memory(run: Run, scenario: str, live_set_mib: int = 0, all_cells: bool = False) -> pd.DataFrame:
    """Give the pauses and the cost of every variant by its memory budget, around one live set.

    Columns: those of `exposure.costs`; n, p50_us, p99_us, p99_lo_us, p99_hi_us and longest_us of `pauses.distribution`;
    budget_mib and live_set_mib; multiple (of the smallest budget in which the variant ran); cpu_over_lowest (CPU time a
    request over the lowest that any variant of the same runtime needed with any budget).

    Parameters
    ----------
    run
        Not restricted to a condition.
    live_set_mib
        0 takes the one that the run has most budgets of.

    Raises
    ------
    UnknownName
        The run has no such live set.
    """
    known = run.conditions()
    if live_set_mib and live_set_mib not in {condition.live_set_mib for condition in known}:
        raise UnknownName("live set", f"{live_set_mib} MiB", sorted({f"{of.live_set_mib} MiB" for of in known}))
    chosen = live_set_mib or _most_varied(known)
    parts = [_under(run, of, scenario, all_cells) for of in known if of.live_set_mib == chosen]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    if table.empty:
        return pd.DataFrame(columns=_COLUMNS)
    lowest = table.groupby("runtime", observed=True)["cpu_us"].transform("min")
    return table.assign(
        multiple=table["budget_mib"] / table.groupby("variant")["budget_mib"].transform("min"),
        cpu_over_lowest=table["cpu_us"] / lowest,
    )


def _under(run: Run, condition: Condition, scenario: str, all_cells: bool) -> pd.DataFrame:
    part = run.under(condition.memory_budget_mib, condition.live_set_mib)
    seen = pauses.distribution(part, scenario, all_cells).reindex(columns=["variant", *_TAKEN])
    seen = seen.astype(dict.fromkeys(_TAKEN[1:], float))
    return (
        exposure.costs(part, scenario, all_cells)
        .merge(seen, on="variant")
        .assign(budget_mib=condition.memory_budget_mib, live_set_mib=condition.live_set_mib)
    )


def _most_varied(known: Iterable[Condition]) -> int:
    """Give the live set with most budgets, of equals the largest; 0 when there is none."""
    budgets = Counter(condition.live_set_mib for condition in known)
    return max(budgets, key=lambda live_set: (budgets[live_set], live_set), default=0)
