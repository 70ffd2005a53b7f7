"""Charts as PNG and SVG, drawn by one Chromium for the whole batch.

Kaleido is called directly: plotly's own `write_images` drops the errors that kaleido returns, and kaleido's
`start_sync_server` waits for ever when the browser cannot start.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from roi.charts.figure import HEIGHT, WIDTH, figure
from roi.charts.spec import ChartSpec
from roi.errors import ChromiumMissing, ImagesFailed

FORMATS = {"png": 2, "svg": 1}
"""Endings and the scale they are drawn at."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_SECONDS_A_IMAGE = 60
_SECONDS_TO_START = 60
_MOST_TABS = 4


def chromium() -> str:
    """Give the path of a Chromium: BROWSER_PATH if it is set, or the first on the PATH.

    Raises
    ------
    ChromiumMissing
        There is none.
    """
    stated = os.environ.get("BROWSER_PATH")
    found = shutil.which(stated) if stated else next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        where = f"BROWSER_PATH names {stated!r}, which is no program" if stated else "none is on the PATH"
        raise ChromiumMissing(
            f"Charts cannot be drawn as PNG and SVG, nor the report as PDF, without Chromium, and {where}."
            " Install it: apt-get install chromium"
        )
    return found


def write_images(charts: Mapping[str, ChartSpec], folder: Path) -> list[Path]:
    """Write every chart as PNG (at twice its size) and SVG; gives the files.

    Parameters
    ----------
    charts
        By file name without ending.
    folder
        Must exist.

    Raises
    ------
    ChromiumMissing
        There is no Chromium; nothing was written.
    ImagesFailed
        Chromium did not start, or a chart could not be drawn; the message names the charts.
    """
    browser = chromium()
    jobs = {
        folder / f"{name}.{ending}": {"format": ending, "width": WIDTH, "height": HEIGHT, "scale": scale}
        for name in charts
        for ending, scale in FORMATS.items()
    }
    drawn = {name: figure(spec).to_dict() for name, spec in charts.items()}
    orders = [{"fig": drawn[path.stem], "path": str(path), "opts": opts} for path, opts in jobs.items()]
    if orders:
        # A thread of its own, because the caller may already run an event loop, as a notebook does.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, _draw(orders, browser)).result()
    missing = [path.name for path in jobs if not path.is_file() or not path.stat().st_size]
    if missing:
        raise ImagesFailed(f"Chromium drew nothing for: {', '.join(missing)}.")
    return list(jobs)


async def _draw(orders: list[dict], browser: str) -> None:
    from kaleido import Kaleido

    tabs = min(len(os.sched_getaffinity(0)), _MOST_TABS)
    kaleido = Kaleido(n=tabs, path=browser, mathjax=False, timeout=_SECONDS_A_IMAGE)
    try:
        await asyncio.wait_for(kaleido.open(), _SECONDS_TO_START)
    except Exception as error:
        raise ImagesFailed(
            f"Chromium did not start: {error or type(error).__name__}. Try it by hand: {browser} --version"
        ) from error
    try:
        errors = await kaleido.write_fig_from_object(orders)
    finally:
        await kaleido.close()
    if errors:
        raise ImagesFailed(f"{len(errors)} of {len(orders)} images could not be drawn; the first error: {errors[0]!r}")
