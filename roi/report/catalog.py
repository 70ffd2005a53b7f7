"""The catalogue: which notebooks make up a report, with which parameters, for whom."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from roi.errors import CatalogInvalid, UnknownName

FILE = "catalog.toml"
READS = ("run", "runs", "findings")
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass(frozen=True)
class Page:
    """One page of a report: a notebook with its parameters."""

    name: str
    """Its key in the catalogue, and the name of its files."""
    title: str
    notebook: Path
    audience: str = ""
    """For whom it is."""
    deadline_s: float = 300
    """Longest time that the whole notebook may take, in seconds."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Tables that the run must hold; without them the page is skipped."""
    on_request: bool = False
    """It is made only when it is named."""
    over_runs: bool = False
    """In a call for several runs it is made for the newest of them, with all of them in its parameter `runs`."""
    reads: str = "run"
    """What it is made from beside files that its parameters name: the report's `run`, all `runs` that there are, or the
    `findings` of the report's other pages, after which it is then run."""
    deck: tuple[str, ...] = ()
    """Ids of its charts that become slides, in their order; `*` stands for any letters."""

    @property
    def audiences(self) -> tuple[str, ...]:
        """For whom it is, one by one."""
        return tuple(one.strip() for one in self.audience.split(",") if one.strip())


def read(folder: Path = NOTEBOOKS) -> dict[str, Page]:
    """Give every page of the catalogue in a folder of notebooks, by name and in the order of the file.

    Raises
    ------
    CatalogInvalid
        The catalogue is missing, is not TOML, or an entry says something that an entry cannot say.
    """
    path = folder / FILE
    try:
        said = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise CatalogInvalid(f"There is no {FILE} in {folder.name}.") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogInvalid(f"{FILE} is not TOML: {error}") from error
    if not said:
        raise CatalogInvalid(f"{FILE} names no notebook: give it one table a page.")
    return {name: _page(folder, name, entry) for name, entry in said.items()}


def _page(folder: Path, name: str, entry: Any) -> Page:
    def invalid(what: str) -> CatalogInvalid:
        return CatalogInvalid(f"The page {name} of {FILE} {what}.")

    if not isinstance(entry, dict):
        raise invalid("is not a table")
    known = {f.name for f in fields(Page)} - {"name"}
    if unknown := set(entry) - known:
        raise CatalogInvalid(f"The page {name} of {FILE}: {UnknownName('key', min(unknown), known)}")
    types = {
        "title": str,
        "notebook": str,
        "audience": str,
        "deadline_s": int | float,
        "parameters": dict,
        "needs": list,
        "on_request": bool,
        "over_runs": bool,
        "reads": str,
        "deck": list,
    }
    for key, value in entry.items():
        if not isinstance(value, types[key]) or (isinstance(value, bool) and types[key] is not bool):
            raise invalid(f"has a {key} of the wrong type")
    if not entry.get("title"):
        raise invalid("has no title")
    if entry.get("deadline_s", 1) <= 0:
        raise invalid("has a deadline_s that is not above 0")
    notebook = folder / entry.get("notebook", f"{name}.ipynb")
    if not notebook.is_file():
        raise invalid(f"names {notebook.name}, which is not in {folder.name}")
    if entry.get("reads", "run") not in READS:
        raise CatalogInvalid(f"The page {name} of {FILE}: {UnknownName('thing to read', entry['reads'], READS)}")
    if "run" in entry.get("parameters", {}):
        raise invalid("sets the parameter run, which the command line gives")
    lists = {key: tuple(entry.get(key, ())) for key in ("needs", "deck")}
    if not all(isinstance(one, str) for said in lists.values() for one in said):
        raise invalid("has needs or a deck that are no lists of names")
    return Page(name, **entry | {"notebook": notebook} | lists)


def choose(pages: Mapping[str, Page], only: Iterable[str], audience: str = "") -> list[Page]:
    """Give pages in the catalogue's order.

    Parameters
    ----------
    pages
        The catalogue.
    only
        Names of pages; of none all that need not be named.
    audience
        For whom they are to be, such as CTO; empty for anybody.

    Raises
    ------
    UnknownName
        There is no page of a name, or none for the audience.
    """
    only = [name.removesuffix(".ipynb") for name in only]
    for name in only:
        if name not in pages:
            raise UnknownName("notebook in the catalogue", name, pages)
    audiences = dict.fromkeys(one for page in pages.values() for one in page.audiences)
    if audience and audience.lower() not in map(str.lower, audiences):
        raise UnknownName("audience in the catalogue", audience, audiences)
    chosen = [page for name, page in pages.items() if (name in only if only else not page.on_request)]
    return [page for page in chosen if not audience or audience.lower() in map(str.lower, page.audiences)]
