"""Measured inputs: drawn from a run's own intervals, each of its variant, or refused with what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from roi import density
from roi.statistics.survival import restricted_mean
from tests.notebooks.written_run import MS, WrittenCell, served
from tests.unit.inputs_files import declared, refused, said
from tests.unit.test_recovery_studies import INJECTED_NS, recovered

MEASURED = {
    name: said(name, f'measured = "{name}"', known='provenance = "measured"\n')
    for name in ("cpu_s_a_request", "memory_gib_a_core", "recovery_s")
}


def processes(variant: str, *cpu_ms: float) -> list[WrittenCell]:
    """Give processes that answered 100 requests in so much CPU time each, with 64 MiB and 1 MiB more each time."""
    return [
        WrittenCell(f"{variant}-{i}", variant, variant, requests=served(*[1.0] * 100),
                    columns={"gateway_cpu_ns": round(ms * MS), "gateway_pss_bytes": (64 + i) << 20, "workers": 2})
        for i, ms in enumerate(cpu_ms)
    ]  # fmt: skip


def crashed(variant: str, *seconds: float, **more) -> list[WrittenCell]:
    return [
        recovered(f"{variant}-crash-{i}", variant, sustained_ns=INJECTED_NS + round(s * 1000) * MS, **more)
        for i, s in enumerate(seconds)
    ]


def test_measured_inputs_hold_in_95_percent_of_draws_what_the_studies_print_as_their_interval(read, run):
    opened = run(*processes("java17-zgc", 11, 12, 14), *processes("go", 5, 5.5), *crashed("java17-zgc", 1.0, 1.2, 2.0))
    found = read(declared(MEASURED), opened)
    ends = np.array([0.025, 0.975])
    # The plan is for 1 % of a core's time, and the processes were busy for 0.55 to 0.7 %: the most that was measured.
    demand = density.planned_demand(density.demand_curves(opened)["java17-zgc"], 0.01).demand_us
    cpu = found.quantities["cpu_s_a_request"]
    assert cpu.distribution.quantile(ends) * 1e6 == pytest.approx([demand.lo, demand.hi], rel=1e-9)
    # 110, 120 and 140 µs: the geometric mean.
    assert cpu.distribution.quantile(np.array([0.5]))[0] == pytest.approx((110 * 120 * 140) ** (1 / 3) / 1e6)
    assert (cpu.n, cpu.provenance, cpu.source) == (
        3, "measured", "run written, java17-zgc, a core 1 % busy, the most that was measured",
    )  # fmt: skip
    # 65 MiB over two workers; Student's quantile of 2 degrees, and a standard error of 1 / √3.
    gib = found.quantities["memory_gib_a_core"].distribution.quantile(np.array([0.025, 0.5])) * 1024 * 2
    assert gib == pytest.approx([65 - 4.30265 / 3**0.5, 65], rel=1e-5)
    back = restricted_mean(np.array([1.0, 1.2, 2.0]), np.zeros(3, bool), 20.0)
    assert found.quantities["recovery_s"].distribution.quantile(ends) == pytest.approx([back.lo, back.hi])
    assert found.run == "written"


def test_a_run_that_never_recovered_stays_in_the_measured_mean(read, run):
    away = {"first_ok_ns": None, "censored": True, "censor_reason": "never"}
    cells = [*crashed("java17-zgc", 1.0, 1.2, 2.0), recovered("away", "java17-zgc", sustained_ns=None, **away)]
    found = read(declared({"recovery_s": MEASURED["recovery_s"]}), run(*cells)).quantities["recovery_s"]
    back = restricted_mean(np.array([1.0, 1.2, 2.0, 20.0]), np.array([False] * 3 + [True]), 20.0)
    assert found.distribution.quantile(np.array([0.025, 0.975])) == pytest.approx([back.lo, back.hi])
    assert "1 of 4 never recovered" in found.source


def test_measured_quantities_without_a_run_or_without_processes_are_refused(read, run):
    assert refused(read, declared(MEASURED)).count("it is drawn from a run, and none was named") == 3
    few = refused(read, declared({"cpu_s_a_request": MEASURED["cpu_s_a_request"]}), run(*processes("java17-zgc", 11)))
    assert "run written has 1 process of java17-zgc under load that passed the gate, and it takes 2" in few
    none = refused(read, declared({"cpu_s_a_request": MEASURED["cpu_s_a_request"]}), run(*processes("go", 5, 6)))
    assert "The run has go" in none


def test_processes_whose_memory_nobody_read_are_told_and_not_counted(read, run):
    cells = processes("java17-zgc", 11, 12, 14)
    cells[0] = replace(cells[0], columns=cells[0].columns | {"gateway_pss_bytes": None})
    found = read(declared({"memory_gib_a_core": MEASURED["memory_gib_a_core"]}), run(*cells)).quantities[
        "memory_gib_a_core"
    ]
    # 65 and 66 MiB are left, over two workers.
    assert found.distribution.quantile(np.array([0.5]))[0] * 1024 == pytest.approx(65.5 / 2)
    assert (found.n, found.source) == (2, "run written, java17-zgc at 1000 requests/s, 1 more in which it is unknown")


def test_an_option_is_measured_by_its_own_variant_and_by_another_where_it_says_so(read, run):
    opened = run(*processes("java17-zgc", 11, 12), *processes("go", 5, 6), *processes("rust", 2, 3))
    form = 'measured = "cpu_s_a_request"'
    known = 'provenance = "measured"\n'
    own = read(declared({"go.cpu_s_a_request": said("cpu_s_a_request", form, "go", known=known)}), opened)
    assert own.quantities["go.cpu_s_a_request"].distribution.quantile(np.array([0.5])) == pytest.approx(
        [30**0.5 * 1e-5]
    )
    other = form + '\nvariant = "rust"'
    stands = read(declared({"go.cpu_s_a_request": said("cpu_s_a_request", other, "go", known=known)}), opened)
    assert stands.quantities["go.cpu_s_a_request"].distribution.quantile(np.array([0.5])) == pytest.approx(
        [6**0.5 * 1e-5]
    )


def test_recoveries_under_two_policies_are_not_pooled(read, run):
    opened = run(
        *crashed("java17-zgc", 1.0, 1.2),
        *[recovered(f"k{i}", "java17-zgc", policy="kubelet", sustained_ns=INJECTED_NS + 12_000 * MS) for i in range(2)],
    )
    text = MEASURED["recovery_s"]
    assert "recoveries under aggressive, kubelet, which are not pooled" in refused(
        read, declared({"recovery_s": text}), opened
    )
    chosen = read(declared({"recovery_s": text + 'policy = "kubelet"\n'}), opened).quantities["recovery_s"]
    assert chosen.distribution.mean == 12.0
