"""What a report is to run: every parameter is checked before any kernel starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roi.errors import BadParameters, UnknownName
from roi.report import parameters
from roi.report.catalog import Page
from roi.report.execute import Status
from roi.report.parameters import Parameter
from roi.report.runner import Outcome


@dataclass(frozen=True)
class Plan:
    """What is to be run: pages with their checked parameters, and pages that cannot be run."""

    parameters: Mapping[str, Mapping[str, Any]]
    """By page; a page that cannot be run has none here."""
    refused: Mapping[str, Outcome]


def plan(
    pages: Sequence[Page], run: str, given: Mapping[str, str], tables: Sequence[str] | None = None,
    of_set: Mapping[str, Any] | None = None,
) -> Plan:  # fmt: skip
    """Check every parameter before any kernel starts.

    Parameters
    ----------
    pages
        The pages.
    run
        Value of the parameter `run`, which every notebook has.
    given
        Texts from the command line; each goes to the pages that declare the parameter, and outranks all others.
    tables
        Tables that the run holds rows of; None when that is not known.
    of_set
        Values of a parameter set, which outrank the catalogue's; each goes to the pages that declare the parameter.

    Raises
    ------
    UnknownName
        No page declares a parameter that is given.
    BadParameters
        A value that is given does not fit.

    Notes
    -----
    A fault of the catalogue or of a notebook refuses that page alone.
    """
    of_set = of_set or {}
    checked, refused, known = {}, {}, set()
    for page in pages:
        try:
            declared = parameters.declared(page.notebook)
            if "run" not in declared:
                raise BadParameters(f'{page.notebook.name} declares no parameter run: give it `run = "reference"`.')
            values = parameters.check(declared, {"run": run, **page.parameters}, page.notebook.name)
        except (BadParameters, UnknownName) as error:
            refused[page.name] = Outcome(page.name, Status.BAD_PARAMETERS, str(error))
            continue
        known |= set(declared)
        values |= _asked_for(declared, given, of_set)
        if lacking := [] if tables is None else sorted(set(page.needs) - set(tables)):
            refused[page.name] = Outcome(page.name, Status.SKIPPED, f"The run holds no {' and no '.join(lacking)}.")
        else:
            checked[page.name] = values
    _check_names([*given, *of_set], known)
    return Plan(checked, refused)


def _asked_for(
    declared: Mapping[str, Parameter], given: Mapping[str, str], of_set: Mapping[str, Any]
) -> dict[str, Any]:
    values = {name: declared[name].check(value) for name, value in of_set.items() if name in declared}
    return values | {name: declared[name].parse(text) for name, text in given.items() if name in declared}


def _check_names(names: Sequence[str], known: set[str]) -> None:
    if "run" in names:
        raise BadParameters("The parameter run is the command's own argument: roi report RUN")
    for name in names:
        if name not in known and known:
            raise UnknownName("parameter of these notebooks", name, known)
