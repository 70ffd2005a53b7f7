"""How much the logs of a cell and its meters' records take on disk: bounded, so that a long load fills none, and told."""

from __future__ import annotations

import time
from pathlib import Path

from bench.errors import RecordsFull

MOST_BYTES = 256 << 20
"""What one cell may write. Under full load Node writes most, 5.5 MB a minute (2026-11-26); the others less than 1 MB."""
_LOOK_EVERY_NS = 1_000_000_000


class Volume:
    """Watches what is written into the folder of a cell.

    Parameters
    ----------
    folder
        Where logs and the gateway's records go. The folders in it, of samples and the control, are bounded by the load.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._began_ns = self._next_ns = time.monotonic_ns()

    def bytes(self) -> int:
        """Give how much has been written."""
        return sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())

    def check(self) -> None:
        """Look once a second whether it is too much.

        Raises
        ------
        RecordsFull
            It is. Nothing is cut: records with a beginning and no end would hold fewer pauses than there were.
        """
        now = time.monotonic_ns()
        if now < self._next_ns:
            return
        self._next_ns = now + _LOOK_EVERY_NS
        if self.bytes() > MOST_BYTES:
            raise RecordsFull(
                f"The gateway's log and what its meters wrote took more than {MOST_BYTES >> 20} MiB within"
                f" {(now - self._began_ns) / 1e9:.0f} s. Shorten warm_up_s or duration_s of the suite, or lower its rate."
            )
