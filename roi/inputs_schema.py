"""What may stand in an inputs file: its head, its options and its quantities, each checked by itself."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, field_validator, model_validator

from roi.distributions import Distribution, Lognormal, Pert, Point, Proportion, Rate, Triangular, Uniform

Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Count = Annotated[int, Strict(), Field(ge=0)]
Text = Annotated[str, Field(min_length=1)]

FORMS = ("value", "pert", "triangular", "uniform", "lognormal", "successes", "events", "recorded", "measured")
"""The ways to say what a quantity is, of which each takes one."""


class Provenance(StrEnum):
    """How a quantity is known."""

    MEASURED = "measured"
    """Drawn from a run of this suite."""
    RECORDED = "recorded"
    """Taken from what a firm's own systems wrote down."""
    SURVEYED = "surveyed"
    """Asked of people."""
    ASSUMED = "assumed"
    """Nobody has asked or counted."""


class Strictly(BaseModel):
    """A table that holds what it is known to hold, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(Strictly):
    """What the file is about."""

    title: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217 code of every sum of money in it."""
    synthetic: Annotated[bool, Strict()]
    """Whether the firm is made up."""
    run: Text | None = None
    """Run that measured quantities are drawn from, where nobody names another."""
    variant: str = ""
    """Measured variant that the service runs on today; empty where none stands for it."""


class OptionHead(Strictly):
    """What an option is."""

    title: Text
    variant: str = ""
    """Measured variant that stands for it; empty where none does."""


class Deciles(Strictly):
    """Two quantiles that tell a lognormal."""

    p10: Number
    p90: Number


class Recorded(Strictly):
    """A column of recorded cases."""

    file: Text
    """Path of a CSV, from the folder of the inputs file."""
    column: Text
    open: Text | None = None
    """Column that says yes of cases that go on."""


class Said(Strictly):
    """A quantity as it stands in the file."""

    unit: Text
    provenance: Provenance
    source: Text | None = None
    date: datetime.date | None = None
    n: Annotated[int, Strict(), Field(gt=0)] | None = None
    """Cases or people that it rests on."""
    note: str = ""
    value: Number | None = None
    pert: tuple[Number, Number, Number] | None = None
    triangular: tuple[Number, Number, Number] | None = None
    uniform: tuple[Number, Number] | None = None
    lognormal: Deciles | None = None
    successes: Count | None = None
    trials: Count | None = None
    events: Count | None = None
    years: Number | None = None
    recorded: Recorded | None = None
    measured: Text | None = None
    variant: Text | None = None
    """Measured variant that stands for the option's own."""
    policy: Text | None = None
    """Restart policy of which a measured recovery is, where the run has several."""

    @field_validator("date", mode="before")
    @classmethod
    def _a_day(cls, said: Any) -> Any:
        if said is not None and type(said) is not datetime.date:
            raise ValueError("write a day without quotes, such as 2026-01-31")
        return said

    @model_validator(mode="after")
    def _one_form(self) -> Said:
        said = [form for form in FORMS if getattr(self, form) is not None]
        if len(said) != 1:
            raise ValueError(f"say exactly one of {', '.join(FORMS)}; it says {' and '.join(said) or 'none'}")
        for first, second in (("successes", "trials"), ("events", "years")):
            if (getattr(self, first) is None) != (getattr(self, second) is None):
                raise ValueError(f"{first} and {second} go together; it says one of them")
        return self

    @model_validator(mode="after")
    def _its_provenance_is_told(self) -> Said:
        if (self.measured is not None) != (self.provenance is Provenance.MEASURED):
            raise ValueError(
                'what is measured is drawn from a run, as measured = "…", and nothing else is; a typed figure is recorded,'
                " surveyed or assumed"
            )
        if self.measured is None and (self.variant or self.policy):
            raise ValueError("variant and policy choose what is measured; leave them out")
        if self.recorded is not None and self.provenance is not Provenance.RECORDED:
            raise ValueError('cases in a file are recorded: say provenance = "recorded"')
        if self.measured is None and (missing := [key for key in ("source", "date") if getattr(self, key) is None]):
            raise ValueError(f"say its {' and its '.join(missing)}")
        if (
            self.provenance in (Provenance.RECORDED, Provenance.SURVEYED)
            and self.cases is None
            and self.recorded is None
        ):
            raise ValueError(f"what is {self.provenance} rests on a number of cases: say n")
        if self.trials is not None and self.n not in (None, self.trials):
            raise ValueError(f"n is {self.n}, and trials are {self.trials}; leave n out")
        return self

    @model_validator(mode="after")
    def _it_is_a_distribution(self) -> Said:
        self.typed()
        return self

    @property
    def cases(self) -> int | None:
        """What the quantity rests on, as far as the file says."""
        return next((count for count in (self.n, self.trials, self.events) if count is not None), None)

    def typed(self) -> Distribution | None:
        """Give what it says itself; None of what stands in a file or a run. Raises ValueError where that cannot be."""
        if self.value is not None:
            return Point(self.value)
        if self.lognormal is not None:
            return Lognormal(self.lognormal.p10, self.lognormal.p90)
        if self.successes is not None:
            return Proportion(self.successes, self.trials)
        if self.events is not None:
            return Rate(self.events, self.years)
        for form, ends in ((Pert, self.pert), (Triangular, self.triangular), (Uniform, self.uniform)):
            if ends is not None:
                return form(*ends)
        return None

    def figures(self) -> Iterator[float]:
        """Give the figures that it states in its own unit."""
        for form in ("value", "pert", "triangular", "uniform"):
            if (said := getattr(self, form)) is not None:
                yield from said if isinstance(said, tuple) else (said,)
        if self.lognormal is not None:
            yield from (self.lognormal.p10, self.lognormal.p90)
        if self.events is not None:
            yield self.events / self.years
