"""Where the load goes: Locust's `--host`, as a host and a port, and as an address of this machine's network."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

from bench.errors import LoadFailed

_PORTS = {"http": 80, "https": 443}


def address(host: str | None) -> tuple[str, int]:
    """Give host and port of `http://127.0.0.1:8080`; raises `LoadFailed` when it is not such an address."""
    parts = urlsplit(host or "")
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in _PORTS or not parts.hostname or (port is None and ":" in parts.netloc.rpartition("]")[2]):
        raise LoadFailed(f"{host!r} is no address to load. Give --host http://127.0.0.1:8080 or the like.")
    return parts.hostname, port or _PORTS[parts.scheme]


def encrypted(host: str | None) -> bool:
    """Tell whether a host is to be spoken to through TLS."""
    return urlsplit(host or "").scheme == "https"


def resolve(host: str, port: int) -> tuple[tuple[Any, ...], int]:
    """Give the socket address of a host and its family; raises `LoadFailed` when its name does not resolve."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise LoadFailed(f"The host {host!r} does not resolve ({error}). Check --host.") from error
    return found[0][4], found[0][0]
