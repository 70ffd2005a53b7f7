"""Kernels that a process has started, and waiting for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psutil


def below(process: psutil.Process) -> list[psutil.Process]:
    """Give the kernels among all that a process has started."""
    return [one for one in process.children(recursive=True) if "ipykernel" in " ".join(one.cmdline())]


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    """Give what comes about, as soon as it is something; processes that end meanwhile are none."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := what():
                return found
        except psutil.Error:
            pass
        time.sleep(0.1)
    raise AssertionError(f"it did not come about in {seconds} s")
