"""Tables of a run as a meter gives them: all columns of the schema but `cell_id`, which the cell adds."""

from __future__ import annotations

import pyarrow as pa

from bench.store.schema import TABLES


def from_rows(name: str, rows: list[dict[str, object]]) -> pa.Table:
    """Make a table of a cell from its rows.

    Raises
    ------
    pyarrow.ArrowInvalid
        A row lacks a value that the schema requires.
    """
    schema = TABLES[name].schema
    own = schema.remove(schema.get_field_index("cell_id"))
    table = pa.Table.from_pylist(rows, schema=own)
    table.validate()
    for field in own:
        if not field.nullable and table[field.name].null_count:
            raise pa.ArrowInvalid(f"{name}.{field.name} holds a null")
    return table
