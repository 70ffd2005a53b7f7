"""Figures that somebody else stated, read from a claims file: one table a claim.

The article's file is `data/claims.toml`; an analyst's own has the same form, which `docs/claims.md` describes.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from roi import user_files
from roi.claim_arithmetic import fault_of
from roi.data import DATA
from roi.errors import ClaimsInvalid, UnknownName
from roi.toml_lines import line_of, lines

ARTICLE = DATA / "claims.toml"
ARTICLE_NAME = "article"
NO_STUDY = "none"


class Relation(StrEnum):
    """What a claim says of its figure."""

    IS = "is"
    AT_MOST = "at most"
    AT_LEAST = "at least"


class Reading(BaseModel):
    """How other figures of the same file give a claim's figure, as the source itself seems to have computed it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    formula: str = Field(alias="from")
    """Arithmetic over ids of claims and numbers: `config_minutes_java / config_minutes_go`."""
    says: str
    """What the formula computes, in words."""
    another: bool = False
    """It is a figure of something else, which stands beside the claim and cannot refute it."""


class Claim(BaseModel):
    """One stated figure."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    where: str = Field(min_length=1)
    """Section of the source."""
    says: str = Field(min_length=1)
    """What the figure is said to be."""
    value: float = Field(allow_inf_nan=False)
    decimals: int = 0
    """Digits after the point that the source prints."""
    unit: str = Field(min_length=1)
    study: str
    """The notebook that answers for it; `none` where no single machine can."""
    figure: str = ""
    """Id of the finding of that notebook that answers it; empty where the study knows the article's claim by its id."""
    relation: Relation = Relation.IS
    derived: bool = False
    """The source's own figures imply it, the source does not print it."""
    computed: tuple[Reading, ...] = ()
    """Ways in which the file's own figures give it."""
    needs: str = ""
    """What it would take to measure it, where this suite does not."""
    no_quantity: str = ""
    """Why nothing that could be measured has this figure."""
    note: str = ""

    @model_validator(mode="after")
    def _one_answer(self) -> Claim:
        if self.needs and self.no_quantity:
            raise ValueError(
                "needs and no_quantity exclude each other: what is no quantity cannot be measured, keep one of them"
            )
        if self.figure and self.study == NO_STUDY:
            raise ValueError(
                f'figure = "{self.figure}" needs the study that records it: study = "11_qps_density", for example'
            )
        if self.figure and self.no_quantity:
            raise ValueError("figure and no_quantity exclude each other: keep one of them")
        return self


@cache
def read(path: Path = ARTICLE) -> dict[str, Claim]:
    """Give every claim of a file by its id.

    Raises
    ------
    ClaimsInvalid
        The file cannot be read, or says what a claims file cannot say; the message has every fault with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ClaimsInvalid(
            path.name, [(None, f"cannot be read ({error}): name a TOML file, see docs/claims.md")]
        ) from error
    return parse(text, path.name)


def find(name: str) -> Path:
    """Give the claims file of a name: `article`, or the path of a TOML file, relative to where the command was given.

    Raises
    ------
    ClaimsInvalid
        There is no such file.
    """
    if name == ARTICLE_NAME:
        return ARTICLE
    if found := user_files.find(name):
        return found
    raise ClaimsInvalid(name, [(None, f'is no file: give the path of a claims file, or "{ARTICLE_NAME}"')])


def claim(name: str) -> Claim:
    """Give one claim of the article; an unknown id raises `UnknownName` with the near ones."""
    known = read()
    if name not in known:
        raise UnknownName("claim", name, known)
    return known[name]


def parse(text: str, where: str) -> dict[str, Claim]:
    """Give the claims that a TOML text states, by id; `where` names it in errors. Raises as `read` does."""
    try:
        said = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ClaimsInvalid(where, [(None, f"is not TOML: {error}")]) from error
    if not said:
        raise ClaimsInvalid(where, [(None, "states no claim: give it one table a claim, see docs/claims.md")])
    at, found, faults = lines(text), {}, []
    for name, entry in said.items():
        try:
            found[name] = _claim(name, entry)
        except ValidationError as error:
            faults += [(line_of((name, *map(str, e["loc"][:1])), at), f"{name}: {_fault(e)}") for e in error.errors()]
        except ValueError as error:
            faults.append((line_of((name,), at), f"{name}: {error}"))
    if not faults:
        faults = [
            (line_of((name, "computed"), at), f"{name}: {fault}")
            for name, one in found.items()
            for reading in one.computed
            if (fault := fault_of(reading.formula, found))
        ]
    if faults:
        raise ClaimsInvalid(where, faults)
    return found


def _claim(name: str, entry: Any) -> Claim:
    if not isinstance(entry, dict):
        raise ValueError("is not a table: write [an_id] and below it where, says, value, unit and study")
    if not name.isidentifier():
        raise ValueError("an id has letters, digits and _ alone, and no digit first, as formulas name claims by it")
    if own := {"id", "decimals"} & set(entry):
        raise ValueError(f"{min(own)} is not yours to say: the id is the table's name, the digits are those of value")
    value = entry.get("value")
    if isinstance(value, bool):
        raise ValueError("value is true or false, and must be a number")
    decimals = max(0, -value.as_tuple().exponent) if isinstance(value, Decimal) and value.is_finite() else 0
    return Claim(**entry, id=name, decimals=decimals)


def _fault(error: dict[str, Any]) -> str:
    """Say what pydantic found, with the remedy where its own words have none."""
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"{place} is missing: every claim has where, says, value, unit and study"
    if error["type"] == "extra_forbidden":
        known = sorted(
            field.alias or name for name, field in Claim.model_fields.items() if name not in ("id", "decimals")
        )
        return f"{place} is no key of a claim; there is: {', '.join(known)}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
