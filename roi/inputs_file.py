"""The inputs file as a whole: which quantities it must state, and what is wrong with one, all of it at once, by the line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from bench.errors import no_such_name
from roi.errors import InputsInvalid
from roi.inputs_schema import About, OptionHead, Said, Strictly
from roi.quantities import CATALOGUE, Kind, Scope, implausible, unlike
from roi.toml_lines import line_of, lines

Place = tuple[str, ...]
"""Where something stands: the keys that lead to it."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Option:
    """One thing that could be done."""

    name: str
    """Its key in the file, and the head of its quantities' keys."""
    title: str
    variant: str
    """Measured variant that stands for it; empty where none does."""


@dataclass(frozen=True)
class Declared:
    """What a file says."""

    about: About
    options: tuple[Option, ...]
    """By name."""
    said: Mapping[str, Said]
    """Quantities by key: `fix_hours` of the service, `go.fix_hours` of an option."""


@dataclass
class Wrong:
    """What is wrong with a file, collected so that all of it can be told at once."""

    file: str
    """Name of the file, without its folder."""
    known: dict[Place, int]
    """Line of each place."""
    found: list[tuple[int, str]] = field(default_factory=list)
    """Line and sentence of each."""

    def add(self, path: Place, what: str) -> None:
        """Note what is wrong at a place."""
        line = line_of(path, self.known)
        where = f"line {line}, " if line else ""
        end = "" if what.endswith((".", "?")) else "."
        self.found.append((line or 0, f"{where}{'.'.join(path)}: {what}{end}"))

    def refuse(self) -> None:
        """Raise `InputsInvalid` where anything is wrong."""
        if self.found:
            told = "\n".join(f"  {what}" for _, what in sorted(self.found))
            raise InputsInvalid(f"{self.file} holds no inputs to reckon with:\n{told}")


def path_of(key: str) -> Place:
    """Give where the quantity of a key stands in the file."""
    option, _, name = key.rpartition(".")
    return ("options", option, "quantities", name) if option else ("quantities", name)


def parse(text: str, file: str) -> tuple[Declared | None, Wrong]:
    """Give what a TOML text declares and what is wrong with it; None where too little of it is right.

    Raises
    ------
    InputsInvalid
        It is not TOML.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputsInvalid(f"{file} is not TOML: {error}") from error
    wrong = Wrong(file, lines(text))
    for key in sorted(set(raw) - {"about", "quantities", "options"}):
        wrong.add((key,), no_such_name("table of an inputs file", key, ["about", "quantities", "options"]))
    about = _validated(About, raw.get("about", {}), ("about",), wrong)
    currency = about.currency if about else None
    said = _section(raw.get("quantities", {}), ("quantities",), "", currency, wrong)
    options = []
    for name, table in _table(raw.get("options", {}), ("options",), wrong).items():
        place = ("options", name)
        if not _NAME.fullmatch(name):
            wrong.add(place, "an option's name is of small letters, digits and _")
            continue
        table = _table(table, place, wrong)
        head = {key: value for key, value in table.items() if key != "quantities"}
        if declared := _validated(OptionHead, head, place, wrong):
            options.append(Option(name, declared.title, declared.variant))
        said |= _section(table.get("quantities", {}), (*place, "quantities"), name, currency, wrong)
    return (Declared(about, tuple(sorted(options, key=lambda o: o.name)), said) if about else None), wrong


def _section(raw: Any, place: Place, option: str, currency: str | None, wrong: Wrong) -> dict[str, Said]:
    """Give the right ones of a table of quantities, and note which are wrong, and which are not there."""
    table = _table(raw, place, wrong)
    kinds = {name: kind for name, kind in CATALOGUE.items() if (kind.of_option if option else kind.of_service)}
    found = {}
    for name, entry in table.items():
        if name not in CATALOGUE:
            wrong.add((*place, name), no_such_name("quantity", name, kinds))
        elif name not in kinds:
            whose = "the service, and the same for all options" if option else "options"
            wrong.add((*place, name), f"it is a quantity of {whose}: state it there")
        elif said := _validated(Said, entry, (*place, name), wrong):
            before = len(wrong.found)
            _check(said, CATALOGUE[name], (*place, name), currency, wrong)
            if len(wrong.found) == before:
                found[f"{option}.{name}" if option else name] = said
    needed = [
        name for name, kind in kinds.items()
        if name not in table and kind.default is None and not (option and kind.scope is Scope.BOTH)
    ]  # fmt: skip
    if needed:
        wrong.add(place, f"it lacks {', '.join(needed)}. State each; of what nobody knows, a wide pert that is assumed")
    return found


def _check(said: Said, kind: Kind, place: Place, currency: str | None, wrong: Wrong) -> None:
    """Note a unit that is not the quantity's, or else figures that are not plausible in it."""
    if said.measured is not None and (not kind.measured or said.measured != kind.name):
        measurable = ", ".join(name for name, known in CATALOGUE.items() if known.measured)
        wrong.add((*place, "measured"), f"a run measures {measurable}, each under its own name")
    if (said.successes is not None and kind.unit != "share") or (said.events is not None and kind.unit != "1/year"):
        wrong.add(place, f"it is in {kind.unit}: successes of trials are a share, events in years a number a year")
    elif said.lognormal is not None and kind.unit == "share":
        wrong.add(place, "a share ends at 1, and a lognormal nowhere: say pert, or successes of trials")
    elif currency is None:
        return
    elif what := unlike(said.unit, kind, currency):
        wrong.add((*place, "unit"), what)
    else:
        for what in implausible(said.figures(), kind, currency):
            wrong.add(place, what)


def _table(raw: Any, place: Place, wrong: Wrong) -> dict[str, Any]:
    if isinstance(raw, dict):
        return raw
    wrong.add(place, "it is no table")
    return {}


def _validated(model: type[Strictly], raw: Any, place: Place, wrong: Wrong) -> Any:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for e in error.errors():
            path = (*place, *map(str, e["loc"]))
            if e["type"] == "extra_forbidden":
                wrong.add(path, no_such_name("key here", path[-1], model.model_fields))
            else:
                wrong.add(path, e["msg"].removeprefix("Value error, "))
        return None
