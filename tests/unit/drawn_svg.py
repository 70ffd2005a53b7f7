"""Reads charts out of the SVG that was drawn of them: where marks stand, by the labels of the axes, and nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

_G, _PATH, _TEXT = (f"{{http://www.w3.org/2000/svg}}{name}" for name in ("g", "path", "text"))
_COMMAND = re.compile(r"([MLHVhvmZ])([^A-Za-z]*)")
_FIGURE = re.compile(r"([−-]?[\d,.]+)([nµmkMG%]?)")
_SIGNS = {"n": 1e-9, "µ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "%": 1e-2, "": 1.0}

Point = tuple[float, float]


@dataclass(frozen=True)
class Trace:
    """What is drawn of one series or category, in pixels of the picture."""

    points: tuple[Point, ...]
    """Centres of its markers."""
    line: tuple[Point, ...]
    """Corners of its line; none where it has none."""
    band: tuple[Point, ...]
    """Corners of its filled area."""
    bars: tuple[tuple[Point, Point], ...]
    """Two opposite corners of each bar."""
    whiskers: tuple[tuple[Point, Point], ...]
    """The ends of each interval."""


class Drawn:
    """One SVG."""

    def __init__(self, path: Path) -> None:
        self._root = ElementTree.fromstring(path.read_bytes())
        (plot,) = (group for group in self._of_class("xy") if group.get("transform"))
        self._left, self._top = _translation(plot)
        self.traces = tuple(self._trace(group) for group in self._root.iter(_G) if _is_trace(group))

    def ticks(self, axis: str) -> dict[str, float]:
        """Give the labels of an axis, x or y, with their places in pixels."""
        texts = [next(group.iter(_TEXT)) for group in self._of_class(f"{axis}tick")]
        return {"".join(text.itertext()): _translation(text)[axis == "y"] for text in texts}

    def place(self, axis: str, log: bool) -> Callable[[float], float]:
        """Give what gives the pixel of a value: a straight line through the first and the last tick; all others lie on it."""
        ticks = sorted((_scaled(_read(label), log), at) for label, at in self.ticks(axis).items())
        (low, from_), (high, to) = ticks[0], ticks[-1]
        slope = (to - from_) / (high - low)
        assert all(abs(from_ + slope * (value - low) - at) < 0.05 for value, at in ticks), f"ticks of {axis}: {ticks}"
        return lambda value: from_ + slope * (_scaled(value, log) - low)

    def _of_class(self, name: str) -> Iterator[ElementTree.Element]:
        return (group for group in self._root.iter(_G) if name in group.get("class", "").split())

    def _trace(self, group: ElementTree.Element) -> Trace:
        paths = list(group.iter(_PATH))
        of = {
            name: [p for p in paths if p.get("class") == name]
            for name in ("point", "js-line", "js-fill", "xerror", "yerror")
        }
        points = [self._moved(_translation(path)) for path in of["point"] if path.get("transform")]
        bars = [
            path
            for path in paths
            if "bars" in group.get("class", "").split() and path.get("class") in (None, "pattern_filled")
        ]
        return Trace(
            tuple(points), self._corners(of["js-line"]), self._corners(of["js-fill"]),
            tuple((corners[0], corners[2]) for path in bars if (corners := self._corners([path]))),
            tuple(self._ends(path) for path in of["xerror"] + of["yerror"]),
        )  # fmt: skip

    def _ends(self, path: ElementTree.Element) -> tuple[Point, Point]:
        """Give the ends of an interval: a cap, the line to the other end, a cap."""
        corners = self._corners([path])
        along = 0 if path.get("class") == "xerror" else 1
        low, high = (pick(corner[along] for corner in corners) for pick in (min, max))
        middle = sum(corner[1 - along] for corner in (corners[0], corners[1])) / 2
        return ((low, middle), (high, middle)) if along == 0 else ((middle, low), (middle, high))

    def _corners(self, paths: list[ElementTree.Element]) -> tuple[Point, ...]:
        return tuple(self._moved(corner) for path in paths for corner in _corners(path.get("d", "")))

    def _moved(self, point: Point) -> Point:
        return point[0] + self._left, point[1] + self._top


def _is_trace(group: ElementTree.Element) -> bool:
    names = group.get("class", "").split()
    return "trace" in names and bool({"scatter", "bars"} & set(names))


def _translation(element: ElementTree.Element) -> Point:
    across, up = re.match(r"translate\(([-\d.]+),\s*([-\d.]+)\)", element.get("transform")).groups()
    return float(across), float(up)


def _corners(drawn: str) -> list[Point]:
    """Give the points that a path goes to."""
    x = y = 0.0
    corners = []
    for command, given in _COMMAND.findall(drawn):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", given)]
        if command in "ML":
            steps = list(zip(numbers[::2], numbers[1::2], strict=True))
        elif command == "m":
            steps = [(x + numbers[0], y + numbers[1])]
        elif command in "Hh":
            steps = [(numbers[0] + x * (command == "h"), y)]
        elif command in "Vv":
            steps = [(x, numbers[0] + y * (command == "v"))]
        else:
            steps = []
        for x, y in steps:
            corners.append((x, y))
    return corners


def _read(label: str) -> float:
    figure, sign = _FIGURE.fullmatch(label).groups()
    return float(figure.replace(",", "").replace("−", "-")) * _SIGNS[sign]


def _scaled(value: float, log: bool) -> float:
    return math.log10(value) if log else value
