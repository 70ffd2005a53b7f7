"""The pauses of a gateway, from whatever its runtime left in the cell's folder."""

from __future__ import annotations

from pathlib import Path

from bench.errors import UnknownName
from bench.meters import go, java, node, rust
from bench.meters.pause_log import PauseLog

_RUNTIMES = ("go", "java", "node", "rust")


def read(runtime: str, collector: str, pid: int, folder: Path) -> PauseLog:
    """Give the pauses of a gateway process that has ended.

    It must have ended: Node writes its trace at exit.

    Parameters
    ----------
    folder
        Where the `meter_flags` of gateway.toml, or the gateway itself, put the record: `go_runtime.jsonl`, `gc.log`,
        `v8-<pid>-<rotation>.json`, `rust_drops.jsonl`.

    Raises
    ------
    MeterFailed
        There is no record, or it is that of another process.
    UnknownName
        No meter reads pauses of such a runtime.
    """
    match runtime:
        case "go":
            return go.read(folder / "go_runtime.jsonl", collector, pid)
        case "java":
            return java.read(folder / "gc.log", collector, pid)
        case "node":
            return node.read(_rotated(folder, pid), collector, pid)
        case "rust":
            return rust.read(folder / "rust_drops.jsonl", collector, pid)
        case _:
            raise UnknownName("runtime with a pause meter", runtime, _RUNTIMES)


def _rotated(folder: Path, pid: int) -> list[Path]:
    return sorted(folder.glob(f"v8-{pid}-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))
