"""`bench prove load`: every proof of the load generator, one after the other, and the certificate of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.prove import accounting, equivalence, fidelity, known_delay, queueing, stall
from bench.prove.certificate import Certificate, Proof, certify
from bench.rig import Rig

KIND = "load"
MINUTES = 14
"""About how long all of it takes."""


def prove(say: Callable[[str], None], show: Callable[[Proof], None]) -> Certificate:
    """Run every proof and keep the certificate.

    Parameters
    ----------
    say
        Told what is about to be proven.
    show
        Given each proof as it is made.

    Raises
    ------
    BenchError
        A load, a build or a server failed: nothing is proven then, and no certificate is kept.
    """
    rig = Rig.split(1)
    proofs: list[Proof] = []
    curves = {}

    def keep(made: list[Proof]) -> None:
        proofs.extend(made)
        for proof in made:
            show(proof)

    with tempfile.TemporaryDirectory(prefix="prove-") as name:
        folder = Path(name)
        say("A server stopped for a second, seen by the engine and by Locust's own pacing")
        made, curves["stall"] = stall.prove(_own(folder, "stall"), rig)
        keep(made)
        say("The queueing law at half and at four fifths of a server's capacity")
        keep(queueing.prove(_own(folder, "queueing"), rig))
        say("Known delays, joined with the server's own instants")
        keep(known_delay.prove(_own(folder, "delay"), rig))
        say("The schedule, as the server saw it arrive")
        keep(fidelity.prove(_own(folder, "fidelity"), rig))
        say("Every request accounted for, however a load ends")
        keep(accounting.prove(_own(folder, "accounting"), rig))
        say("The same gateway seen by vegeta, in interleaved pairs")
        keep(equivalence.prove(_own(folder, "equivalence"), rig))
    return certify(KIND, proofs, curves)


def _own(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir()
    return path
