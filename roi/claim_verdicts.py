"""What is to be said of a stated figure: one of five words, with the figure that stands behind it and a reason.

The words are given in this order: what the source's own figures refute; what no measurement could have; what a study of this
suite has an answer to; and, for the rest, what it would take. A figure within our interval is *supported*, which proves
nothing: it says that the run, under its own conditions, has nothing against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from bench.errors import no_such_name
from roi import claim_arithmetic, noise
from roi.claim_arithmetic import Computed
from roi.claims import NO_STUDY, Claim, Relation
from roi.errors import ClaimsInvalid
from roi.report.findings import Finding, figure
from roi.report.findings import verdict as relation_of

WIDE = 2.0
"""An interval whose ends are further apart than this many times holds too much to support anything."""
_UNITS = {"us": "µs", "percent": "%", "ratio": "times", "1/min": "a minute"}
"""Units as a reader wants them; the others are written as they are."""


class Outcome(StrEnum):
    """What is said of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_MEASURABLE = "not measurable here"
    NO_QUANTITY = "not a measurable quantity"
    ARITHMETIC = "arithmetic wrong"


@dataclass(frozen=True)
class Answers:
    """What a study answers of a run: what its page records, and what it has judged by itself."""

    findings: Sequence[Mapping[str, Any]]
    """As `roi.report.findings.record` takes them."""
    conditions: str
    """What the figures hold under, for a reader."""
    run: str | None = None
    """Run that they come from; None where they come from none."""
    judged: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Outcome and reason by id of a claim of the article, where the study knows better than an interval does."""
    floors: Mapping[str, float] = field(default_factory=dict)
    """By a finding's query, the share by which the same variant differs from itself: nothing nearer is told apart."""


@dataclass(frozen=True)
class Judgement:
    """The verdict on one claim."""

    claim: Claim
    outcome: Outcome
    reason: str
    """A sentence without its full stop."""
    found: Finding | None = None
    """Our figure, the nearest to the claim of several; None where there is none."""
    conditions: str = ""
    run: str | None = None
    computed: tuple[Computed, ...] = ()
    """The claim as the source's other figures give it."""


def unit_of(name: str) -> str:
    """Give a unit as a reader wants it."""
    return _UNITS.get(name, name)


def of_claims(
    known: Mapping[str, Claim], answers_of: Callable[[str], Answers | None], catalogue: Sequence[str], *, own: bool
) -> list[Judgement]:
    """Give the verdict on every claim of a file, in its order.

    Parameters
    ----------
    known
        The claims, by id.
    answers_of
        Gives the answers of a study by its name; None for one that answers nothing.
    catalogue
        Names of the pages that there are.
    own
        The file is not the article's: no study knows its claims by their ids, and only those with a `figure` are answered.

    Raises
    ------
    ClaimsInvalid
        A claim is in another unit than the figure that is to answer it.
    """
    return [_judged(claim, known, answers_of, catalogue, own=own) for claim in known.values()]


def _judged(
    claim: Claim,
    known: Mapping[str, Claim],
    answers_of: Callable[[str], Answers | None],
    catalogue: Sequence[str],
    *,
    own: bool,
) -> Judgement:
    computed = claim_arithmetic.of_claim(claim, known)
    if claim_arithmetic.is_refuted(computed):
        return Judgement(claim, Outcome.ARITHMETIC, _refuted(claim, computed), computed=computed)
    answers = answers_of(claim.study) if claim.study != NO_STUDY else None
    said = _answered(claim, answers, own=own) if answers else None
    if claim.no_quantity:
        shown = said or Judgement(claim, Outcome.NO_QUANTITY, "")
        return replace(shown, outcome=Outcome.NO_QUANTITY, reason=claim.no_quantity, computed=computed)
    if said is None:
        return Judgement(claim, Outcome.NOT_MEASURABLE, _unanswered(claim, answers, catalogue), computed=computed)
    if said.outcome is Outcome.NOT_MEASURABLE and claim.needs:
        said = replace(said, reason=f"{said.reason}; it would take {claim.needs}")
    return replace(said, computed=computed)


def _refuted(claim: Claim, computed: Sequence[Computed]) -> str:
    own = [one for one in computed if not one.reading.another]
    printed = f"{claim.value:.{claim.decimals}f}"
    ways = "; ".join(f"{one.reading.says}: {_rounded(one, claim)}" for one in own)
    if any(one.least <= claim.value <= one.most for one in own):
        allowed = f"{figure(min(one.least for one in own))} to {figure(max(one.most for one in own))}"
        behind = f"the figures before they were rounded can have given {allowed}, so the slip may be in the print alone"
    else:
        behind = "no rounding of the figures behind it gives that"
    return f"{ways}, and {printed} is printed; {behind}"


def _rounded(one: Computed, claim: Claim) -> str:
    value, rounded = figure(one.value), f"{one.rounded:.{claim.decimals}f}"
    return rounded if value == rounded else f"{value}, rounded {rounded}"


def _answered(claim: Claim, answers: Answers, *, own: bool) -> Judgement | None:
    """Give the verdict of a study; None where it has none."""
    found = [
        _finding(said, claim, answers, own=own)
        for said in answers.findings
        if (said["id"] == claim.figure if claim.figure else not own and said.get("claim") == claim.id)
    ]
    judged = None if own or claim.figure else answers.judged.get(claim.id)
    if judged is not None:
        outcome, reason = Outcome(judged[0]), judged[1]
    elif found:
        outcome, reason = _together([_held_against(one, claim, answers.floors.get(one.query or "")) for one in found])
    else:
        return None
    return Judgement(claim, outcome, reason, _nearest(found, claim), answers.conditions, answers.run)


def _finding(said: Mapping[str, Any], claim: Claim, answers: Answers, *, own: bool) -> Finding:
    """Give a study's figure beside the claim; why the article's is of something else is nothing to a claim of one's own."""
    if claim.figure and said["unit"] != claim.unit:
        raise ClaimsInvalid(
            f"The claim {claim.id}",
            [
                (
                    None,
                    f"it is stated in {claim.unit}, and {claim.figure} is measured in {said['unit']}: state it in {said['unit']}",
                )
            ],
        )
    values = {key: None if said.get(key) is None else float(said[key]) for key in ("value", "lo", "hi")}
    n, unlike = said.get("n"), None if own else said.get("unlike")
    return Finding(
        said["id"], **values, unit=said["unit"], n=None if n is None else int(n), run=answers.run, query=said.get("query"),
        note=said.get("note"), claim_says=claim.says, claim_value=claim.value, claim_unit=claim.unit, unlike=unlike,
    )  # fmt: skip


def _held_against(found: Finding, claim: Claim, floor: float | None) -> tuple[Outcome, str]:
    """Judge a claim by one figure."""
    name = _of_what(found)
    if found.unlike:
        return Outcome.NOT_MEASURABLE, found.unlike.rstrip(".")
    if found.value is None:
        return Outcome.NOT_MEASURABLE, f"{name}{found.note}"
    said = f"{name}{figure(found.value)} {unit_of(found.unit)}{_ends(found)}"
    if found.unit != claim.unit:
        return Outcome.NOT_MEASURABLE, f"{said} is of another unit"
    exact = found.n is None and found.lo is None and found.hi is None
    lo, hi = (found.value, found.value) if exact else (found.lo, found.hi)
    if floor is not None and noise.apart(found.value, claim.value) < floor and claim.relation is Relation.IS:
        return Outcome.SUPPORTED, f"{said} is no further from it than the same variant from itself, {floor:.1%}"
    outcome, reason = _by_ends(claim, lo, hi, said, exact=exact)
    if outcome is Outcome.CONTRADICTED and claim.relation is Relation.IS:
        return outcome, f"{reason}: {relation_of(found)}"
    return outcome, reason


def _by_ends(claim: Claim, lo: float | None, hi: float | None, said: str, *, exact: bool) -> tuple[Outcome, str]:
    """Judge a claim by the ends of an interval, of which an open one excludes nothing."""
    value, relation = claim.value, claim.relation
    above, below = lo is not None and lo > value, hi is not None and hi < value
    if relation is not Relation.IS:
        kept, broken = (below or hi == value, above) if relation is Relation.AT_MOST else (above or lo == value, below)
        outcome = Outcome.CONTRADICTED if broken else Outcome.SUPPORTED if kept else Outcome.NOT_MEASURABLE
        return outcome, said + ("" if kept or broken else ": the interval lies on both sides of it, or is open")
    if exact:
        same = claim_arithmetic.half_up(lo, claim.decimals) == value
        return (Outcome.SUPPORTED if same else Outcome.CONTRADICTED), f"{said}, exactly computed"
    if above or below:
        return Outcome.CONTRADICTED, said
    if lo is None or hi is None:
        return Outcome.NOT_MEASURABLE, f"{said}: without both ends of an interval nothing can be told"
    if lo <= 0 < hi or (lo > 0 and hi / lo > WIDE):
        return Outcome.NOT_MEASURABLE, f"{said}: an interval so wide supports nothing; measure more processes"
    return Outcome.SUPPORTED, said


def _together(said: Sequence[tuple[Outcome, str]]) -> tuple[Outcome, str]:
    """Judge a claim by several figures: those that tell nothing do not count, and those that disagree leave it open."""
    told = {outcome for outcome, _ in said} - {Outcome.NOT_MEASURABLE}
    if len(told) > 1:
        supporting = [reason for outcome, reason in said if outcome is Outcome.SUPPORTED]
        against = [reason for outcome, reason in said if outcome is Outcome.CONTRADICTED]
        return Outcome.NOT_MEASURABLE, (
            f"it depends on what it is said of, which the claim leaves open: for it {'; '.join(supporting)}; against it"
            f" {'; '.join(against)}"
        )
    outcome = told.pop() if told else Outcome.NOT_MEASURABLE
    return outcome, "; ".join(dict.fromkeys(reason for one, reason in said if one is outcome))


def _nearest(found: Sequence[Finding], claim: Claim) -> Finding | None:
    """Give the figure that is kindest to the claim."""
    valued = [one for one in found if one.value is not None and one.unit == claim.unit]
    return min(valued, key=lambda one: noise.apart(one.value, claim.value)) if valued else (found[0] if found else None)


def _unanswered(claim: Claim, answers: Answers | None, catalogue: Sequence[str]) -> str:
    why = _why(claim, answers, catalogue)
    return f"{why}; it would take {claim.needs}" if claim.needs else why


def _why(claim: Claim, answers: Answers | None, catalogue: Sequence[str]) -> str:
    if claim.study == NO_STUDY:
        return "no study of this suite answers for it"
    if claim.study not in catalogue:
        return f"the page that would answer for it, {claim.study}, is not in the catalogue"
    if answers is None:
        return f"the page {claim.study} records no figure that claims are held against"
    if claim.figure:
        ids = [str(said["id"]) for said in answers.findings]
        return f"for this run {claim.study} records no such figure: {no_such_name('figure', claim.figure, ids).rstrip('.?')}"
    return f"the page {claim.study} has no figure of its own for it"


def _of_what(found: Finding) -> str:
    """Give what a figure is of, where its note says that it is over something."""
    return f"{found.note} it is " if found.note and found.note.startswith("over ") else ""


def _ends(found: Finding) -> str:
    if found.lo is None and found.hi is None:
        return ""
    n = "" if found.n is None else f", n = {found.n:,}"
    return f" [{figure(found.lo)} to {figure(found.hi)}{n}]"
