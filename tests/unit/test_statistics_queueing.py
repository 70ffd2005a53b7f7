"""Queues: Erlang's formula, waits and backlogs, against tables and numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from roi.statistics import queueing
from roi.statistics.queueing import Service


def by_the_series(servers: int, offered: float) -> float:
    """Give Erlang's C by its textbook sum."""
    busy = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return busy / (sum(offered**k / math.factorial(k) for k in range(servers)) + busy)


@pytest.mark.parametrize(
    ("servers", "offered", "waits"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (5, 4.0, 0.5541), (10, 8.0, 0.4092)]
)
def test_erlangs_c_is_that_of_the_tables(servers, offered, waits):
    assert queueing.erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)
    assert queueing.erlang_c(servers, offered) == pytest.approx(by_the_series(servers, offered), rel=1e-12)


def test_every_request_waits_where_the_queue_grows_for_ever():
    assert queueing.erlang_c(2, 2.0) == 1
    assert math.isinf(queueing.mean_wait_s(1, 1.0, Service(1.0)))


def test_one_server_half_busy_makes_a_request_wait_as_long_as_it_is_served_and_half_that_with_constant_service():
    # M/M/1: rho / (mu - lambda) = 0.5 / 0.5; M/D/1 is half of it (Pollaczek and Khinchine).
    assert queueing.mean_wait_s(1, 0.5, Service(1.0)) == pytest.approx(1.0)
    assert queueing.mean_wait_s(1, 0.5, Service(1.0, variation=0.0)) == pytest.approx(0.5)
    assert queueing.share_that_waits_longer(2.0, 1, 0.5, Service(1.0)) == pytest.approx(0.5 * math.exp(-1))


def test_the_fewest_servers_are_one_more_than_too_few():
    servers = queueing.least_servers(8.0, Service(1.0), 0.5, 0.05)
    waits = [by_the_series(c, 8.0) * math.exp(-(c - 8.0) * 0.5) for c in (servers - 1, servers)]
    assert waits[0] > 0.05 >= waits[1]


def test_a_trapezium_over_its_capacity_piles_up_its_area_and_is_worked_off():
    # 100 to 500 requests/s within 2 s, for 2 s, and back; 300/s are served. Over it from 3 s to 7 s: 100 + 400 + 100.
    times, rates = np.array([0, 2, 4, 6, 8, 12.0]), np.array([100, 100, 500, 500, 100, 100.0])
    found = queueing.backlog(times, rates - 300)
    assert (found.most, found.most_at_s) == (pytest.approx(600), pytest.approx(7))
    # 100 are gone at 8 s, and the 500 left at 200/s take 2.5 s.
    assert found.gone_at_s == pytest.approx(10.5)
    assert queueing.waiting(times, rates - 300, np.array([3, 4, 5, 8, 9, 11])) == pytest.approx(
        [0, 100, 300, 500, 300, 0]
    )


def test_a_small_queue_is_gone_while_the_rate_still_falls():
    times, rates = np.array([0, 2, 4, 6, 8, 10.0]), np.array([100, 100, 500, 500, 100, 100.0])
    found = queueing.backlog(times, rates - 480)
    # 1 + 40 + 1 requests; from 6.1 s on 100 u² of them have gone after u s.
    assert found.most == pytest.approx(42)
    assert found.gone_at_s == pytest.approx(6.1 + math.sqrt(0.42))


def test_what_is_left_at_the_end_is_not_gone_and_what_never_was_is_none():
    assert queueing.backlog(np.array([0.0, 1.0]), np.array([10.0, 10.0])).gone_at_s is None
    assert queueing.backlog(np.array([0.0, 1.0]), np.array([-5.0, 0.0])).most == 0
