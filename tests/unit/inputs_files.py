"""An inputs file that says everything, to be changed in one place at a time."""

from __future__ import annotations

import pytest

from roi.errors import InputsInvalid
from roi.quantities import CATALOGUE, Scope

ABOUT = '[about]\ntitle = "A case"\ncurrency = "EUR"\nsynthetic = true\nvariant = "java17-zgc"\n'
GO = '[options.go]\ntitle = "Go"\nvariant = "go"\n'
KNOWN = 'provenance = "assumed"\nsource = "us"\ndate = 2026-01-31\n'


def said(name: str, form: str = "", option: str = "", unit: str = "", known: str = KNOWN) -> str:
    """Give a table of a quantity; of no form, its value is what is least plausible."""
    kind = CATALOGUE[name]
    head = f"options.{option}.quantities" if option else "quantities"
    unit = unit or kind.unit.replace("currency", "EUR")
    return f'[{head}.{name}]\nunit = "{unit}"\n{form or f"value = {float(kind.least)}"}\n{known}'


SERVICE = {name: said(name) for name, kind in CATALOGUE.items() if kind.of_service and kind.default is None}
OPTION = {f"go.{name}": said(name, option="go") for name, kind in CATALOGUE.items() if kind.scope is Scope.OPTION}
ALL = SERVICE | OPTION


def declared(changes: dict[str, str] | None = None) -> str:
    """Give a file that says everything, with some of its tables in another's place."""
    return ABOUT + GO + "".join((ALL | (changes or {})).values())


def refused(read, text: str, run=None) -> str:
    """Give the message with which a file is refused."""
    with pytest.raises(InputsInvalid) as caught:
        read(text, run)
    return str(caught.value)
