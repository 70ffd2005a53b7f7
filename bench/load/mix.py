"""Which kinds of requests there are, and how often each comes: `route=8,token=2,large=0.1`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bench.errors import LoadFailed, no_such_name


@dataclass(frozen=True)
class Kind:
    """One kind of request to `POST /route`."""

    name: str
    """As in a mix, and as Locust's tag."""
    label: str
    """Its name in Locust's statistics and in the requests table."""
    with_token: bool
    """Its routes ask for a bearer token."""
    distinct: int
    """How many different requests are prepared at most."""


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("route", "/route", False, 2_048),
        Kind("token", "/route with token", True, 2_048),
        # 64 KiB each: what is prepared is held in memory.
        Kind("large", "/route with large payload", False, 64),
    )
}
"""Every gateway answers each of them with 200."""

Mix = Mapping[str, float]
"""Weight of every kind in it."""


def parse(text: str) -> Mix:
    """Give the weights of a mix; none for an empty text.

    Raises
    ------
    LoadFailed
        It is malformed, names a kind twice or one that does not exist, or a weight is not positive.
    """
    mix: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, weight = (piece.strip() for piece in part.partition("="))
        if name not in KINDS:
            raise _malformed(text, no_such_name("kind", name, KINDS))
        if name in mix:
            raise _malformed(text, f"{name} stands there twice.")
        mix[name] = _weight(text, name, weight)
    return mix


def _weight(text: str, name: str, said: str) -> float:
    try:
        weight = float(said)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise _malformed(text, f"{name} has {said!r} for a weight, which must be a positive number.")
    return weight


def _malformed(text: str, why: str) -> LoadFailed:
    return LoadFailed(f"The mix {text!r} is none: {why} Write it like route=8,token=2; kinds: {', '.join(KINDS)}.")


def chosen(mix: Mix, *, natural: Mix, kinds: Collection[str], with_tokens: bool) -> Mix:
    """Give what is sent: the mix, or the natural one, of the kinds that Locust's tags leave.

    Parameters
    ----------
    mix
        What was asked for; empty: `natural`.
    natural
        How often the kinds come when nothing was asked for. Those with tokens are left out where there are none.
    kinds
        Kinds that the tags leave.

    Raises
    ------
    LoadFailed
        Nothing is left, or a kind needs tokens and there are none.
    """
    wanted = {name: weight for name, weight in (mix or natural).items() if name in kinds}
    if not with_tokens:
        lacking = [name for name in wanted if KINDS[name].with_token]
        if lacking and (mix or lacking == [*wanted]):
            raise LoadFailed(f"Requests of the kind {lacking[0]} need bearer tokens. Give a file of them as --tokens.")
        wanted = {name: weight for name, weight in wanted.items() if name not in lacking}
    if not wanted:
        raise LoadFailed(
            f"--tags and --exclude-tags leave no kind of request of the mix {_text(mix or natural)}."
            f" Kinds: {', '.join(KINDS)}. Choose others, or give a --mix that has them, such as --mix large=1."
        )
    return wanted


def _text(mix: Mix) -> str:
    return ",".join(f"{name}={weight:g}" for name, weight in mix.items())
