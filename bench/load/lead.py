"""Lead one load whose workers are on other machines, against a gateway that somebody else runs: `python -m bench.load.lead`.

`bench run` starts the gateway itself. In a cluster others do that; this is its generator alone. It leaves, where the
workers brought their rows, `requests.parquet`, `workers.parquet` and `account.json`, and prints the account. Options after
`--` are Locust's and the engine's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench import scenario
from bench.errors import BenchError
from bench.load import samples, spool
from bench.load.account import Account, workers_rows
from bench.load.generator import Elsewhere, Generator, Order
from bench.store import writer

_ACCOUNT = "account.json"
_TABLES = ("requests", "workers")


def lead(order: Order, name: str, within_s: float, folder: Path) -> Account:
    """Run one load, put its tables beside the rows of its workers, and give its account.

    Parameters
    ----------
    order
        What to do; its workers are elsewhere.
    name
        Of the load, in the column `cell_id`.
    within_s
        How long the load may take.
    folder
        Where this machine works; must exist.

    Raises
    ------
    BenchError
        The load failed, or its samples cannot be read or written.
    """
    with Generator(order, folder) as generator:
        generator.wait(within_s)
        account = generator.account()
    writer.write("requests", spool.read_requests(generator.samples, name), folder)
    writer.write("workers", writer.from_rows("workers", workers_rows(generator.samples, name)), folder)
    (folder / _ACCOUNT).write_text(described(account))
    samples.put(folder, order.elsewhere.samples, (*(f"{table}.parquet" for table in _TABLES), _ACCOUNT))
    return account


def described(account: Account) -> str:
    """Write an account as JSON, with the place for sentences that say why the load is not valid."""
    return json.dumps(asdict(account) | {"reasons": account.reasons, "valid": not account.reasons}, indent=1) + "\n"


def parser() -> argparse.ArgumentParser:
    """Give the parser of the command line."""
    arguments = argparse.ArgumentParser(prog="python -m bench.load.lead", description=__doc__)
    arguments.add_argument("--scenario", default="steady", help="Name of a scenario")
    arguments.add_argument("--host", required=True, help="The gateway, http://gateway:8080")
    arguments.add_argument("--workers", type=int, required=True, help="How many workers to wait for")
    arguments.add_argument("--at", default="127.0.0.1:5557", help="ADDRESS:PORT of this machine to listen at for them")
    arguments.add_argument("--samples", required=True, help="URI or shared path where the workers bring their rows")
    arguments.add_argument("--name", default="load", help="Name of the load")
    arguments.add_argument("--within", type=float, default=600.0, help="Seconds that the load may take")
    arguments.add_argument("locust", nargs="*", help="After --: options of Locust and the engine")
    return arguments


def main() -> None:
    """Read the command line and lead; an error is a sentence and exit code 1. A load that is not valid is no error."""
    said = parser().parse_args()
    try:
        order = Order(
            scenario.locustfile(said.scenario), said.host, tuple(said.locust), workers=said.workers,
            elsewhere=Elsewhere.parse(said.at, said.samples).under(said.name),
        )  # fmt: skip
        print(f"The samples go to {order.elsewhere.samples}", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="lead-") as folder:
            print(described(lead(order, said.name, said.within, Path(folder))), end="")
    except BenchError as error:
        sys.exit(f"lead: {error}")


if __name__ == "__main__":
    main()
