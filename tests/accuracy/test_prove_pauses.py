"""Short forms of the proofs of the pause meters: some of the variants of `bench prove pauses`, and fewer stops."""

from __future__ import annotations

import math
import random

import pytest

from bench import contract, toolchains
from bench.gateways import registry
from bench.prove import attribution, forced, outside, overhead, second_source, stopping
from bench.prove.certificate import Proof
from bench.rig import Rig

RIG = Rig.split(1)


def able(name: str) -> str:
    """Skip a variant that this machine cannot run, and build one that it can."""
    if lacking := toolchains.missing(registry.variant(name).needs):
        pytest.skip(" ".join(lacking))
    contract.prepare((name,), lambda sentence: None)
    return name


def failing(proofs: list[Proof]) -> list[str]:
    return [
        f"{p.name}: expected {p.expected} ± {p.tolerance}, measured {p.measured} ({p.note})"
        for p in proofs
        if not p.holds
    ]


@pytest.mark.parametrize("name", ["go", "java17-zgc", "java25-g1", "java25-shenandoah-generational", "node", "rust"])
def test_forced_collections_are_all_found_and_none_is_invented(name, tmp_path):
    proofs = forced.prove(able(name), tmp_path / "forced", RIG.gateway_cpus)
    assert failing(proofs) == []
    assert f"{name}:{'collections' if name == 'rust' else 'forced_found'}" in {proof.name for proof in proofs}


@pytest.mark.parametrize("name", ["go", "java17-g1", "java25-zgc"])
def test_time_to_stop_is_told_as_such(name, tmp_path):
    if len(RIG.generator_cpus) == 0 or RIG.shared:
        pytest.skip("a loop that cannot be stopped and who asks for a collection need a processor each")
    proofs = stopping.prove(able(name), tmp_path / "stopping", (*RIG.gateway_cpus, *RIG.generator_cpus))
    assert len(proofs) >= 1
    assert failing(proofs) == []


def test_a_process_that_is_stopped_or_blocked_is_not_said_to_collect(tmp_path):
    proofs = outside.prove(able("node"), tmp_path / "outside", RIG.gateway_cpus)
    # How much a hog raises run-queue delay hangs on what else the machine does: the long form is for a quiet one.
    assert failing([proof for proof in proofs if ":hog_" not in proof.name]) == []
    assert {"node:sigstop_hiccup_ms", "node:block_hiccup_ms"} <= {proof.name for proof in proofs}


@pytest.mark.parametrize("name", ["go", "node"])
def test_two_sources_of_one_runtime_agree(name, tmp_path):
    proofs = second_source.prove(able(name), tmp_path / "second", RIG)
    assert len(proofs) == 3
    assert failing(proofs) == []


def test_injected_pauses_are_put_down_to_the_injection(tmp_path):
    injected, stalls = attribution.prove(able("go"), tmp_path / "attribution", RIG, pauses=8)
    assert stalls.holds
    # A machine that takes the generator's processor for a moment has nothing pending when the stop begins.
    assert injected.measured == pytest.approx(injected.expected, rel=0.05)


def test_meters_that_cost_much_are_found_to(tmp_path) -> None:
    # Ten thousand wakes a second, in place of a hundred.
    dear = {"GATEWAY_HICCUP_US": "100"}
    cpu, *_ = overhead.ratios_of_pair(
        able("rust"), tmp_path / "pair", RIG, random.Random(1), windows=8, metered_env=dear
    )
    assert math.exp(cpu) > 1.05
