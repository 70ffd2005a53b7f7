"""A process that cleans up after its parent, however the parent ends.

It reads from a pipe what there will be to remove, and removes it when the pipe closes: when its parent is done, or is no
more. Nothing else has to remember.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_REMOVE_WITHIN_S = 10.0
_ROOT = Path(__file__).parent.parent


class Janitor:
    """The janitor, seen from its parent."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def remove_group(self, folder: Path) -> None:
        """Have a control group removed at the end, whether or not it comes into being; what is in it is killed."""
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()


@contextmanager
def janitor() -> Iterator[Janitor]:
    """Keep a janitor; at the end it has removed everything.

    Raises
    ------
    OSError
        Something could not be removed; the message says what.
    """
    # No child that dies with its parent, and of no group that a signal from a terminal reaches.
    process = subprocess.Popen(
        [sys.executable, "-S", "-m", "bench.janitor"], cwd=_ROOT, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Janitor(process)
    finally:
        _, said = process.communicate()
        if process.returncode:
            raise OSError(said.strip() or f"The janitor ended with {process.returncode}.")


def _remove(group: Path) -> str | None:
    """Remove a control group and end what is in it; gives what went wrong."""
    deadline = time.monotonic() + _REMOVE_WITHIN_S
    while True:
        try:
            for member in (group / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(member), signal.SIGKILL)
            group.rmdir()
            return None
        except FileNotFoundError:
            return None
        except OSError as error:
            if time.monotonic() > deadline:
                return f"{group} could not be removed: {error.strerror}."
        time.sleep(0.02)


def main() -> None:
    groups = [Path(line.rstrip("\n")) for line in sys.stdin]
    if said := [why for group in groups if (why := _remove(group))]:
        sys.exit(" ".join(said))


if __name__ == "__main__":
    main()
