"""`bench prove recovery`: outages of known length, flapping, a slow return and none at all against prober and supervisor.

The gateway is scripted and writes down when its port really opened and closed. The supervisor's decisions are held against
a table worked out by hand from Kubernetes' documented constants, and real recoveries against what the virtual clock says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.faults import events
from bench.faults.inject import fault
from bench.faults.kubelet import NS, Step
from bench.faults.policy import Policy, policy
from bench.faults.prober import INTERVAL_NS
from bench.faults.recover import RecoveryResult, run_fault
from bench.faults.replay import Life, crash, hang, replay
from bench.faults.target import Target
from bench.load.rows import Outcome
from bench.prove.certificate import Certificate, Proof, certify
from bench.prove.scripted_gateway import ALWAYS, NEVER, QUICK_S, SLOW_S, ScriptedGateway, Timeline

KIND = "recovery"
MINUTES = 70
QUIET_S = 3_600.0
REAL_RUNS = 3
REPLAYED = (("kubernetes", "sigkill"), ("kubernetes", "sigstop"), ("aggressive", "sigkill"), ("aggressive", "sigstop"),
            ("systemd", "sigkill"), ("none", "sigkill"))  # fmt: skip
"""Policies and faults whose real recoveries are held against the virtual clock; a hang is never found by the other two."""
_INTERVAL_MS = INTERVAL_NS / 1e6
_PROBES_PER_NS = 2 / INTERVAL_NS
_LOST = 0.02
_MACHINE_S = 0.2
"""What starting and signalling processes may take on a busy machine."""
_SEEDS = 500
_HORIZON_S = 15.0
_HORIZON_OF_REPLAY_S = 90.0


def prove(say: Callable[[str], None], show: Callable[[Proof], None]) -> Certificate:
    """Run every proof, and keep the certificate.

    Raises
    ------
    BenchError
        A process could not be started, or the prober ended.
    """
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        for what, made in (
            ("The supervisor's decisions, against Kubernetes' constants", decisions),
            ("Outages of known length", lambda: outages(Path(folder))),
            ("Real recoveries, against the virtual clock", lambda: replays(Path(folder))),
            (f"No fault at all for {QUIET_S / 60:g} minutes", lambda: quiet(Path(folder), QUIET_S)),
        ):
            say(what)
            for proof in made():
                proofs.append(proof)
                show(proof)
    return certify(KIND, proofs, {})


def decisions() -> Iterator[Proof]:
    """Hold the supervisor's decisions against a table worked out by hand."""
    # It learns of an exit at once, so that the back-off stands alone; each process lives for a second.
    prompt = replace(policy("kubernetes"), relist_s=0)
    dies = Life(None, ends_ns=NS)
    made = replay(prompt, 0, crash, [dies], 3_600 * NS)
    created = [said.time_ns for said in made.record if said.step is Step.CREATED]
    exited = [said.time_ns for said in made.record if said.step is Step.EXITED]
    for number, waits_s in enumerate((0, 10, 20, 40, 80, 160, 300, 300), start=1):
        yield Proof.near(
            f"back_off_{number}_s", waits_s, (created[number - 1] - exited[number - 1]) / NS, 0.0,
            "from a process' exit to its restart: 10 s doubled to 300 s, the first not at all",
        )  # fmt: skip
    forgiven = replay(prompt, 0, crash, [dies, dies, Life(0, ends_ns=601 * NS), dies], 3_600 * NS)
    created = [said.time_ns for said in forgiven.record if said.step is Step.CREATED]
    exited = [said.time_ns for said in forgiven.record if said.step is Step.EXITED]
    yield Proof.near(
        "back_off_after_601_s_s",
        0.0,
        (created[3] - exited[3]) / NS,
        0.0,
        "a process that lived over ten minutes is forgiven",
    )
    hung = [replay(policy("kubernetes"), seed, hang, [Life(0)], 300 * NS) for seed in range(_SEEDS)]
    found_s = np.array([of.detect_ns for of in hung]) / NS
    note = f"of {_SEEDS} phases: three probes ten seconds apart, the last given up after one"
    yield Proof.at_least("hang_found_earliest_s", 21.0, found_s.min(), note)
    yield Proof.at_most("hang_found_latest_s", 31.0, found_s.max(), note)
    yield Proof.near("hang_found_mean_s", 26.0, found_s.mean(), 3 * 10 / np.sqrt(12 * _SEEDS), note)
    graces_s = np.array([of.exec_ns - of.detect_ns for of in hung]) / NS
    oddest_s = graces_s[np.abs(graces_s - 30.0).argmax()]
    yield Proof.near(
        "hang_grace_s", 30.0, oddest_s, 0.0, f"the oddest of {_SEEDS}, from SIGTERM to SIGKILL and the restart"
    )


def outages(folder: Path) -> Iterator[Proof]:
    """Hold what the prober says of scripted outages against when the port really opened and closed."""
    yield from _known(folder / "known")
    yield from _flapping(folder / "flapping")
    yield from _slow_return(folder / "slow")
    yield from _never(folder / "never")


def _known(folder: Path) -> Iterator[Proof]:
    scripted, found = _struck(folder, [(1.5, None, QUICK_S)])
    (opened,) = scripted.instants("open")
    yield _near_ms("outage_first_ok_ms", opened, found["first_ok_ns"], found, 1)
    yield _near_ms("outage_sustained_ms", opened, found["sustained_ns"], found, 2)
    yield _lost("outage_lost_probes", opened - found["inject_ns"], found)


def _flapping(folder: Path) -> Iterator[Proof]:
    scripted, found = _struck(folder, [(1, 1.5, QUICK_S), (2, 2.6, QUICK_S), (3.2, None, QUICK_S)])
    opened, closed = scripted.instants("open"), scripted.instants("close")
    away = (opened[0] - found["inject_ns"]) + (opened[1] - closed[0]) + (opened[2] - closed[1])
    yield _near_ms("flapping_first_ok_ms", opened[0], found["first_ok_ns"], found, 1)
    yield _near_ms("flapping_sustained_ms", opened[2], found["sustained_ns"], found, 2)
    # Each closing breaks the kept connection, and its reset may come on top of the gap.
    yield _lost("flapping_lost_probes", away, found, besides=3)
    yield Proof.near("flapping_spells", 3.0, float(found["spells"]), 0.0, "how often service went away")


def _slow_return(folder: Path) -> Iterator[Proof]:
    scripted, found = _struck(folder, [(1, 2.5, SLOW_S), (2.5, None, QUICK_S)])
    opened, quick = scripted.instants("open")
    yield _near_ms("slow_return_first_ok_ms", opened, found["first_ok_ns"], found, 1)
    yield _near_ms("slow_return_sustained_ms", quick, found["sustained_ns"], found, 2)
    yield _lost("slow_return_lost_probes", opened - found["inject_ns"], found)


def _never(folder: Path) -> Iterator[Proof]:
    _, found = _struck(folder, NEVER, horizon_s=3)
    flagged = found["censored"] and found["censor_reason"] == events.NEVER_ANSWERED
    yield Proof.near("never_returned_censored", 1.0, float(flagged), 0.0, "a run that never recovered says so")
    deaf = found["exec_ns"] is not None and found["listen_ns"] is None
    yield Proof.near(
        "never_returned_listening", 0.0, float(not deaf), 0.0, "its new process was seen, and never to listen"
    )
    yield _lost("never_returned_lost_probes", found["horizon_ns"], found)


def _struck(
    folder: Path, after_restart: Timeline, horizon_s: float = _HORIZON_S
) -> tuple[ScriptedGateway, dict[str, object]]:
    folder.mkdir()
    scripted = ScriptedGateway(folder, after_restart)
    return scripted, _recovery(scripted, "sigkill", policy("none"), 3, horizon_s).fault


def _recovery(
    scripted: ScriptedGateway, struck: str, under: Policy, seed: int, horizon_s: float, sustain_s: float = 1.0
) -> RecoveryResult:
    return run_fault(
        scripted.start, Target(scripted.port), fault(struck), under, horizon_s, 1.0, sustain_s, warm_up_s=0.3, seed=seed
    )


def _near_ms(name: str, truth_ns: int, found_ns: int | None, found: dict[str, object], intervals: int) -> Proof:
    measured = float("nan") if found_ns is None else (found_ns - found["inject_ns"]) / 1e6
    return Proof.near(
        name, (truth_ns - found["inject_ns"]) / 1e6, measured, intervals * _INTERVAL_MS,
        f"after the fault; probes are {_INTERVAL_MS:g} ms apart on each stream",
    )  # fmt: skip


def _lost(name: str, away_ns: int, found: dict[str, object], besides: int = 0) -> Proof:
    expected = away_ns * _PROBES_PER_NS
    return Proof.near(
        name,
        expected,
        float(found["probes_lost"]),
        _LOST * expected + besides,
        "probes of both streams that were due meanwhile",
    )


def replays(folder: Path, cases: tuple[tuple[str, str], ...] = REPLAYED, runs: int = REAL_RUNS) -> Iterator[Proof]:
    """Hold real recoveries against the shortest and the longest that the virtual clock finds for any phase."""
    for name, struck in cases:
        own = folder / f"{name}-{struck}"
        own.mkdir()
        for seed in range(runs):
            place = own / f"{seed}"
            place.mkdir()
            scripted = ScriptedGateway(place, ALWAYS)
            found = _recovery(scripted, struck, policy(name), seed, _HORIZON_OF_REPLAY_S).fault
            starts_ns = found["first_ok_ns"] - found["exec_ns"]
            strike = {"sigkill": crash, "sigstop": hang}[struck]
            said = [
                replay(policy(name), phase, strike, [Life(starts_ns)], round(_HORIZON_OF_REPLAY_S * NS)).back_ns / NS
                for phase in range(_SEEDS)
            ]
            lo, hi = min(said), max(said) + _MACHINE_S
            yield Proof.near(
                f"{name}:{struck}_recovery_{seed + 1}_s", (lo + hi) / 2, (found["first_ok_ns"] - found["inject_ns"]) / NS,
                (hi - lo) / 2 + _INTERVAL_MS / 1e3,
                f"the virtual clock says {lo:.2f} to {hi - _MACHINE_S:.2f} s for {_SEEDS} phases",
            )  # fmt: skip


def quiet(folder: Path, seconds: float) -> Iterator[Proof]:
    """Watch a gateway that nobody strikes."""
    folder = folder / "quiet"
    folder.mkdir()
    scripted = ScriptedGateway(folder, ALWAYS)
    found = _recovery(scripted, "none", policy("aggressive"), 1, seconds, sustain_s=seconds - 1)
    outcome = np.array(found.probes["outcome"].to_pylist())
    yield Proof.at_most(
        "no_fault_failed_share", 0.01, float((outcome != Outcome.OK.name.lower()).mean()),
        f"of {len(outcome):,} probes in {seconds / 60:g} minutes in which nothing was wrong",
    )  # fmt: skip
    restarts = sum(said.step is Step.CREATED for said in found.decisions) - 1
    yield Proof.near("no_fault_restarts", 0.0, float(restarts), 0.0, "the supervisor had nothing to do")
