"""What names the machine and its user, taken out of everything that a report shows."""

from __future__ import annotations

import getpass
import re
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SHORTEST_NAME = 4
"""Host and user names shorter than this are words of other texts, too."""
_EVERYDAY = {"localhost", "root", "user", "main", "host", "node", "linux", "runner", "admin", "jovyan"}


_names_shown: ContextVar[bool] = ContextVar("names_shown", default=False)


@contextmanager
def showing_names(asked: bool) -> Iterator[None]:
    """Leave paths and names of the machine where they are, if that is asked for, in all that is written within."""
    before = _names_shown.set(asked)
    try:
        yield
    finally:
        _names_shown.reset(before)


def names_are_shown() -> bool:
    """Tell whether paths and names of the machine stay where they are."""
    return _names_shown.get()


def without_names(text: str, folders: Iterable[Path] = ()) -> str:
    """Give text with machine paths cut to what is inside of the project, and host and user names replaced.

    Within `showing_names` the folders alone are cut.

    Parameters
    ----------
    text
        Any text, JSON and HTML among them.
    folders
        Further folders whose paths are cut off.
    """
    for path in sorted({str(folder) for folder in folders}, key=len, reverse=True):
        text = text.replace(f"{path}/", "").replace(path, "…")
    for pattern, instead in () if _names_shown.get() else _patterns():
        text = pattern.sub(instead, text)
    return text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    libraries = {sysconfig.get_paths()[name] for name in ("purelib", "platlib", "stdlib")}
    cut = {*libraries, sys.prefix, sys.base_prefix, str(_ROOT), tempfile.gettempdir()} - {"/usr", "/"}
    home = str(Path.home())
    paths = [(path, rf"{re.escape(path)}(/|\b)", "") for path in cut]
    paths.append((home, rf"{re.escape(home)}(?=[/\s'\"&<]|$)", "~"))
    # The longest first: any of them may be inside of another.
    paths.sort(key=lambda path: len(path[0]), reverse=True)
    found = [(re.compile(pattern), instead) for _, pattern, instead in paths]
    for name, instead in ((socket.gethostname(), "this-machine"), (_user(), "somebody")):
        if len(name) >= _SHORTEST_NAME and name.lower() not in _EVERYDAY:
            found.append((re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])"), instead))
    return found


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
