"""What the engine sends: whole requests prepared before the load, and the order in which they come."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bench import paths
from bench.errors import LoadFailed, no_such_name
from bench.load.mix import KINDS, Kind, Mix, chosen

ONE_BODY = b'{"path": "/v1/products", "method": "GET"}'
"""The body of `single_request`."""
HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
"""What every request says beside its host and its length, whichever generator sends it."""
_DISTINCT = 2_048
_ORDER = 65_536
_LARGE_BYTES = 65_536
"""Most bytes of a large request's body; the contract's limit is sixteen times that."""
_WORDS = (
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "indigo", "juniper", "krill", "lumen",
    "maple", "nectar", "onyx", "pearl", "quartz", "raven", "saffron", "topaz", "umber", "violet", "willow", "zephyr",
)  # fmt: skip

Route = dict[str, Any]
"""One route of the contract's table."""


@dataclass(frozen=True)
class Traffic:
    """Prepared requests."""

    requests: tuple[bytes, ...]
    """Header and body of each."""
    names: tuple[str, ...]
    """Names for statistics."""
    name_of: tuple[int, ...]
    """For every request the index of its name."""
    order: tuple[int, ...]
    """Which request comes when, round and round."""
    method: str = "POST"


def route_traffic(
    host: str, *, seed: int, tokens: Sequence[str] = (), mix: Mix | None = None, kinds: Collection[str] = KINDS.keys()
) -> Traffic:
    """Prepare requests to `POST /route` over every route of the contract's table.

    Each has parameters, a query in a third of the cases, and a payload of an order-like document with the members that
    the route's transform touches. Within a kind routes are drawn uniformly, so that the matcher sees all of the table.

    Parameters
    ----------
    host
        Address of the gateway, `http://127.0.0.1:8080`.
    tokens
        Bearer tokens that hold every scope, drawn uniformly. Without any, routes that need one are left out.
    mix
        Weights of the kinds of requests (see `bench.load.mix`); None or empty: each by its number of routes, which makes
        routes uniform over the table, and none of them large.
    kinds
        The kinds that may be sent at all.

    Raises
    ------
    LoadFailed
        No kind is left, a kind needs tokens and there are none, or a weight is too small ever to be drawn.
    """
    draw = random.Random(seed)
    routes = _routes()
    natural = {
        "route": sum(route["auth"] == "none" for route in routes),
        "token": sum(route["auth"] == "jwt" for route in routes),
    }
    weights = chosen(mix or {}, natural=natural, kinds=kinds, with_tokens=bool(tokens))
    requests: list[bytes] = []
    name_of: list[int] = []
    pools: dict[str, range] = {}
    for index, (name, weight) in enumerate(weights.items()):
        kind = KINDS[name]
        count = min(kind.distinct, math.ceil(_DISTINCT * weight / sum(weights.values())))
        pools[name] = range(len(requests), len(requests) + count)
        requests += _of_kind(host, kind, routes, tokens, count, draw)
        name_of += [index] * count
    order = tuple(draw.choice(pools[name]) for name in draw.choices([*weights], [*weights.values()], k=_ORDER))
    if absent := {*weights} - {[*weights][name_of[request]] for request in order}:
        raise LoadFailed(
            f"The weight of {min(absent)} is too small: of {_ORDER} requests in order none is one. Give it more."
        )
    return Traffic(tuple(requests), tuple(KINDS[name].label for name in weights), tuple(name_of), order)


def route_request(route_id: str, draw: random.Random, tokens: Sequence[str]) -> tuple[bytes, dict[str, str]]:
    """Give body and header of a request to one route of the contract's table, with a token if the route asks for one.

    Raises
    ------
    LoadFailed
        There is no such route, or it asks for a token and there are none.
    """
    routes = {route["id"]: route for route in _routes()}
    if route_id not in routes:
        raise LoadFailed(no_such_name("route", route_id, routes))
    headers = dict(HEADERS)
    if routes[route_id]["auth"] == "jwt":
        if not tokens:
            raise LoadFailed(f"The route {route_id} needs bearer tokens. Give a file of them as --tokens.")
        headers["Authorization"] = f"Bearer {draw.choice(tokens)}"
    return _body(routes[route_id], draw), headers


def _of_kind(
    host: str, kind: Kind, routes: Sequence[Route], tokens: Sequence[str], count: int, draw: random.Random
) -> Iterator[bytes]:
    own = [route for route in routes if (route["auth"] == "jwt") == kind.with_token]
    if kind.name == "large":
        own = [route for route in own if _has_payload(route)]
    for _ in range(count):
        body = _body(draw.choice(own), draw, _LARGE_BYTES if kind.name == "large" else None)
        yield _request(host, body, draw.choice(tokens) if kind.with_token else None)


@cache
def _routes() -> tuple[Route, ...]:
    return tuple(json.loads((paths.CONTRACT / "routes.json").read_text())["routes"])


def single_request(host: str) -> Traffic:
    """Prepare one small `POST /route`, the same for ever: what a comparison with other generators sends."""
    return Traffic((_request(host, ONE_BODY, None),), ("/route",), (0,), (0,))


def read_tokens(path: Path | None) -> list[str]:
    """Give the bearer tokens of a file, one a line; none without a file."""
    if path is None:
        return []
    try:
        return path.read_text().split()
    except OSError as error:
        raise LoadFailed(f"The tokens file {path} cannot be read: {error}") from error


def _request(host: str, body: bytes, token: str | None) -> bytes:
    lines = [
        "POST /route HTTP/1.1",
        f"Host: {urlsplit(host).netloc}",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
        f"Content-Length: {len(body)}",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _body(route: Route, draw: random.Random, size_bytes: int | None = None) -> bytes:
    """Give a body that matches a route; with a size, of as many order lines as fit into it."""
    path = "/".join(_segment(part, draw) for part in route["pattern"].split("/"))
    if draw.random() < 1 / 3:
        path += f"?page={draw.randrange(1, 50)}&sort={draw.choice(_WORDS)}"
    payload = _payload(route["transform"], draw) if _has_payload(route) else None
    whole = {"path": path, "method": route["method"], "payload": payload}
    if size_bytes is not None and payload is not None:
        left = size_bytes - len(_json(whole))
        while (left := left - len(_json(line := _line(draw))) - len(b", ")) >= 0:
            payload["lines"].append(line)
    return _json(whole)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _has_payload(route: Route) -> bool:
    return route["method"] not in ("GET", "DELETE")


def _segment(part: str, draw: random.Random) -> str:
    if part.endswith("...}"):
        return f"{draw.choice(_WORDS)}/{draw.choice(_WORDS)}/{draw.randrange(10_000)}"
    return str(draw.randrange(1, 1_000_000)) if part.startswith("{") else quote(part, safe="")


def _payload(transform: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    touched = [*transform["remove"], *transform["rename"]]
    return {name: f"{draw.choice(_WORDS)}-{draw.randrange(1_000)}" for name in touched} | {
        "reference": f"{draw.getrandbits(64):016x}",
        "currency": draw.choice(("EUR", "USD", "CNY", "INR")),
        "total": draw.randrange(100, 100_000) / 100,
        "express": draw.random() < 0.2,
        "lines": [_line(draw) for _ in range(draw.randrange(1, 6))],
        "note": " ".join(draw.choice(_WORDS) for _ in range(draw.randrange(0, 12))),
    }


def _line(draw: random.Random) -> dict[str, Any]:
    return {
        "sku": f"{draw.choice(_WORDS)}-{draw.randrange(10_000)}",
        "quantity": draw.randrange(1, 9),
        "price": draw.randrange(100, 10_000) / 100,
    }
