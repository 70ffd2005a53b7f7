"""Whether every figure of a report is what its run's parquet gives: the pages are run again, and the two are compared.

The report is made once more in a folder of its own, from the run that it names, with the parameters that it was made with and
without images. Then both are taken apart into pieces (`roi.report.pieces`), which must be the same: bit for bit on the machine
and with the libraries that made it, to `TOLERANCE` elsewhere. Files that cannot be computed again, images among them, are held
against the report's own checksums.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, takewhile, zip_longest
from pathlib import Path
from typing import Any

from bench.store.writer import sha256
from roi.report import checksums, findings, origin, pdf
from roi.report.again import Recomputed
from roi.report.execute import Status
from roi.report.pieces import Piece, pieces
from roi.report.place import STATUS_FILE
from roi.report.stored import Stored

TOLERANCE = 1e-9
"""How far a figure may be off, as a share of itself, where another processor or another library computes it."""
_OF_CODE = ("query_hash", "code_version")
"""Columns of findings that tell of code and run themselves: another version says so once, and not at every finding."""
_OWN = (STATUS_FILE, origin.FILE, checksums.FILE)
"""Files of a report that tell when and how it was made, and are never the same twice."""
_FIGURE = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_SHOWN = 60
"""Characters of a long text that are shown around a difference."""
_ALIGNED = 3_000
"""Most pieces that are aligned with each other, which takes the square of their number; of more each is held against its place."""


@dataclass(frozen=True)
class Difference:
    """One figure, text or file of a report that is not what was computed again."""

    file: str
    """In the report."""
    page: str
    """Page that it belongs to; empty for one that belongs to none."""
    figure: str
    """Its place in the file, in words: the finding and its field, the row and its column."""
    stored: str
    recomputed: str


@dataclass(frozen=True)
class Verdict:
    """What the comparison of a report came to."""

    report: str
    run: str
    differences: tuple[Difference, ...]
    changes: tuple[str, ...]
    """Sentences about what is another now: run, code, inputs, machine."""
    unchecked: tuple[str, ...]
    """Sentences about what was not computed again, and how it was checked instead."""
    findings: int
    """Findings that were compared."""
    charts: int
    """Tables of charts that were compared."""
    pieces: int
    """Figures and texts that were compared."""
    tolerance: float
    """Largest relative difference that counts as none; 0 asks for the same bits."""

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def compare(stored: Stored, again: Recomputed) -> Verdict:
    """Compare a report with the same report made again, piece by piece."""
    tolerance = 0.0 if stored.origin.machine == again.origin.machine else TOLERANCE
    left_out = () if stored.origin == again.origin else _OF_CODE
    left_out += ("parameters",) if again.renamed else ()
    found = [
        Difference(f"{name}.html", name, "the whole page", "complete", f"could not be computed: {outcome.sentence}")
        for name, outcome in again.outcomes.items()
        if outcome.status is not Status.OK
    ]
    for name in again.pieces:
        page = _page(name, stored.pages)
        if page not in again.outcomes or again.outcomes[page].status is Status.OK:
            found += _of_file(stored, again, name, tolerance, left_out)
    found += _of_files(stored, again, {difference.file for difference in found})
    return Verdict(
        stored.folder.name, stored.run, tuple(found), tuple(stored.origin.changes(again.origin)),
        tuple(_unchecked(stored)), len(findings.read(again.folder)), sum(name.endswith(".csv") for name in again.pieces),
        sum(map(len, again.pieces.values())), tolerance,
    )  # fmt: skip


def _of_file(
    stored: Stored, again: Recomputed, name: str, tolerance: float, left_out: Sequence[str]
) -> Iterator[Difference]:
    own, page = stored.folder / name, _page(name, stored.pages)
    if not own.is_file() or own.read_bytes() == (again.folder / name).read_bytes():
        return  # One that is not there is told with the files.
    try:
        there = pieces(own)
    except ValueError as error:
        yield Difference(name, page, "the whole file", f"damaged: {error}", "readable")
        return
    for piece, was, should in differences(_without(there, left_out), _without(again.pieces[name], left_out), tolerance):
        yield Difference(name, page or piece.page, piece.where, was, should)


def differences(
    stored: Sequence[Piece], recomputed: Sequence[Piece], tolerance: float
) -> Iterator[tuple[Piece, str, str]]:
    """Give every piece that is not the same in both, with its stored and its recomputed text."""
    for there, should in _pairs(stored, recomputed, tolerance):
        if there is None or should is None:
            yield there or should, *("not there" if piece is None else piece.text[:_SHOWN] for piece in (there, should))
        elif not same(there.text, should.text, tolerance):
            yield should, *_around(there.text, should.text)


def _pairs(
    stored: Sequence[Piece], recomputed: Sequence[Piece], tolerance: float
) -> Iterable[tuple[Piece | None, Piece | None]]:
    """Lay pieces side by side from the first to the last that differ; one that is in one of the two only stands alone."""

    def alike(pairs: Iterable[tuple[Piece, Piece]]) -> int:
        return sum(1 for _ in takewhile(lambda pair: same(pair[0].text, pair[1].text, tolerance), pairs))

    begin = alike(zip(stored, recomputed, strict=False))
    most = min(len(stored), len(recomputed)) - begin
    end = min(alike(zip(reversed(stored), reversed(recomputed), strict=False)), most)
    ours, theirs = stored[begin : len(stored) - end], recomputed[begin : len(recomputed) - end]
    if max(len(ours), len(theirs)) > _ALIGNED:
        return zip_longest(ours, theirs)
    matcher = SequenceMatcher(None, [one.text for one in ours], [one.text for one in theirs], autojunk=False)
    blocks = (zip_longest(ours[i:k], theirs[j:m]) for word, i, k, j, m in matcher.get_opcodes() if word != "equal")
    return chain.from_iterable(blocks)


def same(stored: str, recomputed: str, tolerance: float) -> bool:
    """Tell whether two texts are the same, but for figures that differ by at most a share of themselves."""
    if stored == recomputed or not tolerance:
        return stored == recomputed
    ours, theirs = _FIGURE.findall(stored), _FIGURE.findall(recomputed)
    return _FIGURE.split(stored) == _FIGURE.split(recomputed) and all(
        math.isclose(float(one.replace(",", "")), float(other.replace(",", "")), rel_tol=tolerance)
        for one, other in zip(ours, theirs, strict=True)
    )


def _around(stored: str, recomputed: str) -> tuple[str, str]:
    """Cut two long texts to what is around their first difference."""
    if max(len(stored), len(recomputed)) <= _SHOWN:
        return stored, recomputed
    pairs = zip(stored, recomputed, strict=False)
    at = next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(stored), len(recomputed)))
    start = max(0, at - _SHOWN // 2)
    return tuple(("…" if start else "") + text[start : start + _SHOWN] for text in (stored, recomputed))


def _without(found: Sequence[Piece], columns: Sequence[str]) -> list[Piece]:
    """Leave out columns of findings, which executed notebooks hold as well."""
    ends = tuple(f"{mark}{column}" for column in columns for mark in (", ", "."))
    return [piece for piece in found if not ends or not piece.where.endswith(ends)]


def _page(name: str, pages: Mapping[str, Any]) -> str:
    """Give the page that a file belongs to, by the beginning of its name."""
    own = Path(name).name
    return max((page for page in pages if own.startswith((f"{page}.", f"{page}-"))), key=len, default="")


def _of_files(stored: Stored, again: Recomputed, told: set[str]) -> Iterator[Difference]:
    """Give files that are missing, added, or changed in a way that no piece shows."""
    apart = checksums.compare(stored.folder)
    made = [str(path.relative_to(again.folder)) for path in again.folder.rglob("*") if path.is_file()]
    missing = {*apart.missing, *(name for name in made if not (stored.folder / name).is_file())}
    # Scripts and styles are the code's, and the same as long as the code is.
    static = [name for name in made if name not in again.pieces and name not in _OWN and name not in missing]
    unlike = [name for name in static if sha256(stored.folder / name) != sha256(again.folder / name)]
    changed = {*apart.changed, *(unlike if stored.origin == again.origin else ())}
    for names, there, should in (
        (missing, "not there", "published with the report"),
        (apart.added, "there", "not published with the report"),
        (changed, "changed", "as it was published"),
    ):
        for name in sorted(set(names) - told):
            yield Difference(name, _page(name, stored.pages), "the whole file", there, should)


def _unchecked(stored: Stored) -> Iterator[str]:
    for name, page in stored.pages.items():
        if page["status"] != Status.OK:
            yield (
                f"{name} was not complete ({page['status']}): it states no finding, and its files are held against"
                " checksums alone."
            )
    images = sum(path.suffix in (".png", ".svg") for path in (stored.folder / "charts").glob("*"))
    if images:
        yield f"{images} images are held against their checksums alone; the rows that they draw are in the CSV beside each."
    if (stored.folder / pdf.FILE).is_file():
        yield f"{pdf.FILE} is held against its checksum alone; the pages that it prints are checked."
