"""Where a report is made and where it goes: a folder that takes the place of an earlier one at one instant, whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roi.errors import ReportNotPublished

STATUS_FILE = "status.json"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_ASIDE = ".aside"
_libc = ctypes.CDLL(None, use_errno=True)


def check_target(target: Path) -> None:
    """Refuse a folder that holds something else than a report; raises `ReportNotPublished`."""
    if target.exists() and not (target / STATUS_FILE).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise ReportNotPublished(
            f"{target.name} is there and is no report: choose another folder with --out, or remove it."
        )


@contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """Give a hidden folder beside the target to make a report in, and put it in the target's place at the end.

    An error or an interruption leaves the target as it was, and no folder behind. What a process that was killed left
    behind is removed by the next report for the same target.

    Raises
    ------
    ReportNotPublished
        The folder cannot be made or written, or the target cannot be replaced.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent):
            _remove_abandoned(target)
            work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
            lock = os.open(work, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        raise ReportNotPublished(f"No report can be written to {target.parent}: {error.strerror}.") from error
    try:
        yield work
        work.chmod(0o755)
        _replace(target, work)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        os.close(lock)
        shutil.rmtree(work, ignore_errors=True)


def _not_written(target: Path, error: OSError) -> ReportNotPublished:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        what = f"no room is left for a report in {target.parent}: free some, or choose another disk with --out"
    else:
        what = f"the report {target.name} could not be written: {error.strerror or error}"
    return ReportNotPublished(f"{what[0].upper()}{what[1:]}. An earlier report is as it was.")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder against every other process that takes or makes a place in it."""
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _remove_abandoned(target: Path) -> None:
    """Remove the folders of processes that made a report for the target and are not there any more."""
    for folder in target.parent.glob(f".{target.name}.*"):
        if folder.name.endswith(_ASIDE) and not target.exists():
            # Killed between two renames: the earlier report is still there.
            folder.rename(target)
            continue
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            # Whoever makes a report holds the lock of its folder, and gives it up by ending.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)


def _replace(target: Path, work: Path) -> None:
    """Put the new folder in the old one's place, and the old one where the new one was."""
    try:
        # Of two reports for one target that end together, each takes the place whole, one after the other.
        with _alone(target.parent):
            if not target.exists():
                work.rename(target)
            elif not _exchange(target, work):
                _exchange_in_steps(target, work)
    except OSError as error:
        raise ReportNotPublished(f"{target.name} could not be put in its place: {error.strerror}.") from error


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places at one instant (renameat2, Linux); tell whether this system and its disk can."""
    if not hasattr(_libc, "renameat2"):
        return False
    done = _libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if done == 0:
        return True
    if ctypes.get_errno() in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _exchange_in_steps(target: Path, work: Path) -> None:
    """Let two folders change places by three renames; the target comes back if one of them fails."""
    aside = work.with_name(work.name + _ASIDE)
    target.rename(aside)
    try:
        work.rename(target)
    except OSError:
        aside.rename(target)
        raise
    aside.rename(work)
