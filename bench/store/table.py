"""What a table is, and what a column says of itself: meaning, unit, and what a null in it means.

History of the format
---------------------
1 : first version.
2 : tables `workers` and `gaps`; the gate's evidence is whole in `cells`: headroom, Little's law, order of percentiles,
    workers, throttling, options, and cells whose load failed.
3 : tables `hiccups`, `threads` and `stalls`; `cells` has what the hiccup meters of gateway and control saw, the collector's
    CPU time, unread lines of pause logs, and whether the meters perturb; `pauses` has drops, JFR and scheduling delays.
4 : `faults` has the truth of a fault, when it ended by itself, what counts as slow, and how often service went away; recovery
    cells may have a load, and its `requests`; table `restarts`.
5 : `cells` has what logs and records took on disk.
6 : tables `windows` and `steps`; `cells` has blind labels, the size of the environment, what was read back of limits, a second
    account of CPU time, failed rows, and the physics of the window (utilisation, stops, clocks); `machine` has two more clocks
    and the gateway's control group.
7 : table `histograms`; `cells` has the gateway's own account of how long it worked on requests.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

SCHEMA_VERSION = 7

label = pa.dictionary(pa.int32(), pa.string())
"""Type of a column of few different texts."""


@dataclass(frozen=True)
class Table:
    """One table: its name, what a row is, and its arrow schema."""

    name: str
    row: str
    """What one row stands for."""
    schema: pa.Schema


def field(name: str, type_: pa.DataType, meaning: str, unit: str = "", *, null: str = "") -> pa.Field:
    """Describe a column. `null` says what a null means; a column without it never holds one."""
    metadata = {"meaning": meaning} | ({"unit": unit} if unit else {}) | ({"null": null} if null else {})
    return pa.field(name, type_, nullable=bool(null), metadata=metadata)


def table(name: str, row: str, *fields: pa.Field) -> Table:
    """Describe a table; every one begins with the cell that a row belongs to."""
    cell = field("cell_id", label, "the cell that the row belongs to")
    metadata = {"table": name, "row": row, "schema_version": str(SCHEMA_VERSION)}
    return Table(name, row, pa.schema([cell, *fields], metadata=metadata))
