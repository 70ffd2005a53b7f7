"""Colours, dashes, markers and fonts: one look for every form of a chart.

Colours are those of Okabe and Ito (jfly.uni-koeln.de/color), which people with any colour vision can tell apart; each
runtime has a dash and a marker as well, so that a chart still reads in black and white.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

FONT = (
    "Inter, 'Helvetica Neue', 'Segoe UI', 'Noto Sans', 'Liberation Sans', Arial, 'Noto Sans CJK SC', 'Source Han Sans SC',"
    " 'PingFang SC', 'Microsoft YaHei', 'WenQuanYi Zen Hei', sans-serif"
)
"""Those with Chinese signs behind those for Latin letters: a browser takes each sign from the first that has it."""


@dataclass(frozen=True)
class Surface:
    """What a chart is drawn on."""

    background: str
    ink: str
    muted: str
    """Subtitle, footnote and axis text."""
    grid: str
    claim: str
    """Lines of claims and limits."""


LIGHT = Surface("#ffffff", "#16202a", "#55626f", "#e4e8ec", "#3c4650")
DARK = Surface("#14191f", "#e8edf2", "#9fadba", "#2a323b", "#c3ccd5")

CLAIM_DASH = "14px,4px,3px,4px,3px,4px"
CLAIM_WIDTH = 1.6


@dataclass(frozen=True)
class Style:
    """How one series is drawn."""

    colour: str
    dash: str
    marker: str
    pattern: str
    """Hatching of its bars."""


_RUNTIMES = {
    "go": Style("#0072B2", "solid", "circle", ""),
    "java": Style("#D55E00", "11px,4px", "square", "/"),
    "node": Style("#009E73", "2px,3px", "diamond", "."),
    "rust": Style("#CC79A7", "9px,3px,2px,3px", "triangle-up", "x"),
}
_ANY = Style("#56717f", "solid", "circle", "")
_OTHERS = (
    Style("#56717f", "5px,3px", "cross", "\\"),
    Style("#B07A00", "16px,4px", "x", "-"),
    Style("#3d8fc4", "5px,2px,1px,2px,1px,2px", "star", "|"),
    Style("#5d5d5d", "1px,4px", "hexagon", "+"),
    Style("#7A5195", "12px,3px,3px,3px", "pentagon", "x"),
    Style("#A23B3B", "3px,2px", "triangle-down", "/"),
    Style("#2F7F6F", "8px,6px", "hourglass", "."),
    Style("#8C6D31", "20px,3px", "bowtie", "\\"),
    Style("#AA4499", "6px,2px,6px,8px", "star-diamond", "-"),
    Style("#117733", "2px,6px", "octagon", "|"),
    Style("#3B4CC0", "10px,2px,1px,2px", "hexagram", "+"),
)
"""For what is no runtime: as many as the ledger has causes."""
_VARIANT_DASHES = ("18px,5px", "6px,6px", "3px,6px")
_VARIANT_SHADES = (0.0, 0.3, 0.52, 0.68)
"""Share of black, on a dark surface of white, in the shades of a runtime's variants: none fades into the surface."""
_DARK_LIFT = 0.28
"""Share of white that lifts every colour on a dark surface."""


def surface(dark: bool) -> Surface:
    """Give the surface for light or dark."""
    return DARK if dark else LIGHT


def runtime(name: str) -> str | None:
    """Give the runtime that a series or variant is named by (`java25-zgc` is java); None for another name."""
    found = re.match(r"(golang|go|java|node|rust)(?![a-z])", name.lower())
    return {"golang": "go"}.get(found[1], found[1]) if found else None


def styles(keys: Sequence[str], dark: bool = False, alike: bool = False) -> dict[str, Style]:
    """Give every series its style: fixed by runtime; variants of one runtime share its hue and marker.

    Parameters
    ----------
    keys
        The series in their order.
    dark
        On a dark surface.
    alike
        Those that are no runtime share one style, as where an axis names them and a colour each would mean nothing.
    """
    given: dict[str, Style] = {}
    seen: dict[str | None, int] = {}
    for key in keys:
        name = runtime(key)
        place = seen[name] = seen.get(name, -1) + 1
        style = _RUNTIMES[name] if name else _ANY if alike else _OTHERS[place % len(_OTHERS)]
        style = _lifted(style) if dark else style
        given[key] = _variant(style, place, dark) if name and place else style
    return given


def _variant(style: Style, place: int, dark: bool) -> Style:
    shade = _VARIANT_SHADES[place % len(_VARIANT_SHADES)]
    dash = _VARIANT_DASHES[(place - 1) % len(_VARIANT_DASHES)]
    return Style(
        mixed(style.colour, "#ffffff" if dark else "#000000", shade),
        dash,
        f"{style.marker}-open",
        style.pattern,
    )


def _lifted(style: Style) -> Style:
    return Style(mixed(style.colour, "#ffffff", _DARK_LIFT), style.dash, style.marker, style.pattern)


def mixed(colour: str, other: str, share: float) -> str:
    """Give a colour with a share of another in it, 0 to 1; both as `#rrggbb`."""
    parts = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def faint(colour: str, opacity: float) -> str:
    """Give a colour as `rgba(…)` with an opacity, 0 to 1."""
    return "rgba({},{},{},{})".format(*bytes.fromhex(colour[1:]), opacity)
