from pathlib import Path

import pytest

from bench.errors import SuiteInvalid, UnknownName
from bench.faults.policy import BackOff, Policy, Probe, policies, policy, read_policy

VALID = """
summary = "a test"
grace_s = 30
relist_s = 1
[back_off]
first_s = 10
cap_s = 300
reset_s = 600
[liveness]
period_s = 10
timeout_s = 1
failure_threshold = 3
success_threshold = 1
initial_delay_s = 0
"""


def read(text: str, folder: Path) -> Policy:
    path = folder / "made.toml"
    path.write_text(text)
    return read_policy(path)


def test_the_policies_are_aggressive_kubernetes_and_none() -> None:
    assert sorted(policies()) == ["aggressive", "kubernetes", "none", "systemd"]


def test_kubernetes_has_the_documented_defaults() -> None:
    probe = Probe(period_s=10, timeout_s=1, failure_threshold=3, success_threshold=1, initial_delay_s=0)
    found = policy("kubernetes")
    assert (found.grace_s, found.relist_s, found.back_off) == (30, 1, BackOff(first_s=10, cap_s=300, reset_s=600))
    assert found.liveness == found.readiness == probe
    assert found.startup is None


def test_none_probes_nothing() -> None:
    assert policy("none").liveness is None
    assert policy("none").readiness is None


def test_an_unknown_policy_names_the_near_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean kubernetes"):
        policy("kubernets")


def test_a_policy_is_named_as_its_file(tmp_path: Path) -> None:
    found = read(VALID, tmp_path)
    assert found.name == "made"
    assert found.readiness is None


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ("grace_s = 30", "", "grace_s"),
        ("grace_s = 30", "grace_s = -1", "grace_s is -1"),
        ("grace_s = 30", "grace_s = true", "grace_s is True"),
        ("grace_s = 30", "grace_s = nan", "grace_s is nan"),
        ("grace_s = 30", "grace_s = 30\ngrace = 3", "grace"),
        ("period_s = 10", 'period_s = "10"', "period_s is '10'"),
        ("period_s = 10", "period_s = 0", "period_s is 0"),
        ("timeout_s = 1", "timeout_s = -1", "timeout_s is -1"),
        ("failure_threshold = 3", "failure_threshold = 0", "failure_threshold is 0"),
        ("failure_threshold = 3", "failure_threshold = 2.5", "failure_threshold is 2.5"),
        ("cap_s = 300", "cap_s = 5", "raise the cap"),
        ("[back_off]", "back_off = 3\n[other]", "back_off is 3"),
        ("[liveness]", "[liveness", "made.toml"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(was: str, becomes: str, complaint: str, tmp_path: Path) -> None:
    assert was in VALID
    with pytest.raises(SuiteInvalid, match=complaint) as refused:
        read(VALID.replace(was, becomes, 1), tmp_path)
    assert "made.toml is not a valid policy" in str(refused.value)
