"""What `roi verify` found, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from roi.report.verify import Verdict

_MOST = 10
"""Differences of one file that are printed; JSON has all."""


def lines(found: Verdict) -> Iterator[str]:
    """Give the verdict in lines: what is another now, each difference by its file, what was not computed again, the sum."""
    for sentence in found.changes:
        yield f"Note: {sentence}"
    for file, group in groupby(found.differences, key=lambda difference: difference.file):
        differences = list(group)
        page = differences[0].page
        yield f"{file}{f' (page {page})' if page and not file.startswith(f'{page}.') else ''}"
        for one in differences[:_MOST]:
            yield f"  {one.figure}: the report has {one.stored or 'nothing'}, computed again it is {one.recomputed or 'nothing'}"
        if len(differences) > _MOST:
            yield f"  and {len(differences) - _MOST} more differences in this file; --json names all"
    for sentence in found.unchecked:
        yield f"Note: {sentence}"
    yield _sum(found)


def _sum(found: Verdict) -> str:
    compared = (
        f"{found.findings} findings, the rows of {found.charts} charts, and {found.pieces:,} figures and texts in all"
        f" were computed again from the run {found.run}"
    )
    exact = "bit for bit" if not found.tolerance else f"to {found.tolerance:g} of each figure"
    if found.holds:
        return f"{found.report} holds: {compared}; all are the same, {exact}."
    files = len({difference.file for difference in found.differences})
    places = f"{len(found.differences)} {'place' if len(found.differences) == 1 else 'places'}"
    return f"{found.report} does not hold: {compared}; {places} in {files} {'file' if files == 1 else 'files'} differ."


def as_dict(found: Verdict) -> dict[str, Any]:
    """Give the verdict as plain values for JSON."""
    return {"holds": found.holds} | asdict(found)
