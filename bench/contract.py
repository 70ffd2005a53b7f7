"""Holding a gateway to the contract, once for every build."""

from __future__ import annotations

import hashlib
import itertools
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import paths, toolchains
from bench.errors import ContractBroken
from bench.gateways import check, registry
from bench.gateways.build import build, digest
from bench.gateways.process import GatewayProcess, Settings, free_port
from bench.gateways.registry import Variant

_SHOWN = 3


@dataclass(frozen=True)
class Certificate:
    """That a build of a gateway was replayed against a state of the contract."""

    build: str
    contract: str
    cases: int
    failed: int


def replay(variant: Variant) -> list[check.CaseResult]:
    """Replay every vector against a gateway; one that passes them all is certified by it."""
    build, contract = digest(variant.gateway), _contract_digest()
    results = _replay(variant)
    if all(result.passed for result in results):
        _stored(variant).write_text(json.dumps(asdict(Certificate(build, contract, len(results), 0))))
    return results


def _replay(variant: Variant) -> list[check.CaseResult]:
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        numbers = itertools.count()

        def start(env: Mapping[str, str]) -> GatewayProcess:
            own = Path(folder) / str(next(numbers))
            own.mkdir()
            faults = env.get("ENABLE_FAULTS") == "1"
            return GatewayProcess(variant, Settings(port=free_port(), folder=own, meters=False, faults=faults, env=env))

        return check.check(start)


def certify(variant: Variant) -> Certificate:
    """Give a certificate that this build keeps the contract, replaying the vectors unless that was done already.

    Raises
    ------
    ContractBroken
        A case failed; the message shows the first ones.
    """
    if known := _known(variant):
        return known
    results = replay(variant)
    failed = [result for result in results if not result.passed]
    if failed:
        shown = "\n".join(f"  {result}" for result in failed[:_SHOWN])
        more = f"\n  and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        name = variant.gateway.name
        raise ContractBroken(
            f"{name} broke {len(failed)} of {len(results)} cases of the contract:\n{shown}{more}\n"
            f"See them all with: bench check {name}"
        )
    return Certificate(digest(variant.gateway), _contract_digest(), len(results), 0)


def _known(variant: Variant) -> Certificate | None:
    """Give the certificate of this very build under this very contract; None when there is none without a failed case."""
    stored = _stored(variant)
    if not stored.is_file():
        return None
    found = Certificate(**json.loads(stored.read_text()))
    wanted = (digest(variant.gateway), _contract_digest(), 0)
    return found if (found.build, found.contract, found.failed) == wanted else None


def _stored(variant: Variant) -> Path:
    return variant.gateway.out / "certificate.json"


def prepare(variants: tuple[str, ...], say: Callable[[str], None]) -> dict[str, Certificate]:
    """Build the gateways of these variants and hold them to the contract; gives a certificate each."""
    gateways = {v.gateway.name: v.gateway for v in map(registry.variant, variants)}
    certificates = {}
    for name, gateway in gateways.items():
        say(f"Building {name} ({gateway.language}, {gateway.built_on})")
        build(gateway)
        variant = next(v for v in map(registry.variant, variants) if v.gateway.name == name)
        say(f"Checking {name} against the contract")
        certificates[name] = certify(variant)
    return certificates


def prepare_able(variants: tuple[str, ...], say: Callable[[str], None]) -> tuple[str, ...]:
    """Prepare those variants whose toolchains are on this machine, and give them; says which are left out, and why."""
    able = []
    for name in variants:
        if lacking := toolchains.missing(registry.variant(name).needs):
            say(f"{name} is left out. {' '.join(lacking)}")
        else:
            able.append(name)
    prepare(tuple(able), say)
    return tuple(able)


def _contract_digest() -> str:
    whole = hashlib.sha256()
    # What judges the answers is as much a part of the contract as the cases.
    for path in sorted((*paths.CONTRACT.rglob("*"), *paths.GATEWAYS.glob("*.py"))):
        if path.is_file():
            whole.update(path.read_bytes())
    return whole.hexdigest()
