"""Locust's request events as rows. What Locust's own modules patch is patched in a process of its own, so not in this one."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time

from bench.paths import ROOT
from tests.unit.scripted_server import OK, serving

SCRIPT = """
import json, sys, time
from types import SimpleNamespace
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook
from bench.load.request_events import Anchor, CutOff, outcome_of, row

rows, anchor = [], Anchor.now()
hook = EventHook()
hook.add_listener(lambda **event: rows.append(row(anchor, event, 5, 70_000)))
session = FastHttpSession(sys.argv[1], hook, None, network_timeout=0.3, max_retries=0)
before = time.monotonic_ns()
for _ in range(int(sys.argv[2])):
    session.post("/", data=b"{}")
after = time.monotonic_ns()
hook.fire(response=None, exception=CutOff(), start_time=time.time(), response_time=1.5, response_length=0)
known = Anchor(1_700_000_000_000_000_000, 5_000_000_000, 9)
clocks = [known.monotonic(1_700_000_001.5), known.stepped_ns(Anchor(1_700_000_002_000_000_700, 7_000_000_000, 9))]
print(json.dumps({"clocks": clocks, "before": before, "after": after, "rows": rows, "uncertainty": anchor.uncertainty_ns}))
"""


def rows_of(port, requests=1):
    """Give what the rows say of so many requests, one after the other, and of one that was cut off."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"http://127.0.0.1:{port}", str(requests)],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def said_of(answers):
    """Give what the rows say of one request an answer; None closes the connection."""
    with serving(lambda number: answers[number]) as server:
        return rows_of(server.port, len(answers))


def outcomes(said):
    return [packed >> 10 & 15 for _, _, _, packed, _ in said["rows"]]


def late(number):
    time.sleep(0.6)
    return OK


def test_an_event_becomes_the_row_that_an_engine_would_have_written():
    odd = b"HTTP/1.1 503 Service Unavailable\r\nX-Why: because\r\nContent-Length: 3\r\n\r\nno!"
    said = said_of([OK, odd, None, b"SSH-2.0-x\r\n\r\n", OK])
    # Status, outcome, queued, connection: 70 000 modulo 65 536, name.
    unpacked = [(p & 1023, p >> 10 & 15, p >> 14 & 1, p >> 15 & 65_535, p >> 31) for _, _, _, p, _ in said["rows"]]
    assert unpacked == [
        (200, 0, 0, 4_464, 5),
        (503, 1, 0, 4_464, 5),
        (0, 3, 0, 4_464, 5),
        (0, 5, 0, 4_464, 5),
        (200, 0, 0, 4_464, 5),
        (0, 6, 0, 4_464, 5),
    ]
    assert [received for *_, received in said["rows"]] == [len(OK), len(odd), 0, 0, len(OK), 0]


def test_instants_are_on_the_monotonic_clock_and_a_request_is_sent_when_it_is_intended():
    said = said_of([OK] * 20)
    # By hand: one and a half seconds after the anchor's 5 s; the wall clock was set by 700 ns in two seconds.
    assert said["clocks"] == [6_500_000_000, 700]
    answered = said["rows"][:-1]
    # A double of seconds since 1970 resolves 239 ns.
    slack = 239 + said["uncertainty"]
    assert all(intended == sent for intended, sent, *_ in said["rows"])
    ordered = [instant for _, sent, done, *_ in answered for instant in (sent, done)]
    assert all(later > earlier - 2 * slack for earlier, later in itertools.pairwise(ordered))
    assert said["before"] - slack <= ordered[0]
    assert ordered[-1] <= said["after"] + slack
    (_, sent, done, *_) = said["rows"][-1]
    assert done - sent == 1_500_000


def test_an_answer_that_comes_too_late_and_a_server_that_is_gone_are_told_apart():
    with serving(late) as server:
        assert outcomes(rows_of(server.port)) == [2, 6]
    assert outcomes(rows_of(server.port)) == [4, 6]
