"""What share of rare requests meets a pause, with an interval that knows that one pause hits many."""

from __future__ import annotations

import numpy as np

from roi.statistics import studentised
from roi.statistics.estimate import Estimate
from roi.statistics.utilisation import merged


def overlaps(begin: np.ndarray, end: np.ndarray, pause_begin: np.ndarray, pause_end: np.ndarray) -> np.ndarray:
    """Tell for each interval whether it shares time with any pause.

    Parameters
    ----------
    begin, end
        Intervals, shape (n,), in the unit of the pauses.
    pause_begin, pause_end
        Pauses, shape (m,); they may overlap.

    Returns
    -------
    numpy.ndarray
        Booleans, shape (n,).
    """
    pause_begin, pause_end = merged(pause_begin, pause_end)
    if not len(pause_begin):
        return np.zeros(len(np.asarray(begin)), bool)
    # The first pause that ends after the interval began is the only one that needs a look.
    nearest = np.searchsorted(pause_end, begin, side="right")
    inside = nearest < len(pause_end)
    return inside & (pause_begin[np.minimum(nearest, len(pause_end) - 1)] < end)


def share_of_blocks(hits: np.ndarray, blocks: np.ndarray, confidence: float = 0.95) -> Estimate:
    """Give the share of hits, with the interval of a studentised bootstrap over blocks of time.

    Requests that wait for the same pause are one event and not many, so an interval over requests (Wilson's) is far too
    narrow. Blocks longer than any dependence are drawn again instead, whole (Kuensch, Annals of Statistics 17, 1989; with
    fixed blocks: Carlstein 1986). `n` is the number of blocks that hold a request, which is what the interval rests on.

    Parameters
    ----------
    hits
        Booleans, shape (n,).
    blocks
        Which block each belongs to, shape (n,).
    """
    if not len(hits):
        raise ValueError("There is no request to take a share of.")
    _, place = np.unique(blocks, return_inverse=True)
    hit, every = np.bincount(place, hits), np.bincount(place)
    share = float(hit.sum() / every.sum())
    if len(every) < 2:
        return Estimate(share, None, None, len(every), confidence)
    # A share is a ratio: what a block moves it by is its hits less what so many requests should have had.
    moves = share + (hit - share * every) / every.mean()
    lo, hi = studentised.interval(moves, confidence)
    return Estimate(share, max(lo, 0.0), min(hi, 1.0), len(every), confidence)
