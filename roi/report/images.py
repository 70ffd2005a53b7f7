"""The images of a report's charts: those that an earlier report has drawn already are taken, the others are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from roi.charts import image
from roi.charts.spec import ChartSpec
from roi.report import kept
from roi.report.kept import Kept


def write_images(charts: Mapping[str, ChartSpec], folder: Path, there: Kept | None = None) -> None:
    """Write every chart as PNG and SVG.

    Parameters
    ----------
    charts
        By file name without ending.
    folder
        Must exist.
    there
        Where images are kept; None draws all.

    Raises
    ------
    ChromiumMissing, ImagesFailed
        As `roi.charts.image.write_images` does.
    """
    if there is None:
        image.write_images(charts, folder)
        return
    browser = image.chromium()
    names = {
        folder / f"{name}.{ending}": kept.of_image(spec, browser, ending)
        for name, spec in charts.items()
        for ending in image.FORMATS
    }
    lacking = {path.stem for path, name in names.items() if not there.take(name, path)}
    drawn = image.write_images({name: spec for name, spec in charts.items() if name in lacking}, folder)
    for path in drawn:
        there.keep(names[path], path.read_bytes())
