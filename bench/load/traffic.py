"""What the engine sends: whole requests prepared before the load, and the order in which they come."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from bench import paths
from bench.errors import LoadFailed

ONE_BODY = b'{"path": "/v1/products", "method": "GET"}'
"""The body of `single_request`."""
_DISTINCT = 2_048
_ORDER = 65_536
_WORDS = (
    "amber", "basalt", "cedar", "delta", "ember", "fjord", "garnet", "harbor", "indigo", "juniper", "krill", "lumen",
    "maple", "nectar", "onyx", "pearl", "quartz", "raven", "saffron", "topaz", "umber", "violet", "willow", "zephyr",
)  # fmt: skip


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


def route_traffic(host: str, *, seed: int, tokens: Sequence[str] = ()) -> Traffic:
    """Prepare requests to `POST /route` over every route of the contract's table.

    Each has parameters, a query in a third of the cases, and a payload of an order-like document with the members that
    the route's transform touches. Routes are drawn uniformly, so that the matcher sees all of the table.

    Parameters
    ----------
    host
        Address of the gateway, `http://127.0.0.1:8080`.
    tokens
        Bearer tokens that hold every scope, drawn uniformly. Without any, routes that need one are left out.
    """
    draw = random.Random(seed)
    table = json.loads((paths.CONTRACT / "routes.json").read_text())["routes"]
    routes = [route for route in table if tokens or route["auth"] == "none"]
    requests, name_of = [], []
    for _ in range(_DISTINCT):
        route = draw.choice(routes)
        token = draw.choice(tokens) if route["auth"] == "jwt" else None
        requests.append(_request(host, _body(route, draw), token))
        name_of.append(int(token is not None))
    order = tuple(draw.randrange(_DISTINCT) for _ in range(_ORDER))
    return Traffic(tuple(requests), ("/route", "/route with token"), tuple(name_of), order)


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
        "Content-Type: application/json",
        "Accept: application/json",
        f"Content-Length: {len(body)}",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _body(route: dict[str, Any], draw: random.Random) -> bytes:
    path = "/".join(_segment(part, draw) for part in route["pattern"].split("/"))
    if draw.random() < 1 / 3:
        path += f"?page={draw.randrange(1, 50)}&sort={draw.choice(_WORDS)}"
    payload = None if route["method"] in ("GET", "DELETE") else _payload(route["transform"], draw)
    return json.dumps({"path": path, "method": route["method"], "payload": payload}, ensure_ascii=False).encode()


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
        "lines": [
            {"sku": f"{draw.choice(_WORDS)}-{draw.randrange(10_000)}", "quantity": draw.randrange(1, 9),
             "price": draw.randrange(100, 10_000) / 100}
            for _ in range(draw.randrange(1, 6))
        ],
        "note": " ".join(draw.choice(_WORDS) for _ in range(draw.randrange(0, 12))),
    }  # fmt: skip
