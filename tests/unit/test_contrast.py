"""Every text stands out from what it is written on by 4.5 to 1, in light and dark, on pages and in charts (WCAG 2.2, 1.4.3)."""

import re

import pytest

from roi.charts import theme
from roi.report.edition import ASSETS

PAIR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
CSS = (ASSETS / "report.css").read_text()
COLOURS = {name: {"light": light, "dark": dark} for name, light, dark in PAIR.findall(CSS)}
BACKGROUNDS = ("paper", "card", "hover", "answer-tint")
WRITTEN = [(text, on) for text in ("ink", "muted", "accent", "good", "bad") for on in BACKGROUNDS]
WRITTEN += [(text, "code") for text in ("ink", "muted", "accent", "good", "bad", "keyword")] + [
    ("bad", "bad-tint"),
    ("ink", "bad-tint"),
]


def contrast(one, other):
    """Give the contrast ratio by the formula of the standard (relative luminance)."""

    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = max(luminance(one), luminance(other)), min(luminance(one), luminance(other))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_gives_21_for_black_on_white():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "on"), WRITTEN)
def test_text_of_a_page_stands_out(text, on, scheme):
    assert contrast(COLOURS[text][scheme], COLOURS[on][scheme]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("text", ["ink", "muted", "claim"])
def test_text_of_a_chart_stands_out_from_the_chart_and_from_the_page_around_it(text, dark):
    surface, card = theme.surface(dark), COLOURS["card"]["dark" if dark else "light"]
    assert surface.background == card, "a chart on a page is drawn without a background of its own"
    assert contrast(getattr(surface, text), surface.background) >= 4.5


def test_no_colour_of_the_sheet_is_without_its_other():
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS))
    assert used <= set(COLOURS)


@pytest.mark.parametrize("dark", [False, True])
def test_marks_and_lines_of_a_chart_stand_out_by_3_to_1_whatever_they_stand_for(dark):
    variants = [f"{runtime}-{number}" for runtime in ("go", "java", "node", "rust") for number in range(5)]
    others = [f"cause {number}" for number in range(11)]
    for name, style in theme.styles([*variants, *others], dark).items():
        assert contrast(style.colour, theme.surface(dark).background) >= 3, name
