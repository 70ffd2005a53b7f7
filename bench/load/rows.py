"""How the engine writes a request down while it runs: five integers a row, turned into a table after the load."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Outcome(IntEnum):
    """What became of a request; the value stands in the packed row."""

    OK = 0
    ERROR = 1
    TIMEOUT = 2
    RESET = 3
    REFUSED = 4
    INVALID = 5
    UNANSWERED = 6
    UNSENT = 7


CENSORED = frozenset({Outcome.TIMEOUT, Outcome.UNANSWERED, Outcome.UNSENT})

FIELDS = 5
"""intended_ns, sent_ns, done_ns, packed, received_bytes.

Packed holds, from the lowest bit: status (10 bits), outcome (4), queued (1: no connection was free when it was due),
connection (16), index of the request (the rest).
"""

OUTCOME_SHIFT, QUEUED_SHIFT, CONNECTION_SHIFT, REQUEST_SHIFT = 10, 14, 15, 31
IS_QUEUED = 1 << QUEUED_SHIFT
OF_STATUS = tuple(
    status | (Outcome.OK if 200 <= status < 300 else Outcome.ERROR) << OUTCOME_SHIFT
    for status in range(1 << OUTCOME_SHIFT)
)
"""By status its part of the packed row, and that of the outcome that it means."""


def outcomes(packed: np.ndarray) -> np.ndarray:
    """Give the outcome alone of packed int64 values."""
    return packed >> OUTCOME_SHIFT & 0xF


def unpack(packed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give status, outcome, queued, connection and request index of packed int64 values."""
    return (
        packed & 0x3FF,
        outcomes(packed),
        (packed >> QUEUED_SHIFT & 1).astype(bool),
        packed >> CONNECTION_SHIFT & 0xFFFF,
        packed >> REQUEST_SHIFT,
    )
