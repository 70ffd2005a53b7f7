"""A chart in another language: its words and the names in it, and none of its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from roi.charts.spec import XY_KINDS, ChartSpec
from roi.charts.theme import runtime

_TEXTS = ("title", "subtitle", "footnote", "alt", "x_title", "y_title")


def translated(spec: ChartSpec, say: Callable[[str], str]) -> ChartSpec:
    """Give a chart in another language; columns keep their names.

    Parameters
    ----------
    spec
        The chart.
    say
        Gives a text in the language, or as it is.
    """
    drawn = [spec.series, None if spec.kind in XY_KINDS else spec.x]
    texts = [name for name in spec.columns if name in drawn or _is_text(spec.data[name])]
    names = {column: _names(spec.data[column], say, distinct=column in drawn) for column in texts}
    coloured = names.get(next(filter(None, drawn), ""), {})
    return spec.replace(
        **{field: say(getattr(spec, field)) for field in _TEXTS},
        references=tuple(replace(line, label=say(line.label)) for line in spec.references),
        data=spec.data.assign(**{column: spec.data[column].replace(said) for column, said in names.items()}),
        order=tuple(coloured.get(name, name) for name in spec.order),
    )


def _is_text(column: pd.Series) -> bool:
    return not column.dropna().empty and column.dropna().map(lambda value: isinstance(value, str)).all()


def _names(column: pd.Series, say: Callable[[str], str], distinct: bool) -> dict[str, str]:
    """Give what each text of a column becomes.

    Series and categories stay apart, and keep the runtime that their colour hangs on: a name that would not is left as it is.
    """
    said = {name: say(name) for name in column.dropna().unique()}
    if not distinct:
        return said
    kept = {name: text if runtime(text) == runtime(name) else name for name, text in said.items()}
    often = pd.Series([*kept.values()]).value_counts()
    return {name: text if often[text] == 1 else name for name, text in kept.items()}
