"""Inputs of the business case: every quantity with what it may be, how it is known, and from whom.

An option that does not restate a quantity of the service keeps the service's own: what it does not change brings nothing. What
is drawn hangs on the keys and the chance alone, and not on the order of the file.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roi import measured, recorded
from roi.data import Run
from roi.distributions import Distribution, Point, Tabled
from roi.errors import InputsInvalid, RoiError
from roi.inputs_file import Declared, Option, Wrong, parse, path_of
from roi.inputs_schema import Provenance, Said
from roi.quantities import CATALOGUE, Kind, implausible, named

__all__ = ["Inputs", "Option", "Provenance", "Quantity", "declared_run", "read", "values_of"]


@dataclass(frozen=True)
class Quantity:
    """One input."""

    key: str
    """`fix_hours` of the service, `go.fix_hours` of an option."""
    unit: str
    """The catalogue's, with the currency's code in it."""
    provenance: Provenance
    distribution: Distribution
    """What it may be, in the unit."""
    n: int | None
    """Cases, people or processes that it rests on; None where it rests on none."""
    source: str
    date: datetime.date | None
    """When it was so; None of a default."""
    note: str = ""

    @property
    def kind(self) -> Kind:
        """What the catalogue says of it."""
        return CATALOGUE[self.key.rpartition(".")[2]]


@dataclass(frozen=True)
class Inputs:
    """All inputs of a case."""

    title: str
    currency: str
    """ISO 4217 code."""
    synthetic: bool
    """Whether the firm is made up."""
    variant: str
    """Measured variant that the service runs on today; empty where none stands for it."""
    run: str | None
    """Name of the run that measured quantities are drawn from; None where none is measured."""
    options: tuple[Option, ...]
    """By name."""
    quantities: Mapping[str, Quantity]
    """By key, in the order of the keys."""

    @property
    def uncertain(self) -> tuple[str, ...]:
        """Keys of what is more than one value, in their own order."""
        return tuple(key for key in sorted(self.quantities) if not self.quantities[key].distribution.certain)

    def draw(self, uniforms: np.ndarray) -> dict[str, np.ndarray | float]:
        """Give every quantity's values in the catalogue's units; what is certain is one number.

        Parameters
        ----------
        uniforms
            Above 0 and below 1, shape (draws, k), a column for each of the k keys of `uncertain`.

        Raises
        ------
        ValueError
            The columns are not as many.
        """
        keys = self.uncertain
        if uniforms.ndim != 2 or uniforms.shape[1] != len(keys):
            raise ValueError(f"{uniforms.shape} is no shape of draws for {len(keys)} uncertain quantities.")
        drawn: dict[str, np.ndarray | float] = dict(self.means())
        return drawn | {key: self.quantities[key].distribution.quantile(uniforms[:, i]) for i, key in enumerate(keys)}

    def means(self) -> dict[str, float]:
        """Give every quantity's mean."""
        return {key: quantity.distribution.mean for key, quantity in self.quantities.items()}


def values_of(values: Mapping[str, np.ndarray | float], option: str = "") -> dict[str, np.ndarray | float]:
    """Give the values of one option by name: its own over those of the service; of no option, the service as it is today.

    Parameters
    ----------
    values
        By key, as `Inputs.draw` gives them.
    """
    service = {key: value for key, value in values.items() if "." not in key}
    head = f"{option}."
    return service | {key.removeprefix(head): value for key, value in values.items() if option and key.startswith(head)}


def read(path: Path, run: Run | None = None) -> Inputs:
    """Give the inputs that a file declares.

    Parameters
    ----------
    run
        The run that measured quantities are drawn from.

    Raises
    ------
    InputsInvalid
        There is no such file, or something in it is wrong; the message names each by its line, with the remedy.
    """
    declared, wrong = parse(_text(path), path.name)
    if declared is None:
        wrong.refuse()
        raise AssertionError("a file without a right head has something wrong")
    quantities = _defaults(declared)
    for key, said in declared.said.items():
        quantity = _quantity(key, said, declared, _Origin(path.parent, run), wrong)
        if quantity is not None:
            quantities[key] = quantity
    wrong.refuse()
    about = declared.about
    return Inputs(
        about.title, about.currency, about.synthetic, about.variant,
        run.name if run and any(said.measured for said in declared.said.values()) else None,
        declared.options,
        {key: quantities[key] for key in sorted(quantities)},
    )  # fmt: skip


def declared_run(path: Path) -> str | None:
    """Give the name of the run that a file wants its measured quantities from; None where it has none. Raises as `read` does."""
    declared, wrong = parse(_text(path), path.name)
    if declared is None:
        wrong.refuse()
        return None
    return declared.about.run if any(said.measured for said in declared.said.values()) else None


@dataclass(frozen=True)
class _Origin:
    """Where figures come from that do not stand in the file."""

    folder: Path
    run: Run | None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputsInvalid(f"There is no inputs file {path.name}. data/inputs holds two to begin with.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputsInvalid(f"{path.name} cannot be read: {error}.") from error


def _defaults(declared: Declared) -> dict[str, Quantity]:
    return {
        name: Quantity(name, named(kind, declared.about.currency), Provenance.ASSUMED, Point(kind.default), None, "default", None)
        for name, kind in CATALOGUE.items()
        if kind.of_service and kind.default is not None
    }  # fmt: skip


def _quantity(key: str, said: Said, declared: Declared, origin: _Origin, wrong: Wrong) -> Quantity | None:
    """Give a quantity with its distribution, or note what is wrong with what it is drawn from."""
    kind, currency = CATALOGUE[key.rpartition(".")[2]], declared.about.currency
    try:
        if said.measured is not None:
            found = _measured(key, said, declared, origin.run)
            distribution, n, source, date = (
                found.distribution,
                found.n,
                said.source or found.source,
                said.date or found.date,
            )
        else:
            distribution, n = _recorded(said, origin.folder) if said.recorded else (said.typed(), said.cases)
            source, date = said.source or "", said.date
    except (RoiError, ValueError) as error:
        wrong.add(path_of(key), str(error))
        return None
    if said.typed() is None:
        for what in implausible([distribution.mean], kind, currency):
            wrong.add(path_of(key), f"the mean of what is drawn: {what}")
    return Quantity(key, named(kind, currency), said.provenance, distribution, n, source, date, said.note)


def _recorded(said: Said, folder: Path) -> tuple[Distribution, int]:
    found = recorded.cases(folder / said.recorded.file, said.recorded.column, said.recorded.open)
    if said.n not in (None, len(found.values)):
        raise ValueError(f"n is {said.n}, and {said.recorded.file} holds {len(found.values)} cases; leave n out")
    return Tabled.of_draws(recorded.mean_draws(found)), len(found.values)


def _measured(key: str, said: Said, declared: Declared, run: Run | None) -> measured.Measured:
    option = key.rpartition(".")[0]
    variants = {option.name: option.variant for option in declared.options} | {"": declared.about.variant}
    variant = said.variant or variants.get(option, "")
    if run is None:
        raise ValueError("it is drawn from a run, and none was named")
    if not variant:
        raise ValueError("no measured variant stands for it: name one as variant, or state the quantity otherwise")
    planned = declared.said["utilisation"].typed() if "utilisation" in declared.said else None
    if planned is None:
        raise ValueError("what a request costs depends on the utilisation that is planned with: state that in the file")
    return measured.of(said.measured, run, variant, planned.mean, said.policy)
