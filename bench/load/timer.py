"""A Linux timerfd: wakes an epoll at a nanosecond of CLOCK_MONOTONIC, where epoll's own timeout knows milliseconds."""

from __future__ import annotations

import ctypes
import os

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK = 0o4000
_TFD_CLOEXEC = 0o2000000
_TFD_TIMER_ABSTIME = 1
_NS = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Setting(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("first", _Timespec))


class Timer:
    """A one-shot timer with a file descriptor that becomes readable when it is due.

    Setting it again clears that, so the descriptor is never read.
    """

    def __init__(self) -> None:
        self.fd = _libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._setting = _Setting()
        self._reference = ctypes.byref(self._setting)
        self._first = self._setting.first

    def set(self, at_ns: int) -> None:
        """Make it due at an instant of CLOCK_MONOTONIC."""
        first = self._first
        first.seconds, first.nanoseconds = divmod(at_ns, _NS)
        _libc.timerfd_settime(self.fd, _TFD_TIMER_ABSTIME, self._reference, None)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.fd)
