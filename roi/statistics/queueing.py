"""Queues: how many servers keep a wait short, and how much piles up while more comes than can be served.

The first is a matter of chance: Poisson arrivals at one queue before several servers (M/M/c, Erlang's C formula: Kleinrock,
Queueing Systems I, 1975, section 3.5), stretched for service times that are not exponential (Allen and Cunneen's
approximation: Allen, Probability, Statistics and Queueing Theory, 2nd edition 1990, chapter 5). The second is not: while the
rate exceeds the capacity, the difference piles up (fluid approximation: Newell, Applications of Queueing Theory, 2nd edition
1982, chapter 2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Service:
    """What serving one request takes.

    Raises
    ------
    ValueError
        The mean is not positive, or the variation is negative.
    """

    mean_s: float
    """Mean service time, s."""
    variation: float = 1.0
    """Squared coefficient of variation of service times: 1 is exponential, 0 constant."""

    def __post_init__(self) -> None:
        if not (self.mean_s > 0 and math.isfinite(self.mean_s)):
            raise ValueError(f"A mean service time of {self.mean_s} s is none: it must be positive.")
        if not (self.variation >= 0 and math.isfinite(self.variation)):
            raise ValueError(f"A squared coefficient of variation of {self.variation} is none: it cannot be negative.")

    @property
    def stretch(self) -> float:
        """How much longer waits are than with exponential service times: half the sum of both variations, arrivals' being 1."""
        return (1 + self.variation) / 2


def erlang_c(servers: int, offered: float) -> float:
    """Give the probability that a request finds every server busy and waits (M/M/c); 1 where the queue grows for ever.

    By the recursion of Erlang's B formula, which does not overflow.

    Parameters
    ----------
    servers
        1 or more.
    offered
        Arrival rate times mean service time, erlangs; not negative.
    """
    if servers < 1 or offered < 0:
        raise ValueError(f"{servers} servers and {offered} erlangs are no queue.")
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for busy in range(1, servers + 1):
        blocked = _one_more(blocked, busy, offered)
    return _waits(blocked, servers, offered)


def _one_more(blocked: float, servers: int, offered: float) -> float:
    """Give Erlang's B of so many servers from that of one fewer."""
    return offered * blocked / (servers + offered * blocked)


def _waits(blocked: float, servers: int, offered: float) -> float:
    """Give Erlang's C from Erlang's B."""
    return blocked / (1 - offered / servers * (1 - blocked))


def mean_wait_s(servers: int, rate_per_s: float, service: Service) -> float:
    """Give the mean time that a request waits for a server, s (Allen and Cunneen); infinite where the queue grows for ever."""
    spare_per_s = servers / service.mean_s - rate_per_s
    if spare_per_s <= 0:
        return math.inf
    return erlang_c(servers, rate_per_s * service.mean_s) * service.stretch / spare_per_s


def share_that_waits_longer(wait_s: float, servers: int, rate_per_s: float, service: Service) -> float:
    """Give the share of requests that wait longer than a time: exponential beyond 0, with Allen and Cunneen's mean.

    Exact for exponential service times (Kleinrock, section 3.5).
    """
    spare_per_s = servers / service.mean_s - rate_per_s
    if spare_per_s <= 0:
        return 1.0
    return erlang_c(servers, rate_per_s * service.mean_s) * _beyond(wait_s, spare_per_s, service)


def _beyond(wait_s: float, spare_per_s: float, service: Service) -> float:
    """Give the share of those that wait who wait longer than a time."""
    return math.exp(-spare_per_s * wait_s / service.stretch)


def least_servers(rate_per_s: float, service: Service, wait_s: float, share: float) -> int:
    """Give the fewest servers with which at most a share of requests waits longer than a time.

    Raises
    ------
    ValueError
        The time is negative, or the share is not between 0 and 1.
    """
    if wait_s < 0 or not 0 < share < 1:
        raise ValueError(f"No number of servers keeps a share of {share} from waiting longer than {wait_s} s.")
    offered, blocked, servers = rate_per_s * service.mean_s, 1.0, 0
    while True:
        servers += 1
        blocked = _one_more(blocked, servers, offered)
        spare_per_s = servers / service.mean_s - rate_per_s
        if spare_per_s > 0 and _waits(blocked, servers, offered) * _beyond(wait_s, spare_per_s, service) <= share:
            return servers


@dataclass(frozen=True)
class Backlog:
    """What piles up and when it is gone."""

    most: float
    """Most requests that wait at once."""
    most_at_s: float
    """When."""
    gone_at_s: float | None
    """When they have been worked off; None when some are left at the end."""


def backlog(times_s: np.ndarray, net_per_s: np.ndarray) -> Backlog:
    """Give the backlog of a fluid queue that begins empty; exact for rates that are linear between instants.

    Parameters
    ----------
    times_s
        Instants, ascending, shape (n,); the same one twice is a step of the rate.
    net_per_s
        Arrival rate less capacity at each of them, shape (n,).
    """
    times, net = _refined(times_s, net_per_s)
    queue = _queue(times, net)
    top = int(queue.argmax())
    if queue[top] <= 0:
        return Backlog(0.0, float(times[0]), float(times[0]))
    empty = top + np.flatnonzero(queue[top:] == 0)
    gone_at = _emptied_s(times, net, queue, int(empty[0])) if len(empty) else None
    return Backlog(float(queue[top]), float(times[top]), gone_at)


def waiting(times_s: np.ndarray, net_per_s: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    """Give how many requests wait in a fluid queue at some instants, shape of `at_s`; see `backlog`."""
    times, net = _refined(times_s, net_per_s, at_s)
    return np.interp(at_s, times, _queue(times, net))


def _refined(
    times_s: np.ndarray, net_per_s: np.ndarray, at_s: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Add the instants at which the net rate passes through nothing, so that it has one sign between any two, and others."""
    times, net = np.asarray(times_s, float), np.asarray(net_per_s, float)
    passes = np.flatnonzero(net[:-1] * net[1:] < 0)
    share = net[passes] / (net[passes] - net[passes + 1])
    through = times[passes] + share * (times[passes + 1] - times[passes])
    times, net = np.insert(times, passes + 1, through), np.insert(net, passes + 1, 0.0)
    if at_s is None:
        return times, net
    inside = np.unique(np.clip(at_s, times[0], times[-1]))
    places = np.searchsorted(times, inside, side="right")
    # Of an instant that is there twice, interpolation gives the later value, and the place is behind both.
    return np.insert(times, places, inside), np.insert(net, places, np.interp(inside, times, net))


def _queue(times: np.ndarray, net: np.ndarray) -> np.ndarray:
    """Give what waits at each instant: what has come less what was served, which is never more than there was."""
    come = np.concatenate([[0.0], np.cumsum(np.diff(times) * (net[:-1] + net[1:]) / 2)])
    return come - np.minimum(np.minimum.accumulate(come), 0.0)


def _emptied_s(times: np.ndarray, net: np.ndarray, queue: np.ndarray, place: int) -> float:
    """Give the instant at which the queue is empty, within the piece that ends at a place where it is."""
    length = times[place] - times[place - 1]
    slope = (net[place] - net[place - 1]) / length
    falls = -net[place - 1]
    # The root of queue + net·u + slope·u²/2 in the form that does not cancel and holds for a slope of 0 too.
    root = math.sqrt(max(falls**2 - 2 * slope * queue[place - 1], 0.0))
    return float(times[place - 1] + min(2 * queue[place - 1] / (falls + root), length))
