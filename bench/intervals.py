"""Intervals of time: their union, and how much of another time they cover."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Intervals:
    """Half-open intervals of time, in ns."""

    begin_ns: np.ndarray
    end_ns: np.ndarray

    @classmethod
    def union(cls, parts: Iterable[Intervals]) -> Intervals:
        """Give the same instants as disjoint intervals in order."""
        parts = list(parts)
        begin = np.concatenate([part.begin_ns for part in parts])
        end = np.concatenate([part.end_ns for part in parts])
        order = np.argsort(begin, kind="stable")
        order = order[end[order] > begin[order]]
        begin, reached = begin[order], np.maximum.accumulate(end[order])
        first = np.ones(len(begin), bool)
        first[1:] = begin[1:] > reached[:-1]
        last = np.append(first[1:], True)[: len(begin)]
        return cls(begin[first], reached[last])

    def covered_before(self, instant_ns: np.ndarray) -> np.ndarray:
        """Give how much of the time before each instant disjoint intervals in order cover."""
        sums = np.concatenate([[0], np.cumsum(self.end_ns - self.begin_ns)])
        index = np.searchsorted(self.begin_ns, instant_ns, "right")
        beyond = np.append(self.end_ns, 0)[index - 1] - instant_ns
        return sums[index] - np.where(index > 0, np.maximum(beyond, 0), 0)

    def covered(self, begin_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
        """Give how much of each time disjoint intervals in order cover."""
        return self.covered_before(end_ns) - self.covered_before(begin_ns)
