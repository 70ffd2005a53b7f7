"""Suites: what to run, declared in TOML, and the plan of cells that a suite stands for."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from bench import paths, scenario
from bench.errors import LoadFailed, SuiteInvalid, UnknownName
from bench.faults.inject import fault
from bench.faults.policy import policy
from bench.gateways import registry
from bench.rolling.restart import Way

RUNTIMES = ("go", "java", "node", "rust")
MEMORY_BUDGET_MIB = 512
LIVE_SET_MIB = 64
"""What a gateway has when a suite does not say."""
LEAST_REPETITIONS = 4
"""Repetitions before a load may stop early: of fewer, the narrow interval is too often the wrong one (`bench prove statistics`)."""
_MOST_PADDING_BITS = 12
_LABELS = ("a", "b")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoadPlan(_Model):
    """One scenario at its rungs."""

    scenario: str
    variants: tuple[str, ...] = ()
    """Which of the suite's variants; empty: all."""
    rates_per_s: tuple[float, ...] = ()
    """Rungs of a scenario that takes a rate; empty for the others."""
    options: dict[str, str | int | float | bool] = {}
    """The scenario's own options (`bench.scenario`), such as `peak = 17`."""
    memory_budgets_mib: tuple[int, ...] = ()
    """Memory budgets, each a cell of its own in every block; empty: the suite's one."""
    live_sets_mib: tuple[int, ...] = ()
    """Live sets, each a cell of its own in every block; empty: the suite's one."""
    warm_up_s: float | dict[str, float] = 0.0
    """Seconds that do not count; by runtime where they differ, with `default` for the others."""
    warm_up_saturated: bool = False
    """Warm an open-loop scenario up as fast as answers come: a JIT compiler needs requests, not time."""
    duration_s: float = Field(gt=0)
    connections: int = Field(gt=0, le=65_535)
    """Most connections at once; of a scenario with users, how many users."""
    repetitions: int = Field(gt=0)

    @field_validator("rates_per_s")
    @classmethod
    def _positive(cls, rates: tuple[float, ...]) -> tuple[float, ...]:
        if any(not rate > 0 for rate in rates):
            raise ValueError("a rate must be a positive number of requests a second")
        return rates

    @field_validator("memory_budgets_mib", "live_sets_mib")
    @classmethod
    def _sizes_differ(cls, sizes: tuple[int, ...], told: ValidationInfo) -> tuple[int, ...]:
        least = 1 if told.field_name == "memory_budgets_mib" else 0
        if any(size < least for size in sizes):
            raise ValueError(f"a size must be {least} MiB or more")
        if twice := {size for size in sizes if sizes.count(size) > 1}:
            raise ValueError(f"{min(twice)} stands there twice; for more cells of it, raise repetitions")
        return sizes

    @field_validator("warm_up_s")
    @classmethod
    def _warm_up_is_told(cls, said: float | dict[str, float]) -> float | dict[str, float]:
        by_runtime = said if isinstance(said, dict) else {"default": said}
        if unknown := set(by_runtime) - {"default", *RUNTIMES}:
            raise ValueError(f"{min(unknown)!r} is no runtime; there is: default, {', '.join(RUNTIMES)}")
        if "default" not in by_runtime:
            raise ValueError("by runtime, it needs a default for the others")
        if any(seconds < 0 for seconds in by_runtime.values()):
            raise ValueError("seconds must not be negative")
        return said

    @model_validator(mode="after")
    def _options_are_the_scenarios(self) -> LoadPlan:
        # An unknown scenario has an error of its own, with the near names.
        if known := scenario.SCENARIOS.get(self.scenario):
            try:
                known.values(self.options)
            except LoadFailed as error:
                raise ValueError(str(error)) from error
            if known.has_users and self.warm_up_saturated:
                raise ValueError(f"{known.name} warms up with its own users; leave warm_up_saturated out")
        return self

    def warm_up_of(self, runtime: str) -> float:
        """Give the warm-up of a runtime in seconds."""
        if isinstance(self.warm_up_s, dict):
            return self.warm_up_s.get(runtime, self.warm_up_s["default"])
        return self.warm_up_s


class RecoveryPlan(_Model):
    """Faults under one restart policy."""

    variants: tuple[str, ...] = ()
    """Which of the suite's variants; empty: all."""
    faults: tuple[str, ...] = Field(min_length=1)
    """Each a cell of its own."""
    policy: str
    rate_per_s: float | None = Field(default=None, gt=0)
    """Requests a second that go to `/route` meanwhile, open loop; none: only the prober asks."""
    connections: int = Field(default=256, gt=0, le=65_535)
    """Most connections of that load: while the gateway hangs, each request holds one."""
    horizon_s: float = Field(gt=0)
    """How long after the fault to watch; a recovery beyond it is censored."""
    baseline_s: float = Field(gt=0)
    """How long to watch good service before the fault."""
    sustain_s: float = Field(gt=0)
    repetitions: int = Field(gt=0)

    @field_validator("faults", "policy")
    @classmethod
    def _known(cls, said: tuple[str, ...] | str, told: ValidationInfo) -> tuple[str, ...] | str:
        try:
            for name in (said,) if isinstance(said, str) else said:
                (policy if told.field_name == "policy" else fault)(name)
        except UnknownName as error:
            raise ValueError(str(error)) from error
        return said


class RollingPlan(_Model):
    """Instances behind a balancer, replaced one by one under load."""

    variants: tuple[str, ...] = ()
    """Which of the suite's variants; empty: all."""
    ways: tuple[Way, ...] = tuple(Way)
    """How an old instance goes, each a cell of its own."""
    instances: int = Field(default=2, gt=0, le=16)
    rate_per_s: float = Field(gt=0)
    connections: int = Field(default=64, gt=0, le=65_535)
    baseline_s: float = Field(default=1.0, gt=0)
    """How long the load goes on before the first is replaced."""
    sustain_s: float = Field(default=1.0, gt=0)
    """How long it goes on after each."""
    repetitions: int = Field(gt=0)


Kind = LoadPlan | RecoveryPlan | RollingPlan
"""What a suite asks for."""


class Suite(_Model):
    """What a suite file declares."""

    name: str
    purpose: Literal["indicative", "decision", "publication"]
    summary: str
    seed: int
    variants: tuple[str, ...] = Field(min_length=1)
    gateway_cpus: int = Field(default=1, gt=0)
    """Processors of the gateway; the load generator has one of its own."""
    memory_budget_mib: int = Field(default=MEMORY_BUDGET_MIB, gt=0)
    live_set_mib: int = Field(default=LIVE_SET_MIB, ge=0)
    blind_pair: str | None = None
    """A variant that is in every block of a load twice, under labels drawn by lot: what the two differ by is the noise floor."""
    width: float | None = Field(default=None, gt=0, lt=1)
    """Half width of 95 % intervals, as a share, that is enough: a load of which every variant has reached it is repeated no
    more."""
    least_repetitions: int = Field(default=LEAST_REPETITIONS, ge=2)
    """Repetitions from which on that is asked."""
    load: tuple[LoadPlan, ...] = ()
    recovery: tuple[RecoveryPlan, ...] = ()
    rolling_restart: tuple[RollingPlan, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One measurement that a plan asks for: a variant under a scenario, in its own fresh process."""

    cell_id: str
    block: int
    position: int
    variant: str
    scenario: str
    """The locustfile's name, `recovery` or `rolling_restart`."""
    repetition: int
    seed: int
    memory_budget_mib: int = MEMORY_BUDGET_MIB
    live_set_mib: int = LIVE_SET_MIB
    environment_bytes: int = 0
    """Length of a variable of the gateway's environment that nobody reads."""
    blind_label: str | None = None
    """Which of two cells of one variant in the same block."""
    rate_per_s: float | None = None
    warm_up_s: float = 0.0
    warm_up_saturated: bool = False
    duration_s: float = 0.0
    connections: int = 0
    options: dict[str, str | int | float | bool] = field(default_factory=dict)
    """The scenario's own options; files among them as whole paths."""
    fault: str | None = None
    policy: str | None = None
    horizon_s: float = 0.0
    baseline_s: float = 0.0
    sustain_s: float = 0.0
    way: str | None = None
    """How an old instance goes in a rolling restart."""
    instances: int = 0

    @property
    def is_load(self) -> bool:
        """Whether it is about a load, and not about a fault or a restart."""
        return self.fault is None and self.way is None

    @property
    def traffic_model(self) -> str:
        """Open or closed loop; what goes on beside a fault or a restart is open."""
        return scenario.named(self.scenario).traffic_model if self.is_load else "open"

    def as_dict(self) -> dict[str, Any]:
        """Give its fields, for the plan on disk."""
        return asdict(self)


def read(name: str) -> tuple[Suite, str]:
    """Give a suite by name, or by the path of a TOML file, and the text that declares it.

    Raises
    ------
    UnknownName
        There is no such suite.
    SuiteInvalid
        The file is malformed, or names a variant or scenario that does not exist.
    """
    known = {path.stem: path for path in paths.SUITES.glob("*.toml")}
    path = Path(name) if name.endswith(".toml") else known.get(name)
    if path is None or not path.is_file():
        raise UnknownName("suite", name, known)
    text = path.read_text()
    return _located(parse(text, path.name), path), text


def _located(suite: Suite, path: Path) -> Suite:
    """Give a suite whose options name files as whole paths, found from the folder of the suite's file."""
    loads = []
    for number, load in enumerate(suite.load):
        try:
            options = scenario.named(load.scenario).located(load.options, path.resolve().parent)
        except LoadFailed as error:
            raise SuiteInvalid(f"{path.name}: load.{number}.options: {error}") from error
        loads.append(load.model_copy(update={"options": options}))
    return suite.model_copy(update={"load": tuple(loads)})


def parse(text: str, where: str) -> Suite:
    """Give the suite that a TOML text declares; `where` names it in errors. Raises as `read` does.

    Files that options name are not looked for.
    """
    try:
        suite = Suite.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SuiteInvalid(f"{where} is not TOML: {error}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SuiteInvalid(f"{where} does not declare a suite: {wrong}") from error
    for variant in suite.variants:
        registry.variant(variant)
    for part in (*suite.load, *suite.recovery, *suite.rolling_restart):
        for variant in part.variants:
            if variant not in suite.variants:
                raise UnknownName("variant of this suite", variant, suite.variants)
    if suite.blind_pair is not None and suite.blind_pair not in suite.variants:
        raise UnknownName("variant of this suite", suite.blind_pair, suite.variants)
    for load in suite.load:
        if bool(load.rates_per_s) != scenario.named(load.scenario).takes_rate:
            takes = "takes no rates_per_s" if load.rates_per_s else "needs rates_per_s"
            raise SuiteInvalid(f"{where}: the scenario {load.scenario} {takes}.")
    return suite


def plan(suite: Suite, variants: Sequence[str]) -> list[Cell]:
    """Give the cells of a suite in the order in which they run: randomised interleaved blocks.

    A block holds one cell of each variant under one scenario and rung, with each memory budget and live set, in random
    order, and of a load two of the blind pair; the blocks of one repetition come in random order too (Abedi and Brecht, ICPE
    2017). What should not matter is drawn by lot as well: which of a pair is a, and how long the environment is (Mytkowicz et
    al., Producing Wrong Data Without Doing Anything Obviously Wrong, ASPLOS 2009).
    """
    draw = random.Random(suite.seed)
    kinds: list[tuple[Kind, float | str | None]] = []
    for load in suite.load:
        kinds += [(load, rate) for rate in load.rates_per_s or (None,)]
    for recovery in suite.recovery:
        kinds += [(recovery, name) for name in recovery.faults]
    for rolling in suite.rolling_restart:
        kinds += [(rolling, way.value) for way in rolling.ways]
    cells: list[Cell] = []
    block = 0
    for repetition in range(max((kind.repetitions for kind, _ in kinds), default=0)):
        due = [(kind, rung) for kind, rung in kinds if repetition < kind.repetitions]
        draw.shuffle(due)
        for kind, rung in due:
            wanted = kind.variants or variants
            subjects = [
                _Subject(v, *sizes, label)
                for v in variants
                if v in wanted
                for sizes in _sizes(kind, suite)
                for label in (_LABELS if isinstance(kind, LoadPlan) and v == suite.blind_pair else (None,))
            ]
            for subject in draw.sample(subjects, len(subjects)):
                seed = draw.getrandbits(31)
                lot = {"seed": seed, "environment_bytes": random.Random(seed).getrandbits(_MOST_PADDING_BITS)}
                cells.append(_cell(kind, rung, subject, repetition, block, len(cells), lot))
            block += 1
    return cells


@dataclass(frozen=True)
class _Subject:
    """What a cell of a block is about."""

    variant: str
    memory_budget_mib: int
    live_set_mib: int
    blind_label: str | None


def _sizes(kind: Kind, suite: Suite) -> list[tuple[int, int]]:
    """Give the memory budgets and live sets of the cells of a block, in MiB."""
    budgets = getattr(kind, "memory_budgets_mib", ()) or (suite.memory_budget_mib,)
    live_sets = getattr(kind, "live_sets_mib", ()) or (suite.live_set_mib,)
    return list(product(budgets, live_sets))


def _cell(
    kind: Kind,
    rung: float | str | None,
    subject: _Subject,
    repetition: int,
    block: int,
    position: int,
    lot: dict[str, int],
) -> Cell:
    # The label is no part of the id: whoever reads one should not know it.
    parts = [f"{position:04d}", subject.variant, *_conditions(kind, rung, subject), f"r{repetition}"]
    common = {"cell_id": "-".join(parts), "block": block, "position": position, "repetition": repetition}
    common |= asdict(subject) | lot
    own = kind.model_dump(
        exclude={"repetitions", "rates_per_s", "faults", "ways", "variants", "memory_budgets_mib", "live_sets_mib"}
    )
    if isinstance(kind, RecoveryPlan):
        return Cell(**common, **own, scenario="recovery", fault=rung)
    if isinstance(kind, RollingPlan):
        return Cell(**common, **own, scenario="rolling_restart", way=rung)
    own |= {"warm_up_s": kind.warm_up_of(registry.variant(subject.variant).gateway.runtime)}
    return Cell(**common, **own, rate_per_s=rung)


def _conditions(kind: Kind, rung: float | str | None, subject: _Subject) -> list[str]:
    """Give what a cell's id says of its conditions: of sizes only those that the suite varies."""
    if isinstance(kind, RecoveryPlan):
        return [f"{rung}-{kind.policy}"]
    if isinstance(kind, RollingPlan):
        return ["rolling", rung]
    said = [kind.scenario, *([f"{rung:g}"] if rung else [])]
    said += [f"{subject.memory_budget_mib}mib"] if kind.memory_budgets_mib else []
    return said + ([f"live{subject.live_set_mib}mib"] if kind.live_sets_mib else [])
