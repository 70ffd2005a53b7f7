"""A worker on another machine: `python -m bench.load.worker --master-host 10.0.0.1 --master-port 5557`.

Locust's workers end with their master, and a campaign has a master a cell. This starts a worker again for each; the
scenario and its options come from the master. It must run in a checkout of the same version.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from bench import children, paths

_GRACE_S = 15.0
"""How long a worker may take to write down what it has when it is told to end."""
_BREATH_S = 0.5
"""Between one worker and the next: a master that refuses it is not asked without end."""


def work(master_host: str, master_port: int, loads: int | None) -> None:
    """Be a worker for one load after the other; None: until this process is ended."""
    command: list[str | Path] = [sys.executable, "-m", "locust", "-f", "-", "--worker"]
    command += ["--master-host", master_host, "--master-port", str(master_port)]
    done = 0
    while loads is None or done < loads:
        worker = children.spawn(command, cwd=paths.ROOT)
        try:
            # Not 0: no master was there, or the load failed; the next one may do better.
            done += worker.wait() == 0
        finally:
            children.stop(worker, _GRACE_S)
        time.sleep(_BREATH_S)


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    arguments = argparse.ArgumentParser(prog="python -m bench.load.worker", description=__doc__)
    arguments.add_argument("--master-host", required=True, help="Address of the machine that leads the load")
    arguments.add_argument("--master-port", required=True, type=int, help="The port that it waits for workers at")
    arguments.add_argument("--loads", type=int, help="End after so many loads; without it: go on until ended")
    return arguments


def main() -> None:
    """Read the command line and work until told to end."""
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        work(options.master_host, options.master_port, options.loads)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
