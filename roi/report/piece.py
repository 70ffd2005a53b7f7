"""A figure or a text of a report with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """One figure or text of a file."""

    where: str
    """Its place, in words for a reader."""
    text: str
    """Numbers in full; empty where there is nothing."""
    page: str = ""
    """Page that it belongs to, in a file that is of several."""
