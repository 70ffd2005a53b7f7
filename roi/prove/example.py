"""The inputs that proofs reckon with: the article's, with figures in the place of what a run measures, so that no run is needed."""

from __future__ import annotations

import datetime
import json
import random
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roi.data import DATA
from roi.inputs import Inputs, read

ARTICLE = DATA / "inputs" / "article.toml"
_MEASURED = {"cpu_s_a_request": [1e-4, 2e-4, 5e-4], "memory_gib_a_core": [0.1, 0.3, 0.8], "recovery_s": [0.5, 2.0, 9.0]}
"""What stands for a draw of a run: low, mode and high, for today's service."""
_OF_AN_OPTION = 0.5
"""How much of today's an option has."""
_DAY = datetime.date(2026, 11, 26)


def inputs(shuffled: int | None = None) -> Inputs:
    """Give the example's inputs; with a seed, from a file in which tables and keys stand in another order."""
    said = declared()
    return reckoned(text(said if shuffled is None else shuffled_tables(said, random.Random(shuffled))))


def reckoned(written: str) -> Inputs:
    """Give the inputs that a text declares; raises `InputsInvalid` as reading a file does."""
    with tempfile.TemporaryDirectory(prefix="roi-") as folder:
        path = Path(folder) / "example.toml"
        path.write_text(written, encoding="utf-8")
        return read(path)


def declared() -> dict[str, Any]:
    """Give what the example's file says, by table."""
    said = tomllib.loads(ARTICLE.read_text(encoding="utf-8"))
    said["about"].pop("run", None)
    for quantity in said["quantities"].items():
        _type_in(*quantity, 1.0)
    for option in said["options"].values():
        for quantity in option["quantities"].items():
            _type_in(*quantity, _OF_AN_OPTION)
    return said


def _type_in(name: str, quantity: dict[str, Any], part: float) -> None:
    if "measured" in quantity:
        for key in ("measured", "variant", "policy"):
            quantity.pop(key, None)
        figures = [part * figure for figure in _MEASURED[name]]
        quantity |= {"provenance": "assumed", "pert": figures, "source": "made up for a proof"}
        quantity.setdefault("date", _DAY)


def text(said: Mapping[str, Any]) -> str:
    """Write what a file says as TOML."""
    parts = [_table("about", said["about"])]
    parts += [_table(f"quantities.{name}", quantity) for name, quantity in said["quantities"].items()]
    for option, table in said["options"].items():
        parts.append(_table(f"options.{option}", {key: value for key, value in table.items() if key != "quantities"}))
        parts += [_table(f"options.{option}.quantities.{name}", one) for name, one in table["quantities"].items()]
    return "\n".join(parts)


def _table(name: str, values: Mapping[str, Any]) -> str:
    return "".join([f"[{name}]\n", *(f"{key} = {_written(value)}\n" for key, value in values.items())])


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_written(inner)}" for key, inner in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else json.dumps(value)


def shuffled_tables(said: Any, chance: random.Random) -> Any:
    """Give tables within tables with their names in another order."""
    if not isinstance(said, dict):
        return said
    names = list(said)
    chance.shuffle(names)
    return {name: shuffled_tables(said[name], chance) for name in names}
