"""Events from made-up probes: two streams of 20 ms, 10 ms apart, so 100 probes a second; every number is by hand."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bench.errors import GatewayDied
from bench.faults import events
from bench.faults.kubelet import NS, Decision, Step
from bench.faults.prober import ROW, Stream
from bench.faults.target import Strike
from bench.load.rows import Outcome
from bench.store.schema import FAULTS, PROBES

MS = 1_000_000
STRIKE = Strike("sigkill", 1, before_ns=1 * NS - 1000, after_ns=1 * NS)
LIMIT_NS = 10 * MS
SUSTAIN_NS = 2 * NS

Answer = Callable[[float, Stream], tuple[Outcome, float]]


def probe(seconds: float, answer: Answer) -> np.ndarray:
    """Give the probes of so many seconds; `answer` says outcome and response time in ms of an intended second."""
    rows = np.zeros(round(seconds * 100), ROW)
    for number in range(len(rows)):
        stream = Stream(number % 2)
        outcome, response_ms = answer(number / 100, stream)
        intended = number * 10 * MS
        rows[number] = (stream, intended, intended + 1000, intended + round(response_ms * MS), outcome)
    return rows


def down(*spans: tuple[float, float]) -> Answer:
    """Refuse within these spans of seconds, answer in 1 ms otherwise."""

    def answer(second: float, stream: Stream) -> tuple[Outcome, float]:
        refused = any(begin <= second < end for begin, end in spans)
        return (Outcome.REFUSED, 0.1) if refused else (Outcome.OK, 1)

    return answer


def outage(probes: np.ndarray, sustain_ns: int = SUSTAIN_NS) -> events.Outage:
    return events.outage(probes, STRIKE, LIMIT_NS, sustain_ns)


def test_an_outage_of_one_second_loses_100_probes_and_is_over_when_both_streams_answer() -> None:
    found = outage(probe(5, down((1, 2))))
    assert found.impact_ns == 1 * NS
    # The stream `new` answers at 2.00 s, the stream `kept` at 2.01 s.
    assert found.first_ok_ns == 2010 * MS
    assert found.good_since_ns == 2010 * MS
    assert found.lost == 100


def test_service_that_goes_away_three_times_is_counted_as_three_spells() -> None:
    assert outage(probe(6, down((1, 2)))).spells == 1
    assert outage(probe(6, down((1, 2), (2.5, 2.7), (3, 3.1)))).spells == 3
    # One stream alone flaps: two spells of a single probe each.
    assert outage(probe(6, down((1, 1.005), (1.5, 1.505)))).spells == 2
    assert outage(probe(6, down())).spells == 0


def test_a_stretch_counts_only_once_it_has_been_seen_whole() -> None:
    # From 2.01 s the stretch ends at 4.01 s; 401 probes reach 4.00 s, 402 reach it.
    assert outage(probe(5, down((1, 2)))[:401]).good_since_ns is None
    assert outage(probe(5, down((1, 2)))[:402]).good_since_ns == 2010 * MS


def test_a_fault_that_no_probe_noticed_is_masked() -> None:
    found = outage(probe(5, down()))
    assert (found.impact_ns, found.first_ok_ns, found.lost) == (None, None, 0)
    assert found.good_since_ns == 1 * NS


def test_failures_before_the_fault_are_not_its_doing() -> None:
    found = outage(probe(5, down((0.2, 0.3), (1.5, 2))))
    assert found.impact_ns == 1500 * MS
    assert found.lost == 50


def test_a_probe_in_flight_at_the_fault_is_hit_at_the_fault() -> None:
    def reset_in_flight(second: float, stream: Stream) -> tuple[Outcome, float]:
        return (Outcome.RESET, 10) if second == 0.99 else (Outcome.OK, 1)

    found = outage(probe(5, reset_in_flight))
    assert found.impact_ns == STRIKE.after_ns
    assert found.lost == 1
    # Probe 99 is of the stream `kept`; its next one answers.
    assert found.first_ok_ns == 1010 * MS


def test_a_flapping_service_is_sustained_from_its_last_return() -> None:
    found = outage(probe(9, down((1, 2), (3, 3.5), (4.5, 5), (6.9, 7))), sustain_ns=1_900 * MS)
    assert found.first_ok_ns == 2010 * MS
    # Between 5.0 and 6.9 s it lasts 1.9 s: long enough.
    assert found.good_since_ns == 5 * NS
    assert outage(probe(9, down((1, 2), (3, 3.5), (4.5, 5), (6.9, 7)))).good_since_ns is None
    assert found.lost == 100 + 50 + 50 + 10


def test_good_service_while_a_fault_still_acts_lasts_only_if_it_is_good_until_the_fault_has_ended() -> None:
    copes, relapses = down((1, 2)), down((1, 2), (5.5, 6))
    acting = replace(STRIKE, ended_ns=6 * NS)
    # Four seconds in between are good, and sustain asks for two.
    assert outage(probe(9, relapses)).good_since_ns == 2010 * MS
    assert events.outage(probe(9, relapses), acting, LIMIT_NS, SUSTAIN_NS).good_since_ns == 6 * NS
    assert events.outage(probe(9, copes), acting, LIMIT_NS, SUSTAIN_NS).good_since_ns == 2010 * MS
    assert events.outage(probe(9, down()), acting, LIMIT_NS, SUSTAIN_NS).good_since_ns == 1 * NS


def test_a_slow_return_is_sustained_when_it_is_quick_again() -> None:
    def slow(second: float, stream: Stream) -> tuple[Outcome, float]:
        if 1 <= second < 2:
            return Outcome.REFUSED, 0.1
        return Outcome.OK, 10.1 if second < 3.5 else 10

    found = outage(probe(7, slow))
    assert found.first_ok_ns == 2010 * MS
    assert found.good_since_ns == 3500 * MS
    assert found.lost == 100


def test_one_failure_in_a_hundred_of_a_stream_is_good_service_and_two_are_not() -> None:
    # Two seconds hold 100 probes of each stream.
    one = outage(probe(5, down((1, 2), (2.5, 2.51), (2.51, 2.52))))
    assert one.good_since_ns == 2010 * MS
    two = outage(probe(5, down((1, 2), (2.5, 2.51), (2.52, 2.53))))
    # A stretch from 2.505 s on leaves the first of the two out.
    assert two.good_since_ns == 2510 * MS


def test_two_slow_answers_in_two_hundred_are_good_service_and_three_are_not() -> None:
    def slow_at(*seconds: float) -> Answer:
        refused = down((1, 2))
        return lambda second, stream: (Outcome.OK, 50) if second in seconds else refused(second, stream)

    assert outage(probe(5, slow_at(2.5, 2.6))).good_since_ns == 2010 * MS
    assert outage(probe(5, slow_at(2.5, 2.6, 2.7))).good_since_ns == 2510 * MS


def test_service_is_not_back_while_one_stream_fails() -> None:
    def kept_fails(second: float, stream: Stream) -> tuple[Outcome, float]:
        broken = second >= 1 and stream is Stream.KEPT
        return (Outcome.RESET, 0.1) if broken else (Outcome.OK, 1)

    found = outage(probe(6, kept_fails))
    assert found.impact_ns == 1010 * MS
    assert (found.first_ok_ns, found.good_since_ns) == (None, None)
    assert found.lost == 250


def test_the_baseline_p99_is_the_hundredth_part_from_above() -> None:
    # Of 200 probes 198 are no slower than the 198th by size, and that is 99 in a hundred.
    def some_slow(second: float, stream: Stream) -> tuple[Outcome, float]:
        return Outcome.OK, {0.5: 30, 0.6: 20, 0.7: 25}.get(second, 1)

    assert events.response_p99_ns(probe(2, some_slow)) == 20 * MS


def test_a_baseline_with_two_failures_in_a_hundred_is_refused() -> None:
    one_each = probe(2, down((0.5, 0.52)))
    assert events.response_p99_ns(one_each) == 1 * MS
    with pytest.raises(GatewayDied, match=r"2 of 100 probes of the stream 'new' failed"):
        events.response_p99_ns(probe(2, down((0.5, 0.53))))


def test_slow_is_twice_the_baseline_but_never_within_2_ms_of_it() -> None:
    assert events.slow_limit_ns(5 * MS) == 10 * MS
    assert events.slow_limit_ns(MS // 2) == 2 * MS + MS // 2


CRASH_LOOP = (
    Decision(0, Step.CREATED),
    Decision(100, Step.LISTENING),
    Decision(1001 * MS, Step.EXITED),
    Decision(1301 * MS, Step.EXIT_SEEN),
    Decision(1301 * MS, Step.RESTART_DECIDED, 1301 * MS),
    Decision(1302 * MS, Step.CREATED),
    Decision(1310 * MS, Step.EXITED),
    Decision(1400 * MS, Step.EXIT_SEEN),
    Decision(1400 * MS, Step.RESTART_DECIDED, 1900 * MS),
    Decision(1900 * MS, Step.CREATED),
    Decision(1990 * MS, Step.LISTENING),
)


def row(probes: np.ndarray, record: tuple[Decision, ...]) -> dict[str, object]:
    return events.faults_row(outage(probes), STRIKE, record, probes, "kubernetes", 60 * NS)


def test_the_row_takes_detection_from_the_first_crash_and_the_start_from_the_process_that_served() -> None:
    found = row(probe(5, down((1, 2))), CRASH_LOOP)
    assert found == {
        "fault": "sigkill",
        "policy": "kubernetes",
        "truth": "{}",
        "horizon_ns": 60 * NS,
        "inject_ns": 1 * NS,
        "ended_ns": None,
        "impact_ns": 1 * NS,
        "detect_ns": 1301 * MS,
        "act_ns": 1301 * MS,
        "exec_ns": 1900 * MS,
        "listen_ns": 1990 * MS,
        "first_ok_ns": 2010 * MS,
        "sustained_ns": 2010 * MS,
        "censored": False,
        "censor_reason": None,
        "probes_lost": 100,
        "spells": 1,
        "probe_lag_p99_ns": 1000,
    }
    instants = [found[name] for name in ("inject_ns", "detect_ns", "exec_ns", "listen_ns", "first_ok_ns")]
    assert all(before < after for before, after in pairwise(instants))


def test_a_service_that_never_answers_is_censored() -> None:
    found = row(probe(5, down((1, 9))), CRASH_LOOP[:9])
    assert (found["first_ok_ns"], found["sustained_ns"], found["listen_ns"]) == (None, None, None)
    assert found["exec_ns"] == 1302 * MS
    assert found["censored"]
    assert found["censor_reason"] == events.NEVER_ANSWERED


def test_a_service_that_never_lasts_is_censored_with_its_first_answer() -> None:
    found = row(probe(5, down((1, 2), (3, 3.5), (4.5, 9))), CRASH_LOOP)
    assert found["first_ok_ns"] == 2010 * MS
    assert found["sustained_ns"] is None
    assert found["censor_reason"] == events.NOT_SUSTAINED


def test_a_masked_fault_is_neither_a_recovery_nor_censored() -> None:
    found = row(probe(5, down()), CRASH_LOOP[:2])
    unknown = [name for name, value in found.items() if value is None]
    assert unknown == [
        "ended_ns", "impact_ns", "detect_ns", "act_ns", "exec_ns", "listen_ns", "first_ok_ns", "sustained_ns", "censor_reason",
    ]  # fmt: skip
    assert found["censored"] is False
    assert found["probes_lost"] == 0


def test_row_and_table_have_the_columns_of_their_schemas() -> None:
    probes = probe(5, down((1, 2)))
    # What the cell was told, and what it knew before the fault, is not in the probes.
    told = {"cell_id", "sustain_ns", "baseline_p99_ns", "slow_limit_ns"}
    assert [*row(probes, CRASH_LOOP)] == [name for name in FAULTS.schema.names if name not in told]
    table = events.probes_table(probes)
    assert ["cell_id", *table.schema.names] == PROBES.schema.names
    assert table["outcome"].to_pylist()[99:101] == ["ok", "refused"]
    assert table["stream"].to_pylist()[:2] == ["new", "kept"]
