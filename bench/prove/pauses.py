"""`bench prove pauses`: every proof of the pause meters, variant by variant, and the certificate of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import contract
from bench.errors import ToolchainMissing
from bench.gateways import registry
from bench.prove import attribution, forced, kernel_trace, outside, second_source, stopping
from bench.prove.certificate import Certificate, Proof, certify
from bench.rig import Rig

KIND = "pauses"
MINUTES = 9
VARIANTS = (
    "go", "java17-serial", "java17-parallel", "java17-g1", "java17-zgc", "java17-shenandoah", "java25-serial",
    "java25-parallel", "java25-g1", "java25-zgc", "java25-shenandoah", "java25-shenandoah-generational", "node", "node20",
    "rust",
)  # fmt: skip
"""Every collector of every runtime."""
_ATTRIBUTED = ("go", "java25-g1", "node", "rust")
"""One of each gateway: the ledger's arithmetic knows no collector."""


def prove(say: Callable[[str], None], show: Callable[[Proof], None]) -> Certificate:
    """Run every proof on every variant that this machine can run, and keep the certificate.

    Parameters
    ----------
    say
        Told what is about to be proven, and what is left out and why.
    show
        Given each proof as it is made.

    Raises
    ------
    BenchError
        A build, a gateway or a load failed: nothing is proven then, and no certificate is kept.
    """
    rig = Rig.split(1)
    able = contract.prepare_able(VARIANTS, say)
    if not able:
        raise ToolchainMissing("No variant can run on this machine: see bench doctor.")
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        for name in able:
            say(name)
            for proof in of_variant(name, Path(folder) / name, rig, say):
                proofs.append(proof)
                show(proof)
    return certify(KIND, proofs, {})


def of_variant(name: str, folder: Path, rig: Rig, say: Callable[[str], None]) -> list[Proof]:
    """Give all proofs of one variant."""
    both = (*rig.gateway_cpus, *rig.generator_cpus)
    proofs = forced.prove(name, folder / "forced", rig.gateway_cpus)
    proofs += stopping.prove(name, folder / "stopping", both)
    proofs += outside.prove(name, folder / "outside", rig.gateway_cpus)
    proofs += second_source.prove(name, folder / "second", rig)
    if why := kernel_trace.unable(registry.variant(name).gateway.runtime):
        say(f"  The kernel's tracer is no witness for {name}: {why}.")
    else:
        proofs += kernel_trace.prove(name, folder / "kernel", rig.gateway_cpus)
    return proofs + (attribution.prove(name, folder / "attribution", rig) if name in _ATTRIBUTED else [])
