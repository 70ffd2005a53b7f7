"""Go beside Java in the findings of a report: by requests/s, and by all else that both were measured by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roi.noise import apart
from roi.report.findings import Finding
from roi.summary import Summary

GO = "go"
JAVA = "java"
"""What the names of Java's variants begin with."""


@dataclass(frozen=True)
class Measure:
    """Something that Go and Java are measured by beside their ratio."""

    ids: str
    """Pattern of the ids of its findings: `variant`, and `under` where it was measured under several conditions."""
    words: str
    """What it is; `{}` stands for the condition."""
    more_is_better: bool
    floor: str = ""
    """Id of the blind pair's finding, whose distance from 1 is not told apart."""


@dataclass(frozen=True)
class Weighed:
    """Go beside Java by one measure."""

    measure: Measure
    under: str
    """Condition; empty where there is one alone."""
    go: Finding
    java: tuple[Finding, ...]
    for_go: tuple[str, ...]
    """Java's variants that Go is better than, told apart."""
    for_java: tuple[str, ...]
    """Java's variants that are better than Go, told apart."""

    @property
    def words(self) -> str:
        """What was measured, and under which condition."""
        return self.measure.words.format(self.under.replace("_", " "))

    @property
    def told_apart(self) -> bool:
        """Whether Go is better or worse than any variant."""
        return bool(self.for_go or self.for_java)


MEASURES = (
    Measure(r"capacity_(?P<variant>[^_]+)", "requests/s at saturation", True, "blind_pair_saturation"),
    Measure(r"at_objective_(?P<variant>[^_]+)", "requests/s at the objective", True, "blind_pair_at_objective"),
    Measure(
        r"cpu_a_request_(?P<variant>[^_]+)_at_(?P<under>.+)",
        "CPU time a request at {} requests/s",
        False,
        "blind_pair_cpu_a_request",
    ),
    Measure(
        r"response_p99_(?P<variant>[^_]+)_at_(?P<under>.+)",
        "P99 of the response time at {} requests/s",
        False,
    ),
    Measure(r"gc_cpu_share_(?P<variant>[^_]+)", "share of CPU time for collecting garbage", False),
    Measure(r"pauses_over_1ms_per_million_(?P<variant>[^_]+)", "pauses over 1 ms in a million requests", False),
    Measure(r"peak_cores_(?P<variant>[^_]+)", "cores for the peak", False),
    Measure(r"scale_up_lag_(?P<variant>[^_]+)", "time from creation to steady speed", False),
    Measure(r"restricted_mean_(?P<under>.+)_(?P<variant>[^_]+)", "mean time to recovery after {}", False),
    Measure(r"lost_(?P<under>[^_]+)_(?P<variant>[^_]+)", "requests lost for each instance replaced by {}", False),
)


def ratios(summary: Summary) -> list[Finding]:
    """Give requests/s of Go over each Java variant's."""
    return [one for _, one in summary.matching(rf"{GO}_over_{JAVA}.*")]


def ahead(summary: Summary) -> str:
    """Name who serves more requests/s against more of the other's variants, `GO` or `JAVA`; empty where that is not told."""
    found = ratios(summary)
    below = sum(one.hi is not None and one.hi < 1 for one in found)
    above = sum(one.lo is not None and one.lo > 1 for one in found)
    return JAVA if below > above else GO if above > below else ""


def weighed(summary: Summary) -> list[Weighed]:
    """Set Go beside Java by every measure that the report has of both.

    Two are told apart where their intervals do not overlap and they differ by no less than the noise floor.
    """
    return [one for measure in MEASURES for one in _by(measure, summary)]


def better(found: Sequence[Weighed], who: str) -> list[Weighed]:
    """Give what `GO` or `JAVA` is better by than some variant of the other, told apart."""
    return [one for one in found if (one.for_go if who == GO else one.for_java)]


def _by(measure: Measure, summary: Summary) -> Iterator[Weighed]:
    """Set them beside each other under each condition that both were measured under."""
    under: dict[str, dict[str, Finding]] = {}
    for match, found in summary.matching(measure.ids):
        said = match.groupdict()
        under.setdefault(said.get("under", ""), {})[said["variant"]] = found
    pair = summary.of(measure.floor)
    floor = apart(pair.value, 1.0) if pair else 0.0
    for condition, found in under.items():
        java = {name: one for name, one in found.items() if name.startswith(JAVA)}
        if GO not in found or not java:
            continue
        go = found[GO]
        far = {name: one for name, one in java.items() if apart(go.value, one.value) >= floor}
        more = tuple(name for name, one in far.items() if _below(one, go))
        less = tuple(name for name, one in far.items() if _below(go, one))
        for_go, for_java = (more, less) if measure.more_is_better else (less, more)
        yield Weighed(measure, condition, go, tuple(java.values()), for_go, for_java)


def _below(one: Finding, other: Finding) -> bool:
    """Tell whether the whole interval of one lies below that of the other."""
    return one.hi is not None and other.lo is not None and one.hi < other.lo
