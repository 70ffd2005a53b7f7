"""The control: the same program under the same flags on the same processors, which does nothing but watch itself.

What it sees late, the machine did; what only the gateway sees is the gateway's own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.errors import GatewayDied
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.gateways.registry import Variant
from bench.meters import hiccups

_BUDGET_MIB = 64
"""It has nothing to keep; a heap as large as the gateway's would only take longer to touch."""
_START_S = 20.0
_READY = re.compile(r'"msg": ?"control"')


class Control:
    """A running control; as a context manager it is ended whatever happens.

    Parameters
    ----------
    folder
        Where its log and record go; made here.
    cpus
        The gateway's processors.

    Raises
    ------
    GatewayDied
        It ended at start, or did not say that it watches.
    """

    def __init__(self, variant: Variant, folder: Path, cpus: Collection[int]) -> None:
        folder.mkdir()
        self._folder = folder
        self._settings = Settings(
            port=free_port(),
            folder=folder,
            cpus=tuple(cpus),
            memory_budget_mib=_BUDGET_MIB,
            live_set_mib=0,
            control=True,
        )
        self._variant = variant

    def __enter__(self) -> Self:
        self._process = GatewayProcess(self._variant, self._settings)
        try:
            self._wait_ready()
        except GatewayDied:
            self._process.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def record(self) -> hiccups.Hiccups | None:
        """Give what it saw, once it has ended; None when it left nothing."""
        return hiccups.read(self._folder / hiccups.FILE)

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if any(_READY.search(line) for line in self._process.log_lines()):
                return
            if (code := self._process.process.poll()) is not None:
                raise self._process.died(f"ended as a control at start with exit code {code}")
            time.sleep(0.005)
        raise self._process.died(f"did not start as a control within {_START_S:g} s")
