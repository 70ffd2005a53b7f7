"""The proof of the statistics: whether their intervals hold what they say, on made-up experiments of known truth.

The estimators are `roi`'s, which `bench` knows nothing of: a process of its own makes the proofs and tells them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

from bench.errors import BenchError
from bench.prove.certificate import Certificate, Proof, certify

MINUTES = 3


def prove(say: Callable[[str], None], show: Callable[[Proof], None], experiments: int | None = None) -> Certificate:
    """Make every proof and keep the certificate.

    Parameters
    ----------
    say, show
        Called with what is going on, and with each proof when it is made.
    experiments
        How many are made up for each; None takes as many as the statistics themselves ask for.

    Raises
    ------
    BenchError
        The statistics failed.
    """
    say("Each interval on thousands of made-up experiments")
    made = []
    command = [sys.executable, "-m", "roi.coverage", *([] if experiments is None else [str(experiments)])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as told:
        for line in told.stdout:
            made.append(Proof(**json.loads(line)))
            show(made[-1])
    if told.returncode:
        raise BenchError(f"The statistics failed with exit code {told.returncode}; what they said stands above.")
    return certify("statistics", made, {})
