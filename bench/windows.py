"""What a load came to in each tenth of a second: the course of a cell without its millions of rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.load.spool import Step
from bench.store.schema import TABLES

WINDOW_NS = 100_000_000


def windows_table(requests: pa.Table, cell_id: str) -> pa.Table:
    """Give the `windows` table of a cell from its requests: equal windows from the first request on, without a gap."""
    intended_ns = requests["intended_ns"].to_numpy()
    if not len(intended_ns):
        return TABLES["windows"].schema.empty_table()
    began_ns = int(intended_ns.min())
    sent = requests["connection"].is_valid().to_numpy()
    answered = requests["status"].is_valid().to_numpy()
    good = got_2xx(requests)
    sent_ns = intended_ns + requests["schedule_lag_ns"].to_numpy()
    done_ns = sent_ns + requests["service_time_ns"].fill_null(0).to_numpy()
    last_ns = max(int(intended_ns.max()), int(done_ns[sent].max(initial=began_ns)))
    count = (last_ns - began_ns) // WINDOW_NS + 1

    def counted(instants_ns: np.ndarray) -> np.ndarray:
        return np.bincount((instants_ns - began_ns) // WINDOW_NS, minlength=count)

    columns = {
        "cell_id": [cell_id] * count,
        "began_ns": began_ns + WINDOW_NS * np.arange(count),
        "due": counted(intended_ns),
        "sent": counted(sent_ns[sent]),
        "answered": counted(done_ns[answered]),
        "good": counted(done_ns[good]),
    }
    return pa.table(columns, schema=TABLES["windows"].schema)


def steps_rows(steps: Sequence[Step], requests: pa.Table, cell_id: str) -> list[dict[str, object]]:
    """Give the rows of the `steps` table: what was to be done, and how many requests of each got 2xx in its time."""
    intended_ns = requests["intended_ns"].to_numpy()
    done_ns = intended_ns + requests["schedule_lag_ns"].to_numpy() + requests["service_time_ns"].fill_null(0).to_numpy()
    intended_ns, done_ns = intended_ns[good := got_2xx(requests)], done_ns[good]
    return [
        {"cell_id": cell_id, "step": number, **vars(step)}
        | {"good": int(((intended_ns >= step.began_ns) & (done_ns < step.ended_ns)).sum())}
        for number, step in enumerate(steps)
    ]


def got_2xx(requests: pa.Table) -> np.ndarray:
    """Tell which requests were answered with 2xx."""
    return pc.equal(requests["outcome"].cast(pa.string()), "ok").to_numpy(zero_copy_only=False)
