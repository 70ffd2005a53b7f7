"""What a chart of points draws beside its rows: intervals, steps, names of categories and reference lines.

Each is a series of its own, which any program draws: LibreOffice knows no whiskers from left to right, and Office no line across
a chart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from roi.charts import theme
from roi.charts.drawingml.axes import Scale
from roi.charts.drawingml.elements import AXIS_PT, CLAIM, INK, MUTED, C, Element, line, marker, no_line, value
from roi.charts.drawingml.plot import CLAIM_PT, GAP_PT, WHISKER_PT, label, labels
from roi.charts.drawingml.sheet import Cell, Column, Sheet, numbers, texts
from roi.charts.spec import ChartSpec, ReferenceLine
from roi.charts.text_width import width_pt, wrapped

FEW = 60
"""A cumulated share of more rows than this is a line from row to row, which no eye can tell from its steps."""
LINE_PT = 2.5
_SPREAD = 0.7
"""Share of a category's room that its series are spread over."""
_NAMES_WIDTH = 0.34
"""Largest share of the chart's width that names of categories take; longer ones are set in two lines and more."""
_JUST_INSIDE = 1e-4
APART = "\u00a0\u00a0"
"""Between a name and a dot that lies on the axis."""


@dataclass(frozen=True)
class Scatter:
    """A chart of points that is being drawn."""

    spec: ChartSpec
    sheet: Sheet
    """What is drawn from, so far."""
    rows: dict[str, tuple[int, int]]
    """Of every series in the sheet, the last one excluded."""
    across: Scale
    """Of the axis from left to right."""
    up: Scale
    """Of the axis upwards; places of categories where there are dots."""
    dots: bool
    """Whether categories run down the side."""

    @property
    def roles(self) -> tuple[str, str]:
        """Columns that are drawn along x and y."""
        return ("y", "place") if self.dots else ("x", "y")


def broken_names(spec: ChartSpec, width: float) -> list[str]:
    """Give the names of categories, broken into lines where they are long."""
    return ["\n".join(wrapped(name, AXIS_PT, width * _NAMES_WIDTH)) for name in spec.categories()]


def with_places(drawn: Scatter, names: list[str]) -> Sheet:
    """Put the place of every row beside it, from the top down, and the points that carry the names of categories."""
    number = len(names)
    order = {name: number - at for at, name in enumerate(drawn.spec.categories())}
    several = len(drawn.rows)
    places = [
        order[name] + ((several - 1) / 2 - at) * _SPREAD / several
        for at, (begin, end) in enumerate(drawn.rows.values())
        for name in drawn.sheet.columns["x"].cells[begin:end]
    ]
    return drawn.sheet.beside({
        "place": Column("place", tuple(places)),
        "name": Column("names", drawn.spec.categories()),
        # At the very end of a logarithmic axis LibreOffice takes a point for one beyond it.
        "name_x": Column("names, at", (drawn.across.at(_JUST_INSIDE),) * number),
        "name_y": Column("names, place", tuple(float(order[name]) for name in drawn.spec.categories())),
    })  # fmt: skip


def draw_under(drawn: Scatter) -> tuple[Scatter, list[Element]]:
    """Draw what lies under dots and steps as lines of its own: LibreOffice draws whiskers up and down alone."""
    spec, sheet, lines = drawn.spec, drawn.sheet, []
    ways, what = (_intervals, "intervals") if drawn.dots else (_steps, "steps")
    for place, (key, rows) in enumerate(drawn.rows.items()):
        if not (drawn.dots and spec.lo) and not stepped(spec, rows):
            continue
        role, head = f"{what}{place}", f"{key}, {what}" if key else what
        across, up = ways(drawn, rows)
        sheet = sheet.beside({
            role: Column(head, ()), f"{role}_x": Column(f"{head}, x", across), f"{role}_y": Column(f"{head}, y", up)
        })  # fmt: skip
        style = style_of(spec, key)
        plain = what == "intervals"
        colour = MUTED if plain and not spec.series else style.colour
        lines.append((role, (colour, WHISKER_PT) if plain else (colour, LINE_PT, style.dash)))
    made = [carrier(sheet, role, f"{role}_x", f"{role}_y", [], line(*look)) for role, look in lines]
    return replace(drawn, sheet=sheet), made


def _intervals(drawn: Scatter, rows: tuple[int, int]) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Give the ends of every dot's interval and its place, with an empty cell after each: there the line breaks."""
    columns = (drawn.sheet.span(role, rows).cells for role in ("lo", "y", "hi", "place"))
    ends = [
        ((y if lo is None else lo), (y if hi is None else hi), place) for lo, y, hi, place in zip(*columns, strict=True)
    ]
    across = [cell for lo, hi, _ in ends for cell in (lo, hi, None)]
    up = [cell for _, _, place in ends for cell in (place, place, None)]
    return tuple(across[:-1]), tuple(up[:-1])


def _steps(drawn: Scatter, rows: tuple[int, int]) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """Give the corners of the steps from row to row: along x first, and up at the next."""
    x, y = (drawn.sheet.span(role, rows).cells for role in ("x", "y"))
    across = [cell for place, cell in enumerate(x) for cell in ([cell] if place == 0 else [cell, cell])]
    up = [cell for place, cell in enumerate(y) for cell in ([cell] if place == len(y) - 1 else [cell, cell])]
    return tuple(across), tuple(up)


def draw_names(drawn: Scatter, names: list[str]) -> Element:
    """Draw the points that carry the names; they have no marker."""
    written = [label(at, name.replace("\n", f"{APART}\n") + APART, "l", INK) for at, name in enumerate(names)]
    return carrier(drawn.sheet, "name", "name_x", "name_y", written, no_line())


def carrier(sheet: Sheet, name: str, x: str, y: str, written: list[Element], drawn: Element) -> Element:
    """Draw a series that is there for its line or its labels; its place is still to be put in front."""
    return C.ser(
        C.tx(texts(sheet.head(name))), C.spPr(drawn), marker(theme.styles(("",))[""], 0), *([labels(*written)] if written else []),
        C.xVal(numbers(sheet.span(x))), C.yVal(numbers(sheet.span(y))), value("smooth", False),
    )  # fmt: skip


def draw_references(drawn: Scatter, width: float) -> tuple[Scatter, list[Element]]:
    """Draw every reference line from end to end of the chart, with its label at its end."""
    sheet, levels, made = drawn.sheet, label_levels(drawn, width), []
    for place, one in enumerate(drawn.spec.references):
        upright = _upright(drawn, one)
        along = drawn.up if upright else drawn.across
        # The label of a level line ends where the chart does.
        inside = 1 - min(0.5, width_pt(one.label, AXIS_PT) / 2 / width)
        ways = (along.least, along.most) if upright else (along.least, along.at(inside), along.most)
        fixed = (one.value,) * len(ways)
        x, y = (fixed, ways) if upright else (ways, fixed)
        roles = [f"reference{place}{axis}" for axis in ("", "_x", "_y")]
        columns = Column(one.label, ()), Column(f"{one.label}, x", x), Column(f"{one.label}, y", y)
        sheet = sheet.beside(dict(zip(roles, columns, strict=True)))
        where = _side(drawn, one, width) if upright else "t"
        text = one.label + "\n" * levels.get(place, 0)
        made.append((roles, label(1, text, where, CLAIM, italic=True)))
    return replace(drawn, sheet=sheet), [
        carrier(sheet, *roles, [text], line(CLAIM, CLAIM_PT, theme.CLAIM_DASH)) for roles, text in made
    ]


def _upright(drawn: Scatter, one: ReferenceLine) -> bool:
    return (one.axis == "x") != drawn.dots


def _side(drawn: Scatter, one: ReferenceLine, width: float) -> str:
    """Give the side of its line's upper end that a label has room on: above, or on the left or right near an edge."""
    half, at = width_pt(one.label, AXIS_PT) / 2, drawn.across.share(one.value) * width
    return "l" if at + half > width + GAP_PT else "r" if at - half < -GAP_PT else "t"


def label_levels(drawn: Scatter, width: float) -> dict[int, int]:
    """Give by reference how many lines higher its label stands, so that it lies on no neighbour's."""
    ends, levels = {}, {}
    upright = [place for place, one in enumerate(drawn.spec.references) if _upright(drawn, one)]
    for place in sorted(upright, key=lambda place: drawn.spec.references[place].value):
        one = drawn.spec.references[place]
        wide, at = width_pt(one.label, AXIS_PT), drawn.across.share(one.value) * width
        begin = at - {"l": 1.0, "r": 0.0, "t": 0.5}[_side(drawn, one, width)] * wide
        level = next(n for n in range(len(upright)) if ends.get(n, -width) + GAP_PT <= begin)
        ends[level], levels[place] = begin + wide, level
    return levels


def style_of(spec: ChartSpec, key: str) -> theme.Style:
    """Give the style of a series; that of the first category for the only series of a chart."""
    by_name = theme.styles(spec.keys() or ("",), alike=spec.named_by_axis)
    return by_name[key] if key in by_name else next(iter(by_name.values()))


def stepped(spec: ChartSpec, rows: tuple[int, int]) -> bool:
    """Tell whether a series is drawn in steps."""
    return spec.kind == "ecdf" and rows[1] - rows[0] <= FEW
