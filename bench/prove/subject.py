"""A gateway under proof: one variant with its meters on and its truths enabled, and what it recorded of itself."""

from __future__ import annotations

import http.client
import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from bench.errors import GatewayDied, MeterFailed
from bench.gateways import registry
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.meters import hiccups, pauses

BUDGET_MIB = 256
LIVE_SET_MIB = 8
_ASK_S = 120.0
_COLLECTIONS = ("stw_gc", "degenerated", "forced_gc")
_OF_RECORD = ("jul_safepoint", "go_gcstats", "node_trace")
"""The source of each runtime whose rows are single stops with an instant."""


class Subject:
    """A running gateway of one variant; as a context manager it is ended whatever happens.

    Parameters
    ----------
    name
        The variant.
    folder
        Where its log and records go; made here.
    cpus
        Processors to pin it to.
    flags
        More flags of its runtime.
    """

    def __init__(
        self, name: str, folder: Path, cpus: Collection[int], *, workers: int = 1, flags: Sequence[str] = ()
    ) -> None:
        declared = registry.variant(name)
        self.variant = replace(declared, flags=(*declared.flags, *flags))
        self.folder = folder
        folder.mkdir(parents=True)
        self._settings = Settings(
            port=free_port(), folder=folder, cpus=tuple(cpus), workers=workers, memory_budget_mib=BUDGET_MIB,
            live_set_mib=LIVE_SET_MIB, faults=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.gateway = GatewayProcess(self.variant, self._settings)
        try:
            self.gateway.wait_ready()
        except GatewayDied:
            self.gateway.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.stop()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.gateway.pid

    @property
    def runtime(self) -> str:
        """Its runtime: go, java, node or rust."""
        return self.variant.gateway.runtime

    @property
    def host(self) -> str:
        """Its address as a URL."""
        return f"http://{self.gateway.host}:{self.gateway.port}"

    def ask(self, path: str) -> dict[str, Any]:
        """POST to one of its fault or truth endpoints and give the answer.

        Raises
        ------
        GatewayDied
            It answered anything but 200, or nothing.
        """
        connection = http.client.HTTPConnection(self.gateway.host, self.gateway.port, timeout=_ASK_S)
        try:
            connection.request("POST", path)
            answer = connection.getresponse()
            body = answer.read()
        except OSError as error:
            raise self.gateway.died(f"did not answer POST {path}: {error}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise self.gateway.died(f"answered POST {path} with {answer.status}: {body.decode(errors='replace')}")
        return json.loads(body)

    def rows(self) -> pd.DataFrame:
        """Give every row of its pause log, once it has ended: columns of the `pauses` table."""
        return self.log().pauses.to_pandas()

    def hiccups(self) -> hiccups.Hiccups:
        """Give the record of its hiccup meter, once it has ended.

        Raises
        ------
        MeterFailed
            There is none.
        """
        record = hiccups.read(self.folder / hiccups.FILE)
        if record is None:
            raise MeterFailed(f"{self.variant.name} left no {hiccups.FILE}.")
        return record

    def log(self) -> pauses.PauseLog:
        """Give its pause log, once it has ended."""
        return pauses.read(self.runtime, self.variant.collector, self.pid, self.folder)


def stops(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the collector's stops that have an instant of their own, with `begin_ns` beside the columns of `pauses`."""
    kept = rows[rows["source"].isin(_OF_RECORD) & rows["kind"].isin(_COLLECTIONS)]
    return kept.assign(begin_ns=kept["end_ns"] - kept["dur_hi_ns"])


def within(found: pd.DataFrame, begin_ns: int, end_ns: int) -> pd.DataFrame:
    """Give the stops that share time with a span."""
    return found[(found["end_ns"] >= begin_ns) & (found["begin_ns"] <= end_ns)]
