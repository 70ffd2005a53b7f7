"""Something read at a steady pace from a thread of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import os
import threading
import time
from types import TracebackType
from typing import Self

import pyarrow as pa

from bench.meters import tables

PERIOD_S = 0.1


class Gone(Exception):
    """What was sampled exists no longer."""


class Sampler:
    """Reads once at the beginning, once a period, and once at the end; a subclass says what."""

    table_name: str
    """The table of the schema that the samples are rows of."""

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._period_s = period_s
        self._rows: list[dict[str, object]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)
        self._failure: Exception | None = None
        self._ended = False

    def read(self) -> dict[str, object]:
        """Give one sample, a row of the table.

        Raises
        ------
        Gone
            There is nothing to sample any more.
        """
        raise NotImplementedError

    def read_all(self) -> list[dict[str, object]]:
        """Give the rows of one reading: one, unless a subclass samples several things at once."""
        return [self.read()]

    def table(self) -> pa.Table:
        """Give the samples so far, in order of time, all columns but `cell_id`."""
        if self._failure is not None:
            raise self._failure
        return tables.from_rows(self.table_name, list(self._rows))

    def __enter__(self) -> Self:
        self._sample()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._sample()

    def _run(self) -> None:
        # It shares a processor with the load generator, and gives way to it at once (sched(7): SCHED_IDLE is below any nice).
        os.sched_setscheduler(threading.get_native_id(), os.SCHED_IDLE, os.sched_param(0))
        due = time.monotonic() + self._period_s
        while not self._ended and not self._stop.wait(max(0.0, due - time.monotonic())):
            self._sample()
            # After a long stall the missed samples are not made up for.
            due = max(due + self._period_s, time.monotonic())

    def _sample(self) -> None:
        if self._ended:
            return
        try:
            self._rows += self.read_all()
        except Gone:
            self._ended = True
        except Exception as error:
            # A thread's exception reaches nobody: the caller gets it with the table.
            self._failure = error
            self._ended = True
